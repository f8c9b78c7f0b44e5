//! The JSON of a rule to a rule.

mod expressions;
mod measured;
mod unmeasured;

use super::{PartyAggregation, Rule, RuleKind, SortKind};
use crate::compat::Compat;
use crate::expr::Names;
use crate::finding::nearest;
use crate::json::Node;
use crate::rule_set::fields::{self, Fields};
use crate::rule_set::report::Report;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuleType {
    Comparison,
    Distance,
    Collection,
    Latency,
    BatchDistance,
    AbsoluteSort,
    DistanceSort,
    Compound,
}

impl RuleType {
    pub(crate) const ALL: [(&'static str, Self); 8] = [
        ("comparison", Self::Comparison),
        ("distance", Self::Distance),
        ("collection", Self::Collection),
        ("latency", Self::Latency),
        ("batchDistance", Self::BatchDistance),
        ("absoluteSort", Self::AbsoluteSort),
        ("distanceSort", Self::DistanceSort),
        ("compound", Self::Compound),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, rule_type)| *rule_type == self).map_or("", |(name, _)| name)
    }

    /// The properties besides `name`, `type` and `description`.
    pub(crate) const fn properties(self) -> &'static [&'static str] {
        match self {
            Self::Comparison => &["measurements", "referenceValue", "operation", "partyAggregation"],
            Self::Distance => {
                &["measurements", "referenceValue", "maxDistance", "minDistance", "partyAggregation"]
            }
            Self::Collection => {
                &["measurements", "referenceValue", "operation", "minCount", "maxCount", "partyAggregation"]
            }
            Self::Latency => &["maxLatency", "maxDistance", "distanceReference", "partyAggregation"],
            Self::BatchDistance => &["batchAttribute", "maxDistance", "partyAggregation"],
            Self::AbsoluteSort | Self::DistanceSort => {
                &["sortDirection", "sortAttribute", "mapKey", "partyAggregation"]
            }
            Self::Compound => &["statement"],
        }
    }
}

/// What is known of a rule before it is parsed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RuleHead<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) rule_type: Option<RuleType>,
}

/// What a rule may refer to.
#[derive(Clone, Copy)]
pub(crate) struct Earlier<'a> {
    pub(crate) names: Names<'a>,
    /// All rules, in order.
    pub(crate) rules: &'a [RuleHead<'a>],
}

/// Reads the rule at `index`, or reports why not.
pub(crate) fn parse(
    fields: Fields<'_>,
    index: usize,
    earlier: &Earlier<'_>,
    compat: &Compat,
    report: &mut Report,
) -> Option<Rule> {
    let head = earlier.rules[index];
    let mut reader = Reader { fields, earlier, compat, report };
    let kind = match head.rule_type? {
        RuleType::Comparison => RuleKind::Comparison(reader.comparison()?),
        RuleType::Distance => RuleKind::Distance(reader.distance()?),
        RuleType::Collection => RuleKind::Collection(reader.collection()?),
        RuleType::Latency => RuleKind::Latency(reader.latency()?),
        RuleType::BatchDistance => RuleKind::BatchDistance(reader.batch_distance()?),
        RuleType::AbsoluteSort => RuleKind::Sort(reader.sort(SortKind::Absolute)?),
        RuleType::DistanceSort => RuleKind::Sort(reader.sort(SortKind::Distance)?),
        RuleType::Compound => RuleKind::Compound(reader.compound(index)?),
    };
    Some(Rule { name: head.name?.to_owned(), kind })
}

struct Reader<'a, 'r> {
    fields: Fields<'a>,
    earlier: &'r Earlier<'r>,
    compat: &'r Compat,
    report: &'r mut Report,
}

impl Reader<'_, '_> {
    /// The outer `None` if the key is absent, the inner one if its value is wrong.
    fn limit(&mut self, key: &str) -> Option<Option<f64>> {
        let node = self.fields.get(key)?;
        Some(fields::limit(node, &format!("`{key}`"), self.report))
    }

    fn window(&mut self, min_key: &str, min: Option<f64>, max_key: &str, max: Option<f64>) {
        if let (Some(low), Some(high)) = (min, max)
            && low > high
        {
            let message = format!("this rule can never pass: `{min_key}` {low} is above `{max_key}` {high}");
            let span = self.fields.get(min_key).map_or(self.fields.opening(), |node| node.span);
            self.report.warn(span, "dead-rule", message, None);
        }
    }

    /// `None` if the value is wrong; the default if it is absent.
    fn choice<T: Copy + Default>(&mut self, key: &str, known: &[(&str, T)]) -> Option<T> {
        match self.fields.get(key) {
            None => Some(T::default()),
            Some(node) => fields::choice(node, &format!("`{key}`"), known, self.report),
        }
    }

    fn party_aggregation(&mut self) -> Option<PartyAggregation> {
        self.choice(
            "partyAggregation",
            &[
                ("avg", PartyAggregation::Average),
                ("min", PartyAggregation::Min),
                ("max", PartyAggregation::Max),
            ],
        )
    }

    fn attribute(&mut self, key: &str, what: &str) -> Option<usize> {
        let node = self.fields.require(key, what, self.report)?;
        let name = fields::string(node, &format!("`{key}`"), self.report)?;
        attribute(node, name, self.earlier.names, self.report)
    }
}

/// The index of a declared attribute, or reports that there is none.
pub(crate) fn attribute(node: &Node, name: &str, names: Names<'_>, report: &mut Report) -> Option<usize> {
    let found = names.attributes.iter().position(|attribute| attribute.name == name);
    if found.is_none() {
        let near = nearest(name, names.attributes.iter().map(|attribute| attribute.name.as_str()));
        let help = near.map_or_else(
            || "declare it in `playerAttributes`".to_owned(),
            |near| format!("did you mean {near:?}?"),
        );
        let message = format!("there is no player attribute {name:?}");
        report.error(node.span, "unknown-attribute", message, Some(help));
    }
    found
}
