//! Random operations, and what must hold after each.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use gamelift_local::{ErrorKind, Timestamp, engine::ConnectionId, model::*};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::bench::{Bench, COMPUTE, LOCATION, input, kind};

#[derive(Debug, Clone)]
enum Op {
    Connect {
        process: u8,
        token: u8,
    },
    Disconnect {
        connection: usize,
    },
    Request {
        connection: usize,
        action: usize,
        id: u16,
        session: usize,
        player: usize,
        healthy: bool,
    },
    Text {
        connection: usize,
        text: String,
    },
    Create {
        token: Option<u8>,
    },
    Terminate {
        session: usize,
    },
    Join {
        session: usize,
        players: u8,
    },
    Wait {
        seconds: u64,
    },
    DropAll,
    Refresh,
    Place {
        id: u8,
        players: u8,
    },
    Stop {
        id: u8,
    },
    Queue {
        timeout: u8,
        cap: bool,
    },
    /// Connects, gets ready and reports its health, as a server process does that is well.
    Ready {
        process: u8,
    },
    /// Creates a game session, activates it, and lets players in. Some of them leave again.
    Play {
        players: u8,
        leave: bool,
    },
    /// CreateAlias to the fleet or to nowhere.
    Alias {
        leads: bool,
    },
    /// UpdateAlias.
    Redirect {
        alias: usize,
        leads: bool,
    },
    DeleteAlias {
        alias: usize,
    },
    /// CreateGameSession through an alias.
    CreateVia {
        alias: usize,
    },
    Update {
        session: usize,
        slots: u8,
        open: bool,
        protect: bool,
    },
    Activations {
        most: u8,
    },
    /// Long enough for tokens to end.
    Sleep,
    Interrupt,
    ScaleDown {
        most: usize,
    },
    DeleteLocation,
    DeleteFleet,
    /// Whatever is missing comes back: fleet, location, compute.
    Repair,
}

const ACTIONS: &[&str] = &[
    "ActivateServerProcess",
    "HeartbeatServerProcess",
    "ActivateGameSession",
    "AcceptPlayerSession",
    "RemovePlayerSession",
    "DescribePlayerSessions",
    "UpdatePlayerSessionCreationPolicy",
    "TerminateServerProcess",
    "StartMatchBackfill",
    "GetComputeCertificate",
    "GetFleetRoleCredentials",
    "Dance",
];

fn op() -> impl Strategy<Value = Op> {
    let index = any::<usize>;
    prop_oneof![
        3 => (0..4_u8, 0..3_u8).prop_map(|(process, token)| Op::Connect { process, token }),
        1 => index().prop_map(|connection| Op::Disconnect { connection }),
        12 => (index(), 0..ACTIONS.len(), any::<u16>(), index(), index(), any::<bool>()).prop_map(
            |(connection, action, id, session, player, healthy)| Op::Request {
                connection, action, id, session, player, healthy
            }
        ),
        1 => (index(), ".{0,40}").prop_map(|(connection, text)| Op::Text { connection, text }),
        3 => prop::option::of(0..3_u8).prop_map(|token| Op::Create { token }),
        1 => index().prop_map(|session| Op::Terminate { session }),
        3 => (index(), 1..4_u8).prop_map(|(session, players)| Op::Join { session, players }),
        2 => (0..200_u64).prop_map(|seconds| Op::Wait { seconds }),
        1 => Just(Op::DropAll),
        1 => Just(Op::Refresh),
        4 => (0..20_u8, 0..3_u8).prop_map(|(id, players)| Op::Place { id, players }),
        1 => (0..20_u8).prop_map(|id| Op::Stop { id }),
        1 => (10..250_u8, any::<bool>()).prop_map(|(timeout, cap)| Op::Queue { timeout, cap }),
        6 => (0..4_u8).prop_map(|process| Op::Ready { process }),
        6 => (0..3_u8, any::<bool>()).prop_map(|(players, leave)| Op::Play { players, leave }),
        1 => any::<bool>().prop_map(|leads| Op::Alias { leads }),
        1 => (index(), any::<bool>()).prop_map(|(alias, leads)| Op::Redirect { alias, leads }),
        1 => index().prop_map(|alias| Op::DeleteAlias { alias }),
        1 => index().prop_map(|alias| Op::CreateVia { alias }),
        2 => (index(), 0..5_u8, any::<bool>(), any::<bool>()).prop_map(|(session, slots, open, protect)| {
            Op::Update { session, slots, open, protect }
        }),
        1 => (1..4_u8).prop_map(|most| Op::Activations { most }),
        1 => Just(Op::Sleep),
        1 => Just(Op::Interrupt),
        1 => (0..4_usize).prop_map(|most| Op::ScaleDown { most }),
        1 => Just(Op::DeleteLocation),
        1 => Just(Op::DeleteFleet),
        3 => Just(Op::Repair),
    ]
}

