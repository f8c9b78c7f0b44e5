//! What handlers take, and what a request is told that has it wrong.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Path, Request};
use axum::http::{HeaderMap, header, request::Parts};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

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
        is_json(request.headers())?;
        object(&whole(request.into_body()).await?).map(Self)
    }
}

/// No body at all is `None`.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Option<Self>, Problem> {
        let (parts, body) = request.into_parts();
        let body = whole(body).await?;
        if body.is_empty() {
            return Ok(None);
        }
        is_json(&parts.headers)?;
        object(&body).map(|it| Some(Self(it)))
    }
}

fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = one(headers, header::CONTENT_TYPE.as_str())?.unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Problem::new(Code::BadRequest, format!("Content-Type must be application/json, not {kind:?}")))
}

/// Reads a JSON object. serde would take a list for one, too, its values in the order of our fields.
pub(super) fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    match bytes.trim_ascii_start().first() {
        Some(b'[') => {
            Err(Problem::new(Code::BadRequest, "invalid type: the body is a list; it must be an object"))
        }
        _ => json(bytes),
    }
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

/// What a body may take to come. The longest is a dozen packets.
pub const BODY_WAIT: Duration = Duration::from_secs(10);

/// Reads a body up to [`BODY_LEN_MAX`], within [`BODY_WAIT`].
///
/// # Errors
///
/// [`Code::TooLarge`], [`Code::TooSlow`], or [`Code::BadRequest`] if it breaks off.
///
/// # Cancel safety
///
/// What was read is lost.
pub async fn whole(body: Body) -> Result<Bytes, Problem> {
    up_to(BODY_LEN_MAX, body).await
}

/// The same with another bound.
pub(crate) async fn up_to(most: usize, body: Body) -> Result<Bytes, Problem> {
    let late = |_| {
        let rule = format!("the body did not come within {} s", BODY_WAIT.as_secs());
        Problem::new(Code::TooSlow, rule)
    };
    timeout(BODY_WAIT, to_bytes(body, most)).await.map_err(late)?.map_err(|error| {
        if std::error::Error::source(&error).is_some_and(|source| source.is::<LengthLimitError>()) {
            Problem::new(Code::TooLarge, format!("the body has more than {most} bytes"))
        } else {
            Problem::new(Code::BadRequest, "the body broke off")
        }
    })
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt as _, stream};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_or_does_not_end_is_given_up() {
        let silence = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        assert_eq!(whole(silence).await.map_err(|problem| problem.code), Err(Code::TooSlow));
        // A byte now and then does not help.
        let drop = |index| async move {
            tokio::time::sleep(BODY_WAIT / 4).await;
            Ok::<_, std::io::Error>(Bytes::from(vec![index; 1]))
        };
        let drip = Body::from_stream(stream::iter(0..100).then(drop));
        assert_eq!(whole(drip).await.map_err(|problem| problem.code), Err(Code::TooSlow));
        assert_eq!(whole(Body::from("{}")).await, Ok(Bytes::from("{}")));
    }

    #[tokio::test]
    async fn a_body_is_too_large_or_broken_and_the_two_are_told_apart() {
        let code = |problem: Problem| problem.code;
        let large = Body::from(vec![0; BODY_LEN_MAX + 1]);
        assert_eq!(whole(large).await.map_err(code), Err(Code::TooLarge));
        let broken = Body::from_stream(stream::iter([Err::<Bytes, _>(std::io::Error::other("reset"))]));
        assert_eq!(whole(broken).await.map_err(code), Err(Code::BadRequest));
    }
}
