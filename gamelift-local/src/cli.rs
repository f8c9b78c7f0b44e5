//! The command line: arguments in, endpoints out.

use std::{error::Error, io::Write, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use gamelift_local::{Clock, Config, FaultRates, Local, SignatureVersion};
use serde_json::json;

/// Amazon GameLift Servers on this machine: the AWS API and the server-SDK WebSocket, offline.
///
/// Point an AWS SDK at the API endpoint, point a game server at the server-SDK endpoint, and the two find each other
/// as they would in an Anywhere fleet on AWS. Nothing is stored on disk and nothing leaves the machine,
/// unless you name a file or a URL.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start, and print what to export.
    #[command(after_help = AFTER_HELP)]
    Up(Up),
}

const AFTER_HELP: &str = "\
Examples:
  gamelift-local up                          listen on the usual ports
  gamelift-local up --json --api 127.0.0.1:0 --sdk 127.0.0.1:0 --sdk-tls 127.0.0.1:0 --admin 127.0.0.1:0
                                             listen on free ports and print them as one line of JSON
  gamelift-local up --manual-clock           time stands still until
                                             curl -X POST -d '{\"seconds\": 90}' http://127.0.0.1:9082/clock/advance
  aws gamelift list-fleets                   with the exported variables, talks to this GameLift

Stop it with Ctrl-C.";

#[derive(Debug, Args)]
struct Up {
    /// Where the AWS API listens (AWS JSON 1.1 and Smithy RPC v2 CBOR). Port 0 takes any free port, here and below
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9080")]
    api: SocketAddr,
    /// Where game servers connect: the server-SDK WebSocket, ws://
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9081")]
    sdk: SocketAddr,
    /// The same with TLS, wss://, for the C++, C# and Unreal SDKs, which speak nothing else
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9443")]
    sdk_tls: SocketAddr,
    /// Where the admin side listens: look inside, read events, move the clock
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9082")]
    admin: SocketAddr,
    /// Let time stand still until POST /clock/advance on the admin side moves it
    #[arg(long, conflicts_with = "speed")]
    manual_clock: bool,
    /// Let time pass N times as fast
    #[arg(long, value_name = "N", value_parser = positive)]
    speed: Option<f64>,
    /// Make all ids from this number, so that two runs make the same ids
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How long an auth token lives: seconds, or a number with s, m or h
    #[arg(long, value_name = "DURATION", default_value = "3h", value_parser = duration)]
    token_ttl: Duration,
    /// Append every event to this file, as a line of JSON
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Post every event to this URL, as Amazon SNS would; can be given several times
    #[arg(long, value_name = "URL")]
    sns_subscriber: Vec<String>,
    /// Sign messages to subscribers with SHA1withRSA (1), as SNS does by default, or SHA256withRSA (2)
    #[arg(long, value_name = "1|2", default_value = "1")]
    sns_signature_version: SignatureVersion,
    /// Trust the certificates in this file, as PEM, at https endpoints of events, instead of the system's
    #[arg(long, value_name = "FILE")]
    sns_ca: Option<PathBuf>,
    /// Post every event to this URL, bare, as Amazon EventBridge would; can be given several times
    #[arg(long, value_name = "URL")]
    event_target: Vec<String>,
    /// Let deliveries of events go wrong, such as duplicate=0.2,drop=0.05,delay=0.3:5s,reorder=0.1
    #[arg(long, value_name = "SHARES", default_value = "")]
    event_faults: FaultRates,
    /// Write the certificate that clients of --sdk-tls must trust to this file, as PEM
    #[arg(long, value_name = "FILE")]
    ca_out: Option<PathBuf>,
    /// Print one line of JSON when ready, for programs, instead of text for people
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let Command::Up(up) = arguments.command;
    // Before anything is printed: whoever reads the line may send the signal at once.
    let stop = stop_signal()?;
    let local = Local::start(up.config()).await?;
    if let (Some(file), Some(pem)) = (&up.ca_out, local.ca_certificate_pem()) {
        std::fs::write(file, pem).map_err(|error| {
            format!("cannot write the certificate to {} (--ca-out): {error}", file.display())
        })?;
    }
    let text = if up.json { json_line(&local) } else { for_people(&local, &up) };
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    drop(stdout);
    stop.await;
    local.shutdown().await;
    Ok(())
}

