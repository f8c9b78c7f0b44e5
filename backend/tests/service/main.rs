//! The use cases, over the embedded table and a GameLift that does as the tests say. Time is an argument.
#![cfg(test)]
#![cfg(feature = "local")]

mod bench;
mod cancels;
mod failures;
mod fake;
mod parties;
mod places;
mod sessions;
mod starts;
mod watches;
mod writes;
