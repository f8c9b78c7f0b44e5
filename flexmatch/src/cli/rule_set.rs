//! A rule set as the argument of a command.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use flexmatch::{Compat, Finding, RuleSet, Severity};

use super::{CliError, diagnostic, read};

/// Reads a rule set, or says what is wrong with it.
pub(super) fn read_rule_set(
    path: &Path,
    compat: &Compat,
    out: &mut dyn Write,
) -> Result<Arc<RuleSet>, CliError> {
    let text = read(path)?;
    match RuleSet::parse_with(&text, compat) {
        Ok(parsed) => Ok(Arc::new(parsed.rule_set)),
        Err(findings) => Err(invalid(path, &text, &findings, out)?),
    }
}

/// Prints the errors of a rule set, and gives the error to end with.
pub(super) fn invalid(
    path: &Path,
    text: &str,
    findings: &[Finding],
    out: &mut dyn Write,
) -> Result<CliError, CliError> {
    for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
        diagnostic::print(out, path, text, finding)?;
    }
    out.flush()?;
    Ok(CliError::Input { path: path.to_owned(), message: "the rule set is not valid".to_owned() })
}
