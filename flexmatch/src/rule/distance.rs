//! `distance`: how far numbers are from a reference.

use super::comparison::Moves;
use super::reference::Paired;
use super::verdict::Tally;
use super::{Judgement, Numbers, PartyAggregation, PartyLists, Reference};
use crate::compat::Boundary;
use crate::expr::{Expression, Function, Scope};

/// A distance rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Distance {
    /// What is measured.
    pub(crate) measurements: Vec<Expression>,
    /// What it is measured from.
    pub(crate) reference: Reference,
    /// How far every measured value must be from it at least.
    pub(crate) min_distance: Option<f64>,
    /// How far it may be at most.
    pub(crate) max_distance: Option<f64>,
    /// How the players of one ticket become one number.
    pub(crate) party_aggregation: PartyAggregation,
}

/// How many times the distance two values can be apart that are both within it of their average: twice, and a little for
/// rounding.
pub(crate) const APART_AROUND_AVERAGE: f64 = 2.000_001;

impl Boundary {
    /// Whether `value` is not too high.
    pub(crate) fn at_most(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Inclusive => value <= limit,
            Self::Exclusive => value < limit,
        }
    }
}

impl Distance {
    pub(crate) fn judge<'a>(&'a self, scope: &Scope<'a, '_>) -> Judgement<'a> {
        let party = (self.party_aggregation, PartyLists::Union);
        let mut tally = Tally::new();
        let reference = Paired::new(&self.reference, scope, party);
        let mut torn = false;
        for measurement in &self.measurements {
            let values = measurement.evaluate(scope, party);
            let trends = measurement.trends_in(scope);
            (0..usize::from(values.depth)).for_each(|level| tally.list(trends.level(level)));
            let strict = measurement.is_strict(scope) && reference.is_strict(scope);
            let failing = Moves::of(trends.leaf, reference.trend(), strict);
            let passing = Moves::of(trends.leaf, reference.trend(), false);
            let around_average = self.is_around_average(measurement);
            for list in values.number_lists() {
                torn |= around_average && self.is_torn(list, scope);
                for (at, &measured) in list.iter().enumerate().filter(|(_, number)| !number.is_nan()) {
                    if let Some(wanted) = reference.number(at, list.len(), &mut tally) {
                        let (judgement, excess) = self.one(measured, wanted, scope, failing, passing);
                        tally.add(judgement, excess);
                    }
                }
            }
        }
        let mut judgement = tally.judgement().unwrap_or_else(|| Judgement::vacuous(scope.compat));
        judgement.settled |= torn && !judgement.pass;
        judgement
    }

    /// Whether each player's value is held against the average of the same players.
    fn is_around_average(&self, measurement: &Expression) -> bool {
        matches!(&self.reference, Reference::Expression(reference) if reference.select == measurement.select
            && matches!(measurement.functions[..], [] | [Function::Flatten])
            && reference.functions.split_last() == Some((&Function::Average, &measurement.functions[..])))
    }

    /// Whether two values are so far apart that no average is near both, whoever else joins.
    fn is_torn(&self, list: &[f64], scope: &Scope<'_, '_>) -> bool {
        let least = list.iter().copied().fold(f64::INFINITY, f64::min);
        let most = list.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let limit = self.max_distance.unwrap_or(f64::INFINITY) * APART_AROUND_AVERAGE;
        least <= most && !scope.compat.boundary.at_most(most - least, limit)
    }

    fn one<'a>(
        &self,
        measured: f64,
        reference: f64,
        scope: &Scope<'_, '_>,
        failing: Moves,
        passing: Moves,
    ) -> (Judgement<'a>, f64) {
        let boundary = scope.compat.boundary;
        let distance = (measured - reference).abs();
        let too_far = self.max_distance.is_some_and(|max| !boundary.at_most(distance, max));
        let too_near = self.min_distance.is_some_and(|min| !boundary.at_most(min, distance));
        // Too far apart, they must come closer; too near, either way helps.
        let mendable = if too_far {
            if measured > reference { failing.fall } else { failing.rise }
        } else {
            failing.rise || failing.fall
        };
        let pass = !too_far && !too_near;
        let settled = if pass { !passing.rise && !passing.fall } else { !mendable };
        let over = self.max_distance.map_or(f64::NEG_INFINITY, |max| distance - max);
        let under = self.min_distance.map_or(f64::NEG_INFINITY, |min| min - distance);
        let numbers =
            Numbers::Distance { measured, reference, max: self.max_distance, min: self.min_distance };
        (Judgement { pass, settled, numbers }, over.max(under))
    }
}
