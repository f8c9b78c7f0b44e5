#![doc = include_str!("../README.md")]
//!
//! # The modules
//!
//! | module | holds |
//! |---|---|
//! | [`rule_set`] | [`RuleSet::parse`]: text to checked rule set, or to everything that is wrong with it |
//! | [`finding`] | an error, warning or note, with its place |
//! | [`expansion`] | [`Effective`]: the rule set as it stands after a wait; evaluates a [`MatchView`] |
//! | [`rule`] | the eight rule types, and what evaluating one says |
//! | [`player`] | players and their attributes, in the order of the rule set |
//! | [`compat`] | what AWS leaves open, as switches |
//! | [`check`] | one match, written by hand, against a rule set |
//! | [`matchmaker`] | tickets in, matches and events out |
//! | [`ticket`] | matchmaking requests and where they stand |
//! | [`event`] | the events that the service publishes |
//! | [`explain`] | why a ticket still waits |
//! | [`simulate`] | a population in virtual time |
//! | [`timestamp`] | a moment, as an argument |
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod check;
pub mod compat;
pub mod event;
pub mod expansion;
pub mod explain;
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
pub mod simulate;
pub mod ticket;
pub mod timestamp;

pub use compat::Compat;
pub use event::{Envelope, MatchmakingEvent};
pub use expansion::{Effective, MatchView};
pub use explain::Explanation;
pub use finding::{Finding, Severity};
pub use matchmaker::{Matchmaker, Output, Settings};
pub use matchmaker_data::MATCHMAKER_DATA_LENGTH_MAX;
pub use player::{AttributeType, AttributeValue, Player, PlayerData, PlayerError};
pub use rule::{Numbers, Rule, RuleKind, RuleOutcome, Verdict};
pub use rule_set::{Parsed, RuleSet, Team};
pub use ticket::{BackfillRequest, PlayerRequest, Ticket, TicketRequest, TicketStatus};
pub use timestamp::Timestamp;
