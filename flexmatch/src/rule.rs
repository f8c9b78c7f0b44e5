//! Rules: what each kind is, and what its evaluation says.

mod batch_distance;
mod latency;
mod sort;
mod verdict;

pub use batch_distance::BatchDistance;
pub use latency::{Latency, LatencyReference};
pub use sort::{MapKey, Sort, SortDirection, SortKind};
pub use verdict::{Numbers, RuleOutcome, Verdict};

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

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

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
    /// `latency`
    Latency(Latency),
    /// `batchDistance`
    BatchDistance(BatchDistance),
    /// `absoluteSort` and `distanceSort`
    Sort(Sort),
}

impl RuleKind {
    /// The rule's `type`, as the rule set spells it.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Latency(_) => "latency",
            Self::BatchDistance(_) => "batchDistance",
            Self::Sort(sort) => match sort.kind {
                SortKind::Absolute => "absoluteSort",
                SortKind::Distance => "distanceSort",
            },
        }
    }
}

impl Rule {
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
