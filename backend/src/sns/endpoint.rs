//! `POST /events/sns`: takes messages as SNS posts them to an HTTP endpoint.
//!
//! The status steers the sender (SNS developer guide, "Message delivery retries"): 2xx ends it, 5xx has the message sent again,
//! and 4xx gives it up.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;
use url::Url;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::certificate::Origin;
use super::envelope::{Envelope, Kind, LEN_MAX};
use super::signature::Signer;
use super::verify::{self, Policy};
use crate::api::input::up_to;
use crate::problem::{Code, Problem};
use crate::service::{Backend, Clock, HandleError};

/// Certificates that are kept. SNS has one per Region and changes it every year or so; one more takes the place of all.
const CERTIFICATES_MAX: usize = 8;
/// The longest certificate, in bytes. SNS's have two thousand.
const CERTIFICATE_LEN_MAX: usize = 64 * 1024;
/// Fetches at once. Who names our topic may have us fetch before anything is verified, so a flood of that must not go far; SNS
/// itself needs one now and then, and sends again what is refused.
const FETCHES_MAX: usize = 4;
/// How long a certificate or a confirmation may take: SNS waits 15 seconds for our answer.
const FETCH_WAIT: Duration = Duration::from_secs(10);

/// Whose certificate counts.
#[derive(Clone, Debug)]
pub enum Trust {
    /// This one, whatever a message says. Confirmations are followed by the rules of the origin.
    Pinned(Signer, Origin),
    /// The one that a message names, if it is at that origin.
    Origin(Origin),
}

impl Trust {
    fn origin(&self) -> &Origin {
        match self {
            Self::Pinned(_, origin) | Self::Origin(origin) => origin,
        }
    }
}

/// The endpoint. Clones are one and the same.
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

struct Inner {
    backend: Backend,
    policy: Policy,
    trust: Trust,
    clock: Clock,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    certificates: Mutex<BTreeMap<String, Signer>>,
    fetches: Semaphore,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Endpoint").field("policy", &self.0.policy).finish_non_exhaustive()
    }
}

