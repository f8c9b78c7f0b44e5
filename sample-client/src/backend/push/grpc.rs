//! A gRPC stream, on an HTTP/2 connection of its own: players of one process do not wait for each other's streams.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use game_proto::matchmaking::{self as wire, MatchmakingClient, WatchRequest};
use http::Uri;
use hyper_util::client::legacy;
use tokio::time::timeout;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Status, Streaming};

use super::MESSAGE_LEN_MAX;
use crate::backend::error::{CallError, Refusal};
use crate::backend::http::{CONNECT_TIMEOUT, Http, host_of, root_cause};
use crate::backend::model::{Acceptance, Connection, Endpoint, Status as TicketStatus, Ticket};
use crate::error::shown;

/// From the first packet to the answer that the stream is open: as long as a WebSocket's connection and handshake together.
const OPEN_TIMEOUT: Duration = CONNECT_TIMEOUT.saturating_mul(2);

/// An open stream. Dropping it closes it and its connection.
pub(super) struct Grpc {
    host: String,
    news: Streaming<wire::Ticket>,
}

impl fmt::Debug for Grpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grpc").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Grpc {
    /// Opens a stream, which begins with the ticket as it is.
    pub(super) async fn open(http: &Http, origin: Uri, token: &str) -> Result<Self, CallError> {
        let host = host_of(&origin);
        let mut bearer = MetadataValue::try_from(format!("Bearer {token}")).map_err(|_| {
            let what = "a token that no header can carry".to_owned();
            CallError::Nonsense { host: host.clone(), what }
        })?;
        bearer.set_sensitive(true);
        let mut request = Request::new(WatchRequest {});
        request.metadata_mut().insert("authorization", bearer);
        let client = MatchmakingClient::with_origin(http.http2(), origin);
        let mut client = client.max_decoding_message_size(MESSAGE_LEN_MAX);
        match timeout(OPEN_TIMEOUT, client.watch(request)).await {
            Ok(Ok(response)) => Ok(Self { host, news: response.into_inner() }),
            Ok(Err(status)) => Err(failure(host, &status)),
            Err(_) => {
                let reason = format!("no stream within {} s", OPEN_TIMEOUT.as_secs());
                Err(CallError::OutcomeUnknown { host, reason })
            }
        }
    }

    pub(super) async fn next(&mut self) -> Option<Ticket> {
        match self.news.message().await {
            Ok(ticket) => ticket.map(read),
            Err(status) => {
                tracing::debug!(host = %self.host, code = ?status.code(), reason = shown(status.message()), "the stream is lost");
                None
            }
        }
    }
}

/// What a call that gave no stream has met.
fn failure(host: String, status: &Status) -> CallError {
    // Below gRPC, there is a cause; the backend's own words have none.
    if let Some(cause) = status.source() {
        let reason = root_cause(cause);
        let connecting = cause.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect);
        return if connecting {
            CallError::NotSent { host, reason }
        } else {
            CallError::OutcomeUnknown { host, reason }
        };
    }
    let text = |name: &str| status.metadata().get(name).and_then(|value| value.to_str().ok());
    CallError::Refused(Box::new(Refusal {
        status: http_status(status.code()),
        code: text("problem-code").map_or_else(|| format!("GRPC_{:?}", status.code()), shown),
        message: shown(status.message()),
        retryable: matches!(
            status.code(),
            Code::Aborted
                | Code::DeadlineExceeded
                | Code::Internal
                | Code::ResourceExhausted
                | Code::Unavailable
                | Code::Unknown
        ),
        retry_after: text("retry-after").and_then(|value| value.parse().ok()).map(Duration::from_secs),
        details: None,
        request_id: text("x-request-id").map(shown),
    }))
}

/// What HTTP would say, by the table of `google/rpc/code.proto`.
fn http_status(code: Code) -> u16 {
    match code {
        Code::Ok => 200,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => 400,
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::NotFound => 404,
        Code::AlreadyExists | Code::Aborted => 409,
        Code::ResourceExhausted => 429,
        Code::Cancelled => 499,
        Code::Unimplemented => 501,
        Code::Unavailable => 503,
        Code::DeadlineExceeded => 504,
        Code::Internal | Code::Unknown | Code::DataLoss => 500,
    }
}

