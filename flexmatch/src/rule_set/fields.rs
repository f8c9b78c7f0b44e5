//! Reading objects of known keys.

use std::collections::BTreeMap;

use super::report::Report;
use crate::compat::{Compat, UnknownKeys};
use crate::finding::nearest;
use crate::json::{Member, Node, Span, Value};

/// An object of the rule set, with some values replaced by those of expansion steps.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub(crate) span: Span,
    members: &'a [Member],
    replaced: Option<&'a BTreeMap<&'a str, &'a Node>>,
}

impl<'a> Fields<'a> {
    /// Reads `node` as an object, or reports that it is none.
    pub(crate) fn of(node: &'a Node, what: &str, report: &mut Report) -> Option<Self> {
        if let Value::Object(members) = &node.value {
            return Some(Self { span: node.span, members, replaced: None });
        }
        wrong_kind(node, what, "an object", report);
        None
    }

    pub(crate) fn replacing(self, values: &'a BTreeMap<&'a str, &'a Node>) -> Self {
        Self { replaced: Some(values), ..self }
    }

    /// The opening bracket: where to point for what is missing.
    pub(crate) const fn opening(&self) -> Span {
        Span { start: self.span.start, end: self.span.start + 1 }
    }

    /// The value of a key; the last one of several, as JSON parsers do.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Node> {
        let replaced = self.replaced.and_then(|values| values.get(key).copied());
        replaced.or_else(|| {
            self.members.iter().rev().find(|member| member.key == key).map(|member| &member.value)
        })
    }

    /// The key itself; of several, that of the value that counts.
    pub(crate) fn key_span(&self, key: &str) -> Span {
        self.members
            .iter()
            .rev()
            .find(|member| member.key == key)
            .map_or(self.opening(), |member| member.key_span)
    }

    /// As [`get`](Self::get), or reports that it is missing from `what`.
    pub(crate) fn require(&self, key: &str, what: &str, report: &mut Report) -> Option<&'a Node> {
        let found = self.get(key);
        if found.is_none() {
            let near = nearest(key, self.members.iter().map(|member| member.key.as_str()));
            let help = match near {
                Some(near) => format!("did you mean {near:?} to be {key:?}?"),
                None => format!("add {key:?}"),
            };
            report.error(self.opening(), "missing-key", format!("{what} has no {key:?}"), Some(help));
        }
        found
    }

    /// Reports keys that are not `known`.
    pub(crate) fn check_keys(&self, known: &[&str], what: &str, report: &mut Report, compat: &Compat) {
        for member in self.members.iter().filter(|member| !known.contains(&member.key.as_str())) {
            let message = format!("{what} has no property {:?}", member.key);
            let help = nearest(&member.key, known.iter().copied()).map_or_else(
                || format!("known are {}", known.join(", ")),
                |near| format!("did you mean {near:?}?"),
            );
            match compat.unknown_keys {
                UnknownKeys::Warn => report.warn(member.key_span, "unknown-key", message, Some(help)),
                UnknownKeys::Reject => report.error(member.key_span, "unknown-key", message, Some(help)),
            }
        }
    }
}

pub(crate) fn wrong_kind(node: &Node, what: &str, wanted: &str, report: &mut Report) {
    report.error(node.span, "wrong-type", format!("{what} must be {wanted}, not {}", node.kind()), None);
}

pub(crate) fn string<'a>(node: &'a Node, what: &str, report: &mut Report) -> Option<&'a str> {
    if let Value::String(text) = &node.value {
        return Some(text);
    }
    wrong_kind(node, what, "a string", report);
    None
}

/// A string of at least one character.
pub(crate) fn name<'a>(node: &'a Node, what: &str, report: &mut Report) -> Option<&'a str> {
    let text = string(node, what, report)?;
    if text.trim().is_empty() {
        report.error(node.span, "empty-name", format!("{what} must not be empty"), None);
        return None;
    }
    Some(text)
}

pub(crate) fn list<'a>(node: &'a Node, what: &str, report: &mut Report) -> Option<&'a [Node]> {
    if let Value::Array(items) = &node.value {
        return Some(items);
    }
    wrong_kind(node, what, "a list", report);
    None
}

/// A number, or a string that spells one: the rule reference writes `"maxDistance": "500"`.
pub(crate) fn number(node: &Node, what: &str, report: &mut Report) -> Option<f64> {
    match &node.value {
        Value::Number(number) => return Some(*number),
        Value::String(text) => {
            if let Some(number) = text.trim().parse().ok().filter(|number: &f64| number.is_finite()) {
                let message = format!("{what} is a number in a string");
                report.warn(
                    node.span,
                    "numeric-string",
                    message,
                    Some(format!("write {number} without quotes")),
                );
                return Some(number);
            }
        }
        _ => {}
    }
    wrong_kind(node, what, "a number", report);
    None
}

/// A number that is not negative.
pub(crate) fn limit(node: &Node, what: &str, report: &mut Report) -> Option<f64> {
    let number = number(node, what, report)?;
    if number < 0.0 {
        report.error(node.span, "out-of-range", format!("{what} must not be negative"), None);
        return None;
    }
    Some(number)
}

/// A whole number from `min` to `max`.
pub(crate) fn whole(node: &Node, what: &str, min: u32, max: u32, report: &mut Report) -> Option<u32> {
    let number = number(node, what, report)?;
    if number.fract() != 0.0 || number < f64::from(min) || number > f64::from(max) {
        let message = format!("{what} must be a whole number from {min} to {max}, not {number}");
        report.error(node.span, "out-of-range", message, None);
        return None;
    }
    // In range and whole, as was just checked.
    Some(number as u32)
}

/// One of a few words.
pub(crate) fn choice<T: Copy>(
    node: &Node,
    what: &str,
    known: &[(&str, T)],
    report: &mut Report,
) -> Option<T> {
    let text = string(node, what, report)?;
    if let Some((_, found)) = known.iter().find(|(word, _)| *word == text) {
        return Some(*found);
    }
    let words = known.iter().map(|(word, _)| *word);
    let help = nearest(text, words.clone()).map_or_else(
        || format!("it is one of {}", words.collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean {near:?}?"),
    );
    report.error(node.span, "unknown-value", format!("{what} cannot be {text:?}"), Some(help));
    None
}
