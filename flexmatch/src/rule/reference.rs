//! `referenceValue` of comparison and distance rules.

use super::verdict::Tally;
use super::{Judgement, Numbers, PartyAggregation, PartyLists};
use crate::expr::{Expression, Leaves, Scope, Trend, Values};

/// A `referenceValue`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reference {
    Number(f64),
    Text(String),
    Expression(Expression),
}

/// A reference value that was evaluated: one value for all measured values, or one for each.
pub(crate) struct Paired<'a> {
    expression: Option<&'a Expression>,
    number: f64,
    text: &'a str,
    values: Option<Values<'a>>,
    trend: Trend,
}

impl<'a> Paired<'a> {
    pub(crate) fn new(
        reference: &'a Reference,
        scope: &Scope<'a, '_>,
        party: (PartyAggregation, PartyLists),
    ) -> Self {
        let mut paired =
            Self { expression: None, number: f64::NAN, text: "", values: None, trend: Trend::Fixed };
        match reference {
            Reference::Number(number) => paired.number = *number,
            Reference::Text(text) => paired.text = text,
            Reference::Expression(expression) => {
                paired.expression = Some(expression);
                paired.trend = expression.trends_in(scope).leaf;
                paired.values = Some(expression.evaluate(scope, party));
            }
        }
        paired
    }

    pub(crate) const fn trend(&self) -> Trend {
        self.trend
    }

    pub(crate) fn is_strict(&self, scope: &Scope<'_, '_>) -> bool {
        self.expression.is_none_or(|expression| expression.is_strict(scope))
    }

    /// The number for the measured value at `at` of `of`; none if it does not exist.
    pub(crate) fn number(&self, at: usize, of: usize, tally: &mut Tally<'a>) -> Option<f64> {
        let number = match &self.values {
            None => self.number,
            Some(Values { leaves: Leaves::Numbers(numbers), .. }) => {
                numbers[index(at, of, numbers.len(), tally)?]
            }
            Some(_) => return None,
        };
        (!number.is_nan()).then_some(number)
    }

    /// The text for the measured value at `at` of `of`; none if it does not exist.
    pub(crate) fn text(&self, at: usize, of: usize, tally: &mut Tally<'a>) -> Option<&'a str> {
        match &self.values {
            None => Some(self.text),
            Some(Values { leaves: Leaves::Texts(texts), .. }) => {
                Some(texts[index(at, of, texts.len(), tally)?])
            }
            Some(_) => None,
        }
    }
}

/// Which reference value goes with a measured value. One stands for all, as many as measured are taken pair by pair,
/// none is nothing to compare with; any other number fails, since the service would have no answer either.
fn index(at: usize, measured: usize, references: usize, tally: &mut Tally<'_>) -> Option<usize> {
    match references {
        0 => None,
        1 => Some(0),
        _ if references == measured => Some(at),
        _ => {
            let numbers = Numbers::Unpaired { measured, references };
            tally.add(Judgement { pass: false, settled: false, numbers }, f64::INFINITY);
            None
        }
    }
}
