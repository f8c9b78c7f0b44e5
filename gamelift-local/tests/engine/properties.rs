//! Random operations, and what must hold after each.

use std::collections::{BTreeMap, BTreeSet};

use gamelift_local::{ErrorKind, engine::ConnectionId, model::*};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::bench::{Bench, LOCATION, input, kind};

#[derive(Debug, Clone)]
enum Op {
    Connect { process: u8, token: u8 },
    Disconnect { connection: usize },
    Request { connection: usize, action: usize, id: u16, session: usize, player: usize, healthy: bool },
    Text { connection: usize, text: String },
    Create { token: Option<u8> },
    Terminate { session: usize },
    Join { session: usize, players: u8 },
    Wait { seconds: u64 },
    DropAll,
    Refresh,
    Place { id: u8, players: u8 },
    Stop { id: u8 },
    Queue { timeout: u8, cap: bool },
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
}

fn pick<T: Clone>(list: &[T], index: usize) -> Option<T> {
    (!list.is_empty()).then(|| list[index % list.len()].clone())
}

impl World {
    fn apply(&mut self, op: Op) {
        match op {
            Op::Connect { process, token } => {
                let query = self.bench.query(&format!("p{process}"), &format!("t{token}"));
                self.connections.push(self.bench.try_connect(query).unwrap());
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
        }
        self.bench.pushes();
        for (closed, _) in self.bench.closed() {
            self.connections.retain(|live| *live != closed);
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
            assert_eq!(
                kind(created),
                Some(ErrorKind::FleetCapacityExceeded),
                "no process is kept from those who wait"
            );
        }
    }

    fn check(&mut self) {
        self.check_placements();
        let snapshot = self.bench.engine.snapshot(self.bench.now);
        let mut hosts: BTreeMap<String, u32> = BTreeMap::new();
        for process in snapshot.processes {
            if let Some(arn) = process.game_session_id {
                *hosts.entry(arn).or_default() += 1;
            }
        }
        let sessions: std::collections::BTreeSet<String> = self.sessions.iter().cloned().collect();
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
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_books_are_right(ops in prop::collection::vec(op(), 0..120)) {
        let mut bench = Bench::new();
        bench.queue();
        let mut world = World {
            bench, connections: Vec::new(), sessions: Vec::new(), players: Vec::new(), placements: BTreeSet::new(),
            ended: BTreeMap::new(), capped: false,
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
