//! Rule sets: reading them, and evaluating matches. One binary, a module for each concern.
#![cfg(test)]

#[path = "rules/bench.rs"]
mod bench;
#[cfg(feature = "cli")]
#[path = "rules/cli.rs"]
mod cli;
#[path = "rules/compat.rs"]
mod compat;
#[path = "rules/documented.rs"]
mod documented;
#[path = "rules/findings.rs"]
mod findings;
#[path = "rules/partial.rs"]
mod partial;
#[path = "rules/properties.rs"]
mod properties;
