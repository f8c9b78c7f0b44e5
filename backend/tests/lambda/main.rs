//! The Lambda functions on recorded events: each door alone, and the built binaries behind a runtime API of the test's making.
#![cfg(test)]
#![cfg(all(feature = "lambda", feature = "local"))]

#[allow(dead_code, reason = "shared with the tests of the use cases")]
#[path = "../service/bench.rs"]
mod bench;
#[allow(dead_code, reason = "shared with the tests of the use cases")]
#[path = "../service/fake.rs"]
mod fake;

mod api;
mod binaries;
mod connections;
mod events;
mod recorded;
mod runtime_api;
mod scripted;
mod websocket;
