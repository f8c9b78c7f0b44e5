//! A backend whose clock stands still until a test moves it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use backend::caller::{AuthKind, Caller, PlayerId};
use backend::problem::{Code, Problem};
use backend::service::{Backend, Clock, IdempotencyKey, Settings, StartRequest, Started};
use backend::store::{Embedded, Store};
use backend::ticket::Ticket;
use serde_json::{Value, json};

use crate::fake::Fake;

pub(crate) const NOW: u64 = 1_795_377_600_000;

pub(crate) struct Bench {
    pub(crate) backend: Backend,
    pub(crate) game_lift: Fake,
    pub(crate) store: Store,
    now: Arc<AtomicU64>,
    settings: Settings,
    pub(crate) embedded: Option<Embedded>,
    pub(crate) calls: Calls,
}

/// What the table was asked to do, by operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<Mutex<BTreeMap<String, usize>>>);

impl Calls {
    /// All since the last time.
    #[allow(dead_code, reason = "for the tests of the use cases")]
    pub(crate) fn take(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().headers().get("x-amz-target").unwrap();
        let operation = target.split_once('.').unwrap().1.to_owned();
        *self.0.lock().unwrap().entry(operation).or_default() += 1;
        Ok(())
    }
}

pub(crate) fn settings() -> Settings {
    let mut settings =
        Settings { queue: Some("queue".to_owned()), private_players: 4, ..Settings::default() };
    settings.attributes.insert("mode".to_owned());
    settings.certificates.insert("fleet-1".to_owned(), "abcd".to_owned());
    settings
}

fn backend(settings: &Settings, store: &Store, game_lift: &Fake, now: &Arc<AtomicU64>) -> Backend {
    Backend::new(settings.clone(), store.clone(), Arc::new(game_lift.clone()), clock(now))
}

fn clock(now: &Arc<AtomicU64>) -> Clock {
    let now = Arc::clone(now);
    Arc::new(move || UNIX_EPOCH + Duration::from_millis(now.load(Ordering::SeqCst)))
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let embedded = Embedded::start(None).await.unwrap();
        let calls = Calls::default();
        let config = embedded.client().config().to_builder().interceptor(calls.clone()).build();
        let store = Store::new(aws_sdk_dynamodb::Client::from_conf(config), "backend");
        store.create_table_if_absent().await.unwrap();
        calls.take();
        let (now, game_lift, settings) = (Arc::new(AtomicU64::new(NOW)), Fake::default(), settings());
        let backend = backend(&settings, &store, &game_lift, &now);
        Self { backend, game_lift, store, now, settings, embedded: Some(embedded), calls }
    }

    /// Another process over the same table, with what it had in memory gone.
    pub(crate) fn restart(&mut self) {
        self.backend = backend(&self.settings, &self.store, &self.game_lift, &self.now);
    }

    pub(crate) fn advance(&self, milliseconds: u64) {
        self.now.fetch_add(milliseconds, Ordering::SeqCst);
        self.game_lift.state().now = self.now();
    }

    #[allow(dead_code, reason = "for the tests of the doors")]
    pub(crate) fn clock(&self) -> Clock {
        clock(&self.now)
    }

    pub(crate) fn now(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    pub(crate) async fn start(&self, player: &str, with_key: &str) -> Result<Started, Problem> {
        self.backend.start(&caller(player), &key(with_key), StartRequest::default()).await
    }

    /// A ticket that GameLift has.
    pub(crate) async fn ticket(&self, player: &str) -> Ticket {
        self.start(player, &format!("key-of-{player}")).await.unwrap().ticket
    }

    /// How a player's latest ticket looks.
    pub(crate) async fn current(&self, player: &str) -> Ticket {
        self.backend.current(&caller(player)).await.unwrap()
    }

    /// Delivers an event about a ticket of these players, this many seconds after the beginning.
    pub(crate) async fn event(&self, second: u64, kind: &str, ticket_id: &str, players: &[&str]) {
        self.event_with(second, kind, ticket_id, players, json!({})).await;
    }

    pub(crate) async fn event_with(
        &self,
        second: u64,
        kind: &str,
        ticket_id: &str,
        players: &[&str],
        more: Value,
    ) {
        let handled = self.backend.handle(&event(second, kind, ticket_id, players, more)).await;
        handled.unwrap();
    }
}

pub(crate) fn event(second: u64, kind: &str, ticket_id: &str, players: &[&str], more: Value) -> String {
    let seated = |player: &&str| json!({"playerId": player, "team": "red", "playerSessionId": format!("psess-{player}")});
    let seeking = |player: &&str| json!({"playerId": player});
    let succeeded = kind == "MatchmakingSucceeded";
    let players: Vec<Value> =
        if succeeded { players.iter().map(seated).collect() } else { players.iter().map(seeking).collect() };
    let mut detail = json!({"type": kind, "tickets": [{"ticketId": ticket_id, "players": players}]});
    if succeeded {
        let arn = "arn:aws:gamelift:us-west-2::gamesession/fleet-1/eu-west-1/gsess-1";
        detail["gameSessionInfo"] = json!({"gameSessionArn": arn, "ipAddress": "10.0.0.1", "port": 7777});
    }
    if let (Some(detail), Value::Object(more)) = (detail.as_object_mut(), more) {
        detail.extend(more);
    }
    let time = format!("2026-11-22T20:{:02}:{:02}Z", second / 60, second % 60);
    json!({"id": format!("{kind}-{second}"), "time": time, "source": "aws.gamelift", "detail": detail})
        .to_string()
}

pub(crate) fn caller(player: &str) -> Caller {
    Caller { player: PlayerId::new(player), kind: AuthKind::Iam, source_ip: None }
}

pub(crate) fn key(text: &str) -> IdempotencyKey {
    text.parse().unwrap()
}

pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, Problem>) -> Code {
    result.unwrap_err().code
}
