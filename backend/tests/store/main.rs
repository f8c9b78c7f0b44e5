//! The table's conditions, on the embedded DynamoDB API; or on the one whose endpoint is in `BACKEND_TEST_DYNAMODB`, which is
//! how another implementation gives a second opinion (tests/external/test_store.py).
#![cfg(test)]
#![cfg(feature = "local")]

mod bench;
mod events;
mod file;
mod model;
mod parties;
mod rate;
mod shuffle;
mod starts;
