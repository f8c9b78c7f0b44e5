//! The admin side: look inside, read events, say where they go, and move the clock.
//!
//! Browsers are kept out: a page from elsewhere can reach loopback addresses, but not without a foreign `Host`
//! or `Origin`.

mod deliveries;
mod log;
mod processes;
mod samples;
mod sdk_faults;
mod tickets;

use std::{net::SocketAddr, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    Clock,
    driver::{Handle, Stopped},
    events::{
        self,
        outlets::Outlets,
        targets::{self, Targets},
    },
    sns::{
        self, Subscriptions,
        query::{self, Action},
    },
};

/// Furthest jump of the clock in one request: longer than anything is kept.
const ADVANCE_SECONDS_MAX: f64 = 366.0 * 24.0 * 60.0 * 60.0;

/// Where events go.
#[derive(Clone)]
pub(crate) struct Out {
    pub(crate) outlets: Outlets,
    pub(crate) targets: Targets,
    pub(crate) subscriptions: Subscriptions,
}

#[derive(Clone)]
struct Admin {
    handle: Handle,
    out: Out,
    clock: Clock,
    port: u16,
    stop: watch::Receiver<bool>,
}

pub(crate) fn router(
    handle: Handle,
    clock: Clock,
    address: SocketAddr,
    out: Out,
    stop: watch::Receiver<bool>,
) -> Router {
    let Out { outlets, targets, subscriptions } = out.clone();
    let (tickets, samples) = (tickets::router(handle.clone()), samples::router(handle.clone()));
    let (processes, faults) = (processes::router(handle.clone()), sdk_faults::router(handle.clone()));
    let log = log::router(handle.clone(), stop.clone());
    let admin = Admin { handle, out, clock, port: address.port(), stop };
    Router::new()
        .route("/", get(index))
        .route("/state", get(state))
        .route("/events", get(events))
        .route("/clock/advance", post(advance))
        .with_state(admin.clone())
        .merge(tickets)
        .merge(samples)
        .merge(processes)
        .merge(faults)
        .merge(log)
        .merge(deliveries::router(outlets))
        .merge(targets::router(targets))
        .merge(sns::router(subscriptions))
        .fallback(|| async { problem(StatusCode::NOT_FOUND, "no such path; GET / lists them") })
        .layer(middleware::from_fn_with_state(admin, only_from_here))
}

/// Every path, in the order in which a newcomer needs them.
const PATHS: &[(&str, &str)] = &[
    (
        "GET /state",
        "fleets, computes, server processes, game sessions, counts of placements and tickets, what became of events",
    ),
    (
        "GET /tickets",
        "matchmaking tickets, how long they have waited, and why; a table with ?format=text or Accept: text/plain",
    ),
    ("GET /tickets/{id}", "one ticket, explained in full"),
    ("GET /doctor", "which steps server processes have missed, why, and what to do about it"),
    (
        "GET /log",
        "every server-SDK frame and change of state from now on, as server-sent events; ?format=jsonl: the last 4096",
    ),
    (
        "POST /processes/{id}/drop",
        "closes a server process's connections: {\"code\": 1012} with a close code, without a body with a reset; here and below, ?compute=...&fleet=... where ids are used twice",
    ),
    ("POST /processes/{id}/refresh", "sends it RefreshConnection, with a new token"),
    ("POST /processes/{id}/terminate", "sends it TerminateProcess, due in five minutes"),
    (
        "POST /processes/{id}/interrupt",
        "as when a Spot Instance is taken away: TerminateProcess, due in two minutes, and then the end",
    ),
    ("GET /sdk-faults", "how often answers to server processes go wrong on purpose, and how many have"),
    (
        "PUT /sdk-faults",
        "{\"rules\": {\"AcceptPlayerSession\": {\"refuse\": 0.2, \"status\": 500, \"delay\": 0.1, \"delaySeconds\": 5, \"garble\": 0.1, \"lose\": 0.1}}, \"seed\": 1} lets them go wrong, \"*\" for all other actions; {} stops it",
    ),
    ("GET /events", "every event from now on, as server-sent events"),
    ("GET /events/types", "every type of matchmaking and placement event"),
    (
        "POST /events/sample",
        "{\"type\": \"MatchmakingSucceeded\"} publishes a sample; may have \"configuration\" or \"queue\" (a name) and \"overrides\" (members of detail)",
    ),
    ("GET /subscriptions", "who gets events as from Amazon SNS"),
    (
        "POST /subscriptions",
        "{\"endpoint\": \"http://...\"} posts events there, as Amazon SNS would; may have \"topic\" (an ARN: only its events), \"signatureVersion\" (\"1\" or \"2\"), \"rawMessageDelivery\" (true)",
    ),
    ("DELETE /subscriptions/{arn}", "unsubscribes"),
    ("GET /?Action=ConfirmSubscription&TopicArn=...&Token=...", "what a SubscribeURL leads to"),
    ("GET /?Action=Unsubscribe&SubscriptionArn=...", "what an UnsubscribeURL leads to"),
    ("GET /sns/certificate.pem", "verifies signatures: what a SigningCertURL leads to"),
    ("GET /targets", "who gets events as from Amazon EventBridge"),
    ("POST /targets", "{\"url\": \"http://...\"} posts every event there, bare, as Amazon EventBridge would"),
    ("DELETE /targets/{id}", "removes a target"),
    ("GET /dead-letters", "events that an endpoint did not take, the newest thousand"),
    ("POST /dead-letters/redrive", "sends them again; {\"ids\": [1]} or {\"target\": \"...\"} only some"),
    ("GET /faults", "how often deliveries go wrong on purpose, and how many have"),
    (
        "PUT /faults",
        "{\"duplicate\": 0.2, \"drop\": 0.05, \"delay\": 0.3, \"delaySeconds\": 5, \"reorder\": 0.1, \"seed\": 1} lets deliveries go wrong; {} stops it",
    ),
    ("POST /clock/advance", "{\"seconds\": 90} moves a manual clock"),
];

