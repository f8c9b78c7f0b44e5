//! Why a ticket timed out, in a word.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::report::{CauseShare, Timeouts};
use crate::{
    explain::Explanation, matchmaker::Matchmaker, player::Player, rule_set::RuleSet, timestamp::Timestamp,
};

/// Most timeouts whose causes are kept. Each costs a search of the pool and a comparison with up to a thousand
/// tickets. Of more timeouts every second is looked into, then every fourth and so on: a sample over the whole run,
/// whose shares are within a few percent.
pub const EXPLAINED_MAX: usize = 400;

/// What kept a ticket from a match.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase", tag = "cause", content = "rule")]
pub enum TimeoutCause {
    /// The rule that fails in the nearest match, or that keeps most tickets apart from it.
    Rule(String),
    /// All that waited together would not have filled a match.
    TooFewPlayers,
    /// Others waited, but no team had room for them and the ticket.
    NoRoom,
    /// A player has no value for an attribute without default.
    MissingAttribute,
    /// The party is larger than every team ever is.
    PartyTooLarge,
    /// The players report no location that a latency rule ever allows to all of them.
    NoCommonLocation,
    /// There was a match, but not all of its players accepted it, and meanwhile the time was over.
    Acceptance,
    /// There was a match, but its game session came too late.
    Placement,
}

impl fmt::Display for TimeoutCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(name) => write!(f, "rule {name}"),
            Self::TooFewPlayers => f.write_str("too few players"),
            Self::NoRoom => f.write_str("no team with room"),
            Self::MissingAttribute => f.write_str("missing attribute"),
            Self::PartyTooLarge => f.write_str("party too large"),
            Self::NoCommonLocation => f.write_str("no common location"),
            Self::Acceptance => f.write_str("acceptance"),
            Self::Placement => f.write_str("placement"),
        }
    }
}

impl TimeoutCause {
    /// Asks the matchmaker; `None` if it does not know the ticket.
    pub(super) fn of(
        matchmaker: &Matchmaker,
        rules: &RuleSet,
        now: Timestamp,
        ticket_id: &str,
    ) -> Option<Self> {
        let explanation = matchmaker.explain(now, ticket_id)?;
        if explanation.never.is_some() {
            let party = matchmaker.ticket(ticket_id)?.party();
            let teams = rules.stages().iter().flat_map(|stage| stage.teams());
            let largest = teams.map(|team| team.max_players as usize).max().unwrap_or(0);
            return Some(if party.len() > largest {
                Self::PartyTooLarge
            } else if party.iter().any(Player::lacks_an_attribute) {
                Self::MissingAttribute
            } else {
                Self::NoCommonLocation
            });
        }
        let missing: u32 =
            explanation.teams.iter().map(|team| team.min_players.saturating_sub(team.players)).sum();
        if missing == 0 {
            // Enough players, so a rule on the whole match is in the way.
            let unmet = explanation.unmet.into_iter().next();
            return Some(unmet.map_or(Self::TooFewPlayers, |unmet| Self::Rule(unmet.rule)));
        }
        Some(Self::most_apart(matchmaker, &explanation, missing))
    }

    /// What keeps most of the others apart, if they were enough.
    fn most_apart(matchmaker: &Matchmaker, explanation: &Explanation, missing: u32) -> Self {
        let players = |id: &str| matchmaker.ticket(id).map_or(0, |ticket| ticket.party().len());
        let named: usize = explanation.apart.iter().map(|apart| players(apart.ticket_id.as_str())).sum();
        if named + explanation.more_apart < missing as usize {
            return Self::TooFewPlayers;
        }
        let mut counts = BTreeMap::<Self, usize>::new();
        for apart in &explanation.apart {
            let cause = apart.unmet.as_ref().map_or(Self::NoRoom, |unmet| Self::Rule(unmet.rule.clone()));
            *counts.entry(cause).or_default() += 1;
        }
        let most = counts.into_iter().max_by(|(a, more), (b, less)| more.cmp(less).then(b.cmp(a)));
        most.map_or(Self::TooFewPlayers, |(cause, _)| cause)
    }
}

