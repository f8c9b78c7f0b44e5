//! `flexmatch simulate`

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use flexmatch::simulate::{Assertion, Population, Report, simulate};
use indicatif::{ProgressBar, ProgressStyle};

use super::{CliError, Outcome, explain::rule_set, read};

/// Steps of the progress bar.
const PROGRESS_STEPS: u64 = 1_000;

#[derive(Debug, Args)]
#[command(after_help = "\
POPULATION.json has any of these fields (the values are the defaults, except for attributes):
  {
    \"seed\": 1, \"arrivalsPerSecond\": 5, \"durationSeconds\": 600,
    \"parties\": { \"1\": 0.8, \"2\": 0.2 },
    \"attributes\": {
      \"skill\": { \"normal\": { \"mean\": 1000, \"deviation\": 200 } },
      \"level\": { \"uniform\": { \"min\": 1, \"max\": 50 } },
      \"map\": { \"oneOf\": { \"desert\": 3, \"forest\": 1 } },
      \"modes\": { \"anyOf\": { \"ranked\": 0.8, \"casual\": 0.5 } },
      \"region\": { \"always\": { \"S\": \"any\" } } },
    \"homes\": { \"america\": { \"weight\": 1, \"latencyMs\": { \"us-east-1\": [15, 70], \"eu-west-1\": [80, 130] } } },
    \"accept\": 1, \"reject\": 0, \"answerSeconds\": 3, \"placementSeconds\": 2,
    \"requestTimeoutSeconds\": 120, \"acceptanceRequired\": false, \"acceptanceTimeoutSeconds\": 30
  }
Exit code 1 means that an assertion does not hold.")]
pub(super) struct Arguments {
    /// The rule set.
    #[arg(value_name = "RULESET.json")]
    rule_set: PathBuf,
    /// Who comes; without it, a made-up population.
    #[arg(long, value_name = "POPULATION.json")]
    population: Option<PathBuf>,
    /// A second rule set for the same population, side by side.
    #[arg(long, value_name = "RULESET.json")]
    against: Option<PathBuf>,
    /// A condition that the first rule set must keep, such as `p95_wait<30s` or `timeouts<=1%`. May be repeated.
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
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let mut population = match &arguments.population {
        Some(path) => serde_json::from_str(&read(path)?).map_err(|error| CliError::Input {
            path: path.clone(),
            message: format!("is not a population: {error}"),
        })?,
        None => Population::default(),
    };
    population.seed = arguments.seed.unwrap_or(population.seed);
    population.arrivals_per_second = arguments.arrivals.unwrap_or(population.arrivals_per_second);
    population.duration_seconds = arguments.duration.unwrap_or(population.duration_seconds);
    let report = simulated(&arguments.rule_set, &population, out)?;
    let against = arguments.against.as_ref().map(|path| simulated(path, &population, out)).transpose()?;
    let checked: Vec<_> =
        arguments.assert.iter().map(|assertion| (assertion, assertion.check(&report))).collect();
    if arguments.json {
        let assertions: Vec<_> = checked
            .iter()
            .map(|(assertion, (holds, found))| {
                serde_json::json!({ "assertion": assertion.to_string(), "holds": holds, "found": found })
            })
            .collect();
        let all = serde_json::json!({ "report": report, "against": against, "assertions": assertions });
        serde_json::to_writer(&mut *out, &all).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        match &against {
            None => write!(out, "{report}")?,
            Some(against) => side_by_side(&report, against, out)?,
        }
        for (assertion, (holds, found)) in &checked {
            writeln!(out, "{}  {assertion}  found {found}", if *holds { "holds" } else { "BROKEN" })?;
        }
    }
    let all_hold = checked.iter().all(|(_, (holds, _))| *holds);
    Ok(if all_hold { Outcome::Good } else { Outcome::Bad })
}

fn simulated(path: &Path, population: &Population, out: &mut dyn Write) -> Result<Report, CliError> {
    let rules = rule_set(path, out)?;
    // Drawn on stderr, and only on a terminal.
    let bar = ProgressBar::new(PROGRESS_STEPS);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent}% {eta}") {
        bar.set_style(style);
    }
    bar.set_message(path.display().to_string());
    let report =
        simulate(rules, population, &mut |done| bar.set_position((done * PROGRESS_STEPS as f64) as u64));
    bar.finish_and_clear();
    report.map_err(|error| CliError::Input { path: path.to_owned(), message: error.to_string() })
}

fn side_by_side(report: &Report, against: &Report, out: &mut dyn Write) -> Result<(), CliError> {
    writeln!(out, "{:12} {:>12} {:>12}", "", "rule set", "against")?;
    for ((name, ours), (_, theirs)) in report.figures().into_iter().zip(against.figures()) {
        let figure = flexmatch::simulate::figure;
        writeln!(out, "{name:12} {:>12} {:>12}", figure(name, ours), figure(name, theirs))?;
    }
    for (title, report) in [("rule set", report), ("against", against)] {
        writeln!(out, "\n== {title} ==\n{report}")?;
    }
    Ok(())
}
