//! Matchmaking: crate `flexmatch` decides who plays whom; here are the API around it, and the way of its matches to
//! game sessions.
//!
//! ```text
//!  StartMatchmaking                       +-- no queue (STANDALONE) -----------> COMPLETED
//!  StartMatchBackfill --> a Matchmaker ---+-- a new game session, by a queue --> COMPLETED, FAILED, SEARCHING
//!                         of flexmatch    +-- the game session it fills -------> COMPLETED, FAILED
//! ```
//!
//! A configuration has one matchmaker. An update that changes how matches are made starts another one for the tickets
//! that follow; the tickets of the old one stay there until they end.

mod backfill;
mod configuration;
mod overview;
mod placement;
mod rule_set;
mod ticket;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use flexmatch::{Matchmaker, MatchmakingEvent, Output, Ticket, event::EventTicket};

pub(super) use self::backfill::{backfill_player, game_session_on_the_wire};
pub use self::overview::{TicketOverview, TicketsOverview};
use self::{configuration::Configuration, rule_set::RuleSetEntry};
use super::{Engine, Timer, timers::TimerKey};
use crate::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MatchmakerKey(u64);

#[derive(Debug, Default)]
pub(super) struct Matchmaking {
    rule_sets: BTreeMap<String, RuleSetEntry>,
    configurations: BTreeMap<String, Configuration>,
    matchmakers: BTreeMap<MatchmakerKey, Running>,
    /// Matches in queues, by the id of the match, which is also the placement's.
    placing: BTreeMap<String, Placing>,
    started: u64,
}

/// A matchmaker at work.
#[derive(Debug)]
struct Running {
    configuration: String,
    matchmaker: Matchmaker,
    timer: Option<TimerKey>,
    /// Whether [`Engine::settle`] is at work: what it does may end in another call of it, one for each match.
    settling: bool,
    /// When it was last called.
    seen: Timestamp,
    /// Backfill tickets that have not ended, with their game sessions. The server process hears how each ends.
    backfills: BTreeMap<String, String>,
}

/// A match in a queue.
#[derive(Debug)]
struct Placing {
    matchmaker: MatchmakerKey,
    /// Tickets that have not timed out meanwhile.
    tickets: BTreeSet<String>,
}

impl Matchmaking {
    /// Whether a placement was made for a match.
    pub(super) fn is_placing(&self, placement_id: &str) -> bool {
        self.placing.contains_key(placement_id)
    }

    pub(super) fn has_configuration(&self, name: &str) -> bool {
        self.configurations.contains_key(name)
    }

    pub(super) fn has_rule_set(&self, name: &str) -> bool {
        self.rule_sets.contains_key(name)
    }

    /// A ticket of any configuration.
    fn ticket(&self, id: &str) -> Option<(MatchmakerKey, &Ticket)> {
        self.matchmakers.iter().find_map(|(key, running)| Some((*key, running.matchmaker.ticket(id)?)))
    }

    fn start(&mut self, configuration: String, matchmaker: Matchmaker) -> MatchmakerKey {
        self.started += 1;
        let key = MatchmakerKey(self.started);
        let seen = Timestamp::default();
        let backfills = BTreeMap::new();
        let running = Running { configuration, matchmaker, timer: None, settling: false, seen, backfills };
        self.matchmakers.insert(key, running);
        key
    }

    fn matchmaker(&mut self, key: MatchmakerKey) -> Option<&mut Matchmaker> {
        self.matchmakers.get_mut(&key).map(|running| &mut running.matchmaker)
    }
}

impl Running {
    /// How long the tickets in SEARCHING have waited until `now`, on average.
    fn estimated_wait_s(&self, now: Timestamp) -> Option<u64> {
        let until_seen = Duration::from_millis(self.matchmaker.estimated_wait_millis()?);
        Some((until_seen + now.since(self.seen)).as_secs())
    }

    fn is_busy(&self) -> bool {
        self.matchmaker.tickets().any(|ticket| !ticket.status().is_final())
    }
}

/// The same moment, as `flexmatch` counts it.
const fn flexmatch_time(now: Timestamp) -> flexmatch::Timestamp {
    flexmatch::Timestamp::from_millis(now.as_millis())
}

impl Engine {
    /// It is time for a matchmaker to look at its tickets.
    pub(super) fn make_matches(&mut self, now: Timestamp, key: MatchmakerKey) {
        if let Some(matchmaker) = self.matchmaking.matchmaker(key) {
            matchmaker.tick(flexmatch_time(now));
        }
        self.settle(now, key);
    }

    /// Does what a matchmaker wants done, and sets its timer. Follows every call of a matchmaker that may change it. Called
    /// on the way, it leaves the work to the call that has begun: a match whose placement ends at once is reported to the
    /// matchmaker, and there may be as many of them as tickets.
    fn settle(&mut self, now: Timestamp, key: MatchmakerKey) {
        match self.matchmaking.matchmakers.get_mut(&key) {
            Some(running) if !running.settling => running.settling = true,
            _ => return,
        }
        while let Some(output) = self.matchmaking.matchmaker(key).and_then(Matchmaker::poll_output) {
            match output {
                Output::Event(event) => self.matchmaking_event(now, key, event),
                Output::Place(found) => self.place_match(now, key, found),
            }
        }
        self.tell_ended_backfills(key);
        let Some(running) = self.matchmaking.matchmakers.get_mut(&key) else { return };
        running.settling = false;
        running.seen = now;
        self.timers.cancel(running.timer.take());
        let at = running.matchmaker.poll_timeout().map(|at| Timestamp::from_millis(at.as_millis()).max(now));
        running.timer = at.map(|at| self.timers.set(at, Timer::Matchmaking(key)));
    }

    fn matchmaking_event(&mut self, now: Timestamp, key: MatchmakerKey, event: MatchmakingEvent) {
        // A match that everybody has left before its placement ended.
        if event.tickets().is_empty() {
            return;
        }
        let left: Option<(String, Vec<EventTicket>)> = match &event {
            MatchmakingEvent::TimedOut(ended) => {
                ended.match_id.as_ref().map(|id| (id.to_string(), ended.tickets.clone()))
            }
            _ => None,
        };
        let Some(running) = self.matchmaking.matchmakers.get(&key) else { return };
        let Some(configuration) = self.matchmaking.configurations.get(&running.configuration) else { return };
        let arn = configuration.model.configuration_arn.clone();
        let topic = configuration.model.notification_target.clone();
        self.publish(now, "GameLift Matchmaking Event", arn, topic, event);
        if let Some((id, gone)) = left {
            self.leave_match(now, &id, &gone);
        }
    }

    /// Forgets a matchmaker and its tickets.
    fn forget_matchmaker(&mut self, key: MatchmakerKey) {
        if let Some(running) = self.matchmaking.matchmakers.remove(&key) {
            self.timers.cancel(running.timer);
        }
    }
}
