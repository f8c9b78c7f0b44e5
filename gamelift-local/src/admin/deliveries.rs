//! Dead letters and faults.

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem;
use crate::{
    FaultRates,
    events::{dead_letters::DeadLetter, outlets::Outlets},
};

pub(super) fn router(outlets: Outlets) -> Router {
    Router::new()
        .route("/dead-letters", get(dead_letters))
        .route("/dead-letters/redrive", post(redrive))
        .route("/faults", get(faults).put(set_faults))
        .with_state(outlets)
}

async fn dead_letters(State(outlets): State<Outlets>) -> Response {
    let rows = outlets.dead_letters().into_iter().map(|letter| {
        let DeadLetter { id, target_id, event, reason, attempts, at, .. } = letter;
        let body = serde_json::from_str::<Value>(&event.json).unwrap_or_default();
        json!({
            "id": id,
            "target": &*target_id,
            "eventId": event.id,
            "reason": reason,
            "attempts": attempts,
            "at": at.to_iso_millis(),
            "event": body,
        })
    });
    Json(json!({ "deadLetters": rows.collect::<Vec<_>>() })).into_response()
}

/// Which dead letters to send again; all of them without a body.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Redrive {
    ids: Option<Vec<u64>>,
    target: Option<String>,
}

async fn redrive(State(outlets): State<Outlets>, body: Bytes) -> Response {
    let which: Redrive = match body.is_empty() {
        true => Redrive::default(),
        false => match serde_json::from_slice(&body) {
            Ok(which) => which,
            Err(error) => {
                let message =
                    format!("the body may be {{\"ids\": [1], \"target\": \"...\"}}, or nothing: {error}");
                return problem(StatusCode::BAD_REQUEST, &message);
            }
        },
    };
    let (redriven, left) = outlets.redrive(|letter| {
        which.ids.as_ref().is_none_or(|ids| ids.contains(&letter.id))
            && which.target.as_ref().is_none_or(|target| **target == *letter.target_id)
    });
    Json(json!({ "redriven": redriven, "left": left })).into_response()
}

/// What `PUT /faults` takes: the rates, and a seed to start over with.
#[derive(Deserialize)]
struct SetFaults {
    #[serde(default)]
    seed: Option<u64>,
    #[serde(flatten)]
    rates: serde_json::Map<String, Value>,
}

async fn faults(State(outlets): State<Outlets>) -> Response {
    let (rates, seed, counts) = outlets.faults();
    Json(json!({ "rates": rates, "seed": seed, "counts": counts })).into_response()
}

async fn set_faults(State(outlets): State<Outlets>, body: Bytes) -> Response {
    let read = || {
        let set: SetFaults = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        let rates = serde_json::from_value::<FaultRates>(Value::Object(set.rates));
        let rates = rates.map_err(|error| error.to_string())?;
        rates.check().map_err(|error| error.to_string())?;
        Ok::<_, String>((rates, set.seed))
    };
    match read() {
        Ok((rates, seed)) => {
            let (_, before, _) = outlets.faults();
            outlets.set_faults(rates, seed.unwrap_or(before));
            tracing::warn!(?rates, "deliveries of events go wrong on purpose from now on");
            faults(State(outlets)).await
        }
        Err(error) => {
            let message = format!(
                "the body must be like {{\"duplicate\": 0.2, \"drop\": 0.05, \"delay\": 0.3, \"delaySeconds\": 5, \"reorder\": 0.1, \"seed\": 1}}; what is left out does not happen: {error}"
            );
            problem(StatusCode::BAD_REQUEST, &message)
        }
    }
}
