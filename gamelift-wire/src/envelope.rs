//! What kind of frame is this, and whose?
//!
//! ```text
//! request   {"Action":A,"RequestId":R, ...}
//! response  {"Action":A,"RequestId":R,"StatusCode":200, ...}
//! error     {"Action":A,"RequestId":R,"StatusCode":4xx|5xx,"ErrorMessage":"..."}
//! push      {"Action":A, ...}
//! ```
//!
//! * Responses come in any order and on any connection of the process; only the `RequestId` ties them to a request.
//! * Exactly 200 is success: 201, 302, 0 or nothing at all is an error.
//! * A process takes a frame for a response only if it waits for that `RequestId`; everything else goes by its `Action`.
//!   The official SDKs drop a push that carries a stray `RequestId`.
//! * A service repeats `Action` in every response: C++ SDK 5.4.0 crashes on a typed response without it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::action::Action;
use crate::ids::RequestId;
use crate::lenient::{integer_or_none, text_or_none};
use crate::pushes::{CreateGameSession, Push, RefreshConnection, TerminateProcess, UpdateGameSession};
use crate::requests::Request;

/// Why a frame was not understood. Shows no values: a frame may hold a player session id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Not JSON at all.
    #[error("frame is no JSON (line {line}, column {column})")]
    NotJson {
        /// Where it stops being JSON.
        line: usize,
        /// Where it stops being JSON.
        column: usize,
    },
    /// JSON, but no object.
    #[error("frame must be a JSON object")]
    NotAnObject,
    /// No `Action`, or one that is no string.
    #[error("frame has no `Action`")]
    NoAction {
        /// What the sender waits for, if it said so.
        request_id: Option<RequestId>,
    },
    /// An `Action` this side does not handle.
    #[error("unknown `Action` {action:?}")]
    UnknownAction {
        /// The word.
        action: String,
        /// What the sender waits for, if it said so.
        request_id: Option<RequestId>,
    },
    /// A request that could not be answered.
    #[error("{action} has no `RequestId`")]
    NoRequestId {
        /// The request.
        action: Action,
    },
    /// A field of the wrong type.
    #[error("{action} has a field of the wrong type or an unknown value: {reason}")]
    BadField {
        /// The message.
        action: Action,
        /// What the sender waits for, if it said so.
        request_id: Option<RequestId>,
        /// What was expected, in serde's words, without the value.
        reason: String,
    },
}

impl FrameError {
    /// The request to answer with an error, if the frame named one.
    pub fn request_id(&self) -> Option<&RequestId> {
        match self {
            Self::NoAction { request_id }
            | Self::UnknownAction { request_id, .. }
            | Self::BadField { request_id, .. } => request_id.as_ref(),
            Self::NotJson { .. } | Self::NotAnObject | Self::NoRequestId { .. } => None,
        }
    }
}

/// The keys every frame may have; a key of the wrong type reads as absent.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Head {
    #[serde(deserialize_with = "text_or_none")]
    action: Option<Action>,
    #[serde(deserialize_with = "text_or_none")]
    request_id: Option<RequestId>,
    #[serde(deserialize_with = "integer_or_none")]
    status_code: Option<i64>,
    #[serde(deserialize_with = "text_or_none")]
    error_message: Option<String>,
}

impl Head {
    fn parse(text: &str) -> Result<Self, FrameError> {
        // Arrays would otherwise read as structs, field by field.
        if !text.trim_ascii_start().starts_with('{') {
            return match serde_json::from_str::<serde::de::IgnoredAny>(text) {
                Ok(_) => Err(FrameError::NotAnObject),
                Err(error) => Err(not_json(&error)),
            };
        }
        match serde_json::from_str::<Self>(text) {
            Ok(mut head) => {
                head.request_id = head.request_id.filter(|id| !id.is_empty());
                Ok(head)
            }
            // A key that stands twice is legal JSON but not for serde's structs: the last one counts, as elsewhere.
            Err(error) if error.is_data() => {
                let value: Value = serde_json::from_str(text).map_err(|error| not_json(&error))?;
                Ok(serde_json::from_value(value).unwrap_or_default())
            }
            Err(error) => Err(not_json(&error)),
        }
    }
}

