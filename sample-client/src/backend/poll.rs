//! When to ask again: the backend says, within limits; after failures it is this side that waits longer and longer.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::time::Duration;

/// Shortest time between two questions, whatever the backend says: it allows one per second and player on average.
pub const POLL_AFTER_MIN: Duration = Duration::from_millis(250);
/// Longest time between two questions, whatever the backend says: a seat is kept for about a minute.
pub const POLL_AFTER_MAX: Duration = Duration::from_secs(20);
/// Between two questions when the backend does not say.
pub const POLL_AFTER_DEFAULT: Duration = Duration::from_secs(2);
/// Between two questions while news is pushed. A lost push costs a player this much.
pub const POLL_AFTER_PUSH: Duration = Duration::from_secs(15);
/// Longest wait that a `Retry-After` can ask for. Beyond it the caller had better know.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);
/// After the first failure; doubled by each one that follows.
pub const BACKOFF_MIN: Duration = Duration::from_millis(500);
/// Where doubling stops.
pub const BACKOFF_MAX: Duration = Duration::from_secs(10);
/// Failures in a row after which it is not a hiccup: with the waits above, about 40 s.
pub const FAILURES_MAX: u32 = 8;

/// Counts failures in a row, and says how long to wait. A value: its randomness comes from a seed.
#[derive(Clone, Debug)]
pub struct Patience {
    failures: u32,
    random: fastrand::Rng,
}

impl Patience {
    /// Nothing has failed yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { failures: 0, random: fastrand::Rng::with_seed(seed) }
    }

    /// How long to wait after an answer that said `poll_after_ms`.
    pub fn answered(&mut self, poll_after_ms: Option<u32>, pushing: bool) -> Duration {
        self.failures = 0;
        self.poll_after(poll_after_ms, pushing)
    }

    /// The same when there was no answer, so that failures still count.
    pub fn poll_after(&mut self, poll_after_ms: Option<u32>, pushing: bool) -> Duration {
        if pushing {
            return self.jittered(POLL_AFTER_PUSH);
        }
        match poll_after_ms {
            // The backend has jittered it.
            Some(millis) => Duration::from_millis(millis.into()).clamp(POLL_AFTER_MIN, POLL_AFTER_MAX),
            None => self.jittered(POLL_AFTER_DEFAULT),
        }
    }

    /// How long to wait after a failure: what the other side asks for and no less, or half to all of a ceiling that doubles.
    /// `None` after [`FAILURES_MAX`] in a row.
    pub fn failed(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        self.failures += 1;
        if self.failures >= FAILURES_MAX {
            return None;
        }
        let ceiling = BACKOFF_MAX.min(BACKOFF_MIN * (1 << (self.failures - 1)));
        let own = self.jittered(ceiling);
        Some(retry_after.map_or(own, |asked| asked.min(RETRY_AFTER_MAX) + own / 4))
    }

    /// Half to all of it, so that players who were turned away together do not come back together.
    fn jittered(&mut self, all: Duration) -> Duration {
        all / 2 + (all / 2).mul_f64(self.random.f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backend_says_when_to_ask_again_within_limits() {
        let mut patience = Patience::new(1);
        assert_eq!(patience.answered(Some(1500), false), Duration::from_millis(1500));
        assert_eq!(patience.answered(Some(0), false), POLL_AFTER_MIN);
        assert_eq!(patience.answered(Some(u32::MAX), false), POLL_AFTER_MAX);
    }

    #[test]
    fn failures_wait_longer_each_time_and_end() {
        let mut patience = Patience::new(1);
        let mut waits = Vec::new();
        while let Some(wait) = patience.failed(None) {
            waits.push(wait);
        }
        assert_eq!(waits.len() as u32, FAILURES_MAX - 1);
        for (i, wait) in waits.iter().enumerate() {
            let ceiling = BACKOFF_MAX.min(BACKOFF_MIN * (1 << i));
            assert!((ceiling / 2..=ceiling).contains(wait), "wait {i} is {wait:?}");
        }
    }

    #[test]
    fn an_answer_forgives_all_failures() {
        let mut patience = Patience::new(1);
        for _ in 0..FAILURES_MAX - 1 {
            assert!(patience.failed(None).is_some());
        }
        patience.answered(None, false);
        assert!(patience.failed(None).unwrap() <= BACKOFF_MIN);
    }

    #[test]
    fn what_the_other_side_asks_for_is_waited_out() {
        let mut patience = Patience::new(1);
        let asked = Duration::from_secs(7);
        assert!(patience.failed(Some(asked)).unwrap() >= asked);
        assert!(patience.failed(Some(Duration::MAX)).unwrap() <= RETRY_AFTER_MAX + BACKOFF_MAX);
    }
}
