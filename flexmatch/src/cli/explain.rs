//! `flexmatch explain`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use flexmatch::{Matchmaker, Output, RuleSet, Settings, Severity, TicketRequest, TicketStatus, Timestamp};
use serde::Deserialize;

use super::{CliError, Outcome, diagnostic, read};

#[derive(Debug, Args)]
#[command(after_help = "\
TICKETS.json is a list of StartMatchmaking requests, each with the second it arrives:
  [
    { \"TicketId\": \"a\", \"ArrivalSeconds\": 0, \"Players\": [
      { \"PlayerId\": \"ada\", \"PlayerAttributes\": { \"skill\": { \"N\": 10 } }, \"LatencyInMs\": { \"us-east-1\": 50 } }] }
  ]
Matches are made on the way, as the service would. Exit code 1 means that an explained ticket waits for ever.")]
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
    /// Print a JSON list of explanations.
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Arrival {
    #[serde(default)]
    arrival_seconds: u64,
    #[serde(flatten)]
    request: TicketRequest,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let rules = rule_set(&arguments.rule_set, out)?;
    let wrong = |message: String| CliError::Input { path: arguments.tickets.clone(), message };
    let mut arrivals: Vec<Arrival> = serde_json::from_str(&read(&arguments.tickets)?)
        .map_err(|error| wrong(format!("is not a list of tickets: {error}")))?;
    arrivals.sort_by_key(|arrival| arrival.arrival_seconds);
    let last = arrivals.last().map_or(0, |arrival| arrival.arrival_seconds);
    let end = Timestamp::default().plus_seconds(arguments.at.unwrap_or(last));
    let mut matchmaker =
        Matchmaker::new(rules, Settings::default()).map_err(|error| wrong(error.to_string()))?;
    let mut story = Vec::new();
    for arrival in arrivals {
        let at = Timestamp::default().plus_seconds(arrival.arrival_seconds);
        if at > end {
            break;
        }
        advance(&mut matchmaker, at, false, &mut story);
        matchmaker.submit(at, arrival.request).map_err(|error| wrong(error.to_string()))?;
    }
    advance(&mut matchmaker, end, true, &mut story);
    let waiting = matchmaker.tickets().filter(|ticket| ticket.status() == TicketStatus::Searching);
    let ids: Vec<String> = match &arguments.ticket {
        Some(id) => vec![id.clone()],
        None => waiting.map(|ticket| ticket.id().to_string()).collect(),
    };
    let explain = |id: &String| {
        matchmaker.explain(end, id).ok_or_else(|| wrong(format!("has no ticket {id:?} up to that moment")))
    };
    let explanations = ids.iter().map(explain).collect::<Result<Vec<_>, _>>()?;
    if arguments.json {
        serde_json::to_writer(&mut *out, &explanations).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        story.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        explanations.iter().try_for_each(|explanation| write!(out, "{explanation}"))?;
    }
    let hopeless = explanations.iter().any(|explanation| explanation.never.is_some());
    Ok(if hopeless { Outcome::Bad } else { Outcome::Good })
}

/// Wakes the matchmaker whenever it asks, up to `end`; the moment itself only if it is `inclusive`, so that tickets of
/// one moment are searched together.
fn advance(matchmaker: &mut Matchmaker, end: Timestamp, inclusive: bool, story: &mut Vec<String>) {
    while let Some(at) = matchmaker.poll_timeout().filter(|at| *at < end || inclusive && *at == end) {
        matchmaker.tick(at);
        while let Some(output) = matchmaker.poll_output() {
            if let Output::Place(found) = output {
                let mut tickets: Vec<_> =
                    found.players.iter().map(|player| player.ticket_id.as_str()).collect();
                tickets.sort_unstable();
                tickets.dedup();
                story.push(format!("{} s: a match of {}", at.as_millis() / 1_000, tickets.join(", ")));
            }
        }
    }
}

/// Reads a rule set, or says what is wrong with it.
pub(super) fn rule_set(path: &Path, out: &mut dyn Write) -> Result<Arc<RuleSet>, CliError> {
    let text = read(path)?;
    match RuleSet::parse(&text) {
        Ok(parsed) => Ok(Arc::new(parsed.rule_set)),
        Err(findings) => {
            for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
                diagnostic::print(out, path, &text, finding)?;
            }
            out.flush()?;
            Err(CliError::Input { path: path.to_owned(), message: "the rule set is not valid".to_owned() })
        }
    }
}