fn not_json(error: &serde_json::Error) -> FrameError {
    FrameError::NotJson { line: error.line(), column: error.column() }
}

/// Reads a body; the error says what was wrong, but not the value.
fn body<T: DeserializeOwned>(
    text: &str,
    action: &Action,
    request_id: Option<&RequestId>,
) -> Result<T, FrameError> {
    let read = serde_json::from_str::<T>(text);
    // A key that stands twice: see `Head::parse`.
    let read = read.or_else(|_| serde_json::from_str::<Value>(text).and_then(serde_json::from_value));
    read.map_err(|error| FrameError::BadField {
        action: action.clone(),
        request_id: request_id.cloned(),
        reason: without_value(&error.to_string()),
    })
}

/// serde says `invalid type: string "psess-1", expected u16`; only what was expected is fit for a log.
fn without_value(reason: &str) -> String {
    match reason.rsplit_once("expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => reason.to_owned(),
    }
}

/// A frame that a process received.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceFrame<'a> {
    /// The `Action`, if there is one.
    pub action: Option<Action>,
    /// Which request it answers, if it answers one.
    pub request_id: Option<RequestId>,
    /// How the request went; meaningless for a push.
    pub outcome: Result<(), Refusal>,
    text: &'a str,
}

impl<'a> ServiceFrame<'a> {
    /// Reads the envelope.
    ///
    /// # Errors
    /// [`FrameError::NotJson`] and [`FrameError::NotAnObject`]. Anything else is for the caller to judge.
    pub fn parse(text: &'a str) -> Result<Self, FrameError> {
        let Head { action, request_id, status_code, error_message } = Head::parse(text)?;
        let outcome = match status_code {
            Some(200) => Ok(()),
            other => Err(Refusal { status_code: other, message: error_message.unwrap_or_default() }),
        };
        Ok(Self { action, request_id, outcome, text })
    }

    /// Reads the rest of a response.
    ///
    /// # Errors
    /// [`FrameError::BadField`] if a field has the wrong type.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, FrameError> {
        let action = self.action.clone().unwrap_or(Action::Other(String::new()));
        body(self.text, &action, self.request_id.as_ref())
    }

    /// Reads the rest of a push.
    ///
    /// # Errors
    /// [`FrameError::NoAction`]; [`FrameError::UnknownAction`] for anything that is none of the four pushes, a response
    /// nobody waits for included; [`FrameError::BadField`].
    pub fn push(&self) -> Result<Push, FrameError> {
        match &self.action {
            Some(Action::CreateGameSession) => self.body::<CreateGameSession>().map(Push::CreateGameSession),
            Some(Action::UpdateGameSession) => self.body::<UpdateGameSession>().map(Push::UpdateGameSession),
            Some(Action::TerminateProcess) => self.body::<TerminateProcess>().map(Push::TerminateProcess),
            Some(Action::RefreshConnection) => self.body::<RefreshConnection>().map(Push::RefreshConnection),
            Some(other) => Err(FrameError::UnknownAction {
                action: other.to_string(),
                request_id: self.request_id.clone(),
            }),
            None => Err(FrameError::NoAction { request_id: self.request_id.clone() }),
        }
    }
}

/// The service said no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}{}{message}", if .message.is_empty() { "" } else { ": " }, kind = self.kind())]
pub struct Refusal {
    /// The `StatusCode`; `None` if the response had none.
    pub status_code: Option<i64>,
    /// The `ErrorMessage`; may be empty.
    pub message: String,
}

/// What a `StatusCode` means: the table that all official SDKs share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// 400, and every 4xx without a row of its own: the request is wrong; repeating it does not help.
    BadRequest,
    /// 401: the token is missing or wrong.
    Unauthorized,
    /// 403: the token does not allow this.
    Forbidden,
    /// 404: no such game session, player session or ticket.
    NotFound,
    /// 409: it is not in a state for this.
    Conflict,
    /// 429: too many calls; repeat later.
    TooManyRequests,
    /// Everything else: the service failed; repeat later.
    InternalService,
}