struct World {
    bench: Bench,
    connections: Vec<ConnectionId>,
    sessions: Vec<String>,
    players: Vec<String>,
    placements: BTreeSet<String>,
    /// Placements by id, each with the type of the event that ended it.
    ended: BTreeMap<String, String>,
    /// Whether the queue has a cap on latency.
    capped: bool,
    /// Aliases by id, each with the fleet that it leads to.
    aliases: BTreeMap<String, Option<String>>,
    /// When the bench's token ends.
    token_ends: Timestamp,
}

/// When the token ends that GetComputeAuthToken hands out now.
fn token_ends(bench: &mut Bench) -> Timestamp {
    let body = json!({ "FleetId": bench.fleet, "ComputeName": COMPUTE });
    bench.engine.get_compute_auth_token(bench.now, input(body)).unwrap().expiration_timestamp
}

/// How many histories: 10,000 for the figure in the documentation, fewer for every day.
fn histories() -> u32 {
    std::env::var("HISTORIES").ok().and_then(|count| count.parse().ok()).unwrap_or(128)
}

fn pick<T: Clone>(list: &[T], index: usize) -> Option<T> {
    (!list.is_empty()).then(|| list[index % list.len()].clone())
}

impl World {
    fn apply(&mut self, op: Op) {
        match op {
            Op::Connect { process, token } => {
                let query = |bench: &Bench| bench.query(&format!("p{process}"), &format!("t{token}"));
                let mut connected = self.bench.try_connect(query(&self.bench));
                let is_over = self.bench.now >= self.token_ends;
                if matches!(&connected, Err(refused) if refused.status == 403) {
                    assert!(is_over, "a token opens the door until it ends");
                    self.new_token();
                    connected = self.bench.try_connect(query(&self.bench));
                } else if connected.is_ok() {
                    assert!(!is_over, "and not a moment longer");
                }
                match connected {
                    Ok(connection) => self.connections.push(connection),
                    Err(refused) => assert_eq!(refused.status, 404, "the compute is gone, or its place goes"),
                }
            }
            Op::Disconnect { connection } => {
                if let Some(connection) = pick(&self.connections, connection) {
                    self.connections.retain(|live| *live != connection);
                    self.bench.disconnect(connection);
                }
            }
            Op::Request { connection, action, id, session, player, healthy } => {
                let Some(connection) = pick(&self.connections, connection) else { return };
                let body = json!({
                    "Port": 7000, "HealthStatus": healthy, "PlayerSessionPolicy": "ACCEPT_ALL",
                    "GameSessionId": pick(&self.sessions, session), "PlayerSessionId": pick(&self.players, player),
                });
                // The bench checks that there is exactly one reply.
                self.bench.ask_as(connection, &id.to_string(), ACTIONS[action], body);
            }
            Op::Text { connection, text } => {
                if let Some(connection) = pick(&self.connections, connection) {
                    self.bench.engine.sdk_text(self.bench.now, connection, &text);
                }
            }
            Op::Create { token } => {
                let token = token.map(|token| format!("token-{token}"));
                if let Ok(session) = self.bench.try_create(json!({ "IdempotencyToken": token })) {
                    self.sessions.push(session.game_session_id);
                }
            }
            Op::Terminate { session } => {
                if let Some(arn) = pick(&self.sessions, session) {
                    // Refused for most states, which is fine.
                    let _ = self.bench.terminate(&arn);
                }
            }
            Op::Join { session, players } => {
                let Some(arn) = pick(&self.sessions, session) else { return };
                let ids: Vec<_> = (0..players).map(|n| format!("player-{n}")).collect();
                let body = input(json!({ "GameSessionId": arn, "PlayerIds": ids }));
                if let Ok(output) = self.bench.engine.create_player_sessions(self.bench.now, body) {
                    self.players
                        .extend(output.player_sessions.into_iter().map(|player| player.player_session_id));
                }
            }
            Op::Wait { seconds } => self.bench.wait_s(seconds),
            Op::DropAll => {
                self.bench.engine.drop_connections(self.bench.now, None);
                self.connections.clear();
            }
            Op::Refresh => {
                self.bench.engine.refresh_connections(self.bench.now);
            }
            Op::Place { id, players } => {
                let id = format!("placement-{id}");
                let players: Vec<_> = (0..players).map(|n| json!({ "PlayerId": n.to_string() })).collect();
                let latency =
                    json!({ "PlayerId": "0", "RegionIdentifier": LOCATION, "LatencyInMilliseconds": 50 });
                let more = json!({ "DesiredPlayerSessions": players, "PlayerLatencies": [latency] });
                let placed = self.bench.try_place(&id, more);
                assert_eq!(placed.is_ok(), self.placements.insert(id), "every id works once");
            }
            Op::Stop { id } => {
                // Refused for most states, which is fine.
                let _ = self.bench.try_stop(&format!("placement-{id}"));
            }
            Op::Queue { timeout, cap: cap_wanted } => {
                self.capped = cap_wanted;
                let cap =
                    json!({ "MaximumIndividualPlayerLatencyMilliseconds": 40, "PolicyDurationSeconds": 20 });
                let policies = if cap_wanted { vec![cap] } else { Vec::new() };
                let body =
                    json!({ "Name": "q", "TimeoutInSeconds": timeout, "PlayerLatencyPolicies": policies });
                self.bench.engine.update_game_session_queue(self.bench.now, input(body)).unwrap();
            }
            other => self.apply_more(other),
        }
        // What is due at once happens at once.
        self.bench.wait_s(0);
        self.bench.pushes();
        for (closed, _) in self.bench.closed() {
            self.connections.retain(|live| *live != closed);
        }
    }

