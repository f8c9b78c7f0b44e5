//! Tickets, for people.

use serde_json::json;

use crate::bench::Bench;

fn rules() -> serde_json::Value {
    json!({
        "ruleLanguageVersion": "1.0",
        "playerAttributes": [{ "name": "skill", "type": "number", "default": 10 }],
        "teams": [
            { "name": "red", "minPlayers": 1, "maxPlayers": 1 },
            { "name": "blue", "minPlayers": 1, "maxPlayers": 1 },
        ],
        "rules": [{
            "name": "FairSkill", "type": "distance", "maxDistance": 10,
            "measurements": ["avg(teams[red].players.attributes[skill])"],
            "referenceValue": "avg(teams[blue].players.attributes[skill])",
        }],
        "expansions": [{
            "target": "rules[FairSkill].maxDistance",
            "steps": [{ "waitTimeSeconds": 30, "value": 50 }],
        }],
    })
}

impl Bench {
    fn skilled(&mut self, player: &str, skill: f64) {
        let players = json!([{ "PlayerId": player, "PlayerAttributes": { "skill": { "N": skill } } }]);
        self.try_match(player, json!({ "Players": players })).unwrap();
    }
}

#[test]
fn waiting_tickets_come_first_and_say_who_is_kept_apart_by_what_until_when() {
    let mut bench = Bench::new();
    bench.matchmaker(&rules(), json!({}));
    bench.skilled("gone", 1.0);
    bench.wait_s(1);
    bench.try_stop_ticket("gone").unwrap();
    bench.skilled("zoe", 10.0);
    bench.wait_s(2);
    bench.skilled("ada", 50.0);
    bench.wait_s(3);
    let list = bench.engine.tickets_overview(bench.now);
    let ids: Vec<_> = list.tickets.iter().map(|ticket| ticket.ticket_id.as_str()).collect();
    assert_eq!(ids, ["zoe", "ada", "gone"], "the oldest first, then what has ended");
    assert_eq!(list.counts.into_iter().collect::<Vec<_>>(), [("CANCELLED", 1), ("SEARCHING", 2)]);

    let zoe = &list.tickets[0];
    assert_eq!((zoe.configuration.as_str(), zoe.status, zoe.age_seconds), ("m", "SEARCHING", 5.0));
    assert_eq!(zoe.players, ["zoe"]);
    let explanation = zoe.explanation.as_ref().unwrap();
    let apart = &explanation.apart[0];
    assert_eq!((apart.ticket_id.as_str(), apart.free.unwrap().step_seconds), ("ada", 30));
    let unmet = apart.unmet.as_ref().unwrap();
    assert_eq!(unmet.rule, "FairSkill");
    assert!(unmet.numbers.contains("40"), "{}", unmet.numbers);

    let gone = &list.tickets[2];
    assert_eq!((gone.status, gone.age_seconds), ("CANCELLED", 1.0));
    assert!(gone.explanation.is_none() && gone.ended.is_some());
    let one = bench.engine.ticket_overview(bench.now, "ada").unwrap();
    assert!(one.explanation.is_some());
    assert!(bench.engine.ticket_overview(bench.now, "nobody").is_none());
}

#[test]
fn a_list_is_bounded_and_its_counts_are_complete() {
    let mut bench = Bench::new();
    bench.matchmaker(&rules(), json!({}));
    for n in 0..60 {
        bench.skilled(&format!("player-{n}"), f64::from(n) * 1000.0);
    }
    bench.wait_s(1);
    let list = bench.engine.tickets_overview(bench.now);
    let explained = list.tickets.iter().filter(|ticket| ticket.explanation.is_some()).count();
    assert_eq!((list.tickets.len(), explained), (60, 50));
    for n in 0..60 {
        bench.try_stop_ticket(&format!("player-{n}")).unwrap();
    }
    let list = bench.engine.tickets_overview(bench.now);
    assert_eq!((list.tickets.len(), list.counts["CANCELLED"]), (50, 60));
    assert_eq!(bench.engine.snapshot(bench.now).tickets["CANCELLED"], 60);
}
