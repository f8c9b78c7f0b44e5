//! Server processes: connections, health, pushes, ends.

use gamelift_local::{ErrorKind, model::*};
use serde_json::json;

use crate::bench::{Bench, kind};

#[test]
fn a_game_session_goes_only_to_a_process_that_is_ready_heard_connected_and_free() {
    let mut bench = Bench::new();
    let connection = bench.connect("p");
    assert_eq!(kind(bench.try_create(json!({}))), Some(ErrorKind::FleetCapacityExceeded), "connected only");
    bench.activate(connection);
    assert_eq!(kind(bench.try_create(json!({}))), Some(ErrorKind::FleetCapacityExceeded), "not heard");
    bench.heartbeat(connection, true);
    bench.disconnect(connection);
    assert_eq!(kind(bench.try_create(json!({}))), Some(ErrorKind::FleetCapacityExceeded), "disconnected");
    let connection = bench.connect("p");
    let arn = bench.create();
    let pushes = bench.pushes();
    assert_eq!(pushes.len(), 1);
    assert_eq!((pushes[0].0, &pushes[0].1["GameSessionId"]), (connection, &json!(arn)));
    assert_eq!(kind(bench.try_create(json!({}))), Some(ErrorKind::FleetCapacityExceeded), "busy");
}

#[test]
fn a_closed_socket_is_not_the_end_of_a_process() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    bench.disconnect(connection);
    bench.wait_s(100);
    let connection = bench.connect("p");
    bench.heartbeat(connection, true);
    assert_eq!(bench.status(&arn), GameSessionStatus::Active);
}

#[test]
fn pushes_wait_for_a_process_without_connection_and_arrive_in_order() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    bench.disconnect(connection);
    bench.terminate(&arn).unwrap();
    assert_eq!(bench.push_actions(), Vec::<String>::new());
    let connection = bench.connect("p");
    let pushes = bench.pushes();
    assert_eq!(pushes.len(), 1);
    assert_eq!((pushes[0].0, &pushes[0].1["Action"]), (connection, &json!("TerminateProcess")));
}

#[test]
fn an_undelivered_push_goes_to_the_next_connection() {
    let mut bench = Bench::new();
    let (old, arn) = bench.hosting("p");
    bench.terminate(&arn).unwrap();
    let push = bench.pushes().remove(0).1.to_string();
    bench.engine.sdk_undelivered(bench.now, old, push, true);
    bench.connect("p");
    assert_eq!(bench.push_actions(), ["TerminateProcess"]);
}

#[test]
fn pushes_go_to_the_newest_connection_and_fall_back_when_it_closes() {
    let mut bench = Bench::new();
    let old = bench.ready("p");
    let query = bench.query("p", "another");
    let new = bench.try_connect(query).unwrap();
    bench.create();
    assert_eq!(bench.pushes()[0].0, new);
    bench.disconnect(new);
    bench.ok(old, "HeartbeatServerProcess", json!({ "HealthStatus": true }));
    bench.engine.refresh_connections(bench.now);
    assert_eq!(bench.pushes()[0].0, old);
}

#[test]
fn three_missed_heartbeats_end_the_game_session_and_push_terminate_process() {
    let mut bench = Bench::new();
    let (_, arn) = bench.hosting("p");
    bench.wait_s(209);
    assert_eq!(bench.status(&arn), GameSessionStatus::Active);
    assert_eq!(bench.push_actions(), Vec::<String>::new());
    bench.wait_s(1);
    assert_eq!(bench.status(&arn), GameSessionStatus::Terminated);
    assert_eq!(bench.push_actions(), ["TerminateProcess"]);
}

#[test]
fn three_unhealthy_reports_in_a_row_do_the_same() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    bench.heartbeat(connection, false);
    bench.heartbeat(connection, false);
    bench.heartbeat(connection, true);
    bench.heartbeat(connection, false);
    bench.heartbeat(connection, false);
    assert_eq!(bench.status(&arn), GameSessionStatus::Active);
    bench.heartbeat(connection, false);
    assert_eq!(bench.status(&arn), GameSessionStatus::Terminated);
    assert_eq!(bench.push_actions(), ["TerminateProcess"]);
    bench.heartbeat(connection, true);
    assert_eq!(kind(bench.try_create(json!({}))), Some(ErrorKind::FleetCapacityExceeded));
}

