//! `flexmatch validate`

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use flexmatch::{Finding, RuleSet};
use serde::Serialize;

use super::{CliError, Outcome, diagnostic, read};

#[derive(Debug, Args)]
#[command(after_help = "\
Errors are what the service would refuse, warnings what is probably not meant, notes what AWS leaves
open. Exit code 1 means that there is an error.")]
pub(super) struct Arguments {
    /// Rule sets.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one JSON list with an object per file: `file`, `valid`, `findings`.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    file: String,
    valid: bool,
    findings: Vec<Finding>,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let mut reports = Vec::new();
    let mut outcome = Outcome::Good;
    for file in &arguments.files {
        let text = read(file)?;
        let (valid, findings) = match RuleSet::parse(&text) {
            Ok(parsed) => (true, parsed.warnings),
            Err(findings) => (false, findings),
        };
        if !valid {
            outcome = Outcome::Bad;
        }
        if arguments.json {
            reports.push(Report { file: file.display().to_string(), valid, findings });
            continue;
        }
        for finding in &findings {
            diagnostic::print(out, file, &text, finding)?;
        }
        let verdict = if valid { "valid" } else { "not valid" };
        let counts = diagnostic::summary(&findings);
        let counts = if counts.is_empty() { counts } else { format!(" ({counts})") };
        writeln!(out, "{}: {verdict}{counts}", file.display())?;
    }
    if arguments.json {
        serde_json::to_writer_pretty(&mut *out, &reports).map_err(std::io::Error::from)?;
        writeln!(out)?;
    }
    Ok(outcome)
}
