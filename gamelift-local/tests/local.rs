//! The library as its users see it, on virtual time and without sockets.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::time::Duration;

use gamelift_local::{Attached, Clock, Config, ErrorKind, FromService, Local};
use serde_json::{Value, json};
use tokio::time::timeout;

/// Longer than anything here may take; on a paused clock it costs nothing.
const LONG: Duration = Duration::from_secs(3600);

fn query(local: &Local, process: &str) -> String {
    let defaults = local.defaults();
    format!(
        "Authorization={}&ComputeId={}&FleetId={}&IdempotencyToken=i&pID={process}&sdkLanguage=Rust&sdkVersion=5.6.0",
        defaults.auth_token, defaults.compute_name, defaults.fleet_id
    )
}

async fn next(process: &mut Attached) -> FromService {
    timeout(LONG, process.from_service.recv()).await.expect("in time").expect("an open connection")
}

async fn frame(process: &mut Attached) -> Value {
    match next(process).await {
        FromService::Text(text) => serde_json::from_str(&text).expect("frames are JSON"),
        FromService::Closed(code) => panic!("closed with {code:?}"),
    }
}

async fn ask(process: &mut Attached, action: &str, body: Value) -> Value {
    let mut request = json!({ "Action": action, "RequestId": action });
    for (key, value) in body.as_object().expect("an object") {
        request[key] = value.clone();
    }
    process.to_service.send(request.to_string()).await.expect("an open connection");
    frame(process).await
}

/// A process with an ACTIVE game session.
async fn hosting(local: &Local) -> (Attached, String) {
    let mut process = local.attach(&query(local, "p")).await.expect("a connection");
    ask(&mut process, "ActivateServerProcess", json!({ "Port": 7777 })).await;
    ask(&mut process, "HeartbeatServerProcess", json!({ "HealthStatus": true })).await;
    let defaults = local.defaults();
    let body = json!({
        "FleetId": defaults.fleet_id, "Location": defaults.location, "MaximumPlayerSessionCount": 1,
    });
    let session = local.call("CreateGameSession", body).await.expect("a game session");
    let arn = session["GameSession"]["GameSessionId"].as_str().expect("an id").to_owned();
    assert_eq!(frame(&mut process).await["GameSessionId"], arn);
    let reply = ask(&mut process, "ActivateGameSession", json!({ "GameSessionId": arn })).await;
    assert_eq!(reply["StatusCode"], 200);
    (process, arn)
}

async fn join(local: &Local, arn: &str) -> Result<Value, ErrorKind> {
    let body = json!({ "GameSessionId": arn, "PlayerId": "ada" });
    local.call("CreatePlayerSession", body).await.map_err(|error| error.kind)
}