    /// A compute gets a new token, or another one takes its name.
    fn new_token(&mut self) {
        self.bench.renew_token();
        self.token_ends = token_ends(&mut self.bench);
    }

    fn strategy(&self, leads: bool) -> Value {
        match leads {
            true => json!({ "Type": "SIMPLE", "FleetId": self.bench.fleet }),
            false => json!({ "Type": "TERMINAL", "Message": "nowhere" }),
        }
    }

    fn alias(&self, index: usize) -> Option<String> {
        let aliases: Vec<String> = self.aliases.keys().cloned().collect();
        pick(&aliases, index)
    }

    fn apply_more(&mut self, op: Op) {
        let (now, fleet) = (self.bench.now, self.bench.fleet.clone());
        match op {
            Op::Alias { leads } => {
                let body = json!({ "Name": "a", "RoutingStrategy": self.strategy(leads) });
                if let Ok(made) = self.bench.engine.create_alias(now, input(body)) {
                    self.aliases.insert(made.alias.alias_id, leads.then_some(fleet));
                }
            }
            Op::Redirect { alias, leads } => {
                let Some(id) = self.alias(alias) else { return };
                let body = json!({ "AliasId": id, "RoutingStrategy": self.strategy(leads) });
                if self.bench.engine.update_alias(now, input(body)).is_ok() {
                    self.aliases.insert(id, leads.then_some(fleet));
                }
            }
            Op::DeleteAlias { alias } => {
                let Some(id) = self.alias(alias) else { return };
                self.bench.engine.delete_alias(now, input(json!({ "AliasId": id }))).unwrap();
                self.aliases.remove(&id);
            }
            Op::CreateVia { alias } => {
                let Some(id) = self.alias(alias) else { return };
                match self.bench.try_create(json!({ "FleetId": null, "AliasId": id })) {
                    Ok(session) => {
                        assert_eq!(Some(&session.fleet_id), self.aliases[&id].as_ref());
                        self.sessions.push(session.game_session_id);
                    }
                    Err(error) => assert_eq!(
                        error.kind == ErrorKind::TerminalRoutingStrategy,
                        self.aliases[&id].is_none(),
                        "{error}"
                    ),
                }
            }
            Op::Update { session, slots, open, protect } => {
                let Some(arn) = pick(&self.sessions, session) else { return };
                let taken = self.bench.session(&arn).current_player_session_count;
                let body = json!({
                    "GameSessionId": arn, "MaximumPlayerSessionCount": slots,
                    "PlayerSessionCreationPolicy": if open { "ACCEPT_ALL" } else { "DENY_ALL" },
                    "ProtectionPolicy": if protect { "FullProtection" } else { "NoProtection" },
                });
                if self.bench.engine.update_game_session(now, input(body)).is_ok() {
                    assert!(u32::from(slots) >= taken, "taken slots cannot be taken away");
                }
            }
            Op::Activations { most } => {
                let body = json!({
                    "FleetId": fleet, "RuntimeConfiguration": { "MaxConcurrentGameSessionActivations": most },
                });
                // Refused for a fleet that goes, which is fine.
                let _ = self.bench.engine.update_runtime_configuration(now, input(body));
            }
            Op::Sleep => self.bench.wait_s(4_000),
            Op::Interrupt => {
                let body = json!({ "FleetId": fleet, "ComputeName": COMPUTE });
                // There may be none.
                let _ = self.bench.engine.interrupt_compute(now, input(body));
            }
            Op::ScaleDown { most } => {
                let body = json!({ "FleetId": fleet, "Location": LOCATION });
                if let Ok(told) = self.bench.engine.scale_down(now, input(body), most) {
                    assert!(told <= most);
                }
            }
            Op::DeleteLocation => {
                let body = json!({ "FleetId": fleet, "Locations": [LOCATION] });
                let _ = self.bench.engine.delete_fleet_locations(now, input(body));
            }
            Op::DeleteFleet => {
                let _ = self.bench.engine.delete_fleet(now, input(json!({ "FleetId": fleet })));
            }
            Op::Repair => self.repair(),
            Op::Ready { process } => {
                let query = self.bench.query(&format!("p{process}"), "life");
                let Ok(connection) = self.bench.try_connect(query) else { return };
                self.connections.push(connection);
                let ready = json!({ "Port": 7777, "SdkLanguage": "Go", "SdkVersion": "5.6.0" });
                self.bench.ask(connection, "ActivateServerProcess", ready);
                self.bench.ask(connection, "HeartbeatServerProcess", json!({ "HealthStatus": true }));
            }
            Op::Play { players, leave } => self.play(players, leave),
            _ => unreachable!("the other operations are above"),
        }
    }

