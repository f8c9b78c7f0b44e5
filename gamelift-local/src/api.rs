//! The AWS API: a table of operations, spoken in two protocols over HTTP.
//!
//! Adding an operation is one method of the engine and one row in [`operations`].

mod codec;
pub(crate) mod operations;

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

pub(crate) use self::codec::Codec;
use crate::{ApiError, ErrorKind, driver::Handle, engine::Ids};

/// Largest request body: game session data of 262,144 characters, every one of them escaped, and some.
pub const BODY_MAX: usize = 4 * 1024 * 1024;
/// AWS JSON 1.1 names the operation in this header, behind `GameLift.`.
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const SMITHY_PROTOCOL: HeaderName = HeaderName::from_static("smithy-protocol");
/// Smithy RPC v2 CBOR names the operation in the path, behind this.
const CBOR_PATH: &str = "/service/GameLift/operation/";

#[derive(Clone)]
struct Api {
    handle: Handle,
    /// Numbers the requests; every request id is made of one number.
    requests: Arc<AtomicU64>,
}

/// Every path and method of the API's port.
pub(crate) fn router(handle: Handle) -> Router {
    // Two runs should not hand out the same request ids; `RandomState` is the standard library's randomness.
    let first = RandomState::new().hash_one("request ids");
    Router::new().fallback(serve).with_state(Api { handle, requests: Arc::new(AtomicU64::new(first)) })
}

async fn serve(State(api): State<Api>, request: Request) -> Response {
    let number = api.requests.fetch_add(1, Ordering::Relaxed);
    let (codec, result) = answer(&api, request).await;
    let mut response = match result {
        Ok(body) => (StatusCode::OK, body).into_response(),
        Err(error) => refusal(codec, &error),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(codec.content_type()));
    if codec == Codec::Cbor {
        headers.insert(SMITHY_PROTOCOL, HeaderValue::from_static("rpc-v2-cbor"));
    }
    if let Ok(id) = HeaderValue::try_from(Ids::new(number).uuid().to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

fn refusal(codec: Codec, error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, codec.encode_error(error)).into_response();
    response.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(error.kind.name()));
    response
}

async fn answer(api: &Api, request: Request) -> (Codec, Result<Vec<u8>, ApiError>) {
    let (parts, body) = request.into_parts();
    let (codec, name) = match operation_name(&parts.method, parts.uri.path(), &parts.headers) {
        (codec, Ok(name)) => (codec, name),
        (codec, Err(error)) => return (codec, Err(error)),
    };
    let body = match axum::body::to_bytes(body, BODY_MAX).await {
        Ok(body) => body,
        Err(_) => {
            let message = format!("The request body is longer than {BODY_MAX} bytes, or was cut off");
            return (codec, Err(ApiError::new(ErrorKind::RequestEntityTooLarge, message)));
        }
    };
    (codec, call(&api.handle, codec, &name, body).await)
}

/// Runs one operation through the table.
pub(crate) async fn call(
    handle: &Handle,
    codec: Codec,
    name: &str,
    body: Bytes,
) -> Result<Vec<u8>, ApiError> {
    let operation = operations::find(name)
        .ok_or_else(|| unknown(format!("This local GameLift has no operation {}", shown(name))))?;
    let job = (operation.prepare)(codec, &body)?;
    let result = handle.run(job).await;
    result.unwrap_or_else(|stopped| Err(ApiError::new(ErrorKind::InternalService, stopped.to_string())))
}

fn operation_name(method: &Method, path: &str, headers: &HeaderMap) -> (Codec, Result<String, ApiError>) {
    if let Some(name) = path.strip_prefix(CBOR_PATH) {
        if method != Method::POST {
            return (Codec::Cbor, Err(unknown("Operations are called with POST")));
        }
        let protocol = headers.get(SMITHY_PROTOCOL).and_then(|value| value.to_str().ok());
        // The protocol asks for the header ("Smithy RPC v2 CBOR", Requests), and a browser does not send it for a foreign
        // page: like X-Amz-Target, it makes the browser ask first, and nobody here says yes.
        return match protocol {
            Some("rpc-v2-cbor") => (Codec::Cbor, Ok(name.to_owned())),
            Some(_) => (Codec::Cbor, Err(unknown("This path speaks smithy-protocol rpc-v2-cbor only"))),
            None => {
                (Codec::Cbor, Err(unknown("The header smithy-protocol is missing; it must be rpc-v2-cbor")))
            }
        };
    }
    let target = headers.get(TARGET).and_then(|value| value.to_str().ok());
    let result = match target {
        _ if method != Method::POST || path != "/" => Err(unknown(
            "This is the AWS API of a local GameLift: POST / with X-Amz-Target (AWS JSON 1.1), or POST /service/GameLift/operation/<Operation> (Smithy RPC v2 CBOR)",
        )),
        None => Err(unknown("The header X-Amz-Target is missing")),
        Some(target) => match target.strip_prefix("GameLift.") {
            Some(name) => Ok(name.to_owned()),
            None => Err(unknown(format!("X-Amz-Target is {}, but must begin with GameLift.", shown(target)))),
        },
    };
    (Codec::Json, result)
}

fn unknown(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::UnknownOperation, message)
}

/// As much of a caller's text as belongs into an error message.
fn shown(text: &str) -> &str {
    text.get(..64).unwrap_or(text)
}

#[cfg(test)]
mod tests;