fn read(ticket: wire::Ticket) -> Ticket {
    let status = match ticket.status() {
        // A number that is newer than this client is read as this one, too.
        wire::Status::Unspecified => TicketStatus::Unknown,
        wire::Status::Requested => TicketStatus::Requested,
        wire::Status::Searching => TicketStatus::Searching,
        wire::Status::RequiresAcceptance => TicketStatus::RequiresAcceptance,
        wire::Status::Placing => TicketStatus::Placing,
        wire::Status::Cancelling => TicketStatus::Cancelling,
        wire::Status::Succeeded => TicketStatus::Succeeded,
        wire::Status::TimedOut => TicketStatus::TimedOut,
        wire::Status::Failed => TicketStatus::Failed,
        wire::Status::Cancelled => TicketStatus::Cancelled,
    };
    let acceptance = ticket.acceptance.map(|it| Acceptance {
        deadline: it.deadline,
        accepted: it.accepted,
        total: it.total,
    });
    Ticket {
        ticket_id: ticket.ticket_id,
        status,
        version: ticket.version,
        estimated_wait_ms: ticket.estimated_wait_ms,
        acceptance,
        reason: ticket.reason,
        connection: ticket.connection.map(connection),
        poll_after_ms: ticket.poll_after_ms,
    }
}

fn connection(connection: wire::Connection) -> Connection {
    // A port that is none leaves an endpoint that cannot be used, and is left out.
    let endpoint = |it: wire::Endpoint| {
        Some(Endpoint { ip: it.ip, dns_name: it.dns_name, port: u16::try_from(it.port).ok()? })
    };
    Connection {
        endpoints: connection.endpoints.into_iter().filter_map(endpoint).collect(),
        player_session_id: connection.player_session_id,
        game_session_id: connection.game_session_id,
        certificate_sha256: connection.certificate_sha256,
        reserve_expires_at: connection.reserve_expires_at,
    }
}

#[cfg(test)]
mod tests {
    use tonic::metadata::MetadataMap;

    use super::*;

    #[test]
    fn refusal_has_the_backends_code_and_advice_as_over_http() {
        let mut metadata = MetadataMap::new();
        metadata.insert("problem-code", "RATE_LIMITED".parse().unwrap());
        metadata.insert("retry-after", "3".parse().unwrap());
        let status = Status::with_metadata(Code::ResourceExhausted, "one call\u{1b} per second", metadata);
        let error = failure("host".to_owned(), &status);
        assert_eq!((error.code(), error.is_retryable()), (Some("RATE_LIMITED"), true));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
        assert_eq!(
            error.to_string(),
            "refused: RATE_LIMITED (HTTP 429): one call per second; try again in 3 s"
        );
    }

    #[test]
    fn refusal_for_good_is_not_tried_again() {
        for code in
            [Code::Unauthenticated, Code::PermissionDenied, Code::Unimplemented, Code::InvalidArgument]
        {
            let error = failure("host".to_owned(), &Status::new(code, ""));
            assert!(!error.is_retryable(), "{error}");
        }
        let error = failure("host".to_owned(), &Status::unimplemented(""));
        assert_eq!(error.code(), Some("GRPC_Unimplemented"), "somebody who is not the backend");
    }

    #[test]
    fn ticket_is_read_as_from_json() {
        let endpoint = |port| wire::Endpoint { ip: "127.0.0.1".to_owned(), dns_name: None, port };
        let placed = wire::Ticket {
            ticket_id: "t-1".to_owned(),
            status: wire::Status::Succeeded.into(),
            version: 7,
            connection: Some(wire::Connection {
                endpoints: vec![endpoint(7777), endpoint(70_000)],
                player_session_id: "psess-ada".to_owned(),
                game_session_id: "gsess".to_owned(),
                certificate_sha256: Some("ab".repeat(32)),
                reserve_expires_at: Some(9),
            }),
            ..wire::Ticket::default()
        };
        let json = serde_json::json!({
            "ticketId": "t-1", "status": "SUCCEEDED", "version": 7,
            "connection": {
                "endpoints": [{ "ip": "127.0.0.1", "port": 7777 }], "playerSessionId": "psess-ada",
                "gameSessionId": "gsess", "certificateSha256": "ab".repeat(32), "reserveExpiresAt": 9,
            },
        });
        assert_eq!(read(placed), serde_json::from_value(json).unwrap());
        let newer = wire::Ticket { status: 99, ..wire::Ticket::default() };
        assert_eq!(read(newer).status, TicketStatus::Unknown);
    }
}
