//! Auth tokens, and who may connect.

use gamelift_local::model::*;
use serde_json::json;

use crate::bench::{Bench, COMPUTE, LOCATION, input};

fn token(bench: &mut Bench) -> GetComputeAuthTokenOutput {
    let body = json!({ "FleetId": bench.fleet, "ComputeName": COMPUTE });
    bench.engine.get_compute_auth_token(bench.now, input(body)).unwrap()
}

#[test]
fn a_token_is_repeated_until_less_than_15_minutes_remain() {
    let mut bench = Bench::new();
    let first = token(&mut bench).auth_token;
    bench.wait_s(3 * 3600 - 15 * 60);
    assert_eq!(token(&mut bench).auth_token, first);
    bench.wait_s(1);
    assert_ne!(token(&mut bench).auth_token, first);
    let query = bench.query("p", "i");
    assert!(bench.try_connect(query).is_ok(), "the old token lives until its own end");
}

#[test]
fn an_expired_token_is_forbidden_and_no_live_connection_is_cut() {
    let mut bench = Bench::new();
    let connection = bench.ready("p");
    for _ in 0..181 {
        bench.wait_s(60);
        bench.heartbeat(connection, true);
    }
    assert_eq!(bench.closed(), []);
    let query = bench.query("q", "i");
    assert_eq!(bench.try_connect(query).unwrap_err().status, 403);
}

#[test]
fn wrong_missing_and_foreign_tokens_are_forbidden() {
    let mut bench = Bench::new();
    let body = json!({ "FleetId": bench.fleet, "ComputeName": "other", "IpAddress": "1.1.1.1", "Location": LOCATION });
    bench.engine.register_compute(bench.now, input(body)).unwrap();
    let mut query = bench.query("p", "i");
    query.compute_id = "other".to_owned();
    assert_eq!(bench.try_connect(query).unwrap_err().status, 403);
    let mut query = bench.query("p", "i");
    query.authorization = gamelift_wire::connect::Authorization::None;
    assert_eq!(bench.try_connect(query).unwrap_err().status, 403);
    bench.token = "wrong".to_owned();
    let query = bench.query("p", "i");
    let refused = bench.try_connect(query).unwrap_err();
    assert_eq!(refused.status, 403);
    assert!(!refused.message.contains("wrong"), "a token is never repeated");
}

#[test]
fn unknown_fleets_and_computes_are_not_found() {
    let mut bench = Bench::new();
    let mut query = bench.query("p", "i");
    query.fleet_id = "fleet-none".to_owned();
    assert_eq!(bench.try_connect(query).unwrap_err().status, 404);
    let mut query = bench.query("p", "i");
    query.compute_id = "none".to_owned();
    assert_eq!(bench.try_connect(query).unwrap_err().status, 404);
}

#[test]
fn a_deregistered_compute_ends_its_processes() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    let body = json!({ "FleetId": bench.fleet, "ComputeName": COMPUTE });
    bench.engine.deregister_compute(bench.now, input(body)).unwrap();
    assert_eq!(bench.status(&arn), GameSessionStatus::Terminated);
    assert_eq!(bench.closed(), [(connection, Some(1008))]);
    let query = bench.query("p", "i");
    assert_eq!(bench.try_connect(query).unwrap_err().status, 404);
}
