//! Events to HTTP endpoints, as Amazon SNS delivers them (SNS developer guide, "Fanout to HTTP/S endpoints").
//!
//! Every endpoint is subscribed to every topic: an event goes out under the topic that its queue names, or under
//! one of this service's own. An endpoint first gets a SubscriptionConfirmation; once it has visited the
//! SubscribeURL in it, it gets notifications, in order, each at least once.

mod delivery;
mod message;
mod signer;

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Query, State},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use self::{delivery::Delivery, message::Links, signer::Signer};
use crate::{Timestamp, driver::Handle, engine::Ids, events::Events};

/// Most subscriptions at a time, so that a loop cannot fill the memory.
const SUBSCRIPTIONS_MAX: usize = 100;

/// An endpoint cannot be subscribed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SubscribeError(String);

impl SubscribeError {
    pub(crate) fn no_listeners() -> Self {
        Self("confirming a subscription needs the admin listener, and there are no listeners".to_owned())
    }
}

/// Where a subscription is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The endpoint has to visit the SubscribeURL.
    Pending,
    Confirmed,
    /// It has visited the UnsubscribeURL.
    Ended,
}

struct Subscription {
    token: String,
    phase: watch::Sender<Phase>,
}

/// All subscriptions of one service. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Subscriptions {
    inner: Arc<Inner>,
}

struct Inner {
    handle: Handle,
    links: Links,
    signer: Signer,
    by_arn: Mutex<BTreeMap<String, Subscription>>,
    ids: Mutex<Ids>,
    new: mpsc::Sender<Delivery>,
    stop: watch::Receiver<bool>,
}

impl Subscriptions {
    /// Subscriptions, and the task that delivers to them. `admin` is the admin side's URL, `topic` the ARN of the
    /// topic of events that have none.
    pub(crate) fn new(
        handle: Handle,
        admin: &str,
        topic: String,
        stop: watch::Receiver<bool>,
    ) -> Result<(Self, impl Future<Output = ()> + Send + use<>), SubscribeError> {
        let signer = Signer::new().map_err(|error| SubscribeError(format!("cannot sign: {error}")))?;
        let (new, mut deliveries) = mpsc::channel::<Delivery>(SUBSCRIPTIONS_MAX);
        let inner = Inner {
            handle,
            links: Links { base: format!("{admin}/sns"), topic },
            signer,
            by_arn: Mutex::default(),
            // As for request ids: two runs should not hand out the same.
            ids: Mutex::new(Ids::new(RandomState::new().hash_one("subscriptions"))),
            new,
            stop: stop.clone(),
        };
        let run = async move {
            let mut running = JoinSet::new();
            let mut stop = stop;
            loop {
                tokio::select! {
                    Some(delivery) = deliveries.recv() => { running.spawn(delivery.run()); }
                    Some(_) = running.join_next() => {}
                    // An error means that the service is gone, which is as good a reason.
                    _ = stop.wait_for(|stop| *stop) => break,
                }
            }
            while running.join_next().await.is_some() {}
        };
        Ok((Self { inner: Arc::new(inner) }, run))
    }

    /// Subscribes an endpoint to every event from now on, and gives the subscription's ARN.
    pub(crate) async fn subscribe(&self, endpoint: &str) -> Result<String, SubscribeError> {
        let uri = check(endpoint)?;
        let stopped = || SubscribeError("this local GameLift has been shut down".to_owned());
        let events: Events = self.inner.handle.events().ok_or_else(stopped)?;
        let now: Timestamp = self.inner.handle.run(|_, now| now).await.map_err(|_| stopped())?;
        let (phase, phases) = watch::channel(Phase::Pending);
        let (arn, token) = {
            let mut ids = self.inner.ids.lock().unwrap_or_else(PoisonError::into_inner);
            let arn = format!("{}:{}", self.inner.links.topic, ids.uuid());
            (arn, format!("{}{}", ids.uuid().simple(), ids.uuid().simple()))
        };
        let links = &self.inner.links;
        let confirmation = message::confirmation(links, &self.inner.signer, &arn, &token, now);
        {
            let mut by_arn = self.inner.by_arn.lock().unwrap_or_else(PoisonError::into_inner);
            by_arn.retain(|_, subscription| !subscription.phase.is_closed());
            if by_arn.len() >= SUBSCRIPTIONS_MAX {
                return Err(SubscribeError(format!("there are {SUBSCRIPTIONS_MAX} subscriptions already")));
            }
            by_arn.insert(arn.clone(), Subscription { token, phase });
        }
        let delivery = Delivery {
            endpoint: uri,
            arn: arn.clone(),
            links: links.clone(),
            signer: self.inner.signer.clone(),
            confirmation,
            events,
            phase: phases,
            stop: self.inner.stop.clone(),
        };
        self.inner.new.send(delivery).await.map_err(|_| stopped())?;
        Ok(arn)
    }

