//! What evaluating a rule says.

use std::fmt;

use super::Operation;
use crate::compat::{Compat, EmptyMeasurement};
use crate::expr::Trend;

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
    /// The reference value is a list that does not pair up with the measured values.
    Unpaired {
        /// How many values were measured.
        measured: usize,
        /// How many reference values there are.
        references: usize,
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
            Self::Unpaired { measured, references } => {
                write!(f, "{measured} measured values cannot be paired with {references} reference values")
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

/// What a rule says before it is known whether others will join.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judgement<'a> {
    pub(crate) pass: bool,
    /// Whether more players cannot change `pass`.
    pub(crate) settled: bool,
    pub(crate) numbers: Numbers<'a>,
}

impl<'a> Judgement<'a> {
    /// Of a rule that found nothing to measure.
    pub(crate) fn vacuous(compat: &Compat) -> Self {
        let pass = compat.empty_measurement == EmptyMeasurement::Pass;
        Self { pass, settled: false, numbers: Numbers::Vacuous }
    }

    pub(crate) const fn verdict(&self, complete: bool) -> Verdict {
        match (self.pass, self.settled || complete) {
            (true, _) => Verdict::Pass,
            (false, true) => Verdict::Fail,
            (false, false) => Verdict::NotYet,
        }
    }
}

/// Gathers what a rule says of each measured value, and keeps the numbers of the worst.
#[derive(Debug)]
pub(crate) struct Tally<'a> {
    worst: Option<(Judgement<'a>, f64)>,
    all_settled: bool,
    /// Whether the measured lists keep what they have.
    keeps: bool,
}

impl<'a> Tally<'a> {
    pub(crate) const fn new() -> Self {
        Self { worst: None, all_settled: true, keeps: true }
    }

    /// Says how a measured list moves; `Down` and `Free` may lose the value that fails.
    pub(crate) const fn list(&mut self, trend: Trend) {
        match trend {
            Trend::Fixed => {}
            Trend::Up => self.all_settled = false,
            Trend::Down | Trend::Average | Trend::Free => {
                self.all_settled = false;
                self.keeps = false;
            }
        }
    }

    /// One value: `excess` says by how much it misses (above 0) or keeps the limit.
    pub(crate) fn add(&mut self, judgement: Judgement<'a>, excess: f64) {
        self.all_settled &= judgement.settled;
        let rank = |judgement: &Judgement<'_>| match (judgement.pass, judgement.settled) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => 2,
        };
        let worse = self.worst.is_none_or(|(worst, by)| {
            let (old, new) = (rank(&worst), rank(&judgement));
            new > old || new == old && excess > by
        });
        if worse {
            self.worst = Some((judgement, excess));
        }
    }

    /// What the rule says; `None` if nothing was measured.
    pub(crate) fn judgement(self) -> Option<Judgement<'a>> {
        let (worst, _) = self.worst?;
        let settled = if worst.pass { self.all_settled } else { worst.settled && self.keeps };
        Some(Judgement { settled, ..worst })
    }
}
