//! A moment, as the service counts it.

use std::{
    ops::Add,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::{OffsetDateTime, PrimitiveDateTime};

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

    /// As events have it: `2026-03-01T15:50:49.741Z`.
    pub fn to_iso_millis(self) -> String {
        format!("{}.{:03}Z", self.to_iso_without_zone(), self.0 % 1_000)
    }

    /// The same without milliseconds: `2026-03-01T15:50:49Z`.
    pub fn to_iso_seconds(self) -> String {
        format!("{}Z", self.to_iso_without_zone())
    }

    fn to_iso_without_zone(self) -> String {
        let seconds = i64::try_from(self.0 / 1_000).ok();
        // The calendar ends with the year 9999.
        let at = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        let at = at.unwrap_or(PrimitiveDateTime::MAX.assume_utc());
        let (year, month, day) = at.to_calendar_date();
        let (hour, minute, second) = at.to_hms();
        format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}", u8::from(month))
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

impl<'de> Deserialize<'de> for Timestamp {
    /// Reads what each protocol sends. Moments before 1970 become 1970.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Seconds(seconds) = if deserializer.is_human_readable() {
            Seconds::deserialize(deserializer)?
        } else {
            ciborium::tag::Accepted::<Seconds, 1>::deserialize(deserializer)?.0
        };
        // Casts of floating-point numbers saturate.
        Ok(Self((seconds * 1_000.0).round() as u64))
    }
}

/// A number of seconds, whole or not.
struct Seconds(f64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Seconds;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number of seconds since 1970")
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Seconds, E> {
                Ok(Seconds(seconds))
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Seconds, E> {
                Ok(Seconds(seconds as f64))
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Seconds, E> {
                Ok(Seconds(seconds as f64))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_iso_8601_in_utc() {
        let leap_day = Timestamp::from_millis(1_709_251_199_007);
        assert_eq!(leap_day.to_iso_millis(), "2024-02-29T23:59:59.007Z");
        assert_eq!(leap_day.to_iso_seconds(), "2024-02-29T23:59:59Z");
        assert_eq!(Timestamp::default().to_iso_millis(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(u64::MAX).to_iso_seconds(), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn times_are_read_as_both_protocols_send_them() {
        let at = Timestamp::from_millis(1_579_647_600_500);
        assert_eq!(serde_json::from_str::<Timestamp>("1579647600.5").unwrap(), at);
        assert_eq!(
            serde_json::from_str::<Timestamp>("1579647600").unwrap(),
            Timestamp::from_millis(1_579_647_600_000)
        );
        assert_eq!(serde_json::from_str::<Timestamp>("-7").unwrap(), Timestamp::default());
        assert!(serde_json::from_str::<Timestamp>(r#""2020-01-21""#).is_err());
        let mut cbor = Vec::new();
        ciborium::into_writer(&at, &mut cbor).unwrap();
        assert_eq!(ciborium::from_reader::<Timestamp, _>(cbor.as_slice()).unwrap(), at);
        let mut plain = Vec::new();
        ciborium::into_writer(&1_579_647_600_u64, &mut plain).unwrap();
        let plain: Timestamp = ciborium::from_reader(plain.as_slice()).unwrap();
        assert_eq!(plain.as_millis(), 1_579_647_600_000);
    }
}
