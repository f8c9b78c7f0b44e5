//! The statement of a compound rule: `or(and(a, b), not(c))`.

use std::ops::Range;

use super::Statement;
use super::parse::{Earlier, RuleType};
use crate::expr::ExprError;
use crate::finding::nearest;

/// Deepest nesting accepted; nobody can read half of it, and it bounds the recursion here and in evaluation.
const DEPTH_MAX: usize = 32;

const OPERATORS: [&str; 4] = ["and", "or", "xor", "not"];

/// Parses a statement of the rule at `index`. With a statement, all findings are warnings.
pub(super) fn parse(text: &str, index: usize, earlier: &Earlier<'_>) -> (Option<Statement>, Vec<ExprError>) {
    let mut parser = Parser { text, at: 0, index, earlier, found: Vec::new() };
    let mut statement = parser.statement(0);
    parser.space();
    if statement.is_some() && parser.at < text.len() {
        let range = parser.at..text.len();
        parser.error(range, "statement-syntax", "this does not belong here".to_owned(), None);
        statement = None;
    }
    let failed = parser.found.iter().any(|found| !found.warning);
    (statement.filter(|_| !failed), parser.found)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    index: usize,
    earlier: &'a Earlier<'a>,
    found: Vec<ExprError>,
}

impl<'a> Parser<'a> {
    fn error(&mut self, range: Range<usize>, code: &'static str, message: String, help: Option<String>) {
        self.found.push(ExprError { range, code, message, help, warning: false });
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take(&mut self, wanted: char) -> bool {
        self.space();
        let found = self.text[self.at..].starts_with(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    /// Names may contain anything but the statement's own punctuation.
    fn word(&mut self) -> (&'a str, Range<usize>) {
        self.space();
        let rest = &self.text[self.at..];
        let word = rest[..rest.find([',', '(', ')']).unwrap_or(rest.len())].trim_end();
        let range = self.at..self.at + word.len();
        self.at = range.end;
        (word, range)
    }

    /// `None` means that parsing cannot go on. A leaf that is wrong is reported and stands for any rule.
    fn statement(&mut self, depth: usize) -> Option<Statement> {
        let (word, range) = self.word();
        if depth > DEPTH_MAX {
            let message = format!("the statement is nested more than {DEPTH_MAX} deep");
            self.error(range, "statement-syntax", message, None);
            return None;
        }
        if !self.take('(') {
            return self.leaf(word, range);
        }
        if !OPERATORS.contains(&word) {
            let help = nearest(word, OPERATORS).map_or_else(
                || "the operators are and, or, xor, not".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            self.error(range, "unknown-operator", format!("there is no operator `{word}`"), Some(help));
            return None;
        }
        let mut parts = vec![self.statement(depth + 1)?];
        while self.take(',') {
            parts.push(self.statement(depth + 1)?);
        }
        if !self.take(')') {
            let end = self.at..self.text.len();
            self.error(end, "statement-syntax", "expected `,` or `)`".to_owned(), None);
            return None;
        }
        self.operator(word, range, parts)
    }

    fn operator(&mut self, word: &str, range: Range<usize>, mut parts: Vec<Statement>) -> Option<Statement> {
        let count = parts.len();
        match (word, count) {
            ("not", 1) => return parts.pop().map(|part| Statement::Not(Box::new(part))),
            ("xor", 2) => {
                let second = parts.pop()?;
                return parts.pop().map(|first| Statement::Xor(Box::new([first, second])));
            }
            ("and" | "or", 2..) => {
                if count > 2 {
                    let message = format!("AWS documents `{word}` with two arguments, not {count}");
                    let help = Some(format!("nest it: {word}(a, {word}(b, c))"));
                    self.found.push(ExprError { range, code: "arity", message, help, warning: true });
                }
                return Some(if word == "and" { Statement::And(parts) } else { Statement::Or(parts) });
            }
            _ => {}
        }
        let wanted = if word == "not" { "one argument" } else { "two arguments" };
        self.error(range, "arity", format!("`{word}` takes {wanted}, not {count}"), None);
        None
    }

    fn leaf(&mut self, name: &str, range: Range<usize>) -> Option<Statement> {
        let rules = self.earlier.rules;
        let Some(found) = rules.iter().position(|rule| rule.name == Some(name)) else {
            let (message, help) = if name.is_empty() {
                ("a rule name or an operator is missing here".to_owned(), None)
            } else {
                let near = nearest(name, rules.iter().filter_map(|rule| rule.name));
                (format!("there is no rule {name:?}"), near.map(|near| format!("did you mean {near:?}?")))
            };
            self.error(range, "unknown-rule", message, help);
            return (!name.is_empty()).then_some(Statement::Rule(0));
        };
        if found == self.index {
            let message = format!("{name:?} cannot be a member of itself");
            self.error(range.clone(), "cyclic-compound", message, None);
        } else if found > self.index {
            let message = format!("{name:?} is defined later");
            let help = "a compound rule can only use rules before it: move it up".to_owned();
            self.error(range.clone(), "rule-defined-later", message, Some(help));
        }
        if let Some(rule_type @ (RuleType::BatchDistance | RuleType::AbsoluteSort | RuleType::DistanceSort)) =
            rules[found].rule_type
        {
            let message =
                format!("{name:?} is a {} rule, which cannot be part of a compound", rule_type.name());
            self.error(range, "compound-member", message, None);
        }
        Some(Statement::Rule(found))
    }
}
