//! What is counted: plain numbers for the report of a run, and the same through the `metrics` facade for a monitoring
//! system. Without a recorder (`--metrics`) the facade does nothing.

mod door;
pub mod exporter;
mod instruments;
pub mod names;

use std::collections::BTreeMap;

pub use door::{Door, DoorCounts, Knock};
pub(crate) use instruments::Instruments;

use crate::gate::{JoinRefusal, Parting};

/// Counts per label. Labels come from enums, so there are only so many.
pub type Counts = BTreeMap<&'static str, u64>;

/// What one process counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Players let in.
    pub joins: u64,
    /// Players who came back to their seat.
    pub resumes: u64,
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

impl Departure {
    /// Whether the player may come back.
    #[must_use]
    pub const fn parting(self) -> Parting {
        match self {
            Self::Lost | Self::TooSlow => Parting::MayReturn,
            Self::Left | Self::Violation | Self::Closed => Parting::ForGood,
        }
    }
}

impl Metrics {
    pub(crate) fn joined(&mut self) {
        self.joins += 1;
        ::metrics::counter!(names::JOINS).increment(1);
    }

    pub(crate) fn resumed(&mut self) {
        self.resumes += 1;
        ::metrics::counter!(names::RESUMES).increment(1);
    }

    pub(crate) fn refused(&mut self, refusal: JoinRefusal) {
        *self.refusals.entry(refusal.label()).or_default() += 1;
        ::metrics::counter!(names::REFUSALS, "cause" => refusal.label()).increment(1);
    }

    pub(crate) fn departed(&mut self, departure: Departure, had_joined: bool) {
        let (counts, name) = if had_joined {
            (&mut self.departures, names::DEPARTURES)
        } else {
            (&mut self.lost_before_join, names::LOST_BEFORE_JOIN)
        };
        *counts.entry(departure.label()).or_default() += 1;
        ::metrics::counter!(name, "cause" => departure.label()).increment(1);
    }

    pub(crate) fn removal_failed(&mut self) {
        self.removals_failed += 1;
        ::metrics::counter!(names::REMOVALS_FAILED).increment(1);
    }
}
