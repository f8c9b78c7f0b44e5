//! The whole process as its clients see it: signatures, limits, JSON, events and WebSockets, over the embedded table and a
//! GameLift that does as it is told.
#![cfg(test)]
#![cfg(feature = "local")]

#[allow(dead_code, reason = "shared with the tests of the use cases")]
#[path = "../service/bench.rs"]
mod bench;
#[allow(dead_code, reason = "shared with the tests of the use cases")]
#[path = "../service/fake.rs"]
mod fake;

mod compat;
mod grpc;
mod house;
mod http;
mod security;
mod sns;
mod socket;
