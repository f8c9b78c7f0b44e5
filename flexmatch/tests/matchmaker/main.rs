//! The life of tickets, from request to end, in virtual time.

mod acceptance;
mod backfill;
mod documented;
mod large;
mod play;
mod requests;
mod timeouts;
