//! The command line: arguments in, text out. Sub-commands are in files of their own.

mod check;
mod diagnostic;
mod explain;
mod fmt;
mod readings;
mod rule_set;
mod simulate;
mod validate;

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use thiserror::Error;

/// Amazon GameLift FlexMatch rule sets, offline.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Exit codes:
  0    all is well
  1    a rule set is not valid or not formatted, a match breaks a rule, a ticket waits for ever, or an
       assertion does not hold
  2    a file cannot be read or written, or the arguments are wrong
  141  whoever read the output stopped before its end
A FILE of `-` is the standard input.

Examples:
  flexmatch validate rule_sets/*.json            every error and warning, with its place
  flexmatch fmt --check rule_sets/*.json         in CI: are they formatted?
  flexmatch check my_rules.json match.json       which rules would this match pass?
  flexmatch explain my_rules.json tickets.json   why does a ticket wait?
  flexmatch simulate my_rules.json               how long would thousands of players wait?"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Find everything that is wrong or odd in rule sets.
    Validate(validate::Arguments),
    /// Lay out rule sets anew; comments stay.
    Fmt(fmt::Arguments),
    /// Say for one match which rules it passes.
    Check(check::Arguments),
    /// Say why a ticket still waits.
    Explain(explain::Arguments),
    /// Run a population through a rule set in virtual time.
    Simulate(simulate::Arguments),
}

/// What a run found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well.
    Good,
    /// The input was read, and is wrong.
    Bad,
}

/// Why a run could not say anything.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    WriteFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Standard output cannot be written.
    #[error("cannot write the output: {0}")]
    Write(#[from] io::Error),
    /// An argument is wrong in a way that only the files show.
    #[error("{0}")]
    Arguments(String),
    /// A file is not what it should be.
    #[error("{}: {message}", path.display())]
    Input {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}

/// Runs a command, writing what it has to say to `out`.
pub(crate) fn run(arguments: Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    match arguments.command {
        Command::Validate(arguments) => validate::run(&arguments, out),
        Command::Fmt(arguments) => fmt::run(&arguments, out),
        Command::Check(arguments) => check::run(&arguments, out),
        Command::Explain(arguments) => explain::run(&arguments, out),
        Command::Simulate(arguments) => simulate::run(&arguments, out),
    }
}

/// Longest file read, in bytes. A rule set has at most 65,535 characters; a match of 200 players is smaller than this.
const FILE_MAX: u64 = 16 << 20;

/// The text of a file, or of the standard input for `-`.
fn read(path: &Path) -> Result<String, CliError> {
    read_up_to(path, FILE_MAX)
}

/// The text of a file of at most `max` bytes, or of the standard input for `-`.
fn read_up_to(path: &Path, max: u64) -> Result<String, CliError> {
    let failed = |source| CliError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(max + 1).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(max + 1).read_to_end(&mut bytes).map_err(failed)?;
    }
    if bytes.len() as u64 > max {
        let message = format!("is longer than {max} bytes");
        return Err(CliError::Input { path: path.to_owned(), message });
    }
    String::from_utf8(bytes)
        .map_err(|error| CliError::Input { path: path.to_owned(), message: format!("is not UTF-8: {error}") })
}
