//! The JSON of a rule to a rule.

use super::statement;
use super::{
    BatchDistance, Collection, CollectionOperation, Comparison, Compound, Distance, Latency,
    LatencyReference, ListReference, MapKey, Operation, PartyAggregation, PartyLists, Reference, Rule,
    RuleKind, Sort, SortDirection, SortKind,
};
use crate::compat::{Compat, DistanceReferenceList};
use crate::expr::{self, ExprError, Expression, Leaf, Names, looks_like_expression};
use crate::finding::{Severity, nearest};
use crate::json::{Node, Span, Value};
use crate::player::AttributeType;
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

impl<'a> Reader<'a, '_> {
    fn comparison(&mut self) -> Option<Comparison> {
        let measurements = self.measurements();
        let operation = self.fields.require("operation", "a comparison rule", self.report);
        let operation =
            operation.and_then(|node| fields::choice(node, "`operation`", &Operation::ALL, self.report));
        let party_aggregation = self.party_aggregation();
        let node = self.fields.get("referenceValue");
        let Some((measurements, leaf)) = self.with_leaf(measurements) else {
            self.only_check(node);
            return None;
        };
        let reference = match node {
            Some(node) => Some(self.reference(node, leaf)?),
            None => None,
        };
        let operation = operation?;
        let among = matches!(operation, Operation::Equal | Operation::NotEqual);
        if reference.is_none() && !among {
            let message = format!("`{operation}` needs a `referenceValue`");
            let help = "only `=` and `!=` compare the measured values with each other".to_owned();
            self.report.error(self.fields.key_span("operation"), "missing-key", message, Some(help));
            return None;
        }
        if leaf == Leaf::Text && !among {
            let message = format!("`{operation}` on strings");
            let help = "AWS does not say how strings are ordered; here they are by their bytes".to_owned();
            self.report.note(self.fields.key_span("operation"), "string-order", message, Some(help));
        }
        Some(Comparison { measurements, operation, reference, party_aggregation: party_aggregation? })
    }

    fn distance(&mut self) -> Option<Distance> {
        let measurements = self.measurements();
        let reference = self.fields.require("referenceValue", "a distance rule", self.report);
        let min_distance = self.limit("minDistance");
        let max_distance = self.limit("maxDistance");
        let party_aggregation = self.party_aggregation();
        if min_distance.is_none() && max_distance.is_none() {
            let message = "a distance rule needs `maxDistance` or `minDistance`".to_owned();
            self.report.error(
                self.fields.opening(),
                "missing-key",
                message,
                Some("add \"maxDistance\"".to_owned()),
            );
        }
        self.window("minDistance", min_distance.flatten(), "maxDistance", max_distance.flatten());
        let Some((measurements, leaf)) = self.with_leaf(measurements) else {
            self.only_check(reference);
            return None;
        };
        if leaf == Leaf::Text {
            let message = "a distance rule measures numbers, and this is text".to_owned();
            self.report.error(self.fields.key_span("measurements"), "expression-type", message, None);
            self.only_check(reference);
            return None;
        }
        let node = reference?;
        let reference = self.reference(node, Leaf::Number)?;
        if let Reference::Expression(expression) = &reference
            && expression.value_type.depth > 0
            && self.compat.distance_reference == DistanceReferenceList::Reject
        {
            let message = "`referenceValue` of a distance rule must be one number".to_owned();
            self.report.error(node.span, "expression-type", message, None);
            return None;
        }
        let (min_distance, max_distance) = (min_distance.flatten(), max_distance.flatten());
        let party_aggregation = party_aggregation?;
        Some(Distance { measurements, reference, min_distance, max_distance, party_aggregation })
    }

    fn collection(&mut self) -> Option<Collection> {
        #[derive(Clone, Copy)]
        enum Kind {
            Intersection,
            Contains,
            Reference,
        }
        const KINDS: [(&str, Kind); 3] = [
            ("intersection", Kind::Intersection),
            ("contains", Kind::Contains),
            ("reference_intersection_count", Kind::Reference),
        ];
        let measurements = self.measurements();
        let kind = self.fields.require("operation", "a collection rule", self.report);
        let kind = kind.and_then(|node| fields::choice(node, "`operation`", &KINDS, self.report));
        let min_count = self.limit("minCount");
        let max_count = self.limit("maxCount");
        let party_aggregation = self.choice(
            "partyAggregation",
            &[("union", PartyLists::Union), ("intersection", PartyLists::Intersection)],
        );
        if min_count.is_none() && max_count.is_none() {
            let message = "a collection rule without `minCount` and `maxCount` always passes".to_owned();
            self.report.warn(self.fields.opening(), "dead-rule", message, None);
        }
        self.window("minCount", min_count.flatten(), "maxCount", max_count.flatten());
        let reference = self.fields.get("referenceValue");
        let Some((measurements, leaf)) = self.with_leaf(measurements) else {
            self.only_check(reference);
            return None;
        };
        if leaf != Leaf::Text {
            let message = "a collection rule measures lists of strings, and these are numbers".to_owned();
            self.report.error(self.fields.key_span("measurements"), "expression-type", message, None);
            self.only_check(reference);
            return None;
        }
        let operation = match (kind?, reference) {
            (Kind::Intersection, None) => CollectionOperation::Intersection,
            (Kind::Intersection, Some(node)) => {
                let message = "`intersection` has no `referenceValue`".to_owned();
                let help = "it is ignored; did you mean \"reference_intersection_count\"?".to_owned();
                self.report.warn(node.span, "unused-reference", message, Some(help));
                CollectionOperation::Intersection
            }
            (Kind::Contains, Some(node)) => CollectionOperation::Contains(self.contained(node)?),
            (Kind::Reference, Some(node)) => {
                CollectionOperation::ReferenceIntersectionCount(self.list_reference(node)?)
            }
            (Kind::Contains | Kind::Reference, None) => {
                self.fields.require("referenceValue", "this collection rule", self.report);
                return None;
            }
        };
        let (min_count, max_count) = (min_count.flatten(), max_count.flatten());
        let party_aggregation = party_aggregation?;
        Some(Collection { measurements, operation, min_count, max_count, party_aggregation })
    }

    /// The value `contains` looks for: one string.
    fn contained(&mut self, node: &Node) -> Option<String> {
        let text = fields::string(node, "`referenceValue` of `contains`", self.report)?;
        if looks_like_expression(text) {
            let message = "`contains` looks for one string, and no expression yields one".to_owned();
            let help = "did you mean \"reference_intersection_count\"?".to_owned();
            self.report.error(node.span, "expression-type", message, Some(help));
            return None;
        }
        Some(text.to_owned())
    }

    fn list_reference(&mut self, node: &Node) -> Option<ListReference> {
        match &node.value {
            Value::Array(items) => {
                let texts = items.iter().map(|item| {
                    fields::string(item, "a value of `referenceValue`", self.report).map(str::to_owned)
                });
                // All are read, so that all errors are reported.
                let texts: Vec<_> = texts.collect();
                texts.into_iter().collect::<Option<_>>().map(ListReference::Literal)
            }
            Value::String(text) if looks_like_expression(text) => {
                let expression = self.expression(node, text)?;
                if expression.value_type.leaf != Leaf::Text || expression.value_type.depth != 1 {
                    let message = format!(
                        "`referenceValue` must be a list of strings, not {}",
                        expression.value_type.describe()
                    );
                    let help = (expression.value_type.depth > 1)
                        .then(|| "wrap it in `flatten(..)` or `set_intersection(..)`".to_owned());
                    self.report.error(node.span, "expression-type", message, help);
                    return None;
                }
                Some(ListReference::Expression(expression))
            }
            Value::String(text) => {
                self.not_an_expression(node, text, "a list of strings");
                None
            }
            _ => {
                fields::wrong_kind(
                    node,
                    "`referenceValue`",
                    "a list of strings or a property expression",
                    self.report,
                );
                None
            }
        }
    }

    fn latency(&mut self) -> Option<Latency> {
        let max_latency = self.limit("maxLatency");
        let max_distance = self.limit("maxDistance");
        let distance_reference = self.choice(
            "distanceReference",
            &[("min", LatencyReference::Min), ("avg", LatencyReference::Average)],
        );
        let party_aggregation = self.party_aggregation();
        if max_latency.is_none() && max_distance.is_none() {
            let message = "a latency rule needs `maxLatency` or `maxDistance`".to_owned();
            self.report.error(
                self.fields.opening(),
                "missing-key",
                message,
                Some("add \"maxLatency\"".to_owned()),
            );
            return None;
        }
        if max_distance.is_none() && self.fields.get("distanceReference").is_some() {
            let message = "`distanceReference` does nothing without `maxDistance`".to_owned();
            self.report.warn(self.fields.key_span("distanceReference"), "unused-key", message, None);
        }
        Some(Latency {
            max_latency: max_latency.flatten(),
            max_distance: max_distance.flatten(),
            distance_reference: distance_reference?,
            party_aggregation: party_aggregation?,
        })
    }

    fn batch_distance(&mut self) -> Option<BatchDistance> {
        let attribute = self.attribute("batchAttribute", "a batchDistance rule");
        let max_distance = self.limit("maxDistance");
        let party_aggregation = self.party_aggregation();
        let attribute = attribute?;
        match self.earlier.names.attributes[attribute].attribute_type {
            AttributeType::Number if max_distance.is_none() => {
                self.fields.require("maxDistance", "a batchDistance rule on a number attribute", self.report);
                return None;
            }
            AttributeType::String if max_distance.is_some() => {
                let message = "`maxDistance` does nothing here: strings must be equal".to_owned();
                self.report.warn(self.fields.key_span("maxDistance"), "unused-key", message, None);
                return Some(BatchDistance {
                    attribute,
                    max_distance: None,
                    party_aggregation: party_aggregation?,
                });
            }
            AttributeType::Number | AttributeType::String => {}
            other => {
                let message =
                    format!("a batchDistance rule takes a number or a string attribute, not a {other}");
                self.report.error(self.fields.key_span("batchAttribute"), "attribute-type", message, None);
                return None;
            }
        }
        let max_distance = max_distance.flatten();
        Some(BatchDistance { attribute, max_distance, party_aggregation: party_aggregation? })
    }

    fn sort(&mut self, kind: SortKind) -> Option<Sort> {
        const DIRECTIONS: [(&str, SortDirection); 2] =
            [("ascending", SortDirection::Ascending), ("descending", SortDirection::Descending)];
        const KEYS: [(&str, Option<MapKey>); 2] =
            [("minValue", Some(MapKey::MinValue)), ("maxValue", Some(MapKey::MaxValue))];
        let attribute = self.attribute("sortAttribute", "a sort rule");
        let direction = self.fields.require("sortDirection", "a sort rule", self.report);
        let direction =
            direction.and_then(|node| fields::choice(node, "`sortDirection`", &DIRECTIONS, self.report));
        let map_key = self.choice("mapKey", &KEYS);
        let party_aggregation = self.party_aggregation();
        let (attribute, map_key) = (attribute?, map_key?);
        match self.earlier.names.attributes[attribute].attribute_type {
            AttributeType::Number if map_key.is_some() => {
                let message = "`mapKey` does nothing: the attribute is no map".to_owned();
                self.report.warn(self.fields.key_span("mapKey"), "unused-key", message, None);
            }
            AttributeType::Number => {}
            AttributeType::StringNumberMap if map_key.is_none() => {
                self.fields.require("mapKey", "a sort rule on a map attribute", self.report);
                return None;
            }
            AttributeType::StringNumberMap => {}
            other => {
                let message =
                    format!("a sort rule takes a number or a string_number_map attribute, not a {other}");
                self.report.error(self.fields.key_span("sortAttribute"), "attribute-type", message, None);
                return None;
            }
        }
        Some(Sort { kind, direction: direction?, attribute, map_key, party_aggregation: party_aggregation? })
    }

    fn compound(&mut self, index: usize) -> Option<Compound> {
        let node = self.fields.require("statement", "a compound rule", self.report)?;
        let text = fields::string(node, "`statement`", self.report)?;
        let (statement, found) = statement::parse(text, index, self.earlier);
        self.located(node, found);
        Some(Compound { statement: statement? })
    }

    /// A list of expressions, or a bare string: example 11 of the guide has one.
    fn measurements(&mut self) -> Option<Vec<Expression>> {
        let node = self.fields.require("measurements", "this rule", self.report)?;
        let nodes = match &node.value {
            Value::Array(items) => items.as_slice(),
            Value::String(_) => std::slice::from_ref(node),
            _ => {
                fields::wrong_kind(node, "`measurements`", "a list of property expressions", self.report);
                return None;
            }
        };
        if nodes.is_empty() {
            self.report.error(
                node.span,
                "missing-value",
                "`measurements` must not be empty".to_owned(),
                None,
            );
            return None;
        }
        let mut measurements = Vec::with_capacity(nodes.len());
        for node in nodes {
            let text = fields::string(node, "a measurement", self.report);
            measurements.extend(text.and_then(|text| self.expression(node, text)));
        }
        (measurements.len() == nodes.len()).then_some(measurements)
    }

    /// What all measurements are made of.
    fn with_leaf(&mut self, measurements: Option<Vec<Expression>>) -> Option<(Vec<Expression>, Leaf)> {
        let measurements = measurements?;
        let leaf = measurements.first()?.value_type.leaf;
        if measurements.iter().any(|measurement| measurement.value_type.leaf != leaf) {
            let message = "numbers and strings cannot be measured together".to_owned();
            self.report.error(self.fields.key_span("measurements"), "expression-type", message, None);
            return None;
        }
        Some((measurements, leaf))
    }

    /// Reports what is wrong in a reference value whose rule cannot be read for another reason.
    fn only_check(&mut self, reference: Option<&Node>) {
        if let Some(node) = reference
            && let Value::String(text) = &node.value
            && looks_like_expression(text)
        {
            self.expression(node, text);
        }
    }

    fn expression(&mut self, node: &Node, text: &str) -> Option<Expression> {
        let (expression, found) = expr::parse(text, self.earlier.names);
        self.located(node, found);
        expression
    }

    /// Findings inside a string. Escapes shift positions, so that a string with any is pointed at as a whole.
    fn located(&mut self, node: &Node, found: Vec<ExprError>) {
        let length = match &node.value {
            Value::String(text) if node.span.end - node.span.start == text.len() + 2 => Some(text.len()),
            _ => None,
        };
        for ExprError { range, code, message, help, warning } in found {
            let span = match length {
                Some(length) => Span {
                    start: node.span.start + 1 + range.start.min(length),
                    end: node.span.start + 1 + range.end.min(length),
                },
                None => node.span,
            };
            let severity = if warning { Severity::Warning } else { Severity::Error };
            self.report.add(severity, span, code, message, help);
        }
    }

    /// A reference value for measured numbers or texts.
    fn reference(&mut self, node: &Node, leaf: Leaf) -> Option<Reference> {
        match (&node.value, leaf) {
            (Value::String(text), _) if looks_like_expression(text) => {
                let expression = self.expression(node, text)?;
                if expression.value_type.leaf != leaf || expression.value_type.depth > 1 {
                    let wanted = if leaf == Leaf::Number { "numbers" } else { "strings" };
                    let found = expression.value_type.describe();
                    let message = format!("{wanted} are measured, but `referenceValue` is {found}");
                    self.report.error(node.span, "expression-type", message, None);
                    return None;
                }
                Some(Reference::Expression(expression))
            }
            (Value::Number(number), Leaf::Number) => Some(Reference::Number(*number)),
            (Value::String(text), Leaf::Number) if text.trim().parse::<f64>().is_ok_and(f64::is_finite) => {
                fields::number(node, "`referenceValue`", self.report).map(Reference::Number)
            }
            (Value::String(text), Leaf::Number) => {
                self.not_an_expression(node, text, "a number");
                None
            }
            (Value::String(text), _) => {
                // A literal is legal, but one full of brackets is a mistyped expression.
                if text.contains(['[', '(']) && text.contains("players") {
                    let message = format!("{text:?} is taken literally, as it starts no property expression");
                    self.report.warn(node.span, "literal-reference", message, None);
                }
                Some(Reference::Text(text.clone()))
            }
            (_, leaf) => {
                let wanted = if leaf == Leaf::Number { "a number" } else { "a string" };
                fields::wrong_kind(node, "`referenceValue`", wanted, self.report);
                None
            }
        }
    }

    fn not_an_expression(&mut self, node: &Node, text: &str, wanted: &str) {
        let (_, found) = expr::parse(text, self.earlier.names);
        if text.contains(['[', '(']) && !found.is_empty() {
            self.located(node, found);
        } else {
            let message = format!("`referenceValue` must be {wanted} or a property expression, not {text:?}");
            self.report.error(node.span, "wrong-type", message, None);
        }
    }

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
