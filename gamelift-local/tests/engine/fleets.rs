//! Fleets after their creation: changes, utilization, the end of fleets and locations.

use gamelift_local::{
    ApiError,
    ErrorKind::{self, Conflict, InvalidFleetStatus, InvalidRequest, LimitExceeded, NotFound},
    model::*,
};
use serde_json::{Value, json};

use crate::bench::{Bench, COMPUTE, LOCATION, input, kind};

impl Bench {
    pub(crate) fn attributes(&mut self, fleet: &str) -> FleetAttributes {
        let body = json!({ "FleetIds": [fleet] });
        self.engine.describe_fleet_attributes(self.now, input(body)).unwrap().fleet_attributes.remove(0)
    }

    fn update(&mut self, more: Value) -> Result<(), ApiError> {
        let mut body = json!({ "FleetId": self.fleet });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.engine.update_fleet_attributes(self.now, input(body)).map(drop)
    }

    pub(crate) fn delete_fleet(&mut self) -> Result<(), ApiError> {
        self.engine.delete_fleet(self.now, input(json!({ "FleetId": self.fleet }))).map(drop)
    }

    fn locations(&mut self) -> Vec<(String, &'static str)> {
        let body = input(json!({ "FleetId": self.fleet }));
        let output = self.engine.describe_fleet_location_attributes(self.now, body).unwrap();
        let states = output.location_attributes.into_iter().map(|it| it.location_state);
        states.map(|state| (state.location, state.status.as_str())).collect()
    }

    fn delete_location_of_fleet(&mut self, location: &str) -> Result<(), ApiError> {
        let body = json!({ "FleetId": self.fleet, "Locations": [location] });
        self.engine.delete_fleet_locations(self.now, input(body)).map(drop)
    }
}

#[test]
fn an_update_changes_the_members_it_names_and_no_others() {
    let mut bench =
        Bench::with_fleet(json!({ "Description": "before", "AnywhereConfiguration": { "Cost": "1" } }));
    bench.update(json!({ "Name": "renamed", "AnywhereConfiguration": { "Cost": "2.5" } })).unwrap();
    let fleet = bench.fleet.clone();
    let after = bench.attributes(&fleet);
    assert_eq!((after.name.as_str(), after.description.as_deref()), ("renamed", Some("before")));
    assert_eq!(after.anywhere_configuration.unwrap().cost.as_deref(), Some("2.5"));
    assert_eq!(after.new_game_session_protection_policy, ProtectionPolicy::NoProtection);
}

#[test]
fn what_only_managed_fleets_have_is_refused_with_a_reason() {
    let mut bench = Bench::new();
    let fleet = bench.fleet.clone();
    let (now, engine) = (bench.now, &mut bench.engine);
    let one = json!({ "FleetId": fleet });
    let place = json!({ "FleetId": fleet, "Location": LOCATION });
    let compute = json!({ "FleetId": fleet, "ComputeName": COMPUTE });
    let list = json!({ "FleetIds": [fleet] });
    let answers: [Result<(), ApiError>; 7] = [
        engine.describe_fleet_capacity(now, input(list.clone())).map(drop),
        engine.describe_fleet_utilization(now, input(list)).map(drop),
        engine.describe_fleet_location_capacity(now, input(place)).map(drop),
        engine.update_fleet_capacity(now, input(one.clone())).map(drop),
        engine.describe_fleet_port_settings(now, input(one.clone())).map(drop),
        engine.update_fleet_port_settings(now, input(one)).map(drop),
        engine.get_compute_access(now, input(compute)).map(drop),
    ];
    for answer in answers {
        let error = answer.unwrap_err();
        assert_eq!(error.kind, InvalidRequest);
        assert!(error.message.contains("is not supported for fleet fleet-"), "{error}");
    }
    let none = json!({ "FleetId": "fleet-none" });
    assert_eq!(kind(engine.update_fleet_capacity(now, input(none))), Some(NotFound));
    let unknown = json!({ "FleetIds": ["fleet-none"] });
    assert_eq!(engine.describe_fleet_capacity(now, input(unknown)).unwrap().fleet_capacity, []);
}

