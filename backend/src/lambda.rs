//! The Lambda functions: the same use cases, with API Gateway, SNS and DynamoDB around them.
//!
//! Each has a binary and a module with its door: [`api`], [`events`], [`websocket`]. They keep nothing between two calls but
//! clients and what may be old; there may be a thousand of each.

pub mod api;
mod caller;
pub mod clients;
pub mod config;
pub mod events;
pub mod limits;
pub mod push;
pub mod websocket;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

/// Why a function ended. Lambda starts another.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The environment, by name.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Runs a function until Lambda ends it.
pub fn main(serve: impl AsyncFnOnce(Lookup<'_>) -> Result<(), Failure>) -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // CloudWatch adds the time, and shows colours as they are written.
    let format = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).without_time();
    format.with_writer(std::io::stderr).init();
    // What is not Unicode fails by its rule, with the place marked.
    let environment = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    // One event at a time, mostly waiting, on a fraction of a processor.
    let ran = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(serve(&environment)),
        Err(error) => Err(error.into()),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whoever closed stderr does not want to know.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}
