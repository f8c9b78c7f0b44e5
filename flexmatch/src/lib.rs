//! FlexMatch rule sets and matchmaking.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod compat;
pub mod expansion;
pub mod finding;
pub mod player;
pub mod rule;
pub mod rule_set;

pub use compat::Compat;
pub use expansion::{Effective, MatchView};
pub use finding::{Finding, Severity};
pub use player::{AttributeType, AttributeValue, Player, PlayerData, PlayerError};
pub use rule::{Numbers, Rule, RuleKind, RuleOutcome, Verdict};
pub use rule_set::{Parsed, RuleSet, Team};