    /// Moves a subscription on. Returns whether there is one that `which` picks.
    fn set(&self, phase: Phase, which: impl Fn(&str, &Subscription) -> bool) -> Option<String> {
        let by_arn = self.inner.by_arn.lock().unwrap_or_else(PoisonError::into_inner);
        let (arn, subscription) = by_arn.iter().find(|(arn, subscription)| which(arn, subscription))?;
        subscription.phase.send_if_modified(|now| {
            let change = *now != phase && *now != Phase::Ended;
            if change {
                *now = phase;
            }
            change
        });
        Some(arn.clone())
    }
}

/// Only plain HTTP: this is for endpoints on the same machine.
fn check(endpoint: &str) -> Result<Uri, SubscribeError> {
    let uri = endpoint.parse::<Uri>().ok();
    uri.filter(|uri| uri.scheme_str() == Some("http") && uri.host().is_some()).ok_or_else(|| {
        SubscribeError("a subscriber's endpoint must be a URL that begins with http://".to_owned())
    })
}

/// The admin side's paths: subscribing, and what the links in messages lead to.
pub(crate) fn router(subscriptions: Subscriptions) -> Router {
    Router::new()
        .route("/subscriptions", post(subscribe))
        .route("/sns", get(visit))
        .route("/sns/certificate.pem", get(certificate))
        .with_state(subscriptions)
}

#[derive(Deserialize)]
struct Subscribe {
    endpoint: String,
}

async fn subscribe(State(subscriptions): State<Subscriptions>, body: Bytes) -> Response {
    let refuse = |message: &str| {
        let body = serde_json::json!({ "error": message });
        (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
    };
    let Ok(Subscribe { endpoint }) = serde_json::from_slice(&body) else {
        return refuse("the body must be {\"endpoint\": \"http://...\"}");
    };
    match subscriptions.subscribe(&endpoint).await {
        Ok(arn) => axum::Json(serde_json::json!({ "subscriptionArn": arn })).into_response(),
        Err(error) => refuse(&error.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Visit {
    action: String,
    token: Option<String>,
    subscription_arn: Option<String>,
}

/// What SubscribeURL and UnsubscribeURL do.
async fn visit(State(subscriptions): State<Subscriptions>, Query(visit): Query<Visit>) -> Response {
    let arn = match visit.action.as_str() {
        "ConfirmSubscription" => subscriptions
            .set(Phase::Confirmed, |_, subscription| visit.token.as_ref() == Some(&subscription.token)),
        "Unsubscribe" => {
            subscriptions.set(Phase::Ended, |arn, _| visit.subscription_arn.as_deref() == Some(arn))
        }
        _ => None,
    };
    let action = &visit.action;
    match arn {
        Some(arn) => {
            // SNS API reference, ConfirmSubscription: answers are XML.
            let body = format!(
                "<{action}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><{action}Result><SubscriptionArn>{arn}</SubscriptionArn></{action}Result></{action}Response>\n"
            );
            ([(header::CONTENT_TYPE, "text/xml")], body).into_response()
        }
        None => (StatusCode::NOT_FOUND, "no such subscription\n").into_response(),
    }
}

async fn certificate() -> Response {
    ([(header::CONTENT_TYPE, "application/x-pem-file")], signer::CERTIFICATE).into_response()
}