#[tokio::test(start_paused = true)]
async fn a_hand_moved_clock_times_reservations_out() {
    let local = Local::start(Config::in_memory()).await.unwrap();
    let (_process, arn) = hosting(&local).await;
    join(&local, &arn).await.unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(join(&local, &arn).await, Err(ErrorKind::GameSessionFull), "real time does not count");
    local.advance(Duration::from_secs(60)).await;
    join(&local, &arn).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_wall_clock_is_tokios() {
    let local = Local::start(Config { clock: Clock::Wall, ..Config::in_memory() }).await.unwrap();
    let (_process, arn) = hosting(&local).await;
    join(&local, &arn).await.unwrap();
    tokio::time::sleep(Duration::from_millis(59_900)).await;
    assert_eq!(join(&local, &arn).await, Err(ErrorKind::GameSessionFull));
    tokio::time::sleep(Duration::from_millis(200)).await;
    join(&local, &arn).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn at_sixty_times_the_speed_a_minute_takes_a_second() {
    let local = Local::start(Config { clock: Clock::Speed(60.0), ..Config::in_memory() }).await.unwrap();
    let (_process, arn) = hosting(&local).await;
    join(&local, &arn).await.unwrap();
    tokio::time::sleep(Duration::from_millis(990)).await;
    assert_eq!(join(&local, &arn).await, Err(ErrorKind::GameSessionFull));
    tokio::time::sleep(Duration::from_millis(20)).await;
    join(&local, &arn).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_long_jump_sets_off_every_timer_at_its_own_time() {
    let local = Local::start(Config::in_memory()).await.unwrap();
    let (mut process, arn) = hosting(&local).await;
    let before = local.snapshot().await.unwrap().now;
    local.advance(Duration::from_secs(3600)).await;
    let push = frame(&mut process).await;
    assert_eq!(push["Action"], "TerminateProcess");
    // Three missed reports after 210 s, and five minutes from there.
    assert_eq!(push["TerminationTime"], before.as_millis() + 210_000 + 300_000);
    let sessions = local.call("DescribeGameSessions", json!({ "GameSessionId": arn })).await.unwrap();
    let session = &sessions["GameSessions"][0];
    assert_eq!(session["Status"], "TERMINATED");
    assert_eq!(session["TerminationTime"], (before.as_millis() + 210_000) as f64 / 1000.0);
}

#[tokio::test(start_paused = true)]
async fn dropped_connections_say_how_and_the_process_comes_back() {
    let local = Local::start(Config::in_memory()).await.unwrap();
    let (mut process, arn) = hosting(&local).await;
    local.drop_sockets(Some(1011)).await;
    assert_eq!(next(&mut process).await, FromService::Closed(Some(1011)));
    assert_eq!(process.from_service.recv().await, None);
    let mode = "TRIGGER_ON_PROCESS_TERMINATE";
    local
        .call("TerminateGameSession", json!({ "GameSessionId": arn, "TerminationMode": mode }))
        .await
        .unwrap();
    let mut process = local.attach(&query(&local, "p")).await.unwrap();
    assert_eq!(frame(&mut process).await["Action"], "TerminateProcess");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_hands_out_an_endpoint_and_a_token() {
    let local = Local::start(Config::in_memory()).await.unwrap();
    let (mut process, _) = hosting(&local).await;
    local.refresh_connections().await;
    let push = frame(&mut process).await;
    assert_eq!(push["Action"], "RefreshConnection");
    assert_ne!(push["AuthToken"], local.defaults().auth_token);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_sender_closes_the_connection() {
    let local = Local::start(Config::in_memory()).await.unwrap();
    let Attached { to_service, mut from_service, .. } = local.attach(&query(&local, "p")).await.unwrap();
    drop(to_service);
    assert_eq!(timeout(LONG, from_service.recv()).await.unwrap(), None);
    assert_eq!(local.snapshot().await.unwrap().connection_count, 0);
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_says_why_without_the_token() {
    let local = Local::start(Config::in_memory()).await.unwrap();
    let refused =
        local.attach(&query(&local, "p").replace("Authorization=", "Authorization=x")).await.unwrap_err();
    assert_eq!(refused.status, 403);
    assert!(!refused.message.contains(&local.defaults().auth_token));
    assert_eq!(local.attach("").await.unwrap_err().status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_does_not_read_is_disconnected_and_loses_no_push() {
    let local = Local::start(Config::in_memory()).await.unwrap();
    let (process, arn) = hosting(&local).await;
    for n in 0..1024 {
        let request = json!({ "Action": "GetComputeCertificate", "RequestId": n.to_string() });
        process.to_service.send(request.to_string()).await.unwrap();
    }
    // On a paused clock, sleeping lets everybody else finish.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(local.snapshot().await.unwrap().connection_count, 1, "1024 frames may wait");
    let mode = "TRIGGER_ON_PROCESS_TERMINATE";
    local
        .call("TerminateGameSession", json!({ "GameSessionId": arn, "TerminationMode": mode }))
        .await
        .unwrap();
    assert_eq!(local.snapshot().await.unwrap().connection_count, 0);
    let mut process = local.attach(&query(&local, "p")).await.unwrap();
    assert_eq!(frame(&mut process).await["Action"], "TerminateProcess");
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_makes_the_same_ids() {
    let (a, b) =
        (Local::start(Config::in_memory()).await.unwrap(), Local::start(Config::in_memory()).await.unwrap());
    assert_eq!(a.defaults(), b.defaults());
    let c = Local::start(Config { seed: Some(1), ..Config::in_memory() }).await.unwrap();
    assert_ne!(a.defaults(), c.defaults());
}

#[tokio::test(start_paused = true)]
async fn after_a_shutdown_a_connection_is_closed_with_service_restart() {
    let local = Local::start(Config::in_memory()).await.unwrap();
    let (mut process, _) = hosting(&local).await;
    local.shutdown().await;
    assert_eq!(next(&mut process).await, FromService::Closed(Some(1012)));
}

#[tokio::test(start_paused = true)]
async fn a_placement_that_waits_gets_the_next_process_without_the_clock_moving() {
    let local = Local::start(Config::in_memory()).await.unwrap();
    let destination = json!({ "DestinationArn": local.defaults().fleet_arn });
    let queue = json!({ "Name": "q", "Destinations": [destination] });
    local.call("CreateGameSessionQueue", queue).await.unwrap();
    let placement = json!({
        "PlacementId": "p-1", "GameSessionQueueName": "q", "MaximumPlayerSessionCount": 1,
        "DesiredPlayerSessions": [{ "PlayerId": "ada" }],
    });
    local.call("StartGameSessionPlacement", placement).await.unwrap();
    let mut process = local.attach(&query(&local, "p")).await.unwrap();
    ask(&mut process, "ActivateServerProcess", json!({ "Port": 7777 })).await;
    ask(&mut process, "HeartbeatServerProcess", json!({ "HealthStatus": true })).await;
    let arn = frame(&mut process).await["GameSessionId"].clone();
    assert!(arn.as_str().unwrap().ends_with("/custom-laptop/p-1"), "{arn}");
    ask(&mut process, "ActivateGameSession", json!({ "GameSessionId": arn })).await;
    let placement =
        local.call("DescribeGameSessionPlacement", json!({ "PlacementId": "p-1" })).await.unwrap();
    let placement = &placement["GameSessionPlacement"];
    assert_eq!((&placement["Status"], &placement["GameSessionArn"]), (&json!("FULFILLED"), &arn));
    let player = &placement["PlacedPlayerSessions"][0]["PlayerSessionId"];
    let accept = json!({ "GameSessionId": arn, "PlayerSessionId": player });
    assert_eq!(ask(&mut process, "AcceptPlayerSession", accept).await["StatusCode"], 200);
}

#[tokio::test(start_paused = true)]
async fn two_players_are_matched_with_nothing_but_the_defaults() {
    let local = Local::start(Config::in_memory()).await.unwrap();
    let mut process = local.attach(&query(&local, "p")).await.unwrap();
    ask(&mut process, "ActivateServerProcess", json!({ "Port": 7777 })).await;
    ask(&mut process, "HeartbeatServerProcess", json!({ "HealthStatus": true })).await;
    let mut tickets = Vec::new();
    for player in ["ada", "bob"] {
        let body = json!({ "ConfigurationName": "default", "Players": [{ "PlayerId": player }] });
        let started = local.call("StartMatchmaking", body).await.unwrap();
        tickets.push(started["MatchmakingTicket"]["TicketId"].clone());
    }
    local.advance(Duration::from_secs(2)).await;
    let push = frame(&mut process).await;
    assert_eq!(push["Action"], "CreateGameSession");
    ask(&mut process, "ActivateGameSession", json!({ "GameSessionId": push["GameSessionId"] })).await;
    let described = local.call("DescribeMatchmaking", json!({ "TicketIds": tickets })).await.unwrap();
    for ticket in described["TicketList"].as_array().unwrap() {
        assert_eq!(ticket["Status"], "COMPLETED", "{ticket}");
        assert_eq!(ticket["GameSessionConnectionInfo"]["Port"], 7777);
    }
}
