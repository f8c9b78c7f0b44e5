//! From CreateGameSession to ACTIVE, beside four bare round trips: two over HTTP, two over a WebSocket.

use std::net::TcpStream;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use crate::{
    client::{Client, request},
    floor,
    rounds::{ROUNDS, print, print_head, round, timed},
    subject,
};

/// Game sessions per round.
const GAME_SESSIONS: usize = 500;

pub(crate) fn measure() {
    let subject = subject::start(1);
    let mut api = Client::connect(&subject.api);
    let fleet = json!({ "FleetId": subject.wish["FleetId"] });
    let known = api.call("DescribeGameSessions", &fleet)["GameSessions"].take();
    let id = known[0]["GameSessionId"].clone();
    let floor = floor::start(known.as_array().cloned().unwrap_or_default());
    let mut server = dial(&subject.websocket);
    let create = request("CreateGameSession", &subject.wish, false);

    let (mut floor_api, mut echo) = (Client::connect(&floor.api), dial(&floor.websocket));
    let bare = request("DescribeGameSessions", &json!({ "GameSessionId": id }), false);
    let activate =
        json!({ "Action": "ActivateGameSession", "RequestId": "a", "GameSessionId": id }).to_string();

    let (mut floors, mut subjects) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        floors.push(round(&floor.cpu, GAME_SESSIONS, |_| {
            timed(|| {
                floor_api.send(&bare);
                ask(&mut echo, activate.clone());
                ask(&mut echo, activate.clone());
                floor_api.send(&bare);
            })
        }));
        // A process hosts one game session, so it ends and begins again in between. That counts as CPU, and is subtracted.
        let idle = round(&subject.cpu, GAME_SESSIONS, |number| timed(|| begin(&mut server, number)));
        let mut hosted = round(&subject.cpu, GAME_SESSIONS, |number| {
            begin(&mut server, number);
            timed(|| host(&mut api, &create, &mut server, number))
        });
        hosted.cpu_us = hosted.cpu_us.zip(idle.cpu_us).map(|(both, idle)| both - idle);
        subjects.push(hosted);
    }
    print_head();
    print("CreateGameSession until ACTIVE", &floors, &subjects);
}

fn dial(url: &str) -> WebSocket<TcpStream> {
    let authority = url.trim_start_matches("ws://").split('/').next().unwrap_or_default();
    let stream = TcpStream::connect(authority).expect("the service listens");
    stream.set_nodelay(true).expect("a TCP option");
    client(url, stream).expect("the service upgrades").0
}

fn ask(socket: &mut WebSocket<TcpStream>, request: String) -> Message {
    socket.send(Message::text(request)).expect("the service reads");
    socket.read().expect("the service answers")
}

/// Ends the process and makes it ready again.
fn begin(server: &mut WebSocket<TcpStream>, number: usize) {
    for (action, members) in [
        ("TerminateServerProcess", json!({})),
        ("ActivateServerProcess", json!({ "Port": 7778 })),
        ("HeartbeatServerProcess", json!({ "HealthStatus": true })),
    ] {
        let mut request = members;
        request["Action"] = action.into();
        request["RequestId"] = format!("{action}-{number}-{:?}", std::time::Instant::now()).into();
        ask(server, request.to_string());
    }
}

fn host(api: &mut Client, create: &[u8], server: &mut WebSocket<TcpStream>, number: usize) {
    assert_eq!(api.send(create), 200, "{}", api.json());
    let push = server.read().expect("a game session to host");
    let push: Value = serde_json::from_str(push.to_text().expect("text")).expect("JSON");
    let id = &push["GameSessionId"];
    let activate = json!({ "Action": "ActivateGameSession", "RequestId": format!("host-{number}-{id}"), "GameSessionId": id });
    ask(server, activate.to_string());
    api.send(&request("DescribeGameSessions", &json!({ "GameSessionId": id }), false));
    assert_eq!(api.json()["GameSessions"][0]["Status"], "ACTIVE");
}
