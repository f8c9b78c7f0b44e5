//! The messages that a game server and Amazon GameLift Servers exchange over the server-SDK WebSocket, as types.
//!
//! Follows server SDK 5.6.0. AWS does not document this protocol; what is here was learnt by running the official
//! Go SDK 5.6.0 and C++ SDK 5.4.0 against a recording server, and from the C# SDK's source. Where the three differ,
//! this crate reads all of their dialects and writes the one that all of them read.
//!
//! # Who says what, when
//!
//! ```text
//! process                                            service
//!    |  GET /?Authorization=..&ComputeId=..&pID=..      |   connect::ConnectQuery
//!    |------------------------------------------------->|
//!    |  ActivateServerProcess (port, log paths)         |   requests::ActivateServerProcess
//!    |------------------------------------------------->|
//!    |  HeartbeatServerProcess, at once, then each 60 s |
//!    |------------------------------------------------->|
//!    |                         CreateGameSession (push) |   pushes::CreateGameSession
//!    |<-------------------------------------------------|
//!    |  ActivateGameSession                             |
//!    |------------------------------------------------->|
//!    |  AcceptPlayerSession, RemovePlayerSession, ...   |
//!    |------------------------------------------------->|
//!    |       UpdateGameSession, RefreshConnection (push)|
//!    |<-------------------------------------------------|
//!    |                          TerminateProcess (push) |
//!    |<-------------------------------------------------|
//!    |  TerminateServerProcess                          |
//!    |------------------------------------------------->|
//! ```
//!
//! One JSON object per text frame. A *request* carries `Action` and `RequestId`; its *response* repeats both and adds
//! `StatusCode`; a *push* carries `Action` alone and is never answered ([`envelope`] has the rules).
//!
//! | module | holds |
//! |---|---|
//! | [`connect`] | the query of the upgrade request, both ways |
//! | [`envelope`] | `Action`, `RequestId`, `StatusCode`: what kind of frame is this, and whose |
//! | [`requests`] | the twelve messages a process sends, and the bodies of their responses |
//! | [`pushes`] | the four messages the service sends unasked |
//! | [`model`] | game session, player session, statuses |
//! | [`attribute_value`] | a player attribute, as backfill requests carry it |
//! | [`matchmaker_data`] | the JSON inside a game session's `MatchmakerData` |
//! | [`ids`] | identifiers that cannot be mixed up, and secrets that cannot be printed |
//!
//! Everything here is a value: no I/O, no clock. Parsing never panics, whatever the bytes.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod action;
pub mod attribute_value;
pub mod connect;
pub mod envelope;
pub mod ids;
mod lenient;
pub mod matchmaker_data;
pub mod model;
mod open_enum;
pub mod pushes;
pub mod requests;

/// The protocol version this crate follows, as `sdkVersion` and `SdkVersion` carry it.
pub const SDK_VERSION: &str = "5.6.0";

/// What this implementation calls itself in `sdkLanguage` and `SdkLanguage`.
pub const SDK_LANGUAGE: &str = "Rust";
