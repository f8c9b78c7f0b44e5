//! What is said on a WebSocket, whichever door it is open at.
//!
//! A message is `{"action":"start|cancel|accept|status|ping","requestId":"..", ..}` and its reply `{"requestId":"..","ticket":{..}}`
//! or with `"error"`. News is `{"type":"ticket","ticket":{..}}`. News may be missed: whoever opens a socket asks for `status`, and
//! drops versions that are no newer than what they have.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod act;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use self::act::act;
use crate::api::answer;
use crate::problem::Problem;
use crate::service::StartRequest;
use crate::ticket::Ticket;

/// The longest message, in bytes: API Gateway's limit for a frame.
pub(crate) const MESSAGE_LEN_MAX: usize = 32 * 1024;
/// The longest request id that is repeated in a reply.
const REQUEST_ID_MAX: usize = 64;

/// A message from the client. `serde` cannot refuse unknown fields of a flattened enum, so the variants do.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) request_id: String,
    pub(crate) action: Action,
}

/// What the client wants. Whose ticket is not a part of it: that is the caller who opened the socket.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub(crate) enum Action {
    /// As POST /v1/matchmaking/tickets.
    Start {
        idempotency_key: String,
        #[serde(default)]
        request: StartRequest,
    },
    /// As DELETE /v1/matchmaking/tickets/{ticketId}.
    Cancel { ticket_id: String },
    /// As POST /v1/matchmaking/tickets/{ticketId}/acceptance.
    Accept { ticket_id: String, accept: bool },
    /// As GET /v1/matchmaking/tickets/{ticketId}, or current.
    Status {
        #[serde(default)]
        ticket_id: Option<String>,
    },
    /// Keeps the socket open.
    Ping {},
}

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let mut fields = serde_json::Map::deserialize(deserializer)?;
        let request_id = match fields.remove("requestId") {
            None => String::new(),
            Some(Value::String(id)) if id.len() <= REQUEST_ID_MAX => id,
            Some(_) => {
                return Err(D::Error::custom(format!(
                    "requestId must be a string of at most {REQUEST_ID_MAX} bytes"
                )));
            }
        };
        // serde would take a list for one, its values in the order of our fields.
        if fields.get("request").is_some_and(Value::is_array) {
            return Err(D::Error::custom("request must be an object, not a list"));
        }
        let action = Action::deserialize(Value::Object(fields)).map_err(D::Error::custom)?;
        Ok(Self { request_id, action })
    }
}

/// The request id of a message that is wrong otherwise, if there is one.
pub(crate) fn request_id(text: &str) -> String {
    let message: Value = serde_json::from_str(text).unwrap_or_default();
    let id = message["requestId"].as_str().filter(|id| id.len() <= REQUEST_ID_MAX);
    id.unwrap_or_default().to_owned()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reply<'a> {
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<Ticket>,
}

pub(crate) fn reply(request_id: &str, outcome: Result<Option<Ticket>, Problem>) -> String {
    let written = match outcome {
        Ok(ticket) => serde_json::to_string(&Reply { request_id, ticket }),
        Err(problem) => serde_json::to_string(&answer::body(problem, request_id)),
    };
    written.expect("strings, numbers and JSON values are JSON")
}

pub(crate) fn news(ticket: &Ticket) -> String {
    json!({"type": "ticket", "ticket": ticket}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_read_and_anything_more_is_refused() {
        let read = |text: &str| serde_json::from_str::<Request>(text).map(|request| request.action);
        for good in [
            r#"{"action":"status","requestId":"1"}"#,
            r#"{"action":"status","ticketId":"t"}"#,
            r#"{"action":"ping","requestId":"1"}"#,
            r#"{"action":"accept","ticketId":"t","accept":false}"#,
            r#"{"action":"cancel","ticketId":"t"}"#,
            r#"{"action":"start","idempotencyKey":"12345678","request":{"latencies":{"eu-west-1":3}}}"#,
            r#"{"action":"start","idempotencyKey":"12345678"}"#,
        ] {
            assert!(read(good).is_ok(), "{good}: {:?}", read(good));
        }
        for bad in [
            r#"{"action":"status","playerId":"bob"}"#,
            r#"{"action":"start","idempotencyKey":"12345678","request":{"skill":9000}}"#,
            r#"{"action":"start","idempotencyKey":"12345678","team":"red"}"#,
            r#"{"action":"start","idempotencyKey":"12345678","request":[]}"#,
            r#"{"action":"fly"}"#,
            r#"{"action":"accept","ticketId":"t"}"#,
            r#"{"action":"ping","requestId":7}"#,
            "{}",
            "[]",
            "",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wrong_message_is_answered_under_its_request_id() {
        assert_eq!(request_id(r#"{"requestId":"7","action":"fly"}"#), "7");
        assert_eq!(request_id("nonsense"), "");
        let problem = Problem::new(crate::problem::Code::BadRequest, "no");
        let error = r#"{"error":{"code":"BAD_REQUEST","message":"no","retryable":false},"requestId":"7"}"#;
        assert_eq!(reply("7", Err(problem)), error);
        assert_eq!(reply("7", Ok(None)), r#"{"requestId":"7"}"#);
    }
}