/// A message that was not taken.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Too large, too slow or broken off.
    #[error(transparent)]
    Body(Problem),
    #[error("this is no message of SNS: {0}")]
    Envelope(serde_json::Error),
    #[error(transparent)]
    Refused(#[from] verify::Refused),
    #[error(transparent)]
    Foreign(#[from] super::certificate::Foreign),
    #[error("the confirmation has no SubscribeURL")]
    NothingToVisit,
    #[error("cannot fetch {what} from {host}: {reason}")]
    Fetch { what: &'static str, host: String, reason: String },
    #[error("the event is malformed: {0}")]
    Malformed(String),
    #[error("{0}")]
    Unhandled(HandleError),
}

impl Failure {
    fn status(&self) -> StatusCode {
        match self {
            // Broken off or slow, it may come whole the next time.
            Self::Body(problem) if problem.code != Code::TooLarge => StatusCode::SERVICE_UNAVAILABLE,
            Self::Body(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Envelope(_) | Self::NothingToVisit | Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Refused(_) | Self::Foreign(_) => StatusCode::FORBIDDEN,
            Self::Fetch { .. } | Self::Unhandled(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl Endpoint {
    /// Hands what is believed to a backend.
    ///
    /// # Errors
    ///
    /// If the system's root certificates cannot be read.
    pub fn new(backend: Backend, policy: Policy, trust: Trust, clock: Clock) -> Result<Self, std::io::Error> {
        let tls = HttpsConnectorBuilder::new().with_provider_and_native_roots(ring::default_provider())?;
        // Redirects are not followed by this client.
        let client = Client::builder(TokioExecutor::new()).build(tls.https_or_http().enable_http1().build());
        let (certificates, fetches) = (Mutex::new(BTreeMap::new()), Semaphore::new(FETCHES_MAX));
        Ok(Self(Arc::new(Inner { backend, policy, trust, clock, client, certificates, fetches })))
    }

    /// The route, and its description.
    pub fn router(self) -> (Router, OpenApi) {
        OpenApiRouter::new().routes(routes!(receive)).with_state(self).split_for_parts()
    }

    async fn take(&self, body: Body) -> Result<(), Failure> {
        let body = up_to(LEN_MAX, body).await.map_err(Failure::Body)?;
        let envelope: Envelope = serde_json::from_slice(&body).map_err(Failure::Envelope)?;
        verify::check(&envelope, &self.0.policy, (self.0.clock)())?;
        self.signer(&envelope).await?.verify(&envelope)?;
        match envelope.kind {
            Kind::Notification => match self.0.backend.handle(&envelope.message).await {
                Ok(handled) => {
                    tracing::debug!(id = envelope.message_id, ?handled, "an event was handled");
                    Ok(())
                }
                Err(HandleError::Malformed(reason)) => Err(Failure::Malformed(reason)),
                Err(error) => Err(Failure::Unhandled(error)),
            },
            Kind::SubscriptionConfirmation => {
                let url = envelope.subscribe_url.as_deref().ok_or(Failure::NothingToVisit)?;
                let url = self.0.trust.origin().subscribe_url(url)?;
                self.fetch("the confirmation", &url).await?;
                tracing::info!(topic = envelope.topic_arn, "subscribed");
                Ok(())
            }
            Kind::UnsubscribeConfirmation => {
                tracing::warn!(topic = envelope.topic_arn, "no longer subscribed: no more events will come");
                Ok(())
            }
        }
    }

    async fn signer(&self, envelope: &Envelope) -> Result<Signer, Failure> {
        let origin = match &self.0.trust {
            Trust::Pinned(signer, _) => return Ok(signer.clone()),
            Trust::Origin(origin) => origin,
        };
        let url = origin.certificate_url(&envelope.signing_cert_url)?;
        if let Some(signer) = self.0.certificates.lock().await.get(url.as_str()) {
            return Ok(signer.clone());
        }
        // Without the lock: one slow fetch must not hold up messages whose certificate is known.
        let pem = self.fetch("the certificate", &url).await?;
        let signer = Signer::from_pem(&pem).map_err(|error| failed("the certificate", &url, error))?;
        let mut certificates = self.0.certificates.lock().await;
        if certificates.len() >= CERTIFICATES_MAX {
            certificates.clear();
        }
        certificates.insert(url.into(), signer.clone());
        Ok(signer)
    }

    async fn fetch(&self, what: &'static str, url: &Url) -> Result<Bytes, Failure> {
        let _place =
            self.0.fetches.try_acquire().map_err(|_| failed(what, url, "too many are fetched at once"))?;
        let uri = url.as_str().parse().map_err(|error| failed(what, url, error))?;
        let fetching = async {
            let response = self.0.client.get(uri).await.map_err(|error| failed(what, url, error))?;
            if response.status() != StatusCode::OK {
                return Err(failed(what, url, format!("it answered {}", response.status())));
            }
            let body = Limited::new(response.into_body(), CERTIFICATE_LEN_MAX).collect().await;
            body.map(http_body_util::Collected::to_bytes).map_err(|error| failed(what, url, error))
        };
        let late = |_| failed(what, url, format!("no answer within {} s", FETCH_WAIT.as_secs()));
        timeout(FETCH_WAIT, fetching).await.map_err(late)?
    }
}

/// Without path and query: a confirmation's has a token.
fn failed(what: &'static str, url: &Url, reason: impl fmt::Display) -> Failure {
    Failure::Fetch { what, host: url.host_str().unwrap_or_default().to_owned(), reason: reason.to_string() }
}

/// Takes a message of SNS
///
/// It must be signed, of a topic that the operator has named, and not old; of a subscription, it is confirmed. No answer has a body.
#[utoipa::path(
    post, path = "/events/sns", tag = "events", security(()),
    request_body(content = String, content_type = "text/plain", description = "The envelope, as JSON"),
    responses(
        (status = 204, description = "It is dealt with"),
        (status = 400, description = "It is no message of SNS, or holds no event"),
        (status = 403, description = "It is forged, old, or of a topic that is none of ours"),
        (status = 413, description = "It has more than 256 KB"),
        (status = 503, description = "It could not be dealt with: send it again"),
    ),
)]
async fn receive(State(endpoint): State<Endpoint>, body: Body) -> Response {
    match endpoint.take(body).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(failure) => {
            let status = failure.status();
            match failure {
                // Anybody may send nonsense here, and as much as they like.
                Failure::Body(_) | Failure::Envelope(_) => {
                    tracing::debug!(%status, %failure, "a message was not taken");
                }
                _ => tracing::warn!(%status, %failure, "a message was not taken"),
            }
            // The sender is nobody we know: no more than the status.
            status.into_response()
        }
    }
}
