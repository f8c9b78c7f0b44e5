//! Events to HTTP endpoints, as Amazon SNS delivers them (SNS developer guide, "Fanout to HTTP/S endpoints").
//!
//! An endpoint first gets a SubscriptionConfirmation. Once somebody has visited the SubscribeURL in it, it gets a
//! notification for every event of its topic, in order, each at least once. An event's topic is the NotificationTarget
//! of its queue or matchmaking configuration, or one of this service's own. After visiting the UnsubscribeURL an endpoint
//! gets an UnsubscribeConfirmation, whose SubscribeURL brings it back.

mod message;
pub(crate) mod query;
mod signer;

use std::{
    collections::BTreeMap,
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use serde::Deserialize;
use serde_json::json;
use tokio::{
    sync::{OnceCell, OwnedSemaphorePermit, Semaphore, watch},
    task::spawn_blocking,
    time::timeout,
};

pub use self::signer::{SignatureVersion, UnknownSignatureVersion};
use self::{
    message::{Links, Subscriber},
    signer::Signer,
};
use crate::{
    EndpointError,
    admin::problem,
    engine::Ids,
    events::{
        delivery::Phase,
        outlets::{ENDPOINTS_MAX, Outlets, Target},
    },
};

/// How long a program waits for an endpoint to confirm. One that is there does so at once.
const CONFIRMATION_WAIT: Duration = Duration::from_secs(15);

/// What a subscription is asked for with.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Subscribe {
    endpoint: String,
    /// As the service was started with, if absent.
    #[serde(default)]
    signature_version: Option<SignatureVersion>,
    /// All topics, if absent.
    #[serde(default)]
    topic: Option<String>,
    #[serde(default)]
    raw_message_delivery: bool,
}

impl Subscribe {
    /// The events of one topic.
    pub(crate) fn topic(endpoint: &str, topic: &str, version: SignatureVersion) -> Self {
        let (topic, signature_version) = (Some(topic.to_owned()), Some(version));
        Self { endpoint: endpoint.to_owned(), topic, signature_version, raw_message_delivery: false }
    }

    /// All topics, nothing special.
    pub(crate) fn everything(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), ..Self::default() }
    }
}

struct Subscription {
    target: Arc<Target>,
    subscriber: Arc<Subscriber>,
    /// Dropping it ends the subscription for good.
    phase: watch::Sender<Phase>,
    _room: OwnedSemaphorePermit,
}

/// All subscriptions of one service, which last for as long as this. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Subscriptions {
    inner: Arc<Inner>,
}

struct Inner {
    outlets: Outlets,
    links: Links,
    version: SignatureVersion,
    /// Made for the first subscription: most services have none, and a key takes a moment.
    signer: OnceCell<Arc<Signer>>,
    by_arn: Mutex<BTreeMap<String, Subscription>>,
    ids: Mutex<Ids>,
    /// Taken before anything is made, so that many at a time cannot be too many.
    room: Arc<Semaphore>,
}

impl fmt::Debug for Subscriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriptions").finish_non_exhaustive()
    }
}

impl Subscriptions {
    /// `admin` is the admin side's URL, `topic` the ARN of the topic of events that have none, `version` that of
    /// signatures if a subscription does not say.
    pub(crate) fn new(outlets: Outlets, admin: &str, topic: String, version: SignatureVersion) -> Self {
        let inner = Inner {
            outlets,
            links: Links { base: admin.to_owned(), topic },
            version,
            signer: OnceCell::new(),
            by_arn: Mutex::default(),
            // As for request ids: two runs should not hand out the same.
            ids: Mutex::new(Ids::new(RandomState::new().hash_one("subscriptions"))),
            room: Arc::new(Semaphore::new(ENDPOINTS_MAX)),
        };
        Self { inner: Arc::new(inner) }
    }

    fn by_arn(&self) -> MutexGuard<'_, BTreeMap<String, Subscription>> {
        self.inner.by_arn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A random id.
    fn uuid(&self) -> String {
        self.inner.ids.lock().unwrap_or_else(PoisonError::into_inner).uuid().to_string()
    }

    async fn signer(&self) -> Result<Arc<Signer>, EndpointError> {
        let make = async || {
            let made = spawn_blocking(Signer::generate).await;
            let made = made.map_err(|error| EndpointError::Signer(error.to_string()))?;
            made.map(Arc::new).map_err(|error| EndpointError::Signer(error.to_string()))
        };
        self.inner.signer.get_or_try_init(make).await.cloned()
    }

    /// Subscribes an endpoint to events from its confirmation on, and gives the subscription's ARN.
    pub(crate) async fn subscribe(&self, request: Subscribe) -> Result<String, EndpointError> {
        let endpoint = self.inner.outlets.check(&request.endpoint)?;
        if request.topic.as_ref().is_some_and(|topic| !is_topic(topic)) {
            return Err(EndpointError::Topic);
        }
        let room = self.room()?;
        let signer = self.signer().await?;
        let links = self.inner.links.clone();
        let arn = format!("{}:{}", request.topic.as_ref().unwrap_or(&links.topic), self.uuid());
        let subscriber = Arc::new(Subscriber {
            links,
            signer,
            version: request.signature_version.unwrap_or(self.inner.version),
            arn: arn.clone(),
            token: format!("{}{}", self.uuid(), self.uuid()).replace('-', ""),
            topic: request.topic,
            raw: request.raw_message_delivery,
            ids: Mutex::new(Ids::new(RandomState::new().hash_one("messages"))),
        });
        let (phase, phases) = watch::channel(Phase::Pending);
        let target = self.inner.outlets.open(Some(&arn), endpoint, subscriber.clone(), phases).await?;
        self.by_arn().insert(arn.clone(), Subscription { target, subscriber, phase, _room: room });
        Ok(arn)
    }

