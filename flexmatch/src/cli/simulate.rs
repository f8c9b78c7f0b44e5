//! `flexmatch simulate`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use flexmatch::RuleSet;
use flexmatch::simulate::{
    Assertion, Checked, Figure, Page, Players, Population, Recording, Report, Side, Simulation, html, replay,
    simulate,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{CliError, Outcome, explain::rule_set, read, read_up_to};

/// Steps of the progress bar.
const PROGRESS_STEPS: u64 = 1_000;

/// Longest recording read, in bytes: some 700,000 events.
const RECORDING_MAX: u64 = 512 << 20;

#[derive(Debug, Args)]
#[command(after_help = include_str!("simulate/help.txt"))]
pub(super) struct Arguments {
    /// The rule set.
    #[arg(value_name = "RULESET.json")]
    rule_set: PathBuf,
    /// Who comes, and how they behave; without it, a made-up population.
    #[arg(long, value_name = "POPULATION.json")]
    population: Option<PathBuf>,
    /// Replay the tickets of recorded events instead: JSON lines or a list, from EventBridge or SNS.
    #[arg(long, value_name = "EVENTS.jsonl", conflicts_with_all = ["arrivals", "duration"])]
    replay: Option<PathBuf>,
    /// Attributes and latencies of the replayed players: their StartMatchmaking requests, as JSON lines or a list.
    #[arg(long, value_name = "PLAYERS.jsonl", requires = "replay")]
    players: Option<PathBuf>,
    /// The matchmaking configuration to replay, if the recording has several.
    #[arg(long, value_name = "NAME", requires = "replay")]
    configuration: Option<String>,
    /// A second rule set for the same tickets, side by side.
    #[arg(long, value_name = "RULESET.json")]
    against: Option<PathBuf>,
    /// A condition that the first rule set must keep, such as `p95_wait<30s` or `timeouts[party=2]<=1%`. May be
    /// repeated.
    #[arg(long, value_name = "CONDITION")]
    assert: Vec<Assertion>,
    /// Overrides the population's seed.
    #[arg(long)]
    seed: Option<u64>,
    /// Overrides the population's `arrivalsPerSecond`.
    #[arg(long, value_name = "PER_SECOND")]
    arrivals: Option<f64>,
    /// Overrides the population's `durationSeconds`.
    #[arg(long, value_name = "SECONDS")]
    duration: Option<u64>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Also write a page with plots: one file, without scripts, that needs no network.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Who comes.
struct Crowd {
    population: Population,
    recording: Option<(Recording, Players)>,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let crowd = Crowd::read(arguments)?;
    let rules = rule_set(&arguments.rule_set, out)?;
    let against = match &arguments.against {
        Some(path) => Some((path, rule_set(path, out)?)),
        None => None,
    };
    // An assertion on a figure that there will never be is found before the long run, not after it.
    check(&arguments.assert, &crowd.begin(&arguments.rule_set, &rules)?.into_report())?;
    let report = crowd.run(&arguments.rule_set, rules)?;
    let against = against.map(|(path, rules)| crowd.run(path, rules)).transpose()?;
    let checked = check(&arguments.assert, &report)?;
    if let Some(path) = &arguments.html {
        let (name, other) = arguments.names();
        let ours = Side { name: &name, report: &report };
        let theirs = against.as_ref().map(|report| Side { name: &other, report });
        let sides: Vec<Side<'_>> = std::iter::once(ours).chain(theirs).collect();
        let page = html(&Page { sides: &sides, assertions: &checked });
        std::fs::write(path, page).map_err(|source| CliError::WriteFile { path: path.clone(), source })?;
    }
    if arguments.json {
        let assertions: Vec<_> = checked
            .iter()
            .map(|checked| {
                json!({ "assertion": checked.assertion, "holds": checked.holds, "found": checked.found })
            })
            .collect();
        let all = json!({ "report": report, "against": against, "assertions": assertions });
        serde_json::to_writer(&mut *out, &all).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        match &against {
            None => write!(out, "{report}")?,
            Some(against) => side_by_side(arguments, &report, against, out)?,
        }
        if !checked.is_empty() {
            writeln!(out)?;
        }
        for Checked { assertion, holds, found } in &checked {
            writeln!(out, "{}  {assertion}  found {found}", if *holds { "holds " } else { "BROKEN" })?;
        }
    }
    let all_hold = checked.iter().all(|checked| checked.holds);
    Ok(if all_hold { Outcome::Good } else { Outcome::Bad })
}

impl Arguments {
    /// What to call the two rule sets: by file, with the folder only if the files are called alike.
    fn names(&self) -> (String, String) {
        let other = self.against.as_deref().unwrap_or(Path::new(""));
        let file = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        match (file(&self.rule_set), file(other)) {
            (Some(name), Some(other)) if name != other => (name, other),
            (Some(name), None) => (name, String::new()),
            _ => (self.rule_set.display().to_string(), other.display().to_string()),
        }
    }
}

impl Crowd {
    fn read(arguments: &Arguments) -> Result<Self, CliError> {
        let mut population = match &arguments.population {
            Some(path) => serde_json::from_str(&read(path)?)
                .map_err(|error| input(path, format!("is not a population: {error}")))?,
            None => Population::default(),
        };
        population.seed = arguments.seed.unwrap_or(population.seed);
        population.arrivals_per_second = arguments.arrivals.unwrap_or(population.arrivals_per_second);
        population.duration_seconds = arguments.duration.unwrap_or(population.duration_seconds);
        let Some(path) = &arguments.replay else { return Ok(Self { population, recording: None }) };
        let configuration = arguments.configuration.as_deref();
        let recording = Recording::parse(&read_up_to(path, RECORDING_MAX)?, configuration)
            .map_err(|error| input(path, error.to_string()))?;
        let players = match &arguments.players {
            Some(path) => Players::parse(&read_up_to(path, RECORDING_MAX)?)
                .map_err(|error| input(path, error.to_string()))?,
            None => Players::default(),
        };
        Ok(Self { population, recording: Some((recording, players)) })
    }

    fn begin(&self, path: &Path, rules: &Arc<RuleSet>) -> Result<Simulation, CliError> {
        match &self.recording {
            None => Simulation::new(rules.clone(), &self.population),
            Some((recording, players)) => {
                Simulation::of_recording(rules.clone(), &self.population, recording, players)
            }
        }
        .map_err(|error| input(path, error.to_string()))
    }

    fn run(&self, path: &Path, rules: Arc<RuleSet>) -> Result<Report, CliError> {
        // Drawn on stderr, and only on a terminal.
        let bar = ProgressBar::new(PROGRESS_STEPS);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent}% {eta}") {
            bar.set_style(style);
        }
        bar.set_message(path.display().to_string());
        let mut progress = |done: f64| bar.set_position((done * PROGRESS_STEPS as f64) as u64);
        let report = match &self.recording {
            None => simulate(rules, &self.population, &mut progress),
            Some((recording, players)) => replay(rules, &self.population, recording, players, &mut progress),
        };
        bar.finish_and_clear();
        report.map_err(|error| input(path, error.to_string()))
    }
}

fn input(path: &Path, message: String) -> CliError {
    CliError::Input { path: path.to_owned(), message }
}

fn check(assertions: &[Assertion], report: &Report) -> Result<Vec<Checked>, CliError> {
    let checked = assertions.iter().map(|assertion| assertion.check(report));
    checked.collect::<Result<_, _>>().map_err(|error| CliError::Arguments(format!("--assert: {error}")))
}

fn side_by_side(
    arguments: &Arguments,
    report: &Report,
    against: &Report,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let (name, other) = arguments.names();
    writeln!(out, "{:12} {:>12} {:>12}", "", "rule set", "against")?;
    let theirs = against.summary();
    for ours in report.summary() {
        let theirs = theirs.iter().find(|figure| figure.name == ours.name);
        let theirs = theirs.map_or_else(String::new, Figure::shown);
        writeln!(out, "{:12} {:>12} {theirs:>12}", ours.name, ours.shown())?;
    }
    for (title, name, report) in [("rule set", &name, report), ("against", &other, against)] {
        writeln!(out, "\n== {title}: {name} ==\n{report}")?;
    }
    Ok(())
}
