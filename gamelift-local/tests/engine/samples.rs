//! Events made to order, held against real ones.

use std::collections::BTreeMap;

use gamelift_local::engine::{EVENT_TYPES, SampleError};
use serde_json::{Value, json};

use crate::bench::{Bench, input};

fn rules() -> Value {
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
    })
}

/// Names and JSON types of all members. The rest is in the values.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            // Only computes with a name have it, and the first is not one.
            let members = members.iter().filter(|(name, _)| *name != "dnsName");
            Value::Object(members.map(|(name, value)| (name.clone(), shape(value))).collect())
        }
        Value::Array(items) => Value::Array(items.first().map(shape).into_iter().collect()),
        Value::String(_) => "string".into(),
        Value::Number(_) => "number".into(),
        Value::Bool(_) => "bool".into(),
        Value::Null => Value::Null,
    }
}

impl Bench {
    fn sample(&mut self, request: Value) -> Result<String, SampleError> {
        self.engine.publish_sample(self.now, input(request))
    }

    /// The events since the last look, by type.
    fn events_by_type(&mut self) -> BTreeMap<String, Value> {
        let events = self.events().into_iter();
        let events = events.map(|event| serde_json::from_str::<Value>(&event.json).unwrap());
        events.map(|event| (event["detail"]["type"].as_str().unwrap().to_owned(), event)).collect()
    }
}

/// One real event of every type.
fn real() -> BTreeMap<String, Value> {
    let mut bench = Bench::new();
    bench.matchmaker(&rules(), json!({ "AcceptanceRequired": true, "AcceptanceTimeoutSeconds": 10 }));
    let matched = |bench: &mut Bench, players: [&str; 2]| {
        for player in players {
            bench.wants_match(player);
        }
        bench.wait_s(1);
        for player in players {
            bench.answer(player, player, "ACCEPT").unwrap();
        }
        bench.wait_s(1);
    };
    matched(&mut bench, ["eve", "fay"]);
    bench.try_place("late", json!({})).unwrap();
    bench.engine.stop_game_session_placement(bench.now, input(json!({ "PlacementId": "late" }))).unwrap();
    bench.engine.delete_game_session_queue(bench.now, input(json!({ "Name": "q" }))).unwrap();
    let fleet = bench.fleet.clone();
    bench.try_queue("q", &[&fleet], json!({ "TimeoutInSeconds": 10 })).unwrap();
    bench.try_place("never", json!({})).unwrap();
    bench.wait_s(10);
    bench.wants_match("gus");
    bench.wait_s(1);
    bench.try_stop_ticket("gus").unwrap();
    bench.wants_match("hal");
    bench.wait_s(60);
    let connection = bench.ready("p");
    matched(&mut bench, ["ada", "bob"]);
    bench.pushes().clear();
    let arn = bench.engine.describe_game_sessions(bench.now, input(json!({ "FleetId": fleet }))).unwrap();
    let arn = arn.game_sessions[0].game_session_id.clone();
    bench.ok(connection, "ActivateGameSession", json!({ "GameSessionId": arn }));
    bench.events_by_type()
}

#[test]
fn samples_have_the_members_of_real_events() {
    let real = real();
    let mut bench = Bench::new();
    for kind in EVENT_TYPES {
        let id = bench.sample(json!({ "type": kind })).unwrap();
        let sample = bench.events_by_type().remove(*kind).unwrap();
        assert_eq!(sample["id"], id);
        let expected = real.get(*kind).unwrap_or_else(|| panic!("no real {kind}: {:?}", real.keys()));
        let (sample, expected) = (shape(&sample), shape(expected));
        assert_eq!(sample, expected, "{kind}:\n{sample:#}\n{expected:#}");
    }
    assert_eq!(EVENT_TYPES.len(), real.len());
}

#[test]
fn a_sample_goes_where_events_of_its_configuration_go() {
    let mut bench = Bench::new();
    let topic = "arn:aws:sns:us-west-2:123456789012:t";
    bench.matchmaker(&rules(), json!({ "NotificationTarget": topic, "CustomEventData": "mine" }));
    bench.sample(json!({ "type": "MatchmakingFailed", "configuration": "m" })).unwrap();
    bench.sample(json!({ "type": "PlacementFailed", "queue": "unheard-of" })).unwrap();
    let events = bench.events();
    assert_eq!((events[0].topic_arn.as_deref(), &events[1].topic_arn), (Some(topic), &None));
    let bodies: Vec<Value> = events.iter().map(|event| serde_json::from_str(&event.json).unwrap()).collect();
    assert_eq!(bodies[0]["detail"]["customEventData"], "mine");
    let arn = "arn:aws:gamelift:us-west-2:123456789012:matchmakingconfiguration/m";
    assert_eq!(bodies[0]["resources"], json!([arn]));
    let arn = "arn:aws:gamelift:us-west-2:123456789012:gamesessionqueue/unheard-of";
    assert_eq!(bodies[1]["resources"], json!([arn]));
}

#[test]
fn overrides_are_merged_into_the_detail() {
    let mut bench = Bench::new();
    let overrides = json!({ "gameSessionInfo": { "port": 1, "ipAddress": null }, "matchId": "mine" });
    bench.sample(json!({ "type": "MatchmakingSucceeded", "overrides": overrides })).unwrap();
    let event = bench.events_by_type().remove("MatchmakingSucceeded").unwrap();
    let info = &event["detail"]["gameSessionInfo"];
    assert_eq!((&event["detail"]["matchId"], &info["port"]), (&json!("mine"), &json!(1)));
    assert_eq!((&info["ipAddress"], &info["playerGatewayStatus"]), (&Value::Null, &json!("DISABLED")));
}

#[test]
fn samples_that_cannot_be_are_refused_by_name() {
    let mut bench = Bench::new();
    for (request, error) in [
        (json!({ "type": "MatchmakingWon" }), SampleError::UnknownType("MatchmakingWon".to_owned())),
        (
            json!({ "type": "PlacementFailed", "configuration": "m" }),
            SampleError::WrongResource("configuration", "PlacementFailed".to_owned()),
        ),
        (
            json!({ "type": "AcceptMatch", "queue": "q" }),
            SampleError::WrongResource("queue", "AcceptMatch".to_owned()),
        ),
        (json!({ "type": "AcceptMatch", "configuration": "a b" }), SampleError::Name("configuration")),
        (json!({ "type": "PlacementFailed", "queue": "" }), SampleError::Name("queue")),
    ] {
        assert_eq!(bench.sample(request).unwrap_err(), error);
    }
    assert!(bench.events().is_empty());
}
