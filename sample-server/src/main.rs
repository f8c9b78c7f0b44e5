//! The command line: `sample-server` hosts game sessions, `sample-server cert` makes a fleet's certificate.

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Once};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use gamelift_server_sdk::{Config as SdkConfig, ConfigError};
use sample_server::address_limits::ADDRESS_JOINS_PER_SECOND_DEFAULT;
use sample_server::config::{DRAIN_NOTICE_DEFAULT, EMPTY_TIMEOUT_DEFAULT, RESUME_GRACE_DEFAULT};
use sample_server::metrics::exporter;
use sample_server::{Config, Identity, Observation, Report, Times, identity, run};
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

/// A QUIC game server that checks player sessions through Amazon GameLift Servers.
///
/// Hosts one game session per process and exits; GameLift, or a loop in a shell, starts the next. Where GameLift is comes from
/// the environment, under the names that managed fleets set: GAMELIFT_SDK_WEBSOCKET_URL, GAMELIFT_SDK_FLEET_ID,
/// GAMELIFT_SDK_HOST_ID, GAMELIFT_SDK_PROCESS_ID and GAMELIFT_SDK_AUTH_TOKEN.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

const EXAMPLES: &str = "\
Examples:
  sample-server
      A certificate for this run alone; its fingerprint is printed, for players to recognise the server by.
  sample-server cert --out certs
      Once per fleet: certs/cert.pem and certs/key.pem, to ship with every server of the fleet.
  sample-server run --listen 0.0.0.0:7777 --cert certs/cert.pem --key certs/key.pem
      On a fleet.
  sample-server run --processes 4 --metrics
      Four game sessions side by side on one port, and numbers for Prometheus on http://127.0.0.1:9464/metrics.

SIGTERM and Ctrl-C drain: nobody new gets in, players get --drain-seconds to finish. A second one stops at once.
RUST_LOG=debug shows more.";

/// Most processes of one program. Each has a connection to GameLift, and one machine plays no more game sessions than this.
const PROCESSES_MAX: i64 = 100;

/// Longest grace. Whoever does not come back within ten minutes has left.
const GRACE_MAX_SECONDS: u64 = 600;

#[derive(Subcommand)]
enum Command {
    /// Host game sessions (the default).
    Run(RunArgs),
    /// Make a certificate for a fleet: cert.pem and key.pem. Prints its fingerprint.
    Cert(CertArgs),
}

#[derive(Args)]
struct RunArgs {
    /// The UDP address players connect to. Port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    listen: SocketAddr,
    /// The certificate chain, PEM, leaf first. Without it one is made for this run.
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The certificate's private key, PEM.
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// How long players may go on when the server is told to stop and no deadline is given.
    #[arg(long, value_name = "SECONDS", default_value_t = DRAIN_NOTICE_DEFAULT.as_secs())]
    drain_seconds: u64,
    /// How long an empty game session waits for players before it is over.
    #[arg(long, value_name = "SECONDS", default_value_t = EMPTY_TIMEOUT_DEFAULT.as_secs())]
    empty_seconds: u64,
    /// How many server processes, in GameLift's sense, share this OS process and its port: one game session each. Their
    /// process ids are GAMELIFT_SDK_PROCESS_ID with -1, -2, ... behind it. The program ends when all have ended.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=PROCESSES_MAX))]
    processes: u32,
    /// How long the seat of a player whose connection was lost is kept. 0 gives it up at once.
    #[arg(long, value_name = "SECONDS", default_value_t = RESUME_GRACE_DEFAULT.as_secs(), value_parser = clap::value_parser!(u64).range(..=GRACE_MAX_SECONDS))]
    resume_seconds: u64,
    /// How many joins per second one IP address may make (IPv6: one /64 network).
    #[arg(long, value_name = "PER_SECOND", default_value_t = ADDRESS_JOINS_PER_SECOND_DEFAULT, value_parser = clap::value_parser!(u32).range(1..))]
    joins_per_address: u32,
    /// Serve metrics for Prometheus on this TCP address, path /metrics. They name no player, but who may see them is up to
    /// the address.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:9464")]
    metrics: Option<SocketAddr>,
    /// A file or folder that GameLift collects after the game session. May be given several times.
    #[arg(long = "log-path", value_name = "PATH")]
    log_paths: Vec<String>,
}

#[derive(Args)]
struct CertArgs {
    /// The folder to put cert.pem and key.pem into. Existing files are never replaced.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// A DNS name to put into the certificate. Not needed by players who go by the fingerprint.
    #[arg(long, value_name = "NAME")]
    dns: Vec<String>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter(
            tracing_subscriber::EnvFilter::builder()
                .with_default_directive(tracing::Level::INFO.into())
                .from_env_lossy(),
        )
        .init();
    let outcome = match cli.command {
        Some(Command::Cert(args)) => make_certificate(&args),
        Some(Command::Run(args)) => host(args),
        None => host(cli.run),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sample-server: {}", with_causes(&*error));
            ExitCode::FAILURE
        }
    }
}

