//! Game session queues.

use gamelift_local::ErrorKind::{InvalidRequest, LimitExceeded, NotFound};
use serde_json::{Value, json};

use crate::bench::{Bench, input, kind};

#[test]
fn a_queue_has_an_arn_a_timeout_of_ten_minutes_and_its_policies_in_ascending_order() {
    let mut bench = Bench::new();
    let fleet = bench.fleet.clone();
    let policies = json!([
        { "MaximumIndividualPlayerLatencyMilliseconds": 200 },
        { "MaximumIndividualPlayerLatencyMilliseconds": 50, "PolicyDurationSeconds": 60 },
    ]);
    let queue = bench.try_queue("q", &[&fleet], json!({ "PlayerLatencyPolicies": policies })).unwrap();
    let without_account = format!("arn:aws:gamelift:us-west-2::fleet/{fleet}");
    let expected = json!({
        "Name": "q",
        "GameSessionQueueArn": "arn:aws:gamelift:us-west-2:123456789012:gamesessionqueue/q",
        "TimeoutInSeconds": 600,
        "PlayerLatencyPolicies": [
            { "MaximumIndividualPlayerLatencyMilliseconds": 50, "PolicyDurationSeconds": 60 },
            { "MaximumIndividualPlayerLatencyMilliseconds": 200 },
        ],
        "Destinations": [{ "DestinationArn": Bench::arn(&fleet) }],
    });
    assert_eq!(serde_json::to_value(queue).unwrap(), expected);
    let destinations = json!({ "Destinations": [{ "DestinationArn": without_account }] });
    let queue = bench.try_queue("other", &[], destinations).unwrap();
    assert_eq!(queue.destinations[0].destination_arn, Some(without_account), "as it was given");
}

#[test]
fn queues_that_break_a_rule_are_refused() {
    let mut bench = Bench::new();
    bench.queue();
    let cap = "MaximumIndividualPlayerLatencyMilliseconds";
    for (field, value, expected, text) in [
        ("Name", json!(null), InvalidRequest, "name"),
        ("Name", json!("a b"), InvalidRequest, "name"),
        ("Name", json!("q"), InvalidRequest, "already exists"),
        ("TimeoutInSeconds", json!(9), InvalidRequest, "timeoutInSeconds"),
        ("TimeoutInSeconds", json!(601), InvalidRequest, "timeoutInSeconds"),
        ("Destinations", json!([{}]), InvalidRequest, "destinationArn"),
        ("Destinations", json!([{ "DestinationArn": "fleet-1" }]), InvalidRequest, "fleet-1"),
        ("Destinations", json!([{ "DestinationArn": Bench::arn("fleet-none") }]), NotFound, "fleet-none"),
        (
            "Destinations",
            json!([{ "DestinationArn": "arn:aws:gamelift:us-west-2::alias/alias-1" }]),
            NotFound,
            "Alias (alias-1) not found",
        ),
        (
            "Destinations",
            json!(vec![json!({ "DestinationArn": Bench::arn(&bench.fleet) }); 11]),
            LimitExceeded,
            "limit of 10",
        ),
        (
            "PlayerLatencyPolicies",
            json!([{ "PolicyDurationSeconds": 5 }]),
            InvalidRequest,
            "must not be null",
        ),
        ("PlayerLatencyPolicies", json!([{ cap: -1 }]), InvalidRequest, cap.get(1..).unwrap()),
        ("FilterConfiguration", json!({ "AllowedLocations": [] }), InvalidRequest, "allowedLocations"),
        ("PriorityConfiguration", json!({ "PriorityOrder": ["COST", "COST"] }), InvalidRequest, "twice"),
        ("PriorityConfiguration", json!({ "PriorityOrder": ["LUCK"] }), InvalidRequest, "enum value set"),
        ("PriorityConfiguration", json!({ "PriorityOrder": ["LOCATION"] }), InvalidRequest, "LocationOrder"),
        ("CustomEventData", json!("x".repeat(257)), InvalidRequest, "customEventData"),
        ("NotificationTarget", json!("a topic"), InvalidRequest, "notificationTarget"),
        ("LogConfiguration", json!({ "DeliveryDestinations": [] }), InvalidRequest, "LogConfiguration"),
    ] {
        let error = bench.try_queue("new", &[], json!({ field: value })).unwrap_err();
        assert_eq!(error.kind, expected, "{error}");
        assert!(error.message.contains(text), "{error}");
    }
}

#[test]
fn there_are_at_most_a_hundred_queues_in_pages_of_fifty() {
    let mut bench = Bench::new();
    for n in 0..100 {
        bench.try_queue(&format!("q{n:02}"), &[], json!({})).unwrap();
    }
    assert_eq!(kind(bench.try_queue("one-more", &[], json!({}))), Some(LimitExceeded));
    let mut describe = |body: Value| {
        let output = bench.engine.describe_game_session_queues(bench.now, input(body)).unwrap();
        let names: Vec<_> = output.game_session_queues.into_iter().map(|queue| queue.name).collect();
        (names, output.next_token)
    };
    let (first, token) = describe(json!({}));
    let (second, end) = describe(json!({ "NextToken": token }));
    assert_eq!((first.len(), second.len(), second[0].as_str(), end), (50, 50, "q50", None));
    let arn = "arn:aws:gamelift:us-west-2:123456789012:gamesessionqueue/q02";
    assert_eq!(describe(json!({ "Names": ["q01", "none", arn] })).0, ["q01", "q02"]);
}

#[test]
fn an_update_replaces_what_it_names_and_empty_structures_remove() {
    let mut bench = Bench::new();
    let fleet = bench.fleet.clone();
    let more = json!({
        "FilterConfiguration": { "AllowedLocations": ["custom-a"] },
        "PriorityConfiguration": { "PriorityOrder": ["LOCATION"], "LocationOrder": ["custom-a"] },
        "CustomEventData": "data",
        "TimeoutInSeconds": 20,
    });
    bench.try_queue("q", &[&fleet], more).unwrap();
    let mut update = |body: Value| bench.engine.update_game_session_queue(bench.now, input(body));
    let queue = update(json!({ "Name": "q", "TimeoutInSeconds": 30, "Destinations": [] })).unwrap();
    let queue = queue.game_session_queue;
    assert_eq!((queue.timeout_in_seconds, queue.destinations.len()), (30, 0));
    assert_eq!(queue.custom_event_data.as_deref(), Some("data"));
    assert!(queue.filter_configuration.is_some() && queue.priority_configuration.is_some());
    let nothing = json!({ "Name": "q", "FilterConfiguration": {}, "PriorityConfiguration": {} });
    let queue = update(nothing).unwrap().game_session_queue;
    assert_eq!((queue.filter_configuration, queue.priority_configuration), (None, None));
    assert_eq!(kind(update(json!({ "Name": "none" }))), Some(NotFound));
    assert_eq!(kind(update(json!({ "Name": "q", "TimeoutInSeconds": 1 }))), Some(InvalidRequest));
}

#[test]
fn a_deleted_queue_is_gone() {
    let mut bench = Bench::new();
    bench.queue();
    let body = json!({ "Name": "arn:aws:gamelift:us-west-2::gamesessionqueue/q" });
    bench.engine.delete_game_session_queue(bench.now, input(body.clone())).unwrap();
    assert_eq!(kind(bench.engine.delete_game_session_queue(bench.now, input(body))), Some(NotFound));
}
