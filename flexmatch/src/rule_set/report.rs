//! Where the parser puts what it finds.

use crate::finding::{Finding, Severity};
use crate::json::{Node, Span};

/// Most errors listed, and most warnings and notes. A text of this length that has more is not a rule set.
const FINDINGS_MAX: usize = 1_000;

/// Findings with their places, before places become lines and columns.
#[derive(Debug, Default)]
pub(crate) struct Report {
    found: Vec<(Span, Finding)>,
    errors: usize,
    unlisted: usize,
}

impl Report {
    pub(crate) fn error(&mut self, span: Span, code: &'static str, message: String, help: Option<String>) {
        self.add(Severity::Error, span, code, message, help);
    }

    pub(crate) fn warn(&mut self, span: Span, code: &'static str, message: String, help: Option<String>) {
        self.add(Severity::Warning, span, code, message, help);
    }

    pub(crate) fn note(&mut self, span: Span, code: &'static str, message: String, help: Option<String>) {
        self.add(Severity::Note, span, code, message, help);
    }

    pub(crate) fn add(
        &mut self,
        severity: Severity,
        span: Span,
        code: &'static str,
        message: String,
        help: Option<String>,
    ) {
        // Rules are read again for every expansion step, so that much is found several times.
        let known = |(at, finding): &(Span, Finding)| {
            *at == span && finding.code == code && finding.message == message
        };
        if self.found.iter().any(known) {
            return;
        }
        let error = severity == Severity::Error;
        let alike = if error { self.errors } else { self.found.len() - self.errors };
        if alike >= FINDINGS_MAX {
            self.unlisted += 1;
            return;
        }
        self.errors += usize::from(error);
        let (pointer, line, column, length) = (String::new(), 0, 0, 0);
        let finding = Finding { severity, code, message, help, pointer, line, column, length };
        self.found.push((span, finding));
    }

    pub(crate) const fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// The findings in the order of the text.
    pub(crate) fn finish(mut self, text: &str, root: Option<&Node>) -> Vec<Finding> {
        if self.unlisted > 0 {
            let message = format!("more was found {} times and is not listed", self.unlisted);
            let (code, pointer, help) = ("unlisted", String::new(), None);
            let (severity, line, column, length) = (Severity::Note, 0, 0, 0);
            let finding = Finding { severity, code, message, help, pointer, line, column, length };
            self.found.push((Span { start: text.len(), end: text.len() }, finding));
        }
        self.found.sort_by_key(|(span, finding)| (span.start, std::cmp::Reverse(finding.severity)));
        let mut line = 1;
        let mut line_start = 0;
        let mut at = 0;
        self.found
            .into_iter()
            .map(|(span, mut finding)| {
                for (newline, _) in text[at..span.start].match_indices('\n') {
                    line += 1;
                    line_start = at + newline + 1;
                }
                at = span.start;
                let covered = text[span.start..span.end].split(['\r', '\n']).next().unwrap_or("");
                finding.line = line;
                finding.column = text[line_start..span.start].chars().count() + 1;
                finding.length = covered.chars().count().max(1);
                finding.pointer = root.map(|root| root.pointer_to(span)).unwrap_or_default();
                finding
            })
            .collect()
    }
}
