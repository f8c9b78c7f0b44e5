//! Why a ticket still waits.

use std::collections::BTreeMap;

use flexmatch::{PlayerRequest, Timestamp};

use crate::play::{Play, number, player};

const CLOSE: &str = r#"{
    "ruleLanguageVersion": "1.0",
    "playerAttributes": [{"name": "skill", "type": "number"}],
    "teams": [{"name": "red", "minPlayers": 1, "maxPlayers": 1}, {"name": "blue", "minPlayers": 1, "maxPlayers": 1}],
    "rules": [
        {"name": "Close", "type": "distance", "maxDistance": 100, "measurements": ["max(flatten(teams[*].players.attributes[skill]))"],
         "referenceValue": "min(flatten(teams[*].players.attributes[skill]))"},
        {"name": "Near", "type": "latency", "maxLatency": 50}],
    "expansions": [
        {"target": "rules[Close].maxDistance", "steps": [{"waitTimeSeconds": 10, "value": 150}]},
        {"target": "rules[Near].maxLatency", "steps": [{"waitTimeSeconds": 20, "value": 80}]}]
}"#;

fn somebody(id: &str, skill: f64, latency: u32) -> PlayerRequest {
    PlayerRequest {
        latency_in_ms: BTreeMap::from([("us".into(), latency)]),
        ..player(id, &[("skill", number(skill))])
    }
}

#[test]
fn it_names_the_rule_the_numbers_and_the_step_that_frees() {
    let mut play = Play::new(CLOSE);
    play.submit("a", vec![somebody("ada", 1_000.0, 40)])
        .at(3)
        .submit("b", vec![somebody("bob", 1_143.0, 40)]);
    let explanation = play.matchmaker.explain(play.now(), "a").unwrap();
    let apart = &explanation.apart[0];
    let unmet = apart.unmet.as_ref().unwrap();
    assert_eq!((apart.ticket_id.as_str(), unmet.rule.as_str()), ("b", "Close"));
    assert!(unmet.numbers.contains("143"), "{}", unmet.numbers);
    let free = apart.free.unwrap();
    assert_eq!((free.step_seconds, free.at), (10, Timestamp::from_millis(13_000)));
    assert!(play.at(12).matches.is_empty());
    assert_eq!(play.at(13).matches.len(), 1, "the explanation keeps its word");
}

#[test]
fn it_says_when_no_step_will_help() {
    let mut play = Play::new(CLOSE);
    play.submit("a", vec![somebody("ada", 1_000.0, 40)])
        .submit("b", vec![somebody("bob", 2_000.0, 40)])
        .at(1);
    let explanation = play.matchmaker.explain(play.now(), "a").unwrap();
    assert_eq!(explanation.apart[0].free, None);
    assert!(explanation.to_string().contains("no expansion step changes that"), "{explanation}");
}

#[test]
fn it_says_why_a_ticket_can_never_match() {
    let mut play = Play::new(CLOSE);
    play.submit("far", vec![somebody("far", 1.0, 90)]);
    play.submit("mute", vec![player("mute", &[("skill", number(1.0))])]);
    play.submit("blank", vec![PlayerRequest { player_id: "blank".into(), ..PlayerRequest::default() }]);
    play.submit("pair", vec![somebody("x", 1.0, 10), somebody("y", 1.0, 10)]);
    for (ticket, says) in [
        ("far", "its best location has 90 ms, and no expansion ever allows more than 80 ms"),
        ("mute", "no latencies"),
        ("blank", "no value for \"skill\""),
        ("pair", "it has 2 players, and no team ever has more than 1"),
    ] {
        let never = play.matchmaker.explain(play.now(), ticket).unwrap().never.unwrap();
        assert!(never.contains(says), "{never}");
    }
}

#[test]
fn a_lonely_ticket_is_told_whom_it_lacks() {
    let mut play = Play::new(CLOSE);
    play.submit("a", vec![somebody("ada", 1_000.0, 40)]);
    let explanation = play.matchmaker.explain(play.now(), "a").unwrap();
    assert_eq!(explanation.cause(), "too few players");
    assert!(explanation.to_string().contains("0 of 1 to 1 players, 1 missing"), "{explanation}");
    assert_eq!(play.matchmaker.explain(play.now(), "nobody"), None);
}

#[test]
fn a_ticket_that_lacks_players_is_not_said_to_be_apart_from_older_ones_it_gets_along_with() {
    const THREE: &str = r#"{
        "ruleLanguageVersion": "1.0",
        "teams": [{"name": "all", "minPlayers": 3, "maxPlayers": 3}]
    }"#;
    let mut play = Play::new(THREE);
    play.submit("old", vec![player("ada", &[])]).submit("young", vec![player("bob", &[])]).at(1);
    for ticket in ["old", "young"] {
        let explanation = play.matchmaker.explain(play.now(), ticket).unwrap();
        assert_eq!(
            (explanation.cause().as_str(), explanation.apart),
            ("too few players", Vec::new()),
            "{ticket}"
        );
    }
}

#[test]
fn the_age_of_a_ticket_that_has_ended_stands_still() {
    let mut play = Play::new(CLOSE);
    play.submit("a", vec![somebody("ada", 1_000.0, 40)]).at(5);
    play.matchmaker.cancel(play.now(), "a").unwrap();
    let explanation = play.at(60).matchmaker.explain(Timestamp::from_millis(60_000), "a").unwrap();
    assert_eq!(explanation.age_seconds, 5);
    assert_eq!(explanation.to_string(), "a is CANCELLED after 5 s\n");
}
