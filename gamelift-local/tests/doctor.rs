//! Mistakes of game servers, made over real frames, and what the doctor says. Waiting takes no time here.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::time::Duration;

use gamelift_local::{
    Attached, Config, FromService, Local, ProcessName,
    doctor::{Finding, Mistake, Sign},
};
use serde_json::{Value, json};
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(20);

async fn watched() -> Local {
    Local::start(Config { observe: true, ..Config::in_memory() }).await.unwrap()
}

async fn connect(local: &Local) -> Attached {
    let defaults = local.defaults();
    let query = format!(
        "Authorization={}&ComputeId={}&FleetId={}&pID=p",
        defaults.auth_token, defaults.compute_name, defaults.fleet_id
    );
    local.attach(&query).await.unwrap()
}

async fn next(process: &mut Attached) -> Value {
    match timeout(LONG, process.from_service.recv()).await.unwrap().unwrap() {
        FromService::Text(text) => serde_json::from_str(&text).unwrap(),
        FromService::Closed(code) => panic!("closed with {code:?}"),
    }
}

async fn ask(process: &mut Attached, action: &str, members: Value) -> Value {
    let mut request = json!({ "Action": action, "RequestId": action });
    request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    process.to_service.send(request.to_string()).await.unwrap();
    loop {
        let answer = next(process).await;
        if answer["RequestId"] == action {
            return answer;
        }
    }
}

async fn ready(local: &Local) -> Attached {
    let mut process = connect(local).await;
    ask(&mut process, "ActivateServerProcess", json!({ "Port": 7777 })).await;
    process
}

/// A process that reports its health and hosts a game session.
async fn hosting(local: &Local) -> (Attached, Value) {
    let mut process = ready(local).await;
    ask(&mut process, "HeartbeatServerProcess", json!({ "HealthStatus": true })).await;
    let input = json!({
        "FleetId": local.defaults().fleet_id, "Location": local.defaults().location, "MaximumPlayerSessionCount": 2,
    });
    let made = local.call("CreateGameSession", input).await.unwrap();
    assert_eq!(next(&mut process).await["Action"], "CreateGameSession");
    (process, made["GameSession"]["GameSessionId"].clone())
}

/// Closes the connection, and waits until the service knows.
async fn hang_up(local: &Local, process: Attached) {
    drop(process);
    while local.snapshot().await.unwrap().connection_count > 0 {
        tokio::task::yield_now().await;
    }
}

async fn told(local: &Local, seconds: u64) -> Finding {
    let mut findings = local.findings().unwrap();
    local.advance(Duration::from_secs(seconds)).await;
    timeout(LONG, findings.next()).await.expect("a finding").unwrap()
}

