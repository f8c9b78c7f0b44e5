//! Matchmaking: rule sets, configurations and tickets.

mod configuration;
mod rule_set;
mod ticket;

pub use self::{configuration::*, rule_set::*, ticket::*};