#[test]
fn utilization_counts_what_is_in_the_location() {
    let mut bench = Bench::new();
    let (_, arn) = bench.hosting("busy");
    bench.ready("idle");
    bench.join(&arn, "ada");
    let body = json!({ "FleetId": bench.fleet, "Location": LOCATION });
    let output = bench.engine.describe_fleet_location_utilization(bench.now, input(body)).unwrap();
    let found = output.fleet_utilization;
    assert_eq!((found.active_server_process_count, found.active_game_session_count), (2, 1));
    assert_eq!((found.current_player_session_count, found.maximum_player_session_count), (1, 2));
    let body = json!({ "FleetId": bench.fleet, "Location": "custom-nowhere" });
    assert_eq!(
        kind(bench.engine.describe_fleet_location_utilization(bench.now, input(body))),
        Some(InvalidRequest)
    );
}

#[test]
fn a_runtime_configuration_has_defaults_and_its_changes_hold_for_new_game_sessions() {
    let mut bench = Bench::new();
    let one = json!({ "FleetId": bench.fleet });
    let found = bench.engine.describe_runtime_configuration(bench.now, input(one)).unwrap();
    let found = serde_json::to_value(found.runtime_configuration).unwrap();
    let defaults = json!({
        "GameSessionActivationTimeoutSeconds": 300, "MaxConcurrentGameSessionActivations": 2_147_483_647,
    });
    assert_eq!(found, defaults);
    bench.ready("p");
    let body = json!({
        "FleetId": bench.fleet, "RuntimeConfiguration": { "GameSessionActivationTimeoutSeconds": 10 },
    });
    bench.engine.update_runtime_configuration(bench.now, input(body)).unwrap();
    let arn = bench.create();
    bench.wait_s(10);
    assert_eq!(bench.status(&arn), GameSessionStatus::Terminated);
}

#[test]
fn no_more_game_sessions_activate_at_a_time_than_the_runtime_configuration_allows() {
    let more = json!({ "RuntimeConfiguration": { "MaxConcurrentGameSessionActivations": 1 } });
    let mut bench = Bench::with_fleet(more);
    let first = bench.ready("first");
    bench.ready("second");
    let arn = bench.create();
    let full = Some(ErrorKind::FleetCapacityExceeded);
    assert_eq!(kind(bench.try_create(json!({}))), full);
    bench.ok(first, "ActivateGameSession", json!({ "GameSessionId": arn }));
    let second = bench.create();
    assert_eq!(kind(bench.try_create(json!({}))), full);
    bench.wait_s(300);
    assert_eq!(bench.status(&second), GameSessionStatus::Terminated);
    bench.ready("third");
    bench.create();
}

#[test]
fn a_placement_takes_the_room_that_a_terminated_activation_leaves() {
    let more = json!({ "RuntimeConfiguration": { "MaxConcurrentGameSessionActivations": 1 } });
    let mut bench = Bench::with_fleet(more);
    bench.queue();
    bench.ready("first");
    let arn = bench.create();
    bench.ready("second");
    bench.place("one");
    assert_eq!(bench.placed_in("one"), None, "one game session is ACTIVATING already");
    bench.terminate(&arn).unwrap();
    assert_eq!(bench.placed_in("one").as_deref(), Some(LOCATION));
}

#[test]
fn a_fleet_without_processes_is_terminated_at_once_and_forgotten_after_an_hour() {
    let mut bench = Bench::new();
    let fleet = bench.fleet.clone();
    bench.delete_fleet().unwrap();
    assert_eq!(bench.attributes(&fleet).status, FleetStatus::Deleting);
    bench.wait_s(0);
    let after = bench.attributes(&fleet);
    assert_eq!((after.status, after.termination_time), (FleetStatus::Terminated, Some(bench.now)));
    assert_eq!(kind(bench.delete_fleet()), Some(InvalidFleetStatus));
    bench.wait_s(3_600);
    assert_eq!(kind(bench.delete_fleet()), Some(NotFound));
}

