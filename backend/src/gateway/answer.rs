//! The answers of API Gateway and of Cognito, in their own forms.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use utoipa::ToSchema;

use super::Gateway;
use super::cognito::{self, Error};
use super::sigv4::Refusal;
use crate::api::input::up_to;

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

/// What Cognito is asked, of which guests need two operations.
#[derive(ToSchema)]
#[schema(rename_all = "PascalCase")]
#[expect(dead_code, reason = "for the API's description")]
struct CognitoRequest {
    /// For `GetId`.
    #[schema(example = "us-west-2:00000000-0000-0000-0000-000000000000")]
    identity_pool_id: Option<String>,
    /// For `GetCredentialsForIdentity`: what `GetId` has given. It is the guest's secret.
    identity_id: Option<String>,
}

/// What Cognito answers.
#[derive(ToSchema)]
#[schema(rename_all = "PascalCase")]
#[expect(dead_code, reason = "for the API's description")]
struct CognitoAnswer {
    identity_id: String,
    /// Not to `GetId`.
    credentials: Option<CognitoCredentials>,
}

#[derive(ToSchema)]
#[schema(rename_all = "PascalCase")]
#[expect(dead_code, reason = "for the API's description")]
struct CognitoCredentials {
    access_key_id: String,
    secret_key: String,
    session_token: String,
    /// Seconds since 1970.
    expiration: u64,
}

/// Cognito's errors.
#[derive(ToSchema)]
#[expect(dead_code, reason = "for the API's description")]
struct CognitoError {
    #[schema(rename = "__type", example = "ResourceNotFoundException")]
    kind: String,
    message: String,
}

/// An identity, or credentials for one
///
/// `AWSCognitoIdentityService.GetId` and `.GetCredentialsForIdentity` of the Cognito API, in AWS JSON 1.1.
#[utoipa::path(
    post, path = "/", tag = "identity", security(()),
    params(("X-Amz-Target" = String, Header, description = "The operation", pattern = r"^AWSCognitoIdentityService\.(GetId|GetCredentialsForIdentity)$")),
    request_body(content = CognitoRequest, content_type = "application/x-amz-json-1.1"),
    responses(
        (status = 200, description = "What was asked for", body = CognitoAnswer, content_type = "application/x-amz-json-1.1"),
        (status = 400, description = "An error by the names of the Cognito API reference", body = CognitoError, content_type = "application/x-amz-json-1.1", headers(("x-amzn-ErrorType" = String))),
        (status = 429, description = "TooManyRequestsException: too many new identities from this address", body = CognitoError, content_type = "application/x-amz-json-1.1", headers(("x-amzn-ErrorType" = String))),
        (status = 500, description = "InternalErrorException", body = CognitoError, content_type = "application/x-amz-json-1.1", headers(("x-amzn-ErrorType" = String))),
    ),
)]
pub(super) async fn cognito(State(gateway): State<Gateway>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = match up_to(cognito::BODY_LEN_MAX, body).await {
        Err(problem) => Err(error("SerializationException", &problem.message)),
        Ok(body) => match gateway.random() {
            None => Err(error("InternalErrorException", "there is no randomness")),
            Some(random) => {
                let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
                let request = cognito::Request {
                    target: target.unwrap_or_default(),
                    body: &body,
                    address: gateway.address(&parts.headers, &parts.extensions),
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
