//! `cargo run`: the architecture on this machine. See the library for what it does.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use gamelift_rs::demo::{self, Narrator, Options, PLAYERS_MAX, Push};

/// AWS's session-based game server hosting with serverless backend, on this machine: a local GameLift, QUIC game servers in two
/// locations, the backend, and players who know nothing but its address and take all thirteen steps into a game.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  cargo run                             play a round, then stay up for your own curl, aws and sample-client
  cargo run -- --once --players 8      play a round; exit 0 only if all went right
  cargo run -- --once --json           the same, one JSON line for a program to read"
)]
struct Args {
    /// Play one round and exit: 0 if every player was matched, told, validated and played, 1 otherwise. Uses free ports.
    #[arg(long)]
    once: bool,
    /// How many players join.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=PLAYERS_MAX as i64))]
    players: u16,
    /// How long they play, in seconds.
    #[arg(long, default_value_t = 2.0, value_parser = seconds)]
    seconds: f64,
    /// How players hear of their matches.
    #[arg(long, value_enum, default_value_t)]
    push: PushArg,
    /// Take free ports instead of 9080, 9081, 9082, 9090 and 9443.
    #[arg(long)]
    free_ports: bool,
    /// Say nothing but one JSON line with the result of the round. Only with --once.
    #[arg(long, requires = "once")]
    json: bool,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum PushArg {
    /// A third each of the others.
    #[default]
    Mixed,
    /// All listen on a WebSocket.
    Websocket,
    /// All listen to a gRPC stream.
    Grpc,
    /// All ask.
    Poll,
}

impl From<PushArg> for Push {
    fn from(push: PushArg) -> Self {
        match push {
            PushArg::Mixed => Self::Mixed,
            PushArg::Websocket => Self::WebSocket,
            PushArg::Grpc => Self::Grpc,
            PushArg::Poll => Self::Poll,
        }
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("must be a number from 0.1 to 600".to_owned()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    // A player who is refused on purpose is part of the show, not a warning.
    let quiet = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(quiet).init();
    let args = Args::parse();
    let options = Options {
        players: usize::from(args.players),
        play_for: Duration::from_secs_f64(args.seconds),
        push: args.push.into(),
        free_ports: args.free_ports || args.once,
    };
    let narrator = if args.json { Narrator::silent() } else { Narrator::stdout() };
    let result = if args.once {
        demo::once(&options, &narrator).await
    } else {
        demo::stay(&options, &narrator, stop_signal()).await
    };
    match result {
        Ok(round) => {
            if args.json {
                Narrator::stdout().line(&round.to_json());
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            if args.json {
                Narrator::stdout().line(&demo::failure_to_json(&error));
            }
            eprintln!("error: {}", demo::with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

/// Ctrl-C, or SIGTERM where there is one.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler Ctrl-C ends the program by itself.
    let _ = tokio::signal::ctrl_c().await;
}
