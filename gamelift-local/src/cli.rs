//! The command line: arguments in, endpoints out.

mod banner;
mod ctl;
mod dev;
mod signal;

use std::{
    error::Error,
    future::{pending, ready},
    io::Write,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use self::signal::StopSignal;
use clap::{Args, Parser, Subcommand};
use gamelift_local::{
    Clock, Config, FaultRates, Findings, Local, SignatureVersion,
    setup::{Setup, SetupError},
};

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
    /// Start, and run your game server in it: with every variable set, and again whenever it ends.
    #[command(after_help = dev::AFTER_HELP)]
    Dev(dev::Dev),
    /// Ask a running one, or make trouble in it: state, doctor, log, clock, sockets, faults.
    #[command(after_help = ctl::AFTER_HELP)]
    Ctl(ctl::Ctl),
}

const AFTER_HELP: &str = "\
Examples:
  gamelift-local up                          listen on the usual ports
  gamelift-local up --json --api 127.0.0.1:0 --sdk 127.0.0.1:0 --sdk-tls 127.0.0.1:0 --admin 127.0.0.1:0
                                             listen on free ports and print them as one line of JSON
  gamelift-local up --config my-game.toml    several fleets and locations, queues, matchmakers: see
                                             examples/two-locations.toml of this crate
  gamelift-local up --manual-clock           time stands still until `gamelift-local ctl advance 90s`
  gamelift-local up --log frames.jsonl       what goes over server-SDK sockets, for reading and for bug reports
  gamelift-local dev -- ./server             the same, and runs ./server in it
  aws gamelift list-fleets                   with the exported variables, talks to this GameLift

Stop it with Ctrl-C.";

#[derive(Debug, Args)]
struct Up {
    #[command(flatten)]
    service: Service,
    /// Print one line of JSON when ready, for programs, instead of text for people
    #[arg(long)]
    json: bool,
}

/// What any running service can be told.
#[derive(Debug, Args)]
struct Service {
    /// Make what this file declares instead of one fleet: locations, fleets, queues, matchmaking (.toml or .json)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
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
    /// How long an auth token lives: seconds, or a number with s, m or h [default: the config file's, or 3h]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    token_ttl: Option<Duration>,
    /// Tell each process after this time to move to a new connection with a new token (RefreshConnection) [default: never]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    refresh_every: Option<Duration>,
    /// At which IP address the latency beacons of locations listen, each on a UDP port of its own
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1", conflicts_with = "no_beacons")]
    beacons: IpAddr,
    /// Leave the latency beacons out
    #[arg(long)]
    no_beacons: bool,
    /// Append every event to this file, as a line of JSON
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Append every frame of the server SDK and every change of state to this file, as lines of JSON, without secrets
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
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
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    match arguments.command {
        Command::Up(up) => up.run().await,
        Command::Dev(dev) => dev.run().await,
        Command::Ctl(ctl) => ctl.run().await,
    }
}

impl Up {
    async fn run(self) -> Result<(), Box<dyn Error>> {
        // Before anything is printed: whoever reads the line may send the signal at once.
        let mut stop = StopSignal::listen()?;
        let (local, config) = self.service.start().await?;
        print(&if self.json {
            banner::json_line(&local)
        } else {
            banner::for_people(&local, &config, self.service.ca_out.as_deref())
        })?;
        let mut findings = local.findings();
        tokio::select! {
            () = stop.next() => {}
            () = tell_findings(&mut findings) => {}
        }
        local.shutdown().await;
        Ok(())
    }
}

/// Says what the doctor finds, until the service ends.
async fn tell_findings(findings: &mut Option<Findings>) {
    let Some(findings) = findings else { return pending().await };
    while let Some(finding) = findings.next().await {
        say(&format!("{finding}\n"));
    }
}

/// Says what the doctor has found and nobody was told yet.
async fn tell_last_findings(findings: &mut Option<Findings>) {
    tokio::select! {
        biased;
        () = tell_findings(findings) => {}
        () = ready(()) => {}
    }
}

/// For people. Whoever closed stderr does not want to know.
fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn print(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

impl Service {
    async fn start(&self) -> Result<(Local, Config), Box<dyn Error>> {
        let config = self.config()?;
        let local = Local::start(config.clone()).await?;
        if let (Some(file), Some(pem)) = (&self.ca_out, local.ca_certificate_pem()) {
            std::fs::write(file, pem).map_err(|error| {
                format!("cannot write the certificate to {} (--ca-out): {error}", file.display())
            })?;
        }
        Ok((local, config))
    }

    fn config(&self) -> Result<Config, SetupError> {
        let clock = match (self.manual_clock, self.speed) {
            (true, _) => Clock::Manual,
            (false, Some(speed)) => Clock::Speed(speed),
            (false, None) => Clock::Wall,
        };
        let mut config = Config {
            api: self.api,
            sdk: self.sdk,
            sdk_tls: Some(self.sdk_tls),
            admin: self.admin,
            clock,
            seed: self.seed,
            events_file: self.events.clone(),
            observe: true,
            log_file: self.log.clone(),
            sns_subscribers: self.sns_subscriber.clone(),
            beacons: (!self.no_beacons).then_some(self.beacons),
            sns_signature_version: self.sns_signature_version,
            sns_ca: self.sns_ca.clone(),
            event_targets: self.event_target.clone(),
            event_faults: self.event_faults,
            ..Config::default()
        };
        if let Some(file) = &self.config {
            config = config.with_setup(Setup::from_file(file)?);
        }
        // A flag is nearer than a file.
        config.token_ttl = self.token_ttl.unwrap_or(config.token_ttl);
        config.refresh_interval = self.refresh_every;
        Ok(config)
    }
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