/// An error and what caused it, without causes whose text the error repeats.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

fn make_certificate(args: &CertArgs) -> Result<(), Box<dyn Error>> {
    let fingerprint = identity::write_fleet_certificate(&args.out, &args.dns)?;
    writeln!(io::stdout(), "{fingerprint}")?;
    Ok(())
}

fn host(args: RunArgs) -> Result<(), Box<dyn Error>> {
    let identity = match (args.cert, args.key) {
        (Some(cert), Some(key)) => Identity::from_pem_files(&cert, &key)?,
        _ => Identity::generate(&["localhost".to_owned()])?,
    };
    let mut config = Config::new(SdkConfig::from_env()?, args.listen, identity);
    if args.processes > 1 {
        config.processes = processes(config.processes[0].process_id(), args.processes)?;
    }
    config.drain_notice = Duration::from_secs(args.drain_seconds);
    config.times = Times {
        empty: Duration::from_secs(args.empty_seconds),
        grace: Duration::from_secs(args.resume_seconds),
    };
    config.joins_per_address = args.joins_per_address;
    config.log_paths = args.log_paths;
    config.observer = Arc::new(print);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        let _metrics = match args.metrics {
            Some(address) => Some(serve_metrics(address).await?),
            None => None,
        };
        until_done_or_stopped_twice(config).await
    })?;
    tracing::info!(?report, "done");
    Ok(())
}

/// The environment's configuration, once per process.
fn processes(process_id: &str, count: u32) -> Result<Vec<SdkConfig>, ConfigError> {
    let numbered = |number| {
        let config = SdkConfig::builder().overridden_by_env()?;
        config.process_id(format!("{process_id}-{number}")).build()
    };
    (1..=count).map(numbered).collect()
}

async fn serve_metrics(address: SocketAddr) -> Result<AbortOnDropHandle<()>, Box<dyn Error>> {
    let (address, serving) = exporter::serve(address).await?;
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "metrics are served beyond this machine, to anybody who asks");
    }
    tracing::info!("metrics on http://{address}/metrics");
    Ok(AbortOnDropHandle::new(tokio::spawn(serving)))
}

async fn until_done_or_stopped_twice(config: Config) -> Result<Report, Box<dyn Error>> {
    let mut signals = Signals::new()?;
    let (stop, stopped) = oneshot::channel();
    let running = run(config, async {
        let _ = stopped.await; // The sender lives as long as this function.
    });
    let impatience = async {
        signals.next().await;
        let _ = stop.send(()); // Nobody listens to a run that is over.
        signals.next().await;
    };
    tokio::select! {
        report = running => Ok(report?),
        () = impatience => Err("stopped a second time: GameLift was not told".into()),
    }
}

/// SIGTERM and Ctrl-C.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "cannot listen for Ctrl-C");
            std::future::pending().await
        }
    }
}

/// What is of use to whoever started the server goes to stdout, everything else to the log.
fn print(observation: Observation) {
    match observation {
        Observation::Ready { process_id, address, fingerprint } => {
            tracing::info!(process_id, "ready");
            // The same for all processes.
            static PRINTED: Once = Once::new();
            PRINTED.call_once(|| {
                let lines =
                    format!("listening on {address}, port {}\nfingerprint {fingerprint}\n", address.port());
                if let Err(error) = io::stdout().write_all(lines.as_bytes()) {
                    tracing::warn!(%error, "stdout is closed: {lines}");
                }
            });
        }
        other => tracing::info!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn running_is_the_default_and_takes_certificate_and_key_together() {
        let parse = |args: &[&str]| Cli::try_parse_from([&["sample-server"], args].concat()).is_ok();
        assert!(parse(&[]));
        assert!(parse(&["--listen", "0.0.0.0:7777", "--cert", "c.pem", "--key", "k.pem"]));
        assert!(parse(&["run", "--listen", "0.0.0.0:7777"]));
        assert!(parse(&[
            "--processes",
            "4",
            "--resume-seconds",
            "0",
            "--joins-per-address",
            "1000",
            "--metrics"
        ]));
        assert!(parse(&["--metrics", "0.0.0.0:9464"]));
        for (flag, value) in [("--processes", "0"), ("--processes", "101"), ("--resume-seconds", "601")] {
            assert!(!parse(&[flag, value]), "{flag} {value}");
        }
        assert!(!parse(&["--joins-per-address", "0"]));
        assert!(!parse(&["--cert", "c.pem"]));
        assert!(parse(&["cert", "--out", "certs", "--dns", "game.example"]));
        assert!(!parse(&["cert"]));
    }
}