fn name(local: &Local) -> ProcessName {
    ProcessName {
        fleet_id: local.defaults().fleet_id.clone(),
        compute_name: local.defaults().compute_name.clone(),
        process_id: "p".to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn connected_but_never_ready() {
    let local = watched().await;
    let _process = connect(&local).await;
    let finding = told(&local, 20).await;
    assert_eq!(finding.mistake, Mistake::NeverReady);
    assert_eq!(finding.event_code, Some("SERVER_PROCESS_PROCESS_READY_TIMEOUT"));
    assert_eq!(finding.process, name(&local));
}

#[tokio::test(start_paused = true)]
async fn ready_but_no_heartbeat() {
    let local = watched().await;
    let _process = ready(&local).await;
    assert_eq!(told(&local, 65).await.mistake, Mistake::NoHeartbeat);
}

#[tokio::test(start_paused = true)]
async fn not_healthy() {
    let local = watched().await;
    let mut process = ready(&local).await;
    let mut findings = local.findings().unwrap();
    ask(&mut process, "HeartbeatServerProcess", json!({ "HealthStatus": false })).await;
    assert_eq!(timeout(LONG, findings.next()).await.unwrap().unwrap().mistake, Mistake::Unhealthy);
}

#[tokio::test(start_paused = true)]
async fn a_game_session_that_is_not_activated() {
    let local = watched().await;
    let _process = hosting(&local).await;
    assert_eq!(told(&local, 20).await.event_code, Some("GAME_SESSION_ACTIVATION_TIMEOUT"));
}

#[tokio::test(start_paused = true)]
async fn a_player_who_is_not_accepted() {
    let local = watched().await;
    let (mut process, arn) = hosting(&local).await;
    ask(&mut process, "ActivateGameSession", json!({ "GameSessionId": arn })).await;
    let player = json!({ "GameSessionId": arn, "PlayerId": "ada" });
    local.call("CreatePlayerSession", player).await.unwrap();
    assert_eq!(told(&local, 60).await.mistake, Mistake::PlayerNotAccepted);
}

#[tokio::test(start_paused = true)]
async fn gone_without_process_ending() {
    let local = watched().await;
    let (mut process, arn) = hosting(&local).await;
    ask(&mut process, "ActivateGameSession", json!({ "GameSessionId": arn })).await;
    hang_up(&local, process).await;
    let finding = told(&local, 30).await;
    assert_eq!(
        (finding.mistake, finding.event_code),
        (Mistake::NoProcessEnding, Some("SERVER_PROCESS_CRASHED"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_process_that_ends_well_is_not_talked_about() {
    let local = watched().await;
    let mut findings = local.findings().unwrap();
    let (mut process, arn) = hosting(&local).await;
    ask(&mut process, "ActivateGameSession", json!({ "GameSessionId": arn })).await;
    ask(&mut process, "TerminateServerProcess", json!({})).await;
    hang_up(&local, process).await;
    local.advance(Duration::from_secs(3600)).await;
    local.shutdown().await;
    assert_eq!(timeout(LONG, findings.next()).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn asked_to_end_and_still_there() {
    let local = watched().await;
    let (mut process, arn) = hosting(&local).await;
    ask(&mut process, "ActivateGameSession", json!({ "GameSessionId": arn })).await;
    let mode = "TRIGGER_ON_PROCESS_TERMINATE";
    let terminate = json!({ "GameSessionId": arn, "TerminationMode": mode });
    local.call("TerminateGameSession", terminate).await.unwrap();
    assert_eq!(told(&local, 60).await.event_code, Some("SERVER_PROCESS_FORCE_TERMINATED"));
}

#[tokio::test(start_paused = true)]
async fn process_ending_and_still_connected() {
    let local = watched().await;
    let mut process = ready(&local).await;
    ask(&mut process, "TerminateServerProcess", json!({})).await;
    assert_eq!(told(&local, 30).await.event_code, Some("SERVER_PROCESS_PROCESS_EXIT_TIMEOUT"));
}

#[tokio::test(start_paused = true)]
async fn while_a_debugger_holds_the_process_no_timeout_of_the_service_goes_off() {
    let local = watched().await;
    let (mut process, arn) = hosting(&local).await;
    local.see(name(&local), Sign::Held(true)).await;
    // Far beyond the activation timeout (300 s) and three health reports (210 s).
    local.advance(Duration::from_secs(7200)).await;
    local.see(name(&local), Sign::Held(false)).await;
    let answer = ask(&mut process, "ActivateGameSession", json!({ "GameSessionId": arn })).await;
    assert_eq!(answer["StatusCode"], 200, "{answer}");
    // From then on time counts again.
    local.advance(Duration::from_secs(3 * 70)).await;
    assert_eq!(next(&mut process).await["Action"], "TerminateProcess");
}

#[tokio::test(start_paused = true)]
async fn the_log_tells_the_story_without_the_proofs() {
    let local = watched().await;
    let mut log = local.log().unwrap();
    let (mut process, arn) = hosting(&local).await;
    ask(&mut process, "ActivateGameSession", json!({ "GameSessionId": arn })).await;
    let player = json!({ "GameSessionId": arn, "PlayerId": "ada" });
    let player = local.call("CreatePlayerSession", player).await.unwrap();
    let id = player["PlayerSession"]["PlayerSessionId"].as_str().unwrap();
    let accept = json!({ "GameSessionId": arn, "PlayerSessionId": id });
    ask(&mut process, "AcceptPlayerSession", accept.clone()).await;
    local.refresh_connections().await;
    local.shutdown().await;
    let mut story = Vec::new();
    while let Some(line) = timeout(LONG, log.next()).await.unwrap() {
        let line = line.unwrap();
        assert!(!line.json.contains(id), "{}", line.json);
        assert!(!line.json.contains(&id[6..]), "{}", line.json);
        let line: Value = serde_json::from_str(&line.json).unwrap();
        let what = [&line["frame"]["Action"], &line["state"], &line["status"]];
        let what = what.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned();
        story.push(format!("{} {what}", line["kind"].as_str().unwrap()).trim_end().to_owned());
        if let Some(token) = line["frame"].get("AuthToken") {
            assert_eq!(token, "(hidden)");
        }
    }
    assert_eq!(
        story,
        [
            "connected",
            "process ACTIVATING",
            "frame ActivateServerProcess",
            "process ACTIVE",
            "frame ActivateServerProcess",
            "frame HeartbeatServerProcess",
            "frame HeartbeatServerProcess",
            "gameSession ACTIVATING",
            "frame CreateGameSession",
            "frame ActivateGameSession",
            "gameSession ACTIVE",
            "frame ActivateGameSession",
            "playerSession RESERVED",
            "frame AcceptPlayerSession",
            "playerSession ACTIVE",
            "frame AcceptPlayerSession",
            "frame RefreshConnection",
            "disconnected",
        ]
    );
}
