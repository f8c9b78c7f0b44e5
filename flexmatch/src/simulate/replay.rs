//! How a replay compares with what was recorded.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
};

use serde::Serialize;

use super::{
    arrivals::Arrival,
    measured::{Measured, Outcome},
    population::Population,
    quantiles::Quantiles,
    record::{Players, RecordedTicket, Recording},
};
use crate::{rule_set::RuleSet, ticket::PlayerRequest, timestamp::Timestamp};

/// What was replayed, and how it compares with the recording.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// Tickets of the recording, each counted once.
    pub tickets: u64,
    /// Their players.
    pub players: u64,
    /// Players whose attributes and latencies are not known, and were drawn from the population.
    pub players_drawn: u64,
    /// Seed of what was drawn.
    pub seed: u64,
    /// Requests for tickets that are not in the recording.
    pub requests_unused: u64,
    /// Searching events of tickets that came back to the pool.
    pub repeated_events: u64,
    /// Backfill tickets, which were left out.
    pub backfill_tickets: u64,
    /// Events passed over: of other kinds, or of other configurations.
    pub other_events: u64,
    /// Tickets that were matched in the recording.
    pub recorded_matched: u64,
    /// Tickets that timed out in it.
    pub recorded_timed_out: u64,
    /// Tickets that were cancelled in it.
    pub recorded_cancelled: u64,
    /// Waits in it, from the request to the proposal of the match, whatever time its players then took to accept; to
    /// the game session if there is no event of the proposal. EventBridge gives the time of events in whole seconds, so these are up to a second short.
    pub recorded_wait: Quantiles,
    /// Matches in it, all of whose tickets were replayed.
    pub recorded_matches: u64,
    /// Those that the replay made of the same tickets.
    pub reproduced_matches: u64,
    /// Their share; `None` if the recording has no match.
    pub reproduced_share: Option<f64>,
    /// Share of the tickets that ended alike: matched, timed out or cancelled; `None` if the recording tells no end.
    pub same_outcome_share: Option<f64>,
    /// Wait in the replay less wait in the recording, of tickets matched in both; in both up to the proposal of the
    /// match, unlike [`Report::wait`](super::Report::wait), which ends when all have accepted.
    pub wait_difference: Quantiles,
}

/// A recording made ready for a rule set.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) arrivals: VecDeque<Arrival>,
    /// When players stopped matchmaking, in order.
    pub(super) cancellations: VecDeque<(Timestamp, String)>,
    pub(super) homes: Vec<String>,
    pub(super) replay: Replay,
}

impl Prepared {
    pub(super) fn new(
        rules: &RuleSet,
        population: &Population,
        recording: &Recording,
        players: &Players,
    ) -> Self {
        let mut replay = Replay {
            tickets: recording.tickets.len() as u64,
            seed: population.seed,
            requests_unused: players.strangers(recording),
            repeated_events: recording.repeated,
            backfill_tickets: recording.backfills.len() as u64,
            other_events: recording.others,
            ..Replay::default()
        };
        // The simulation's clock begins with the first ticket.
        let first = recording.tickets.first().map_or(0, |ticket| ticket.at.as_millis());
        let shifted = |at: Timestamp| Timestamp::from_millis(at.as_millis().saturating_sub(first));
        let mut homes = BTreeSet::new();
        let mut drafts = Vec::new();
        for ticket in &recording.tickets {
            let (requests, home) = ready(ticket, rules, population, players, &mut replay);
            homes.extend(home.clone());
            drafts.push((shifted(ticket.at), ticket.id.clone(), requests, home));
        }
        let homes: Vec<String> = homes.into_iter().collect();
        let arrival = |(at, id, players, home): (_, _, _, Option<String>)| {
            let home = home.and_then(|home| homes.binary_search(&home).ok());
            Arrival { at, id, players, home }
        };
        // EventBridge gives the time in whole seconds, which may be before the ticket's start.
        let cancelled = |ticket: &RecordedTicket| {
            let at = recording.cancelled.get(&ticket.id)?;
            Some((shifted((*at).max(ticket.at)), ticket.id.clone()))
        };
        let mut cancellations: Vec<_> = recording.tickets.iter().filter_map(cancelled).collect();
        cancellations.sort();
        Self {
            arrivals: drafts.into_iter().map(arrival).collect(),
            cancellations: cancellations.into(),
            homes,
            replay,
        }
    }
}

/// The players of a recorded ticket, and the location that is nearest to the first.
fn ready(
    ticket: &RecordedTicket,
    rules: &RuleSet,
    population: &Population,
    players: &Players,
    replay: &mut Replay,
) -> (Vec<PlayerRequest>, Option<String>) {
    let home = population.home_of(&ticket.id);
    let mut requests = Vec::with_capacity(ticket.players.len());
    for id in &ticket.players {
        replay.players += 1;
        let request = players.find(&ticket.id, id).cloned().unwrap_or_else(|| {
            replay.players_drawn += 1;
            let mut player = PlayerRequest { player_id: id.clone(), ..PlayerRequest::default() };
            population.fill(&mut player, home, &format!("{}/{id}", ticket.id), rules);
            player
        });
        requests.push(request);
    }
    let nearest = requests
        .first()
        .and_then(|player| player.latency_in_ms.iter().min_by_key(|(_, latency)| **latency))
        .map(|(location, _)| location.clone());
    (requests, nearest)
}

