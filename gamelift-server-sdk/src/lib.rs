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
//! | `rules` | what a call may carry |
//! | `handle` | the way from a handle to the driver |
//! | `credentials`, [`container`], `sigv4` | by what right a socket is opened, found out anew each time |
//! | [`transport`], `tls`, `http` | sockets |
//! | `run_mode`, `offline` | the same without GameLift |
//! | `fleet_role` | the fleet role's credentials, remembered |

#[cfg(feature = "compute-auth-token")]
pub mod compute_auth_token;
mod config;
pub mod container;
mod credentials;
mod driver;
mod duration;
mod endpoint;
mod error;
mod events;
mod fleet_role;
mod game_session;
pub mod guide;
mod handle;
mod http;
mod offline;
mod process;
mod rules;
mod run_mode;
mod sigv4;
#[cfg(feature = "test-util")]
pub mod test_util;
mod tls;
pub mod transport;
mod uplink;

pub use gamelift_wire as wire;
pub use gamelift_wire::attribute_value::AttributeValue;
pub use gamelift_wire::envelope::{Refusal, RefusalKind};
pub use gamelift_wire::ids::{AuthToken, GameSessionId, InvalidPlayerSessionId, PlayerSessionId};
pub use gamelift_wire::model::{self, PlayerSessionCreationPolicy, PlayerSessionStatus, UpdateReason};
pub use gamelift_wire::pushes::UpdateGameSession;
pub use gamelift_wire::requests::{
    BackfillPlayer, ComputeCertificate, FleetRoleCredentials, PlayerSessionsPage,
};

pub use self::config::{Config, ConfigBuilder};
pub use self::credentials::TokenProvider;
pub use self::error::{CallError, CloseReason, ConfigError, ConnectError, CredentialsError, DialError};
pub use self::events::{Event, Events, HealthCheck, Terminate};
#[cfg(feature = "aws-credential-types")]
pub use self::fleet_role::FleetRole;
pub use self::game_session::{ActivateError, Backfill, GameSession, PlayerSessionQuery, StartGameSession};
pub use self::offline::OfflineSession;
pub use self::process::{Connected, Ready, ReadyError, ReadyErrorKind, ServerProcess};
pub use self::rules::InvalidArgument;
pub use self::run_mode::RunMode;
