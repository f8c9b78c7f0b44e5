//! Events as AWS's documentation and services show them, with what a test changes.

use serde_json::Value;

pub(crate) fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

pub(crate) fn rest_iam() -> Value {
    read(include_str!("fixtures/rest_iam.json"))
}

/// The same from a REST API with an authorizer over a user pool: claims, and an identity with an address alone.
pub(crate) fn rest_claims() -> Value {
    let mut event = rest_iam();
    let identity = event["requestContext"]["identity"].as_object_mut().unwrap();
    for (name, value) in identity.iter_mut() {
        if name != "sourceIp" && name != "userAgent" {
            *value = Value::Null;
        }
    }
    event["requestContext"]["authorizer"] = serde_json::json!({"claims": {"sub": "subject-4", "iss": "https://cognito-idp.example", "token_use": "id"}});
    event
}

pub(crate) fn http_iam() -> Value {
    read(include_str!("fixtures/http_iam.json"))
}

pub(crate) fn http_jwt() -> Value {
    read(include_str!("fixtures/http_jwt.json"))
}

/// The same request by another method to another path.
pub(crate) fn request(
    mut event: Value,
    method: &str,
    path: &str,
    key: Option<&str>,
    body: Option<&str>,
) -> Value {
    let is_rest = event.get("httpMethod").is_some();
    if is_rest {
        event["path"] = path.into();
        event["httpMethod"] = method.into();
        event["requestContext"]["httpMethod"] = method.into();
        event["requestContext"]["path"] = format!("/dev{path}").into();
    } else {
        event["rawPath"] = path.into();
        event["routeKey"] = format!("{method} {path}").into();
        event["requestContext"]["http"]["method"] = method.into();
        event["requestContext"]["http"]["path"] = path.into();
    }
    if let Some(key) = key {
        event["headers"]["idempotency-key"] = key.into();
        if is_rest {
            event["multiValueHeaders"]["idempotency-key"] = serde_json::json!([key]);
        }
    }
    if let Some(body) = body {
        event["body"] = body.into();
    }
    event
}

/// What SNS hands over for messages of these topics.
pub(crate) fn sns(messages: &[(&str, &str)]) -> Value {
    let event = read(include_str!("fixtures/sns.json"));
    let records = messages.iter().map(|(topic, message)| {
        let mut record = event["Records"][0].clone();
        record["Sns"]["TopicArn"] = (*topic).into();
        record["Sns"]["Message"] = (*message).into();
        record
    });
    serde_json::json!({"Records": records.collect::<Vec<_>>()})
}

pub(crate) const CONNECTION: &str = "L0SM9cOFvHcCIhw=";

/// Player `ada` opens a socket.
pub(crate) fn socket_connect() -> Value {
    read(include_str!("fixtures/socket_connect.json"))
}

pub(crate) fn socket_message(body: &str) -> Value {
    let mut event = read(include_str!("fixtures/socket_message.json"));
    event["body"] = body.into();
    event
}

pub(crate) fn socket_disconnect() -> Value {
    read(include_str!("fixtures/socket_disconnect.json"))
}
