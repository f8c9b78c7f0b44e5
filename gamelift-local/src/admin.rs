//! The admin side: look inside, read events, and move the clock.
//!
//! Browsers are kept out: a page from elsewhere can reach loopback addresses, but not without a foreign `Host`
//! or `Origin`.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;

use crate::{
    Clock,
    driver::{Handle, Stopped},
    events,
    sns::{self, Subscriptions},
};

/// Furthest jump of the clock in one request: longer than anything is kept.
const ADVANCE_SECONDS_MAX: f64 = 366.0 * 24.0 * 60.0 * 60.0;

#[derive(Clone)]
struct Admin {
    handle: Handle,
    clock: Clock,
    port: u16,
    stop: watch::Receiver<bool>,
}

pub(crate) fn router(
    handle: Handle,
    clock: Clock,
    address: SocketAddr,
    subscriptions: Subscriptions,
    stop: watch::Receiver<bool>,
) -> Router {
    let admin = Admin { handle, clock, port: address.port(), stop };
    Router::new()
        .route("/", get(index))
        .route("/state", get(state))
        .route("/events", get(events))
        .route("/clock/advance", post(advance))
        .with_state(admin.clone())
        .merge(sns::router(subscriptions))
        .fallback(|| async { problem(StatusCode::NOT_FOUND, "no such path; GET / lists them") })
        .layer(middleware::from_fn_with_state(admin, only_from_here))
}

async fn index() -> Response {
    Json(json!({
        "what": "the admin side of a local GameLift",
        "GET /state": "fleets, computes, server processes and game sessions",
        "GET /events": "every event from now on, as server-sent events",
        "POST /subscriptions": "{\"endpoint\": \"http://...\"} posts every event there, as Amazon SNS would",
        "POST /clock/advance": "{\"seconds\": 90} moves a manual clock",
    }))
    .into_response()
}

async fn state(State(admin): State<Admin>) -> Response {
    match admin.handle.run(|engine, now| engine.snapshot(now)).await {
        Ok(snapshot) => Json(snapshot).into_response(),
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

fn problem(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}
