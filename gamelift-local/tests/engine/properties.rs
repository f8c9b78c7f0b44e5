//! Random operations, and what must hold after each.

use std::collections::BTreeMap;

use gamelift_local::{engine::ConnectionId, model::*};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::bench::{Bench, input};

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
    ]
}

struct World {
    bench: Bench,
    connections: Vec<ConnectionId>,
    sessions: Vec<String>,
    players: Vec<String>,
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
        }
        self.bench.pushes();
        for (closed, _) in self.bench.closed() {
            self.connections.retain(|live| *live != closed);
        }
    }

    fn check(&mut self) {
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
        let mut world =
            World { bench: Bench::new(), connections: Vec::new(), sessions: Vec::new(), players: Vec::new() };
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
