//! Figures and what they are held to.

use std::collections::BTreeMap;

use flexmatch::{
    Compat,
    compat::Rejecters,
    simulate::{Assertion, Distribution, Population, Report, Simulation, simulate},
};
use proptest::prelude::*;

use super::{DUEL, population, rules, run};

fn holds(report: &Report, text: &str) -> bool {
    text.parse::<Assertion>().unwrap().check(report).unwrap().holds
}

fn error(report: &Report, text: &str) -> String {
    text.parse::<Assertion>().unwrap().check(report).unwrap_err().to_string()
}

#[test]
fn every_figure_of_a_report_can_be_asserted() {
    let report = run(DUEL, &population());
    let figures = report.figures();
    for figure in &figures {
        let Some(value) = figure.value else { continue };
        let (below, above) = (value - 0.5, value + 0.5);
        assert!(holds(&report, &format!("{}>{below}", figure.name)), "{figure:?}");
        assert!(holds(&report, &format!("{} < {above}", figure.name)), "{figure:?}");
        assert!(!holds(&report, &format!("{}>={above}", figure.name)), "{figure:?}");
    }
    let mut names: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
    for wanted in [
        "p95_wait",
        "p99_wait[party=1]",
        "timeouts[home=europe]",
        "p50_wait[decile=10]",
        "fill.p10",
        "step[10]",
    ] {
        assert!(names.contains(&wanted), "{wanted}");
    }
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all, "no two figures have the same name");
}

/// `Few` and `Many` need not hold by themselves, and `Order` never keeps anybody apart.
const EITHER: &str = r#"{
    "ruleLanguageVersion": "1.0",
    "playerAttributes": [{"name": "skill", "type": "number"}],
    "teams": [{"name": "red", "minPlayers": 2, "maxPlayers": 2}],
    "rules": [
        {"name": "Few", "type": "comparison", "measurements": ["max(flatten(teams[*].players.attributes[skill]))"], "operation": ">", "referenceValue": 1e10},
        {"name": "Many", "type": "comparison", "measurements": ["max(flatten(teams[*].players.attributes[skill]))"], "operation": "<", "referenceValue": 10},
        {"name": "Order", "type": "absoluteSort", "sortDirection": "ascending", "sortAttribute": "skill"},
        {"name": "Either", "type": "compound", "statement": "or(Few, Many)"}]
}"#;

fn names(report: &Report) -> Vec<String> {
    report.figures().into_iter().map(|figure| figure.name).collect()
}

#[test]
fn timeouts_can_be_asserted_for_the_rules_that_must_hold_by_themselves() {
    let apart = Distribution::Uniform { min: 10.0, max: 1e9 };
    let apart = Population { attributes: BTreeMap::from([("skill".into(), apart)]), ..population() };
    let before = Simulation::new(rules(EITHER), &apart, &Compat::default()).unwrap().into_report();
    let named: Vec<String> =
        names(&before).into_iter().filter(|name| name.starts_with("timeouts[rule ")).collect();
    assert_eq!(named, ["timeouts[rule Either]"]);
    let report = run(EITHER, &apart);
    assert!(holds(&report, "timeouts[rule Either]>90%"), "{report}");
    assert!(names(&before).contains(&"timeouts[acceptance]".to_owned()));
}

#[test]
fn figures_are_known_before_anything_happens() {
    let before = Simulation::new(rules(DUEL), &population(), &Compat::default()).unwrap().into_report();
    assert_eq!(names(&before), names(&run(DUEL, &population())));
    assert!(!holds(&before, "p95_wait<30s"), "a figure without data keeps nothing");
}

#[test]
fn a_limit_has_the_unit_of_its_figure_or_none() {
    let report = run(DUEL, &population());
    assert!(holds(&report, "fill>=99%") && holds(&report, "fill>=0.99"));
    assert!(holds(&report, "max_wait<=20s") && holds(&report, "max_wait<=20"));
    assert!(error(&report, "fill>=1s").contains("fill is a share: write 5% or 0.05"));
    assert!(error(&report, "p95_wait<3%").contains("p95_wait is in seconds"));
    assert!(error(&report, "spread[Close].p90<3s").contains("a plain number"));
}

#[test]
fn an_unknown_figure_names_those_that_are_alike() {
    let report = run(DUEL, &population());
    let segment = error(&report, "p95_wait[party=7]<30s");
    assert!(segment.contains("p95_wait[party=1]") && !segment.contains("spread"), "{segment}");
    let rule = error(&report, "spread[Closed].p90<30");
    assert!(rule.contains("spread[Close].p90"), "{rule}");
    let nothing = error(&report, "joy>1");
    assert!(nothing.contains("p95_wait") && nothing.contains("spread[Close].p90"), "{nothing}");
}

#[test]
fn segments_count_those_who_are_never_matched() {
    let parties = Population { parties: BTreeMap::from([(1, 0.5), (2, 0.5)]), ..population() };
    let report = run(DUEL, &parties);
    assert!(holds(&report, "timeouts[party=2]>=100%") && holds(&report, "tickets[party=2]>10"), "{report}");
    assert!(!holds(&report, "p95_wait[party=2]<1000000"));
    let tickets: u64 = report.segments.iter().map(|segment| segment.tickets).sum();
    assert_eq!(tickets, 3 * report.tickets, "each kind of segment has every ticket once");
}

