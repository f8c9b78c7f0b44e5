//! A client of the admin side, for tools and tests that are another program than the service.
//!
//! ```no_run
//! # async fn example() -> Result<(), gamelift_local::client::ClientError> {
//! use gamelift_local::client::{Client, ProcessSelector};
//!
//! let client = Client::new("http://127.0.0.1:9082")?;
//! for process in client.state().await?.processes {
//!     println!("{} is {}", process.process_id, process.state);
//! }
//! client.drop_process(&ProcessSelector::id("server-1"), Some(1012)).await?;
//! # Ok(())
//! # }
//! ```

mod stream;

use std::{collections::BTreeMap, time::Duration};

use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, Uri, header},
};
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::timeout;

pub use self::stream::Lines;
use crate::SdkFaultRates;

/// How long an answer may take: a jump of the clock over a busy month is the slowest.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest answer: the state of a thousand processes and game sessions, or four thousand lines of the log.
const ANSWER_MAX: usize = 64 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The URL is none.
    #[error("the admin side's URL is {0:?}, but must be like http://127.0.0.1:9082")]
    Url(String),
    /// Nobody is there.
    #[error(
        "no answer from the admin side at {url}: {reason}; is `gamelift-local up` running, with this --admin?"
    )]
    Unreachable {
        /// Where.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// The admin side does not want to.
    #[error("{message} (HTTP {status})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Why.
        message: String,
    },
    /// The answer is not what this client knows.
    #[error("the answer cannot be read; is the service of another version? {0}")]
    Answer(String),
}

/// Which server process is meant. Ids are unique on a compute only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessSelector {
    /// Its id.
    pub process_id: String,
    /// Its compute, if there are several processes with the id.
    pub compute_name: Option<String>,
    /// Its fleet, likewise.
    pub fleet_id: Option<String>,
}

impl ProcessSelector {
    /// The only process with this id.
    pub fn id(id: impl Into<String>) -> Self {
        Self { process_id: id.into(), ..Self::default() }
    }
}

/// What is inside, as far as tools care. `GET /state` has more.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct State {
    /// When, in seconds since the Unix epoch.
    pub now: f64,
    /// Server processes, the first thousand.
    pub processes: Vec<ProcessState>,
    /// Game sessions, the newest thousand.
    pub game_sessions: Vec<GameSessionState>,
    /// Open server-SDK connections.
    pub connection_count: usize,
    /// All player sessions.
    pub player_session_count: usize,
    /// Matchmaking tickets, by status.
    pub tickets: BTreeMap<String, usize>,
}

/// One server process.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ProcessState {
    /// Its fleet.
    pub fleet_id: String,
    /// Its compute.
    pub compute_name: String,
    /// Its id.
    pub process_id: String,
    /// Language and version of its SDK.
    pub sdk: String,
    /// `ACTIVATING`, `ACTIVE` or `TERMINATED`.
    pub state: String,
    /// Open connections.
    pub connection_count: usize,
    /// The port of its game sessions, once it is ready.
    pub port: Option<u16>,
    /// Bad or missing health reports in a row.
    pub failed_heartbeats: u32,
    /// The game session it hosts.
    pub game_session_id: Option<String>,
}

/// One game session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct GameSessionState {
    /// Its ARN.
    pub game_session_id: String,
    /// Its status.
    pub status: String,
    /// Taken slots.
    pub current_player_session_count: u32,
    /// All slots.
    pub maximum_player_session_count: u32,
}

/// What the doctor has found.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Finding {
    /// Which step was missed.
    pub mistake: String,
    /// Who: fleet, compute and process id.
    pub process: Value,
    /// The fleet event of GameLift that follows there, if one does.
    pub event_code: Option<String>,
    /// What was seen.
    pub what: String,
    /// Why, most likely.
    pub cause: String,
    /// What to do.
    pub fix: String,
}

/// Rules for answers to server processes, with their seed and how many were hit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SdkFaults {
    /// By action; `*` stands for all others.
    pub rules: BTreeMap<String, SdkFaultRates>,
    /// The same seed hits the same answers.
    pub seed: u64,
    /// How many answers were `refused`, `delayed`, `garbled` and `lost`.
    pub counts: BTreeMap<String, u64>,
}

/// Talks to one admin side.
#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    http: HttpClient<HttpConnector, Body>,
}

