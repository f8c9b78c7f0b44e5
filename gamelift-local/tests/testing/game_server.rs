//! A game server without an SDK, in the test's own program: frames through memory.

use std::sync::Arc;

use gamelift_local::{Attached, FromService, testing::Emulator};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// How a game server behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Activates its game session, accepts everybody, ends when it is told to, connects again when it is cut off.
    Good,
    /// Does not activate its game session.
    Lazy,
    /// Reports its health and does nothing else.
    Deaf,
}

/// What the test tells it.
enum Order {
    Accept(String),
    End,
}

/// A game server in the background. It is gone when this is dropped.
pub(crate) struct GameServer {
    orders: mpsc::Sender<Order>,
}

impl GameServer {
    pub(crate) async fn start(gamelift: &Emulator, id: &str, manner: Manner) -> Self {
        let (orders, inbox) = mpsc::channel(8);
        let defaults = gamelift.local().defaults();
        let query = format!(
            "Authorization={}&ComputeId={}&FleetId={}&pID={id}",
            defaults.auth_token, defaults.compute_name, defaults.fleet_id
        );
        let attached = gamelift.local().attach(&query).await.unwrap();
        let process = Process {
            gamelift: Arc::downgrade(gamelift.local()),
            query,
            attached,
            manner,
            game_session: None,
            requests: 0,
        };
        tokio::spawn(process.run(inbox));
        Self { orders }
    }

    pub(crate) async fn accept(&self, player_session_id: &str) {
        self.orders.send(Order::Accept(player_session_id.to_owned())).await.unwrap();
    }

    pub(crate) async fn end(&self) {
        self.orders.send(Order::End).await.unwrap();
    }
}

struct Process {
    gamelift: std::sync::Weak<gamelift_local::Local>,
    query: String,
    attached: Attached,
    manner: Manner,
    game_session: Option<String>,
    requests: u32,
}

impl Process {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        self.ask("ActivateServerProcess", json!({ "Port": 7777 })).await;
        let mut heartbeat = tokio::time::interval(std::time::Duration::from_secs(60));
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Accept(id)) => {
                        let session = self.game_session.clone().unwrap();
                        self.ask("AcceptPlayerSession", json!({ "GameSessionId": session, "PlayerSessionId": id })).await;
                    }
                    Some(Order::End) => self.ask("TerminateServerProcess", json!({})).await,
                    None => return,
                },
                _ = heartbeat.tick() => self.ask("HeartbeatServerProcess", json!({ "HealthStatus": true })).await,
                frame = self.attached.from_service.recv() => match frame {
                    Some(FromService::Text(frame)) => self.hear(serde_json::from_str(&frame).unwrap()).await,
                    _ if !self.connect_again().await => return,
                    _ => {}
                },
            }
        }
    }

    async fn connect_again(&mut self) -> bool {
        let Some(gamelift) = self.gamelift.upgrade() else { return false };
        match gamelift.attach(&self.query).await {
            Ok(attached) => self.attached = attached,
            Err(_) => return false,
        }
        self.manner == Manner::Good
    }

    async fn hear(&mut self, frame: Value) {
        match (frame["Action"].as_str().unwrap(), self.manner) {
            ("CreateGameSession", Manner::Good) => {
                let id = frame["GameSessionId"].as_str().unwrap().to_owned();
                self.game_session = Some(id.clone());
                self.ask("ActivateGameSession", json!({ "GameSessionId": id })).await;
            }
            ("TerminateProcess", Manner::Good) => self.ask("TerminateServerProcess", json!({})).await,
            ("RefreshConnection", _) => {
                assert!(self.connect_again().await);
            }
            _ => {}
        }
    }

    async fn ask(&mut self, action: &str, members: Value) {
        self.requests += 1;
        let mut request = json!({ "Action": action, "RequestId": self.requests.to_string() });
        request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        // Whether the connection is still there shows when the next frame is read.
        let _ = self.attached.to_service.send(request.to_string()).await;
    }
}
