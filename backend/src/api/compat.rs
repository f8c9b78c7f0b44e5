//! What the clients of AWS's samples call, so that they can be run against this backend: the C++ and Unity clients of
//! aws-gamelift-and-serverless-backend-sample, and the FlexMatch scenarios of the GameLift plugins for Unity and Unreal.
//! Paths, field names and statuses of what succeeds are theirs; the rules (whose ticket, one at a time) are ours, and so are the
//! failures: theirs are 500 for everything, their clients' own mistakes included.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{ErrorBody, Failures};
use super::input;
use crate::caller::Caller;
use crate::problem::{Code, Problem};
use crate::service::{Backend, IdempotencyKey, StartRequest};
use crate::ticket::{Connection, Status, Ticket};

#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct Latencies {
    /// `us-east-1_35_eu-west-1_120`
    #[serde(default)]
    latencies: String,
}

/// GameLift's MatchmakingTicket, as far as the sample's clients read it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MatchmakingTicket {
    ticket_id: String,
    status: Status,
    /// Seconds since 1970.
    start_time: u64,
}

impl From<Ticket> for MatchmakingTicket {
    fn from(ticket: Ticket) -> Self {
        Self { ticket_id: ticket.ticket_id, status: ticket.status, start_time: ticket.created_at / 1000 }
    }
}

/// Where the sample's clients look for their seat.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MatchStatus {
    ip_address: String,
    port: u16,
    player_session_id: String,
    dns_name: String,
}

/// The sample's way to ask for a match
///
/// The sample's clients give up and start again without cancelling, and send no key: whoever has a ticket gets it.
#[utoipa::path(
    get, path = "/requestmatchmaking", tag = "compat", params(Latencies),
    responses(
        (status = 200, description = "The ticket: a new one, or the one that there is", body = MatchmakingTicket),
        (status = 422, description = "LATENCY_LOCATION_UNKNOWN: a latency for a location that there is none of", body = ErrorBody),
        Failures,
    ),
)]
pub(super) async fn request_matchmaking(
    State(backend): State<Backend>,
    caller: Caller,
    query: Result<Query<Latencies>, QueryRejection>,
) -> Result<Json<MatchmakingTicket>, Problem> {
    let Query(Latencies { latencies }) = query.map_err(|error| bad(&error))?;
    match start(&backend, &caller, pairs(&latencies)?).await {
        Err(problem) if problem.code == Code::TicketActive => backend.current(&caller).await,
        started => started,
    }
    .map(|ticket| Json(ticket.into()))
}

fn bad(error: &QueryRejection) -> Problem {
    Problem::new(Code::BadRequest, error.body_text())
}

fn pairs(text: &str) -> Result<BTreeMap<String, u32>, Problem> {
    let wrong = || {
        let rule = "latencies must be a location, an underscore and milliseconds, and so on, as us-east-1_35_eu-west-1_120";
        Problem::new(Code::BadRequest, rule)
    };
    let mut parts = text.split('_').filter(|part| !part.is_empty());
    let mut latencies = BTreeMap::new();
    while let Some(location) = parts.next() {
        let latency = parts.next().and_then(|latency| latency.parse().ok()).ok_or_else(wrong)?;
        latencies.insert(location.to_owned(), latency);
    }
    Ok(latencies)
}

async fn start(
    backend: &Backend,
    caller: &Caller,
    latencies: BTreeMap<String, u32>,
) -> Result<Ticket, Problem> {
    // These clients have none, and cannot repeat a request that they do not know the outcome of.
    let key: IdempotencyKey = uuid::Uuid::new_v4().to_string().parse()?;
    let request = StartRequest { latencies, ..StartRequest::default() };
    backend.start(caller, &key, request).await.map(|started| started.ticket)
}

#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct StatusOf {
    #[serde(rename = "ticketId", default)]
    ticket_id: String,
}

