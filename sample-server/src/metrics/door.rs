//! What happens at the door, before anybody belongs to a process.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Counts, Departure, names};
use crate::gate::JoinRefusal;

/// How an attempt to connect went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knock {
    /// Shook hands.
    Connected,
    /// Was asked to prove its address.
    Retry,
    /// Turned away: too many joins from its address.
    TooManyOfAddress,
    /// Turned away: too many handshakes, or too many strangers.
    Busy,
    /// The handshake failed.
    Failed,
    /// The handshake took too long.
    TimedOut,
}

impl Knock {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Connected, Self::Retry, Self::TooManyOfAddress, Self::Busy, Self::Failed, Self::TimedOut];

    /// The metric label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Retry => "retry",
            Self::TooManyOfAddress => "too_many_of_address",
            Self::Busy => "busy",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
        }
    }
}

/// Counts at the door. Many connections count at the same time, so these are atomic.
#[derive(Debug, Default)]
pub struct Door {
    knocks: [AtomicU64; Knock::ALL.len()],
    refusals: [AtomicU64; JoinRefusal::ALL.len()],
    lost: AtomicU64,
}

impl Door {
    pub(crate) fn knocked(&self, knock: Knock) {
        self.knocks[knock as usize].fetch_add(1, Ordering::Relaxed);
        ::metrics::counter!(names::HANDSHAKES, "outcome" => knock.label()).increment(1);
    }

    pub(crate) fn refused(&self, refusal: JoinRefusal) {
        self.refusals[refusal as usize].fetch_add(1, Ordering::Relaxed);
        tracing::debug!(cause = refusal.label(), "refused at the door");
        ::metrics::counter!(names::REFUSALS, "cause" => refusal.label()).increment(1);
    }

    pub(crate) fn lost(&self, departure: Departure) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        ::metrics::counter!(names::LOST_BEFORE_JOIN, "cause" => departure.label()).increment(1);
    }

    /// What was counted so far, without what did not happen.
    #[must_use]
    pub fn counts(&self) -> DoorCounts {
        let count = |it: &AtomicU64| it.load(Ordering::Relaxed);
        let some = |label, it: &AtomicU64| (count(it) > 0).then(|| (label, count(it)));
        DoorCounts {
            handshakes: Knock::ALL
                .iter()
                .filter_map(|it| some(it.label(), &self.knocks[*it as usize]))
                .collect(),
            refusals: JoinRefusal::ALL
                .iter()
                .filter_map(|it| some(it.label(), &self.refusals[*it as usize]))
                .collect(),
            lost: count(&self.lost),
        }
    }
}

/// What happened at the door.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DoorCounts {
    /// Attempts to connect, by [`Knock::label`].
    pub handshakes: Counts,
    /// Peers turned away before they belonged to a process, by [`JoinRefusal::label`].
    pub refusals: Counts,
    /// Connections that ended before they said Hello.
    pub lost: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_counts_for_itself() {
        let door = Door::default();
        for knock in Knock::ALL {
            door.knocked(knock);
        }
        for refusal in JoinRefusal::ALL {
            door.refused(refusal);
        }
        let counts = door.counts();
        assert_eq!(counts.handshakes.len(), Knock::ALL.len());
        assert_eq!(counts.refusals.len(), JoinRefusal::ALL.len());
        assert!(counts.handshakes.values().chain(counts.refusals.values()).all(|count| *count == 1));
    }
}
