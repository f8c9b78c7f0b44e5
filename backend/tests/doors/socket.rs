//! WebSockets, over loopback.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::house::{House, Player};

/// All of it takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

struct Socket(WebSocketStream<TcpStream>);

async fn open(player: &Player, address: &str) -> Result<Socket, Error> {
    let path = player.presigned("/v1/websocket", address, Duration::from_secs(60));
    let stream = TcpStream::connect(address).await.unwrap();
    let opening = client_async(format!("ws://{address}{path}"), stream);
    timeout(PATIENCE, opening).await.unwrap().map(|(socket, _)| Socket(socket))
}

impl Socket {
    async fn say(&mut self, message: Value) -> Value {
        self.0.send(Message::text(message.to_string())).await.unwrap();
        self.hear().await
    }

    async fn hear(&mut self) -> Value {
        match timeout(PATIENCE, self.0.next()).await.unwrap() {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            other => panic!("not a text: {other:?}"),
        }
    }

    /// The code it is closed with.
    async fn closed(&mut self) -> u16 {
        match timeout(PATIENCE, self.0.next()).await.unwrap() {
            Some(Ok(Message::Close(Some(frame)))) => frame.code.into(),
            other => panic!("not closed: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_ticket_is_started_told_of_and_cancelled_on_a_socket() {
    let house = House::new().await;
    let address = house.serve().await;
    let ada = house.player().await;
    let mut socket = open(&ada, &address).await.unwrap();
    let none = socket.say(json!({"action": "status", "requestId": "1"})).await;
    assert_eq!((&none["requestId"], &none["error"]["code"]), (&json!("1"), &json!("NOT_FOUND")));
    let start = json!({"action": "start", "requestId": "2", "idempotencyKey": "12345678", "request": {"latencies": {"eu-west-1": 9}}});
    let mut said = socket.say(start).await;
    // News of the same change may come before the reply.
    while said["requestId"] != "2" {
        said = socket.hear().await;
    }
    let id = said["ticket"]["ticketId"].as_str().unwrap().to_owned();
    house.bench.event(9, "MatchmakingSucceeded", &id, &[&ada.id]).await;
    let mut news = socket.hear().await;
    while news["ticket"]["status"] != "SUCCEEDED" {
        assert_eq!(news["type"], "ticket");
        news = socket.hear().await;
    }
    assert_eq!(news["ticket"]["connection"]["playerSessionId"], format!("psess-{}", ada.id));
    let placed = socket.say(json!({"action": "cancel", "requestId": "3", "ticketId": id})).await;
    assert_eq!(placed["error"]["code"], "TICKET_PLACED");
    assert_eq!(socket.say(json!({"action": "ping", "requestId": "4"})).await, json!({"requestId": "4"}));
}

#[tokio::test]
async fn a_socket_opens_for_good_signatures_only() {
    let house = House::new().await;
    let address = house.serve().await;
    let ada = house.player().await;
    let late = ada.with_clock_off_by(-61);
    assert!(matches!(open(&late, &address).await, Err(Error::Http(answer)) if answer.status() == 403));
    assert!(open(&ada, &address).await.is_ok());
}

#[tokio::test]
async fn nobody_plays_in_anothers_place_on_a_socket() {
    let house = House::new().await;
    let address = house.serve().await;
    let (ada, bob) = (house.player().await, house.player().await);
    let id = house.start(&ada, "key-of-ada").await.json()["ticketId"].as_str().unwrap().to_owned();
    let mut socket = open(&bob, &address).await.unwrap();
    for message in [
        json!({"action": "status", "requestId": "1", "ticketId": id}),
        json!({"action": "cancel", "requestId": "1", "ticketId": id}),
        json!({"action": "accept", "requestId": "1", "ticketId": id, "accept": false}),
    ] {
        assert_eq!(socket.say(message).await["error"]["code"], "NOT_FOUND");
    }
    let posing = json!({"action": "status", "requestId": "2", "playerId": ada.id});
    assert_eq!(socket.say(posing).await["error"]["code"], "BAD_REQUEST");
}

#[tokio::test]
async fn a_flood_on_a_socket_is_limited_and_a_giant_ends_it() {
    let house = House::new().await;
    let address = house.serve().await;
    let ada = house.player().await;
    let mut socket = open(&ada, &address).await.unwrap();
    // Opening it was the first of five calls.
    for _ in 0..4 {
        assert_eq!(socket.say(json!({"action": "ping"})).await, json!({"requestId": ""}));
    }
    assert_eq!(socket.say(json!({"action": "ping"})).await["error"]["code"], "RATE_LIMITED");
    assert_eq!(socket.say(json!("nonsense")).await["error"]["code"], "RATE_LIMITED");
    socket.0.send(Message::text("x".repeat(33 * 1024))).await.unwrap();
    assert_eq!(socket.closed().await, 1002);
}

#[tokio::test]
async fn sockets_are_told_when_the_backend_stops() {
    let house = House::new().await;
    let address = house.serve().await;
    let mut socket = open(&house.player().await, &address).await.unwrap();
    house.stop.send_replace(true);
    assert_eq!(socket.closed().await, 1012);
}

#[tokio::test]
async fn one_socket_too_many_takes_the_place_of_the_players_oldest() {
    let house = House::new().await;
    let address = house.serve().await;
    let (ada, bob) = (house.player().await, house.player().await);
    let mut bobs = open(&bob, &address).await.unwrap();
    let mut sockets = Vec::new();
    for _ in 0..10 {
        let mut socket = open(&ada, &address).await.unwrap();
        // It is counted once it speaks.
        house.bench.advance(2_000);
        assert_eq!(socket.say(json!({"action": "ping"})).await, json!({"requestId": ""}));
        sockets.push(socket);
    }
    for replaced in &mut sockets[..2] {
        assert_eq!(replaced.closed().await, 1008);
    }
    for socket in sockets[2..].iter_mut().chain([&mut bobs]) {
        house.bench.advance(1_000);
        assert_eq!(socket.say(json!({"action": "ping"})).await, json!({"requestId": ""}));
    }
}
