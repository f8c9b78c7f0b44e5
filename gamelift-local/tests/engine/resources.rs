//! Locations, fleets and computes.

use gamelift_local::ErrorKind::{self, Conflict, InvalidRequest, LimitExceeded, NotFound};
use serde_json::json;

use crate::bench::{Bench, COMPUTE, LOCATION, input, kind};

#[test]
fn locations_have_names_that_follow_the_rules_and_are_taken_once() {
    let mut bench = Bench::new();
    let mut create = |name: serde_json::Value| {
        kind(bench.engine.create_location(bench.now, input(json!({ "LocationName": name }))))
    };
    for bad in [
        json!(null),
        json!("laptop"),
        json!("custom-"),
        json!("custom-my_laptop"),
        json!("custom-".to_owned() + &"x".repeat(58)),
    ] {
        assert_eq!(create(bad.clone()), Some(InvalidRequest), "{bad}");
    }
    assert_eq!(create(json!(LOCATION)), Some(Conflict));
    for n in 0..19 {
        assert_eq!(create(json!(format!("custom-{n:02}"))), None);
    }
    assert_eq!(create(json!("custom-one-more")), Some(LimitExceeded));
}

#[test]
fn a_location_in_use_stays() {
    let mut bench = Bench::new();
    let delete = |bench: &mut Bench, name: &str| {
        kind(bench.engine.delete_location(bench.now, input(json!({ "LocationName": name }))))
    };
    assert_eq!(delete(&mut bench, LOCATION), Some(InvalidRequest));
    assert_eq!(delete(&mut bench, "custom-none"), Some(NotFound));
    let body = input(json!({ "LocationName": "custom-spare" }));
    let spare = bench.engine.create_location(bench.now, body).unwrap().location.location_arn;
    assert_eq!(delete(&mut bench, &spare), None);
}

#[test]
fn only_anywhere_fleets_with_existing_custom_locations_are_made() {
    let mut bench = Bench::new();
    let good = json!({ "Name": "f", "ComputeType": "ANYWHERE", "Locations": [{ "Location": LOCATION }] });
    for (field, value, expected) in [
        ("ComputeType", json!("EC2"), "ANYWHERE"),
        ("ComputeType", json!(null), "ANYWHERE"),
        ("ComputeType", json!("MOON"), "computeType"),
        ("Locations", json!(null), "Locations"),
        ("Locations", json!([]), "locations"),
        ("Locations", json!([{ "Location": "us-west-2" }]), "us-west-2"),
        ("Locations", json!([{ "Location": "custom-none" }]), "custom-none"),
        ("Locations", json!([{}]), "locations.location"),
        ("AnywhereConfiguration", json!({ "Cost": "cheap" }), "anywhereConfiguration.cost"),
        ("BuildId", json!("build-1"), "BuildId"),
        ("EC2InstanceType", json!("c5.large"), "EC2InstanceType"),
        ("Name", json!(null), "name"),
        ("Name", json!("n".repeat(1025)), "name"),
        ("RuntimeConfiguration", json!({ "GameSessionActivationTimeoutSeconds": 601 }), "601"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let error = bench.engine.create_fleet(bench.now, input(body)).unwrap_err();
        assert_eq!(error.kind, InvalidRequest, "{error}");
        assert!(error.message.contains(expected), "{error}");
    }
}

#[test]
fn a_fleet_is_found_by_id_and_by_arn() {
    let mut bench = Bench::new();
    let with_account = format!("arn:aws:gamelift:us-west-2:123456789012:fleet/{}", bench.fleet);
    let without = format!("arn:aws:gamelift:us-west-2::fleet/{}", bench.fleet);
    let ids = json!({ "FleetIds": [bench.fleet, with_account, without, "fleet-none"] });
    let found = bench.engine.describe_fleet_attributes(bench.now, input(ids)).unwrap().fleet_attributes;
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|fleet| fleet.fleet_id == bench.fleet));
}

#[test]
fn lists_have_pages_whose_tokens_work_for_their_own_operation_only() {
    let mut bench = Bench::new();
    for n in 0..3 {
        let body = json!({ "Name": n.to_string(), "ComputeType": "ANYWHERE", "Locations": [{ "Location": LOCATION }] });
        bench.engine.create_fleet(bench.now, input(body)).unwrap();
    }
    let first = bench.engine.list_fleets(bench.now, input(json!({ "Limit": 3 }))).unwrap();
    let token = first.next_token.unwrap();
    let rest = bench.engine.list_fleets(bench.now, input(json!({ "NextToken": token }))).unwrap();
    assert_eq!((first.fleet_ids.len(), rest.fleet_ids.len(), rest.next_token), (3, 1, None));
    let foreign = bench.engine.describe_fleet_attributes(bench.now, input(json!({ "NextToken": token })));
    assert_eq!(kind(foreign), Some(InvalidRequest));
    assert_eq!(kind(bench.engine.list_fleets(bench.now, input(json!({ "Limit": 0 })))), Some(InvalidRequest));
}

