//! When to dial again.

use std::time::{Duration, Instant};

/// First ceiling: a service that restarts is back within a second.
const CEILING_MIN: Duration = Duration::from_millis(500);

/// Doublings of the ceiling: 0.5 s, 1 s, ... 32 s, where the official SDKs stop growing, too.
const DOUBLINGS_MAX: u32 = 6;

/// Counts failures and spreads the attempts of many processes apart.
///
/// There is no last attempt: a healthy process that gives up reconnecting is lost for good (C++ SDK 5.4.0 gives up after
/// 156 s, Go SDK 5.6.0 after 184 s).
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Counts a failure and says when to try again: between half the ceiling and all of it.
    pub(crate) fn failed(&mut self, now: Instant, rng: &mut fastrand::Rng) -> Instant {
        let ceiling = CEILING_MIN * (1 << self.failures.min(DOUBLINGS_MAX));
        self.failures = self.failures.saturating_add(1);
        now + ceiling / 2 + (ceiling / 2).mul_f64(rng.f64())
    }

    /// Whether nothing has failed yet.
    pub(crate) fn is_first(&self) -> bool {
        self.failures == 0
    }

    /// To be called when the peer has *spoken*, not when it merely accepted: one that accepts and dies would otherwise be
    /// hammered.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::first_moment;
    use super::*;

    #[test]
    fn the_wait_doubles_from_half_a_second_to_32_and_is_never_shorter_than_half() {
        let now = first_moment();
        let mut rng = fastrand::Rng::with_seed(1);
        let mut backoff = Backoff::default();
        for ceiling_ms in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 32_000, 32_000] {
            let wait = backoff.failed(now, &mut rng) - now;
            let ceiling = Duration::from_millis(ceiling_ms);
            assert!(wait >= ceiling / 2 && wait <= ceiling, "{wait:?} for {ceiling:?}");
        }
    }

    #[test]
    fn two_processes_with_different_seeds_do_not_dial_in_lockstep() {
        let now = first_moment();
        let wait = |seed| Backoff::default().failed(now, &mut fastrand::Rng::with_seed(seed));
        assert_ne!(wait(1), wait(2));
    }
}
