//! Requests in virtual time: what becomes of them, and why some still wait.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Explanation;
use crate::{
    compat::{Compat, Dependence, Differences, sensitivity},
    finding::Finding,
    matchmaker::{Match, Matchmaker, Output, Settings, SettingsError, SubmitError},
    rule_set::RuleSet,
    ticket::{TicketId, TicketRequest, TicketStatus},
    timestamp::Timestamp,
};

/// A StartMatchmaking request, and when it comes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Arrival {
    /// Seconds after the beginning.
    #[serde(default)]
    pub arrival_seconds: u64,
    /// The request.
    #[serde(flatten)]
    pub request: TicketRequest,
}

/// What to replay.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    /// The requests. They need not be in order.
    pub arrivals: Vec<Arrival>,
    /// The ticket to explain; `None` for all that still wait.
    pub ticket: Option<String>,
    /// The second to explain; `None` for the last arrival.
    pub at_seconds: Option<u64>,
}

/// What a replay came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replayed {
    /// The matches, in the order they were found.
    pub matches: Vec<ReplayedMatch>,
    /// Why tickets still wait.
    pub explanations: Vec<Explanation>,
}

/// A match of a replay.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayedMatch {
    /// Seconds after the beginning.
    pub at_seconds: u64,
    /// Its tickets, sorted.
    pub tickets: Vec<TicketId>,
}

impl fmt::Display for ReplayedMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s: a match of ", self.at_seconds)?;
        for (at, ticket) in self.tickets.iter().enumerate() {
            write!(f, "{}{ticket}", if at > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

/// Why a replay is not possible.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The rule set is wrong.
    #[error("the rule set has {} errors", .0.iter().filter(|finding| finding.severity == crate::Severity::Error).count())]
    RuleSet(Vec<Finding>),
    /// A request is wrong.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The ticket to explain did not come.
    #[error("has no ticket {0:?} up to that moment")]
    NoTicket(String),
    /// A setting is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

impl Replay {
    /// Runs the requests through a matchmaker for the rule set in `text`, with default settings but for `compat`.
    ///
    /// # Errors
    /// If the rule set or a request is wrong, or the ticket to explain is not there.
    pub fn run(&self, text: &str, compat: &Compat) -> Result<Replayed, ReplayError> {
        let rules = RuleSet::parse_with(text, compat).map_err(ReplayError::RuleSet)?.rule_set;
        let mut matchmaker =
            Matchmaker::new(Arc::new(rules), Settings { compat: *compat, ..Settings::default() })?;
        let mut arrivals: Vec<&Arrival> = self.arrivals.iter().collect();
        arrivals.sort_by_key(|arrival| arrival.arrival_seconds);
        let last = arrivals.last().map_or(0, |arrival| arrival.arrival_seconds);
        let end = Timestamp::default().plus_seconds(self.at_seconds.unwrap_or(last));
        let mut matches = Vec::new();
        for arrival in arrivals {
            let at = Timestamp::default().plus_seconds(arrival.arrival_seconds);
            if at > end {
                break;
            }
            advance(&mut matchmaker, at, false, &mut matches);
            matchmaker.submit(at, arrival.request.clone())?;
        }
        advance(&mut matchmaker, end, true, &mut matches);
        let waiting = matchmaker.tickets().filter(|ticket| ticket.status() == TicketStatus::Searching);
        let ids: Vec<String> = match &self.ticket {
            Some(id) => vec![id.clone()],
            None => waiting.map(|ticket| ticket.id().to_string()).collect(),
        };
        let explain =
            |id: &String| matchmaker.explain(end, id).ok_or_else(|| ReplayError::NoTicket(id.clone()));
        let explanations = ids.iter().map(explain).collect::<Result<_, _>>()?;
        Ok(Replayed { matches, explanations })
    }

    /// On which readings the outcome depends: other matches, or another reason to wait. Who is on which team is not
    /// compared.
    pub fn sensitivity(&self, text: &str, compat: &Compat) -> Vec<Dependence> {
        sensitivity(compat, |compat| self.run(text, compat), differences)
    }
}

/// Wakes the matchmaker whenever it asks, up to `end`; the moment itself only if it is `inclusive`, so that tickets of
/// one moment are searched together.
fn advance(matchmaker: &mut Matchmaker, end: Timestamp, inclusive: bool, matches: &mut Vec<ReplayedMatch>) {
    while let Some(at) = matchmaker.poll_timeout().filter(|at| *at < end || inclusive && *at == end) {
        matchmaker.tick(at);
        while let Some(output) = matchmaker.poll_output() {
            if let Output::Place(found) = output {
                matches.push(replayed(at, &found));
            }
        }
    }
}

fn replayed(at: Timestamp, found: &Match) -> ReplayedMatch {
    let mut tickets: Vec<TicketId> = found.players.iter().map(|player| player.ticket_id.clone()).collect();
    tickets.sort_unstable();
    tickets.dedup();
    ReplayedMatch { at_seconds: at.as_millis() / 1_000, tickets }
}

fn differences(before: &Result<Replayed, ReplayError>, after: &Result<Replayed, ReplayError>) -> Differences {
    let mut differences = Differences::default();
    match (before, after) {
        (Ok(before), Ok(after)) => {
            for lost in before.matches.iter().filter(|found| !after.matches.contains(found)) {
                differences.add(format!("lost: {lost}"));
            }
            for new in after.matches.iter().filter(|found| !before.matches.contains(found)) {
                differences.add(format!("new: {new}"));
            }
            let causes = |replayed: &Replayed| -> BTreeMap<TicketId, String> {
                let cause =
                    |why: &Explanation| (why.ticket_id.clone(), format!("{} ({})", why.status, why.cause()));
                replayed.explanations.iter().map(cause).collect()
            };
            let (before, after) = (causes(before), causes(after));
            for (id, cause) in &before {
                let now = after.get(id).map_or("waits no more", String::as_str);
                differences.compare(&format!("ticket {id}"), cause.as_str(), now);
            }
            for (id, cause) in after.iter().filter(|(id, _)| !before.contains_key(*id)) {
                differences.add(format!("ticket {id}: still {cause}"));
            }
        }
        (before, after) => {
            let said = |outcome: &Result<Replayed, ReplayError>| match outcome {
                Ok(_) => "a result".to_owned(),
                Err(error) => error.to_string(),
            };
            differences.compare("outcome", said(before), said(after));
        }
    }
    differences
}