    /// Waits until the endpoint has confirmed.
    pub(crate) async fn confirmed(&self, arn: &str) -> Result<(), EndpointError> {
        let subscription = self
            .by_arn()
            .get(arn)
            .map(|subscription| (subscription.phase.subscribe(), subscription.target.clone()));
        let (mut phases, target) = subscription.ok_or(EndpointError::Unconfirmed)?;
        let confirmed = async {
            tokio::select! {
                biased;
                confirmed = phases.wait_for(|phase| *phase == Phase::Confirmed) => confirmed.is_ok(),
                // The endpoint has refused.
                () = target.over() => false,
            }
        };
        match timeout(CONFIRMATION_WAIT, confirmed).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(EndpointError::Unconfirmed),
        }
    }

    /// Room for one more. Forgets what has ended; when that is not enough, the oldest that somebody has unsubscribed.
    fn room(&self) -> Result<OwnedSemaphorePermit, EndpointError> {
        let mut by_arn = self.by_arn();
        by_arn.retain(|_, subscription| !subscription.target.is_over());
        if let Ok(room) = self.inner.room.clone().try_acquire_owned() {
            return Ok(room);
        }
        let unsubscribed = |(_, subscription): &(&String, &Subscription)| {
            *subscription.phase.borrow() == Phase::Unsubscribed
        };
        let oldest =
            by_arn.iter().filter(unsubscribed).min_by_key(|(_, subscription)| subscription.target.number);
        let oldest = oldest.map(|(arn, _)| arn.clone()).ok_or(EndpointError::Full)?;
        by_arn.remove(&oldest);
        self.inner.room.clone().try_acquire_owned().map_err(|_| EndpointError::Full)
    }

    /// Somebody has visited a SubscribeURL. Gives the subscription's ARN.
    fn confirm(&self, topic: &str, token: &str) -> Option<String> {
        let by_arn = self.by_arn();
        let (arn, subscription) = by_arn.iter().find(|(_, subscription)| {
            subscription.subscriber.token == token
                && subscription.subscriber.topic() == topic
                && !subscription.target.is_over()
        })?;
        subscription.phase.send_replace(Phase::Confirmed);
        Some(arn.clone())
    }

    /// Returns whether there is such a subscription.
    fn unsubscribe(&self, arn: &str) -> bool {
        let mut by_arn = self.by_arn();
        let Some(subscription) = by_arn.get(arn).filter(|subscription| !subscription.target.is_over()) else {
            return false;
        };
        // Nobody has confirmed it, so there is nothing to come back to.
        if *subscription.phase.borrow() == Phase::Pending {
            by_arn.remove(arn);
        } else {
            subscription.phase.send_replace(Phase::Unsubscribed);
        }
        true
    }
}

fn is_topic(arn: &str) -> bool {
    let parts: Vec<_> = arn.split(':').collect();
    let printable = arn.bytes().all(|byte| byte.is_ascii_graphic() && !b"&<>\"'#%?".contains(&byte));
    printable && parts.len() == 6 && parts.iter().all(|part| !part.is_empty()) && parts[2] == "sns"
}

/// The admin side's paths about subscriptions, and the certificate that signatures are verified with.
pub(crate) fn router(subscriptions: Subscriptions) -> Router {
    Router::new()
        .route("/subscriptions", get(list).post(subscribe))
        .route("/subscriptions/{arn}", delete(unsubscribe))
        .route("/sns/certificate.pem", get(certificate))
        .with_state(subscriptions)
}

async fn list(State(subscriptions): State<Subscriptions>) -> Response {
    let by_arn = subscriptions.by_arn();
    let rows = by_arn.iter().filter(|(_, subscription)| !subscription.target.is_over());
    let rows = rows.map(|(arn, subscription)| {
        let Subscription { target, subscriber, phase, .. } = subscription;
        json!({
            "subscriptionArn": arn,
            "endpoint": target.url,
            "topic": subscriber.topic,
            "state": *phase.borrow(),
            "signatureVersion": subscriber.version,
            "rawMessageDelivery": subscriber.raw,
            "deliveries": subscriptions.inner.outlets.counts_of(target.number),
        })
    });
    Json(json!({ "subscriptions": rows.collect::<Vec<_>>() })).into_response()
}

async fn subscribe(State(subscriptions): State<Subscriptions>, body: Bytes) -> Response {
    let request: Subscribe = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => {
            let message = format!(
                "the body must be {{\"endpoint\": \"http://...\"}}, with \"topic\", \"signatureVersion\" (\"1\" or \"2\") and \"rawMessageDelivery\" if you like: {error}"
            );
            return problem(StatusCode::BAD_REQUEST, &message);
        }
    };
    match subscriptions.subscribe(request).await {
        Ok(arn) => Json(json!({ "subscriptionArn": arn })).into_response(),
        Err(error) => problem(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn unsubscribe(State(subscriptions): State<Subscriptions>, Path(arn): Path<String>) -> Response {
    if subscriptions.unsubscribe(&arn) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        problem(StatusCode::NOT_FOUND, "no such subscription; GET /subscriptions lists them")
    }
}

async fn certificate(State(subscriptions): State<Subscriptions>) -> Response {
    match subscriptions.signer().await {
        Ok(signer) => {
            ([(header::CONTENT_TYPE, "application/x-pem-file")], signer.certificate.clone()).into_response()
        }
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}
