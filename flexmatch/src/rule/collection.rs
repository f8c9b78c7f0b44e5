//! `collection`: counting in lists of strings.

use super::verdict::Tally;
use super::{Judgement, Numbers, PartyAggregation, PartyLists};
use crate::expr::{Expression, Scope, Trend, common, intersection};

/// A collection rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Collection {
    /// What is measured.
    pub(crate) measurements: Vec<Expression>,
    /// What is counted.
    pub(crate) operation: CollectionOperation,
    /// The least count allowed.
    pub(crate) min_count: Option<f64>,
    /// The most.
    pub(crate) max_count: Option<f64>,
    /// How the lists of the players of one ticket become one list.
    pub(crate) party_aggregation: PartyLists,
}

/// What a collection rule counts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CollectionOperation {
    /// Values that all lists have in common.
    Intersection,
    /// Lists that contain this value; of a flat list, its elements that equal it.
    Contains(String),
    /// For each list by itself, its values that are also in this one.
    ReferenceIntersectionCount(ListReference),
}

/// The `referenceValue` of `reference_intersection_count`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ListReference {
    Literal(Vec<String>),
    Expression(Expression),
}

impl Collection {
    pub(crate) fn judge<'a>(&'a self, scope: &Scope<'a, '_>) -> Judgement<'a> {
        let mut tally = Tally::new();
        match &self.operation {
            CollectionOperation::Intersection => self.intersection(scope, &mut tally),
            CollectionOperation::Contains(wanted) => self.contains(wanted, scope, &mut tally),
            CollectionOperation::ReferenceIntersectionCount(reference) => {
                self.reference_intersection_count(reference, scope, &mut tally);
            }
        }
        tally.judgement().unwrap_or_else(|| Judgement::vacuous(scope.compat))
    }

    const fn party(&self) -> (PartyAggregation, PartyLists) {
        (PartyAggregation::Average, self.party_aggregation)
    }

    /// Lists of lists count as so many lists, over all measurements; a flat one is one list.
    fn intersection<'a>(&'a self, scope: &Scope<'a, '_>, tally: &mut Tally<'a>) {
        let measured: Vec<_> =
            self.measurements.iter().map(|m| (m, m.evaluate(scope, self.party()))).collect();
        let mut trend = Trend::Fixed;
        let mut lists = Vec::new();
        for (measurement, values) in &measured {
            let trends = measurement.trends_in(scope);
            let depth = usize::from(values.depth);
            let outside = (0..depth - 1).map(|level| trends.level(level)).fold(Trend::Fixed, Trend::and);
            trend = trend.and(intersection(outside, trends.level(depth - 1)));
            lists.extend(values.text_lists());
        }
        if !lists.is_empty() {
            let (judgement, excess) = self.count(common(&lists).len(), trend);
            tally.add(judgement, excess);
        }
    }

    fn contains<'a>(&'a self, wanted: &str, scope: &Scope<'a, '_>, tally: &mut Tally<'a>) {
        let mut count = 0;
        let mut trend = Trend::Fixed;
        for measurement in &self.measurements {
            let values = measurement.evaluate(scope, self.party());
            let trends = measurement.trends_in(scope);
            for level in 0..usize::from(values.depth) {
                trend = trend.and(trends.level(level));
            }
            count += if values.depth == 1 {
                values.text_lists().flatten().filter(|text| **text == wanted).count()
            } else {
                values.text_lists().filter(|list| list.contains(&wanted)).count()
            };
        }
        // Nobody there contains nothing, which is a count like any other.
        let (judgement, excess) = self.count(count, trend);
        tally.add(judgement, excess);
    }

    fn reference_intersection_count<'a>(
        &'a self,
        reference: &'a ListReference,
        scope: &Scope<'a, '_>,
        tally: &mut Tally<'a>,
    ) {
        let (reference, reference_trend): (Vec<&'a str>, Trend) = match reference {
            ListReference::Literal(list) => (list.iter().map(String::as_str).collect(), Trend::Fixed),
            ListReference::Expression(expression) => {
                let values = expression.evaluate(scope, self.party());
                let list = values.text_lists().next().unwrap_or(&[]).to_vec();
                (list, expression.trends_in(scope).level(0))
            }
        };
        for measurement in &self.measurements {
            let values = measurement.evaluate(scope, self.party());
            let trends = measurement.trends_in(scope);
            let depth = usize::from(values.depth);
            (0..depth - 1).for_each(|level| tally.list(trends.level(level)));
            let trend = trends.level(depth - 1).and(reference_trend);
            for list in values.text_lists() {
                let (judgement, excess) = self.count(common(&[list, &reference]).len(), trend);
                tally.add(judgement, excess);
            }
        }
    }

    /// A count against the window, given where the count can go.
    fn count<'a>(&self, count: usize, trend: Trend) -> (Judgement<'a>, f64) {
        // Far below 2^32: the players of a match times the strings of a list.
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let over = self.max_count.map_or(f64::NEG_INFINITY, |max| f64::from(count) - max);
        let under = self.min_count.map_or(f64::NEG_INFINITY, |min| min - f64::from(count));
        let pass = over <= 0.0 && under <= 0.0;
        let turns = if over > 0.0 {
            trend.can_fall(false)
        } else if under > 0.0 {
            trend.can_rise(false)
        } else {
            self.max_count.is_some() && trend.can_rise(false)
                || self.min_count.is_some() && trend.can_fall(false)
        };
        let numbers = Numbers::Count { count, min: self.min_count, max: self.max_count };
        (Judgement { pass, settled: !turns, numbers }, over.max(under))
    }
}
