//! Placements: PENDING, FULFILLED, CANCELLED, TIMED_OUT, FAILED.

use gamelift_local::{
    ErrorKind::{InvalidRequest, NotFound},
    model::{GameSessionPlacementState::*, *},
};
use serde_json::{Value, json};

use crate::bench::{Bench, LOCATION, input, kind};

fn activate(bench: &mut Bench, connection: gamelift_local::engine::ConnectionId, id: &str) {
    let arn = bench.placement(id).game_session_arn.expect("a game session");
    bench.ok(connection, "ActivateGameSession", json!({ "GameSessionId": arn }));
}

fn latency(player: &str, location: &str, milliseconds: f64) -> Value {
    json!({ "PlayerId": player, "RegionIdentifier": location, "LatencyInMilliseconds": milliseconds })
}

#[test]
fn a_placement_is_fulfilled_when_its_game_session_is_active_and_its_players_get_slots() {
    let mut bench = Bench::new();
    bench.queue();
    let connection = bench.ready("p");
    let players = json!([{ "PlayerId": "ada", "PlayerData": "red" }, { "PlayerId": "bob" }]);
    let more = json!({
        "DesiredPlayerSessions": players, "GameSessionName": "n", "GameSessionData": "d",
        "GameProperties": [{ "Key": "k", "Value": "v" }],
    });
    let placement = bench.try_place("place-1", more).unwrap();
    assert_eq!((placement.status, placement.start_time), (Pending, bench.now));
    let arn = format!("arn:aws:gamelift:us-west-2::gamesession/{}/{LOCATION}/place-1", bench.fleet);
    let pushes = bench.pushes();
    assert_eq!(pushes[0].1["GameSessionId"], arn);
    assert_eq!(pushes[0].1["GameSessionData"], "d");
    assert_eq!(bench.status(&arn), GameSessionStatus::Activating);
    assert_eq!(bench.session(&arn).current_player_session_count, 0);

    bench.wait_s(3);
    activate(&mut bench, connection, "place-1");
    let placement = bench.placement("place-1");
    assert_eq!((placement.status, placement.end_time), (Fulfilled, Some(bench.now)));
    assert_eq!(placement.game_session_id.as_deref(), Some(arn.as_str()));
    assert_eq!(placement.game_session_region.as_deref(), Some("us-west-2"));
    assert_eq!((placement.port, placement.ip_address.as_deref()), (Some(7777), Some("10.0.0.1")));
    let ids: Vec<_> =
        placement.placed_player_sessions.iter().map(|placed| placed.player_id.as_str()).collect();
    assert_eq!(ids, ["ada", "bob"]);
    let ada = bench.player(&placement.placed_player_sessions[0].player_session_id);
    assert_eq!((ada.status, ada.player_data.as_deref()), (PlayerSessionStatus::Reserved, Some("red")));
    assert_eq!(ada.creation_time, bench.now, "the reservation's minute begins now");
    assert_eq!(bench.session(&arn).current_player_session_count, 2);
    assert_eq!(bench.event_types(), ["PlacementFulfilled"]);
}

#[test]
fn a_placement_waits_for_the_next_process_and_the_oldest_comes_first() {
    let mut bench = Bench::new();
    bench.queue();
    for id in ["first", "second", "third"] {
        assert_eq!(bench.place(id).status, Pending);
    }
    bench.try_stop("second").unwrap();
    bench.wait_s(100);
    let a = bench.ready("a");
    assert_eq!(bench.placed_in("first").as_deref(), Some(LOCATION));
    assert_eq!(bench.placed_in("third"), None);
    activate(&mut bench, a, "first");
    bench.ready("b");
    assert_eq!(bench.placed_in("third").as_deref(), Some(LOCATION));
    assert_eq!(bench.event_types(), ["PlacementCancelled", "PlacementFulfilled"]);
}

#[test]
fn a_process_that_connects_again_is_given_to_a_placement() {
    let mut bench = Bench::new();
    bench.queue();
    let connection = bench.ready("p");
    bench.disconnect(connection);
    bench.place("x");
    assert_eq!(bench.placed_in("x"), None);
    bench.connect("p");
    assert_eq!(bench.placed_in("x").as_deref(), Some(LOCATION));
}

