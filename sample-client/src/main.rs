//! The command line: one player, or a swarm of bots.

use std::error::Error;
use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sample_client::swarm::{self, JOINS_AT_ONCE_DEFAULT, Quantiles, SwarmConfig, SwarmReport, Target};
use sample_client::{Fingerprint, JoinConfig, Player, Trust, play, player};
use serde::Serialize;

/// Most bots of one swarm: each has a socket, and a process has 1,024 files open by default.
const BOTS_MAX: usize = 1000;

/// A player of the sample game.
///
/// Verifies the server by the fingerprint of its certificate, or by DNS name, before it sends the player session id.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  sample-client join --address 127.0.0.1:7777 --player-session-id psess-1 --fingerprint 5f0c...
  sample-client swarm --targets bots.jsonl --seconds 10
      with one line per bot: {\"address\":\"127.0.0.1:7777\",\"playerSessionId\":\"psess-1\",\"fingerprint\":\"5f0c...\"}

RUST_LOG=info shows more.";

#[derive(Subcommand)]
enum Command {
    /// Join a game session, walk in circles, leave.
    Join(JoinArgs),
    /// Send many bots, and report what they measured.
    Swarm(SwarmArgs),
}

#[derive(Args)]
struct JoinArgs {
    /// The game session's IP address and port.
    #[arg(long)]
    address: SocketAddr,
    /// The player session that GameLift reserved.
    #[arg(long, value_name = "ID", env = "PLAYER_SESSION_ID", hide_env_values = true)]
    player_session_id: String,
    #[command(flatten)]
    trust: TrustArgs,
    /// How long to play.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct TrustArgs {
    /// The SHA-256 of the server's certificate, in hexadecimal: the server prints it when it starts.
    #[arg(long, value_name = "HEX", required_unless_present = "dns_name", conflicts_with = "dns_name")]
    fingerprint: Option<Fingerprint>,
    /// The DNS name that the server's certificate is for, issued by an authority that this machine trusts.
    #[arg(long, value_name = "NAME")]
    dns_name: Option<String>,
    /// A PEM file with more authorities to trust. Only with --dns-name.
    #[arg(long, value_name = "FILE", requires = "dns_name")]
    ca: Option<PathBuf>,
}

#[derive(Args)]
struct SwarmArgs {
    /// A file with one JSON object per line, one per bot; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    targets: PathBuf,
    /// How long each bot plays.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many bots may be joining at one time.
    #[arg(long, value_name = "COUNT", default_value_t = JOINS_AT_ONCE_DEFAULT)]
    joins_at_once: usize,
    /// Print the report as one line of JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter(
            tracing_subscriber::EnvFilter::builder()
                .with_default_directive(tracing::Level::WARN.into())
                .from_env_lossy(),
        )
        .init();
    let outcome =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Into::into).and_then(
            |runtime| match cli.command {
                Command::Join(args) => runtime.block_on(join(args)),
                Command::Swarm(args) => runtime.block_on(swarm(args)),
            },
        );
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sample-client: {}", with_causes(&*error));
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JoinReport {
    player_number: u32,
    inputs: u64,
    snapshots: u64,
    loss_percent: f64,
    round_trip_ms: Quantiles,
    seconds: f64,
    server_closing: bool,
    ended: Option<String>,
}

async fn join(args: JoinArgs) -> Result<(), Box<dyn Error>> {
    let trust = match (args.trust.fingerprint, args.trust.dns_name) {
        (Some(fingerprint), _) => Trust::Fingerprint(fingerprint),
        (None, Some(name)) => Trust::DnsName { name, extra_roots: args.trust.ca },
        (None, None) => return Err("one of --fingerprint and --dns-name is needed".into()),
    };
    let player = Player::join(JoinConfig::new(args.address, trust, args.player_session_id)).await?;
    let player_number = player.welcome().player_number;
    let played = play(player, Duration::from_secs(args.seconds)).await;
    let report = JoinReport {
        player_number,
        inputs: played.stats.inputs,
        snapshots: played.stats.snapshots,
        loss_percent: 100.0 * played.stats.loss(),
        round_trip_ms: Quantiles::of_micros(&played.stats.round_trip_micros),
        seconds: played.duration.as_secs_f64(),
        server_closing: played.warned,
        ended: played.ended.map(|reason| reason.to_string()),
    };
    if args.json {
        writeln!(io::stdout(), "{}", serde_json::to_string(&report)?)?;
    } else {
        writeln!(
            io::stdout(),
            "played {:.1} s as player {}: {} inputs, {} snapshots ({:.2} % lost), input to snapshot p50 {:.1} ms, p99 {:.1} ms{}",
            report.seconds,
            report.player_number,
            report.inputs,
            report.snapshots,
            report.loss_percent,
            report.round_trip_ms.p50,
            report.round_trip_ms.p99,
            report.ended.map(|reason| format!("; ended early: {reason}")).unwrap_or_default(),
        )?;
    }
    Ok(())
}

