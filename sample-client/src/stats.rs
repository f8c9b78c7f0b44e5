//! What one player measures. A value: the times are arguments.

use std::collections::VecDeque;
use std::time::Duration;

use game_proto::Snapshot;
use hdrhistogram::Histogram;
use tokio::time::Instant;

/// Inputs whose echo is waited for. At 60 per second these are four seconds; older ones are lost.
const INPUTS_WAITING_MAX: usize = 256;

/// Times are counted to three digits up to this; longer ones count as this.
const COUNTED_MAX: Duration = Duration::from_secs(60);

/// An empty histogram of times, in microseconds.
pub(crate) fn micros_histogram() -> Histogram<u64> {
    Histogram::new_with_max(COUNTED_MAX.as_micros() as u64, 3)
        .expect("1 us to 60 s at three digits is a legal range")
}

/// What one player measured.
#[derive(Clone, Debug)]
pub struct Stats {
    /// Inputs sent.
    pub inputs: u64,
    /// Snapshots received.
    pub snapshots: u64,
    /// Snapshots that must have been sent, by their ticks, and did not come (or came after a newer one).
    pub snapshots_missed: u64,
    /// Microseconds from an input to the first snapshot that reflects it: network, waiting for the tick, and back.
    pub round_trip_micros: Histogram<u64>,
    waiting: VecDeque<(u32, Instant)>,
    newest_tick: Option<u32>,
}

impl Stats {
    pub(crate) fn new() -> Self {
        Self {
            inputs: 0,
            snapshots: 0,
            snapshots_missed: 0,
            round_trip_micros: micros_histogram(),
            waiting: VecDeque::new(),
            newest_tick: None,
        }
    }

    /// The connection was lost: what was on its way is lost, too, and inputs count from 1 again.
    pub(crate) fn interrupted(&mut self) {
        self.waiting.clear();
    }

    pub(crate) fn input_sent(&mut self, sequence: u32, now: Instant) {
        self.inputs += 1;
        if self.waiting.len() == INPUTS_WAITING_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back((sequence, now));
    }

    pub(crate) fn snapshot_received(&mut self, snapshot: &Snapshot, now: Instant) {
        self.snapshots += 1;
        match self.newest_tick {
            // It was counted as missed when the newer one came.
            Some(newest) if snapshot.tick <= newest => {
                self.snapshots_missed = self.snapshots_missed.saturating_sub(1);
                return;
            }
            Some(newest) => self.snapshots_missed += u64::from(snapshot.tick - newest - 1),
            None => {}
        }
        self.newest_tick = Some(snapshot.tick);
        while let Some((sequence, sent)) = self.waiting.front() {
            if *sequence > snapshot.last_input {
                break;
            }
            // Inputs that a newer one overtook have no round trip of their own.
            if *sequence == snapshot.last_input {
                self.round_trip_micros.saturating_record(now.duration_since(*sent).as_micros() as u64);
            }
            self.waiting.pop_front();
        }
    }

    /// Adds what was measured on another connection.
    pub(crate) fn add(&mut self, other: &Self) {
        self.inputs += other.inputs;
        self.snapshots += other.snapshots;
        self.snapshots_missed += other.snapshots_missed;
        self.round_trip_micros.add(&other.round_trip_micros).expect("both histograms have the same range");
    }

    /// The share of snapshots that were missed, 0 to 1.
    #[must_use]
    pub fn loss(&self) -> f64 {
        let sent = self.snapshots + self.snapshots_missed;
        if sent == 0 { 0.0 } else { self.snapshots_missed as f64 / sent as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(tick: u32, last_input: u32) -> Snapshot {
        Snapshot { tick, last_input, ..Snapshot::default() }
    }

    #[test]
    fn round_trip_runs_from_an_input_to_the_first_snapshot_that_reflects_it() {
        let (mut stats, start) = (Stats::new(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        stats.input_sent(1, at(0));
        stats.input_sent(2, at(10));
        stats.snapshot_received(&snapshot(1, 0), at(12));
        stats.snapshot_received(&snapshot(2, 2), at(30));
        stats.snapshot_received(&snapshot(3, 2), at(47));
        assert_eq!(stats.round_trip_micros.len(), 1, "input 1 was overtaken, and each counts once");
        assert!(stats.round_trip_micros.equivalent(stats.round_trip_micros.max(), 20_000));
    }

    #[test]
    fn gaps_between_ticks_are_losses_until_the_late_snapshot_comes() {
        let (mut stats, now) = (Stats::new(), Instant::now());
        for tick in [10, 11, 14] {
            stats.snapshot_received(&snapshot(tick, 0), now);
        }
        assert_eq!((stats.snapshots, stats.snapshots_missed), (3, 2));
        stats.snapshot_received(&snapshot(12, 0), now);
        assert_eq!((stats.snapshots, stats.snapshots_missed), (4, 1));
    }

    #[test]
    fn inputs_waiting_for_their_echo_are_bounded() {
        let mut stats = Stats::new();
        for sequence in 0..10_000 {
            stats.input_sent(sequence, Instant::now());
        }
        assert_eq!(stats.waiting.len(), INPUTS_WAITING_MAX);
    }
}
