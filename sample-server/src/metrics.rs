//! Counters by label. One owner (the game loop), so they are plain numbers.

use std::collections::BTreeMap;

use crate::gate::JoinRefusal;

/// Counts per label. Labels come from enums, so there are only so many.
pub type Counts = BTreeMap<&'static str, u64>;

/// What one run of the server counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Players let in.
    pub joins: u64,
    /// Peers turned away, by [`JoinRefusal::label`].
    pub refusals: Counts,
    /// Players who are no longer here, by [`Departure::label`].
    pub departures: Counts,
    /// Connections that ended before anybody was let in or turned away, by [`Departure::label`].
    pub lost_before_join: Counts,
    /// Most players at one time.
    pub players_peak: usize,
    /// Simulation steps.
    pub ticks: u64,
    /// Ticks that were left out because the loop was late.
    pub ticks_skipped: u64,
    /// Snapshots handed to QUIC.
    pub snapshots: u64,
    /// Snapshots that QUIC would not take: the connection was closing.
    pub snapshots_unsent: u64,
    /// Players whom the service could not be told to remove. It counts them until the game session is over.
    pub removals_failed: u64,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// The peer closed the connection.
    Left,
    /// Nothing was heard for the idle timeout, or the peer's host says it knows no such connection.
    Lost,
    /// The peer sent nonsense.
    Violation,
    /// The peer did not read its events.
    TooSlow,
    /// This server closed it.
    Closed,
}

impl Departure {
    /// The metric label and log field.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Lost => "lost",
            Self::Violation => "violation",
            Self::TooSlow => "too_slow",
            Self::Closed => "closed",
        }
    }
}

impl Metrics {
    pub(crate) fn refused(&mut self, refusal: JoinRefusal) {
        *self.refusals.entry(refusal.label()).or_default() += 1;
    }

    pub(crate) fn departed(&mut self, departure: Departure, had_joined: bool) {
        let counts = if had_joined { &mut self.departures } else { &mut self.lost_before_join };
        *counts.entry(departure.label()).or_default() += 1;
    }
}
