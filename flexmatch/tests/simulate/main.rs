//! Simulations as people meet them: the program, replays, figures and pages.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod causes;
#[cfg(feature = "cli")]
mod cli;
mod figures;
mod page;
mod population;
mod replay;

use std::{collections::BTreeMap, sync::Arc};

use flexmatch::{
    Compat, RuleSet,
    simulate::{Population, PopulationError, Report, simulate},
};

/// Two players whose skill is close, or closer than 50 after ten seconds.
const DUEL: &str = r#"{
    "name": "duel", "ruleLanguageVersion": "1.0",
    "playerAttributes": [{"name": "skill", "type": "number", "default": 100}],
    "teams": [{"name": "red", "minPlayers": 1, "maxPlayers": 1}, {"name": "blue", "minPlayers": 1, "maxPlayers": 1}],
    "rules": [{"name": "Close", "type": "batchDistance", "batchAttribute": "skill", "maxDistance": 5}],
    "expansions": [{"target": "rules[Close].maxDistance", "steps": [{"waitTimeSeconds": 10, "value": 50}]}]
}"#;

fn rules(text: &str) -> Arc<RuleSet> {
    Arc::new(RuleSet::parse(text).unwrap().rule_set)
}

/// Single players, two a second for a minute.
fn population() -> Population {
    Population {
        duration_seconds: 60,
        arrivals_per_second: 2.0,
        parties: BTreeMap::from([(1, 1.0)]),
        request_timeout_seconds: 20,
        ..Population::default()
    }
}

fn run(text: &str, population: &Population) -> Report {
    try_run(text, population).unwrap()
}

fn try_run(text: &str, population: &Population) -> Result<Report, PopulationError> {
    simulate(rules(text), population, &Compat::default(), &mut |_| {})
}
