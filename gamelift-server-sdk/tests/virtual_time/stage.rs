//! A ready process on an in-memory network, and the pushes it may get.

use std::time::Duration;

use gamelift_server_sdk::test_util::{self, Network, Service, ServiceSocket};
use gamelift_server_sdk::wire::ids::AuthToken;
use gamelift_server_sdk::wire::pushes::{CreateGameSession, Push, RefreshConnection};
use gamelift_server_sdk::{
    Config, Event, Events, GameSession, GameSessionId, PlayerSessionId, Ready, ServerProcess,
};
use tokio::time::timeout;

pub(crate) fn config(process: &str) -> Config {
    Config::builder()
        .websocket_url("ws://in.memory")
        .fleet_id("fleet-1")
        .host_id("host-1")
        .process_id(process)
        .auth_token("token-1")
        .seed(7)
        .build()
        .unwrap()
}

/// On a paused clock an hour costs nothing, and a test that lost its event ends instead of hanging.
pub(crate) async fn patient<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(3_600), future).await.expect("nothing happened for an hour")
}

/// A ready process whose first health check has been answered.
pub(crate) struct Running {
    pub(crate) service: Service,
    pub(crate) socket: ServiceSocket,
    pub(crate) process: ServerProcess,
    pub(crate) events: Events,
}

pub(crate) async fn ready() -> Running {
    ready_with(config("proc-1")).await
}

pub(crate) async fn ready_with(config: Config) -> Running {
    let (network, service) = test_util::network();
    ready_on(&network, service, config).await
}

pub(crate) async fn ready_on(network: &Network, mut service: Service, config: Config) -> Running {
    let connect = async { network.connect(config).await.unwrap().ready(Ready::on_port(7777)).await.unwrap() };
    let accept = async {
        let mut socket = service.accept().await;
        socket.answer("ActivateServerProcess").await;
        socket
    };
    let ((process, mut events), mut socket) = patient(async { tokio::join!(connect, accept) }).await;
    let Some(Event::HealthCheck(check)) = patient(events.next()).await else { panic!("no health check") };
    check.healthy();
    patient(socket.answer("HeartbeatServerProcess")).await;
    Running { service, socket, process, events }
}

pub(crate) fn create() -> Push {
    let game_session_id = GameSessionId::new_unchecked(GAME_SESSION_ID);
    Push::CreateGameSession(CreateGameSession { game_session_id, ..Default::default() })
}

/// Hosts an active game session.
pub(crate) async fn host(ready: &mut Running) -> GameSession {
    ready.socket.push(&create()).await;
    let Some(Event::StartGameSession(start)) = patient(ready.events.next()).await else { panic!() };
    let (session, _) =
        patient(async { tokio::join!(start.activate(), ready.socket.answer("ActivateGameSession")) }).await;
    session.unwrap()
}

/// A game session id as AWS makes them.
pub(crate) const GAME_SESSION_ID: &str = "arn:aws:gamelift:us-west-2::gamesession/fleet-1/gsess-1";

pub(crate) fn player() -> PlayerSessionId {
    "psess-1".parse().unwrap()
}

pub(crate) fn refresh(endpoint: &str, token: &str) -> Push {
    Push::RefreshConnection(RefreshConnection {
        refresh_connection_endpoint: endpoint.into(),
        auth_token: Some(AuthToken::new_unchecked(token)),
    })
}