    fn play(&mut self, players: u8, leave: bool) {
        let Ok(session) = self.bench.try_create(json!({})) else { return };
        let arn = session.game_session_id;
        self.sessions.push(arn.clone());
        // Whoever hosts it succeeds; the others are refused.
        let ask_all = |world: &mut Self, action: &str, body: Value| {
            for connection in world.connections.clone() {
                world.bench.ask(connection, action, body.clone());
            }
        };
        ask_all(self, "ActivateGameSession", json!({ "GameSessionId": arn }));
        for player in 0..players {
            let Ok(joined) = self.bench.try_join(&arn, &format!("player-{player}")) else { return };
            let id = joined.player_session_id;
            let body = json!({ "GameSessionId": arn, "PlayerSessionId": id });
            ask_all(self, "AcceptPlayerSession", body.clone());
            if leave && player == 0 {
                ask_all(self, "RemovePlayerSession", body);
                assert_eq!(self.bench.player(&id).status, PlayerSessionStatus::Completed);
            }
            self.players.push(id);
        }
    }

    fn repair(&mut self) {
        let now = self.bench.now;
        let named = json!([{ "Location": LOCATION }]);
        if self
            .bench
            .engine
            .update_fleet_attributes(now, input(json!({ "FleetId": self.bench.fleet })))
            .is_err()
        {
            let body = json!({ "Name": "f", "ComputeType": "ANYWHERE", "Locations": named });
            // Fleets that go still count.
            let Ok(made) = self.bench.engine.create_fleet(now, input(body)) else { return };
            self.bench.fleet = made.fleet_attributes.fleet_id;
            let destination = json!([{ "DestinationArn": made.fleet_attributes.fleet_arn }]);
            let body = json!({ "Name": "q", "Destinations": destination });
            self.bench.engine.update_game_session_queue(now, input(body)).unwrap();
        }
        let body = json!({ "FleetId": self.bench.fleet, "Locations": named });
        let _ = self.bench.engine.create_fleet_locations(now, input(body));
        let body = json!({
            "FleetId": self.bench.fleet, "ComputeName": COMPUTE, "IpAddress": "10.0.0.1", "Location": LOCATION,
        });
        if self.bench.engine.register_compute(now, input(body)).is_ok() {
            self.new_token();
        }
    }

