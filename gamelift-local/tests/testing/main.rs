//! The module for tests, tested: every word of it does what it says, and fails with what was seen instead.
#![cfg(test)]

mod failures;
mod game_server;
mod loopback;
mod successes;
