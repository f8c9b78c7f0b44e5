//! A player of the sample game, or a swarm of them.
//!
//! [`Player::join`] connects by QUIC, verifies the server (by the fingerprint of its certificate or by DNS name),
//! and only then presents the player session id that GameLift reserved. [`play()`] is a bot on top of it, and
//! [`swarm`] many of those with a report.

pub mod error;
pub mod play;
pub mod player;
pub mod stats;
pub mod swarm;
pub mod trust;

pub use error::{JoinError, LeaveReason};
pub use game_proto::{Fingerprint, RefusalReason};
pub use play::{Played, play};
pub use player::{JoinConfig, Player, PlayerEvent};
pub use stats::Stats;
pub use trust::Trust;
