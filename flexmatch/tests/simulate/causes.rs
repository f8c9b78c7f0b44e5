//! Why tickets time out.

use std::collections::BTreeMap;

use flexmatch::{
    AttributeValue, Matchmaker, PlayerRequest, Settings, TicketRequest, Timestamp,
    simulate::{Distribution, Home, Population, TimeoutCause},
};

use super::{DUEL, population, rules, run};

/// The most frequent cause, which all but a few timeouts must have.
fn main_cause(text: &str, population: &Population) -> TimeoutCause {
    let report = run(text, population);
    let first = report.timeouts.causes.first().expect("something times out");
    assert!(first.share > 0.9, "{report}");
    first.cause.clone()
}

fn with_rule(rule: &str) -> String {
    let from = DUEL.find("\"rules\"").unwrap();
    format!("{}\"rules\": [{rule}]}}", &DUEL[..from])
}

#[test]
fn too_few_players_are_the_cause_where_nobody_else_comes() {
    let rare = Population { arrivals_per_second: 0.01, duration_seconds: 2_000, ..population() };
    assert_eq!(main_cause(DUEL, &rare), TimeoutCause::TooFewPlayers);
}

#[test]
fn a_rule_is_the_cause_where_it_keeps_everybody_apart() {
    let apart = Distribution::Uniform { min: 0.0, max: 1e9 };
    let apart = Population { attributes: BTreeMap::from([("skill".into(), apart)]), ..population() };
    assert_eq!(main_cause(DUEL, &apart), TimeoutCause::Rule("Close".into()));
}

#[test]
fn a_party_larger_than_every_team_is_its_own_cause() {
    let parties = Population { parties: BTreeMap::from([(2, 1.0)]), ..population() };
    assert_eq!(main_cause(DUEL, &parties), TimeoutCause::PartyTooLarge);
}

#[test]
fn players_without_a_common_location_are_told_from_slow_ones() {
    let wire = with_rule(r#"{"name": "Wire", "type": "latency", "maxLatency": 50}"#);
    let far = Home { weight: 1.0, latency_ms: BTreeMap::from([("moon".to_owned(), [2_500, 2_600])]) };
    let far = Population { homes: BTreeMap::from([("earth".to_owned(), far)]), ..population() };
    assert_eq!(main_cause(&wire, &far), TimeoutCause::NoCommonLocation);
    let here = Home { weight: 1.0, latency_ms: BTreeMap::from([("moon".to_owned(), [25, 26])]) };
    let here = Population { homes: BTreeMap::from([("moon".to_owned(), here)]), ..population() };
    assert!(run(&wire, &here).timed_out <= 1);
}

#[test]
fn a_late_game_session_is_the_cause_of_timeouts_after_the_match() {
    let late = Population { placement_seconds: 30, ..population() };
    assert_eq!(main_cause(DUEL, &late), TimeoutCause::Placement);
}

#[test]
fn an_acceptance_that_outlasts_the_request_and_fails_is_the_cause() {
    // Everybody is matched at once; whoever accepts is asked for longer than the request may last.
    let same = Distribution::Always(AttributeValue::Number(1.0));
    let silent = Population {
        attributes: BTreeMap::from([("skill".into(), same)]),
        acceptance_required: true,
        acceptance_timeout_seconds: 30,
        accept: 0.5,
        ..population()
    };
    assert_eq!(main_cause(DUEL, &silent), TimeoutCause::Acceptance);
    let report = run(DUEL, &silent);
    assert_eq!(report.timeouts.explained, report.timed_out, "{report}");
}

#[test]
fn a_lone_text_that_nobody_shares_blames_its_rule() {
    let same = with_rule(
        r#"{"name": "SameMap", "type": "comparison", "operation": "=", "measurements": ["flatten(teams[*].players.attributes[map])"]}"#,
    )
    .replace(
        r#"{"name": "skill", "type": "number", "default": 100}"#,
        r#"{"name": "map", "type": "string", "default": "x"}"#,
    );
    let texts = (0..10_000).map(|number| (number.to_string(), 1.0)).collect();
    let lone = Population {
        attributes: BTreeMap::from([("map".into(), Distribution::OneOf(texts))]),
        ..population()
    };
    assert_eq!(main_cause(&same, &lone), TimeoutCause::Rule("SameMap".into()));
    let always = Distribution::Always(AttributeValue::String("x".into()));
    let together = Population { attributes: BTreeMap::from([("map".into(), always)]), ..population() };
    assert!(run(&same, &together).timed_out <= 1);
}

#[test]
fn many_timeouts_are_explained_by_a_sample() {
    let apart = Distribution::Uniform { min: 0.0, max: 1e9 };
    let many = Population {
        attributes: BTreeMap::from([("skill".into(), apart)]),
        arrivals_per_second: 40.0,
        duration_seconds: 30,
        request_timeout_seconds: 5,
        ..population()
    };
    let report = run(DUEL, &many);
    assert!(report.timed_out > 1_000, "{report}");
    assert!(report.timeouts.explained < report.timed_out, "a sample is enough");
    let sum: f64 = report.timeouts.causes.iter().map(|cause| cause.tickets).sum();
    assert!((sum - report.timed_out as f64).abs() < 1e-6);
}

#[test]
fn a_ticket_can_be_explained_before_the_first_search_after_the_pool_was_packed() {
    let mut matchmaker = Matchmaker::new(rules(DUEL), Settings::default()).unwrap();
    let submit = |matchmaker: &mut Matchmaker, at: u64, number: u32| {
        let skill = AttributeValue::Number(f64::from(number) * 1_000.0);
        let player = PlayerRequest {
            player_id: format!("p{number}"),
            player_attributes: BTreeMap::from([("skill".to_owned(), skill)]),
            ..PlayerRequest::default()
        };
        let request = TicketRequest { ticket_id: Some(format!("t{number}")), players: vec![player] };
        matchmaker.submit(Timestamp::from_millis(at), request).unwrap();
    };
    for number in 0..2_000 {
        submit(&mut matchmaker, 0, number);
    }
    matchmaker.tick(Timestamp::from_millis(0));
    for number in 0..1_990 {
        matchmaker.cancel(Timestamp::from_millis(100), &format!("t{number}")).unwrap();
    }
    // Taken in at once, but searched for only a second after the last search.
    let now = Timestamp::from_millis(200);
    submit(&mut matchmaker, 200, 2_000);
    matchmaker.tick(now);
    let explanation = matchmaker.explain(now, "t2000").unwrap();
    assert_eq!((explanation.apart.len(), explanation.more_apart), (10, 0), "{explanation}");
}
