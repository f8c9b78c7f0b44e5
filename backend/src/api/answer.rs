//! How answers leave: errors as `{"error":{..},"requestId":".."}`, and a request id with each.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoResponses, ToSchema};

use crate::problem::{Code, Problem};
use crate::ticket::Ticket;

/// The header that names a request in the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The body of an answer that is none.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// What is wrong.
    error: Detail,
    /// Names the request in the log.
    #[schema(example = "0b3c0e0a-8d3f-4d58-9d3c-0a4f8e0d7a11")]
    request_id: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Detail {
    /// For programs.
    code: Code,
    /// For people.
    #[schema(example = "there is a ticket that is still open: cancel it, or wait for its end")]
    message: String,
    /// Whether the same request may succeed later.
    retryable: bool,
    /// More for programs, such as the `ticketId` of the ticket that is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    details: Option<Value>,
}

/// What may happen to any call that needs a caller. Only described, never made: answers come from [`Problem`].
#[derive(IntoResponses)]
#[expect(dead_code, reason = "for the API's description")]
pub(crate) enum Failures {
    /// The request is not what the API takes: the message names field, rule and place.
    #[response(status = 400)]
    BadRequest(ErrorBody),
    /// The gateway has verified nobody.
    #[response(status = 401)]
    Unauthenticated(ErrorBody),
    /// The gateway's own refusal, in API Gateway's form: `{"message":".."}` and the header `x-amzn-ErrorType`.
    #[response(status = 403, headers(("x-amzn-ErrorType" = String, description = "The refusal's name, such as `InvalidSignatureException`")))]
    Refused(GatewayBody),
    /// Too many requests: wait as long as `Retry-After` says.
    #[response(status = 429)]
    RateLimited(ErrorBody),
    /// The backend is set up wrong, or broken.
    #[response(status = 500)]
    Internal(ErrorBody),
    /// GameLift or the table cannot be reached: try again.
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

/// API Gateway's own errors.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "for the API's description")]
pub(crate) struct GatewayBody {
    #[schema(example = "Missing Authentication Token")]
    message: String,
}

impl IntoResponse for Problem {
    /// Only the status, and what [`finish`] needs to write the rest: it knows the request id.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Names each request and writes the errors.
///
/// # Cancel safety
///
/// That of the handler.
pub async fn finish(request: Request, next: Next) -> Response {
    let id = uuid::Uuid::new_v4().to_string();
    let method = request.method().clone();
    // Not the query: a presigned URL's is a secret for as long as it lasts.
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        if problem.code.status() >= 500 {
            tracing::error!(%method, path, id, code = ?problem.code, problem = %problem, "a request failed");
        } else {
            tracing::debug!(%method, path, id, code = ?problem.code, "a request was refused");
        }
        let body = Json(body(problem, &id)).into_response();
        let (parts, body) = body.into_parts();
        *response.body_mut() = body;
        // The empty body's length would stay otherwise.
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response.headers_mut().extend(parts.headers);
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    // Tickets hold a player session id.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A problem as JSON.
pub fn body(problem: Problem, request_id: &str) -> ErrorBody {
    let Problem { code, message, details, .. } = problem;
    let retryable = code.is_retryable();
    ErrorBody { error: Detail { code, message, retryable, details }, request_id: request_id.to_owned() }
}

/// What `If-None-Match` is compared with. The id is a part of it: `current` may be another ticket the next time.
pub(super) fn etag(ticket: &Ticket) -> String {
    format!("\"{}-{}\"", ticket.ticket_id, ticket.version)
}

/// Whether one of the tags that the client has seen is this one.
pub(super) fn seen(if_none_match: Option<&HeaderValue>, etag: &str) -> bool {
    let Some(text) = if_none_match.and_then(|value| value.to_str().ok()) else {
        return false;
    };
    // RFC 9110, 13.1.2: compared weakly.
    text.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}
