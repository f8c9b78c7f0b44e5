//! Lambda's side of a function (Lambda developer guide, "Using the Lambda runtime API for custom runtimes").

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::scripted::listen;

/// A cold start of a debug build on a busy machine, and one call.
const PATIENCE: Duration = Duration::from_secs(60);

type Outcome = Result<Value, Value>;

struct Calls {
    next: tokio::sync::Mutex<mpsc::Receiver<(String, Value)>>,
    waiting: Mutex<BTreeMap<String, oneshot::Sender<Outcome>>>,
}

/// A function that runs. It ends with this value.
pub(crate) struct Function {
    process: Child,
    events: mpsc::Sender<(String, Value)>,
    calls: Arc<Calls>,
    count: u32,
}

impl Drop for Function {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The binary with an environment of these variables alone, and what Lambda adds.
pub(crate) fn command(binary: &str, runtime_api: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(binary);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null());
    command.env("AWS_LAMBDA_RUNTIME_API", runtime_api.trim_start_matches("http://"));
    command.env("AWS_LAMBDA_FUNCTION_NAME", "function").env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
    command.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256").env("RUST_LOG", "info");
    command.env("AWS_REGION", "eu-west-1").env("AWS_ACCESS_KEY_ID", "key");
    command.env("AWS_SECRET_ACCESS_KEY", "secret").env("AWS_SESSION_TOKEN", "token");
    command.envs(variables.iter().copied());
    command
}

impl Function {
    pub(crate) async fn start(binary: &str, variables: &[(&str, &str)]) -> Self {
        let (events, next) = mpsc::channel(1);
        let calls = Arc::new(Calls { next: tokio::sync::Mutex::new(next), waiting: Mutex::default() });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next_event))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .with_state(calls.clone());
        let address = listen(router).await;
        let process = command(binary, &address, variables).spawn().unwrap();
        Self { process, events, calls, count: 0 }
    }

    /// What the function answers, or the error that it reports.
    pub(crate) async fn invoke(&mut self, event: Value) -> Outcome {
        self.count += 1;
        let id = format!("00000000-0000-4000-8000-{:012}", self.count);
        let (answer, answered) = oneshot::channel();
        self.calls.waiting.lock().unwrap().insert(id.clone(), answer);
        self.events.send((id, event)).await.unwrap();
        timeout(PATIENCE, answered).await.expect("the function answers in time").unwrap()
    }
}

async fn next_event(State(calls): State<Arc<Calls>>) -> impl IntoResponse {
    // Waits while there is none, as Lambda does.
    let Some((id, event)) = calls.next.lock().await.recv().await else {
        return Err(StatusCode::GONE);
    };
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + PATIENCE;
    let headers = [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:123456789012:function:f".to_owned(),
        ),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0".to_owned()),
    ];
    Ok((headers, event.to_string()))
}

async fn response(state: State<Arc<Calls>>, Path(id): Path<String>, body: String) -> StatusCode {
    done(&state, &id, Ok(serde_json::from_str(&body).unwrap()))
}

async fn error(state: State<Arc<Calls>>, Path(id): Path<String>, body: String) -> StatusCode {
    done(&state, &id, Err(serde_json::from_str(&body).unwrap()))
}

fn done(calls: &Calls, id: &str, outcome: Outcome) -> StatusCode {
    let waiting = calls.waiting.lock().unwrap().remove(id);
    let told = waiting.is_some_and(|answer| answer.send(outcome).is_ok());
    if told { StatusCode::ACCEPTED } else { StatusCode::BAD_REQUEST }
}
