//! `absoluteSort` and `distanceSort`: whom to try first around the oldest ticket.

use super::PartyAggregation;

/// A sort rule. It orders tickets and rejects nobody.
#[derive(Clone, Debug, PartialEq)]
pub struct Sort {
    /// What is compared.
    pub kind: SortKind,
    /// Which end comes first.
    pub direction: SortDirection,
    /// The attribute, as an index into [`RuleSet::attributes`](crate::RuleSet::attributes).
    pub attribute: usize,
    /// Which key of a map attribute counts.
    pub map_key: Option<MapKey>,
    /// How the players of one ticket become one value.
    pub party_aggregation: PartyAggregation,
}

/// What a sort rule compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKind {
    /// The value itself (`absoluteSort`).
    Absolute,
    /// Its distance from the oldest ticket's value (`distanceSort`).
    Distance,
}

/// `sortDirection`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortDirection {
    /// Small values first.
    Ascending,
    /// Large values first.
    Descending,
}

/// `mapKey`: which entry of the oldest ticket's map names the key to sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKey {
    /// The entry with the smallest value.
    MinValue,
    /// The entry with the largest value.
    MaxValue,
}