#[test]
fn a_process_that_was_given_up_is_over_after_five_minutes() {
    let mut bench = Bench::new();
    let connection = bench.ready("p");
    for _ in 0..3 {
        bench.heartbeat(connection, false);
    }
    bench.wait_s(299);
    bench.heartbeat(connection, true);
    bench.wait_s(1);
    let message = bench.refused(connection, "HeartbeatServerProcess", json!({ "HealthStatus": true }), 400);
    assert!(message.contains("has ended"), "{message}");
}

#[test]
fn a_process_can_be_ready_only_once() {
    let mut bench = Bench::new();
    let connection = bench.connect("p");
    let body = json!({ "Port": 7777 });
    let first = bench.ask_as(connection, "same", "ActivateServerProcess", body.clone());
    let again = bench.ask_as(connection, "same", "ActivateServerProcess", body.clone());
    assert_eq!(first, again);
    bench.refused(connection, "ActivateServerProcess", body, 409);
}

#[test]
fn a_process_started_again_under_the_same_id_takes_over() {
    let mut bench = Bench::new();
    let (old, arn) = bench.hosting("p");
    bench.disconnect(old);
    let query = bench.query("p", "second-start");
    let new = bench.try_connect(query).unwrap();
    assert_eq!(bench.status(&arn), GameSessionStatus::Active, "it may still be a reconnect");
    bench.activate(new);
    assert_eq!(bench.status(&arn), GameSessionStatus::Terminated);
    bench.heartbeat(new, true);
    bench.create();
}

#[test]
fn a_process_that_has_ended_can_be_ready_again() {
    let mut bench = Bench::new();
    let connection = bench.ready("p");
    bench.ok(connection, "TerminateServerProcess", json!({}));
    bench.refused(connection, "HeartbeatServerProcess", json!({ "HealthStatus": true }), 400);
    bench.activate(connection);
    bench.heartbeat(connection, true);
    bench.create();
}

#[test]
fn ports_outside_1_to_60000_are_refused() {
    let mut bench = Bench::new();
    let connection = bench.connect("p");
    for port in [0, -1, 60_001, 70_000, i64::MAX] {
        let message = bench.refused(connection, "ActivateServerProcess", json!({ "Port": port }), 400);
        assert!(message.contains(&port.to_string()), "{message}");
    }
    bench.ok(connection, "ActivateServerProcess", json!({ "Port": 60_000 }));
}

#[test]
fn before_process_ready_everything_else_is_refused() {
    let mut bench = Bench::new();
    let connection = bench.connect("p");
    let message = bench.refused(connection, "HeartbeatServerProcess", json!({ "HealthStatus": true }), 400);
    assert!(message.contains("ProcessReady"), "{message}");
}

#[test]
fn a_refresh_gives_every_process_a_token_that_works() {
    let mut bench = Bench::new();
    let old = bench.ready("p");
    assert_eq!(bench.engine.refresh_connections(bench.now), 1);
    let push = bench.pushes().remove(0).1;
    assert_eq!(push["Action"], "RefreshConnection");
    assert_eq!(push["RefreshConnectionEndpoint"], "ws://127.0.0.1:9081");
    bench.token = push["AuthToken"].as_str().unwrap().to_owned();
    let query = bench.query("p", "refreshed");
    let new = bench.try_connect(query).unwrap();
    bench.disconnect(old);
    bench.heartbeat(new, true);
    bench.create();
}

#[test]
fn dropped_connections_are_closed_with_the_code_asked_for() {
    let mut bench = Bench::new();
    let (a, b) = (bench.ready("a"), bench.ready("b"));
    assert_eq!(bench.engine.drop_connections(bench.now, Some(1011)), 2);
    assert_eq!(bench.closed(), [(a, Some(1011)), (b, Some(1011))]);
    assert_eq!(kind(bench.try_create(json!({}))), Some(ErrorKind::FleetCapacityExceeded));
}

#[test]
fn a_process_is_forgotten_when_nobody_needs_it() {
    let mut bench = Bench::new();
    let connection = bench.ready("p");
    bench.ok(connection, "TerminateServerProcess", json!({}));
    bench.disconnect(connection);
    assert_eq!(bench.engine.snapshot(bench.now).process_count, 1);
    bench.wait_s(601);
    assert_eq!(bench.engine.snapshot(bench.now).process_count, 0);
}

#[test]
fn the_seventeenth_connection_of_a_process_closes_the_first() {
    let mut bench = Bench::new();
    let first = bench.ready("p");
    for n in 0..16 {
        let query = bench.query("p", &n.to_string());
        bench.try_connect(query).unwrap();
    }
    assert_eq!(bench.closed(), [(first, Some(1012))]);
}