    /// Nothing is overdue, and every alias leads where it was told to.
    fn check_time_and_aliases(&mut self) {
        let now = self.bench.now;
        assert!(self.bench.engine.poll_timeout().is_none_or(|at| at > now), "no timer is late");
        for (id, fleet) in &self.aliases {
            let resolved = self.bench.engine.resolve_alias(now, input(json!({ "AliasId": id })));
            match (fleet, resolved) {
                (Some(fleet), Ok(resolved)) => assert_eq!(resolved.fleet_id, *fleet),
                (Some(_), Err(error)) => assert_eq!(error.kind, ErrorKind::NotFound, "an hour after its end"),
                (None, resolved) => assert_eq!(kind(resolved), Some(ErrorKind::TerminalRoutingStrategy)),
            }
        }
    }

    /// Every placement has one state, one end at most, and a game session only while it may have one.
    fn check_placements(&mut self) {
        for event in self.bench.events() {
            let event: Value = serde_json::from_str(&event.json).unwrap();
            let text = |field: &str| event["detail"][field].as_str().unwrap().to_owned();
            if text("type") == "PlacementFulfilled" {
                let session = self.bench.session(&text("gameSessionArn"));
                // The step that made it ACTIVE may have gone on.
                assert_ne!(session.status, GameSessionStatus::Activating);
                self.sessions.push(session.game_session_id);
            }
            assert_eq!(self.ended.insert(text("placementId"), text("type")), None, "one end");
        }
        let snapshot = self.bench.engine.snapshot(self.bench.now);
        let (mut pending, mut waiting) = (0, false);
        for id in &self.placements.clone() {
            let placement = self.bench.placement(id);
            let ended = match placement.status {
                GameSessionPlacementState::Pending => None,
                GameSessionPlacementState::Fulfilled => Some("PlacementFulfilled"),
                GameSessionPlacementState::Cancelled => Some("PlacementCancelled"),
                GameSessionPlacementState::TimedOut => Some("PlacementTimedOut"),
                GameSessionPlacementState::Failed => Some("PlacementFailed"),
            };
            assert_eq!(self.ended.get(id).map(String::as_str), ended);
            assert_eq!(placement.end_time.is_some(), ended.is_some());
            match (placement.status, &placement.game_session_arn) {
                (GameSessionPlacementState::Pending, arn) => {
                    pending += 1;
                    waiting |= arn.is_none();
                }
                (GameSessionPlacementState::Fulfilled, arn) => assert!(arn.is_some()),
                (_, arn) => assert_eq!(*arn, None),
            }
            if placement.status != GameSessionPlacementState::Fulfilled {
                assert_eq!(placement.placed_player_sessions, [], "nobody has a slot before the end");
            }
        }
        assert_eq!(snapshot.pending_placement_count, pending);
        if waiting && !self.capped {
            let created = self.bench.try_create(json!({}));
            // Refused in other ways while the fleet or its location is gone.
            assert!(created.is_err(), "no process is kept from those who wait");
        }
    }

