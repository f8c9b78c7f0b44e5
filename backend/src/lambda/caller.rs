//! Who is calling, from what API Gateway has verified. Nothing that a client writes is in these fields.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use lambda_http::aws_lambda_events::apigw::{
    ApiGatewayProxyRequestContext, ApiGatewayRequestIdentity, ApiGatewayV2httpRequestContext,
};
use lambda_http::request::RequestContext;

use crate::caller::{AuthKind, Caller, PlayerId};

/// The caller of a REST or HTTP API; none without a Cognito identity or a token: an operator's own role is no player.
pub(super) fn of_request(context: &RequestContext) -> Option<Caller> {
    match context {
        RequestContext::ApiGatewayV1(context) => rest(context),
        RequestContext::ApiGatewayV2(context) => http(context),
        // Doors that we have not.
        _ => None,
    }
}

/// Who opens a WebSocket: only `$connect` says so.
pub(super) fn of_identity(identity: &ApiGatewayRequestIdentity) -> Option<Caller> {
    caller(identity.cognito_identity_id.as_deref(), AuthKind::Iam, identity.source_ip.as_deref())
}

/// Lambda developer guide, "Using AWS Lambda with Amazon API Gateway": the identity with AWS_IAM, the claims with a user pool.
fn rest(context: &ApiGatewayProxyRequestContext) -> Option<Caller> {
    of_identity(&context.identity).or_else(|| {
        // A Lambda authorizer's fields are strings, numbers and booleans, so it cannot make a map of claims.
        let subject = context.authorizer.fields.get("claims").and_then(|claims| claims.get("sub"));
        let subject = subject.and_then(|subject| subject.as_str());
        caller(subject, AuthKind::Jwt, context.identity.source_ip.as_deref())
    })
}

/// API Gateway developer guide, "Working with AWS Lambda proxy integrations for HTTP APIs".
fn http(context: &ApiGatewayV2httpRequestContext) -> Option<Caller> {
    let authorizer = context.authorizer.as_ref()?;
    let address = context.http.source_ip.as_deref();
    let cognito = authorizer.iam.as_ref().and_then(|iam| iam.cognito_identity.as_ref());
    let identity = cognito.and_then(|cognito| cognito.identity_id.as_deref());
    let subject = authorizer.jwt.as_ref().and_then(|jwt| jwt.claims.get("sub")).map(String::as_str);
    caller(identity, AuthKind::Iam, address).or_else(|| caller(subject, AuthKind::Jwt, address))
}

fn caller(player: Option<&str>, kind: AuthKind, address: Option<&str>) -> Option<Caller> {
    let player = player.filter(|player| !player.is_empty())?;
    let source_ip = address.and_then(|address| address.parse().ok());
    Some(Caller { player: PlayerId::new(player), kind, source_ip })
}
