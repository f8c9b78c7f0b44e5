//! The DynamoDB API in memory, behind the SDK's HTTP client: no socket and no SQL, the same conditions. It knows the operations
//! that the store uses and nothing else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, HttpClient, Region, RuntimeComponents, StalledStreamProtectionConfig,
};
use aws_smithy_runtime_api::client::auth::AuthSchemeId;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::condition::{self, Item};

#[derive(Debug, Default)]
struct State {
    /// By partition and sort key.
    items: BTreeMap<(String, String), Item>,
    /// Which write from now on fails, if any.
    fails: Option<u32>,
}

/// A table. Clones are one and the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table(Arc<Mutex<State>>);

impl Table {
    pub(crate) fn client(&self) -> Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-west-2"))
            .allow_no_auth()
            .auth_scheme_preference([AuthSchemeId::from("noAuth")])
            .endpoint_url("http://table")
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(self.clone());
        Client::from_conf(config.build())
    }

    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap() = State::default();
    }

    /// Lets so many writes succeed, and the next one fail.
    pub(crate) fn fail_after(&self, writes: Option<u32>) {
        self.0.lock().unwrap().fails = writes;
    }

    fn answer(&self, target: &str, request: &Value) -> (u16, Value) {
        let mut state = self.0.lock().unwrap();
        let operation = target.rsplit('.').next().unwrap();
        if operation != "GetItem"
            && let Some(left) = state.fails
        {
            state.fails = left.checked_sub(1);
            if left == 0 {
                return error("ProvisionedThroughputExceededException", json!({}));
            }
        }
        match operation {
            "GetItem" => {
                let item = state.items.get(&key(&request["Key"]));
                (200, item.map_or(json!({}), |item| json!({"Item": item})))
            }
            "PutItem" | "UpdateItem" => match state.check(request) {
                Ok(()) => (200, json!({"Attributes": state.write(request)})),
                Err(old) => error("ConditionalCheckFailedException", json!({"Item": old})),
            },
            "TransactWriteItems" => {
                let parts: Vec<&Value> = request["TransactItems"].as_array().unwrap().iter().collect();
                let parts: Vec<&Value> =
                    parts.iter().flat_map(|part| part.as_object().unwrap().values()).collect();
                let checked: Vec<_> = parts.iter().map(|part| state.check(part)).collect();
                if checked.iter().all(Result::is_ok) {
                    for part in parts {
                        state.write(part);
                    }
                    return (200, json!({}));
                }
                let reason = |checked: &Result<(), Option<Item>>| match checked {
                    Ok(()) => json!({"Code": "None"}),
                    Err(old) => json!({"Code": "ConditionalCheckFailed", "Item": old}),
                };
                let reasons: Vec<Value> = checked.iter().map(reason).collect();
                error("TransactionCanceledException", json!({"CancellationReasons": reasons}))
            }
            other => panic!("the table does not know {other}"),
        }
    }
}

impl State {
    /// Whether a part's condition holds; if not, what is there.
    fn check(&self, part: &Value) -> Result<(), Option<Item>> {
        let old = self.items.get(&key_of(part));
        let holds = part["ConditionExpression"].as_str().is_none_or(|text| condition::holds(text, part, old));
        if holds { Ok(()) } else { Err(old.cloned()) }
    }

    /// Puts, updates or deletes; the item as it is then.
    fn write(&mut self, part: &Value) -> Item {
        let key = key_of(part);
        if let Some(item) = part["Item"].as_object() {
            self.items.insert(key, item.clone());
            return item.clone();
        }
        let Some(update) = part["UpdateExpression"].as_str() else {
            return self.items.remove(&key).unwrap_or_default();
        };
        let item = self.items.entry(key).or_insert_with(|| part["Key"].as_object().unwrap().clone());
        condition::update(update, part, item);
        item.clone()
    }
}

fn key_of(part: &Value) -> (String, String) {
    key(if part["Key"].is_null() { &part["Item"] } else { &part["Key"] })
}

fn key(item: &Value) -> (String, String) {
    let text = |name: &str| item[name]["S"].as_str().unwrap().to_owned();
    (text("PK"), text("SK"))
}

fn error(kind: &str, mut body: Value) -> (u16, Value) {
    body["__type"] = json!(format!("com.amazonaws.dynamodb.v20120810#{kind}"));
    (400, body)
}

impl HttpClient for Table {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Table {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let table = self.clone();
        HttpConnectorFuture::new(async move {
            // So that what goes on at once comes in turns.
            tokio::task::yield_now().await;
            let target = request.headers().get("x-amz-target").unwrap();
            let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            let (status, answer) = table.answer(target, &body);
            Ok(HttpResponse::new(status.try_into().unwrap(), answer.to_string().into()))
        })
    }
}