    fn check(&mut self) {
        self.check_time_and_aliases();
        self.check_placements();
        let snapshot = self.bench.engine.snapshot(self.bench.now);
        let mut hosts: BTreeMap<String, u32> = BTreeMap::new();
        for process in snapshot.processes {
            if let Some(arn) = process.game_session_id {
                *hosts.entry(arn).or_default() += 1;
            }
        }
        let sessions: BTreeSet<String> = self.sessions.iter().cloned().collect();
        for arn in &sessions {
            let session = self.bench.session(arn);
            let over = session.status == GameSessionStatus::Terminated;
            assert_eq!(
                hosts.get(arn).copied().unwrap_or(0),
                u32::from(!over),
                "one host while it is not over"
            );
            assert_eq!(session.termination_time.is_some(), over);
            assert!(session.current_player_session_count <= session.maximum_player_session_count);
            let age = self.bench.now.since(session.creation_time);
            if session.status == GameSessionStatus::Activating {
                assert!(age < Duration::from_secs(300), "activation has a timeout");
            }
            let by_status = |bench: &mut Bench, status: &str| {
                let body = json!({ "GameSessionId": arn, "PlayerSessionStatusFilter": status });
                let output = bench.engine.describe_player_sessions(bench.now, input(body)).unwrap();
                output.player_sessions.len()
            };
            let counts: Vec<usize> =
                PlayerSessionStatus::NAMES.iter().map(|status| by_status(&mut self.bench, status)).collect();
            let live = counts[0] + counts[1];
            assert_eq!(live, session.current_player_session_count as usize, "taken slots are live players");
            if over {
                assert_eq!(live, 0, "nobody plays in a game session that is over");
            }
            let body: Value = json!({ "GameSessionId": arn });
            let all = self.bench.engine.describe_player_sessions(self.bench.now, input(body)).unwrap();
            if all.next_token.is_none() {
                assert_eq!(all.player_sessions.len(), counts.iter().sum::<usize>(), "exactly one state each");
            }
            let reserved = |player: &&PlayerSession| player.status == PlayerSessionStatus::Reserved;
            for player in all.player_sessions.iter().filter(reserved) {
                let age = self.bench.now.since(player.creation_time);
                assert!(age < Duration::from_secs(60), "a slot waits a minute for its player");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: histories(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_books_are_right(ops in prop::collection::vec(op(), 0..120)) {
        let mut bench = Bench::new();
        bench.queue();
        let token_ends = token_ends(&mut bench);
        let mut world = World {
            bench, connections: Vec::new(), sessions: Vec::new(), players: Vec::new(), placements: BTreeSet::new(),
            ended: BTreeMap::new(), capped: false, aliases: BTreeMap::new(), token_ends,
        };
        for op in ops {
            world.apply(op);
            world.check();
        }
    }

    #[test]
    fn no_text_makes_the_engine_panic(text in r#"[{}\[\]":,a-zA-Z0-9 \\.-]{0,80}"#) {
        let mut bench = Bench::new();
        let connection = bench.ready("p");
        bench.engine.sdk_text(bench.now, connection, &text);
    }
}
