//! The server over real QUIC on loopback.
#![cfg(test)]

mod arena;
mod flood;
mod metrics;
mod players;
mod processes;
mod resume;