/// The causes of some of the timeouts, evenly over the run.
#[derive(Debug)]
pub(super) struct Sample {
    /// One in so many timeouts is looked into.
    stride: u64,
    candidates: u64,
    kept: Vec<TimeoutCause>,
    /// Causes that need no look, and of which all are counted.
    certain: BTreeMap<TimeoutCause, u64>,
}

impl Default for Sample {
    fn default() -> Self {
        Self { stride: 1, candidates: 0, kept: Vec::new(), certain: BTreeMap::new() }
    }
}

impl Sample {
    /// Whether the next candidate is to be looked into.
    pub(super) const fn wants(&mut self) -> bool {
        self.candidates += 1;
        (self.candidates - 1).is_multiple_of(self.stride)
    }

    pub(super) fn add(&mut self, cause: TimeoutCause) {
        self.kept.push(cause);
        if self.kept.len() > EXPLAINED_MAX {
            self.stride *= 2;
            let mut index = 0_usize;
            self.kept.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
    }

    /// A timeout whose cause is known without a look.
    pub(super) fn certain(&mut self, cause: TimeoutCause) {
        *self.certain.entry(cause).or_default() += 1;
    }

    /// The causes of `total` timeouts, those of the sample scaled up. `rules` are those that can be a cause.
    pub(super) fn report(self, total: u64, rules: Vec<String>) -> Timeouts {
        let certain: u64 = self.certain.values().sum();
        let searching = total.saturating_sub(certain);
        let explained = self.kept.len() as u64;
        let mut counts = BTreeMap::<TimeoutCause, u64>::new();
        for cause in self.kept {
            *counts.entry(cause).or_default() += 1;
        }
        let scale = searching as f64 / explained.max(1) as f64;
        let mut causes: Vec<CauseShare> = counts
            .into_iter()
            .map(|(cause, count)| (cause, count as f64 * scale))
            .chain(self.certain.into_iter().map(|(cause, count)| (cause, count as f64)))
            .map(|(cause, tickets)| CauseShare { cause, tickets, share: tickets / total.max(1) as f64 })
            .collect();
        causes.sort_by(|a, b| b.tickets.total_cmp(&a.tickets).then_with(|| a.cause.cmp(&b.cause)));
        Timeouts { tickets: total, explained: explained + certain, causes, rules }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_stays_small_and_keeps_the_shares() {
        let mut sample = Sample::default();
        let total = 10_000;
        for timeout in 0..total {
            if sample.wants() {
                let cause = if timeout % 5 == 0 { TimeoutCause::TooFewPlayers } else { TimeoutCause::NoRoom };
                sample.add(cause);
            }
        }
        assert!(sample.kept.len() <= EXPLAINED_MAX && sample.kept.len() >= EXPLAINED_MAX / 2);
        let report = sample.report(total, Vec::new());
        assert_eq!(report.causes[0].cause, TimeoutCause::NoRoom);
        assert!((report.causes[0].share - 0.8).abs() < 0.05, "{report:?}");
        let sum: f64 = report.causes.iter().map(|cause| cause.tickets).sum();
        assert!((sum - total as f64).abs() < 1e-6, "{report:?}");
    }

    #[test]
    fn few_timeouts_are_counted_one_by_one() {
        let mut sample = Sample::default();
        for cause in [TimeoutCause::NoRoom, TimeoutCause::Rule("A".into()), TimeoutCause::NoRoom] {
            assert!(sample.wants());
            sample.add(cause);
        }
        sample.certain(TimeoutCause::Placement);
        let report = sample.report(4, Vec::new());
        let tickets = |cause: &TimeoutCause| {
            report.causes.iter().find(|share| share.cause == *cause).map(|share| share.tickets)
        };
        assert_eq!(tickets(&TimeoutCause::NoRoom), Some(2.0));
        assert_eq!(tickets(&TimeoutCause::Rule("A".into())), Some(1.0));
        assert_eq!(tickets(&TimeoutCause::Placement), Some(1.0));
        assert_eq!(report.explained, 4);
    }
}
