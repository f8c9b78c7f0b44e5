//! Our types as messages, and our problems as gRPC statuses.

use std::collections::BTreeMap;

use game_proto::matchmaking as wire;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code as GrpcCode, Status};

use crate::api::input::json;
use crate::problem::{Code, Problem};
use crate::service::StartRequest;
use crate::ticket::{Connection, Endpoint, Status as TicketStatus, Ticket};

pub(super) fn start_request(request: wire::StartRequest) -> Result<StartRequest, Problem> {
    let mut attributes = BTreeMap::new();
    for (name, value) in request.attributes {
        let value = json(value.as_bytes()).map_err(|problem| {
            Problem::new(Code::BadRequest, format!("the attribute {name:.64} must be JSON: {problem}"))
        })?;
        attributes.insert(name, value);
    }
    Ok(StartRequest {
        configuration: request.configuration,
        latencies: request.latencies.into_iter().collect(),
        attributes,
        party: request.party,
    })
}

pub(super) fn ticket(ticket: Ticket) -> wire::Ticket {
    let status = match ticket.status {
        TicketStatus::Requested => wire::Status::Requested,
        TicketStatus::Searching => wire::Status::Searching,
        TicketStatus::RequiresAcceptance => wire::Status::RequiresAcceptance,
        TicketStatus::Placing => wire::Status::Placing,
        TicketStatus::Cancelling => wire::Status::Cancelling,
        TicketStatus::Succeeded => wire::Status::Succeeded,
        TicketStatus::TimedOut => wire::Status::TimedOut,
        TicketStatus::Failed => wire::Status::Failed,
        TicketStatus::Cancelled => wire::Status::Cancelled,
    };
    let acceptance = ticket.acceptance.map(|acceptance| wire::Acceptance {
        deadline: acceptance.deadline,
        accepted: acceptance.accepted,
        total: acceptance.total,
    });
    wire::Ticket {
        ticket_id: ticket.ticket_id,
        status: status.into(),
        version: ticket.version,
        created_at: ticket.created_at,
        expires_at: ticket.expires_at,
        estimated_wait_ms: ticket.estimated_wait_ms,
        acceptance,
        reason: ticket.reason,
        connection: ticket.connection.map(connection),
        poll_after_ms: ticket.poll_after_ms,
        team: ticket.team,
    }
}

fn connection(connection: Connection) -> wire::Connection {
    let endpoint = |Endpoint { ip, dns_name, port }| wire::Endpoint { ip, dns_name, port: u32::from(port) };
    wire::Connection {
        endpoints: connection.endpoints.into_iter().map(endpoint).collect(),
        player_session_id: connection.player_session_id,
        game_session_id: connection.game_session_id,
        certificate_sha256: connection.certificate_sha256,
        reserve_expires_at: connection.reserve_expires_at,
    }
}

/// Our code is in the metadata `problem-code`, as over HTTP; `retry-after` has seconds.
pub(super) fn status(problem: Problem) -> Status {
    let code = match problem.code {
        Code::BadRequest | Code::TooLarge | Code::LatencyLocationUnknown => GrpcCode::InvalidArgument,
        Code::Unauthenticated => GrpcCode::Unauthenticated,
        Code::Forbidden => GrpcCode::PermissionDenied,
        Code::NotFound | Code::NoSession => GrpcCode::NotFound,
        Code::MethodNotAllowed => GrpcCode::Unimplemented,
        Code::TooSlow => GrpcCode::DeadlineExceeded,
        Code::TicketActive => GrpcCode::AlreadyExists,
        Code::TicketPlaced | Code::NotInAcceptance => GrpcCode::FailedPrecondition,
        Code::RateLimited => GrpcCode::ResourceExhausted,
        Code::Configuration | Code::Internal => GrpcCode::Internal,
        Code::MatchmakerUnavailable | Code::StoreUnavailable => GrpcCode::Unavailable,
    };
    let mut metadata = MetadataMap::new();
    if let Ok(serde_json::Value::String(name)) = serde_json::to_value(problem.code)
        && let Ok(value) = MetadataValue::try_from(name)
    {
        metadata.insert("problem-code", value);
    }
    if let Some(seconds) = problem.retry_after {
        metadata.insert("retry-after", seconds.into());
    }
    Status::with_metadata(code, problem.message, metadata)
}
