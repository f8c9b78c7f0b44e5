//! Populations: what is refused, and that two rule sets meet the same players.

use std::collections::BTreeMap;

use flexmatch::{
    AttributeValue,
    simulate::{Distribution, Home, Population, PopulationError, Report},
};

use super::{DUEL, population, rules, run, try_run};

fn described(name: &str, distribution: Distribution) -> Population {
    Population { attributes: BTreeMap::from([(name.to_owned(), distribution)]), ..population() }
}

fn between(min: f64, max: f64) -> Distribution {
    Distribution::Uniform { min, max }
}

fn at_home(weight: f64, latency: [u32; 2]) -> BTreeMap<String, Home> {
    let latency_ms = BTreeMap::from([("moon".to_owned(), latency)]);
    BTreeMap::from([("earth".to_owned(), Home { weight, latency_ms })])
}

#[test]
fn a_number_that_makes_no_sense_is_refused_by_its_name_and_value() {
    for (wrong, message) in [
        (
            Population { arrivals_per_second: 0.0, ..population() },
            "arrivalsPerSecond is 0; it must be above 0",
        ),
        (Population { arrivals_per_second: f64::NAN, ..population() }, "arrivalsPerSecond is NaN"),
        (
            Population { duration_seconds: 0, ..population() },
            "durationSeconds is 0; it must be 1 to 31,622,400",
        ),
        (
            Population { duration_seconds: u64::MAX, ..population() },
            "durationSeconds is 18446744073709552000",
        ),
        (Population { arrivals_per_second: 1e6, ..population() }, "at most 10,000,000 tickets"),
        (Population { parties: BTreeMap::from([(1, 0.0)]), ..population() }, "parties is 0; the frequencies"),
        (
            Population { parties: BTreeMap::from([(1, 2.0), (2, -1.0)]), ..population() },
            "parties is 1; the freq",
        ),
        (
            Population { parties: BTreeMap::from([(11, 1.0)]), ..population() },
            "parties is 11; a ticket has 1 to 10",
        ),
        (Population { accept: 0.7, reject: 0.4, ..population() }, "accept + reject is 1.1"),
        (Population { reject: -0.1, ..population() }, "reject is -0.1; it must be 0 to 1"),
        (
            Population { answer_seconds: u64::MAX, ..population() },
            "answerSeconds is 18446744073709552000; it must be",
        ),
        (
            Population { placement_seconds: 43_201, ..population() },
            "placementSeconds is 43201; it must be at most",
        ),
        (
            Population { request_timeout_seconds: 0, ..population() },
            "RequestTimeoutSeconds is 0; it must be 1 to",
        ),
        (
            Population { acceptance_required: true, acceptance_timeout_seconds: 601, ..population() },
            "AcceptanceTimeoutSeconds is 601; it must be 1 to 600",
        ),
        (Population { homes: at_home(-1.0, [1, 2]), ..population() }, "homes.earth.weight is -1"),
        (
            Population { homes: at_home(1.0, [3, 2]), ..population() },
            "homes.earth.latencyMs.moon is 3; it must not",
        ),
        (described("skill", between(2.0, 1.0)), "attributes.skill is 2; min must not exceed max"),
        (described("skill", between(-1e308, 1e308)), "within 1e300 of 0"),
        (
            described("skill", Distribution::Normal { mean: 0.0, deviation: -1.0 }),
            "deviation must not be negative",
        ),
    ] {
        let error = try_run(DUEL, &wrong).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    // Three shares that add up to 1 but for the dust of floating point.
    assert!(try_run(DUEL, &Population { accept: 0.7 + 0.1, reject: 0.2, ..population() }).is_ok());
}

#[test]
fn an_attribute_that_the_rule_set_does_not_have_or_has_otherwise_is_refused() {
    let unknown = described("level", between(0.0, 1.0));
    assert_eq!(try_run(DUEL, &unknown), Err(PopulationError::UnknownAttribute("level".into())));
    for other in [
        Distribution::OneOf(BTreeMap::from([("a".into(), 1.0)])),
        Distribution::AnyOf(BTreeMap::from([("a".into(), 1.0)])),
        Distribution::Always(AttributeValue::String("a".into())),
    ] {
        let wrong = try_run(DUEL, &described("skill", other));
        assert!(matches!(wrong, Err(PopulationError::WrongDistribution { .. })), "{wrong:?}");
    }
}

#[test]
fn the_largest_numbers_that_are_allowed_overflow_nothing() {
    let patient = Population {
        arrivals_per_second: 1e-6,
        duration_seconds: flexmatch::simulate::DURATION_SECONDS_MAX,
        answer_seconds: 43_200,
        placement_seconds: 43_200,
        request_timeout_seconds: 43_200,
        acceptance_required: true,
        ..described("skill", between(-1e300, 1e300))
    };
    let report = run(DUEL, &patient);
    assert!(report.tickets > 5 && report.timed_out == report.tickets, "{report}");
    assert!(report.waiting.is_sorted_by_key(|moment| (moment.seconds * 1_000.0) as u64));
}

/// Both sides of a comparison.
fn compared(first: &str, second: &str, population: &Population) -> [Result<Report, PopulationError>; 2] {
    let [ours, theirs] = population.for_both(&rules(first), &rules(second));
    [try_run(first, &ours), try_run(second, &theirs)]
}

/// `DUEL` with another attribute besides the skill.
fn with_level() -> String {
    DUEL.replace(
        "\"playerAttributes\": [",
        "\"playerAttributes\": [{\"name\": \"level\", \"type\": \"number\", \"default\": 1},",
    )
}

#[test]
fn a_population_may_describe_what_only_one_of_two_rule_sets_declares() {
    let level = described("level", between(1.0, 50.0));
    for (first, second) in [(DUEL.to_owned(), with_level()), (with_level(), DUEL.to_owned())] {
        let [one, other] = compared(&first, &second, &level).map(Result::unwrap);
        assert_eq!(one.rules, other.rules, "the skill is the same for both");
        assert!(one.matched > 50, "{one}");
    }
    let typo = described("levle", between(1.0, 50.0));
    for refused in compared(DUEL, &with_level(), &typo) {
        assert_eq!(refused, Err(PopulationError::UnknownAttribute("levle".into())));
    }
}

#[test]
fn two_rule_sets_with_other_defaults_meet_the_same_players() {
    let other = DUEL.replace("\"default\": 100", "\"default\": 500");
    let [one, same] = compared(DUEL, &other, &population()).map(Result::unwrap);
    assert_eq!(one.segments, same.segments);
    assert_ne!(one.segments, run(&other, &population()).segments, "alone, the second has its own guess");
}
