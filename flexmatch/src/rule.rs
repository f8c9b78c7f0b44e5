//! Rules: what each kind is, and what its evaluation says.

mod batch_distance;
mod collection;
mod comparison;
mod compound;
mod distance;
mod latency;
mod parse;
mod reference;
mod sort;
mod statement;
mod verdict;

pub use batch_distance::BatchDistance;
pub use collection::Collection;
pub use comparison::{Comparison, Operation};
pub use compound::{Compound, Statement};
pub use distance::Distance;
pub use latency::{Latency, LatencyReference};
pub use sort::{MapKey, Sort, SortDirection, SortKey, SortKeys, SortKind};
pub use verdict::{Numbers, RuleOutcome, Verdict};

pub(crate) use collection::{CollectionOperation, ListReference};
pub(crate) use distance::APART_AROUND_AVERAGE;
pub(crate) use parse::{Earlier, RuleHead, RuleType, attribute, parse};
pub(crate) use reference::Reference;
pub(crate) use verdict::Judgement;

use crate::expr::{Expression, Scope};

/// A rule of a rule set, as it stands at some age.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its unique name.
    pub name: String,
    /// What it demands.
    pub kind: RuleKind,
}

/// The eight rule types; the two sorts share a variant.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleKind {
    /// `comparison`
    Comparison(Comparison),
    /// `distance`
    Distance(Distance),
    /// `collection`
    Collection(Collection),
    /// `latency`
    Latency(Latency),
    /// `batchDistance`
    BatchDistance(BatchDistance),
    /// `absoluteSort` and `distanceSort`
    Sort(Sort),
    /// `compound`
    Compound(Compound),
}

impl RuleKind {
    /// The rule's `type`, as the rule set spells it.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Comparison(_) => "comparison",
            Self::Distance(_) => "distance",
            Self::Collection(_) => "collection",
            Self::Latency(_) => "latency",
            Self::BatchDistance(_) => "batchDistance",
            Self::Sort(sort) => match sort.kind {
                SortKind::Absolute => "absoluteSort",
                SortKind::Distance => "distanceSort",
            },
            Self::Compound(_) => "compound",
        }
    }
}

impl Rule {
    /// `judged` says of every earlier rule whether it holds, and for ever: what compound rules need.
    pub(crate) fn judge<'a>(&'a self, scope: &Scope<'a, '_>, judged: &[(bool, bool)]) -> Judgement<'a> {
        match &self.kind {
            RuleKind::Comparison(rule) => rule.judge(scope),
            RuleKind::Distance(rule) => rule.judge(scope),
            RuleKind::Collection(rule) => rule.judge(scope),
            RuleKind::Latency(rule) => rule.judge(scope),
            RuleKind::BatchDistance(rule) => rule.judge(scope),
            RuleKind::Sort(_) => Judgement { pass: true, settled: true, numbers: Numbers::Sort },
            RuleKind::Compound(rule) => rule.judge(judged),
        }
    }

    /// Whether the rule could say something else if a party counted as one.
    pub(crate) fn depends_on_party(&self) -> bool {
        let (measurements, reference) = match &self.kind {
            RuleKind::Comparison(rule) => (&rule.measurements, rule.reference.as_ref()),
            RuleKind::Distance(rule) => (&rule.measurements, Some(&rule.reference)),
            _ => return false,
        };
        let reference = match reference {
            Some(Reference::Expression(expression)) => Some(expression),
            _ => None,
        };
        measurements.iter().chain(reference).any(Expression::depends_on_party)
    }

    pub(crate) const fn as_sort(&self) -> Option<&Sort> {
        if let RuleKind::Sort(sort) = &self.kind { Some(sort) } else { None }
    }

    pub(crate) const fn as_batch_distance(&self) -> Option<&BatchDistance> {
        if let RuleKind::BatchDistance(rule) = &self.kind { Some(rule) } else { None }
    }

    pub(crate) const fn as_latency(&self) -> Option<&Latency> {
        if let RuleKind::Latency(latency) = &self.kind { Some(latency) } else { None }
    }
}

/// How the players of one ticket become one number (`partyAggregation`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartyAggregation {
    /// `avg`
    #[default]
    Average,
    /// `min`
    Min,
    /// `max`
    Max,
}

impl PartyAggregation {
    /// The aggregate of `numbers`, or `None` if there are none.
    pub fn of(self, numbers: impl Iterator<Item = f64>) -> Option<f64> {
        let (mut count, mut sum, mut min, mut max) = (0_u32, 0.0, f64::INFINITY, f64::NEG_INFINITY);
        for number in numbers {
            count += 1;
            sum += number;
            min = f64::min(min, number);
            max = f64::max(max, number);
        }
        (count > 0).then(|| match self {
            Self::Average => sum / f64::from(count),
            Self::Min => min,
            Self::Max => max,
        })
    }
}

/// How the lists of the players of one ticket become one list (`partyAggregation` of a collection rule).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartyLists {
    /// `union`
    #[default]
    Union,
    /// `intersection`
    Intersection,
}
