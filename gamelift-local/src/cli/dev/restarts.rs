//! Whether a server that has ended is started again, and when.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::time::Duration;

/// So many runs in a row may be short before it is given up: enough for a port that is not free yet, few enough to read
/// what it said.
pub(super) const SHORT_RUNS_MAX: u32 = 5;
/// A run that lasted so long was no false start.
const LONG_RUN: Duration = Duration::from_secs(10);
/// Between a long or clean run and the next.
const WAIT_MIN: Duration = Duration::from_millis(200);
/// Between a short run and the next at most: twice as long after each.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// What follows the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Start again, after so long.
    Again(Duration),
    /// It will not get better by itself.
    GiveUp,
}

/// The runs of one copy so far. A fleet starts a process again whenever one has ended, cleanly or not, and so do we.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    short_runs: u32,
}

impl Restarts {
    /// A run has ended.
    pub(super) fn ended(&mut self, ran_for: Duration) -> Next {
        if ran_for >= LONG_RUN {
            self.short_runs = 0;
            return Next::Again(WAIT_MIN);
        }
        self.short_runs += 1;
        if self.short_runs >= SHORT_RUNS_MAX {
            return Next::GiveUp;
        }
        Next::Again((WAIT_MIN * 2_u32.saturating_pow(self.short_runs - 1)).min(WAIT_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_runs_are_repeated_ever_later_and_given_up_in_the_end() {
        let mut restarts = Restarts::default();
        let waits: Vec<_> = (0..SHORT_RUNS_MAX).map(|_| restarts.ended(Duration::from_secs(1))).collect();
        let again = |millis| Next::Again(Duration::from_millis(millis));
        assert_eq!(waits, [again(200), again(400), again(800), again(1600), Next::GiveUp]);
    }

    #[test]
    fn a_long_run_is_a_fresh_start() {
        let mut restarts = Restarts::default();
        for _ in 0..3 * SHORT_RUNS_MAX {
            for _ in 1..SHORT_RUNS_MAX {
                assert_ne!(restarts.ended(Duration::ZERO), Next::GiveUp);
            }
            assert_eq!(restarts.ended(LONG_RUN), Next::Again(WAIT_MIN));
        }
    }
}
