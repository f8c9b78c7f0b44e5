#![doc = include_str!("../README.md")]
//!
//! # Map of the crate
//!
//! | module | job |
//! |---|---|
//! | `config`, `endpoint` | parameters and environment, checked once |
//! | `process`, `game_session`, `events` | the API: handles to call, a stream to read |
//! | `uplink` | the protocol as a value: no clock, no socket, no task |
//! | `driver` | the one loop that waits |
//! | `handle` | the way from a handle to the driver |
//! | [`transport`], `tls`, `sigv4` | sockets and who may open them |

mod config;
mod driver;
mod duration;
mod endpoint;
mod error;
mod events;
mod game_session;
mod handle;
mod process;
mod sigv4;
#[cfg(feature = "test-util")]
pub mod test_util;
mod tls;
pub mod transport;
mod uplink;

pub use gamelift_wire as wire;
pub use gamelift_wire::attribute_value::AttributeValue;
pub use gamelift_wire::envelope::{Refusal, RefusalKind};
pub use gamelift_wire::ids::{GameSessionId, InvalidPlayerSessionId, PlayerSessionId};
pub use gamelift_wire::model::{self, PlayerSessionCreationPolicy, PlayerSessionStatus, UpdateReason};
pub use gamelift_wire::pushes::UpdateGameSession;
pub use gamelift_wire::requests::{
    BackfillPlayer, ComputeCertificate, FleetRoleCredentials, PlayerSessionsPage,
};

pub use self::config::{Config, ConfigBuilder};
pub use self::error::{CallError, CloseReason, ConfigError, ConnectError, DialError};
pub use self::events::{Event, Events, HealthCheck, Terminate};
pub use self::game_session::{ActivateError, Backfill, GameSession, PlayerSessionQuery, StartGameSession};
pub use self::process::{Connected, Ready, ReadyError, ReadyErrorKind, ServerProcess};
