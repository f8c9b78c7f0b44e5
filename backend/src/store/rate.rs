//! How often a player may start: a pure value, kept in their profile.
//!
//! The gateway limits too, but it counts for itself: a Lambda function has as many counters as instances.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use serde::{Deserialize, Serialize};

/// Milliseconds in which one start is earned.
pub const START_INTERVAL_MS: u64 = 2_000;
/// Starts that may be saved up: a cancel and a second thought are not abuse.
pub const START_BURST: u64 = 3;
/// Starts in a clock hour. A player who plays games of two minutes needs as many.
pub const STARTS_PER_HOUR: u32 = 30;

const HOUR_MS: u64 = 60 * 60 * 1000;

/// The starts of a player.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Window {
    /// Hours since 1970.
    #[serde(default)]
    hour: u64,
    /// Starts in that hour.
    #[serde(default)]
    starts: u32,
    /// When all starts have been earned, in milliseconds since 1970 (the generic cell rate algorithm).
    #[serde(default)]
    earned: u64,
    /// The idempotency key of the latest start: repeating it is no other start.
    #[serde(default)]
    latest: String,
}

impl Window {
    /// The window after one more start; none if this start is in it; or in how many milliseconds to try again.
    pub(super) fn admit(&self, token: &str, now: u64) -> Result<Option<Self>, u64> {
        if self.latest == token {
            return Ok(None);
        }
        let hour = now / HOUR_MS;
        let starts = if self.hour == hour { self.starts } else { 0 };
        if starts >= STARTS_PER_HOUR {
            return Err((hour + 1) * HOUR_MS - now);
        }
        let earned = self.earned.max(now) + START_INTERVAL_MS;
        let saved = now + START_BURST * START_INTERVAL_MS;
        if earned > saved {
            return Err(earned - saved);
        }
        Ok(Some(Self { hour, starts: starts + 1, earned, latest: token.to_owned() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_377_600_000;

    fn start(window: &mut Window, token: &str, now: u64) -> Result<(), u64> {
        if let Some(next) = window.admit(token, now)? {
            *window = next;
        }
        Ok(())
    }

    #[test]
    fn three_starts_at_once_then_one_every_two_seconds() {
        let mut window = Window::default();
        for token in ["a", "b", "c"] {
            assert_eq!(start(&mut window, token, NOW), Ok(()));
        }
        assert_eq!(start(&mut window, "d", NOW), Err(2_000));
        assert_eq!(start(&mut window, "d", NOW + 1_999), Err(1));
        assert_eq!(start(&mut window, "d", NOW + 2_000), Ok(()));
        assert_eq!(start(&mut window, "e", NOW + 2_000), Err(2_000));
    }

    #[test]
    fn thirty_starts_an_hour() {
        let mut window = Window::default();
        for index in 0..30 {
            assert_eq!(start(&mut window, &index.to_string(), NOW + index * 10_000), Ok(()));
        }
        assert_eq!(start(&mut window, "more", NOW + 300_000), Err(HOUR_MS - 300_000));
        assert_eq!(start(&mut window, "more", NOW + HOUR_MS), Ok(()));
    }

    #[test]
    fn the_same_start_again_costs_nothing() {
        let mut window = Window::default();
        for _ in 0..100 {
            assert_eq!(start(&mut window, "a", NOW), Ok(()));
        }
        assert_eq!(start(&mut window, "b", NOW), Ok(()));
    }
}
