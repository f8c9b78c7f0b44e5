//! Game servers as simple as can be: they activate what they are given, say that they are well, and pass on what they hear.

use std::sync::Arc;

use gamelift_local::Local;
use gamelift_server_sdk::{Config, Event, GameSession, Ready, ServerProcess, UpdateGameSession};
use tokio::sync::mpsc::{self, error::TryRecvError};

use crate::in_process::{InProcess, patient, settle};
use crate::world::Compute;

/// More than a story has.
const HEARD_MAX: usize = 64;

/// What a game server does with the game session it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Activates it.
    Hosts,
    /// Never activates it.
    Hangs,
}

/// A server process that is ready, with its SDK running in the background.
pub(crate) struct GameServer {
    /// Dropping it takes the process off the service.
    _process: ServerProcess,
    sessions: mpsc::Receiver<GameSession>,
    updates: mpsc::Receiver<UpdateGameSession>,
}

impl GameServer {
    pub(crate) async fn start(local: &Arc<Local>, compute: &Compute, port: u16, manner: Manner) -> Self {
        let config = Config::builder()
            .websocket_url("ws://in.process")
            .fleet_id(&compute.fleet_id)
            .host_id(&compute.name)
            .process_id(format!("{}-{port}", compute.name))
            .auth_token(&compute.auth_token)
            .seed(u64::from(port))
            .build()
            .unwrap();
        let connected = patient(config.connect_with(InProcess(local.clone()))).await.unwrap();
        let (process, mut events) = patient(connected.ready(Ready::on_port(port))).await.unwrap();
        let (session_seen, sessions) = mpsc::channel(HEARD_MAX);
        let (update_seen, updates) = mpsc::channel(HEARD_MAX);
        let (first_health_check, healthy) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let mut first_health_check = Some(first_health_check);
            let mut untouched = Vec::new();
            while let Some(event) = events.next().await {
                match event {
                    Event::HealthCheck(check) => {
                        check.healthy();
                        if let Some(first) = first_health_check.take() {
                            let _ = first.send(());
                        }
                    }
                    Event::StartGameSession(start) if manner == Manner::Hosts => {
                        // Too late is an answer as well: the story tells what became of the game session.
                        if let Ok(session) = start.activate().await {
                            let _ = session_seen.send(session).await;
                        }
                    }
                    Event::StartGameSession(start) => untouched.push(start),
                    Event::UpdateGameSession(update) => {
                        let _ = update_seen.send(*update).await;
                    }
                    _ => {}
                }
            }
        });
        patient(healthy).await.unwrap();
        Self { _process: process, sessions, updates }
    }

    /// The game session that it was given and has activated.
    pub(crate) async fn hosts(&mut self) -> GameSession {
        patient(self.sessions.recv()).await.unwrap()
    }

    /// The next UpdateGameSession.
    pub(crate) async fn update(&mut self) -> UpdateGameSession {
        patient(self.updates.recv()).await.unwrap()
    }

    /// Whether it is alive and nothing has been given to it so far.
    pub(crate) async fn is_idle(&mut self) -> bool {
        settle().await;
        match self.sessions.try_recv() {
            Ok(_) => false,
            Err(TryRecvError::Empty) => true,
            Err(TryRecvError::Disconnected) => panic!("the game server's task has ended"),
        }
    }
}