#[test]
fn a_duel_is_always_full_and_its_waits_lie_between_its_steps() {
    let report = run(DUEL, &population());
    assert_eq!((report.fill.min, report.fill.max), (1.0, 1.0));
    assert_eq!(report.fill_bins.iter().sum::<u64>(), report.matches);
    assert_eq!(report.fill_bins.last(), Some(&report.matches));
    assert_eq!(report.steps.iter().map(|step| step.step_seconds).collect::<Vec<_>>(), [0, 10]);
    assert_eq!(report.steps.iter().map(|step| step.matches).sum::<u64>(), report.matches);
    assert!(report.wait_percentiles.is_sorted() && report.wait_percentiles.len() == 101);
    assert_eq!(report.wait_percentiles[95], report.wait.p95);
}

#[test]
fn acceptance_does_not_change_the_step_a_match_was_found_at() {
    let slow = Population {
        acceptance_required: true,
        answer_seconds: 15,
        acceptance_timeout_seconds: 30,
        attributes: BTreeMap::from([("skill".into(), Distribution::Uniform { min: 1.0, max: 2.0 })]),
        ..population()
    };
    let report = run(DUEL, &slow);
    assert_eq!(report.steps[1].matches, 0, "{report}");
    assert!(report.wait.min >= 15.0, "the wait ends when all have accepted");
}

#[test]
fn rule_sets_with_other_attributes_meet_the_same_tickets() {
    let more = DUEL.replace(
        "\"playerAttributes\": [",
        "\"playerAttributes\": [{\"name\": \"level\", \"type\": \"number\"},",
    );
    let (one, other) = (run(DUEL, &population()), run(&more, &population()));
    assert_eq!(one.wait, other.wait);
    assert_eq!(one.rules, other.rules);
}

#[test]
fn arrivals_come_as_often_as_the_population_says() {
    let busy = Population { arrivals_per_second: 200.0, duration_seconds: 20, ..population() };
    let tickets = run(DUEL, &busy).tickets as f64;
    // Four standard deviations of a Poisson process around its mean of 4,000.
    assert!((tickets - 4_000.0).abs() < 4.0 * 4_000_f64.sqrt(), "{tickets}");
}

#[test]
fn every_ticket_ends_in_one_way_also_when_players_do_not_accept() {
    let apart = Distribution::Uniform { min: 0.0, max: 300.0 };
    let picky = Population {
        acceptance_required: true,
        acceptance_timeout_seconds: 10,
        accept: 0.8,
        reject: 0.1,
        attributes: BTreeMap::from([("skill".into(), apart)]),
        ..population()
    };
    for rejecters in [Rejecters::Cancel, Rejecters::Fail] {
        let compat = Compat { rejecters, ..Compat::default() };
        let report = simulate(rules(DUEL), &picky, &compat, &mut |_| {}).unwrap();
        let ends = [report.matched, report.timed_out, report.cancelled];
        assert!(ends.iter().all(|count| *count > 0), "{report}");
        assert_eq!(ends.iter().sum::<u64>(), report.tickets, "{report}");
        assert_eq!(report.waiting.last().unwrap().tickets, 0);
        assert_eq!(report.to_string().contains("read with rejecters: fail\n"), rejecters == Rejecters::Fail);
    }
}

#[test]
fn the_same_seed_gives_the_same_report_and_another_does_not() {
    let one = run(DUEL, &population());
    assert_eq!(one, run(DUEL, &population()));
    assert_ne!(one.wait, run(DUEL, &Population { seed: 2, ..population() }).wait);
}

#[test]
fn a_stricter_rule_set_matches_fewer_and_closer_players() {
    let (lenient, strict) = (run(DUEL, &population()), run(&DUEL.replace("50", "6"), &population()));
    assert!(strict.timed_out > lenient.timed_out && strict.matched < lenient.matched, "{strict}");
    assert!(strict.rules[0].spread.max <= 6.0 && lenient.rules[0].spread.max > 6.0, "{lenient}");
    assert!(lenient.steps.iter().any(|step| step.step_seconds == 10 && step.matches > 0), "{lenient}");
}

#[test]
fn a_text_that_is_no_assertion_is_refused() {
    for text in ["p95_wait", "<1", "fill<x", "fill=1", "fill<inf", ""] {
        assert!(text.parse::<Assertion>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn an_assertion_is_written_as_it_can_be_read_again(
        name in "[a-z_]{1,8}(\\[[a-zA-Z<>=0-9 ]{1,8}\\])?",
        sign in prop::sample::select(vec!["<", "<=", ">", ">="]),
        limit in 0_u32..100_000,
        unit in prop::sample::select(vec!["", "s", "%"]),
    ) {
        let text = format!("{name}{sign}{limit}{unit}");
        let assertion: Assertion = text.parse().unwrap();
        prop_assert_eq!(assertion.to_string(), text.as_str());
        prop_assert_eq!(text.parse::<Assertion>().unwrap(), assertion);
    }
}
