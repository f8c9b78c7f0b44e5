//! `latency`: which locations serve all players well.

use super::PartyAggregation;

/// A latency rule. A match needs a location that is acceptable to all of its players.
#[derive(Clone, Debug, PartialEq)]
pub struct Latency {
    /// Highest acceptable latency in milliseconds.
    pub max_latency: Option<f64>,
    /// Highest acceptable distance from the match's reference latency in milliseconds.
    pub max_distance: Option<f64>,
    /// What `max_distance` is measured from.
    pub distance_reference: LatencyReference,
    /// How the players of one ticket become one number.
    pub party_aggregation: PartyAggregation,
}

/// `distanceReference`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LatencyReference {
    /// The lowest latency in the match.
    #[default]
    Min,
    /// The average latency in the match.
    Average,
}
