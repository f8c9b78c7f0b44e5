//! Under construction.
pub mod engine;
pub mod model;

mod admin;
mod api;
mod clock;
mod config;
mod driver;
mod error;
mod local;
mod server_sdk;
mod timestamp;

pub use crate::{
    api::BODY_MAX,
    clock::Clock,
    config::Config,
    driver::FromService,
    engine::Refused,
    error::{ApiError, ErrorKind},
    local::{Attached, Defaults, Local, StartError},
    server_sdk::tls::TlsError,
    timestamp::Timestamp,
};
