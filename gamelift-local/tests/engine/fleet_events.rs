//! What DescribeFleetEvents tells.

use gamelift_local::ErrorKind::{InvalidRequest, NotFound};
use serde_json::{Value, json};

use crate::bench::{Bench, LOCATION, input, kind};

impl Bench {
    /// The codes of all events but those of the creation, the oldest first.
    fn event_codes(&mut self) -> Vec<&'static str> {
        let body = json!({ "FleetId": self.fleet });
        let output = self.engine.describe_fleet_events(self.now, input(body)).unwrap();
        let codes: Vec<_> = output.events.iter().rev().map(|event| event.event_code.as_str()).collect();
        codes[4..].to_vec()
    }
}

#[test]
fn creation_is_recorded_the_newest_first() {
    let mut bench = Bench::new();
    let body = json!({ "FleetId": bench.fleet });
    let events = bench.engine.describe_fleet_events(bench.now, input(body)).unwrap().events;
    let codes: Vec<_> = events.iter().map(|event| event.event_code.as_str()).collect();
    let expected = ["FLEET_STATE_ACTIVE", "LOCATION_STATE_ACTIVE", "LOCATION_STATE_CREATED", "FLEET_CREATED"];
    assert_eq!(codes, expected);
    assert_eq!(events[0].message, format!("Fleet {} changed state to ACTIVE", bench.fleet));
    assert_eq!((&events[0].resource_id, events[0].count), (&bench.fleet, 1));
    assert_ne!(events[0].event_id, events[1].event_id);
    let unknown = bench.engine.describe_fleet_events(bench.now, input(json!({ "FleetId": "fleet-none" })));
    assert_eq!(kind(unknown), Some(NotFound));
}

#[test]
fn events_are_found_by_time_and_page() {
    let mut bench = Bench::new();
    let start = bench.now;
    let set = |bench: &mut Bench, policy: &str| {
        bench.wait_s(10);
        let body = json!({ "FleetId": bench.fleet, "NewGameSessionProtectionPolicy": policy });
        bench.engine.update_fleet_attributes(bench.now, input(body)).unwrap();
    };
    for policy in ["FullProtection", "FullProtection", "NoProtection"] {
        set(&mut bench, policy);
    }
    assert_eq!(bench.event_codes(), ["FLEET_NEW_GAME_SESSION_PROTECTION_POLICY_UPDATED"; 2], "two changes");
    let seconds = |after: u64| (start.as_millis() / 1_000 + after) as f64 + 0.5;
    let mut count = |more: Value| {
        let mut body = json!({ "FleetId": bench.fleet });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        bench.engine.describe_fleet_events(bench.now, input(body)).map(|it| (it.events.len(), it.next_token))
    };
    assert_eq!(count(json!({ "StartTime": seconds(0) })).unwrap().0, 2);
    assert_eq!(count(json!({ "EndTime": seconds(0) })).unwrap().0, 4);
    assert_eq!(count(json!({ "StartTime": seconds(0), "EndTime": seconds(15) })).unwrap().0, 1);
    assert_eq!(kind(count(json!({ "StartTime": seconds(9), "EndTime": seconds(3) }))), Some(InvalidRequest));
    let (first, token) = count(json!({ "Limit": 4 })).unwrap();
    let (second, end) = count(json!({ "Limit": 4, "NextToken": token.unwrap() })).unwrap();
    assert_eq!((first, second, end), (4, 2, None));
}

#[test]
fn the_ring_forgets_the_oldest() {
    let mut bench = Bench::new();
    for n in 0..1_200 {
        let policy = if n % 2 == 0 { "FullProtection" } else { "NoProtection" };
        let body = json!({ "FleetId": bench.fleet, "NewGameSessionProtectionPolicy": policy });
        bench.engine.update_fleet_attributes(bench.now, input(body)).unwrap();
    }
    let (mut count, mut token) = (0, None::<String>);
    loop {
        let body = json!({ "FleetId": bench.fleet, "NextToken": token });
        let output = bench.engine.describe_fleet_events(bench.now, input(body)).unwrap();
        count += output.events.len();
        token = output.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(count, 1_000);
}

#[test]
fn every_way_in_which_a_process_fails_has_its_event() {
    let mut bench = Bench::new();
    bench.connect("never-ready");
    bench.wait_s(299);
    assert_eq!(bench.event_codes(), [""; 0]);
    bench.wait_s(1);
    assert_eq!(bench.event_codes(), ["SERVER_PROCESS_PROCESS_READY_TIMEOUT"]);

    let mut bench = Bench::new();
    let connection = bench.ready("sick");
    for _ in 0..3 {
        bench.heartbeat(connection, false);
    }
    assert_eq!(bench.event_codes(), ["SERVER_PROCESS_TERMINATED_UNHEALTHY"]);
    for _ in 0..5 {
        bench.wait_s(59);
        bench.heartbeat(connection, true);
    }
    bench.wait_s(5);
    assert_eq!(
        bench.event_codes(),
        ["SERVER_PROCESS_TERMINATED_UNHEALTHY", "SERVER_PROCESS_FORCE_TERMINATED"]
    );

    let mut bench = Bench::new();
    let connection = bench.ready("crashed");
    bench.disconnect(connection);
    bench.wait_s(210);
    assert_eq!(bench.event_codes(), ["SERVER_PROCESS_CRASHED"]);

    let mut bench = Bench::new();
    let connection = bench.ready("restarted");
    bench.disconnect(connection);
    let query = bench.query("restarted", "second-life");
    let connection = bench.try_connect(query).unwrap();
    bench.activate(connection);
    assert_eq!(bench.event_codes(), ["SERVER_PROCESS_CRASHED"]);

    let mut bench = Bench::new();
    let connection = bench.ready("lingering");
    bench.ok(connection, "TerminateServerProcess", json!({}));
    bench.wait_s(29);
    assert_eq!(bench.event_codes(), [""; 0]);
    bench.wait_s(1);
    assert_eq!(bench.event_codes(), ["SERVER_PROCESS_PROCESS_EXIT_TIMEOUT"]);

    let mut bench = Bench::new();
    let connection = bench.ready("slow");
    bench.create();
    for _ in 0..5 {
        bench.wait_s(60);
        bench.heartbeat(connection, true);
    }
    assert_eq!(bench.event_codes(), ["GAME_SESSION_ACTIVATION_TIMEOUT"]);
}

#[test]
fn a_good_life_has_no_events() {
    let mut bench = Bench::new();
    let (connection, _) = bench.hosting("p");
    bench.wait_s(60);
    bench.heartbeat(connection, true);
    bench.ok(connection, "TerminateServerProcess", json!({}));
    bench.disconnect(connection);
    bench.wait_s(3_600);
    assert_eq!(bench.event_codes(), [""; 0]);
}

#[test]
fn the_end_of_a_fleet_is_recorded_step_by_step() {
    let mut bench = Bench::new();
    bench.delete_fleet().unwrap();
    bench.wait_s(0);
    assert_eq!(
        bench.event_codes(),
        ["LOCATION_STATE_DELETING", "LOCATION_STATE_DELETED", "FLEET_DELETED"],
        "in {LOCATION}"
    );
}
