//! Who plays, with whom and where: sessions, parties, locations and profiles.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::answer::{ErrorBody, Failures};
use super::{input, tickets};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::service::{Backend, IdempotencyKey, Invite, InviteRequest, Location, PrivateRequest, Profile};
use crate::ticket::{Connection, Ticket};

/// The way back to the game session that the caller has a seat in
#[utoipa::path(
    get, path = "/v1/sessions/current", tag = "sessions",
    responses(
        (status = 200, description = "Where to play", body = Connection),
        (status = 404, description = "NO_SESSION: there is no game session to come back to", body = ErrorBody),
        Failures,
    ),
)]
pub(super) async fn session(
    State(backend): State<Backend>,
    caller: Caller,
) -> Result<Json<Connection>, Problem> {
    backend.session(&caller).await.map(Json)
}

/// Asks for a game session of one's own
///
/// It is told of as a ticket, without matchmaking.
#[utoipa::path(
    post, path = "/v1/sessions", tag = "sessions",
    params(("Idempotency-Key" = String, Header, description = "New for each start that is meant; the same to repeat one", min_length = 8, max_length = 64)),
    request_body(content = PrivateRequest, example = json!({"maxPlayers": 4, "latencies": {"eu-west-1": 32}})),
    responses(
        (status = 202, description = "A new ticket", body = Ticket, headers(("Location" = String, description = "Its path"))),
        (status = 200, description = "The ticket that an earlier request with the same key has made", body = Ticket),
        (status = 409, description = "TICKET_ACTIVE: there is another, with its `ticketId` in `details`", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 422, description = "LATENCY_LOCATION_UNKNOWN: a latency for a location that there is none of", body = ErrorBody),
        Failures,
    ),
)]
pub(super) async fn start_private(
    State(backend): State<Backend>,
    caller: Caller,
    key: IdempotencyKey,
    input::Json(request): input::Json<PrivateRequest>,
) -> Result<Response, Problem> {
    Ok(tickets::started(backend.start_private(&caller, &key, request).await?))
}

/// Consents to be started with somebody else's party
///
/// Whoever gets the token may name it in `party` once. The body may be left out, or say what is the member's own.
#[utoipa::path(
    post, path = "/v1/party/invites", tag = "players",
    request_body(content = Option<InviteRequest>, example = json!({"latencies": {"eu-west-1": 32}})),
    responses(
        (status = 201, description = "A token for the party's leader", body = Invite),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 422, description = "LATENCY_LOCATION_UNKNOWN: a latency for a location that there is none of", body = ErrorBody),
        Failures,
    ),
)]
pub(super) async fn invite(
    State(backend): State<Backend>,
    caller: Caller,
    request: Option<input::Json<InviteRequest>>,
) -> Result<(StatusCode, Json<Invite>), Problem> {
    let request = request.map(|input::Json(request)| request).unwrap_or_default();
    Ok((StatusCode::CREATED, Json(backend.invite(&caller, request).await?)))
}

/// Where games may be hosted, and how to measure the latency to there
#[utoipa::path(
    get, path = "/v1/locations", tag = "players",
    responses((status = 200, description = "All locations", body = Vec<Location>), Failures),
)]
pub(super) async fn locations(
    State(backend): State<Backend>,
    _: Caller,
) -> Result<Json<Vec<Location>>, Problem> {
    backend.locations().await.map(Json)
}

/// What the backend knows of the caller
#[utoipa::path(
    get, path = "/v1/players/me", tag = "players",
    responses((status = 200, description = "The caller's profile", body = Profile), Failures),
)]
pub(super) async fn profile(
    State(backend): State<Backend>,
    caller: Caller,
) -> Result<Json<Profile>, Problem> {
    backend.profile(&caller).await.map(Json)
}
