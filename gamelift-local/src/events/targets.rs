//! Endpoints that get events as Amazon EventBridge hands them to its targets: the bare event.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::{
    EndpointError,
    client::Post,
    delivery::{Form, NotMade, Phase},
    outlets::{ENDPOINTS_MAX, Outlets, Target},
};
use crate::{Timestamp, admin::problem, engine::Event};

/// What a target is sent.
struct Bare;

impl Form for Bare {
    fn wants(&self, _event: &Event) -> bool {
        true
    }

    fn event(&self, event: &Event) -> Result<Post, NotMade> {
        Ok(Post {
            id: event.id.clone(),
            content_type: "application/json",
            // EventBridge user guide, "API destinations".
            user_agent: "Amazon/EventBridge/ApiDestinations",
            headers: Vec::new(),
            body: event.json.clone(),
        })
    }

    fn hello(&self, _now: Timestamp) -> Option<Result<Post, NotMade>> {
        None
    }

    fn goodbye(&self, _now: Timestamp) -> Option<Result<Post, NotMade>> {
        None
    }
}

/// All targets of one service, which last for as long as this. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Targets {
    outlets: Outlets,
    by_id: Arc<Mutex<BTreeMap<u64, Entry>>>,
    /// Taken before anything is made, so that many at a time cannot be too many.
    room: Arc<Semaphore>,
}

struct Entry {
    target: Arc<Target>,
    /// Dropping it ends the target.
    _phase: watch::Sender<Phase>,
    _room: OwnedSemaphorePermit,
}

impl fmt::Debug for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Targets").finish_non_exhaustive()
    }
}

impl Targets {
    pub(crate) fn new(outlets: Outlets) -> Self {
        Self { outlets, by_id: Arc::default(), room: Arc::new(Semaphore::new(ENDPOINTS_MAX)) }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<u64, Entry>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Posts every event from now on to a URL. Gives the target's id.
    pub(crate) async fn add(&self, url: &str) -> Result<Arc<str>, EndpointError> {
        let endpoint = self.outlets.check(url)?;
        let room = self.room.clone().try_acquire_owned().map_err(|_| EndpointError::Full)?;
        let (phase, phases) = watch::channel(Phase::Confirmed);
        let target = self.outlets.open(None, endpoint, Arc::new(Bare), phases).await?;
        let id = target.id.clone();
        self.entries().insert(target.number, Entry { target, _phase: phase, _room: room });
        Ok(id)
    }
}

/// The admin side's paths.
pub(crate) fn router(targets: Targets) -> Router {
    Router::new()
        .route("/targets", get(list).post(add))
        .route("/targets/{id}", delete(remove))
        .with_state(targets)
}

async fn list(State(targets): State<Targets>) -> Response {
    let entries = targets.entries();
    let rows = entries.values().map(|entry| {
        let Target { number, id, url, .. } = &*entry.target;
        json!({ "targetId": **id, "url": url, "deliveries": targets.outlets.counts_of(*number) })
    });
    Json(json!({ "targets": rows.collect::<Vec<_>>() })).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    url: String,
}

async fn add(State(targets): State<Targets>, body: Bytes) -> Response {
    let Ok(Add { url }) = serde_json::from_slice(&body) else {
        return problem(StatusCode::BAD_REQUEST, "the body must be {\"url\": \"http://...\"}");
    };
    match targets.add(&url).await {
        Ok(id) => Json(json!({ "targetId": *id })).into_response(),
        Err(error) => problem(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn remove(State(targets): State<Targets>, Path(id): Path<String>) -> Response {
    let mut entries = targets.entries();
    let before = entries.len();
    entries.retain(|_, entry| *entry.target.id != *id);
    if entries.len() < before {
        StatusCode::NO_CONTENT.into_response()
    } else {
        problem(StatusCode::NOT_FOUND, "no such target; GET /targets lists them")
    }
}