/// What there is; and, as real links to SNS have no path, what those lead to.
async fn index(State(admin): State<Admin>, Query(action): Query<Action>) -> Response {
    if action.action.is_some() {
        return query::answer(&admin.out.subscriptions, &action);
    }
    let paths = PATHS.iter().map(|(path, what)| ((*path).to_owned(), Value::from(*what)));
    let what = ("what".to_owned(), Value::from("the admin side of a local GameLift"));
    Json(Value::Object(std::iter::once(what).chain(paths).collect())).into_response()
}

async fn state(State(admin): State<Admin>) -> Response {
    match admin.handle.run(|engine, now| serde_json::to_value(engine.snapshot(now))).await {
        Ok(Ok(mut snapshot)) => {
            snapshot["events"] = serde_json::to_value(admin.out.outlets.counts()).unwrap_or_default();
            Json(snapshot).into_response()
        }
        Ok(Err(error)) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        Err(stopped) => problem(StatusCode::SERVICE_UNAVAILABLE, &stopped.to_string()),
    }
}

async fn events(State(admin): State<Admin>) -> Response {
    match admin.handle.events() {
        Some(events) => events::stream::response(events, admin.stop),
        None => problem(StatusCode::SERVICE_UNAVAILABLE, &Stopped.to_string()),
    }
}

#[derive(Deserialize)]
struct Advance {
    seconds: f64,
}

async fn advance(State(admin): State<Admin>, body: Bytes) -> Response {
    if admin.clock != Clock::Manual {
        return problem(StatusCode::BAD_REQUEST, "the clock is not manual; start with --manual-clock");
    }
    let seconds = serde_json::from_slice::<Advance>(&body).ok().map(|advance| advance.seconds);
    let Some(seconds) = seconds.filter(|seconds| (0.0..=ADVANCE_SECONDS_MAX).contains(seconds)) else {
        let message = format!("the body must be {{\"seconds\": N}}, N from 0 to {ADVANCE_SECONDS_MAX}");
        return problem(StatusCode::BAD_REQUEST, &message);
    };
    let moved = admin.handle.advance(Duration::from_secs_f64(seconds)).await;
    let now = admin.handle.run(|_, now| now).await;
    match moved.and(now) {
        Ok(now) => Json(json!({ "now": now })).into_response(),
        Err(stopped) => problem(StatusCode::SERVICE_UNAVAILABLE, &stopped.to_string()),
    }
}

/// Refuses requests that a web page of somebody else could have caused.
async fn only_from_here(State(admin): State<Admin>, request: Request, next: Next) -> Response {
    match foreign_header(request.headers(), admin.port) {
        None => next.run(request).await,
        Some(name) => problem(
            StatusCode::FORBIDDEN,
            &format!("{name} is not this machine's; use http://127.0.0.1:{} or localhost", admin.port),
        ),
    }
}

fn foreign_header(headers: &HeaderMap, port: u16) -> Option<&'static str> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if !text(header::HOST).is_some_and(|host| is_here(host, port)) {
        return Some("Host");
    }
    let origin = text(header::ORIGIN);
    let foreign =
        origin.is_some_and(|origin| !origin.strip_prefix("http://").is_some_and(|host| is_here(host, port)));
    foreign.then_some("Origin")
}

/// Whether `host:port` is a loopback name or address with the right port.
fn is_here(authority: &str, port: u16) -> bool {
    if let Ok(address) = authority.parse::<SocketAddr>() {
        return address.ip().is_loopback() && address.port() == port;
    }
    authority
        .rsplit_once(':')
        .is_some_and(|(host, given)| host.eq_ignore_ascii_case("localhost") && given == port.to_string())
}

pub(crate) fn problem(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}