#[test]
fn a_fleet_that_is_deleted_waits_five_minutes_for_its_processes_and_takes_nothing_new() {
    let mut bench = Bench::new();
    let fleet = bench.fleet.clone();
    let (connection, arn) = bench.hosting("p");
    bench.ready("idle");
    bench.delete_fleet().unwrap();
    assert_eq!(bench.push_actions(), ["TerminateProcess", "TerminateProcess"]);
    assert_eq!(kind(bench.try_create(json!({}))), Some(InvalidFleetStatus));
    assert_eq!(kind(bench.update(json!({ "Name": "n" }))), Some(InvalidFleetStatus));
    let body =
        json!({ "FleetId": fleet, "ComputeName": "new", "IpAddress": "10.0.0.9", "Location": LOCATION });
    assert_eq!(kind(bench.engine.register_compute(bench.now, input(body))), Some(InvalidRequest));
    let query = bench.query("new", "t");
    assert_eq!(bench.try_connect(query).unwrap_err().status, 404);
    for _ in 0..4 {
        bench.wait_s(60);
        bench.heartbeat(connection, true);
    }
    assert_eq!(bench.status(&arn), GameSessionStatus::Active, "it may play on for five minutes");
    bench.wait_s(60);
    assert_eq!(bench.status(&arn), GameSessionStatus::Terminated);
    assert_eq!(bench.attributes(&fleet).status, FleetStatus::Terminated);
    assert_eq!(bench.closed().len(), 2, "nobody is left on the line");
    let snapshot = bench.engine.snapshot(bench.now);
    assert_eq!((snapshot.process_count, snapshot.connection_count), (0, 0));
}

#[test]
fn a_process_hears_the_answer_to_its_process_ending_before_the_fleet_goes() {
    let mut bench = Bench::new();
    let fleet = bench.fleet.clone();
    let (connection, _) = bench.hosting("p");
    bench.delete_fleet().unwrap();
    bench.ok(connection, "TerminateServerProcess", json!({}));
    assert_eq!(bench.closed(), []);
    bench.wait_s(0);
    assert_eq!(bench.closed(), [(connection, Some(1008))]);
    assert_eq!(bench.attributes(&fleet).status, FleetStatus::Terminated);
}

#[test]
fn a_location_that_is_deleted_goes_with_its_computes_and_can_come_back() {
    let mut bench = Bench::new();
    assert_eq!(bench.locations(), [(LOCATION.to_owned(), "ACTIVE")]);
    let connection = bench.ready("p");
    assert_eq!(kind(bench.delete_location_of_fleet("custom-none")), Some(InvalidRequest));
    bench.delete_location_of_fleet(LOCATION).unwrap();
    assert_eq!(bench.locations(), [(LOCATION.to_owned(), "DELETING")]);
    assert_eq!(kind(bench.try_create(json!({}))), Some(ErrorKind::FleetCapacityExceeded));
    let body = json!({ "FleetId": bench.fleet, "Locations": [{ "Location": LOCATION }] });
    let again = bench.engine.create_fleet_locations(bench.now, input(body.clone()));
    assert_eq!(kind(again), Some(Conflict), "it is still there");
    bench.ok(connection, "TerminateServerProcess", json!({}));
    bench.wait_s(0);
    assert_eq!(bench.locations(), []);
    let lookup = json!({ "FleetId": bench.fleet, "ComputeName": COMPUTE });
    assert_eq!(kind(bench.engine.describe_compute(bench.now, input(lookup))), Some(NotFound));
    bench.engine.create_fleet_locations(bench.now, input(body)).unwrap();
    assert_eq!(bench.locations(), [(LOCATION.to_owned(), "ACTIVE")]);
}

#[test]
fn placements_that_wait_for_a_location_that_goes_find_another_one() {
    let mut bench = Bench::new();
    let fleet = bench.fleet.clone();
    let other = bench.add_fleet(None, &["custom-there"]);
    bench.try_queue("q", &[&fleet, &other], json!({})).unwrap();
    bench.place("one");
    bench.delete_location_of_fleet(LOCATION).unwrap();
    bench.wait_s(0);
    bench.ready_at(&other, "custom-there", "p");
    assert_eq!(bench.placed_in("one").as_deref(), Some("custom-there"));
}

#[test]
fn a_terminated_fleet_no_longer_counts_towards_the_limit() {
    let mut bench = Bench::new();
    let body = json!({ "Name": "f", "ComputeType": "ANYWHERE", "Locations": [{ "Location": LOCATION }] });
    for _ in 1..30 {
        bench.engine.create_fleet(bench.now, input(body.clone())).unwrap();
    }
    assert_eq!(kind(bench.engine.create_fleet(bench.now, input(body.clone()))), Some(LimitExceeded));
    bench.delete_fleet().unwrap();
    bench.wait_s(0);
    bench.engine.create_fleet(bench.now, input(body)).unwrap();
}
