use super::*;
use crate::player::{AttributeValue, PlayerData};

/// Two players with the same mode and a location that both reach.
const RULES: &str = r#"{
    "ruleLanguageVersion": "1.0",
    "playerAttributes": [{ "name": "mode", "type": "string" }],
    "teams": [{ "name": "all", "minPlayers": 2, "maxPlayers": 2 }],
    "rules": [
        { "name": "SameMode", "type": "comparison", "operation": "=",
          "measurements": ["flatten(teams[*].players.attributes[mode])"] },
        { "name": "Near", "type": "latency", "maxLatency": 100 }
    ]
}"#;

struct Pool {
    search: Search,
    next: u32,
}

impl Pool {
    fn new() -> Self {
        let rules = Arc::new(RuleSet::parse(RULES).unwrap().rule_set);
        Self { search: Search::new(rules, &Settings::default()), next: 0 }
    }

    fn add(&mut self, mode: &str, location: &str) -> u32 {
        let data = PlayerData {
            id: format!("player-{}", self.next),
            attributes: [("mode".to_owned(), AttributeValue::String(mode.to_owned()))].into(),
            latency_ms: [(location.to_owned(), 20)].into(),
            team: None,
        };
        let player = self.search.rules.player(data, u64::from(self.next), &self.search.compat).unwrap();
        let key = self.next;
        self.next += 1;
        let start = Timestamp::default();
        self.search.add(Waiting { key, start, party: [player].into(), seats: None, is_backfill: false });
        key
    }

    /// Tickets that come and go, each with names of its own.
    fn churn(&mut self, tickets: u32) {
        for _ in 0..tickets {
            let name = format!("name-{}", self.next);
            let key = self.add(&name, &name);
            self.search.remove(key);
        }
    }

    fn matched(&mut self) -> Vec<Vec<u32>> {
        let found = self.search.pass(Timestamp::default()).into_iter();
        found.map(|found| found.members.into_iter().map(|(key, _)| key).collect()).collect()
    }
}

#[test]
fn names_that_players_once_had_are_forgotten() {
    let mut pool = Pool::new();
    pool.add("duel", "here");
    for _ in 0..20 {
        pool.churn(5_000);
        // What the tickets of two packings brought, and what may stay.
        assert!(pool.search.names.len() < 10_000, "{}", pool.search.names.len());
    }
    // One location is in use: after the next packing it has its bit again.
    while pool.search.gone <= GONE_MIN {
        pool.churn(1);
    }
    pool.add("duel", "here");
    assert!(pool.search.names.locations_fit());
}

#[test]
fn those_who_were_there_before_names_were_forgotten_match_those_who_come_after() {
    let mut pool = Pool::new();
    // With numbers of their own, so that numbers change.
    pool.churn(10);
    let [duel, race] = [pool.add("duel", "here"), pool.add("race", "here")];
    let far = pool.add("race", "there");
    pool.churn(20_000);
    assert!(pool.matched().is_empty());
    let [late_race, late_duel] = [pool.add("race", "here"), pool.add("duel", "here")];
    assert_eq!(pool.matched(), [[duel, late_duel], [race, late_race]]);
    let late_far = pool.add("race", "there");
    assert_eq!(pool.matched(), [[far, late_far]]);
}
