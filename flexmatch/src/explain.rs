//! Why a ticket still waits: who is near, which rule keeps them apart, with which numbers, and until when.

mod replay;

use std::fmt;

use serde::Serialize;

use crate::{
    matchmaker::Matchmaker,
    ticket::{TicketId, TicketStatus},
    timestamp::Timestamp,
};

pub use replay::{Arrival, Replay, ReplayError, Replayed, ReplayedMatch};

/// Most tickets an explanation names. More would not be read.
pub const NEIGHBOURS_MAX: usize = 10;

/// Why a ticket waits.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The ticket.
    pub ticket_id: TicketId,
    /// Its status, as the API spells it.
    pub status: &'static str,
    /// How long it has waited; if it has ended, until then.
    pub age_seconds: u64,
    /// The wait of the expansion step in force at that age; 0 for the rule set as written.
    pub step_seconds: u64,
    /// Why it can never be matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub never: Option<String>,
    /// The largest match that can be begun around it now; the ticket itself comes first.
    pub nearest_match: Vec<TicketId>,
    /// Players that each team of that match has and needs.
    pub teams: Vec<TeamFill>,
    /// What that match still fails: a rule's name and its numbers.
    pub unmet: Vec<Unmet>,
    /// Who is kept apart from it, those that come free soonest first; at most [`NEIGHBOURS_MAX`].
    pub apart: Vec<Apart>,
    /// How many more are kept apart.
    pub more_apart: usize,
}

/// A team of a match that is not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TeamFill {
    /// Its name.
    pub team: String,
    /// Players it has.
    pub players: u32,
    /// Players it needs at this step.
    pub min_players: u32,
    /// Players it can have at this step.
    pub max_players: u32,
}

/// A rule that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unmet {
    /// Its name.
    pub rule: String,
    /// The measured value and what it is held against.
    pub numbers: String,
}

/// A ticket that is kept apart from the explained one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Apart {
    /// The other ticket.
    pub ticket_id: TicketId,
    /// The first rule that keeps them apart; `None` if there is no team with room for both.
    #[serde(flatten)]
    pub unmet: Option<Unmet>,
    /// Whether the two get along by themselves, and only the rest of the nearest match is in the way.
    pub only_together_with_others: bool,
    /// The wait of the expansion step that lets them together, and when it comes; `None` if no step does.
    pub free: Option<Free>,
}

/// When an expansion step lets two tickets together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Free {
    /// The wait of the step.
    pub step_seconds: u64,
    /// When the match would have that age.
    pub at: Timestamp,
}

impl Matchmaker {
    /// Explains why a ticket still waits, as of `now`; `None` if there is no such ticket. Nothing changes.
    ///
    /// The pool is looked at as the next search would: tickets that were submitted after the last
    /// [`Matchmaker::tick`] are not in it yet.
    pub fn explain(&self, now: Timestamp, ticket_id: &str) -> Option<Explanation> {
        let (key, ticket) = self.keyed(ticket_id)?;
        let age_seconds = ticket.end_time().unwrap_or(now).since(ticket.start_time()).as_secs();
        let mut explanation = Explanation {
            ticket_id: ticket.id().clone(),
            status: ticket.status().as_str(),
            age_seconds,
            step_seconds: self.rules().effective(age_seconds).from_seconds(),
            never: None,
            nearest_match: Vec::new(),
            teams: Vec::new(),
            unmet: Vec::new(),
            apart: Vec::new(),
            more_apart: 0,
        };
        if ticket.status() == TicketStatus::Searching {
            self.explain_waiting(now, key, &mut explanation);
        }
        Some(explanation)
    }
}

impl Explanation {
    /// The reason in a word or a rule's name, to count many explanations by.
    pub fn cause(&self) -> String {
        if self.never.is_some() {
            return "never".to_owned();
        }
        if let Some(unmet) = self.unmet.first() {
            return unmet.rule.clone();
        }
        match self.apart.first() {
            Some(Apart { unmet: Some(unmet), .. }) => unmet.rule.clone(),
            Some(_) => "no team with room".to_owned(),
            None => "too few players".to_owned(),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {} after {} s", self.ticket_id, self.status, self.age_seconds)?;
        if self.step_seconds > 0 {
            write!(f, ", under the expansion step at {} s", self.step_seconds)?;
        }
        writeln!(f)?;
        if let Some(never) = &self.never {
            return writeln!(f, "it will never match: {never}");
        }
        if self.teams.is_empty() {
            return Ok(());
        }
        write!(f, "nearest match:")?;
        for ticket in &self.nearest_match {
            write!(f, " {ticket}")?;
        }
        writeln!(f)?;
        for team in &self.teams {
            let TeamFill { team, players, min_players, max_players } = team;
            let missing = min_players.saturating_sub(*players);
            write!(f, "  {team}: {players} of {min_players} to {max_players} players")?;
            writeln!(f, "{}", if missing > 0 { format!(", {missing} missing") } else { String::new() })?;
        }
        for Unmet { rule, numbers } in &self.unmet {
            writeln!(f, "  {rule}: {numbers}")?;
        }
        for apart in &self.apart {
            write!(f, "apart from {}: ", apart.ticket_id)?;
            match &apart.unmet {
                Some(Unmet { rule, numbers }) => write!(f, "{rule}: {numbers}")?,
                None => write!(f, "no team has room for both")?,
            }
            if apart.only_together_with_others {
                write!(f, " (only with the rest of the nearest match)")?;
            }
            match apart.free {
                Some(Free { step_seconds, at }) => {
                    writeln!(f, "; passes after the step at {step_seconds} s, at {at}")?
                }
                None => writeln!(f, "; no expansion step changes that")?,
            }
        }
        if self.more_apart > 0 {
            writeln!(f, "and {} more", self.more_apart)?;
        }
        Ok(())
    }
}
