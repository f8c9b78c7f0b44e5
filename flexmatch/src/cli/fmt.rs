//! `flexmatch fmt`

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use flexmatch::rule_set;

use super::{CliError, Outcome, diagnostic, read};

#[derive(Debug, Args)]
#[command(after_help = "\
Without an option, prints the formatted rule sets. Exit code 1 means that one is not formatted, or is
not JSON.")]
pub(super) struct Arguments {
    /// Rule sets.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Name the files that are not formatted, and exit with 1 if there are any.
    #[arg(long, conflicts_with = "write")]
    check: bool,
    /// Write the files in place.
    #[arg(long)]
    write: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let mut outcome = Outcome::Good;
    for file in &arguments.files {
        let text = read(file)?;
        let formatted = match rule_set::format(&text) {
            Ok(formatted) => formatted,
            Err(findings) => {
                for finding in &findings {
                    diagnostic::print(out, file, &text, finding)?;
                }
                writeln!(out, "{}: not formatted, as it is not JSON", file.display())?;
                outcome = Outcome::Bad;
                continue;
            }
        };
        let same = formatted == text;
        if arguments.check {
            if !same {
                writeln!(out, "{}: not formatted", file.display())?;
                outcome = Outcome::Bad;
            }
        } else if arguments.write && file != Path::new("-") {
            if !same {
                std::fs::write(file, &formatted)
                    .map_err(|source| CliError::WriteFile { path: file.clone(), source })?;
                writeln!(out, "{}: formatted", file.display())?;
            }
        } else {
            out.write_all(formatted.as_bytes())?;
        }
    }
    Ok(outcome)
}
