//! `comparison`: measured values against a reference, or against each other.

use std::cmp::Ordering;
use std::fmt;

use super::reference::Paired;
use super::verdict::Tally;
use super::{Judgement, Numbers, PartyAggregation, PartyLists, Reference};
use crate::expr::{Expression, Leaf, Scope, Trend};

/// A comparison rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What is measured.
    pub(crate) measurements: Vec<Expression>,
    /// How it is compared.
    pub(crate) operation: Operation,
    /// What it is compared with; `None` compares the measured values with each other.
    pub(crate) reference: Option<Reference>,
    /// How the players of one ticket become one number.
    pub(crate) party_aggregation: PartyAggregation,
}

/// The operation of a comparison rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Operation {
    /// Every operation with its spelling in a rule set.
    pub(crate) const ALL: [(&'static str, Self); 6] = [
        ("<", Self::Less),
        ("<=", Self::LessOrEqual),
        ("=", Self::Equal),
        ("!=", Self::NotEqual),
        (">", Self::Greater),
        (">=", Self::GreaterOrEqual),
    ];

    const fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }

    /// By how much a measured number misses; below 0 if it holds with room to spare.
    fn excess(self, measured: f64, reference: f64) -> f64 {
        match self {
            Self::Less | Self::LessOrEqual => measured - reference,
            Self::Equal => (measured - reference).abs(),
            Self::NotEqual => -(measured - reference).abs(),
            Self::Greater | Self::GreaterOrEqual => reference - measured,
        }
    }

    /// Whether the outcome may change, given where the measured value stands and where both sides can go.
    const fn can_turn(self, holds: bool, ordering: Ordering, moves: Moves) -> bool {
        let Moves { rise, fall } = moves;
        match self {
            // Holds while the measured value is low.
            Self::Less | Self::LessOrEqual => {
                if holds {
                    rise
                } else {
                    fall
                }
            }
            Self::Greater | Self::GreaterOrEqual => {
                if holds {
                    fall
                } else {
                    rise
                }
            }
            Self::Equal | Self::NotEqual => match ordering {
                Ordering::Equal => rise || fall,
                Ordering::Greater => fall,
                Ordering::Less => rise,
            },
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(_, operation)| operation == self).map_or("", |(name, _)| name))
    }
}

/// Whether the measured value can rise or fall, seen from the reference value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moves {
    pub(crate) rise: bool,
    pub(crate) fall: bool,
}

impl Moves {
    /// `strict` holds averages still.
    pub(crate) const fn of(measured: Trend, reference: Trend, strict: bool) -> Self {
        Self {
            rise: measured.can_rise(strict) || reference.can_fall(strict),
            fall: measured.can_fall(strict) || reference.can_rise(strict),
        }
    }
}

/// A measured number among others.
struct Measured {
    number: f64,
    /// Whether it cannot change.
    still: bool,
    /// Whether it is held against a match as it stands.
    held: bool,
}

/// Numbers from attributes are compared as they were sent; NaN is filtered out before.
fn order(one: f64, other: f64) -> Ordering {
    one.partial_cmp(&other).unwrap_or(Ordering::Equal)
}