async fn swarm(args: SwarmArgs) -> Result<(), Box<dyn Error>> {
    let text = if args.targets.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        text
    } else {
        fs::read_to_string(&args.targets)
            .map_err(|error| format!("cannot read {}: {error}", args.targets.display()))?
    };
    let targets = parse_targets(&text)?;
    let bar = progress_bar(targets.len());
    let mut config = SwarmConfig::new(targets, Duration::from_secs(args.seconds));
    config.join_timeout = player::JOIN_TIMEOUT_DEFAULT;
    config.joins_at_once = args.joins_at_once;
    let progress = bar.clone();
    config.progress = Arc::new(move |now| {
        progress.set_position((now.done + now.failed) as u64);
        progress.set_message(format!(
            "{} playing, {} done, {} failed",
            now.joined - now.done,
            now.done,
            now.failed
        ));
    });
    let report = swarm::run(config).await;
    bar.finish_and_clear();
    print(&report, args.json)?;
    if report.joined == 0 {
        return Err("no bot got in".into());
    }
    Ok(())
}

fn parse_targets(text: &str) -> Result<Vec<Target>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let targets: Vec<Target> = lines
        .map(|(i, line)| serde_json::from_str(line).map_err(|error| format!("line {}: {error}", i + 1)))
        .collect::<Result<_, _>>()?;
    match targets.len() {
        0 => Err("there are no targets: one JSON object per line is expected".to_owned()),
        count if count > BOTS_MAX => {
            Err(format!("{count} targets are more than one process can serve ({BOTS_MAX})"))
        }
        _ => Ok(targets),
    }
}

/// Draws on a terminal only.
fn progress_bar(bots: usize) -> ProgressBar {
    let target =
        if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(bots as u64), target);
    bar.set_style(
        ProgressStyle::with_template("{elapsed:>4} [{bar:30}] {pos}/{len} {msg}")
            .expect("the template is a constant"),
    );
    bar
}

fn print(report: &SwarmReport, json: bool) -> Result<(), Box<dyn Error>> {
    if json {
        writeln!(io::stdout(), "{}", serde_json::to_string(report)?)?;
    } else {
        writeln!(io::stdout(), "{report}")?;
    }
    Ok(())
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
    fn server_must_be_verified_by_exactly_one_thing() {
        let join = ["sample-client", "join", "--address", "127.0.0.1:1", "--player-session-id", "psess-1"];
        let fingerprint = "ab".repeat(32);
        let parse = |more: &[&str]| Cli::try_parse_from(join.iter().chain(more)).is_ok();
        assert!(!parse(&[]));
        assert!(parse(&["--fingerprint", &fingerprint]));
        assert!(parse(&["--dns-name", "game.example", "--ca", "ca.pem"]));
        assert!(!parse(&["--fingerprint", &fingerprint, "--dns-name", "game.example"]));
        assert!(!parse(&["--fingerprint", "abc"]));
    }

    #[test]
    fn bad_target_is_named_by_its_line() {
        let good = format!(
            r#"{{"address":"127.0.0.1:1","playerSessionId":"psess-1","fingerprint":"{}"}}"#,
            "ab".repeat(32)
        );
        assert_eq!(parse_targets(&format!("{good}\n\n{good}\n")).map(|it| it.len()), Ok(2));
        let error = parse_targets(&format!("{good}\n{{}}")).unwrap_err();
        assert!(error.starts_with("line 2: missing field"), "{error}");
        assert!(parse_targets("\n").is_err());
    }
}
