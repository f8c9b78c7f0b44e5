//! What evaluating a rule says.

use std::fmt;

use super::Operation;

/// What a rule says of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It holds. With more players it may cease to.
    Pass,
    /// It does not hold, but may with more players. Never said of a complete match.
    NotYet,
    /// It does not hold, and on a partial match: more players do not mend it.
    Fail,
}

/// What one rule says of a match, and with which numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleOutcome<'a> {
    /// The rule's place in the rule set.
    pub index: usize,
    /// The rule's name.
    pub name: &'a str,
    /// Whether the rule must hold for the match. Members of compound rules need not hold by themselves, and sort
    /// rules reject nobody.
    pub enforced: bool,
    /// What the rule says.
    pub verdict: Verdict,
    /// The measured value that decides, and the limit it is held against.
    pub numbers: Numbers<'a>,
}

/// The measured value that decided a rule, and what it was held against.
///
/// Where a rule measures several values, these are of the one that is furthest from passing. Its `Display` is a clause
/// for explanations: "42 is 32 away from 10, at most 10 is allowed".
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Numbers<'a> {
    /// Nothing to measure: an empty team, or no value.
    Vacuous,
    /// A comparison of numbers.
    Number {
        /// The measured value.
        measured: f64,
        /// How it is compared.
        operation: Operation,
        /// The reference value, or another measured value if the rule has none.
        reference: f64,
    },
    /// A comparison of texts.
    Text {
        /// The measured value.
        measured: &'a str,
        /// How it is compared.
        operation: Operation,
        /// The reference value, or another measured value if the rule has none.
        reference: &'a str,
    },
    /// A distance rule.
    Distance {
        /// The measured value.
        measured: f64,
        /// The reference value.
        reference: f64,
        /// How far apart they may be at most.
        max: Option<f64>,
        /// How far apart they must be at least.
        min: Option<f64>,
    },
    /// A collection rule.
    Count {
        /// What was counted.
        count: u32,
        /// The least allowed.
        min: Option<f64>,
        /// The most allowed.
        max: Option<f64>,
    },
    /// A latency rule.
    Latency {
        /// The location that serves the players best; `None` if no location was reported by all of them.
        location: Option<&'a str>,
        /// The highest latency of any player to it, in milliseconds.
        worst_ms: f64,
        /// The highest allowed.
        max_latency: Option<f64>,
        /// The highest distance from the reference, for a rule with `maxDistance`.
        worst_distance: Option<f64>,
        /// The highest distance allowed.
        max_distance: Option<f64>,
    },
    /// A batchDistance rule on a number.
    Spread {
        /// The lowest value.
        min: f64,
        /// The highest value.
        max: f64,
        /// The largest difference allowed.
        max_distance: f64,
    },
    /// A compound rule: its members have the numbers.
    Members,
    /// A sort rule: it orders and rejects nobody.
    Sort,
}

impl fmt::Display for Numbers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Vacuous => f.write_str("nothing to measure"),
            Self::Number { measured, operation, reference } => {
                write!(f, "{measured} {operation} {reference}")
            }
            Self::Text { measured, operation, reference } => {
                write!(f, "{measured:?} {operation} {reference:?}")
            }
            Self::Distance { measured, reference, max, min } => {
                write!(f, "{measured} is {} away from {reference}", (measured - reference).abs())?;
                bounds(f, min, max)
            }
            Self::Count { count, min, max } => {
                write!(f, "{count} counted")?;
                bounds(f, min, max)
            }
            Self::Latency { location: None, .. } => f.write_str("no location was reported by all players"),
            Self::Latency {
                location: Some(location),
                worst_ms,
                max_latency,
                worst_distance,
                max_distance,
            } => {
                write!(f, "{worst_ms} ms at most to {location}")?;
                bounds(f, None, max_latency)?;
                if let (Some(distance), Some(limit)) = (worst_distance, max_distance) {
                    write!(f, ", {distance} ms apart (at most {limit})")?;
                }
                Ok(())
            }
            Self::Spread { min, max, max_distance } => {
                write!(f, "{min} to {max}, {} apart (at most {max_distance})", max - min)
            }
            Self::Members => f.write_str("see its members"),
            Self::Sort => f.write_str("orders, rejects nobody"),
        }
    }
}

fn bounds(f: &mut fmt::Formatter<'_>, min: Option<f64>, max: Option<f64>) -> fmt::Result {
    match (min, max) {
        (None, None) => Ok(()),
        (Some(min), None) => write!(f, " (at least {min})"),
        (None, Some(max)) => write!(f, " (at most {max})"),
        (Some(min), Some(max)) => write!(f, " ({min} to {max})"),
    }
}
