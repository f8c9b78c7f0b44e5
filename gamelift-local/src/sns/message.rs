//! What is posted to an endpoint (SNS developer guide, "HTTP/HTTPS notification JSON format" and its neighbours).

use std::sync::{Arc, Mutex, PoisonError};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Serialize;

use super::signer::{SignatureVersion, Signer};
use crate::{
    Timestamp,
    engine::{Event, Ids},
    events::{
        client::Post,
        delivery::{Form, NotMade},
    },
};

/// What the links in messages are made of.
#[derive(Debug, Clone)]
pub(super) struct Links {
    /// The URL of the listener that answers for SNS.
    pub(super) base: String,
    /// ARN of the topic of events that have none.
    pub(super) topic: String,
}

/// What a subscriber gets.
pub(super) struct Subscriber {
    pub(super) links: Links,
    pub(super) signer: Arc<Signer>,
    pub(super) version: SignatureVersion,
    /// ARN of the subscription.
    pub(super) arn: String,
    /// Whoever knows it has read the subscriber's messages.
    pub(super) token: String,
    /// The only topic whose events it gets.
    pub(super) topic: Option<String>,
    /// The event alone, without the envelope.
    pub(super) raw: bool,
    pub(super) ids: Mutex<Ids>,
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
}

impl Subscriber {
    /// The topic of the subscription. Without one of its own it is subscribed to every topic, under the service's.
    pub(super) fn topic(&self) -> &str {
        self.topic.as_deref().unwrap_or(&self.links.topic)
    }

    fn signed(&self, mut body: Body<'_>) -> Result<String, NotMade> {
        let signature = self.signer.sign(self.version, &body.to_be_signed());
        body.signature = BASE64_STANDARD.encode(signature.map_err(|error| NotMade(error.to_string()))?);
        serde_json::to_string(&body).map_err(|error| NotMade(error.to_string()))
    }

    fn post(&self, kind: &str, id: &str, topic: &str, body: String) -> Post {
        let mut headers = vec![
            ("x-amz-sns-message-type", kind.to_owned()),
            ("x-amz-sns-message-id", id.to_owned()),
            ("x-amz-sns-topic-arn", topic.to_owned()),
        ];
        // There is no subscription before it is confirmed.
        if kind != "SubscriptionConfirmation" {
            headers.push(("x-amz-sns-subscription-arn", self.arn.clone()));
        }
        if self.raw && kind == "Notification" {
            headers.push(("x-amz-sns-rawdelivery", "true".to_owned()));
        }
        Post {
            id: id.to_owned(),
            content_type: "text/plain; charset=UTF-8",
            user_agent: "Amazon Simple Notification Service Agent",
            headers,
            body,
        }
    }

    /// A message with a link that makes the subscription a confirmed one. Those are never raw.
    fn with_link(&self, now: Timestamp, kind: &str, text: &str) -> Result<Post, NotMade> {
        let id = self.ids.lock().unwrap_or_else(PoisonError::into_inner).uuid().to_string();
        let (topic, token, base) = (self.topic(), &self.token, &self.links.base);
        let link = format!("{base}/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}");
        let body = self.signed(Body {
            r#type: kind,
            message_id: &id,
            token: Some(token),
            topic_arn: topic,
            message: text,
            subscribe_url: Some(&link),
            timestamp: &now.to_iso_millis(),
            signature_version: self.version.as_str(),
            signature: String::new(),
            signing_cert_url: format!("{base}/sns/certificate.pem"),
            unsubscribe_url: None,
        })?;
        Ok(self.post(kind, &id, topic, body))
    }
}

impl Form for Subscriber {
    fn wants(&self, event: &Event) -> bool {
        let of_event = event.topic_arn.as_ref().unwrap_or(&self.links.topic);
        self.topic.as_ref().is_none_or(|topic| topic == of_event)
    }

    /// A notification's id is the event's, so that a repeated one can be told.
    fn event(&self, event: &Event) -> Result<Post, NotMade> {
        let topic = event.topic_arn.as_ref().unwrap_or(&self.links.topic);
        let (kind, base) = ("Notification", &self.links.base);
        if self.raw {
            return Ok(self.post(kind, &event.id, topic, event.json.clone()));
        }
        let body = self.signed(Body {
            r#type: kind,
            message_id: &event.id,
            token: None,
            topic_arn: topic,
            message: &event.json,
            subscribe_url: None,
            timestamp: &event.time.to_iso_millis(),
            signature_version: self.version.as_str(),
            signature: String::new(),
            signing_cert_url: format!("{base}/sns/certificate.pem"),
            unsubscribe_url: Some(format!("{base}/?Action=Unsubscribe&SubscriptionArn={}", self.arn)),
        })?;
        Ok(self.post(kind, &event.id, topic, body))
    }

    fn hello(&self, now: Timestamp) -> Option<Result<Post, NotMade>> {
        let text = format!(
            "You have chosen to subscribe to the topic {}.\nTo confirm the subscription, visit the SubscribeURL included in this message.",
            self.topic()
        );
        Some(self.with_link(now, "SubscriptionConfirmation", &text))
    }

    fn goodbye(&self, now: Timestamp) -> Option<Result<Post, NotMade>> {
        let text = format!(
            "You have chosen to deactivate subscription {}.\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message.",
            self.arn
        );
        Some(self.with_link(now, "UnsubscribeConfirmation", &text))
    }
}

#[cfg(test)]
mod tests;
