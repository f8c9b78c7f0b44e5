//! What handlers take, and what a request is told that has it wrong.

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Path, Request};
use axum::http::{HeaderMap, header, request::Parts};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;

use super::BODY_LEN_MAX;
use crate::caller::Caller;
use crate::problem::{Code, Problem};
use crate::service::IdempotencyKey;

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    /// From the extension alone.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            Problem::new(Code::Unauthenticated, "sign the request with credentials of a Cognito identity")
        })
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        one(&parts.headers, "idempotency-key")?
            .ok_or_else(|| {
                let rule = "the header Idempotency-Key is missing: choose a new one for each start that you mean, and the same one to repeat it";
                Problem::new(Code::BadRequest, rule)
            })?
            .parse()
    }
}

/// The one value of a header.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Problem::new(Code::BadRequest, format!("the header {name} is there more than once")));
    }
    let text = first.map(|value| value.to_str()).transpose();
    text.map_err(|_| Problem::new(Code::BadRequest, format!("the header {name} must be printable ASCII")))
}

/// The ticket id in a path.
#[derive(Debug)]
pub(super) struct TicketId(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for TicketId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        // Whatever cannot be an id is an id that there is no ticket of.
        path.map(|Path(id)| Self(id)).map_err(|_| Problem::new(Code::NotFound, "there is no such ticket"))
    }
}

/// A body of JSON.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        typed(&parts.headers, &whole(body).await?).map(Self)
    }
}

/// No body at all is `None`.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Option<Self>, Problem> {
        let (parts, body) = request.into_parts();
        let body = whole(body).await?;
        if body.is_empty() { Ok(None) } else { typed(&parts.headers, &body).map(|it| Some(Self(it))) }
    }
}

fn typed<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    let kind = one(headers, header::CONTENT_TYPE.as_str())?.unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let message = format!("Content-Type must be application/json, not {kind:?}");
        return Err(Problem::new(Code::BadRequest, message));
    }
    json(body)
}

/// Reads JSON, and says where it is wrong.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let message = if bytes.is_empty() {
            "the body is empty; it must be JSON".to_owned()
        } else {
            error.to_string()
        };
        Problem::new(Code::BadRequest, message)
    })
}

/// Reads a body up to [`BODY_LEN_MAX`].
///
/// # Errors
///
/// [`Code::TooLarge`], or [`Code::BadRequest`] if it breaks off.
///
/// # Cancel safety
///
/// What was read is lost.
pub async fn whole(body: axum::body::Body) -> Result<Bytes, Problem> {
    to_bytes(body, BODY_LEN_MAX).await.map_err(|error| {
        if std::error::Error::source(&error).is_some_and(|source| source.is::<LengthLimitError>()) {
            Problem::new(Code::TooLarge, format!("the body has more than {BODY_LEN_MAX} bytes"))
        } else {
            Problem::new(Code::BadRequest, "the body broke off")
        }
    })
}