impl Replay {
    /// Fills in the comparison. `numbers` are the replayed tickets in `measured`, `made` the matches by their tickets
    /// in alphabetical order.
    pub(super) fn compare(
        &mut self,
        recording: &Recording,
        measured: &Measured,
        numbers: &BTreeMap<String, usize>,
        made: &BTreeSet<Vec<String>>,
    ) {
        let starts: BTreeMap<&str, Timestamp> =
            recording.tickets.iter().map(|ticket| (ticket.id.as_str(), ticket.at)).collect();
        let mut waits = BTreeMap::new();
        for found in recording.matches.values() {
            for id in &found.tickets {
                if let Some(start) = starts.get(id.as_str()) {
                    waits.insert(id.as_str(), found.at.since(*start).as_secs_f64());
                }
            }
            if found.tickets.iter().all(|id| starts.contains_key(id.as_str())) {
                self.recorded_matches += 1;
                self.reproduced_matches += u64::from(made.contains(&found.tickets));
            }
        }
        let (mut known, mut alike, mut differences) = (0_u64, 0_u64, Vec::new());
        for ticket in &recording.tickets {
            let id = ticket.id.as_str();
            let recorded = if waits.contains_key(id) {
                self.recorded_matched += 1;
                Outcome::Matched
            } else if recording.timed_out.contains(id) {
                self.recorded_timed_out += 1;
                Outcome::TimedOut
            } else if recording.cancelled.contains_key(id) {
                self.recorded_cancelled += 1;
                Outcome::Cancelled
            } else {
                continue;
            };
            known += 1;
            let Some(replayed) = numbers.get(id).and_then(|number| measured.ticket(*number)) else {
                continue;
            };
            alike += u64::from(replayed.outcome == recorded);
            if let (Outcome::Matched, Some(proposed), Some(wait)) =
                (replayed.outcome, replayed.proposed, waits.get(id))
            {
                differences.push(proposed.since(replayed.start).as_secs_f64() - wait);
            }
        }
        self.recorded_wait = Quantiles::of(waits.into_values().collect());
        self.wait_difference = Quantiles::of(differences);
        let share = |part: u64, all: u64| (all > 0).then(|| part as f64 / all as f64);
        self.reproduced_share = share(self.reproduced_matches, self.recorded_matches);
        self.same_outcome_share = share(alike, known);
    }

    /// What was replayed and how it compares, in sentences.
    pub fn lines(&self) -> Vec<String> {
        let mut lines =
            vec![format!("replay of {} recorded tickets, {} players", self.tickets, self.players)];
        if self.players_drawn > 0 {
            lines.push(format!(
                "attributes and latencies of {} of {} players were drawn from the population, seed {}",
                self.players_drawn, self.players, self.seed
            ));
        }
        for (count, what) in [
            (self.requests_unused, "requests are for tickets that are not in the recording"),
            (self.repeated_events, "searching events of tickets that came back to the pool count no more"),
            (self.backfill_tickets, "backfill tickets were left out"),
            (self.other_events, "events of other kinds or configurations were passed over"),
        ] {
            if count > 0 {
                lines.push(format!("{count} {what}"));
            }
        }
        let ends = self.recorded_matched + self.recorded_timed_out + self.recorded_cancelled;
        if ends == 0 {
            lines.push(
                "the recording does not tell how its tickets ended: nothing to compare with".to_owned(),
            );
            return lines;
        }
        lines.push(format!(
            "recorded: {} tickets matched, {} timed out, {} cancelled",
            self.recorded_matched, self.recorded_timed_out, self.recorded_cancelled
        ));
        if self.recorded_wait.count > 0 {
            let Quantiles { p50, p90, p99, .. } = self.recorded_wait;
            lines.push(format!("recorded wait for the match: p50 {p50:.1}s, p90 {p90:.1}s, p99 {p99:.1}s"));
        }
        if let Some(share) = self.reproduced_share {
            lines.push(format!(
                "reproduced: {} of {} recorded matches have the same tickets ({:.1}%)",
                self.reproduced_matches,
                self.recorded_matches,
                share * 100.0
            ));
        }
        if let Some(share) = self.same_outcome_share {
            lines.push(format!("same outcome: {:.1}% of the tickets whose end is recorded", share * 100.0));
        }
        if self.wait_difference.count > 0 {
            let Quantiles { p10, p50, p90, .. } = self.wait_difference;
            lines
                .push(format!("replayed less recorded wait: p10 {p10:+.1}s, p50 {p50:+.1}s, p90 {p90:+.1}s"));
        }
        lines
    }
}

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
