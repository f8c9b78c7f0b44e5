//! For those who know the official SDKs.

#[doc = include_str!("../docs/coming_from.md")]
pub mod coming_from {}

#[doc = include_str!("../docs/better.md")]
pub mod better {}
