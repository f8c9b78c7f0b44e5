//! Events made to order.

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;

use super::problem;
use crate::{
    driver::Handle,
    engine::{EVENT_TYPES, SampleError, SampleRequest},
};

pub(super) fn router(handle: Handle) -> Router {
    Router::new().route("/events/types", get(types)).route("/events/sample", post(sample)).with_state(handle)
}

async fn types() -> Response {
    Json(json!({ "types": EVENT_TYPES })).into_response()
}

async fn sample(State(handle): State<Handle>, body: Bytes) -> Response {
    let request: SampleRequest = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => {
            let message = format!(
                "the body must be {{\"type\": \"MatchmakingSucceeded\"}}, with \"configuration\" or \"queue\" and \"overrides\" (of members of detail) if you like: {error}"
            );
            return problem(StatusCode::BAD_REQUEST, &message);
        }
    };
    match handle.run(move |engine, now| engine.publish_sample(now, request)).await {
        Ok(Ok(id)) => Json(json!({ "eventId": id })).into_response(),
        Ok(Err(error @ SampleError::NotWritten)) => {
            problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
        }
        Ok(Err(error)) => problem(StatusCode::BAD_REQUEST, &error.to_string()),
        Err(stopped) => problem(StatusCode::SERVICE_UNAVAILABLE, &stopped.to_string()),
    }
}
