//! A moment, as the service counts it.

use std::{
    ops::Add,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Serialize, Serializer};

/// Milliseconds since the Unix epoch. Time is always an argument in this crate's core.
///
/// In API answers it becomes what each protocol asks for: epoch seconds with a fraction in AWS JSON 1.1,
/// tag 1 around the same number in Smithy RPC v2 CBOR.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    /// Adds a duration, saturating at the end of time. Fractions of a millisecond are rounded up, so that
    /// a deadline is never early.
    fn add(self, duration: Duration) -> Self {
        let millis = duration.as_nanos().div_ceil(1_000_000);
        Self(self.0.saturating_add(u64::try_from(millis).unwrap_or(u64::MAX)))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self::default() + time.duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seconds = self.0 as f64 / 1_000.0;
        if serializer.is_human_readable() {
            serializer.serialize_f64(seconds)
        } else {
            // Smithy RPC v2 CBOR: a timestamp is tag 1 (epoch-based date/time) around a number.
            ciborium::tag::Required::<f64, 1>(seconds).serialize(serializer)
        }
    }
}
