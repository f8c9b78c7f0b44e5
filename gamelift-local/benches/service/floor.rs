//! What the local GameLift is measured against: plain axum that reads and writes the same JSON, and a WebSocket echo.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    thread,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, header},
    response::IntoResponse,
    routing::post,
};
use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_tungstenite::accept_async;

use crate::{rounds::Cpu, subject::runtime};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wanted {
    game_session_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Found<'a> {
    game_sessions: [&'a GameSession; 1],
}

/// The members that the benchmark's game sessions have.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GameSession {
    game_session_id: String,
    fleet_id: String,
    fleet_arn: String,
    creation_time: f64,
    current_player_session_count: u32,
    maximum_player_session_count: u32,
    status: String,
    game_properties: Vec<Value>,
    port: u16,
    player_session_creation_policy: String,
    location: String,
    compute_name: String,
    ip_address: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wish {
    ticket_id: String,
    configuration_name: String,
    players: Vec<Player>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Player {
    player_id: String,
    player_attributes: BTreeMap<String, BTreeMap<String, f64>>,
    #[serde(default)]
    latency_in_ms: BTreeMap<String, u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Made {
    matchmaking_ticket: Ticket,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Ticket {
    ticket_id: String,
    configuration_name: String,
    configuration_arn: String,
    status: &'static str,
    start_time: f64,
    players: Vec<Player>,
}

type GameSessions = Arc<Mutex<BTreeMap<String, GameSession>>>;

pub(crate) struct Floor {
    pub(crate) api: String,
    pub(crate) websocket: String,
    pub(crate) cpu: Cpu,
}

/// Serves these game sessions, as DescribeGameSessions has shown them, from a thread of its own.
pub(crate) fn start(game_sessions: Vec<Value>) -> Floor {
    let (ready, started) = std::sync::mpsc::channel();
    thread::spawn(move || {
        runtime().block_on(async move {
            let read = |session| serde_json::from_value::<GameSession>(session).expect("known members");
            let by_id = game_sessions.into_iter().map(read).map(|it| (it.game_session_id.clone(), it));
            let game_sessions: GameSessions = Arc::new(Mutex::new(by_id.collect()));
            let http = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
            let websocket = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
            let floor = Floor {
                api: format!("http://{}", http.local_addr().expect("bound")),
                websocket: format!("ws://{}", websocket.local_addr().expect("bound")),
                cpu: Cpu::of_this_thread(),
            };
            ready.send(floor).expect("the benchmark waits");
            tokio::spawn(echo(websocket));
            let router = Router::new().route("/", post(answer)).with_state(game_sessions);
            axum::serve(http, router).await.expect("loopback");
        });
    });
    started.recv().expect("the floor starts")
}

async fn answer(
    State(game_sessions): State<GameSessions>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let operation = headers.get("x-amz-target").expect("named").as_bytes();
    let answer = if operation == b"GameLift.DescribeGameSessions" {
        let wanted: Wanted = serde_json::from_slice(&body).expect("the benchmark's own JSON");
        let game_sessions = game_sessions.lock().expect("no panics");
        let game_session = game_sessions.get(&wanted.game_session_id).expect("known");
        serde_json::to_vec(&Found { game_sessions: [game_session] })
    } else {
        let wish: Wish = serde_json::from_slice(&body).expect("the benchmark's own JSON");
        let configuration = &wish.configuration_name;
        let configuration_arn =
            format!("arn:aws:gamelift:us-west-2:123456789012:matchmakingconfiguration/{configuration}");
        let ticket = Ticket {
            ticket_id: wish.ticket_id,
            configuration_name: wish.configuration_name,
            configuration_arn,
            status: "QUEUED",
            start_time: 1_795_000_000.123,
            players: wish.players,
        };
        serde_json::to_vec(&Made { matchmaking_ticket: ticket })
    };
    ([(header::CONTENT_TYPE, "application/x-amz-json-1.1")], answer.expect("strings and numbers"))
}

async fn echo(listener: TcpListener) {
    loop {
        let (stream, _) = listener.accept().await.expect("loopback");
        stream.set_nodelay(true).expect("a TCP option");
        tokio::spawn(async move {
            let mut socket = accept_async(stream).await.expect("the benchmark upgrades");
            while let Some(Ok(message)) = socket.next().await {
                if message.is_text() && socket.send(message).await.is_err() {
                    return;
                }
            }
        });
    }
}
