//! Sockets at API Gateway.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use backend::caller::PlayerId;
use backend::lambda::websocket::{Answer, Door};
use serde_json::Value;

use crate::bench::{Bench, NOW};
use crate::recorded::{CONNECTION, read, socket_connect, socket_disconnect, socket_message};

fn door(bench: &Bench) -> Door {
    let clock = Arc::new(|| UNIX_EPOCH + Duration::from_millis(NOW));
    Door::new(bench.backend.clone(), bench.store.clone(), clock)
}

async fn handle(door: &Door, event: Value) -> Answer {
    door.handle(serde_json::from_value(event).unwrap()).await.unwrap()
}

async fn say(door: &Door, message: &str) -> Value {
    let answer = handle(door, socket_message(message)).await;
    assert_eq!(answer.status_code, 200);
    read(&answer.body.unwrap())
}

#[tokio::test]
async fn a_socket_is_opened_with_an_identity_and_forgotten_at_the_end() {
    let bench = Bench::new().await;
    let (door, ada) = (door(&bench), PlayerId::new("ada"));
    assert_eq!(handle(&door, socket_connect()).await, Answer { status_code: 200, body: None });
    assert_eq!(bench.store.connections(&ada, NOW).await.unwrap(), [CONNECTION]);
    assert_eq!(bench.store.connected(CONNECTION, NOW).await.unwrap(), Some(ada.clone()));
    assert_eq!(handle(&door, socket_disconnect()).await.status_code, 200);
    assert!(bench.store.connections(&ada, NOW).await.unwrap().is_empty());
    assert_eq!(bench.store.connected(CONNECTION, NOW).await.unwrap(), None);
}

#[tokio::test]
async fn without_an_identity_no_socket_is_opened() {
    let bench = Bench::new().await;
    let door = door(&bench);
    let mut nobody = socket_connect();
    nobody["requestContext"]["identity"]["cognitoIdentityId"] = Value::Null;
    nobody["queryStringParameters"] = serde_json::json!({"playerId": "ada"});
    assert_eq!(handle(&door, nobody).await.status_code, 401);
    assert_eq!(bench.store.connected(CONNECTION, NOW).await.unwrap(), None);
}

#[tokio::test]
async fn a_player_starts_asks_cancels_and_pings_and_every_reply_has_its_request_id() {
    let bench = Bench::new().await;
    let door = door(&bench);
    handle(&door, socket_connect()).await;
    let none = say(&door, r#"{"action":"status","requestId":"0"}"#).await;
    assert_eq!((&none["error"]["code"], &none["requestId"]), (&"NOT_FOUND".into(), &"0".into()));
    let start = r#"{"action":"start","requestId":"1","idempotencyKey":"12345678"}"#;
    let started = say(&door, start).await;
    assert_eq!((&started["requestId"], &started["ticket"]["status"]), (&"1".into(), &"REQUESTED".into()));
    assert_eq!(bench.game_lift.state().matches[0].players[0].player, PlayerId::new("ada"));
    let id = started["ticket"]["ticketId"].as_str().unwrap();
    assert_eq!(say(&door, start).await["ticket"]["ticketId"], id, "the same key is the same start");
    let status = say(&door, &format!(r#"{{"action":"status","requestId":"2","ticketId":"{id}"}}"#)).await;
    assert_eq!(status["ticket"]["ticketId"], id);
    let accept = format!(r#"{{"action":"accept","requestId":"3","ticketId":"{id}","accept":true}}"#);
    assert_eq!(say(&door, &accept).await["error"]["code"], "NOT_IN_ACCEPTANCE");
    let cancelled = say(&door, &format!(r#"{{"action":"cancel","requestId":"4","ticketId":"{id}"}}"#)).await;
    assert_eq!((&cancelled["requestId"], &cancelled["ticket"]["ticketId"]), (&"4".into(), &id.into()));
    assert_eq!(say(&door, r#"{"action":"ping","requestId":"5"}"#).await, read(r#"{"requestId":"5"}"#));
}

#[tokio::test]
async fn whose_socket_it_is_is_not_a_part_of_a_message() {
    let bench = Bench::new().await;
    let door = door(&bench);
    handle(&door, socket_connect()).await;
    let bobs = bench.ticket("bob").await.ticket_id;
    let foreign = say(&door, &format!(r#"{{"action":"status","ticketId":"{bobs}"}}"#)).await;
    let unknown =
        say(&door, r#"{"action":"status","ticketId":"00000000-0000-4000-8000-000000000000"}"#).await;
    assert_eq!(foreign, unknown);
    let forged = say(&door, r#"{"action":"status","requestId":"1","playerId":"bob"}"#).await;
    assert_eq!(forged["error"]["code"], "BAD_REQUEST");
}

#[tokio::test]
async fn nonsense_is_answered() {
    let bench = Bench::new().await;
    let door = door(&bench);
    handle(&door, socket_connect()).await;
    for nonsense in ["", "[]", "fly", r#"{"action":"fly"}"#] {
        assert_eq!(say(&door, nonsense).await["error"]["code"], "BAD_REQUEST", "{nonsense}");
    }
    assert_eq!(say(&door, r#"{"requestId":"9","action":"fly"}"#).await["requestId"], "9");
    let long = format!(r#"{{"action":"ping","requestId":"1","more":"{}"}}"#, "x".repeat(32 * 1024));
    assert_eq!(say(&door, &long).await["error"]["code"], "TOO_LARGE");
    let mut binary = socket_message("e30=");
    binary["isBase64Encoded"] = true.into();
    let answer = handle(&door, binary).await;
    assert_eq!(read(&answer.body.unwrap())["error"]["code"], "BAD_REQUEST");
}

#[tokio::test]
async fn a_message_on_a_forgotten_socket_is_told_to_open_another() {
    let bench = Bench::new().await;
    let door = door(&bench);
    let refused = say(&door, r#"{"action":"status","requestId":"1"}"#).await;
    assert_eq!(refused["error"]["code"], "UNAUTHENTICATED");
    assert_eq!(refused["requestId"], "1");
}

#[tokio::test]
async fn without_a_table_sockets_are_refused_and_messages_answered() {
    let mut bench = Bench::new().await;
    let door = door(&bench);
    bench.embedded.take().unwrap().shutdown().await;
    assert_eq!(handle(&door, socket_connect()).await.status_code, 503);
    assert_eq!(handle(&door, socket_disconnect()).await.status_code, 200);
    let reply = say(&door, r#"{"action":"ping","requestId":"1"}"#).await;
    assert_eq!(reply["error"]["code"], "STORE_UNAVAILABLE");
}

#[tokio::test]
async fn an_event_of_something_else_is_an_error() {
    let bench = Bench::new().await;
    let door = door(&bench);
    let mut odd = socket_connect();
    odd["requestContext"]["eventType"] = "SOMETHING".into();
    let error = door.handle(serde_json::from_value(odd).unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("SOMETHING"), "{error}");
}

#[tokio::test]
async fn a_flood_on_sockets_is_bounded_over_all_instances() {
    let bench = Bench::new().await;
    handle(&door(&bench), socket_connect()).await;
    let id = bench.ticket("ada").await.ticket_id;
    let cancel = format!(r#"{{"action":"cancel","requestId":"7","ticketId":"{id}"}}"#);
    let mut limited = 0;
    for _ in 0..20 {
        let reply = say(&door(&bench), &cancel).await;
        assert_eq!(reply["requestId"], "7");
        limited += usize::from(reply["error"]["code"] == "RATE_LIMITED");
    }
    assert_eq!(limited, 15);
}
