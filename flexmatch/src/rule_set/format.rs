//! The layout of a rule set: two spaces, short things on one line, everything else as it was written.

use super::report::Report;
use crate::finding::Finding;
use crate::json::{self, Document, Node, Span, Value};

/// Longest list or object that stays on one line, in characters.
const LINE_MAX: usize = 100;

/// Lays out a rule set anew. Keys keep their order, numbers and strings their spelling, comments their place.
///
/// Formatting twice is the same as once, and the result parses to the same rule set. What the rule set says is not
/// looked at: one with errors is formatted too, as long as it is JSON (comments allowed).
///
/// # Errors
/// If the text is not JSON.
pub fn format(text: &str) -> Result<String, Vec<Finding>> {
    let Document { root, comments, errors } = json::parse(text);
    let mut report = Report::default();
    for error in errors {
        report.error(error.span, "json-syntax", error.message, error.help.map(str::to_owned));
    }
    let root = match root {
        Some(root) if !report.has_errors() => root,
        root => return Err(report.finish(text, root.as_ref())),
    };
    let mut writer = Writer { text, comments: &comments, out: String::with_capacity(text.len()) };
    writer.comments_before(root.span.start, 0);
    writer.node(&root, 0, true);
    writer.trailing_comments(root.span.end);
    writer.out.push('\n');
    writer.comments_before(text.len(), 0);
    Ok(writer.out)
}

struct Writer<'a> {
    text: &'a str,
    /// Those not yet written.
    comments: &'a [Span],
    out: String,
}

impl<'a> Writer<'a> {
    fn slice(&self, span: Span) -> &'a str {
        &self.text[span.start..span.end]
    }

    fn indent(&mut self, depth: usize) {
        self.out.extend(std::iter::repeat_n("  ", depth));
    }

    /// Comments up to a place in the text, each on a line of its own.
    fn comments_before(&mut self, end: usize, depth: usize) {
        while let Some((comment, rest)) =
            self.comments.split_first().filter(|(comment, _)| comment.start < end)
        {
            self.comments = rest;
            self.indent(depth);
            self.out.push_str(self.slice(*comment).trim_end());
            self.out.push('\n');
        }
    }

    /// Comments on the line on which something ended.
    fn trailing_comments(&mut self, end: usize) {
        while let Some((comment, rest)) = self.comments.split_first() {
            let between = &self.text[end.min(comment.start)..comment.start];
            // What stands between must belong to nobody else.
            if !between.trim_start_matches([' ', '\t', ',']).is_empty() && !is_comments(between) {
                return;
            }
            self.comments = rest;
            self.out.push(' ');
            self.out.push_str(self.slice(*comment).trim_end());
        }
    }

    fn node(&mut self, node: &Node, depth: usize, expand: bool) {
        let (open, close) = match &node.value {
            Value::Array(_) => ('[', ']'),
            Value::Object(_) => ('{', '}'),
            _ => return self.out.push_str(self.slice(node.span)),
        };
        let commented = self.comments.first().is_some_and(|comment| comment.start < node.span.end);
        if !commented && !expand {
            let mut line = String::new();
            if inline(self.text, node, &mut line) {
                self.out.push_str(&line);
                return;
            }
        }
        self.out.push(open);
        let children: Vec<(Option<Span>, &Node)> = match &node.value {
            Value::Array(items) => items.iter().map(|item| (None, item)).collect(),
            Value::Object(members) => {
                members.iter().map(|member| (Some(member.key_span), &member.value)).collect()
            }
            _ => Vec::new(),
        };
        if children.is_empty() && !commented {
            return self.out.push(close);
        }
        self.out.push('\n');
        for (at, (key, child)) in children.iter().enumerate() {
            self.comments_before(child.span.start, depth + 1);
            self.indent(depth + 1);
            if let Some(key) = key {
                self.out.push_str(self.slice(*key));
                self.out.push_str(": ");
            }
            self.node(child, depth + 1, false);
            if at + 1 < children.len() {
                self.out.push(',');
            }
            self.trailing_comments(child.span.end);
            self.out.push('\n');
        }
        self.comments_before(node.span.end, depth + 1);
        self.indent(depth);
        self.out.push(close);
    }
}

/// Whether a text on one line is nothing but commas and closed comments.
fn is_comments(between: &str) -> bool {
    let mut rest = between;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let Some(inside) = rest.strip_prefix("/*") else { return rest.is_empty() };
        let Some(end) = inside.find("*/") else { return false };
        if inside[..end].contains('\n') {
            return false;
        }
        rest = &inside[end + 2..];
    }
}

/// Writes what fits on a line: a list or an object without lists of lists or objects in it.
fn inline(text: &str, node: &Node, line: &mut String) -> bool {
    if line.len() > LINE_MAX {
        return false;
    }
    match &node.value {
        Value::Array(items) => {
            line.push('[');
            for (at, item) in items.iter().enumerate() {
                line.push_str(if at > 0 { ", " } else { "" });
                if matches!(item.value, Value::Array(_) | Value::Object(_)) || !inline(text, item, line) {
                    return false;
                }
            }
            line.push(']');
        }
        Value::Object(members) => {
            line.push('{');
            for (at, member) in members.iter().enumerate() {
                line.push_str(if at > 0 { ", " } else { " " });
                line.push_str(&text[member.key_span.start..member.key_span.end]);
                line.push_str(": ");
                if matches!(member.value.value, Value::Object(_)) || !inline(text, &member.value, line) {
                    return false;
                }
            }
            line.push_str(if members.is_empty() { "}" } else { " }" });
        }
        _ => line.push_str(&text[node.span.start..node.span.end]),
    }
    line.chars().count() <= LINE_MAX
}
