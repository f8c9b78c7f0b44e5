//! Events from SNS, and posts to sockets.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use backend::caller::PlayerId;
use backend::lambda::clients::Clients;
use backend::lambda::config::{Config, websocket_url};
use backend::lambda::events::{EventError, Events};
use backend::lambda::push::{Outbox, Poster};
use backend::service::{Backend, Clock, HandleError};
use backend::store::CONNECTIONS_MAX;
use backend::ticket::Status;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::bench::{Bench, NOW, event, settings};
use crate::recorded::{read, sns};
use crate::scripted::Stage;

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:match";

/// The function with its table, and API Gateway as a test wants it.
struct House {
    bench: Bench,
    stage: Stage,
    config: Config,
    poster: Poster,
    outbox: Outbox,
    events: Events,
}

impl House {
    async fn new() -> Self {
        let stage = Stage::default();
        let url = stage.start().await;
        Self::with_sockets_at(stage, url).await
    }

    async fn with_sockets_at(stage: Stage, url: String) -> Self {
        let bench = Bench::new().await;
        let lookup = |name: &str| {
            let value = match name {
                "AWS_REGION" => "eu-west-1",
                "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "key",
                "BACKEND_TABLE" => "backend",
                "BACKEND_TOPICS" => TOPIC,
                "BACKEND_WEBSOCKET_URL" => url.as_str(),
                _ => return None,
            };
            Some(value.to_owned())
        };
        let config = Config::events(&lookup).unwrap();
        let url = websocket_url(&lookup).unwrap().unwrap();
        let outbox = Outbox::default();
        let client = Clients::new(&config.aws).sockets(&url);
        let poster = Poster::new(outbox.clone(), bench.store.clone(), client, clock());
        let events = events(&bench, &config, &outbox, poster.clone());
        Self { bench, stage, config, poster, outbox, events }
    }

    /// With another time for posts.
    fn with_wait(&self, wait: Duration) -> Events {
        events(&self.bench, &self.config, &self.outbox, self.poster.clone().within(wait))
    }

    async fn handle(&self, messages: &[(&str, &str)]) -> Result<(), EventError> {
        self.events.handle(serde_json::from_value(sns(messages)).unwrap()).await
    }

    async fn connect(&self, player: &str, connection: &str) {
        self.bench.store.connect(&PlayerId::new(player), connection, NOW).await.unwrap();
    }

    async fn connections(&self, player: &str) -> Vec<String> {
        self.bench.store.connections(&PlayerId::new(player), NOW).await.unwrap()
    }
}

fn clock() -> Clock {
    Arc::new(|| UNIX_EPOCH + Duration::from_millis(NOW))
}

fn events(bench: &Bench, config: &Config, outbox: &Outbox, poster: Poster) -> Events {
    let game_lift = Arc::new(bench.game_lift.clone());
    let push = Some(Arc::new(outbox.clone()) as _);
    let backend = Backend::with_push(settings(), bench.store.clone(), game_lift, clock(), push);
    Events::new(backend, config.settings.topics.clone(), Some(poster))
}

fn succeeded(ticket: &str, players: &[&str]) -> String {
    event(5, "MatchmakingSucceeded", ticket, players, json!({}))
}

#[tokio::test]
async fn an_event_seats_its_players_and_each_of_their_sockets_is_told() {
    let house = House::new().await;
    let ticket = house.bench.ticket("ada").await.ticket_id;
    house.connect("ada", "one=").await;
    house.connect("ada", "two=").await;
    house.connect("bob", "three=").await;
    house.handle(&[(TOPIC, &succeeded(&ticket, &["ada"]))]).await.unwrap();
    assert_eq!(house.bench.current("ada").await.status, Status::Succeeded);
    let posts = house.stage.posts();
    let paths: Vec<&str> = posts.iter().map(|post| post.path.as_str()).collect();
    assert_eq!(paths, ["/dev/@connections/one%3D", "/dev/@connections/two%3D"]);
    let said: Value = read(&posts[0].body);
    assert_eq!(said["type"], "ticket");
    assert_eq!(said["ticket"]["connection"]["playerSessionId"], "psess-ada");
    assert!(posts[0].authorization.contains("/eu-west-1/execute-api/aws4_request"), "{:?}", posts[0]);
}

#[tokio::test]
async fn an_event_that_comes_again_changes_and_tells_nothing() {
    let house = House::new().await;
    let ticket = house.bench.ticket("ada").await.ticket_id;
    house.connect("ada", "one").await;
    let message = succeeded(&ticket, &["ada"]);
    house.handle(&[(TOPIC, &message), (TOPIC, &message)]).await.unwrap();
    house.handle(&[(TOPIC, &message)]).await.unwrap();
    let searching = event(1, "MatchmakingSearching", &ticket, &["ada"], json!({}));
    house.handle(&[(TOPIC, &searching)]).await.unwrap();
    assert_eq!(house.stage.posts().len(), 1);
    assert_eq!(house.bench.current("ada").await.status, Status::Succeeded);
}

#[tokio::test]
async fn an_event_of_a_foreign_topic_is_refused() {
    let house = House::new().await;
    let ticket = house.bench.ticket("ada").await.ticket_id;
    let foreign = "arn:aws:sns:eu-west-1:123456789012:match-2";
    let error = house.handle(&[(foreign, &succeeded(&ticket, &["ada"]))]).await.unwrap_err();
    assert!(matches!(&error, EventError::Topic(topic) if topic == foreign), "{error}");
    assert_eq!(house.bench.current("ada").await.status, Status::Requested);
}

