//! For those who think in callbacks: an adapter in 40 lines. The event stream is the SDK's way; this is what to put on top.
//!
//! `cargo run -p gamelift-server-sdk --example callbacks`; without GameLift in the environment it hosts one session of its own.

use gamelift_server_sdk::wire::pushes::UpdateGameSession;
use gamelift_server_sdk::{
    Config, Event, Events, GameSession, Ready, RunMode, ServerProcess, StartGameSession, Terminate,
};

/// What a game server does when GameLift wants something. The names are those of the official SDKs.
trait Callbacks {
    /// Load the game, then `start.activate().await`.
    async fn on_start_game_session(&mut self, start: StartGameSession);
    fn on_update_game_session(&mut self, _update: UpdateGameSession) {}
    fn on_health_check(&mut self) -> bool {
        true
    }
    fn on_process_terminate(&mut self, _terminate: Terminate) {}
}

/// Calls back until GameLift wants the process gone, or the connection is over.
async fn run(process: &ServerProcess, events: &mut Events, callbacks: &mut impl Callbacks) {
    while let Some(event) = events.next().await {
        match event {
            Event::StartGameSession(start) => callbacks.on_start_game_session(start).await,
            Event::UpdateGameSession(update) => callbacks.on_update_game_session(*update),
            Event::HealthCheck(check) => check.answer(callbacks.on_health_check()),
            Event::Terminate(terminate) => {
                callbacks.on_process_terminate(terminate);
                if let Err(error) = process.clone().end().await {
                    eprintln!("not ended: {error}");
                }
                return;
            }
            _ => {}
        }
    }
}

#[derive(Default)]
struct MyGame {
    session: Option<GameSession>,
}

impl Callbacks for MyGame {
    async fn on_start_game_session(&mut self, start: StartGameSession) {
        match start.activate().await {
            Ok(session) => {
                eprintln!("active: {}", session.id());
                self.session = Some(session);
            }
            Err(error) => eprintln!("{error}"),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let connected = Config::for_run_mode(RunMode::from_env()?)?.connect().await?;
    let (process, mut events) = connected.ready(Ready::on_port(7777)).await?;
    let mut game = MyGame::default();
    tokio::select! {
        () = run(&process, &mut events, &mut game) => {}
        _ = tokio::signal::ctrl_c() => process.clone().end().await?,
    }
    Ok(())
}
