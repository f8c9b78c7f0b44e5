//! The envelope (SNS developer guide, "Parsing message formats").
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::fmt;

use serde::Deserialize;

/// The longest envelope, in bytes: SNS takes messages of at most 256 KB.
pub const LEN_MAX: usize = 256 * 1024;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Kind {
    /// Something was published.
    Notification,
    /// Somebody wants this endpoint to get a topic's messages.
    SubscriptionConfirmation,
    /// The endpoint gets a topic's messages no more.
    UnsubscribeConfirmation,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation => "SubscriptionConfirmation",
            Self::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }
}

/// A message as SNS sends it. Over HTTP it spells `SigningCertURL`, to Lambda `SigningCertUrl`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Envelope {
    /// What it is.
    #[serde(rename = "Type")]
    pub kind: Kind,
    /// The same in each attempt to deliver it.
    pub message_id: String,
    /// Where it was published.
    pub topic_arn: String,
    /// What was published. In the Lambda form of a message without one it is null.
    #[serde(default)]
    pub subject: Option<String>,
    /// The event.
    pub message: String,
    /// When it was published: ISO 8601.
    pub timestamp: String,
    /// `1` or `2`.
    pub signature_version: String,
    /// Base 64.
    pub signature: String,
    /// Where the certificate is.
    #[serde(rename = "SigningCertURL", alias = "SigningCertUrl")]
    pub signing_cert_url: String,
    /// What confirms a subscription.
    #[serde(rename = "SubscribeURL", alias = "SubscribeUrl", default)]
    pub subscribe_url: Option<String>,
    /// A part of that URL.
    #[serde(default)]
    pub token: Option<String>,
}

impl fmt::Debug for Envelope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the message, which has player session ids; not the token and the URL with it.
        formatter
            .debug_struct("Envelope")
            .field("kind", &self.kind)
            .field("message_id", &self.message_id)
            .field("topic_arn", &self.topic_arn)
            .finish_non_exhaustive()
    }
}

impl Envelope {
    /// What is signed: names and values, each on a line, in the order of the names (SNS developer guide, "Verifying the
    /// signatures of Amazon SNS messages").
    pub fn to_be_signed(&self) -> String {
        let notification = self.kind == Kind::Notification;
        let fields = [
            ("Message", Some(self.message.as_str())),
            ("MessageId", Some(&self.message_id)),
            ("Subject", self.subject.as_deref().filter(|_| notification)),
            ("SubscribeURL", self.subscribe_url.as_deref().filter(|_| !notification)),
            ("Timestamp", Some(&self.timestamp)),
            ("Token", self.token.as_deref().filter(|_| !notification)),
            ("TopicArn", Some(&self.topic_arn)),
            ("Type", Some(self.kind.name())),
        ];
        let present = fields.iter().filter_map(|(name, value)| value.map(|value| (name, value)));
        present.map(|(name, value)| format!("{name}\n{value}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_the_certificates_address_are_read() {
        let http = r#"{"Type":"Notification","MessageId":"m","TopicArn":"t","Message":"{}","Timestamp":"2026-01-01T00:00:00.000Z","SignatureVersion":"2","Signature":"","SigningCertURL":"u","UnsubscribeURL":"x"}"#;
        let lambda = r#"{"Type":"Notification","MessageId":"m","TopicArn":"t","Subject":null,"Message":"{}","Timestamp":"2026-01-01T00:00:00.000Z","SignatureVersion":"2","Signature":"","SigningCertUrl":"u","UnsubscribeUrl":"x","MessageAttributes":{}}"#;
        for text in [http, lambda] {
            let envelope: Envelope = serde_json::from_str(text).unwrap();
            assert_eq!(envelope.signing_cert_url, "u");
            let signed = envelope.to_be_signed();
            let expected = "Message\n{}\nMessageId\nm\nTimestamp\n2026-01-01T00:00:00.000Z\nTopicArn\nt\nType\nNotification\n";
            assert_eq!(signed, expected);
        }
    }

    #[test]
    fn a_confirmation_signs_its_token_and_url_and_a_notification_its_subject() {
        let mut envelope: Envelope = serde_json::from_str(
            r#"{"Type":"SubscriptionConfirmation","MessageId":"m","TopicArn":"t","Message":"x","Subject":"s","Token":"secret-token","SubscribeURL":"u","Timestamp":"d","SignatureVersion":"2","Signature":"","SigningCertURL":"u"}"#,
        )
        .unwrap();
        let confirmation = "Message\nx\nMessageId\nm\nSubscribeURL\nu\nTimestamp\nd\nToken\nsecret-token\nTopicArn\nt\nType\nSubscriptionConfirmation\n";
        assert_eq!(envelope.to_be_signed(), confirmation);
        envelope.kind = Kind::Notification;
        let notification =
            "Message\nx\nMessageId\nm\nSubject\ns\nTimestamp\nd\nTopicArn\nt\nType\nNotification\n";
        assert_eq!(envelope.to_be_signed(), notification);
        assert!(!format!("{envelope:?}").contains("secret"), "the token is in no log");
    }
}
