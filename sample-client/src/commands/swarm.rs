//! `swarm`: many players, with seats from a file or on the whole way from the backend.

use std::error::Error;
use std::fmt::Display;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use sample_client::backend::population::{Draw, PARTY_MAX, Population, Shares};
use sample_client::backend::swarm::{self as backend_swarm, PLAYERS_AT_ONCE_DEFAULT, PLAYERS_AT_ONCE_MAX};
use sample_client::swarm::{self, JOINS_AT_ONCE_DEFAULT, SwarmConfig, Target};
use serde::Serialize;

use super::{BackendArgs, progress_bar, stop_on_ctrl_c};

/// Most bots of one targets file: each has a socket, and a process has 1,024 files open by default.
const BOTS_MAX: usize = 1000;
/// Most players of one swarm through a backend: what is kept of each is small, but not nothing.
const PLAYERS_MAX: u64 = 100_000;

#[derive(Args)]
#[group(id = "where", required = true, multiple = false, args = ["targets", "backend"])]
pub(crate) struct SwarmArgs {
    /// A file with one JSON object per line, one per bot; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,
    /// The backend's URL, up to where /v1 begins: players take the whole way, each with an identity of their own.
    #[arg(long, value_name = "URL", requires = "players")]
    backend: Option<String>,
    /// How many players.
    #[arg(long, value_name = "COUNT", conflicts_with = "targets", value_parser = clap::value_parser!(u64).range(1..=PLAYERS_MAX))]
    players: Option<u64>,
    #[command(flatten)]
    how: BackendArgs,
    /// How many players come per second [default: all at once].
    #[arg(long, value_name = "PER_SECOND", conflicts_with = "targets", value_parser = rate_of)]
    arrival_rate: Option<f64>,
    /// Sizes of parties and their shares.
    #[arg(long, value_name = "SIZE=SHARE,...", conflicts_with = "targets", value_parser = party_mix_of)]
    party_mix: Option<Shares<usize>>,
    /// Where players live and their shares; 20 ms from there, 120 ms from elsewhere [default: latencies are not sent].
    #[arg(long, value_name = "LOCATION=SHARE,...", conflicts_with = "targets")]
    locations: Option<Shares<String>>,
    /// The attribute `skill`, from a range as in 10..20. Only for backends that let players say.
    #[arg(long, value_name = "LOW..HIGH", conflicts_with = "targets")]
    skill: Option<Draw>,
    /// An attribute of all players: a value, or a range as in 10..20; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "targets", value_parser = attribute_of)]
    attribute: Vec<(String, Draw)>,
    /// Where the draws begin: the same seed makes the same players.
    #[arg(long, default_value_t = 1, conflicts_with = "targets")]
    seed: u64,
    /// How many players may be about at one time.
    #[arg(long, value_name = "COUNT", conflicts_with = "targets", default_value_t = PLAYERS_AT_ONCE_DEFAULT, value_parser = at_once_of)]
    at_once: usize,
    /// How long each plays.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many bots with a seat may be joining at one time.
    #[arg(long, value_name = "COUNT", conflicts_with = "backend", default_value_t = JOINS_AT_ONCE_DEFAULT)]
    joins_at_once: usize,
    /// Print the report as one line of JSON.
    #[arg(long)]
    json: bool,
}

fn rate_of(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && f64::is_finite(rate) => Ok(rate),
        _ => Err("it has to be a number greater than zero".to_owned()),
    }
}

fn party_mix_of(text: &str) -> Result<Shares<usize>, String> {
    let mix: Shares<usize> = text.parse()?;
    let odd = mix.things().find(|size| !(1..=PARTY_MAX).contains(*size)).copied();
    match odd {
        Some(size) => Err(format!("a party has 1 to {PARTY_MAX} members, not {size}")),
        None => Ok(mix),
    }
}

fn attribute_of(text: &str) -> Result<(String, Draw), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.parse()?)),
        _ => Err("it has to be NAME=VALUE".to_owned()),
    }
}

fn at_once_of(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if (PARTY_MAX..=PLAYERS_AT_ONCE_MAX).contains(&count) => Ok(count),
        _ => Err(format!("it has to be {PARTY_MAX}, so that a party has room, to {PLAYERS_AT_ONCE_MAX}")),
    }
}

pub(crate) async fn run(args: SwarmArgs) -> Result<(), Box<dyn Error>> {
    match (&args.targets, &args.backend) {
        (Some(targets), _) => with_seats(&args, targets).await,
        (None, Some(backend)) => from_backend(&args, backend).await,
        (None, None) => Err("one of --targets and --backend is needed".into()),
    }
}

async fn from_backend(args: &SwarmArgs, backend: &str) -> Result<(), Box<dyn Error>> {
    let client = args.how.client(backend, None)?;
    let players = usize::try_from(args.players.unwrap_or(1)).unwrap_or(usize::MAX);
    let skill = args.skill.clone().map(|skill| ("skill".to_owned(), skill));
    let bar = progress_bar(players);
    let progress = bar.clone();
    let config = backend_swarm::SwarmConfig {
        players,
        arrival_rate: args.arrival_rate,
        population: Population {
            party_mix: args.party_mix.clone().unwrap_or_else(|| Shares::only(1)),
            locations: args.locations.clone(),
            attributes: args.attribute.iter().cloned().chain(skill).collect(),
            seed: args.seed,
        },
        configuration: args.how.configuration.clone(),
        follow: args.how.follow(),
        play_for: Duration::from_secs(args.seconds),
        extra_roots: args.how.ca.clone(),
        at_once: args.at_once,
        progress: Arc::new(move |now| {
            progress.set_position((now.done + now.failed) as u64);
            progress.set_message(format!(
                "{} came, {} got a ticket, {} a seat, {} into the game; {} done, {} failed",
                now.arrived, now.ticketed, now.matched, now.joined, now.done, now.failed
            ));
        }),
    };
    let stop = stop_on_ctrl_c();
    let report = backend_swarm::run(&client, config, &stop).await;
    bar.finish_and_clear();
    print(&report, args.json)?;
    if stop.is_cancelled() {
        return Err("stopped before all had played".into());
    }
    if report.joined == 0 { Err("no player got into a game".into()) } else { Ok(()) }
}

async fn with_seats(args: &SwarmArgs, targets: &Path) -> Result<(), Box<dyn Error>> {
    let text = if targets.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        text
    } else {
        fs::read_to_string(targets).map_err(|error| format!("cannot read {}: {error}", targets.display()))?
    };
    let targets = parse_targets(&text)?;
    let bar = progress_bar(targets.len());
    let mut config = SwarmConfig::new(targets, Duration::from_secs(args.seconds));
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
    if report.joined == 0 { Err("no bot got in".into()) } else { Ok(()) }
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

fn print(report: &(impl Serialize + Display), json: bool) -> Result<(), Box<dyn Error>> {
    if json {
        writeln!(io::stdout(), "{}", serde_json::to_string(report)?)?;
    } else {
        writeln!(io::stdout(), "{report}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