impl Client {
    /// A client of the admin side at this URL. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ClientError::Url`].
    pub fn new(url: &str) -> Result<Self, ClientError> {
        let base = url.trim_end_matches('/');
        let uri: Option<Uri> = base.parse().ok();
        let known = uri.is_some_and(|uri| uri.scheme_str() == Some("http") && uri.host().is_some());
        if !known {
            return Err(ClientError::Url(url.to_owned()));
        }
        Ok(Self { base: base.to_owned(), http: HttpClient::builder(TokioExecutor::new()).build_http() })
    }

    /// A look inside.
    ///
    /// # Errors
    /// Any [`ClientError`], here and below.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn state(&self) -> Result<State, ClientError> {
        self.ask(Method::GET, "/state", None).await
    }

    /// Moves a manual clock forward. Gives the time it is then, in seconds since the Unix epoch.
    ///
    /// # Cancel safety
    /// The clock may have been moved.
    #[expect(clippy::missing_errors_doc, reason = "as Client::state says, for all of them")]
    pub async fn advance(&self, by: Duration) -> Result<f64, ClientError> {
        #[derive(Deserialize)]
        struct Now {
            now: f64,
        }
        let body = json!({ "seconds": by.as_secs_f64() });
        Ok(self.ask::<Now>(Method::POST, "/clock/advance", Some(body)).await?.now)
    }

    /// Closes the connections of a server process: with a close code, or with a reset. Gives how many there were.
    ///
    /// # Cancel safety
    /// They may have been closed.
    #[expect(clippy::missing_errors_doc, reason = "as Client::state says, for all of them")]
    pub async fn drop_process(
        &self,
        process: &ProcessSelector,
        code: Option<u16>,
    ) -> Result<usize, ClientError> {
        #[derive(Deserialize)]
        struct Closed {
            closed: usize,
        }
        let body = code.map(|code| json!({ "code": code }));
        Ok(self.ask::<Closed>(Method::POST, &path(process, "drop"), body).await?.closed)
    }

    /// Sends RefreshConnection to a server process.
    ///
    /// # Cancel safety
    /// It may have been sent.
    #[expect(clippy::missing_errors_doc, reason = "as Client::state says, for all of them")]
    pub async fn refresh(&self, process: &ProcessSelector) -> Result<(), ClientError> {
        self.ask::<Value>(Method::POST, &path(process, "refresh"), None).await.map(drop)
    }

    /// Sends TerminateProcess to a server process, with five minutes' notice.
    ///
    /// # Cancel safety
    /// It may have been sent.
    #[expect(clippy::missing_errors_doc, reason = "as Client::state says, for all of them")]
    pub async fn terminate(&self, process: &ProcessSelector) -> Result<(), ClientError> {
        self.ask::<Value>(Method::POST, &path(process, "terminate"), None).await.map(drop)
    }

    /// Takes the machine away from a server process, as a Spot interruption does: TerminateProcess with two minutes' notice,
    /// then the end, whatever it hosts.
    ///
    /// # Cancel safety
    /// It may have been told.
    #[expect(clippy::missing_errors_doc, reason = "as Client::state says, for all of them")]
    pub async fn interrupt(&self, process: &ProcessSelector) -> Result<(), ClientError> {
        self.ask::<Value>(Method::POST, &path(process, "interrupt"), None).await.map(drop)
    }

    /// How often answers to server processes go wrong on purpose.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[expect(clippy::missing_errors_doc, reason = "as Client::state says, for all of them")]
    pub async fn sdk_faults(&self) -> Result<SdkFaults, ClientError> {
        self.ask(Method::GET, "/sdk-faults", None).await
    }

    /// Lets answers to server processes go wrong: these rules and no others. Without a seed the last one is used again.
    ///
    /// # Cancel safety
    /// The rules may be in force.
    #[expect(clippy::missing_errors_doc, reason = "as Client::state says, for all of them")]
    pub async fn set_sdk_faults(
        &self,
        rules: &BTreeMap<String, SdkFaultRates>,
        seed: Option<u64>,
    ) -> Result<SdkFaults, ClientError> {
        let body = json!({ "rules": rules, "seed": seed });
        self.ask(Method::PUT, "/sdk-faults", Some(body)).await
    }

    /// What the doctor has found so far.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[expect(clippy::missing_errors_doc, reason = "as Client::state says, for all of them")]
    pub async fn findings(&self) -> Result<Vec<Finding>, ClientError> {
        #[derive(Deserialize)]
        struct Findings {
            findings: Vec<Finding>,
        }
        Ok(self.ask::<Findings>(Method::GET, "/doctor", None).await?.findings)
    }

    /// The lines of the log that are kept, the oldest first, each a JSON object.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[expect(clippy::missing_errors_doc, reason = "as Client::state says, for all of them")]
    pub async fn log(&self) -> Result<Vec<Value>, ClientError> {
        let text = self.text("/log?format=jsonl").await?;
        let lines = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        lines.map_err(|error| ClientError::Answer(error.to_string()))
    }

    /// Every line of the log from now on.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[expect(clippy::missing_errors_doc, reason = "as Client::state says, for all of them")]
    pub async fn follow_log(&self) -> Result<Lines, ClientError> {
        self.follow("/log").await
    }

    /// Every event of placements and matchmaking from now on.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[expect(clippy::missing_errors_doc, reason = "as Client::state says, for all of them")]
    pub async fn follow_events(&self) -> Result<Lines, ClientError> {
        self.follow("/events").await
    }

    /// What `GET` on a path answers, as JSON: for what has no method here.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[expect(clippy::missing_errors_doc, reason = "as Client::state says, for all of them")]
    pub async fn get(&self, path: &str) -> Result<Value, ClientError> {
        self.ask(Method::GET, path, None).await
    }

    /// What `GET` on a path answers, as text.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[expect(clippy::missing_errors_doc, reason = "as Client::state says, for all of them")]
    pub async fn text(&self, path: &str) -> Result<String, ClientError> {
        let bytes = self.bytes(Method::GET, path, None).await?;
        String::from_utf8(bytes).map_err(|error| ClientError::Answer(error.to_string()))
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<T, ClientError> {
        let bytes = self.bytes(method, path, body).await?;
        serde_json::from_slice(&bytes).map_err(|error| ClientError::Answer(error.to_string()))
    }

    async fn bytes(&self, method: Method, path: &str, body: Option<Value>) -> Result<Vec<u8>, ClientError> {
        let (status, body) = self.send(method, path, body).await?;
        let read = timeout(ANSWER_TIMEOUT, to_bytes(body, ANSWER_MAX)).await;
        let bytes = read
            .map_err(|_| self.unreachable("the answer stopped in the middle"))?
            .map_err(|error| self.unreachable(error))?;
        if (200..300).contains(&status) { Ok(bytes.to_vec()) } else { Err(refused(status, &bytes)) }
    }

    async fn follow(&self, path: &str) -> Result<Lines, ClientError> {
        let (status, body) = self.send(Method::GET, path, None).await?;
        if (200..300).contains(&status) {
            return Ok(Lines::new(self.base.clone(), body));
        }
        let bytes = to_bytes(body, ANSWER_MAX).await.map_err(|error| self.unreachable(error))?;
        Err(refused(status, &bytes))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<(u16, Body), ClientError> {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .map_err(|_| ClientError::Url(format!("{}{path}", self.base)))?;
        let answer = timeout(ANSWER_TIMEOUT, self.http.request(request)).await;
        let answer = answer
            .map_err(|_| self.unreachable(format!("nothing within {} s", ANSWER_TIMEOUT.as_secs())))?
            .map_err(|error| {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                self.unreachable(cause.unwrap_or_else(|| error.to_string()))
            })?;
        Ok((answer.status().as_u16(), Body::new(answer.into_body())))
    }

    fn unreachable(&self, reason: impl ToString) -> ClientError {
        ClientError::Unreachable { url: self.base.clone(), reason: reason.to_string() }
    }
}

fn refused(status: u16, body: &[u8]) -> ClientError {
    #[derive(Deserialize)]
    struct Problem {
        error: String,
    }
    let message = serde_json::from_slice::<Problem>(body).map(|problem| problem.error);
    ClientError::Refused { status, message: message.unwrap_or_else(|_| "it did not say why".to_owned()) }
}

fn path(process: &ProcessSelector, action: &str) -> String {
    let mut path = format!("/processes/{}/{action}", escaped(&process.process_id));
    let narrower = [("compute", &process.compute_name), ("fleet", &process.fleet_id)];
    let narrower = narrower.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    for (index, (name, value)) in narrower.enumerate() {
        let separator = if index == 0 { '?' } else { '&' };
        path.push_str(&format!("{separator}{name}={}", escaped(value)));
    }
    path
}

/// Percent-encodes what RFC 3986 does not call unreserved.
fn escaped(text: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escape = |byte: u8| {
        if unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(escape).collect()
}
