//! A GameLift with one fleet and one compute, and words to talk about it.

use std::time::Duration;

use gamelift_local::{
    ApiError, ErrorKind, Timestamp,
    engine::{ConnectionId, Effect, Engine, Event, Refused, Settings},
    model::*,
};
use gamelift_wire::connect::ConnectQuery;
use serde_json::{Value, json};

pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    pub(crate) fleet: String,
    pub(crate) token: String,
    requests: u32,
    /// What has been sent and not been looked at.
    sent: Vec<(ConnectionId, Value)>,
    closed: Vec<(ConnectionId, Option<u16>)>,
    events: Vec<Event>,
}

pub(crate) const LOCATION: &str = "custom-here";
pub(crate) const COMPUTE: &str = "box";

/// Builds an API input from JSON, as a client would send it.
pub(crate) fn input<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the test's input has the right shape")
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_fleet(json!({}))
    }

    pub(crate) fn with_fleet(more: Value) -> Self {
        Self::of(Engine::new(Settings::default(), 7), more)
    }

    /// Begins again with another engine.
    pub(crate) fn start_anew(&mut self, engine: Engine) {
        *self = Self::of(engine, json!({}));
    }

    fn of(mut engine: Engine, more: Value) -> Self {
        let now = Timestamp::from_millis(1_700_000_000_000);
        engine.create_location(now, input(json!({ "LocationName": LOCATION }))).expect("a location");
        let mut fleet =
            json!({ "Name": "f", "ComputeType": "ANYWHERE", "Locations": [{ "Location": LOCATION }] });
        for (key, value) in more.as_object().expect("an object") {
            fleet[key] = value.clone();
        }
        let fleet = engine.create_fleet(now, input(fleet)).expect("a fleet").fleet_attributes.fleet_id;
        let compute = json!({
            "FleetId": fleet, "ComputeName": COMPUTE, "IpAddress": "10.0.0.1", "DnsName": "box.example",
            "Location": LOCATION, "CertificatePath": "/etc/box.pem",
        });
        engine.register_compute(now, input(compute)).expect("a compute");
        let compute = json!({ "FleetId": fleet, "ComputeName": COMPUTE });
        let token = engine.get_compute_auth_token(now, input(compute)).expect("a token").auth_token;
        let token = token.as_str().to_owned();
        Self {
            engine,
            now,
            fleet,
            token,
            requests: 0,
            sent: Vec::new(),
            closed: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Lets time pass, stopping at every timer.
    pub(crate) fn wait_s(&mut self, seconds: u64) {
        let target = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.engine.poll_timeout().filter(|at| *at <= target) {
            self.now = at;
            self.engine.tick(at);
        }
        self.now = target;
        self.engine.tick(target);
    }

    /// Tokens do not live for ever.
    pub(crate) fn renew_token(&mut self) {
        let body = json!({ "FleetId": self.fleet, "ComputeName": COMPUTE });
        let output = self.engine.get_compute_auth_token(self.now, input(body)).expect("a token");
        self.token = output.auth_token.as_str().to_owned();
    }

    pub(crate) fn query(&self, process: &str, idempotency_token: &str) -> ConnectQuery {
        ConnectQuery::parse(&format!(
            "Authorization={}&ComputeId={COMPUTE}&FleetId={}&IdempotencyToken={idempotency_token}&pID={process}&sdkLanguage=Go&sdkVersion=5.6.0",
            self.token, self.fleet
        ))
        .expect("a query")
    }

    pub(crate) fn try_connect(&mut self, query: ConnectQuery) -> Result<ConnectionId, Refused> {
        self.engine.sdk_connected(self.now, query)
    }

    pub(crate) fn connect(&mut self, process: &str) -> ConnectionId {
        let query = self.query(process, &format!("first-{process}"));
        self.try_connect(query).expect("a connection")
    }

    pub(crate) fn disconnect(&mut self, connection: ConnectionId) {
        self.engine.sdk_disconnected(self.now, connection);
    }

    /// Sends one request with a fresh id and gives its one reply.
    pub(crate) fn ask(&mut self, connection: ConnectionId, action: &str, body: Value) -> Value {
        self.requests += 1;
        let id = format!("request-{}", self.requests);
        self.ask_as(connection, &id, action, body)
    }

    pub(crate) fn ask_as(&mut self, connection: ConnectionId, id: &str, action: &str, body: Value) -> Value {
        let mut frame = json!({ "Action": action, "RequestId": id });
        for (key, value) in body.as_object().expect("an object") {
            frame[key] = value.clone();
        }
        self.engine.sdk_text(self.now, connection, &frame.to_string());
        self.drain();
        let mut replies = Vec::new();
        self.sent.retain(|(to, frame)| {
            let reply = *to == connection && frame["RequestId"] == id;
            if reply {
                replies.push(frame.clone());
            }
            !reply
        });
        assert_eq!(replies.len(), 1, "exactly one reply to {action}");
        let reply = replies.remove(0);
        assert_eq!(reply["Action"], action, "the reply repeats the action");
        reply
    }

    /// Asks and expects success.
    pub(crate) fn ok(&mut self, connection: ConnectionId, action: &str, body: Value) -> Value {
        let reply = self.ask(connection, action, body);
        assert_eq!(reply["StatusCode"], 200, "{reply}");
        reply
    }

    /// Asks and expects a refusal with this status code.
    pub(crate) fn refused(
        &mut self,
        connection: ConnectionId,
        action: &str,
        body: Value,
        status: u16,
    ) -> String {
        let reply = self.ask(connection, action, body);
        assert_eq!(reply["StatusCode"], status, "{reply}");
        reply["ErrorMessage"].as_str().expect("an error message").to_owned()
    }

    pub(crate) fn activate(&mut self, connection: ConnectionId) {
        self.ok(
            connection,
            "ActivateServerProcess",
            json!({ "Port": 7777, "SdkLanguage": "Go", "SdkVersion": "5.6.0" }),
        );
    }

    pub(crate) fn heartbeat(&mut self, connection: ConnectionId, healthy: bool) {
        self.ok(connection, "HeartbeatServerProcess", json!({ "HealthStatus": healthy }));
    }

    /// A process that can be given a game session.
    pub(crate) fn ready(&mut self, process: &str) -> ConnectionId {
        let connection = self.connect(process);
        self.activate(connection);
        self.heartbeat(connection, true);
        connection
    }

    /// Every push since the last look, on any connection.
    pub(crate) fn pushes(&mut self) -> Vec<(ConnectionId, Value)> {
        self.drain();
        std::mem::take(&mut self.sent)
    }

    /// The actions of all pushes since the last look.
    pub(crate) fn push_actions(&mut self) -> Vec<String> {
        self.pushes().iter().map(|(_, push)| push["Action"].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub(crate) fn closed(&mut self) -> Vec<(ConnectionId, Option<u16>)> {
        self.drain();
        std::mem::take(&mut self.closed)
    }

    fn drain(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Send { connection, text, push } => {
                    let frame: Value = serde_json::from_str(&text).expect("frames are JSON");
                    assert_eq!(push, frame.get("RequestId").is_none(), "pushes carry no RequestId: {frame}");
                    self.sent.push((connection, frame));
                }
                Effect::Close { connection, code } => self.closed.push((connection, code)),
                Effect::Publish(event) => self.events.push(event),
                other => panic!("an effect the bench does not know: {other:?}"),
            }
        }
    }

    /// Every event since the last look.
    pub(crate) fn events(&mut self) -> Vec<Event> {
        self.drain();
        std::mem::take(&mut self.events)
    }

    /// The types of all events since the last look.
    pub(crate) fn event_types(&mut self) -> Vec<String> {
        let parse = |event: Event| serde_json::from_str::<Value>(&event.json).expect("events are JSON");
        let types = self.events().into_iter().map(parse);
        types.map(|event| event["detail"]["type"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Another fleet, with a compute in each of its locations, which are made if need be.
    pub(crate) fn add_fleet(&mut self, cost: Option<&str>, locations: &[&str]) -> String {
        for location in locations {
            // It may exist already.
            let _ = self.engine.create_location(self.now, input(json!({ "LocationName": location })));
        }
        let named: Vec<_> = locations.iter().map(|location| json!({ "Location": location })).collect();
        let mut body = json!({ "Name": "f", "ComputeType": "ANYWHERE", "Locations": named });
        if let Some(cost) = cost {
            body["AnywhereConfiguration"] = json!({ "Cost": cost });
        }
        let fleet =
            self.engine.create_fleet(self.now, input(body)).expect("a fleet").fleet_attributes.fleet_id;
        for location in locations {
            let compute = json!({
                "FleetId": fleet, "ComputeName": location, "IpAddress": "10.0.0.2", "Location": location,
            });
            self.engine.register_compute(self.now, input(compute)).expect("a compute");
        }
        fleet
    }

    /// A process of [`Bench::add_fleet`] that can be given a game session.
    pub(crate) fn ready_at(&mut self, fleet: &str, location: &str, process: &str) -> ConnectionId {
        let body = json!({ "FleetId": fleet, "ComputeName": location });
        let token = self.engine.get_compute_auth_token(self.now, input(body)).expect("a token").auth_token;
        let query = ConnectQuery::parse(&format!(
            "Authorization={}&ComputeId={location}&FleetId={fleet}&IdempotencyToken={process}&pID={process}",
            token.as_str()
        ));
        let connection = self.try_connect(query.expect("a query")).expect("a connection");
        self.activate(connection);
        self.heartbeat(connection, true);
        connection
    }

    /// The ARN of a fleet.
    pub(crate) fn arn(fleet: &str) -> String {
        format!("arn:aws:gamelift:us-west-2:123456789012:fleet/{fleet}")
    }

    pub(crate) fn try_queue(
        &mut self,
        name: &str,
        fleets: &[&str],
        more: Value,
    ) -> Result<GameSessionQueue, ApiError> {
        let destinations: Vec<_> =
            fleets.iter().map(|fleet| json!({ "DestinationArn": Self::arn(fleet) })).collect();
        let mut body = json!({ "Name": name, "Destinations": destinations });
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        let output = self.engine.create_game_session_queue(self.now, input(body));
        output.map(|output| output.game_session_queue)
    }

    /// A queue with the name `q` to the bench's own fleet.
    pub(crate) fn queue(&mut self) {
        let fleet = self.fleet.clone();
        self.try_queue("q", &[&fleet], json!({})).expect("a queue");
    }

    pub(crate) fn try_place(&mut self, id: &str, more: Value) -> Result<GameSessionPlacement, ApiError> {
        let mut body =
            json!({ "PlacementId": id, "GameSessionQueueName": "q", "MaximumPlayerSessionCount": 2 });
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        let output = self.engine.start_game_session_placement(self.now, input(body));
        output.map(|output| output.game_session_placement)
    }

    pub(crate) fn place(&mut self, id: &str) -> GameSessionPlacement {
        self.try_place(id, json!({})).expect("a placement")
    }

    pub(crate) fn placement(&mut self, id: &str) -> GameSessionPlacement {
        let body = input(json!({ "PlacementId": id }));
        let output = self.engine.describe_game_session_placement(self.now, body);
        output.expect("the placement is known").game_session_placement
    }

    pub(crate) fn try_stop(&mut self, id: &str) -> Result<GameSessionPlacement, ApiError> {
        let body = input(json!({ "PlacementId": id }));
        let output = self.engine.stop_game_session_placement(self.now, body);
        output.map(|output| output.game_session_placement)
    }

    /// Where a placement's game session is: the location in its ARN, or nothing.
    pub(crate) fn placed_in(&mut self, id: &str) -> Option<String> {
        let arn = self.placement(id).game_session_arn?;
        arn.rsplit('/').nth(1).map(str::to_owned)
    }

    pub(crate) fn try_create(&mut self, more: Value) -> Result<GameSession, ApiError> {
        let mut body = json!({ "FleetId": self.fleet, "MaximumPlayerSessionCount": 2, "Location": LOCATION });
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        self.engine.create_game_session(self.now, input(body)).map(|output| output.game_session)
    }

    /// Creates a game session and gives its ARN.
    pub(crate) fn create(&mut self) -> String {
        self.try_create(json!({})).expect("a game session").game_session_id
    }

    /// A ready process that hosts an ACTIVE game session.
    pub(crate) fn hosting(&mut self, process: &str) -> (ConnectionId, String) {
        let connection = self.ready(process);
        let arn = self.create();
        self.ok(connection, "ActivateGameSession", json!({ "GameSessionId": arn }));
        assert_eq!(self.push_actions(), ["CreateGameSession"]);
        (connection, arn)
    }

    pub(crate) fn session(&mut self, arn: &str) -> GameSession {
        let output = self.engine.describe_game_sessions(self.now, input(json!({ "GameSessionId": arn })));
        output.expect("the game session is known").game_sessions.remove(0)
    }

    pub(crate) fn status(&mut self, arn: &str) -> GameSessionStatus {
        self.session(arn).status
    }

    pub(crate) fn terminate(&mut self, arn: &str) -> Result<GameSession, ApiError> {
        let body = json!({ "GameSessionId": arn, "TerminationMode": "TRIGGER_ON_PROCESS_TERMINATE" });
        self.engine.terminate_game_session(self.now, input(body)).map(|output| output.game_session)
    }

    pub(crate) fn try_join(&mut self, arn: &str, player: &str) -> Result<PlayerSession, ApiError> {
        let body = json!({ "GameSessionId": arn, "PlayerId": player });
        self.engine.create_player_session(self.now, input(body)).map(|output| output.player_session)
    }

    /// Reserves a slot and gives the player session's id.
    pub(crate) fn join(&mut self, arn: &str, player: &str) -> String {
        self.try_join(arn, player).expect("a player session").player_session_id
    }

    pub(crate) fn player(&mut self, id: &str) -> PlayerSession {
        let output = self.engine.describe_player_sessions(self.now, input(json!({ "PlayerSessionId": id })));
        output.expect("the player session is known").player_sessions.remove(0)
    }
}

/// The kind of an error, for short assertions.
pub(crate) fn kind<T>(result: Result<T, ApiError>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind)
}
