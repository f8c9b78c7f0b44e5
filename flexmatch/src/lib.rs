//! FlexMatch rule sets.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
