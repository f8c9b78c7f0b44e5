//! FlexMatch rule sets and matchmaking.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod check;
pub mod compat;
pub mod event;
pub mod expansion;
mod expr;
pub mod finding;
mod json;
pub mod matchmaker;
mod matchmaker_data;
pub mod player;
mod random;
pub mod rule;
pub mod rule_set;
mod search;
pub mod ticket;
pub mod timestamp;

pub use compat::Compat;
pub use event::{Envelope, MatchmakingEvent};
pub use expansion::{Effective, MatchView};
pub use finding::{Finding, Severity};
pub use matchmaker::{Matchmaker, Output, Settings};
pub use matchmaker_data::MATCHMAKER_DATA_LENGTH_MAX;
pub use player::{AttributeType, AttributeValue, Player, PlayerData, PlayerError};
pub use rule::{Numbers, Rule, RuleKind, RuleOutcome, Verdict};
pub use rule_set::{Parsed, RuleSet, Team};
pub use ticket::{BackfillRequest, PlayerRequest, Ticket, TicketRequest, TicketStatus};
pub use timestamp::Timestamp;
