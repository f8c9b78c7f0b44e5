//! The smallest game server there is: connects, gets ready, hosts one game session, ends when told to.
//!
//! Start `gamelift-local up`, paste its `export` lines, then `cargo run -p gamelift-server-sdk --example minimal`.

use gamelift_server_sdk::{Config, Event, Ready};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let connected = Config::from_env()?.connect().await?;
    let (process, mut events) = connected.ready(Ready::on_port(7777)).await?;
    eprintln!("ready as {}", process.process_id());
    let mut game = None;
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Event::StartGameSession(start)) => {
                    let session = start.activate().await?;
                    eprintln!("active: {}", session.id());
                    game = Some(session);
                }
                Some(Event::HealthCheck(check)) => check.healthy(),
                Some(Event::Terminate(terminate)) => {
                    eprintln!("asked to end by {:?}", terminate.deadline);
                    break;
                }
                Some(other) => eprintln!("{other:?}"),
                None => return Err(process.closed().await.into()),
            },
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    drop(game);
    process.end().await?;
    Ok(())
}
