//! The two actions of the SNS API that the links in messages lead to, as SNS answers them (SNS API reference,
//! ConfirmSubscription and Unsubscribe): parameters in the query, XML in the body.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::Subscriptions;

/// Parameters of either action.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Action {
    /// Absent in a request that is not meant for SNS.
    pub(crate) action: Option<String>,
    token: Option<String>,
    topic_arn: Option<String>,
    subscription_arn: Option<String>,
}

/// Does what the action says.
pub(crate) fn answer(subscriptions: &Subscriptions, request: &Action) -> Response {
    let request_id = subscriptions.uuid();
    let action = request.action.as_deref().unwrap_or_default();
    match action {
        "ConfirmSubscription" => {
            let (Some(topic), Some(token)) = (&request.topic_arn, &request.token) else {
                return refused(&request_id, "InvalidParameter", "TopicArn and Token are required");
            };
            match subscriptions.confirm(topic, token) {
                Some(arn) => done(action, &request_id, &format!("<SubscriptionArn>{arn}</SubscriptionArn>")),
                None => refused(&request_id, "InvalidParameter", "Invalid parameter: Token"),
            }
        }
        "Unsubscribe" => {
            let Some(arn) = &request.subscription_arn else {
                return refused(&request_id, "InvalidParameter", "SubscriptionArn is required");
            };
            // SNS answers so for unknown subscriptions, too; somebody who tests wants to know.
            match subscriptions.unsubscribe(arn) {
                true => done(action, &request_id, ""),
                false => refused(&request_id, "NotFound", "Subscription does not exist"),
            }
        }
        _ => refused(&request_id, "InvalidAction", "Only ConfirmSubscription and Unsubscribe are there"),
    }
}

fn xml(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
}

fn done(action: &str, request_id: &str, result: &str) -> Response {
    let result = match result {
        "" => String::new(),
        result => format!("<{action}Result>{result}</{action}Result>"),
    };
    xml(
        StatusCode::OK,
        format!(
            "<{action}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">{result}<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>\n"
        ),
    )
}

fn refused(request_id: &str, code: &str, message: &str) -> Response {
    // SNS API reference, the errors of either action.
    let status = if code == "NotFound" { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
    xml(
        status,
        format!(
            "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>\n"
        ),
    )
}
