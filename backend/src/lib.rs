//! The backend of session-based game servers: steps 2 to 5 and 7 to 12 of AWS's reference architecture.
//!
//! A player who is known by an identity asks for a match, learns what becomes of it, and is told where to play. The same
//! library runs in one process on a laptop and as Lambda functions on AWS; it knows GameLift and DynamoDB by their public
//! protocols only.

pub mod api;
pub mod caller;
#[cfg(feature = "local")]
mod doors;
pub mod event;
pub mod game_lift;
#[cfg(feature = "local")]
pub mod gateway;
#[cfg(feature = "local")]
pub mod grpc;
#[cfg(feature = "lambda")]
pub mod lambda;
#[cfg(any(feature = "lambda", feature = "local"))]
pub mod limits;
#[cfg(feature = "local")]
pub mod local;
#[cfg(any(feature = "lambda", feature = "local"))]
mod message;
pub mod problem;
pub mod push;
pub mod service;
pub mod sns;
pub mod store;
pub mod ticket;
#[cfg(feature = "local")]
pub mod websocket;