/// The sample's way to ask for the seat
#[utoipa::path(
    get, path = "/requestmatchstatus", tag = "compat", params(StatusOf),
    responses(
        (status = 200, description = "The seat; or, while there is none and for tickets of others, one whose PlayerSessionId is `NotPlacedYet`", body = MatchStatus),
        Failures,
    ),
)]
pub(super) async fn request_match_status(
    State(backend): State<Backend>,
    caller: Caller,
    query: Result<Query<StatusOf>, QueryRejection>,
) -> Result<Json<MatchStatus>, Problem> {
    let Query(StatusOf { ticket_id: id }) = query.map_err(|error| bad(&error))?;
    let connection = match backend.ticket(&caller, &id).await {
        Ok(ticket) => ticket.connection,
        Err(problem) if problem.code == Code::NotFound => None,
        Err(problem) => return Err(problem),
    };
    let seat = connection.and_then(|mut connection| {
        let endpoint = (!connection.endpoints.is_empty()).then(|| connection.endpoints.swap_remove(0))?;
        Some(MatchStatus {
            ip_address: endpoint.ip,
            port: endpoint.port,
            player_session_id: connection.player_session_id,
            dns_name: endpoint.dns_name.unwrap_or_default(),
        })
    });
    Ok(Json(seat.unwrap_or_else(|| MatchStatus {
        ip_address: String::new(),
        port: 0,
        player_session_id: "NotPlacedYet".to_owned(),
        dns_name: String::new(),
    })))
}

/// What the plugins' clients send. Whatever else they send is not asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartGame {
    #[serde(default)]
    region_to_latency_mapping: BTreeMap<String, u32>,
}

/// The plugins' way to ask for a match
#[utoipa::path(
    post, path = "/start_game", tag = "compat",
    request_body(content = Option<StartGame>, example = json!({"regionToLatencyMapping": {"eu-west-1": 32}})),
    responses(
        (status = 202, description = "Asked"),
        (status = 409, description = "TICKET_ACTIVE: there is one already, with its `ticketId` in `details`", body = ErrorBody),
        (status = 422, description = "LATENCY_LOCATION_UNKNOWN: a latency for a location that there is none of", body = ErrorBody),
        Failures,
    ),
)]
pub(super) async fn start_game(
    State(backend): State<Backend>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let request: Option<StartGame> = if body.is_empty() { None } else { input::object(&body)? };
    start(&backend, &caller, request.unwrap_or_default().region_to_latency_mapping).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Where the plugins' clients look for their seat. The port is a string in theirs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GameConnection {
    ip_address: String,
    port: String,
    dns_name: String,
    player_session_id: String,
    game_session_arn: String,
}

/// The plugins' way to ask for the seat
#[utoipa::path(
    post, path = "/get_game_connection", tag = "compat",
    responses(
        (status = 200, description = "The seat: JSON that is called text/plain", body = String, content_type = "text/plain", example = json!("{\"IpAddress\":\"10.0.0.1\",\"Port\":\"7777\",\"DnsName\":\"\",\"PlayerSessionId\":\"psess-1\",\"GameSessionArn\":\"arn:aws:gamelift:us-west-2::gamesession/fleet-1/gsess-1\"}")),
        (status = 204, description = "Not yet"),
        (status = 404, description = "There is no ticket, or it has ended without a seat", body = ErrorBody),
        Failures,
    ),
)]
pub(super) async fn get_game_connection(
    State(backend): State<Backend>,
    caller: Caller,
) -> Result<Response, Problem> {
    let ticket = backend.current(&caller).await?;
    match ticket.connection {
        Some(connection) => Ok(seat(connection)),
        // The plugins' own backend says 500 to this, as if it were broken.
        None if ticket.status.is_final() => {
            Err(Problem::new(Code::NotFound, "the ticket has ended without a seat: start another"))
        }
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

fn seat(mut connection: Connection) -> Response {
    if connection.endpoints.is_empty() {
        return StatusCode::NO_CONTENT.into_response();
    }
    let endpoint = connection.endpoints.swap_remove(0);
    let seat = GameConnection {
        ip_address: endpoint.ip,
        port: endpoint.port.to_string(),
        dns_name: endpoint.dns_name.unwrap_or_default(),
        player_session_id: connection.player_session_id,
        game_session_arn: connection.game_session_id,
    };
    ([(header::CONTENT_TYPE, "text/plain")], Json(seat)).into_response()
}
