//! The search: which waiting tickets make a match.
//!
//! Around the oldest ticket (the anchor) others are added one by one, oldest first or as the sort rules say. A ticket
//! whose addition breaks a rule for good on every team is skipped. Every state of the growing match that is valid is
//! remembered, and the largest one is the match; without one, the next anchor has its turn, so that a ticket nobody
//! fits never blocks others. The turn of a backfill ticket is open to older tickets, too, since only
//! its players' seats are fixed (FlexMatch guide, "How FlexMatch works"; AWS staff on re:Post for the prefixes and ages).

mod attempt;
mod backtrack;
mod balance;
mod bits;
mod draft;
mod explain;
mod facts;
mod index;
mod judge;
mod names;
mod order;
mod pass;
mod pool;
mod sizes;

pub(crate) use draft::Seats;
pub(crate) use pass::Found;
pub(crate) use pool::{Search, Waiting};
