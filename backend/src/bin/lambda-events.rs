//! `lambda-events`: the function that SNS hands GameLift's events to.

use std::process::ExitCode;

fn main() -> ExitCode {
    backend::lambda::main(backend::lambda::events::serve)
}
