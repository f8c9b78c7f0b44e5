//! `flexmatch explain`

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use flexmatch::explain::{Arrival, Replay, ReplayError, Replayed};

use super::{CliError, Outcome, read, readings::Readings, rule_set::invalid};

#[derive(Debug, Args)]
#[command(after_help = "\
TICKETS.json is a list of StartMatchmaking requests, each with the second it arrives:
  [
    { \"TicketId\": \"a\", \"ArrivalSeconds\": 0, \"Players\": [
      { \"PlayerId\": \"ada\", \"PlayerAttributes\": { \"skill\": { \"N\": 10 } },
        \"LatencyInMs\": { \"us-east-1\": 50 } }] }
  ]
Matches are made on the way, as the service would. Exit code 1 means that an explained ticket waits
for ever.")]
pub(super) struct Arguments {
    /// The rule set.
    #[arg(value_name = "RULESET.json")]
    rule_set: PathBuf,
    /// Who waits.
    #[arg(value_name = "TICKETS.json")]
    tickets: PathBuf,
    /// The ticket to explain; without it, all that still wait.
    #[arg(long, value_name = "ID")]
    ticket: Option<String>,
    /// The moment to explain, in seconds; without it, the last arrival.
    #[arg(long, value_name = "SECONDS")]
    at: Option<u64>,
    /// Print a JSON list of explanations. With --compat or --sensitivity this is `explanations` of an object that has
    /// `compat` (the profile) and `dependsOn`, too.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    readings: Readings,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let text = read(&arguments.rule_set)?;
    let wrong = |message: String| CliError::Input { path: arguments.tickets.clone(), message };
    let arrivals: Vec<Arrival> = serde_json::from_str(&read(&arguments.tickets)?)
        .map_err(|error| wrong(format!("is not a list of tickets: {error}")))?;
    let replay = Replay { arrivals, ticket: arguments.ticket.clone(), at_seconds: arguments.at };
    let compat = arguments.readings.profile.read()?;
    let replayed = match replay.run(&text, &compat) {
        Ok(replayed) => replayed,
        Err(ReplayError::RuleSet(findings)) => {
            return Err(invalid(&arguments.rule_set, &text, &findings, out)?);
        }
        Err(error) => return Err(wrong(error.to_string())),
    };
    let depends_on =
        if arguments.readings.sensitivity { replay.sensitivity(&text, &compat) } else { Vec::new() };
    let Replayed { matches, explanations } = &replayed;
    if arguments.json {
        let explanations = serde_json::json!(explanations);
        let all = arguments.readings.json("explanations", explanations, &compat, &depends_on);
        serde_json::to_writer(&mut *out, &all).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        matches.iter().try_for_each(|found| writeln!(out, "{found}"))?;
        explanations.iter().try_for_each(|explanation| write!(out, "{explanation}"))?;
        arguments.readings.print(&compat, &depends_on, out)?;
    }
    let hopeless = explanations.iter().any(|explanation| explanation.never.is_some());
    Ok(if hopeless { Outcome::Bad } else { Outcome::Good })
}
