//! Where time comes from: the wall, the wall at another speed, or a hand.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::Timestamp;

/// How the service's time passes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Clock {
    /// As everybody's.
    #[default]
    Wall,
    /// So many times as fast as everybody's: at 60.0, a 60 s reservation ends after one real second.
    Speed(f64),
    /// Only when [`Local::advance`](crate::Local::advance) moves it.
    Manual,
}

/// A running clock. It follows Tokio's, so a paused runtime moves it in tests.
#[derive(Debug)]
pub(crate) struct RunningClock {
    kind: Clock,
    base: Timestamp,
    started: Instant,
    advanced: Duration,
}

impl RunningClock {
    pub(crate) fn start(kind: Clock) -> Self {
        Self { kind, base: SystemTime::now().into(), started: Instant::now(), advanced: Duration::ZERO }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let elapsed = match self.kind {
            Clock::Wall => self.started.elapsed(),
            Clock::Speed(speed) => scaled(self.started.elapsed(), speed),
            Clock::Manual => Duration::ZERO,
        };
        self.base + self.advanced + elapsed
    }

    /// Jumps forward.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.advanced = self.advanced.saturating_add(by);
    }

    /// When it will be `at`, if it gets there by itself.
    pub(crate) fn instant(&self, at: Timestamp) -> Option<Instant> {
        let wait = at.since(self.base + self.advanced);
        match self.kind {
            Clock::Wall => self.started.checked_add(wait),
            // A rounded quotient may be a little early; waking early again and again would be a busy loop.
            Clock::Speed(speed) => {
                self.started.checked_add(scaled(wait, 1.0 / speed).saturating_add(Duration::from_millis(1)))
            }
            Clock::Manual => None,
        }
    }
}

fn scaled(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}
