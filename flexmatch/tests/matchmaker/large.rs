//! Matches of more than 40 players.

use std::collections::BTreeMap;

use flexmatch::{PlayerRequest, TicketRequest};

use crate::play::{Play, number, player};

/// The guide's example 8: ten teams of divers, and krakens.
const HUNTERS: &str = r#"{
    "ruleLanguageVersion": "1.0",
    "playerAttributes": [{"name": "kills", "type": "number", "default": 5}],
    "algorithm": {"strategy": "balanced", "balancedAttribute": "kills", "batchingPreference": "fastestRegion"},
    "teams": [
        {"name": "Krakens", "minPlayers": 5, "maxPlayers": 5},
        {"name": "Divers", "minPlayers": 12, "maxPlayers": 15, "quantity": 10}],
    "rules": [{"name": "latency", "type": "latency", "maxLatency": 150}],
    "expansions": [{"target": "teams[Divers].minPlayers", "steps": [
        {"waitTimeSeconds": 15, "value": 10}, {"waitTimeSeconds": 20, "value": 8}]}]
}"#;

fn near(id: String, kills: f64, location: &str, latency: u32) -> PlayerRequest {
    PlayerRequest {
        latency_in_ms: BTreeMap::from([(location.to_owned(), latency)]),
        ..player(&id, &[("kills", number(kills))])
    }
}

fn fill(play: &mut Play, count: u32, location: &str, latency: u32) {
    let now = play.now();
    for index in 0..count {
        let kills = f64::from(index * 37 % 100);
        let players = vec![near(format!("{location}-{index}"), kills, location, latency)];
        play.matchmaker.submit(now, TicketRequest { ticket_id: None, players }).unwrap();
    }
    play.at(now.as_millis() / 1_000);
}

#[test]
fn a_full_match_has_all_seats_taken() {
    let mut play = Play::new(HUNTERS);
    fill(&mut play, 160, "us", 50);
    assert_eq!(play.matches.len(), 1);
    let sizes = &play.sizes()[0];
    assert_eq!(sizes["Krakens"], 5);
    assert!((1..=10).all(|team| sizes[&format!("Divers_{team}")] == 15), "{sizes:?}");
}

#[test]
fn the_minimum_is_enough_and_falls_with_time() {
    let mut play = Play::new(HUNTERS);
    fill(&mut play, 105, "us", 50);
    assert!(play.at(14).matches.is_empty());
    assert_eq!(play.at(15).matches[0].players.len(), 105);
}

#[test]
fn players_far_from_each_other_do_not_meet() {
    let mut play = Play::new(HUNTERS);
    fill(&mut play, 80, "us", 50);
    fill(&mut play, 80, "eu", 50);
    fill(&mut play, 80, "eu", 200);
    assert!(play.at(14).matches.is_empty());
}

#[test]
fn teams_are_balanced_on_the_attribute() {
    let mut play = Play::new(HUNTERS);
    fill(&mut play, 155, "us", 50);
    let mut sums: BTreeMap<String, f64> = BTreeMap::new();
    for player in &play.matches[0].players {
        *sums.entry(player.team.to_string()).or_default() += player.player().number(0).unwrap();
    }
    sums.remove("Krakens");
    let (least, most) =
        sums.values().fold((f64::MAX, f64::MIN), |(least, most), sum| (least.min(*sum), most.max(*sum)));
    assert!(most - least <= 10.0, "{sums:?}");
}
