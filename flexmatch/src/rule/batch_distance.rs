//! `batchDistance`: how far the players of a batch may be apart.

use super::PartyAggregation;

/// A batchDistance rule.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchDistance {
    /// The attribute, as an index into [`RuleSet::attributes`](crate::RuleSet::attributes).
    pub attribute: usize,
    /// Largest difference between any two values of a number attribute. `None` for a string attribute, whose values
    /// must all be equal.
    pub max_distance: Option<f64>,
    /// How the players of one ticket become one number.
    pub party_aggregation: PartyAggregation,
}
