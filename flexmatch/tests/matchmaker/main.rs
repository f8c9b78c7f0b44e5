//! The life of tickets, from request to end, in virtual time.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod acceptance;
mod backfill;
mod batches;
mod compat;
mod documented;
mod explain;
mod large;
mod play;
mod requests;
mod timeouts;
