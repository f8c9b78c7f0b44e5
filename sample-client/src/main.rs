//! The command line: one player, or a swarm of them.

use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod commands;

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
  sample-client play --backend http://127.0.0.1:8080
      takes the whole way: identity, ticket, seat, game
  sample-client swarm --backend http://127.0.0.1:8080 --players 50 --arrival-rate 10 --party-mix 1=0.8,2=0.2
  sample-client join --address 127.0.0.1:7777 --player-session-id psess-1 --fingerprint 5f0c...
      begins with a seat
  sample-client swarm --targets bots.jsonl --seconds 10
      with one line per bot: {\"address\":\"127.0.0.1:7777\",\"playerSessionId\":\"psess-1\",\"fingerprint\":\"5f0c...\"}

RUST_LOG=info shows more.";

#[derive(Subcommand)]
enum Command {
    /// Get an identity, ask the backend for a match, play, leave.
    Play(commands::play::PlayArgs),
    /// Join a game session with a seat that is there, walk in circles, leave.
    Join(commands::join::JoinArgs),
    /// Send many players, and report what they measured.
    Swarm(commands::swarm::SwarmArgs),
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
                Command::Play(args) => runtime.block_on(commands::play::run(args)),
                Command::Join(args) => runtime.block_on(commands::join::run(args)),
                Command::Swarm(args) => runtime.block_on(commands::swarm::run(args)),
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parses(line: &[&str]) -> bool {
        Cli::try_parse_from(["sample-client"].iter().chain(line)).is_ok()
    }

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn server_must_be_verified_by_exactly_one_thing() {
        let join = ["join", "--address", "127.0.0.1:1", "--player-session-id", "psess-1"];
        let fingerprint = "ab".repeat(32);
        let parses = |more: &[&str]| parses(&[&join, more].concat());
        assert!(!parses(&[]));
        assert!(parses(&["--fingerprint", &fingerprint]));
        assert!(parses(&["--dns-name", "game.example", "--ca", "ca.pem"]));
        assert!(!parses(&["--fingerprint", &fingerprint, "--dns-name", "game.example"]));
        assert!(parses(&["--fingerprint", &fingerprint, "--game-session-id", "arn:1", "--view"]));
        assert!(!parses(&["--fingerprint", "abc"]));
    }

    #[test]
    fn player_needs_a_backend_and_values_that_make_sense() {
        let play = ["play", "--backend", "http://127.0.0.1:1"];
        let parses = |more: &[&str]| parses(&[&play, more].concat());
        assert!(parses(&[]));
        assert!(parses(&[
            "--latency",
            "custom-a=20",
            "--attribute",
            "mode=ranked",
            "--push",
            "grpc",
            "--accept",
            "no"
        ]));
        assert!(!parses(&["--latency", "custom-a"]));
        assert!(!parses(&["--latency", "custom-a=0"]));
        assert!(!parses(&["--attribute", "mode"]));
        for way in ["poll", "websocket", "grpc"] {
            assert!(parses(&["--push", way]), "{way}");
        }
        assert!(!parses(&["--push"]));
        assert!(!parses(&["--push", "pigeon"]));
        assert!(!parses(&["--accept", "perhaps"]));
        assert!(!parses(&["--invite", "--party", "token"]), "the leader starts, the others are invited");
        assert!(parses(&["--invite", "--latency", "custom-a=20"]), "each member has latencies of their own");
    }

    #[test]
    fn swarm_goes_to_targets_or_to_a_backend() {
        assert!(!parses(&["swarm"]));
        assert!(parses(&["swarm", "--targets", "-"]));
        let backend = ["swarm", "--backend", "http://127.0.0.1:1"];
        assert!(!parses(&backend), "how many?");
        let parses_more = |more: &[&str]| parses(&[&backend[..], &["--players", "9"], more].concat());
        assert!(parses_more(&["--arrival-rate", "2.5", "--party-mix", "1=0.8,2=0.2", "--skill", "10..20"]));
        assert!(!parses_more(&["--targets", "-"]));
        assert!(!parses_more(&["--arrival-rate", "0"]));
        assert!(!parses_more(&["--party-mix", "11=1"]));
        assert!(!parses(&["swarm", "--targets", "-", "--party-mix", "1=1"]));
    }
}
