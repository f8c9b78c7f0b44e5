//! Answers to server processes that go wrong on purpose.

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;

use super::problem;
use crate::{SdkFaultRates, driver::Handle};

pub(super) fn router(handle: Handle) -> Router {
    Router::new().route("/sdk-faults", get(view).put(set)).with_state(handle)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    #[serde(default)]
    rules: BTreeMap<String, SdkFaultRates>,
    #[serde(default)]
    seed: Option<u64>,
}

async fn view(State(handle): State<Handle>) -> Response {
    match handle.sdk_faults(|faults| faults.view()).await {
        Ok(view) => Json(view).into_response(),
        Err(stopped) => problem(StatusCode::SERVICE_UNAVAILABLE, &stopped.to_string()),
    }
}

async fn set(State(handle): State<Handle>, body: Bytes) -> Response {
    let Set { rules, seed } = match serde_json::from_slice(&body) {
        Ok(set) => set,
        Err(error) => {
            let message = format!(
                "the body must be like {{\"rules\": {{\"AcceptPlayerSession\": {{\"refuse\": 0.2, \"status\": 500, \"delay\": 0.1, \"delaySeconds\": 5, \"garble\": 0.1, \"lose\": 0.1}}}}, \"seed\": 1}}; \"*\" stands for all other actions: {error}"
            );
            return problem(StatusCode::BAD_REQUEST, &message);
        }
    };
    match handle.sdk_faults(move |faults| faults.set(rules, seed)).await {
        Ok(Ok(())) => {
            tracing::warn!(
                "answers to server processes go wrong on purpose from now on, if any rule says so"
            );
            view(State(handle)).await
        }
        Ok(Err(error)) => problem(StatusCode::BAD_REQUEST, &error.to_string()),
        Err(stopped) => problem(StatusCode::SERVICE_UNAVAILABLE, &stopped.to_string()),
    }
}
