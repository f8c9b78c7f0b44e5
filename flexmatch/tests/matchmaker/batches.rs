//! How the pool is cut, and in which order tickets are tried.

use std::collections::{BTreeMap, BTreeSet};

use flexmatch::{PlayerRequest, Settings, TicketStatus, matchmaker::Engine};

use crate::compat::put;
use crate::play::{DUEL, Play, number, player};

fn batches_of(size: u32, seed: u64) -> Settings {
    Settings { batch_size: Some(size), seed, ..Settings::default() }
}

fn six_duellists(settings: Settings) -> Vec<Vec<String>> {
    let mut play = Play::with(DUEL, settings);
    for id in ["a", "b", "c", "d", "e", "f"] {
        put(&mut play, 0, id, vec![player(id, &[])]);
    }
    let mut matched = play.at(0).matched();
    matched.sort();
    matched
}

#[test]
fn random_batches_are_drawn_by_the_seed_and_matched_within() {
    let pairs: BTreeSet<_> = (0..20).map(|seed| six_duellists(batches_of(2, seed))).collect();
    assert!(pairs.iter().all(|pairs| pairs.len() == 3), "two of a batch always match");
    assert!(pairs.len() > 1, "another seed, other batches");
    assert_eq!(six_duellists(batches_of(2, 7)), six_duellists(batches_of(2, 7)));
    assert_eq!(six_duellists(Settings::default()), [["a", "b"], ["c", "d"], ["e", "f"]]);
    assert_eq!(six_duellists(batches_of(6, 7)), six_duellists(Settings::default()), "one batch is the pool");
}

#[test]
fn tickets_in_different_batches_meet_when_batches_are_drawn_again() {
    let mut play = Play::with(DUEL, batches_of(2, 1));
    for id in ["a", "b", "c"] {
        let wish =
            PlayerRequest { team: Some(if id == "c" { "blue" } else { "red" }.into()), ..player(id, &[]) };
        put(&mut play, 0, id, vec![wish]);
    }
    // Whoever shares a batch with c; alone, or two on red, nobody matches.
    let waiting = |play: &Play| {
        ["a", "b", "c"].into_iter().filter(|id| play.status(id) == TicketStatus::Searching).count()
    };
    play.at(60);
    assert_eq!(waiting(&play), 1);
}

#[test]
fn a_batch_of_one_matches_nobody_with_anybody() {
    assert!(six_duellists(batches_of(1, 0)).is_empty());
}

#[test]
fn sorted_batches_hold_neighbours() {
    let text = r#"{"ruleLanguageVersion": "1.0", "playerAttributes": [{"name": "skill", "type": "number"}],
        "algorithm": {"batchingPreference": "sorted", "sortByAttributes": ["skill"]},
        "teams": [{"name": "pair", "minPlayers": 2, "maxPlayers": 2}]}"#;
    let matched = |settings| {
        let mut play = Play::with(text, settings);
        for (id, skill) in [("one", 1.0), ("hundred", 100.0), ("two", 2.0), ("more", 101.0)] {
            put(&mut play, 0, id, vec![player(id, &[("skill", number(skill))])]);
        }
        play.at(0).matched()
    };
    assert_eq!(matched(batches_of(2, 0)), [["one", "two"], ["hundred", "more"]]);
    assert_eq!(matched(Settings::default()), [["hundred", "one"], ["more", "two"]]);
}

/// A match of three, filled from the region that is fastest for its oldest ticket.
fn region(batching: &str) -> String {
    format!(
        r#"{{"ruleLanguageVersion": "1.0", "playerAttributes": [{{"name": "skill", "type": "number", "default": 1}}],
        "algorithm": {{"strategy": "balanced", "balancedAttribute": "skill", "batchingPreference": "{batching}"}},
        "teams": [{{"name": "all", "minPlayers": 3, "maxPlayers": 3}}],
        "rules": [{{"name": "Fast", "type": "latency", "maxLatency": 100}}]}}"#
    )
}

#[test]
fn the_fastest_region_fills_first_then_those_who_have_it_second() {
    let matched = |batching: &str, engine| {
        let mut play = Play::with(&region(batching), Settings { engine, ..Settings::default() });
        for (id, us, eu, asia) in [
            ("anchor", 20, 50, 90),
            ("third", 80, 30, 40),
            ("second", 60, 30, 90),
            ("elsewhere", 150, 20, 30),
            ("first", 40, 90, 95),
            ("second-too", 60, 30, 90),
        ] {
            let latencies = [("us", us), ("eu", eu), ("asia", asia)];
            let latency_in_ms: BTreeMap<_, _> =
                latencies.into_iter().map(|(name, ms)| (name.to_owned(), ms)).collect();
            put(&mut play, 0, id, vec![PlayerRequest { latency_in_ms, ..player(id, &[]) }]);
        }
        play.at(0).matched().swap_remove(0)
    };
    for engine in [Engine::Compiled, Engine::Reference] {
        assert_eq!(matched("fastestRegion", engine), ["anchor", "first", "second"]);
        assert_eq!(matched("largestPopulation", engine), ["anchor", "second", "third"]);
    }
}
