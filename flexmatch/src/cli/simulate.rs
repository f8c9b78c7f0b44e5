//! `flexmatch simulate`

mod crowd;
mod page;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use flexmatch::RuleSet;
use flexmatch::simulate::{Assertion, Checked, Figure, Page, Report, Side, Simulation, html};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{CliError, Outcome, readings::Profile, rule_set::read_rule_set};
use crowd::Crowd;
use page::PageFile;

/// Steps of the progress bar.
const PROGRESS_STEPS: u64 = 1_000;

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
    #[command(flatten)]
    profile: Profile,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let compat = arguments.profile.read()?;
    let crowd = Crowd::read(arguments)?;
    let path = &arguments.rule_set;
    let rules = read_rule_set(path, &compat, out)?;
    let against = match &arguments.against {
        Some(path) => Some((path, read_rule_set(path, &compat, out)?)),
        None => None,
    };
    let population = &crowd.population;
    let [population, other] = match &against {
        Some((_, against)) => population.for_both(&rules, against),
        None => [population.clone(), population.clone()],
    };
    // Whatever can be wrong is found before the long run, not after it.
    let begin = |rules: &Arc<RuleSet>| crowd.begin(path, rules, &population, &compat);
    if !arguments.assert.is_empty() {
        check(&arguments.assert, &begin(&rules)?.into_report())?;
    }
    let ours = begin(&rules)?;
    let theirs = match &against {
        Some((path, rules)) => Some((path, crowd.begin(path, rules, &other, &compat)?)),
        None => None,
    };
    let page = arguments.html.as_deref().map(PageFile::open).transpose()?;
    let report = run_to_the_end(path, ours);
    let against = theirs.map(|(path, simulation)| run_to_the_end(path, simulation));
    let checked = check(&arguments.assert, &report)?;
    if let Some(page) = page {
        let (name, other) = arguments.names();
        let ours = Side { name: &name, report: &report };
        let theirs = against.as_ref().map(|report| Side { name: &other, report });
        let sides: Vec<Side<'_>> = std::iter::once(ours).chain(theirs).collect();
        page.write(&html(&Page { sides: &sides, assertions: &checked }))?;
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

fn run_to_the_end(path: &Path, simulation: Simulation) -> Report {
    // Drawn on stderr, and only on a terminal.
    let bar = ProgressBar::new(PROGRESS_STEPS);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent}% {eta}") {
        bar.set_style(style);
    }
    bar.set_message(path.display().to_string());
    let report = simulation.run(&mut |done| bar.set_position((done * PROGRESS_STEPS as f64) as u64));
    bar.finish_and_clear();
    report
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
