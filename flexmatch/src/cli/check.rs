//! `flexmatch check`

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use flexmatch::check::{CheckError, Checked, Roster, check, check_sensitivity};

use super::{CliError, Outcome, read, readings::Readings, rule_set::invalid};

#[derive(Debug, Args)]
#[command(after_help = "\
MATCH.json is a complete match:
  {
    \"teams\": {
      \"red\":  [{ \"id\": \"ada\", \"a\": { \"skill\": 10 }, \"l\": { \"us-east-1\": 50 } }],
      \"blue\": [{ \"id\": \"bob\", \"a\": { \"skill\": 30 }, \"l\": { \"us-east-1\": 80 } }]
    },
    \"overrides\": { \"FairSkill.maxDistance\": 20 }
  }
`a` are attributes, `l` latencies in milliseconds, `overrides` (optional) set properties of rules.
Players that share a \"party\" came with one ticket.

Members of a compound rule and sort rules need not pass; they are in parentheses.")]
pub(super) struct Arguments {
    /// The rule set.
    #[arg(value_name = "RULESET.json")]
    rule_set: PathBuf,
    /// The match.
    #[arg(value_name = "MATCH.json")]
    roster: PathBuf,
    /// The age of the match in seconds: which expansion steps apply.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    age: u64,
    /// Print one JSON object: rule name to true (passes) or false. With --compat or --sensitivity this is `rules` of
    /// an object that has `compat` (the profile) and `dependsOn`, too.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    readings: Readings,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let text = read(&arguments.rule_set)?;
    let roster = read(&arguments.roster)?;
    let wrong = |message: String| CliError::Input { path: arguments.roster.clone(), message };
    let roster: Roster =
        serde_json::from_str(&roster).map_err(|error| wrong(format!("is not a match: {error}")))?;
    let compat = arguments.readings.profile.read()?;
    let checked = match check(&text, &roster, arguments.age, &compat) {
        Ok(checked) => checked,
        Err(CheckError::RuleSet(findings)) => {
            return Err(invalid(&arguments.rule_set, &text, &findings, out)?);
        }
        Err(error) => return Err(wrong(error.to_string())),
    };
    let depends_on = if arguments.readings.sensitivity {
        check_sensitivity(&text, &roster, arguments.age, &compat)
    } else {
        Vec::new()
    };
    if arguments.json {
        let rules: BTreeMap<&str, bool> =
            checked.rules.iter().map(|rule| (rule.name.as_str(), rule.pass)).collect();
        let all = arguments.readings.json("rules", serde_json::json!(rules), &compat, &depends_on);
        serde_json::to_writer(&mut *out, &all).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        print(&checked, out)?;
        arguments.readings.print(&compat, &depends_on, out)?;
    }
    Ok(if checked.is_match() { Outcome::Good } else { Outcome::Bad })
}

fn print(checked: &Checked, out: &mut dyn Write) -> Result<(), CliError> {
    let shown = |rule: &flexmatch::check::CheckedRule| {
        if rule.enforced { rule.name.clone() } else { format!("({})", rule.name) }
    };
    let width = checked.rules.iter().map(|rule| shown(rule).chars().count()).max().unwrap_or(0);
    for rule in &checked.rules {
        let verdict = if rule.pass { "pass" } else { "FAIL" };
        writeln!(out, "{verdict}  {:width$}  {:13}  {}", shown(rule), rule.rule_type, rule.numbers)?;
    }
    for size in &checked.sizes {
        writeln!(out, "FAIL  {size}")?;
    }
    for player in &checked.incomplete {
        writeln!(out, "FAIL  player {player:?} lacks an attribute that has no default")?;
    }
    let verdict = if checked.is_match() { "this is a match" } else { "this is not a match" };
    writeln!(out, "{verdict}")?;
    Ok(())
}
