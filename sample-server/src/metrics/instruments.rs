//! The metrics of one game, at hand: looking one up by name in every tick would cost more than the tick's arithmetic.

use metrics::{Counter, Gauge, Histogram};

use super::names;

/// One process's share of a gauge that all processes have in common. Its share goes when it does.
pub(crate) struct Share {
    gauge: Gauge,
    value: usize,
}

impl Share {
    fn of(name: &'static str) -> Self {
        Self { gauge: metrics::gauge!(name), value: 0 }
    }

    pub(crate) fn set(&mut self, value: usize) {
        if value != self.value {
            self.gauge.increment(value as f64 - self.value as f64);
            self.value = value;
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// What a game loop measures as it goes.
pub(crate) struct Instruments {
    pub(crate) seats: Share,
    pub(crate) seats_taken: Share,
    pub(crate) game_sessions: Share,
    pub(crate) players: Share,
    pub(crate) tick_seconds: Histogram,
    pub(crate) ticks_skipped: Counter,
    pub(crate) snapshots: Counter,
    pub(crate) received_bytes: Counter,
    pub(crate) sent_bytes: Counter,
}

impl Instruments {
    pub(crate) fn new() -> Self {
        Self {
            seats: Share::of(names::SEATS),
            seats_taken: Share::of(names::SEATS_TAKEN),
            game_sessions: Share::of(names::GAME_SESSIONS),
            players: Share::of(names::PLAYERS),
            tick_seconds: metrics::histogram!(names::TICK_SECONDS),
            ticks_skipped: metrics::counter!(names::TICKS_SKIPPED),
            snapshots: metrics::counter!(names::SNAPSHOTS),
            received_bytes: metrics::counter!(names::RECEIVED_BYTES),
            sent_bytes: metrics::counter!(names::SENT_BYTES),
        }
    }
}
