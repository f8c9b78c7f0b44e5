//! The local GameLift, on a thread of its own, as its program runs it.

use std::thread;

use gamelift_local::{Attached, Config, Local};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::rounds::Cpu;

pub(crate) struct Subject {
    pub(crate) api: String,
    /// With the query of a server process.
    pub(crate) websocket: String,
    pub(crate) cpu: Cpu,
    /// What CreateGameSession takes.
    pub(crate) wish: Value,
}

pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime needs only file descriptors")
}

/// Starts it with so many server processes, without sockets, each of which hosts a game session.
pub(crate) fn start(game_sessions: u16) -> Subject {
    let (ready, started) = std::sync::mpsc::channel();
    thread::spawn(move || {
        runtime().block_on(async move {
            let local = Local::start(Config::on_free_ports()).await.expect("free ports");
            let defaults = local.defaults();
            let wish = json!({
                "FleetId": defaults.fleet_id, "Location": defaults.location, "MaximumPlayerSessionCount": 8,
            });
            let query = |process: &str| {
                format!(
                    "Authorization={}&ComputeId={}&FleetId={}&pID={process}",
                    defaults.auth_token, defaults.compute_name, defaults.fleet_id
                )
            };
            let mut hosts = Vec::new();
            for number in 0..game_sessions {
                let host = host(&local, &query(&format!("host-{number}")), &wish).await;
                hosts.push(host);
            }
            let subject = Subject {
                api: local.api_endpoint().to_owned(),
                websocket: format!("{}/?{}", local.sdk_endpoint(), query("measured")),
                cpu: Cpu::of_this_thread(),
                wish,
            };
            ready.send(subject).expect("the benchmark waits");
            std::future::pending::<()>().await;
        });
    });
    started.recv().expect("the subject starts")
}

async fn host(local: &Local, query: &str, wish: &Value) -> Attached {
    let mut host = local.attach(query).await.expect("the default compute's token");
    for request in [
        json!({ "Action": "ActivateServerProcess", "RequestId": "1", "Port": 7777 }),
        json!({ "Action": "HeartbeatServerProcess", "RequestId": "2", "HealthStatus": true }),
    ] {
        host.to_service.send(request.to_string()).await.expect("the service listens");
        host.from_service.recv().await.expect("the service answers");
    }
    let made = local.call("CreateGameSession", wish.clone()).await.expect("a process is free");
    host.from_service.recv().await.expect("a game session to host");
    let id = &made["GameSession"]["GameSessionId"];
    let activate = json!({ "Action": "ActivateGameSession", "RequestId": "3", "GameSessionId": id });
    host.to_service.send(activate.to_string()).await.expect("the service listens");
    host.from_service.recv().await.expect("the service answers");
    host
}
