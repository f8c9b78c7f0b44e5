//! A finding as rustc would print it.

use std::io::{self, Write};
use std::path::Path;

use flexmatch::{Finding, Severity};

/// Most characters of a line that are shown: a rule set may be one line of 65,535.
const WIDTH_MAX: usize = 110;

/// Prints a finding with its place, its line and a caret.
pub(super) fn print(out: &mut dyn Write, file: &Path, text: &str, finding: &Finding) -> io::Result<()> {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    writeln!(out, "{severity}[{}]: {}", finding.code, finding.message)?;
    let number = finding.line.to_string();
    let margin = " ".repeat(number.len());
    writeln!(out, "{margin}--> {}:{}:{}", file.display(), finding.line, finding.column)?;
    if let Some(line) = text.lines().nth(finding.line - 1) {
        let (shown, before) = window(line, finding.column - 1);
        let width = shown.chars().count();
        // Tabs stay tabs, so that the caret is under its column.
        let indent: String = shown.chars().take(before).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let carets = "^".repeat(finding.length.min(width.saturating_sub(before)).max(1));
        writeln!(out, "{margin} |\n{number} | {shown}\n{margin} | {indent}{carets}")?;
    }
    if !finding.pointer.is_empty() {
        writeln!(out, "{margin} = at: {}", finding.pointer)?;
    }
    if let Some(help) = &finding.help {
        writeln!(out, "{margin} = help: {help}")?;
    }
    writeln!(out)
}

/// The part of a line around a column, and how many characters of it come before the column.
fn window(line: &str, column: usize) -> (String, usize) {
    let count = line.chars().count();
    if count <= WIDTH_MAX {
        return (line.to_owned(), column);
    }
    let start = column.saturating_sub(WIDTH_MAX / 2).min(count - WIDTH_MAX);
    (line.chars().skip(start).take(WIDTH_MAX).collect(), column - start)
}

/// "2 errors, 1 warning".
pub(super) fn summary(findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let mut parts = Vec::new();
    for (severity, name) in
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
    {
        match count(severity) {
            0 => {}
            1 => parts.push(format!("1 {name}")),
            many => parts.push(format!("{many} {name}s")),
        }
    }
    parts.join(", ")
}
