//! The answers of API Gateway and of Cognito, in their own forms.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::cognito::{self, Error};
use super::sigv4::Refusal;
use super::{Gateway, address};

/// Names the error for the AWS SDKs.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const AMZ_JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");

impl IntoResponse for Refusal {
    /// As API Gateway refuses: 403, `{"message":".."}`, and the error's name in a header.
    fn into_response(self) -> Response {
        let body = Json(json!({"message": self.message}));
        (StatusCode::FORBIDDEN, [(ERROR_TYPE, self.kind.name())], body).into_response()
    }
}

/// Cognito's endpoint.
pub(super) async fn cognito(State(gateway): State<Gateway>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = match axum::body::to_bytes(body, cognito::BODY_LEN_MAX).await {
        Err(_) => Err(error("SerializationException", "the body broke off, or is too large")),
        Ok(body) => match gateway.random() {
            None => Err(error("InternalErrorException", "there is no randomness")),
            Some(random) => {
                let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
                let request = cognito::Request {
                    target: target.unwrap_or_default(),
                    body: &body,
                    address: address(&parts.extensions),
                    now: (gateway.0.clock)(),
                    random,
                };
                gateway.0.cognito.answer(&request, |address| gateway.0.limits.identity(address))
            }
        },
    };
    match answer {
        Ok(body) => ([(header::CONTENT_TYPE, AMZ_JSON)], body.to_string()).into_response(),
        Err(error) => {
            let status = match (error.name, error.retry_after) {
                (_, Some(_)) => StatusCode::TOO_MANY_REQUESTS,
                ("InternalErrorException", _) => StatusCode::INTERNAL_SERVER_ERROR,
                _ => StatusCode::BAD_REQUEST,
            };
            let headers =
                [(header::CONTENT_TYPE, AMZ_JSON), (ERROR_TYPE, HeaderValue::from_static(error.name))];
            let mut response = (status, headers, error.body().to_string()).into_response();
            if let Some(seconds) = error.retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            response
        }
    }
}

fn error(name: &'static str, message: &str) -> Error {
    Error { name, message: message.to_owned(), retry_after: None }
}
