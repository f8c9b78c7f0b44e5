//! Lets nobody in who has not signed.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::Gateway;
use super::sigv4::{self, Refusal};
use crate::api::answer::{ErrorBody, Failures};
use crate::api::input::whole;
use crate::caller::{AuthKind, Caller, PlayerId};
use crate::limits::Cost;
use crate::problem::{Code, Problem};

/// The plugins' clients send a token of a Cognito user pool in the header `Auth`. Here it is one of ours.
const PLUGIN: [&str; 2] = ["/start_game", "/get_game_connection"];

/// The middleware.
///
/// # Cancel safety
///
/// That of what is behind it.
pub(super) async fn guard(State(gateway): State<Gateway>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = match whole(body).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let path = parts.uri.path();
    let signed = sigv4::Request {
        method: parts.method.as_str(),
        path,
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        authority: parts.uri.authority().map(axum::http::uri::Authority::as_str),
        body: &body,
    };
    let (player, kind) = match gateway.identify(signed) {
        Ok(player) => player,
        Err(refusal) => {
            tracing::debug!(path, kind = refusal.kind.name(), reason = %refusal, "a request was not let in");
            return refusal.into_response();
        }
    };
    let limited = match Cost::of(&parts.method, path) {
        Cost::Start => gateway.limits().start(&player),
        Cost::Act | Cost::Look => gateway.limits().call(&player),
    };
    if let Err(problem) = limited {
        return problem.into_response();
    }
    let source_ip = Some(gateway.address(&parts.headers, &parts.extensions));
    parts.extensions.insert(Caller { player, kind, source_ip });
    next.run(Request::from_parts(parts, Body::from(body))).await
}

impl Gateway {
    fn identify(&self, request: sigv4::Request<'_>) -> Result<(PlayerId, AuthKind), Refusal> {
        let inner = &self.0;
        let now = (inner.clock)();
        if PLUGIN.contains(&request.path)
            && let Some(token) = single(request.headers, "auth")
        {
            return Ok((inner.pool.open_bearer(token, now)?.0, AuthKind::Jwt));
        }
        let keys = |key: &str, token: Option<&str>| inner.pool.open(key, token, now);
        sigv4::verify(request, &inner.region, now, keys).map(|player| (player, AuthKind::Iam))
    }

    /// Whose a token from `POST /v1/auth/token` is, in a header `authorization: Bearer ..`, and how long it is still good.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if there is none, or it is not ours, or it has expired.
    pub fn bearer(&self, headers: &HeaderMap) -> Result<(PlayerId, Duration), Refusal> {
        let token = single(headers, "authorization").and_then(|value| value.strip_prefix("Bearer "));
        let now = (self.0.clock)();
        let (player, expires) = self.0.pool.open_bearer(token.ok_or_else(Refusal::missing)?, now)?;
        Ok((player, expires.duration_since(now).unwrap_or_default()))
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    first.filter(|_| values.next().is_none())?.to_str().ok()
}

/// A token, and until when it is good.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Token {
    token: String,
    /// In milliseconds since 1970, as everywhere in this API.
    expires_at: u64,
}

/// Gives a token that stands for the caller for 15 minutes
///
/// For doors that look at no signature: gRPC, as `authorization: Bearer ..`, and the header `Auth` of the plugins' clients.
#[utoipa::path(
    post, path = "/v1/auth/token", tag = "identity",
    responses(
        (status = 200, description = "The token", body = Token),
        (status = 408, description = "The body did not come in time", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        Failures,
    ),
)]
pub(super) async fn token(State(gateway): State<Gateway>, caller: Caller) -> Result<Json<Token>, Problem> {
    let now = (gateway.0.clock)();
    let bearer = gateway.0.pool.bearer(&caller.player, now);
    let bearer = bearer.ok_or_else(|| {
        Problem::new(Code::Internal, "the identity has no token: sign with credentials of this backend")
    })?;
    let expires_at = bearer.expires_at.saturating_mul(1000);
    Ok(Json(Token { token: bearer.token, expires_at }))
}