#[tokio::test]
async fn one_bad_record_fails_the_call_but_not_the_others() {
    let house = House::new().await;
    let ticket = house.bench.ticket("ada").await.ticket_id;
    house.connect("ada", "one").await;
    let message = succeeded(&ticket, &["ada"]);
    for bad in [[(TOPIC, "nonsense"), (TOPIC, &message)], [(TOPIC, &message), (TOPIC, "nonsense")]] {
        let error = house.handle(&bad).await.unwrap_err();
        assert!(matches!(error, EventError::Unhandled(HandleError::Malformed(_))), "{error}");
    }
    assert_eq!(house.bench.current("ada").await.status, Status::Succeeded);
    assert_eq!(house.stage.posts().len(), 1, "told at the first time, when it was news");
}

#[tokio::test]
async fn without_a_table_the_event_is_to_come_again() {
    let mut house = House::new().await;
    let ticket = house.bench.ticket("ada").await.ticket_id;
    house.bench.embedded.take().unwrap().shutdown().await;
    let error = house.handle(&[(TOPIC, &succeeded(&ticket, &["ada"]))]).await.unwrap_err();
    assert!(matches!(error, EventError::Unhandled(HandleError::Store(_))), "{error}");
}

#[tokio::test]
async fn a_socket_that_is_gone_is_forgotten() {
    let house = House::new().await;
    let ticket = house.bench.ticket("ada").await.ticket_id;
    house.connect("ada", "gone").await;
    house.connect("ada", "here").await;
    house.stage.answer("gone", &[410]);
    house.handle(&[(TOPIC, &succeeded(&ticket, &["ada"]))]).await.unwrap();
    assert_eq!(house.stage.posts().len(), 2);
    assert_eq!(house.connections("ada").await, ["here"]);
    assert_eq!(house.bench.store.connected("gone", NOW).await.unwrap(), None);
}

#[tokio::test]
async fn while_api_gateway_asks_for_patience_a_post_is_tried_a_few_times() {
    let house = House::new().await;
    let (ada, bob) = (house.bench.ticket("ada").await.ticket_id, house.bench.ticket("bob").await.ticket_id);
    house.connect("ada", "later").await;
    house.stage.answer("later", &[429, 429, 200]);
    house.handle(&[(TOPIC, &succeeded(&ada, &["ada"]))]).await.unwrap();
    assert_eq!(house.stage.posts().len(), 3);

    house.connect("bob", "never").await;
    house.stage.answer("never", &[429]);
    house.handle(&[(TOPIC, &succeeded(&bob, &["bob"]))]).await.unwrap();
    assert_eq!(house.stage.posts().len(), 3 + 4, "no more than four times");
    assert_eq!(house.connections("bob").await, ["never"], "it is not gone");
    assert_eq!(house.bench.current("bob").await.status, Status::Succeeded);
}

#[tokio::test]
async fn a_push_that_fails_fails_no_event() {
    let house = House::new().await;
    let ticket = house.bench.ticket("ada").await.ticket_id;
    house.connect("ada", "one").await;
    for (second, status) in [(1, 400), (2, 403), (3, 413)] {
        house.stage.answer("one", &[status]);
        let searching = event(second, "MatchmakingSearching", &ticket, &["ada"], json!({}));
        house.handle(&[(TOPIC, &searching)]).await.unwrap();
    }
    assert_eq!(house.stage.posts().len(), 3, "refused for good: not tried again");

    // Nobody listens there.
    let house = House::with_sockets_at(Stage::default(), "http://127.0.0.1:1/dev".to_owned()).await;
    let ticket = house.bench.ticket("ada").await.ticket_id;
    house.connect("ada", "one").await;
    house.handle(&[(TOPIC, &succeeded(&ticket, &["ada"]))]).await.unwrap();
    assert_eq!(house.bench.current("ada").await.status, Status::Succeeded);
}

#[tokio::test]
async fn everybody_in_a_large_match_is_told() {
    let house = House::new().await;
    // More than are written or posted to at once.
    let players: Vec<String> = (0..40).map(|number| format!("player-{number}")).collect();
    let mut tickets = Vec::new();
    for player in &players {
        let seat = json!({"playerId": player, "team": "red", "playerSessionId": format!("psess-{player}")});
        tickets.push(json!({"ticketId": house.bench.ticket(player).await.ticket_id, "players": [seat]}));
        house.connect(player, &format!("socket-of-{player}=")).await;
    }
    let message = event(5, "MatchmakingSucceeded", "", &[], json!({"tickets": tickets}));
    house.handle(&[(TOPIC, &message)]).await.unwrap();
    let posts = house.stage.posts();
    assert_eq!(posts.len(), players.len());
    for player in &players {
        let post = posts.iter().find(|post| post.path.ends_with(&format!("/socket-of-{player}%3D"))).unwrap();
        // Their own seat, and nobody else's.
        assert_eq!(post.body.matches("psess-").count(), 1);
        assert!(post.body.contains(&format!("psess-{player}\"")), "{}", post.body);
    }
}

#[tokio::test]
async fn when_api_gateway_does_not_answer_the_event_is_done_all_the_same() {
    // It takes connections, and says nothing on them.
    let silent = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/dev", silent.local_addr().unwrap());
    let mut house = House::with_sockets_at(Stage::default(), url).await;
    house.events = house.with_wait(Duration::from_millis(50));
    let ticket = house.bench.ticket("ada").await.ticket_id;
    for number in 0..CONNECTIONS_MAX {
        house.connect("ada", &number.to_string()).await;
    }
    let message = succeeded(&ticket, &["ada"]);
    let messages = [(TOPIC, message.as_str())];
    // One post alone may take four seconds.
    timeout(Duration::from_secs(3), house.handle(&messages)).await.expect("it does not wait").unwrap();
    assert_eq!(house.bench.current("ada").await.status, Status::Succeeded);
}
