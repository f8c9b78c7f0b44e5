//! What is posted to an endpoint (SNS developer guide, "HTTP/HTTPS notification JSON format").

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Serialize;

use super::signer::{Signer, VERSION};
use crate::{Timestamp, engine::Event};

/// What the links in messages are made of.
#[derive(Debug, Clone)]
pub(super) struct Links {
    /// The URL that answers for SNS.
    pub(super) base: String,
    /// ARN of the topic of events that have none.
    pub(super) topic: String,
}

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// `x-amz-sns-message-type`.
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) topic: String,
    pub(super) body: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    r#type: &'a str,
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    topic_arn: &'a str,
    message: &'a str,
    #[serde(rename = "SubscribeURL", skip_serializing_if = "Option::is_none")]
    subscribe_url: Option<&'a str>,
    timestamp: &'a str,
    signature_version: &'a str,
    signature: String,
    #[serde(rename = "SigningCertURL")]
    signing_cert_url: String,
    #[serde(rename = "UnsubscribeURL", skip_serializing_if = "Option::is_none")]
    unsubscribe_url: Option<String>,
}

impl Body<'_> {
    /// SNS developer guide, "Verifying the signatures of Amazon SNS messages": names and values, each on a line, in
    /// the order of the names.
    fn to_be_signed(&self) -> String {
        let fields = [
            ("Message", Some(self.message)),
            ("MessageId", Some(self.message_id)),
            ("SubscribeURL", self.subscribe_url),
            ("Timestamp", Some(self.timestamp)),
            ("Token", self.token),
            ("TopicArn", Some(self.topic_arn)),
            ("Type", Some(self.r#type)),
        ];
        let present = fields.iter().filter_map(|(name, value)| value.map(|value| (name, value)));
        present.map(|(name, value)| format!("{name}\n{value}\n")).collect()
    }

    fn signed(mut self, signer: &Signer) -> String {
        match signer.sign(&self.to_be_signed()) {
            Ok(signature) => self.signature = BASE64_STANDARD.encode(signature),
            Err(error) => tracing::error!(%error, "a message goes out without a signature"),
        }
        serde_json::to_string(&self).unwrap_or_default()
    }
}

/// Asks an endpoint to confirm that it wants the subscription.
pub(super) fn confirmation(
    links: &Links,
    signer: &Signer,
    arn: &str,
    token: &str,
    now: Timestamp,
) -> Message {
    let id = arn.rsplit(':').next().unwrap_or(arn).to_owned();
    let topic = &links.topic;
    let text = format!(
        "You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, visit the SubscribeURL included in this message."
    );
    let kind = "SubscriptionConfirmation";
    let body = Body {
        r#type: kind,
        message_id: &id,
        token: Some(token),
        topic_arn: topic,
        message: &text,
        subscribe_url: Some(&format!(
            "{}?Action=ConfirmSubscription&TopicArn={topic}&Token={token}",
            links.base
        )),
        timestamp: &now.to_iso_millis(),
        signature_version: VERSION,
        signature: String::new(),
        signing_cert_url: format!("{}/certificate.pem", links.base),
        unsubscribe_url: None,
    };
    let body = body.signed(signer);
    Message { kind, id, topic: topic.clone(), body }
}

/// Carries an event. Its id is the message's, so that a repeated one can be told.
pub(super) fn notification(links: &Links, signer: &Signer, arn: &str, event: &Event) -> Message {
    let topic = event.topic_arn.as_ref().unwrap_or(&links.topic);
    let kind = "Notification";
    let body = Body {
        r#type: kind,
        message_id: &event.id,
        token: None,
        topic_arn: topic,
        message: &event.json,
        subscribe_url: None,
        timestamp: &event.time.to_iso_millis(),
        signature_version: VERSION,
        signature: String::new(),
        signing_cert_url: format!("{}/certificate.pem", links.base),
        unsubscribe_url: Some(format!("{}?Action=Unsubscribe&SubscriptionArn={arn}", links.base)),
    };
    let body = body.signed(signer);
    Message { kind, id: event.id.clone(), topic: topic.clone(), body }
}

#[cfg(test)]
mod tests;
