//! Populations in virtual time.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{collections::BTreeMap, sync::Arc};

use flexmatch::{
    RuleSet,
    simulate::{Assertion, Distribution, Population, PopulationError, Report, TimeoutCause, simulate},
};

const DUEL: &str = r#"{
    "ruleLanguageVersion": "1.0",
    "playerAttributes": [{"name": "skill", "type": "number", "default": 100}],
    "teams": [{"name": "red", "minPlayers": 1, "maxPlayers": 1}, {"name": "blue", "minPlayers": 1, "maxPlayers": 1}],
    "rules": [{"name": "Close", "type": "batchDistance", "batchAttribute": "skill", "maxDistance": 5}],
    "expansions": [{"target": "rules[Close].maxDistance", "steps": [{"waitTimeSeconds": 10, "value": 50}]}]
}"#;

fn population() -> Population {
    Population {
        duration_seconds: 120,
        arrivals_per_second: 2.0,
        parties: BTreeMap::from([(1, 1.0)]),
        request_timeout_seconds: 20,
        ..Population::default()
    }
}

fn run(rules: &str, population: &Population) -> Result<Report, PopulationError> {
    simulate(Arc::new(RuleSet::parse(rules).unwrap().rule_set), population, &mut |_| {})
}

#[test]
fn every_ticket_is_accounted_for() {
    let population = Population { acceptance_required: true, accept: 0.9, reject: 0.05, ..population() };
    let report = run(DUEL, &population).unwrap();
    assert!(report.tickets > 150, "{report}");
    assert!(report.cancelled > 0 && report.matched > 0);
    // A match that is not accepted by all counts when it is made; its tickets may try again.
    let without_acceptance = run(DUEL, &self::population()).unwrap();
    assert_eq!(without_acceptance.matched + without_acceptance.timed_out, without_acceptance.tickets);
}

#[test]
fn the_same_seed_gives_the_same_report_and_another_does_not() {
    let one = run(DUEL, &population()).unwrap();
    assert_eq!(one, run(DUEL, &population()).unwrap());
    assert_ne!(one, run(DUEL, &Population { seed: 2, ..population() }).unwrap());
}

#[test]
fn a_rule_that_nobody_passes_is_named_as_the_cause_of_timeouts() {
    let apart = Distribution::Uniform { min: 0.0, max: 1_000_000.0 };
    let population = Population { attributes: BTreeMap::from([("skill".into(), apart)]), ..population() };
    let report = run(DUEL, &population).unwrap();
    let causes = &report.timeouts.causes;
    assert_eq!(causes[0].cause, TimeoutCause::Rule("Close".to_owned()), "{report}");
    assert!(causes[0].tickets * 10.0 > report.tickets as f64 * 9.0, "{report}");
}

#[test]
fn a_stricter_rule_set_waits_longer() {
    let stricter = DUEL.replace("\"value\": 50", "\"value\": 6");
    let (lenient, strict) = (run(DUEL, &population()).unwrap(), run(&stricter, &population()).unwrap());
    assert!(strict.timed_out >= lenient.timed_out);
    assert!(strict.rules[0].spread.max <= 6.0 && lenient.rules[0].spread.max > 6.0);
    assert!(lenient.steps.iter().any(|step| step.step_seconds == 10));
}

#[test]
fn assertions_are_read_and_held_against_the_report() {
    let report = run(DUEL, &population()).unwrap();
    for (text, holds) in
        [("p95_wait<20.5s", true), ("p95_wait<0s", false), ("timeouts<=100%", true), ("fill>=1", true)]
    {
        assert_eq!(text.parse::<Assertion>().unwrap().check(&report).unwrap().holds, holds, "{text}");
    }
    for text in ["p95_wait", "<1", "fill<x", "fill=1", "fill<inf"] {
        assert!(text.parse::<Assertion>().is_err(), "{text}");
    }
}

#[test]
fn a_population_that_makes_no_sense_is_refused() {
    let none = Population { arrivals_per_second: 0.0, ..population() };
    assert!(run(DUEL, &none).unwrap_err().to_string().contains("arrivalsPerSecond is 0"));
    let unknown = Distribution::Uniform { min: 0.0, max: 1.0 };
    let unknown = Population { attributes: BTreeMap::from([("level".into(), unknown)]), ..population() };
    assert_eq!(run(DUEL, &unknown), Err(PopulationError::UnknownAttribute("level".into())));
    let text = Distribution::OneOf(BTreeMap::from([("a".into(), 1.0)]));
    let text = Population { attributes: BTreeMap::from([("skill".into(), text)]), ..population() };
    assert!(matches!(run(DUEL, &text), Err(PopulationError::WrongDistribution { .. })));
}
