//! What AWS's pages and answers say happens.

use crate::play::{Play, number, player, text};

/// AWS re:Post, "FlexMatch expansions": one team of four whose minimum falls with time.
fn shrinking(age: &str) -> String {
    format!(
        r#"{{
        "ruleLanguageVersion": "1.0",
        "playerAttributes": [{{"name": "gameMode", "type": "string"}}],
        "algorithm": {{"strategy": "exhaustiveSearch", "expansionAgeSelection": "{age}"}},
        "teams": [{{"name": "player", "minPlayers": 4, "maxPlayers": 4}}],
        "rules": [{{"name": "SameRuleBook", "type": "comparison", "operation": "=",
            "measurements": ["flatten(teams[*].players.attributes[gameMode])"]}}],
        "expansions": [{{"target": "teams[player].minPlayers", "steps": [
            {{"waitTimeSeconds": 30, "value": 3}},
            {{"waitTimeSeconds": 40, "value": 2}},
            {{"waitTimeSeconds": 45, "value": 1}}]}}]
    }}"#
    )
}

#[test]
fn with_newest_two_players_ten_seconds_apart_start_alone_at_45_and_55_seconds() {
    let mut play = Play::new(&shrinking("newest"));
    play.solo("one", &[("gameMode", text("x"))]).at(10).solo("two", &[("gameMode", text("x"))]);
    assert!(play.at(44).matches.is_empty());
    assert_eq!(play.at(45).matched(), [["one"]]);
    assert_eq!(play.at(54).matches.len(), 1);
    assert_eq!(play.at(55).matched(), [["one"], ["two"]]);
}

#[test]
fn with_oldest_the_same_players_start_together_at_40_seconds() {
    let mut play = Play::new(&shrinking("oldest"));
    play.solo("one", &[("gameMode", text("x"))]).at(10).solo("two", &[("gameMode", text("x"))]);
    assert!(play.at(39).matches.is_empty());
    assert_eq!(play.at(40).matched(), [["one", "two"]]);
}

#[test]
fn with_newest_three_players_start_together_when_the_newest_is_30_seconds_old() {
    let mut play = Play::new(&shrinking("newest"));
    play.solo("one", &[("gameMode", text("x"))]).at(10).solo("two", &[("gameMode", text("x"))]);
    play.at(12).solo("zzz", &[("gameMode", text("x"))]);
    assert!(play.at(41).matches.is_empty());
    assert_eq!(play.at(42).matched(), [["one", "two", "zzz"]]);
}

/// The guide's example 1.
const ALIENS: &str = r#"{
    "ruleLanguageVersion": "1.0",
    "playerAttributes": [{"name": "skill", "type": "number", "default": 10}],
    "teams": [{"name": "miners", "minPlayers": 4, "maxPlayers": 8}, {"name": "rovers", "minPlayers": 4, "maxPlayers": 8}],
    "rules": [
        {"name": "EvenSides", "type": "distance", "maxDistance": 10,
         "measurements": ["avg(teams[*].players.attributes[skill])"],
         "referenceValue": "avg(flatten(teams[*].players.attributes[skill]))"},
        {"name": "SameHeadcount", "type": "comparison", "operation": "=",
         "measurements": ["count(teams[miners].players)"], "referenceValue": "count(teams[rovers].players)"}],
    "expansions": [{"target": "rules[EvenSides].maxDistance", "steps": [
        {"waitTimeSeconds": 5, "value": 50}, {"waitTimeSeconds": 15, "value": 100}]}]
}"#;

/// Puts tickets in one after the other without a search in between.
fn submit_all(play: &mut Play, skills: &[f64]) {
    let now = play.now();
    for (index, skill) in skills.iter().enumerate() {
        let request = flexmatch::TicketRequest {
            ticket_id: Some(format!("t{index:02}")),
            players: vec![player(&format!("p{index}"), &[("skill", number(*skill))])],
        };
        play.matchmaker.submit(now, request).unwrap();
    }
}

