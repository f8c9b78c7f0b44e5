//! Property expressions in rules: measurements and reference values.

use super::Reader;
use crate::expr::{self, ExprError, Expression, Leaf, looks_like_expression};
use crate::finding::Severity;
use crate::json::{Node, Span, Value};
use crate::rule::{ListReference, Reference};
use crate::rule_set::fields;

impl Reader<'_, '_> {
    /// A list of expressions, or a bare string: example 11 of the guide has one.
    pub(super) fn measurements(&mut self) -> Option<Vec<Expression>> {
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
    pub(super) fn with_leaf(
        &mut self,
        measurements: Option<Vec<Expression>>,
    ) -> Option<(Vec<Expression>, Leaf)> {
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
    pub(super) fn only_check(&mut self, reference: Option<&Node>) {
        if let Some(node) = reference
            && let Value::String(text) = &node.value
            && looks_like_expression(text)
        {
            self.expression(node, text);
        }
    }

    pub(super) fn expression(&mut self, node: &Node, text: &str) -> Option<Expression> {
        let (expression, found) = expr::parse(text, self.earlier.names);
        self.located(node, found);
        expression
    }

    /// Findings inside a string. Escapes shift positions, so that a string with any is pointed at as a whole.
    pub(super) fn located(&mut self, node: &Node, found: Vec<ExprError>) {
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
    pub(super) fn reference(&mut self, node: &Node, leaf: Leaf) -> Option<Reference> {
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

    pub(super) fn not_an_expression(&mut self, node: &Node, text: &str, wanted: &str) {
        let (_, found) = expr::parse(text, self.earlier.names);
        if text.contains(['[', '(']) && !found.is_empty() {
            self.located(node, found);
        } else {
            let message = format!("`referenceValue` must be {wanted} or a property expression, not {text:?}");
            self.report.error(node.span, "wrong-type", message, None);
        }
    }

    /// The value `contains` looks for: one string.
    pub(super) fn contained(&mut self, node: &Node) -> Option<String> {
        let text = fields::string(node, "`referenceValue` of `contains`", self.report)?;
        if looks_like_expression(text) {
            let message = "`contains` looks for one string, and no expression yields one".to_owned();
            let help = "did you mean \"reference_intersection_count\"?".to_owned();
            self.report.error(node.span, "expression-type", message, Some(help));
            return None;
        }
        Some(text.to_owned())
    }

    pub(super) fn list_reference(&mut self, node: &Node) -> Option<ListReference> {
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
}