impl Comparison {
    pub(crate) fn judge<'a>(&'a self, scope: &Scope<'a, '_>) -> Judgement<'a> {
        let mut tally = Tally::new();
        match &self.reference {
            Some(reference) => self.against(reference, scope, &mut tally),
            None => self.each_other(scope, &mut tally),
        }
        tally.judgement().unwrap_or_else(|| Judgement::vacuous(scope.compat))
    }

    fn party(&self) -> (PartyAggregation, PartyLists) {
        (self.party_aggregation, PartyLists::Union)
    }

    /// Every measured value against the reference.
    fn against<'a>(&'a self, reference: &'a Reference, scope: &Scope<'a, '_>, tally: &mut Tally<'a>) {
        let reference = Paired::new(reference, scope, self.party());
        for measurement in &self.measurements {
            let values = measurement.evaluate(scope, self.party());
            let trends = measurement.trends_in(scope);
            (0..usize::from(values.depth)).for_each(|level| tally.list(trends.level(level)));
            // A failed average is held against a match only where every team has a say; passing, it may move on.
            let strict = measurement.is_strict(scope) && reference.is_strict(scope);
            if measurement.value_type.leaf == Leaf::Number {
                for list in values.number_lists() {
                    for (at, &measured) in list.iter().enumerate().filter(|(_, number)| !number.is_nan()) {
                        let Some(wanted) = reference.number(at, list.len(), tally) else { continue };
                        let holds = self.operation.holds(order(measured, wanted));
                        let moves = Moves::of(trends.leaf, reference.trend(), strict && !holds);
                        let turns = self.operation.can_turn(holds, order(measured, wanted), moves);
                        let numbers =
                            Numbers::Number { measured, operation: self.operation, reference: wanted };
                        let excess = self.operation.excess(measured, wanted);
                        tally.add(Judgement { pass: holds, settled: !turns, numbers }, excess);
                    }
                }
            } else {
                for list in values.text_lists() {
                    for (at, &measured) in list.iter().enumerate() {
                        let Some(wanted) = reference.text(at, list.len(), tally) else { continue };
                        let pass = self.operation.holds(measured.cmp(wanted));
                        let numbers =
                            Numbers::Text { measured, operation: self.operation, reference: wanted };
                        let settled = reference.trend() == Trend::Fixed;
                        tally.add(Judgement { pass, settled, numbers }, 0.0);
                    }
                }
            }
        }
    }

    /// All measured values equal, or all different. Nested lists are compared one by one, flat ones together.
    fn each_other<'a>(&'a self, scope: &Scope<'a, '_>, tally: &mut Tally<'a>) {
        let mut numbers: Vec<Measured> = Vec::new();
        let mut texts: Vec<&'a str> = Vec::new();
        for measurement in &self.measurements {
            let values = measurement.evaluate(scope, self.party());
            let trends = measurement.trends_in(scope);
            (0..usize::from(values.depth)).for_each(|level| tally.list(trends.level(level)));
            let held = measurement.is_strict(scope) && trends.leaf == Trend::Average;
            let still = trends.leaf == Trend::Fixed;
            let nested = values.depth > 1;
            for list in values.number_lists() {
                let there = list.iter().filter(|number| !number.is_nan());
                numbers.extend(there.map(|&number| Measured { number, still, held: still || held }));
                if nested {
                    self.numbers_among(&mut numbers, tally);
                }
            }
            for list in values.text_lists() {
                texts.extend(list);
                if nested {
                    self.texts_among(&mut texts, tally);
                }
            }
        }
        self.numbers_among(&mut numbers, tally);
        self.texts_among(&mut texts, tally);
    }

    fn numbers_among<'a>(&self, measured: &mut Vec<Measured>, tally: &mut Tally<'a>) {
        measured.sort_by(|one, other| one.number.total_cmp(&other.number));
        let still = measured.iter().all(|measured| measured.still);
        let held = measured.iter().all(|measured| measured.held);
        let mut judge = |measured: f64, reference: f64, pass: bool, excess: f64| {
            let numbers = Numbers::Number { measured, operation: self.operation, reference };
            tally.add(Judgement { pass, settled: if pass { still } else { held }, numbers }, excess);
        };
        match (self.operation, measured.first(), measured.last()) {
            (Operation::Equal, Some(low), Some(high)) => {
                let (low, high) = (low.number, high.number);
                judge(high, low, order(high, low).is_eq(), high - low);
            }
            (_, Some(only), _) if measured.len() == 1 => {
                judge(only.number, only.number, true, f64::NEG_INFINITY)
            }
            _ => measured.windows(2).for_each(|pair| {
                let (low, high) = (pair[0].number, pair[1].number);
                judge(high, low, order(high, low).is_ne(), low - high);
            }),
        }
        measured.clear();
    }

    fn texts_among<'a>(&self, texts: &mut Vec<&'a str>, tally: &mut Tally<'a>) {
        texts.sort_unstable();
        let mut judge = |measured: &'a str, reference: &'a str, pass: bool| {
            let numbers = Numbers::Text { measured, operation: self.operation, reference };
            tally.add(Judgement { pass, settled: true, numbers }, 0.0);
        };
        match (self.operation, texts.first(), texts.last()) {
            (Operation::Equal, Some(&low), Some(&high)) => judge(low, high, low == high),
            (_, Some(&only), _) if texts.len() == 1 => judge(only, only, true),
            _ => texts.windows(2).for_each(|pair| judge(pair[0], pair[1], pair[0] != pair[1])),
        }
        texts.clear();
    }
}