#[test]
fn sixteen_equal_players_make_one_match_of_eight_against_eight() {
    let mut play = Play::new(ALIENS);
    submit_all(&mut play, &[10.0; 16]);
    play.at(0);
    assert_eq!(play.sizes().len(), 1);
    assert!(play.sizes()[0].values().all(|size| *size == 8));
}

#[test]
fn of_nine_equal_players_eight_play_and_the_newest_waits() {
    let mut play = Play::new(ALIENS);
    submit_all(&mut play, &[10.0; 9]);
    play.at(0);
    assert!(play.sizes()[0].values().all(|size| *size == 4));
    assert_eq!(play.status("t08"), flexmatch::TicketStatus::Searching);
}

#[test]
fn strong_and_weak_players_are_dealt_to_both_teams() {
    let mut play = Play::new(ALIENS);
    submit_all(&mut play, &[10.0, 10.0, 10.0, 10.0, 40.0, 40.0, 40.0, 40.0]);
    play.at(0);
    let found = &play.matches[0];
    for team in ["miners", "rovers"] {
        let skills = found.players.iter().filter(|player| player.team.as_str() == team);
        let sum: f64 = skills.filter_map(|player| player.player().number(0)).sum();
        assert!((sum / 4.0 - 25.0).abs() <= 10.0, "{team} has {sum}");
    }
}

/// The guide's example 2: who may be the kraken is an attribute, so the team is forced.
const MONSTER: &str = r#"{
    "ruleLanguageVersion": "1.0",
    "playerAttributes": [
        {"name": "skill", "type": "number", "default": 10},
        {"name": "wishedDepth", "type": "number", "default": 10},
        {"name": "wouldBeKraken", "type": "number", "default": 0}],
    "teams": [{"name": "players", "minPlayers": 5, "maxPlayers": 5}, {"name": "kraken", "minPlayers": 1, "maxPlayers": 1}],
    "rules": [
        {"name": "KrakenVolunteers", "type": "comparison", "operation": "=",
         "measurements": ["teams[kraken].players.attributes[wouldBeKraken]"], "referenceValue": 1},
        {"name": "DiversDoNot", "type": "comparison", "operation": "=",
         "measurements": ["teams[players].players.attributes[wouldBeKraken]"], "referenceValue": 0},
        {"name": "KrakenDepth", "type": "comparison", "operation": ">=",
         "measurements": ["avg(teams[kraken].players.attributes[skill])"],
         "referenceValue": "max(teams[players].players.attributes[wishedDepth])"}],
    "expansions": [{"target": "teams[players].minPlayers", "steps": [
        {"waitTimeSeconds": 30, "value": 4}, {"waitTimeSeconds": 60, "value": 3}]}]
}"#;

#[test]
fn a_ticket_goes_to_the_team_whose_rules_it_meets() {
    let mut play = Play::new(MONSTER);
    for diver in 1..=5 {
        play.solo(&format!("h{diver}"), &[("wishedDepth", number(f64::from(diver) * 5.0))]);
    }
    play.solo("weak", &[("wouldBeKraken", number(1.0)), ("skill", number(24.0))]);
    assert!(play.matches.is_empty(), "the kraken must be as strong as anybody wishes");
    play.at(1).solo("strong", &[("wouldBeKraken", number(1.0)), ("skill", number(25.0))]);
    play.at(2);
    let kraken = play.matches[0].players.iter().find(|player| player.team.as_str() == "kraken").unwrap();
    assert_eq!(kraken.ticket_id.as_str(), "strong");
}

#[test]
fn a_ticket_that_nobody_fits_blocks_no_others() {
    let mut play = Play::new(&shrinking("newest"));
    play.solo("lonely", &[("gameMode", text("rare"))]);
    for index in 0..4 {
        play.solo(&format!("t{index}"), &[("gameMode", text("common"))]);
    }
    play.at(1);
    assert_eq!(play.matched(), [["t0", "t1", "t2", "t3"]]);
}
