//! The binaries as Lambda runs them.

use backend::caller::PlayerId;
use serde_json::{Value, json};

use crate::bench::event;
use crate::recorded::{
    http_iam, http_jwt, read, request, rest_iam, sns, socket_connect, socket_disconnect, socket_message,
};
use crate::runtime_api::{Function, command};
use crate::scripted::{Stage, game_lift};

const API: &str = env!("CARGO_BIN_EXE_lambda-api");
const EVENTS: &str = env!("CARGO_BIN_EXE_lambda-events");
const WEBSOCKET: &str = env!("CARGO_BIN_EXE_lambda-websocket");
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:match";

/// What the template tells all functions, but for the endpoints of this test.
struct Stack {
    embedded: backend::store::Embedded,
    store: backend::store::Store,
    stage: Stage,
    dynamodb: String,
    game_lift: String,
    websocket: String,
}

impl Stack {
    async fn new() -> Self {
        let embedded = backend::store::Embedded::start(None).await.unwrap();
        let store = backend::store::Store::new(embedded.client(), "arena-dev");
        store.create_table_if_absent().await.unwrap();
        let stage = Stage::default();
        let websocket = stage.start().await;
        let dynamodb = embedded.endpoint();
        Self { embedded, store, stage, dynamodb, game_lift: game_lift().await, websocket }
    }

    async fn function(&self, binary: &str) -> Function {
        let mut variables = vec![
            ("BACKEND_TABLE", "arena-dev"),
            ("BACKEND_TOPICS", TOPIC),
            ("BACKEND_FLEET_CERTIFICATES", ""),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamodb.as_str()),
            ("AWS_ENDPOINT_URL_GAMELIFT", self.game_lift.as_str()),
        ];
        if binary == EVENTS {
            variables.push(("BACKEND_WEBSOCKET_URL", &self.websocket));
        } else {
            variables.push(("BACKEND_CONFIGURATION", "arena-dev"));
            variables.push(("BACKEND_TICKET_TIMEOUT_SECONDS", "60"));
            variables.push(("BACKEND_ACCEPTANCE_TIMEOUT_SECONDS", "20"));
        }
        if binary == API {
            variables.push(("BACKEND_QUEUE", "arena-dev"));
            variables.push(("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH", "true"));
        }
        Function::start(binary, &variables).await
    }
}

fn body(answer: &Value) -> Value {
    read(answer["body"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_answers_rest_and_http_in_their_own_forms() {
    let stack = Stack::new().await;
    let mut api = stack.function(API).await;
    for event in [rest_iam(), http_iam(), http_jwt()] {
        let is_rest = event.get("httpMethod").is_some();
        let profile = api.invoke(event.clone()).await.unwrap();
        assert_eq!(profile["statusCode"], 200, "{profile}");
        assert_eq!(profile["isBase64Encoded"], false);
        assert_eq!(profile.get("cookies").is_some(), !is_rest, "HTTP APIs have cookies apart: {profile}");
        assert!(body(&profile)["publicId"].is_string());
        let start = request(event, "POST", "/v1/matchmaking/tickets", Some("12345678"), Some("{}"));
        let started = api.invoke(start).await.unwrap();
        assert_eq!(started["statusCode"], 202, "{started}");
        assert_eq!(body(&started)["status"], "REQUESTED");
    }
    // What is no request of an API does not end the function.
    api.invoke(json!({"detail-type": "Scheduled Event"})).await.unwrap_err();
    assert_eq!(api.invoke(rest_iam()).await.unwrap()["statusCode"], 200);
    stack.embedded.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_is_seated_through_all_three_functions() {
    let stack = Stack::new().await;
    let (mut socket, mut events) = (stack.function(WEBSOCKET).await, stack.function(EVENTS).await);
    assert_eq!(socket.invoke(socket_connect()).await, Ok(json!({"statusCode": 200})));
    let start = socket_message(r#"{"action":"start","requestId":"1","idempotencyKey":"12345678"}"#);
    let started = socket.invoke(start).await.unwrap();
    assert_eq!(started["statusCode"], 200);
    let ticket = body(&started)["ticket"]["ticketId"].as_str().unwrap().to_owned();
    assert!(stack.stage.posts().is_empty(), "the function's answer is the reply");

    let message = event(5, "MatchmakingSucceeded", &ticket, &["ada"], json!({}));
    let first = events.invoke(sns(&[(TOPIC, &message)])).await;
    assert_eq!(first, Ok(Value::Null));
    let posts = stack.stage.posts();
    assert_eq!(posts.len(), 1);
    assert_eq!(read(&posts[0].body)["ticket"]["connection"]["playerSessionId"], "psess-ada");

    let mut api = stack.function(API).await;
    let mut ada = rest_iam();
    ada["requestContext"]["identity"]["cognitoIdentityId"] = "ada".into();
    let current = request(ada, "GET", "/v1/matchmaking/tickets/current", None, None);
    let current = api.invoke(current).await.unwrap();
    assert_eq!(body(&current)["connection"]["playerSessionId"], "psess-ada");

    assert_eq!(socket.invoke(socket_disconnect()).await, Ok(json!({"statusCode": 200})));
    let now = 1_795_377_600_000;
    assert!(stack.store.connections(&PlayerId::new("ada"), now).await.unwrap().is_empty());
    stack.embedded.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_not_handled_is_an_error_for_lambda_to_retry() {
    let stack = Stack::new().await;
    let mut events = stack.function(EVENTS).await;
    let message = event(5, "MatchmakingSucceeded", "t-1", &["ada"], json!({}));
    let foreign = events.invoke(sns(&[("arn:aws:sns:eu-west-1:123456789012:other", &message)])).await;
    assert_eq!(foreign.unwrap_err()["errorType"], "ForeignTopic");
    let malformed = events.invoke(sns(&[(TOPIC, "nonsense")])).await;
    assert_eq!(malformed.unwrap_err()["errorType"], "MalformedEvent");
    events.invoke(json!({"Records": [{}]})).await.unwrap_err();
    assert_eq!(events.invoke(sns(&[(TOPIC, &message)])).await, Ok(Value::Null), "it goes on");
    stack.embedded.shutdown().await;
    let unwritten = events.invoke(sns(&[(TOPIC, &message)])).await;
    assert_eq!(unwritten.unwrap_err()["errorType"], "StoreError");
}

#[test]
fn a_wrong_environment_ends_the_function_with_the_variable_rule_and_value() {
    let wrong = [("BACKEND_TABLE", "a table"), ("BACKEND_TOPICS", TOPIC)];
    for binary in [API, EVENTS, WEBSOCKET] {
        let done = command(binary, "http://127.0.0.1:1", &wrong).output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(1), "{said}");
        assert!(said.contains("BACKEND_TABLE must be ") && said.contains("\"a table\""), "{said}");
    }
}
