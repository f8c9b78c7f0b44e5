//! One subscription: confirmed first, then every event, in order, repeated until the endpoint has taken it.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, StatusCode, Uri, header},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    Phase,
    message::{self, Links, Message},
    signer::Signer,
};
use crate::events::Events;

/// How long an endpoint may take to answer (SNS developer guide, "HTTP/S delivery policies").
const ANSWER_WAIT: Duration = Duration::from_secs(15);
/// So often is a message sent before it is given up: SNS's default for HTTP endpoints.
const ATTEMPTS_MAX: u32 = 50;
/// Between the first two attempts; then twice as long each time. Short, because endpoints here restart quickly.
const RETRY_MIN: Duration = Duration::from_millis(100);
/// The longest wait between two attempts (SNS's default).
const RETRY_MAX: Duration = Duration::from_secs(20);

pub(super) struct Delivery {
    pub(super) endpoint: Uri,
    pub(super) arn: String,
    pub(super) links: Links,
    pub(super) signer: Signer,
    pub(super) confirmation: Message,
    pub(super) events: Events,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) stop: watch::Receiver<bool>,
}

/// An attempt came to nothing.
enum Failure {
    /// It may work later.
    Temporary(String),
    /// The endpoint does not want the message.
    Permanent(StatusCode),
}

impl Delivery {
    /// Delivers until the endpoint unsubscribes or the service ends.
    pub(super) async fn run(mut self) {
        let client = Client::builder(TokioExecutor::new()).build_http();
        // Endpoints may hold secrets in path and query.
        let host = self.endpoint.authority().map(|authority| authority.host().to_owned()).unwrap_or_default();
        let confirmation = self.confirmation.clone();
        if !self.deliver(&client, &confirmation, &host).await {
            return;
        }
        let stop = &mut self.stop;
        tokio::select! {
            // A subscription that is confirmed gets what happened before the stop.
            biased;
            confirmed = self.phase.wait_for(|phase| *phase != Phase::Pending) => {
                if !confirmed.is_ok_and(|phase| *phase == Phase::Confirmed) {
                    return;
                }
            }
            // An error means that the service is gone, which is as good a reason.
            _ = stop.wait_for(|stop| *stop) => return,
        }
        loop {
            let event = tokio::select! {
                event = self.events.next() => event,
                _ = self.phase.wait_for(|phase| *phase == Phase::Ended) => return,
            };
            match event {
                Some(Ok(event)) => {
                    let message = message::notification(&self.links, &self.signer, &self.arn, &event);
                    self.deliver(&client, &message, &host).await;
                }
                Some(Err(missed)) => tracing::error!(host, %missed, "a subscriber is too slow"),
                None => return,
            }
        }
    }

    /// Sends one message until it is taken. Returns whether it was.
    async fn deliver(&mut self, client: &Client<HttpConnector, Body>, message: &Message, host: &str) -> bool {
        let mut wait = RETRY_MIN;
        for attempt in 1..=ATTEMPTS_MAX {
            match self.attempt(client, message).await {
                Ok(()) => return true,
                Err(Failure::Permanent(status)) => {
                    tracing::error!(host, message.id, %status, "a subscriber refused a message: given up");
                    return false;
                }
                Err(Failure::Temporary(reason)) => {
                    tracing::warn!(host, message.id, attempt, reason, "a subscriber did not take a message");
                }
            }
            tokio::select! {
                () = sleep(wait) => {}
                _ = self.phase.wait_for(|phase| *phase == Phase::Ended) => return false,
                _ = self.stop.wait_for(|stop| *stop) => {
                    tracing::error!(host, message.id, "the service stops before a subscriber took a message");
                    return false;
                }
            }
            wait = (wait * 2).min(RETRY_MAX);
        }
        tracing::error!(host, message.id, "a message was not taken in {ATTEMPTS_MAX} attempts: given up");
        false
    }

    async fn attempt(&self, client: &Client<HttpConnector, Body>, message: &Message) -> Result<(), Failure> {
        let mut request = Request::post(self.endpoint.clone())
            .header("x-amz-sns-message-type", message.kind)
            .header("x-amz-sns-message-id", &message.id)
            .header("x-amz-sns-topic-arn", &message.topic)
            .header(header::CONTENT_TYPE, "text/plain; charset=UTF-8")
            .header(header::USER_AGENT, "Amazon Simple Notification Service Agent");
        if message.kind == "Notification" {
            request = request.header("x-amz-sns-subscription-arn", &self.arn);
        }
        let temporary = |reason: String| Failure::Temporary(reason);
        let request =
            request.body(Body::from(message.body.clone())).map_err(|error| temporary(error.to_string()))?;
        let answer = timeout(ANSWER_WAIT, client.request(request)).await;
        let answer =
            answer.map_err(|_| temporary(format!("no answer within {} s", ANSWER_WAIT.as_secs())))?;
        match answer.map_err(|error| temporary(error.to_string()))?.status() {
            status if status.is_success() => Ok(()),
            // SNS developer guide, "Message delivery retries": client errors are not repeated, throttling is.
            status if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
                Err(Failure::Permanent(status))
            }
            status => Err(temporary(format!("answered {status}"))),
        }
    }
}
