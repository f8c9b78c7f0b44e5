#![doc = include_str!("../README.md")]
//!
//! # Map of the crate
//!
//! | module | job |
//! |---|---|
//! | [`backend`] | from the backend's address to a seat, and back after a drop |
//! | [`trust`] | verifying the server |
//! | [`player`] | one player: join, inputs, events, leave |
//! | [`mod@play`] | a bot on top of it |
//! | [`swarm`] | many bots, and what they measured |
//! | [`view`] | the arena in a terminal |
//! | [`stats`], [`error`] | what is measured, what goes wrong |

pub mod backend;
pub mod error;
pub mod play;
pub mod player;
pub mod stats;
pub mod swarm;
pub mod trust;
pub mod view;

pub use error::{JoinError, LeaveReason};
pub use game_proto::{Fingerprint, RefusalReason};
pub use play::{Played, play};
pub use player::{JoinConfig, Player, PlayerEvent};
pub use stats::Stats;
pub use trust::Trust;
pub use view::View;
