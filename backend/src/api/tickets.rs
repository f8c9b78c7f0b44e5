//! Asking for a match, and what becomes of it.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{ErrorBody, Failures, etag, seen};
use super::input::{self, TicketId};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::service::{Backend, IdempotencyKey, StartRequest, Started};
use crate::ticket::Ticket;

/// Asks for a match
///
/// The ticket is the caller's only one until it ends. Repeating the request with the same key changes nothing.
#[utoipa::path(
    post, path = "/v1/matchmaking/tickets", tag = "matchmaking",
    params(("Idempotency-Key" = String, Header, description = "New for each start that is meant; the same to repeat one", min_length = 8, max_length = 64, example = "2d1f8f4e-50bb-4d25-b5b8-b0c1f3b3a7c5")),
    request_body(content = StartRequest, example = json!({"configuration": "default", "latencies": {"eu-west-1": 32}})),
    responses(
        (status = 202, description = "A new ticket", body = Ticket, headers(("Location" = String, description = "Its path"), ("ETag" = String))),
        (status = 200, description = "The ticket that an earlier request with the same key has made", body = Ticket),
        (status = 409, description = "TICKET_ACTIVE: there is another, with its `ticketId` in `details`", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 422, description = "LATENCY_LOCATION_UNKNOWN: a latency for a location that there is none of", body = ErrorBody),
        Failures,
    ),
)]
pub(super) async fn start(
    State(backend): State<Backend>,
    caller: Caller,
    key: IdempotencyKey,
    input::Json(request): input::Json<StartRequest>,
) -> Result<Response, Problem> {
    Ok(started(backend.start(&caller, &key, request).await?))
}

/// 202 with `Location` for a new ticket, 200 for one that there was.
pub(super) fn started(Started { ticket, replayed }: Started) -> Response {
    let status = if replayed { StatusCode::OK } else { StatusCode::ACCEPTED };
    let path = format!("/v1/matchmaking/tickets/{}", ticket.ticket_id);
    (status, [(header::LOCATION, path), (header::ETAG, etag(&ticket))], Json(ticket)).into_response()
}

/// 304 to whoever has seen it.
fn show(ticket: Ticket, headers: &HeaderMap) -> Response {
    let tag = etag(&ticket);
    if seen(headers.get(header::IF_NONE_MATCH), &tag) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    ([(header::ETAG, tag)], Json(ticket)).into_response()
}

/// The caller's latest ticket
#[utoipa::path(
    get, path = "/v1/matchmaking/tickets/current", tag = "matchmaking",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag of the last answer")),
    responses(
        (status = 200, description = "The ticket. Ask again after `pollAfterMs`", body = Ticket, headers(("ETag" = String))),
        (status = 304, description = "Nothing has changed"),
        (status = 404, description = "The caller has no ticket", body = ErrorBody),
        Failures,
    ),
)]
pub(super) async fn current(
    State(backend): State<Backend>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Ok(show(backend.current(&caller).await?, &headers))
}

/// One of the caller's tickets
#[utoipa::path(
    get, path = "/v1/matchmaking/tickets/{ticketId}", tag = "matchmaking",
    params(("ticketId" = String, Path), ("If-None-Match" = Option<String>, Header, description = "The ETag of the last answer")),
    responses(
        (status = 200, description = "The ticket. Ask again after `pollAfterMs`", body = Ticket, headers(("ETag" = String))),
        (status = 304, description = "Nothing has changed"),
        (status = 404, description = "There is none, or it is somebody else's", body = ErrorBody),
        Failures,
    ),
)]
pub(super) async fn ticket(
    State(backend): State<Backend>,
    caller: Caller,
    TicketId(id): TicketId,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Ok(show(backend.ticket(&caller, &id).await?, &headers))
}

/// Gives up
#[utoipa::path(
    delete, path = "/v1/matchmaking/tickets/{ticketId}", tag = "matchmaking",
    params(("ticketId" = String, Path)),
    responses(
        (status = 202, description = "It will be cancelled", body = Ticket),
        (status = 200, description = "It had ended already", body = Ticket),
        (status = 404, description = "There is none, or it is somebody else's", body = ErrorBody),
        (status = 409, description = "TICKET_PLACED: there is a seat already, in `details`", body = ErrorBody),
        Failures,
    ),
)]
pub(super) async fn cancel(
    State(backend): State<Backend>,
    caller: Caller,
    TicketId(id): TicketId,
) -> Result<Response, Problem> {
    let ticket = backend.cancel(&caller, &id).await?;
    let status = if ticket.status.is_final() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, [(header::ETAG, etag(&ticket))], Json(ticket)).into_response())
}

/// Whether a player takes a match.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// `false` ends the ticket.
    accept: bool,
}

/// Accepts or rejects a proposed match
#[utoipa::path(
    post, path = "/v1/matchmaking/tickets/{ticketId}/acceptance", tag = "matchmaking",
    params(("ticketId" = String, Path)),
    request_body(content = Answer, example = json!({"accept": true})),
    responses(
        (status = 202, description = "The answer has been passed on", body = Ticket),
        (status = 404, description = "There is none, or it is somebody else's", body = ErrorBody),
        (status = 409, description = "NOT_IN_ACCEPTANCE: the ticket does not wait for an answer", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        Failures,
    ),
)]
pub(super) async fn answer(
    State(backend): State<Backend>,
    caller: Caller,
    TicketId(id): TicketId,
    input::Json(answer): input::Json<Answer>,
) -> Result<Response, Problem> {
    let ticket = backend.answer(&caller, &id, answer.accept).await?;
    Ok((StatusCode::ACCEPTED, [(header::ETAG, etag(&ticket))], Json(ticket)).into_response())
}
