//! Looking until something is so, and saying what was seen if it never is.

use std::panic::Location;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::Emulator;
use crate::ApiError;

/// What a look has shown.
pub(super) enum Seen<T> {
    /// What was waited for.
    It(T),
    /// Something else, which may change.
    NotYet(String),
    /// Something that will never become it.
    Never(String),
}

/// Ends the test that asked at this place.
pub(super) fn fail(at: &Location<'_>, message: &str) -> ! {
    panic!("{message}\n(asked for in {at})")
}

impl Emulator {
    /// Calls an operation until its result is the one that is waited for. `what` continues "waited for".
    pub(super) async fn wait<T>(
        &self,
        at: &Location<'_>,
        what: &str,
        (operation, input): (&str, Value),
        mut look: impl FnMut(Result<Value, ApiError>) -> Seen<T> + Send,
    ) -> T {
        let begun = Instant::now();
        loop {
            match look(self.local.call(operation, input.clone()).await) {
                Seen::It(it) => return it,
                Seen::Never(seen) => fail(at, &format!("waited for {what}, but that will never be: {seen}")),
                Seen::NotYet(seen) if begun.elapsed() >= self.patience => {
                    fail(at, &format!("waited {:?} for {what}, but {seen}", self.patience))
                }
                Seen::NotYet(_) => sleep(self.look).await,
            }
        }
    }
}

/// Text in an output of the API; empty if there is none.
pub(super) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

/// The first element of a list in an output of the API; null if there is none.
pub(super) fn first(value: &Value, member: &str) -> Value {
    value[member].get(0).cloned().unwrap_or_default()
}

/// `base` with the members of `more`.
///
/// # Panics
/// If one of them is no object.
pub(super) fn with(at: &Location<'_>, mut base: Value, more: Value) -> Value {
    match (base.as_object_mut(), more) {
        (Some(members), Value::Object(more)) => members.extend(more),
        (_, more) => fail(at, &format!("further members must be a JSON object, but are {more}")),
    }
    base
}
