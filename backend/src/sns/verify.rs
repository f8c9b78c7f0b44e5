//! Whether a message is of a topic of ours, and new: what can be told without a certificate.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Iso8601;

use super::envelope::Envelope;

/// The oldest message that counts. SNS gives up an HTTP endpoint after an hour at most; older ones are somebody's replay.
pub const AGE_MAX: Duration = Duration::from_secs(60 * 60);

/// What an operator believes.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// ARNs of topics. Messages of others are refused, whoever signed them: anybody can have a topic.
    pub topics: BTreeSet<String>,
    /// Whether signatures with SHA-1 count. Topics sign so unless their `SignatureVersion` is 2.
    pub version_1: bool,
}

/// Why a message was refused. It will be no better the next time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not ours.
    #[error("the topic {0:.256} is none of ours: name it with --topic if it should be")]
    Topic(String),
    /// Replayed, or delayed until it is of no use.
    #[error("the message is of {0:.64}; none older than an hour is taken")]
    Stale(String),
    /// A weaker or unknown signature.
    #[error("the signature version is {0:.16}; set the topic's SignatureVersion to 2")]
    Version(String),
    /// Not signed by the owner of the certificate.
    #[error("the signature is not that of the message")]
    Signature,
}

/// What can be told without the certificate. It comes first, so that a stranger cannot make us fetch one.
///
/// # Errors
///
/// [`Refused`].
pub fn check(envelope: &Envelope, policy: &Policy, now: SystemTime) -> Result<(), Refused> {
    if !policy.topics.contains(&envelope.topic_arn) {
        return Err(Refused::Topic(envelope.topic_arn.clone()));
    }
    let version = envelope.signature_version.as_str();
    if version != "2" && !(version == "1" && policy.version_1) {
        return Err(Refused::Version(version.to_owned()));
    }
    let stale = || Refused::Stale(envelope.timestamp.clone());
    let time = OffsetDateTime::parse(&envelope.timestamp, &Iso8601::DEFAULT).map_err(|_| stale())?;
    // A date in the future is signed, too; clocks differ, and a local GameLift may run ahead.
    if OffsetDateTime::from(now) - time > AGE_MAX { Err(stale()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn envelope(topic: &str, time: &str, version: &str) -> Envelope {
        let text = serde_json::json!({
            "Type": "Notification", "MessageId": "m", "TopicArn": topic, "Message": "{}", "Timestamp": time,
            "SignatureVersion": version, "Signature": "", "SigningCertURL": "u",
        });
        serde_json::from_value(text).unwrap()
    }

    /// 2026-01-01T01:00:00Z.
    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_767_229_200)
    }

    fn policy() -> Policy {
        Policy { topics: BTreeSet::from(["ours".to_owned()]), version_1: false }
    }

    #[test]
    fn a_foreign_topic_is_refused() {
        let good = envelope("ours", "2026-01-01T00:59:00.000Z", "2");
        assert_eq!(check(&good, &policy(), now()), Ok(()));
        let foreign = envelope("ours-not", "2026-01-01T00:59:00.000Z", "2");
        assert_eq!(check(&foreign, &policy(), now()), Err(Refused::Topic("ours-not".to_owned())));
    }

    #[test]
    fn a_message_older_than_an_hour_is_refused() {
        let of = |time: &str| check(&envelope("ours", time, "2"), &policy(), now()).is_ok();
        assert!(of("2026-01-01T00:00:00.000Z") && of("2026-01-01T01:00:01.000Z"));
        assert!(!of("2025-12-31T23:59:59.999Z") && !of("yesterday") && !of(""));
    }

    #[test]
    fn a_downgrade_to_version_1_is_refused_unless_the_operator_allows_it() {
        let old = envelope("ours", "2026-01-01T00:59:00.000Z", "1");
        assert_eq!(check(&old, &policy(), now()), Err(Refused::Version("1".to_owned())));
        assert_eq!(check(&old, &Policy { version_1: true, ..policy() }, now()), Ok(()));
        let unknown = envelope("ours", "2026-01-01T00:59:00.000Z", "3");
        assert!(check(&unknown, &Policy { version_1: true, ..policy() }, now()).is_err());
    }
}