impl Up {
    fn config(&self) -> Config {
        let clock = match (self.manual_clock, self.speed) {
            (true, _) => Clock::Manual,
            (false, Some(speed)) => Clock::Speed(speed),
            (false, None) => Clock::Wall,
        };
        Config {
            api: self.api,
            sdk: self.sdk,
            sdk_tls: Some(self.sdk_tls),
            admin: self.admin,
            clock,
            seed: self.seed,
            events_file: self.events.clone(),
            sns_subscribers: self.sns_subscriber.clone(),
            sns_signature_version: self.sns_signature_version,
            sns_ca: self.sns_ca.clone(),
            event_targets: self.event_target.clone(),
            event_faults: self.event_faults,
            token_ttl: self.token_ttl,
            ..Config::default()
        }
    }
}

fn json_line(local: &Local) -> String {
    let defaults = local.defaults();
    let line = json!({
        "apiEndpoint": local.api_endpoint(),
        "sdkEndpoint": local.sdk_endpoint(),
        "sdkTlsEndpoint": local.sdk_tls_endpoint(),
        "adminEndpoint": local.admin_endpoint(),
        "fleetId": defaults.fleet_id,
        "location": defaults.location,
        "computeName": defaults.compute_name,
        "authToken": defaults.auth_token,
    });
    format!("{line}\n")
}

fn for_people(local: &Local, up: &Up) -> String {
    let defaults = local.defaults();
    let certificate = match &up.ca_out {
        Some(file) => format!("trust {}", file.display()),
        None => "its certificate: --ca-out FILE".to_owned(),
    };
    // ManagedResource makes every SDK invent a process id, so that a server can be started again and again.
    format!(
        "\
GameLift is up.

  AWS API       {api}
  server SDK    {sdk}
  with TLS      {sdk_tls}  ({certificate})
  admin         {admin}
  fleet         {fleet}
  location      {location}
  compute       {compute}

For the AWS CLI and SDKs:

  export AWS_ENDPOINT_URL_GAMELIFT={api}
  export AWS_ACCESS_KEY_ID=local
  export AWS_SECRET_ACCESS_KEY=local
  export AWS_REGION=us-west-2

For a game server:

  export GAMELIFT_SDK_WEBSOCKET_URL={sdk}
  export GAMELIFT_SDK_FLEET_ID={fleet}
  export GAMELIFT_SDK_HOST_ID={compute}
  export GAMELIFT_SDK_AUTH_TOKEN={token}
  export GAMELIFT_SDK_PROCESS_ID=ManagedResource

Then, for a game session with ten slots:

  aws gamelift create-game-session --fleet-id {fleet} --location {location} --maximum-player-session-count 10

Ctrl-C stops it.
",
        api = local.api_endpoint(),
        sdk = local.sdk_endpoint(),
        sdk_tls = local.sdk_tls_endpoint().unwrap_or("-"),
        admin = local.admin_endpoint(),
        fleet = defaults.fleet_id,
        location = defaults.location,
        compute = defaults.compute_name,
        token = defaults.auth_token,
    )
}

/// Resolves on Ctrl-C, and on SIGTERM where there is one.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot wait for Ctrl-C");
        }
    })
}

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "must be a positive number".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(['s', 'm', 'h']);
    let seconds = match &text[digits.len()..] {
        "" | "s" => Some(1),
        "m" => Some(60),
        "h" => Some(60 * 60),
        _ => None,
    };
    let number = digits.parse::<u64>().ok().filter(|number| *number > 0);
    match (number, seconds) {
        (Some(number), Some(seconds)) => {
            number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(|| "is too long".to_owned())
        }
        _ => Err("must be a positive whole number of seconds, or such a number with s, m or h".to_owned()),
    }
}
