//! Several server processes, in GameLift's sense, in one OS process: each has a port, a connection and game sessions of its own.
//! For small games, where a program per session would cost more than the game.
//!
//! ```sh
//! cargo run -p gamelift-server-sdk --example several_processes -- 4
//! ```
//!
//! Under `gamelift-local up`, paste its `export` lines first; without, each hosts one session of its own.

use gamelift_server_sdk::{Config, Event, Ready, RunMode};
use tokio::task::JoinSet;

const FIRST_PORT: u16 = 7777;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// One server process, from its connect to its end.
async fn serve(port: u16, mut stop: tokio::sync::watch::Receiver<bool>) -> Result<()> {
    // `ManagedResource`, or no process id at all, makes up a new one each time: no two may be the same on a compute.
    let config = Config::for_run_mode(RunMode::from_env()?)?;
    let (process, mut events) = config.connect().await?.ready(Ready::on_port(port)).await?;
    eprintln!("{port}: ready as {}", process.process_id());
    let mut game = None;
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Event::StartGameSession(start)) => {
                    eprintln!("{port}: hosts {}", start.game_session().game_session_id);
                    game = Some(start.activate().await?);
                }
                Some(Event::HealthCheck(check)) => check.healthy(),
                // Only this one ends; its neighbours play on.
                Some(Event::Terminate(_)) => break,
                Some(_) => {}
                None => return Err(process.closed().await.into()),
            },
            _ = stop.changed() => break,
        }
    }
    drop(game);
    process.end().await?;
    eprintln!("{port}: ended");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let count: u16 = std::env::args().nth(1).map_or(Ok(2), |count| count.parse())?;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut processes: JoinSet<_> =
        (0..count).map(|number| serve(FIRST_PORT + number, stopped.clone())).collect();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.send_replace(true);
        }
    });
    while let Some(ended) = processes.join_next().await {
        ended??;
    }
    Ok(())
}