#[test]
fn a_placement_without_a_game_session_can_be_stopped_and_no_other() {
    let mut bench = Bench::new();
    bench.queue();
    bench.place("waits");
    let stopped = bench.try_stop("waits").unwrap();
    assert_eq!((stopped.status, stopped.end_time), (Cancelled, Some(bench.now)));
    assert_eq!(kind(bench.try_stop("waits")), Some(InvalidRequest));
    assert_eq!(kind(bench.try_stop("none")), Some(NotFound));
    bench.ready("p");
    bench.place("placed");
    let error = bench.try_stop("placed").unwrap_err();
    assert_eq!(error.kind, InvalidRequest);
    assert!(error.message.contains("has a game session already"), "{error}");
    // The process falls silent, and the queue's timeout passes.
    bench.wait_s(600);
    assert_eq!(bench.event_types(), ["PlacementCancelled", "PlacementFailed"], "one end each");
}

#[test]
fn the_queues_timeout_ends_a_placement() {
    let mut bench = Bench::new();
    let fleet = bench.fleet.clone();
    bench.try_queue("q", &[&fleet], json!({ "TimeoutInSeconds": 10 })).unwrap();
    bench.place("x");
    bench.wait_s(9);
    assert_eq!(bench.placement("x").status, Pending);
    bench.wait_s(1);
    let placement = bench.placement("x");
    assert_eq!((placement.status, placement.end_time), (TimedOut, Some(bench.now)));
    bench.ready("p");
    assert_eq!(bench.push_actions(), [""; 0], "it no longer waits");
}

#[test]
fn the_timeout_takes_a_game_session_along_that_is_not_active_yet() {
    let mut bench = Bench::new();
    let fleet = bench.fleet.clone();
    bench.try_queue("q", &[&fleet], json!({ "TimeoutInSeconds": 10 })).unwrap();
    bench.ready("p");
    let arn = {
        bench.place("x");
        bench.placement("x").game_session_arn.unwrap()
    };
    bench.wait_s(10);
    assert_eq!(bench.placement("x").status, TimedOut);
    assert_eq!(bench.placement("x").game_session_arn, None);
    assert_eq!(bench.status(&arn), GameSessionStatus::Terminated);
    assert_eq!(bench.push_actions(), ["CreateGameSession", "TerminateProcess"]);
    assert_eq!(bench.event_types(), ["PlacementTimedOut"]);
}

#[test]
fn an_activation_that_times_out_is_tried_again_elsewhere() {
    let more = json!({ "RuntimeConfiguration": { "GameSessionActivationTimeoutSeconds": 10 } });
    let mut bench = Bench::with_fleet(more);
    bench.queue();
    let silent = bench.ready("silent");
    bench.place("x");
    let other = bench.ready("other");
    bench.wait_s(10);
    let pushes: Vec<_> = bench.pushes().into_iter().map(|(to, push)| (to, push["Action"].clone())).collect();
    let expected =
        [(silent, "CreateGameSession"), (silent, "TerminateProcess"), (other, "CreateGameSession")];
    assert_eq!(pushes, expected.map(|(to, action)| (to, json!(action))));
    assert_eq!(bench.placement("x").status, Pending);
    let arn = bench.placement("x").game_session_arn.unwrap();
    bench.refused(silent, "ActivateGameSession", json!({ "GameSessionId": arn }), 404);
    activate(&mut bench, other, "x");
    assert_eq!(bench.placement("x").status, Fulfilled);
    assert_eq!(bench.status(&arn), GameSessionStatus::Active);
    // 30 days on, the first try is forgotten and the second, which has the same ARN, is not.
    bench.wait_s(30 * 24 * 60 * 60 - 100);
    bench.session(&arn);
}

#[test]
fn an_activation_that_times_out_waits_when_there_is_no_other_process() {
    let more = json!({ "RuntimeConfiguration": { "GameSessionActivationTimeoutSeconds": 10 } });
    let mut bench = Bench::with_fleet(more);
    bench.queue();
    bench.ready("silent");
    bench.place("x");
    bench.wait_s(20);
    assert_eq!(bench.placement("x").status, Pending);
    let other = bench.ready("other");
    activate(&mut bench, other, "x");
    assert_eq!(bench.placement("x").status, Fulfilled);
}

#[test]
fn a_game_session_that_ends_before_it_is_active_fails_the_placement() {
    let mut bench = Bench::new();
    bench.queue();
    let connection = bench.ready("p");
    bench.place("ended");
    bench.ok(connection, "TerminateServerProcess", json!({}));
    assert_eq!(bench.placement("ended").status, Failed);
    let connection = bench.ready("q");
    bench.place("terminated");
    let arn = bench.placement("terminated").game_session_arn.unwrap();
    bench.terminate(&arn).unwrap();
    assert_eq!(bench.placement("terminated").status, Pending);
    bench.ok(connection, "TerminateServerProcess", json!({}));
    assert_eq!(bench.placement("terminated").status, Failed);
    assert_eq!(bench.event_types(), ["PlacementFailed", "PlacementFailed"]);
}

