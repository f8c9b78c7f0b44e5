//! A game server on hardware of your own (GameLift Anywhere), for longer than an auth token lasts.
//!
//! A compute's token expires. This server asks GameLift for another before each connect and reconnect, so that it comes back from
//! any outage; needs feature `compute-auth-token` and AWS keys with permission for `gamelift:GetComputeAuthToken`.
//!
//! ```sh
//! export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... GAMELIFT_REGION=us-west-2
//! export GAMELIFT_SDK_WEBSOCKET_URL=wss://us-west-2.api.amazongamelift.com       # RegisterCompute says it
//! export GAMELIFT_SDK_FLEET_ID=fleet-... GAMELIFT_SDK_HOST_ID=my-laptop
//! cargo run -p gamelift-server-sdk --features compute-auth-token --example anywhere
//! ```
//!
//! `AWS_ENDPOINT_URL_GAMELIFT` leads the call elsewhere, to `gamelift-local` for one.

use gamelift_server_sdk::compute_auth_token::{AwsKeys, ComputeAuthToken};
use gamelift_server_sdk::{Config, Event, Ready};

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("set {name}"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keys = AwsKeys::new(
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
        variable("AWS_SESSION_TOKEN").ok(),
    );
    let (region, fleet_id) = (variable("GAMELIFT_REGION")?, variable("GAMELIFT_SDK_FLEET_ID")?);
    let host_id = variable("GAMELIFT_SDK_HOST_ID")?;
    let tokens = match variable("AWS_ENDPOINT_URL_GAMELIFT") {
        Ok(endpoint) => ComputeAuthToken::at(&endpoint, &region, fleet_id, host_id, keys)?,
        Err(_) => ComputeAuthToken::new(&region, fleet_id, host_id, keys)?,
    };
    // After the environment: a token in it would be the one that expires.
    let config = Config::builder().overridden_by_env()?.token_provider(tokens).build()?;
    let (process, mut events) = config.connect().await?.ready(Ready::on_port(7777)).await?;
    eprintln!("ready as {}", process.process_id());
    let mut game = None;
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Event::StartGameSession(start)) => game = Some(start.activate().await?),
                Some(Event::HealthCheck(check)) => check.healthy(),
                Some(Event::Terminate(_)) => break,
                Some(_) => {}
                None => return Err(process.closed().await.into()),
            },
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    drop(game);
    process.end().await?;
    Ok(())
}
