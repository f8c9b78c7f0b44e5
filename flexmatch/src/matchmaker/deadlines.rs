//! Timeouts of things that mostly end before.

use std::collections::VecDeque;

use crate::timestamp::Timestamp;

/// Entries of things that have ended that may stay, beyond as many as there are live ones: below this, sorting them out
/// costs more than it saves.
const ENDED_SLACK: usize = 1_024;

/// Timeouts, in order. An entry outlives what it is about, but not by much: see [`Deadlines::trim`].
#[derive(Debug)]
pub(super) struct Deadlines<T> {
    entries: VecDeque<(Timestamp, T)>,
}

impl<T> Default for Deadlines<T> {
    fn default() -> Self {
        Self { entries: VecDeque::new() }
    }
}

impl<T> Deadlines<T> {
    /// Adds a timeout that is not before any other.
    pub(super) fn push(&mut self, at: Timestamp, of: T) {
        self.entries.push_back((at, of));
    }

    /// Adds a timeout that is over.
    pub(super) fn push_over(&mut self, at: Timestamp, of: T) {
        self.entries.push_front((at, of));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Timestamp, T)> {
        self.entries.iter()
    }

    /// Takes the next timeout if it is over at `now`.
    pub(super) fn pop_over(&mut self, now: Timestamp) -> Option<(Timestamp, T)> {
        self.is_over(now).then(|| self.entries.pop_front()).flatten()
    }

    /// Whether a timeout is over at `now`.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.entries.front().is_some_and(|(at, _)| *at <= now)
    }

    /// Follows the end of a thing with a timeout, so that the first entry is about a live one, and there are never many
    /// more entries than `live` things. Takes constant time on average.
    pub(super) fn trim(&mut self, live: usize, is_live: impl Fn(Timestamp, &T) -> bool) {
        while self.entries.front().is_some_and(|(at, of)| !is_live(*at, of)) {
            self.entries.pop_front();
        }
        if self.entries.len() > 2 * live + ENDED_SLACK {
            self.entries.retain(|(at, of)| is_live(*at, of));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Matchmaker, PlayerRequest, RuleSet, Settings, TicketRequest};

    const RULES: &str = r#"{
        "ruleLanguageVersion": "1.0",
        "teams": [{ "name": "all", "minPlayers": 2, "maxPlayers": 2 }]
    }"#;

    #[test]
    fn a_matchmaker_forgets_the_timeouts_of_tickets_and_matches_that_have_ended() {
        let rules = Arc::new(RuleSet::parse(RULES).unwrap().rule_set);
        let settings = Settings {
            request_timeout_seconds: 43_200,
            acceptance_required: true,
            acceptance_timeout_seconds: 600,
            pass_interval_ms: 0,
            ..Settings::default()
        };
        let mut matchmaker = Matchmaker::new(rules, settings).unwrap();
        let mut now = 0;
        let mut come = |matchmaker: &mut Matchmaker, name: &str| {
            now += 1;
            let player = PlayerRequest { player_id: name.to_owned(), ..PlayerRequest::default() };
            let request = TicketRequest { ticket_id: Some(name.to_owned()), players: vec![player] };
            matchmaker.submit(Timestamp::from_millis(now), request).unwrap();
            matchmaker.tick(Timestamp::from_millis(now));
        };
        come(&mut matchmaker, "patient-1");
        come(&mut matchmaker, "patient-2");
        for number in 0..20_000 {
            let pair = [format!("a{number}"), format!("b{number}")];
            pair.iter().for_each(|name| come(&mut matchmaker, name));
            // The match falls through, and its other ticket waits until it is cancelled as well.
            pair.iter().for_each(|name| matchmaker.cancel(Timestamp::default(), name).unwrap());
        }
        assert!(matchmaker.deadlines.entries.len() <= 2 * 2 + ENDED_SLACK);
        assert!(matchmaker.acceptances.entries.len() <= 2 + ENDED_SLACK);
        matchmaker.tick(Timestamp::from_millis(50_000));
        assert_eq!(matchmaker.poll_timeout(), Some(Timestamp::from_millis(600_002)), "the patient are asked");
    }

    #[test]
    fn entries_of_what_has_ended_go_however_late_their_time_is() {
        let mut deadlines = Deadlines::default();
        let at = Timestamp::from_millis;
        // The first one lives, so that the others are behind a live one.
        for id in 0..100_000_u64 {
            deadlines.push(at(id), id);
            deadlines.trim(1, |_, id| *id == 0);
            assert!(deadlines.entries.len() <= 2 + ENDED_SLACK);
        }
        deadlines.trim(0, |_, _| false);
        assert!(deadlines.entries.is_empty());
    }

    #[test]
    fn live_entries_stay_in_order() {
        let mut deadlines = Deadlines::default();
        for id in 0..10_000_u64 {
            deadlines.push(Timestamp::from_millis(id), id);
        }
        deadlines.trim(5, |_, id| id % 2_000 == 1_999);
        let left: Vec<_> = deadlines.iter().map(|(_, id)| *id).collect();
        assert_eq!(left, [1_999, 3_999, 5_999, 7_999, 9_999]);
        assert_eq!(deadlines.pop_over(Timestamp::from_millis(1_998)), None);
        assert_eq!(deadlines.pop_over(Timestamp::from_millis(1_999)).map(|(_, id)| id), Some(1_999));
    }
}