#[test]
fn deleting_the_queue_fails_its_placements_and_lets_go_of_their_processes() {
    let mut bench = Bench::new();
    bench.queue();
    bench.ready("p");
    bench.place("placed");
    bench.place("waits");
    let arn = bench.placement("placed").game_session_arn.unwrap();
    bench.engine.delete_game_session_queue(bench.now, input(json!({ "Name": "q" }))).unwrap();
    assert_eq!([bench.placement("placed").status, bench.placement("waits").status], [Failed, Failed]);
    assert_eq!(bench.status(&arn), GameSessionStatus::Terminated);
    bench.ready("other");
    assert_eq!(bench.push_actions(), ["CreateGameSession", "TerminateProcess"]);
    assert_eq!(bench.event_types(), ["PlacementFailed", "PlacementFailed"]);
}

#[test]
fn a_queue_that_is_given_another_destination_places_what_waits() {
    let mut bench = Bench::new();
    bench.try_queue("q", &[], json!({})).unwrap();
    bench.ready("p");
    bench.place("x");
    assert_eq!(bench.placed_in("x"), None, "a queue without destinations places nothing");
    let destinations = json!([{ "DestinationArn": Bench::arn(&bench.fleet) }]);
    let body = json!({ "Name": "q", "Destinations": destinations });
    bench.engine.update_game_session_queue(bench.now, input(body)).unwrap();
    assert_eq!(bench.placed_in("x").as_deref(), Some(LOCATION));
}

#[test]
fn placements_that_break_a_rule_are_refused() {
    let mut bench = Bench::new();
    bench.queue();
    bench.place("used");
    let three = json!([{ "PlayerId": "a" }, { "PlayerId": "b" }, { "PlayerId": "c" }]);
    let order = |locations: &[&str]| json!({ "LocationOrder": locations });
    for (field, value, expected, text) in [
        ("PlacementId", json!(null), InvalidRequest, "placementId"),
        ("PlacementId", json!("under_score"), InvalidRequest, "placementId"),
        ("PlacementId", json!("x".repeat(49)), InvalidRequest, "placementId"),
        ("PlacementId", json!("used"), InvalidRequest, "used before"),
        ("GameSessionQueueName", json!("none"), NotFound, "none"),
        ("MaximumPlayerSessionCount", json!(null), InvalidRequest, "maximumPlayerSessionCount"),
        ("MaximumPlayerSessionCount", json!(201), InvalidRequest, "200"),
        ("DesiredPlayerSessions", three, InvalidRequest, "3 players"),
        ("DesiredPlayerSessions", json!([{}]), InvalidRequest, "playerId"),
        ("PlayerLatencies", json!([{ "PlayerId": "a" }]), InvalidRequest, "regionIdentifier"),
        ("PlayerLatencies", json!([latency("a", LOCATION, -1.0)]), InvalidRequest, "0 or more"),
        ("PriorityConfigurationOverride", order(&[LOCATION]), InvalidRequest, "begins with LOCATION"),
        ("PriorityConfigurationOverride", order(&[]), InvalidRequest, "locationOrder"),
        ("PriorityConfigurationOverride", order(&["a", "a"]), InvalidRequest, "twice"),
        (
            "PriorityConfigurationOverride",
            json!({ "LocationOrder": ["a"], "PlacementFallbackStrategy": "ALL" }),
            InvalidRequest,
            "enum value set",
        ),
    ] {
        let error = bench.try_place("new", json!({ field: value })).unwrap_err();
        assert_eq!(error.kind, expected, "{error}");
        assert!(error.message.contains(text), "{error}");
    }
    let both = json!({
        "PriorityConfigurationOverride": order(&[LOCATION]), "PlayerLatencies": [latency("a", LOCATION, 1.0)],
    });
    let error = bench.try_place("new", both).unwrap_err();
    assert!(error.message.contains("exclude each other"), "{error}");
    let unknown =
        bench.engine.describe_game_session_placement(bench.now, input(json!({ "PlacementId": "new" })));
    assert_eq!(kind(unknown), Some(NotFound), "what was refused leaves nothing behind");
}

/// A fleet with a free process in each location.
fn with_processes(bench: &mut Bench, cost: Option<&str>, locations: &[&str]) -> String {
    let fleet = bench.add_fleet(cost, locations);
    for location in locations {
        bench.ready_at(&fleet, location, &format!("{location}-process"));
    }
    fleet
}

