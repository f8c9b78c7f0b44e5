//! A table of its own for each test.

use std::time::Duration;

use backend::caller::PlayerId;
use backend::event::{Event, Update, parse};
use backend::store::{Applied, Created, Embedded, Kind, NewTicket, Read, Row, Store, local_client};
use serde_json::{Value, json};

/// Milliseconds since 1970 when each test begins.
pub(crate) const NOW: u64 = 1_795_377_600_000;
/// How long tickets are kept.
pub(crate) const HOUR: u64 = 60 * 60 * 1000;
/// What any test may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Where the tests run, if not here.
pub(crate) fn elsewhere() -> Option<String> {
    std::env::var("BACKEND_TEST_DYNAMODB").ok()
}

pub(crate) struct Bench {
    pub(crate) store: Store,
    _embedded: Option<Embedded>,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let table = format!("test-{}", uuid::Uuid::new_v4());
        let (client, embedded) = match elsewhere() {
            Some(endpoint) => (local_client(&endpoint), None),
            None => {
                let embedded = Embedded::start(None).await.unwrap();
                (embedded.client(), Some(embedded))
            }
        };
        let store = Store::new(client, table);
        store.create_table_if_absent().await.unwrap();
        Self { store, _embedded: embedded }
    }

    pub(crate) async fn row(&self, player: &str, now: u64) -> Option<Row> {
        self.store.ticket(&PlayerId::new(player), Read::Strong, now).await.unwrap()
    }

    /// A ticket, surely new.
    pub(crate) async fn started(&self, player: &str, ticket: &str) -> Row {
        let new = new(player, ticket, &format!("key-of-{ticket}"));
        match self.store.create(&new, NOW).await.unwrap() {
            Created::New(row) => row,
            other => panic!("{other:?}"),
        }
    }

    /// What an event has done to the players in it.
    pub(crate) async fn handle(&self, event: &Value) -> Vec<Applied> {
        let mut applied = Vec::new();
        for update in updates(event) {
            applied.push(self.store.apply(&update, NOW, NOW + 2 * HOUR).await.unwrap());
        }
        applied
    }
}

pub(crate) fn new(player: &str, ticket: &str, key: &str) -> NewTicket {
    NewTicket {
        ticket_id: ticket.to_owned(),
        token: key.to_owned(),
        kind: Kind::Match,
        configuration: "default".to_owned(),
        player: PlayerId::new(player),
        party: Vec::new(),
        expires: NOW + HOUR,
    }
}

pub(crate) fn updates(event: &Value) -> Vec<Update> {
    match parse(&event.to_string()).unwrap() {
        Event::Tickets { updates, .. } => updates,
        other => panic!("{other:?}"),
    }
}

/// An event some seconds after the start, about one ticket.
pub(crate) fn event(id: &str, second: u64, kind: &str, ticket: &str, player: &str, more: Value) -> Value {
    let mut of_player = json!({"playerId": player});
    if kind == "MatchmakingSucceeded" {
        of_player["playerSessionId"] = json!(format!("psess-{player}"));
    }
    if kind == "AcceptMatch" {
        of_player["accepted"] = json!(true);
    }
    let mut detail = json!({"type": kind, "tickets": [{"ticketId": ticket, "players": [of_player]}]});
    if kind == "MatchmakingSucceeded" {
        detail["gameSessionInfo"] =
            json!({"gameSessionArn": "arn:session", "ipAddress": "10.0.0.1", "port": 7777});
    }
    if let (Some(detail), Value::Object(more)) = (detail.as_object_mut(), more) {
        detail.extend(more);
    }
    let time = format!("2026-11-22T20:{:02}:{:02}Z", second / 60, second % 60);
    json!({"id": id, "time": time, "source": "aws.gamelift", "detail": detail})
}