#[test]
fn a_compute_is_registered_once_with_an_address_in_one_of_the_fleets_locations() {
    let mut bench = Bench::new();
    let good =
        json!({ "FleetId": bench.fleet, "ComputeName": "new", "IpAddress": "::1", "Location": LOCATION });
    let cases: [(&str, serde_json::Value, ErrorKind); 7] = [
        ("ComputeName", json!(COMPUTE), Conflict),
        ("ComputeName", json!("a b"), InvalidRequest),
        ("IpAddress", json!(null), InvalidRequest),
        ("IpAddress", json!("host"), InvalidRequest),
        ("Location", json!(null), InvalidRequest),
        ("Location", json!("custom-none"), InvalidRequest),
        ("FleetId", json!("fleet-none"), InvalidRequest),
    ];
    for (field, value, expected) in cases {
        let mut body = good.clone();
        body[field] = value;
        assert_eq!(kind(bench.engine.register_compute(bench.now, input(body))), Some(expected), "{field}");
    }
    let compute = bench.engine.register_compute(bench.now, input(good)).unwrap().compute;
    assert_eq!(compute.compute_status, "Active");
    assert_eq!(compute.compute_arn, "arn:aws:gamelift:us-west-2:123456789012:compute/new");
    assert_eq!(compute.game_lift_service_sdk_endpoint, "ws://127.0.0.1:9081");
}

#[test]
fn computes_are_described_by_name_and_arn_and_listed_by_location() {
    let mut bench = Bench::new();
    for name in [COMPUTE, "arn:aws:gamelift:us-west-2:123456789012:compute/box"] {
        let body = json!({ "FleetId": bench.fleet, "ComputeName": name });
        assert_eq!(
            bench.engine.describe_compute(bench.now, input(body)).unwrap().compute.compute_name,
            COMPUTE
        );
    }
    let body = json!({ "FleetId": bench.fleet, "ComputeName": "none" });
    assert_eq!(kind(bench.engine.describe_compute(bench.now, input(body))), Some(NotFound));
    let list = |bench: &mut Bench, body| {
        bench.engine.list_compute(bench.now, input(body)).map(|output| output.compute_list.len())
    };
    let fleet = bench.fleet.clone();
    assert_eq!(list(&mut bench, json!({ "FleetId": fleet })), Ok(1));
    assert_eq!(list(&mut bench, json!({ "FleetId": fleet, "Location": "custom-else" })), Ok(0));
    assert_eq!(kind(list(&mut bench, json!({ "FleetId": "fleet-none" }))), Some(InvalidRequest));
}

#[test]
fn a_fleet_gets_more_locations_and_placements_that_wait_may_use_them() {
    let mut bench = Bench::new();
    bench.queue();
    bench.place("x");
    let fleet = bench.fleet.clone();
    for name in ["custom-b", "custom-c"] {
        bench.engine.create_location(bench.now, input(json!({ "LocationName": name }))).unwrap();
    }
    let add = |bench: &mut Bench, names: &[&str]| {
        let named: Vec<_> = names.iter().map(|name| json!({ "Location": name })).collect();
        let body = json!({ "FleetId": fleet, "Locations": named });
        bench.engine.create_fleet_locations(bench.now, input(body))
    };
    let states = add(&mut bench, &["custom-c", "custom-b"]).unwrap().location_states;
    let states = serde_json::to_value(states).unwrap();
    assert_eq!(states[0], json!({ "Location": "custom-c", "Status": "NEW" }));
    assert_eq!(kind(add(&mut bench, &["custom-b"])), Some(Conflict));
    assert_eq!(kind(add(&mut bench, &["custom-none"])), Some(InvalidRequest));
    assert_eq!(kind(add(&mut bench, &[])), Some(InvalidRequest));

    let describe = |bench: &mut Bench, body: serde_json::Value| {
        let output = bench.engine.describe_fleet_location_attributes(bench.now, input(body)).unwrap();
        let names = output.location_attributes.into_iter().map(|one| one.location_state.location);
        names.collect::<Vec<_>>()
    };
    assert_eq!(describe(&mut bench, json!({ "FleetId": fleet })), ["custom-b", "custom-c", LOCATION]);
    let wanted = json!({ "FleetId": fleet, "Locations": ["custom-c", "custom-none", "custom-b"] });
    assert_eq!(describe(&mut bench, wanted), ["custom-c", "custom-b"]);

    let compute =
        json!({ "FleetId": fleet, "ComputeName": "custom-b", "IpAddress": "::1", "Location": "custom-b" });
    bench.engine.register_compute(bench.now, input(compute)).unwrap();
    bench.ready_at(&fleet, "custom-b", "p");
    assert_eq!(bench.placed_in("x").as_deref(), Some("custom-b"));
}

#[test]
fn a_fleet_has_ten_locations_at_most() {
    let mut bench = Bench::new();
    for n in 0..10 {
        let body = json!({ "LocationName": format!("custom-{n:02}") });
        bench.engine.create_location(bench.now, input(body)).unwrap();
        let location = json!({ "Location": format!("custom-{n:02}") });
        let body = input(json!({ "FleetId": bench.fleet, "Locations": [location] }));
        let expected = (n == 9).then_some(LimitExceeded);
        assert_eq!(kind(bench.engine.create_fleet_locations(bench.now, body)), expected);
    }
}