#[test]
fn the_developer_guides_example_of_latency_policies_on_virtual_time() {
    let mut bench = Bench::new();
    let fleet = with_processes(&mut bench, None, &["custom-east", "custom-west"]);
    let cap = json!({ "MaximumIndividualPlayerLatencyMilliseconds": 130, "PolicyDurationSeconds": 60 });
    bench.try_queue("q", &[&fleet], json!({ "PlayerLatencyPolicies": [cap] })).unwrap();
    let latencies = json!([
        latency("1", "custom-east", 100.0),
        latency("1", "custom-west", 50.0),
        latency("2", "custom-east", 120.0),
        latency("2", "custom-west", 150.0),
    ]);
    let more = json!({ "PlayerLatencies": latencies });
    bench.try_place("first", more.clone()).unwrap();
    assert_eq!(bench.placed_in("first").as_deref(), Some("custom-east"), "150 ms are above the cap");
    bench.try_place("second", more).unwrap();
    bench.wait_s(59);
    assert_eq!(bench.placed_in("second"), None, "the free process is too far for player 2");
    bench.wait_s(1);
    assert_eq!(bench.placed_in("second").as_deref(), Some("custom-west"), "the cap is gone");
}

#[test]
fn the_cheaper_fleet_comes_first_and_equal_cost_leaves_it_to_the_queues_order() {
    let mut bench = Bench::new();
    let dear = with_processes(&mut bench, Some("10"), &["custom-a"]);
    let cheap = with_processes(&mut bench, Some("9.5"), &["custom-b"]);
    let cheapest = with_processes(&mut bench, Some("9.49999"), &["custom-c"]);
    let free = with_processes(&mut bench, None, &["custom-d"]);
    bench.try_queue("q", &[&dear, &cheap, &cheapest, &free], json!({})).unwrap();
    for id in ["1", "2", "3", "4"] {
        bench.place(id);
    }
    let places: Vec<_> = ["1", "2", "3", "4"].iter().filter_map(|id| bench.placed_in(id)).collect();
    assert_eq!(places, ["custom-d", "custom-c", "custom-b", "custom-a"]);
}

#[test]
fn an_override_goes_through_its_own_locations_and_falls_back_only_if_allowed() {
    let mut bench = Bench::new();
    let fleet = with_processes(&mut bench, None, &["custom-a", "custom-b", "custom-c"]);
    let priority = json!({ "PriorityOrder": ["LOCATION"], "LocationOrder": ["custom-b"] });
    bench.try_queue("q", &[&fleet], json!({ "PriorityConfiguration": priority })).unwrap();
    let own = |strategy: &str| {
        let order = ["custom-c"];
        json!({ "PriorityConfigurationOverride": { "LocationOrder": order, "PlacementFallbackStrategy": strategy } })
    };
    bench.try_place("1", own("NONE")).unwrap();
    bench.try_place("2", own("NONE")).unwrap();
    bench.try_place("3", own("DEFAULT_AFTER_SINGLE_PASS")).unwrap();
    let places = ["1", "2", "3"].map(|id| bench.placed_in(id));
    assert_eq!(places.map(|place| place.unwrap_or_default()), ["custom-c", "", "custom-b"]);
    bench.ready_at(&fleet, "custom-c", "another");
    assert_eq!(bench.placed_in("2").as_deref(), Some("custom-c"));
}

#[test]
fn a_filter_keeps_placements_out_of_all_other_locations() {
    let mut bench = Bench::new();
    let fleet = with_processes(&mut bench, None, &["custom-a", "custom-b"]);
    let filter = json!({ "AllowedLocations": ["custom-b"] });
    bench.try_queue("q", &[&fleet], json!({ "FilterConfiguration": filter })).unwrap();
    bench.place("1");
    bench.place("2");
    assert_eq!(["1", "2"].map(|id| bench.placed_in(id)), [Some("custom-b".to_owned()), None]);
}

#[test]
fn a_placement_whose_arn_is_taken_fails() {
    let mut bench = Bench::new();
    bench.queue();
    bench.ready("p");
    bench.try_create(json!({ "IdempotencyToken": "same" })).unwrap();
    bench.ready("q");
    assert_eq!(bench.place("same").status, Failed);
    assert_eq!(bench.event_types(), ["PlacementFailed"]);
}

#[test]
fn thousands_of_placements_are_served_in_order_by_thousands_of_processes() {
    let mut bench = Bench::new();
    bench.queue();
    for n in 0..3000 {
        bench.place(&format!("p{n}"));
    }
    for n in 0..3000 {
        bench.ready(&format!("p{n}"));
        assert!(bench.placement(&format!("p{n}")).game_session_arn.is_some(), "{n}");
    }
}
