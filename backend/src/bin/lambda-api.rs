//! `lambda-api`: the function behind the HTTP API.

use std::process::ExitCode;

fn main() -> ExitCode {
    backend::lambda::main(backend::lambda::api::serve)
}
