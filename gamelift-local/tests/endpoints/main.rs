//! Events at HTTP endpoints, as Amazon SNS and Amazon EventBridge would bring them.
#![cfg(test)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod admin;
mod endpoint;
mod faults;
mod https;
mod sns;
mod targets;
