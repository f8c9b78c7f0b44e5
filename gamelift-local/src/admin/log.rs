//! The log, and what the doctor makes of it.

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;

use super::problem;
use crate::{
    driver::{Handle, Stopped},
    events,
};

const NOBODY_WATCHES: &str = "nobody watches: the service was started without a log (Config::observe)";

#[derive(Clone)]
struct Log {
    handle: Handle,
    stop: watch::Receiver<bool>,
}

pub(super) fn router(handle: Handle, stop: watch::Receiver<bool>) -> Router {
    Router::new().route("/log", get(log)).route("/doctor", get(doctor)).with_state(Log { handle, stop })
}

#[derive(Deserialize)]
struct Format {
    format: Option<String>,
}

/// Lines from now on as server-sent events, or those that are there as lines of JSON.
async fn log(State(log): State<Log>, Query(format): Query<Format>) -> Response {
    let lines = match log.handle.watch(|observer| observer.map(|observer| observer.lines())).await {
        Ok(Some(lines)) => lines,
        Ok(None) => return problem(StatusCode::NOT_FOUND, NOBODY_WATCHES),
        Err(stopped) => return problem(StatusCode::SERVICE_UNAVAILABLE, &stopped.to_string()),
    };
    match format.format.as_deref() {
        Some("jsonl") => {
            let text: String = lines.iter().flat_map(|line| [&line.json, "\n"]).collect();
            ([(header::CONTENT_TYPE, "application/jsonl")], text).into_response()
        }
        None | Some("sse") => match log.handle.log() {
            Some(lines) => events::stream::response(lines, log.stop),
            None => problem(StatusCode::SERVICE_UNAVAILABLE, &Stopped.to_string()),
        },
        Some(_) => problem(StatusCode::BAD_REQUEST, "format must be sse or jsonl"),
    }
}

async fn doctor(State(log): State<Log>) -> Response {
    match log.handle.watch(|observer| observer.map(|observer| observer.findings())).await {
        Ok(Some(findings)) => Json(json!({ "findings": findings })).into_response(),
        Ok(None) => problem(StatusCode::NOT_FOUND, NOBODY_WATCHES),
        Err(stopped) => problem(StatusCode::SERVICE_UNAVAILABLE, &stopped.to_string()),
    }
}
