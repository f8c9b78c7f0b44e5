//! What can be done to one server process.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem;
use crate::{
    Timestamp,
    driver::Handle,
    engine::{Engine, OperatorError, ProcessName},
};

/// Close codes that may be sent: RFC 6455, section 7.4. 1005, 1006 and 1015 never are.
const CLOSE_CODES: std::ops::RangeInclusive<u16> = 1000..=4999;
const NEVER_SENT: [u16; 3] = [1005, 1006, 1015];

pub(super) fn router(handle: Handle) -> Router {
    Router::new()
        .route("/processes/{id}/drop", post(close))
        .route("/processes/{id}/refresh", post(refresh))
        .route("/processes/{id}/terminate", post(terminate))
        .route("/processes/{id}/interrupt", post(interrupt))
        .with_state(handle)
}

/// Which of several processes with one id is meant.
#[derive(Debug, Default, Deserialize)]
struct Where {
    compute: Option<String>,
    fleet: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Close {
    code: Option<u16>,
}

async fn close(
    State(handle): State<Handle>,
    Path(id): Path<String>,
    Query(at): Query<Where>,
    body: Bytes,
) -> Response {
    let close: Close = match body.is_empty() {
        true => Close::default(),
        false => match serde_json::from_slice(&body) {
            Ok(close) => close,
            Err(error) => {
                let message = format!("the body may be {{\"code\": 1012}}, or nothing for a reset: {error}");
                return problem(StatusCode::BAD_REQUEST, &message);
            }
        },
    };
    if close.code.is_some_and(|code| !CLOSE_CODES.contains(&code) || NEVER_SENT.contains(&code)) {
        return problem(StatusCode::BAD_REQUEST, "code must be a close code that can be sent: 1000 to 4999");
    }
    act(&handle, id, at, move |engine, now, name| {
        let closed = engine.drop_process(now, name, close.code)?;
        Ok(json!({ "closed": closed }))
    })
    .await
}

async fn refresh(State(handle): State<Handle>, Path(id): Path<String>, Query(at): Query<Where>) -> Response {
    act(&handle, id, at, |engine, now, name| {
        engine.refresh_process(now, name)?;
        Ok(json!({ "sent": "RefreshConnection" }))
    })
    .await
}

async fn terminate(
    State(handle): State<Handle>,
    Path(id): Path<String>,
    Query(at): Query<Where>,
) -> Response {
    end(&handle, id, at, false).await
}

async fn interrupt(
    State(handle): State<Handle>,
    Path(id): Path<String>,
    Query(at): Query<Where>,
) -> Response {
    end(&handle, id, at, true).await
}

async fn end(handle: &Handle, id: String, at: Where, interruption: bool) -> Response {
    act(handle, id, at, move |engine, now, name| {
        engine.end_process(now, name, interruption)?;
        Ok(json!({ "sent": "TerminateProcess" }))
    })
    .await
}

async fn act(
    handle: &Handle,
    id: String,
    at: Where,
    action: impl FnOnce(&mut Engine, Timestamp, &ProcessName) -> Result<Value, OperatorError> + Send + 'static,
) -> Response {
    let job = move |engine: &mut Engine, now| {
        let name = engine.find_process(&id, at.compute.as_deref(), at.fleet.as_deref())?;
        let mut done = action(engine, now, &name)?;
        done["process"] = json!(name);
        Ok::<_, OperatorError>(done)
    };
    match handle.run(job).await {
        Ok(Ok(done)) => Json(done).into_response(),
        Ok(Err(error)) => {
            let status = match error {
                OperatorError::Unknown(_) => StatusCode::NOT_FOUND,
                _ => StatusCode::CONFLICT,
            };
            problem(status, &error.to_string())
        }
        Err(stopped) => problem(StatusCode::SERVICE_UNAVAILABLE, &stopped.to_string()),
    }
}