impl Refusal {
    /// What the status code means.
    pub fn kind(&self) -> RefusalKind {
        match self.status_code {
            Some(401) => RefusalKind::Unauthorized,
            Some(403) => RefusalKind::Forbidden,
            Some(404) => RefusalKind::NotFound,
            Some(409) => RefusalKind::Conflict,
            Some(429) => RefusalKind::TooManyRequests,
            Some(400..=499) => RefusalKind::BadRequest,
            _ => RefusalKind::InternalService,
        }
    }
}

impl RefusalKind {
    /// Its name in the official SDKs.
    pub fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "BadRequest",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "NotFound",
            Self::Conflict => "Conflict",
            Self::TooManyRequests => "TooManyRequests",
            Self::InternalService => "InternalService",
        }
    }
}

impl std::fmt::Display for RefusalKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A frame that the service received.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientFrame {
    /// What the response must repeat.
    pub request_id: RequestId,
    /// The request.
    pub request: Request,
}

impl ClientFrame {
    /// Reads a request in any of the official SDKs' dialects.
    ///
    /// # Errors
    /// Any [`FrameError`]; its [`request_id`](FrameError::request_id) says whether the sender can be told.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let Head { action, request_id, .. } = Head::parse(text)?;
        let Some(action) = action else { return Err(FrameError::NoAction { request_id }) };
        let id = request_id.as_ref();
        let request = match &action {
            Action::ActivateServerProcess => body(text, &action, id).map(Request::ActivateServerProcess),
            Action::HeartbeatServerProcess => body(text, &action, id).map(Request::HeartbeatServerProcess),
            Action::TerminateServerProcess => Ok(Request::TerminateServerProcess),
            Action::ActivateGameSession => body(text, &action, id).map(Request::ActivateGameSession),
            Action::UpdatePlayerSessionCreationPolicy => {
                body(text, &action, id).map(Request::UpdatePlayerSessionCreationPolicy)
            }
            Action::AcceptPlayerSession => body(text, &action, id).map(Request::AcceptPlayerSession),
            Action::RemovePlayerSession => body(text, &action, id).map(Request::RemovePlayerSession),
            Action::DescribePlayerSessions => body(text, &action, id).map(Request::DescribePlayerSessions),
            Action::StartMatchBackfill => body(text, &action, id).map(Request::StartMatchBackfill),
            Action::StopMatchBackfill => body(text, &action, id).map(Request::StopMatchBackfill),
            Action::GetComputeCertificate => Ok(Request::GetComputeCertificate),
            Action::GetFleetRoleCredentials => body(text, &action, id).map(Request::GetFleetRoleCredentials),
            other => {
                return Err(FrameError::UnknownAction { action: other.to_string(), request_id });
            }
        }?;
        let Some(request_id) = request_id else { return Err(FrameError::NoRequestId { action }) };
        Ok(Self { request_id, request })
    }
}

/// The text of a successful response. `B` is one of the answers in [`crate::requests`], or
/// [`Empty`](crate::requests::Empty).
pub fn success_text<B: Serialize>(action: &Action, request_id: &RequestId, body: &B) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Success<'a, B> {
        action: &'a Action,
        request_id: &'a RequestId,
        status_code: u16,
        #[serde(flatten)]
        body: &'a B,
    }
    serde_json::to_string(&Success { action, request_id, status_code: 200, body })
        .expect("string keys and plain values always serialise")
}

/// The text of a refusal.
pub fn error_text(action: &Action, request_id: &RequestId, status_code: u16, message: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Failure<'a> {
        action: &'a Action,
        request_id: &'a RequestId,
        status_code: u16,
        error_message: &'a str,
    }
    serde_json::to_string(&Failure { action, request_id, status_code, error_message: message })
        .expect("string keys and plain values always serialise")
}
