//! The admin side through its own client: trouble for one server process.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::{collections::BTreeMap, time::Duration};

use gamelift_local::{
    Attached, Clock, Config, FromService, Local, SdkFaultRates,
    client::{Client, ClientError, ProcessSelector},
};
use serde_json::{Value, json};
use tokio::time::timeout;

/// Nothing on loopback takes so long.
const LONG: Duration = Duration::from_secs(20);

async fn start() -> (Local, Client) {
    let config = Config { observe: true, clock: Clock::Manual, seed: Some(1), ..Config::on_free_ports() };
    let local = Local::start(config).await.unwrap();
    let client = Client::new(local.admin_endpoint()).unwrap();
    (local, client)
}

async fn connect(local: &Local, id: &str) -> Attached {
    let defaults = local.defaults();
    let query = format!(
        "Authorization={}&ComputeId={}&FleetId={}&pID={id}",
        defaults.auth_token, defaults.compute_name, defaults.fleet_id
    );
    local.attach(&query).await.unwrap()
}

async fn next(process: &mut Attached) -> FromService {
    timeout(LONG, process.from_service.recv()).await.expect("in time").expect("an open connection")
}

async fn frame(process: &mut Attached) -> Value {
    match next(process).await {
        FromService::Text(text) => serde_json::from_str(&text).unwrap(),
        FromService::Closed(code) => panic!("closed with {code:?}"),
    }
}

async fn send(process: &Attached, action: &str, id: &str, members: Value) {
    let mut request = json!({ "Action": action, "RequestId": id });
    request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    process.to_service.send(request.to_string()).await.unwrap();
}

async fn ready(local: &Local, id: &str) -> Attached {
    let mut process = connect(local, id).await;
    send(&process, "ActivateServerProcess", "1", json!({ "Port": 7777 })).await;
    frame(&mut process).await;
    send(&process, "HeartbeatServerProcess", "2", json!({ "HealthStatus": true })).await;
    frame(&mut process).await;
    process
}

fn rule(action: &str, rates: Value) -> BTreeMap<String, SdkFaultRates> {
    BTreeMap::from([(action.to_owned(), serde_json::from_value(rates).unwrap())])
}

