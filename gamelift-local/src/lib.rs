#![doc = include_str!("../README.md")]
//!
//! # The files
//!
//! | file | what is in it |
//! |---|---|
//! | [`engine`] | every resource, state and timer, as one pure value: start reading here |
//! | [`model`] | the AWS API's shapes, and the rules their members follow |
//! | `api` | HTTP, the two protocols, and the table of operations |
//! | `server_sdk` | the WebSocket listeners: upgrade, frames, close codes, TLS |
//! | `admin` | look inside, say where events go, make them to order, move the clock |
//! | [`client`] | the admin side from the outside |
//! | `events` | events on their way out of the service: file, stream, HTTP; retries, dead letters, faults |
//! | `driver` | the one task that owns the engine |
//! | [`doctor`] | which step a game server has missed, and what to do about it |
//! | `clock` | where time comes from |
//! | `sns` | subscriptions of HTTP endpoints, as Amazon SNS has them: handshake, envelope, signatures |
//! | `observer` | what the log and the doctor are told |
//! | `sdk_faults` | answers to server processes that go wrong on purpose |
//! | `local`, `config` | starting and stopping it all |
//! | [`setup`] | resources that are there from the start: configuration files |
//! | [`testing`] | a local GameLift for one test, and assertions about it |
//! | `beacon` | UDP echo services, to measure latency with |
//!
//! A request takes this way: `api` or `server_sdk` reads it and sends a command to `driver`, which hands it to
//! [`engine::Engine`] together with the time, and then carries out the engine's effects. Nobody else touches the
//! engine, so there are no locks.

pub mod engine;
pub mod model;
pub mod setup;
pub mod testing;

mod admin;
mod api;
mod beacon;
pub mod client;
mod clock;
mod config;
pub mod doctor;
mod driver;
mod error;
mod events;
mod local;
mod observer;
mod sdk_faults;
mod server_sdk;
mod sns;
mod timestamp;

pub use crate::{
    api::BODY_MAX,
    beacon::{Beacon, BeaconCounters},
    clock::Clock,
    config::Config,
    driver::FromService,
    engine::{ProcessName, Refused},
    error::{ApiError, ErrorKind},
    events::{EndpointError, Events, FaultRates, FaultRatesError, Missed},
    local::{Attached, Defaults, Findings, Local, StartError},
    sdk_faults::{SdkFaultRates, SdkFaultsError},
    server_sdk::tls::TlsError,
    sns::{SignatureVersion, UnknownSignatureVersion},
    timestamp::Timestamp,
};
