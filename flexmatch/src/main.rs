//! `flexmatch`: FlexMatch rule sets at the command line.

mod cli;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

/// What a shell reports of a program that SIGPIPE ended: 128 and the signal's number. Rust's runtime ignores the signal.
const BROKEN_PIPE: u8 = 128 + 13;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let result = cli::run(arguments, &mut out).and_then(|outcome| {
        out.flush()?;
        Ok(outcome)
    });
    match result {
        Ok(cli::Outcome::Good) => ExitCode::SUCCESS,
        Ok(cli::Outcome::Bad) => ExitCode::from(1),
        // `flexmatch validate x.json | head` has seen enough. Nobody was told the verdict, so it is not success.
        Err(cli::CliError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::from(BROKEN_PIPE)
        }
        Err(error) => {
            // Whoever closed stderr does not want to know.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}