#[tokio::test]
async fn one_process_is_dropped_and_the_others_are_left_alone() {
    let (local, client) = start().await;
    let (mut one, mut other) = (ready(&local, "one").await, ready(&local, "other").await);
    assert_eq!(client.drop_process(&ProcessSelector::id("one"), Some(1012)).await.unwrap(), 1);
    assert_eq!(next(&mut one).await, FromService::Closed(Some(1012)));
    client.refresh(&ProcessSelector::id("other")).await.unwrap();
    assert_eq!(frame(&mut other).await["Action"], "RefreshConnection");
    let state = client.state().await.unwrap();
    let seen: Vec<_> = state.processes.iter().map(|one| (&*one.process_id, one.connection_count)).collect();
    assert_eq!(seen, [("one", 0), ("other", 1)]);
    assert_eq!(client.drop_process(&ProcessSelector::id("other"), None).await.unwrap(), 1);
    assert_eq!(next(&mut other).await, FromService::Closed(None));
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_the_reason() {
    let (local, client) = start().await;
    let _process = connect(&local, "a/b?c").await;
    let refused = |result: Result<(), ClientError>| match result.unwrap_err() {
        ClientError::Refused { status, message } => (status, message),
        error => panic!("{error}"),
    };
    assert_eq!(refused(client.terminate(&ProcessSelector::id("nobody")).await).0, 404);
    let (status, message) = refused(client.terminate(&ProcessSelector::id("a/b?c")).await);
    assert_eq!((status, message.contains("is not ready")), (409, true), "{message}");
    let mut elsewhere = ProcessSelector::id("a/b?c");
    elsewhere.fleet_id = Some("fleet-none".to_owned());
    assert_eq!(refused(client.refresh(&elsewhere).await).0, 404);
    assert_eq!(
        refused(client.drop_process(&ProcessSelector::id("a/b?c"), Some(1005)).await.map(drop)).0,
        400
    );
    client.refresh(&ProcessSelector::id("a/b?c")).await.unwrap();
    let rules = rule("A", json!({ "refuse": 2 }));
    assert_eq!(refused(client.set_sdk_faults(&rules, None).await.map(drop)).0, 400);
    assert!(matches!(Client::new("127.0.0.1:9082").unwrap_err(), ClientError::Url(_)));
}

#[tokio::test]
async fn a_process_is_asked_to_end_with_five_minutes_notice_or_two() {
    let (local, client) = start().await;
    let (mut one, mut other) = (ready(&local, "one").await, ready(&local, "other").await);
    let now = client.state().await.unwrap().now;
    client.terminate(&ProcessSelector::id("one")).await.unwrap();
    client.interrupt(&ProcessSelector::id("other")).await.unwrap();
    for (process, notice) in [(&mut one, 300.0), (&mut other, 120.0)] {
        let push = frame(process).await;
        assert_eq!(push["Action"], "TerminateProcess");
        let due = push["TerminationTime"].as_f64().unwrap() / 1000.0;
        assert!((due - now - notice).abs() < 0.01, "{push}");
    }
}

#[tokio::test]
async fn an_interruption_ends_what_the_process_hosts() {
    let (local, client) = start().await;
    let mut process = ready(&local, "p").await;
    let input = json!({
        "FleetId": local.defaults().fleet_id, "Location": local.defaults().location, "MaximumPlayerSessionCount": 2,
    });
    let made = local.call("CreateGameSession", input).await.unwrap();
    let id = &made["GameSession"]["GameSessionId"];
    frame(&mut process).await;
    send(&process, "ActivateGameSession", "3", json!({ "GameSessionId": id })).await;
    frame(&mut process).await;
    client.interrupt(&ProcessSelector::id("p")).await.unwrap();
    for (seconds, status) in [(119, "ACTIVE"), (1, "TERMINATED")] {
        client.advance(Duration::from_secs(seconds)).await.unwrap();
        let found = local.call("DescribeGameSessions", json!({ "GameSessionId": id })).await.unwrap();
        assert_eq!(found["GameSessions"][0]["Status"], status);
    }
}

#[tokio::test]
async fn answers_are_refused_delayed_garbled_and_lost_to_order() {
    let (local, client) = start().await;
    let mut process = connect(&local, "p").await;
    let refuse = rule("ActivateServerProcess", json!({ "refuse": 1, "status": 503 }));
    client.set_sdk_faults(&refuse, Some(1)).await.unwrap();
    send(&process, "ActivateServerProcess", "1", json!({ "Port": 7777 })).await;
    let refused = frame(&mut process).await;
    assert_eq!((&refused["StatusCode"], &refused["RequestId"]), (&json!(503), &json!("1")));
    assert_eq!(client.state().await.unwrap().processes[0].state, "ACTIVATING", "without effect");

    let delay = rule("*", json!({ "delay": 1, "delaySeconds": 10 }));
    client.set_sdk_faults(&delay, None).await.unwrap();
    send(&process, "ActivateServerProcess", "2", json!({ "Port": 7777 })).await;
    while client.state().await.unwrap().processes[0].state != "ACTIVE" {}
    client.advance(Duration::from_secs(9)).await.unwrap();
    assert!(process.from_service.try_recv().is_err(), "not before its time");
    client.advance(Duration::from_secs(1)).await.unwrap();
    assert_eq!(frame(&mut process).await["RequestId"], "2");

    client.set_sdk_faults(&rule("*", json!({ "garble": 1 })), None).await.unwrap();
    send(&process, "HeartbeatServerProcess", "3", json!({ "HealthStatus": true })).await;
    let FromService::Text(text) = next(&mut process).await else { panic!("closed") };
    assert!(serde_json::from_str::<Value>(&text).is_err(), "{text}");

    client.set_sdk_faults(&rule("*", json!({ "lose": 1 })), None).await.unwrap();
    send(&process, "HeartbeatServerProcess", "4", json!({ "HealthStatus": true })).await;
    let lost = async { while client.sdk_faults().await.unwrap().counts.get("lost") != Some(&1) {} };
    timeout(LONG, lost).await.unwrap();
    let faults = client.set_sdk_faults(&BTreeMap::new(), None).await.unwrap();
    assert_eq!(faults.counts.values().sum::<u64>(), 4);
    send(&process, "HeartbeatServerProcess", "5", json!({ "HealthStatus": true })).await;
    assert_eq!(frame(&mut process).await["RequestId"], "5", "and 4 never came");
}

#[tokio::test]
async fn the_log_can_be_read_and_followed() {
    let (local, client) = start().await;
    let mut lines = client.follow_log().await.unwrap();
    let _process = ready(&local, "p").await;
    let first = timeout(LONG, lines.next()).await.unwrap().unwrap().unwrap();
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!((&first["kind"], &first["process"]["processId"]), (&json!("connected"), &json!("p")));
    let log = client.log().await.unwrap();
    assert_eq!(log[0], first);
    client.advance(Duration::from_secs(130)).await.unwrap();
    let findings = client.findings().await.unwrap();
    assert_eq!(findings[0].event_code.as_deref(), Some("SERVER_PROCESS_TERMINATED_UNHEALTHY"));
    timeout(LONG, local.shutdown()).await.unwrap();
    let end = async { while lines.next().await.unwrap().is_some() {} };
    timeout(LONG, end).await.unwrap();
}

#[tokio::test]
async fn without_a_watcher_the_log_and_the_doctor_say_so() {
    let local = Local::start(Config::on_free_ports()).await.unwrap();
    let client = Client::new(local.admin_endpoint()).unwrap();
    for error in [client.log().await.map(drop), client.findings().await.map(drop)] {
        assert!(matches!(error.unwrap_err(), ClientError::Refused { status: 404, .. }));
    }
}
