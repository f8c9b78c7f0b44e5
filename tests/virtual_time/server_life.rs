//! Hours of a server's life in milliseconds.

use std::sync::Arc;
use std::time::Duration;

use gamelift_local::Local;
use gamelift_server_sdk::{
    CallError, Config, Event, Events, GameSession, PlayerSessionId, Ready, RefusalKind, ServerProcess,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::in_process::{InProcess, patient, settle, start};

async fn ready(local: &Arc<Local>, process_id: &str) -> (ServerProcess, Events) {
    let defaults = local.defaults();
    let config = Config::builder()
        .websocket_url("ws://in.process")
        .fleet_id(&defaults.fleet_id)
        .host_id(&defaults.compute_name)
        .process_id(process_id)
        .auth_token(&defaults.auth_token)
        .seed(11)
        .build()
        .unwrap();
    let connected = patient(config.connect_with(InProcess(local.clone()))).await.unwrap();
    let (process, mut events) = patient(connected.ready(Ready::on_port(7777))).await.unwrap();
    let Some(Event::HealthCheck(check)) = patient(events.next()).await else { panic!("no health check") };
    check.healthy();
    (process, events)
}

async fn create_game_session(local: &Local, seats: u32) -> Value {
    let defaults = local.defaults();
    let input = json!({
        "FleetId": defaults.fleet_id, "Location": defaults.location, "MaximumPlayerSessionCount": seats,
    });
    // The heartbeat that makes the process eligible is on its way.
    settle().await;
    local.call("CreateGameSession", input).await.unwrap()["GameSession"].clone()
}

async fn host(local: &Local, events: &mut Events, seats: u32) -> GameSession {
    create_game_session(local, seats).await;
    loop {
        match patient(events.next()).await {
            Some(Event::StartGameSession(start)) => return patient(start.activate()).await.unwrap(),
            Some(Event::HealthCheck(check)) => check.healthy(),
            other => panic!("{other:?}"),
        }
    }
}

async fn reserve(local: &Local, session: &GameSession, player: &str) -> PlayerSessionId {
    let input = json!({"GameSessionId": session.id().as_str(), "PlayerId": player});
    let reserved = local.call("CreatePlayerSession", input).await.unwrap();
    reserved["PlayerSession"]["PlayerSessionId"].as_str().unwrap().parse().unwrap()
}

async fn status(local: &Local, player_session_id: &PlayerSessionId) -> String {
    let input = json!({"PlayerSessionId": player_session_id.as_str()});
    let described = local.call("DescribePlayerSessions", input).await.unwrap();
    described["PlayerSessions"][0]["Status"].as_str().unwrap().to_owned()
}

fn kind(result: Result<(), CallError>) -> RefusalKind {
    match result {
        Err(CallError::Refused(refusal)) => refusal.kind(),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_player_is_accepted_once_and_only_with_a_reservation_of_this_game_session() {
    let local = start().await;
    let (_first, mut first_events) = ready(&local, "proc-1").await;
    let (_second, mut second_events) = ready(&local, "proc-2").await;
    let here = host(&local, &mut first_events, 2).await;
    let there = host(&local, &mut second_events, 2).await;
    let player = reserve(&local, &here, "ada").await;

    assert_eq!(kind(there.accept(&player).await), RefusalKind::NotFound, "another game session's");
    assert_eq!(status(&local, &player).await, "RESERVED");
    here.accept(&player).await.unwrap();
    assert_eq!(status(&local, &player).await, "ACTIVE");
    assert_eq!(kind(here.accept(&player).await), RefusalKind::BadRequest, "used before");
    here.remove(&player).await.unwrap();
    assert_eq!(status(&local, &player).await, "COMPLETED");
    let stranger = "psess-00000000-0000-4000-8000-000000000000".parse().unwrap();
    assert_eq!(kind(here.accept(&stranger).await), RefusalKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_reservation_ends_after_60_seconds() {
    let local = start().await;
    let (_process, mut events) = ready(&local, "proc-1").await;
    let session = host(&local, &mut events, 1).await;
    let late = reserve(&local, &session, "late").await;
    sleep(Duration::from_secs(59)).await;
    assert_eq!(status(&local, &late).await, "RESERVED");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(status(&local, &late).await, "TIMEDOUT");
    assert_eq!(kind(session.accept(&late).await), RefusalKind::BadRequest);
    reserve(&local, &session, "next").await;
}

#[tokio::test(start_paused = true)]
async fn a_wrong_token_is_refused_with_403_and_at_once() {
    let local = start().await;
    let defaults = local.defaults();
    let config =
        Config::new("ws://in.process", &defaults.fleet_id, &defaults.compute_name, "proc-1", "wrong")
            .unwrap();
    let begun = Instant::now();
    let error = patient(config.connect_with(InProcess(local.clone()))).await.unwrap_err().to_string();
    assert!(error.contains("403"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_process_whose_game_loop_hangs_is_told_to_end() {
    let local = start().await;
    let (_process, mut events) = ready(&local, "proc-1").await;
    let begun = Instant::now();
    let mut hung = Vec::new();
    loop {
        match patient(events.next()).await {
            Some(Event::HealthCheck(check)) => hung.push(check),
            Some(Event::Terminate(_)) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(
        (120..300).contains(&begun.elapsed().as_secs()),
        "after three bad reports: {:?}",
        begun.elapsed()
    );
}

/// Drops, closes and refreshes every few minutes for two hours, with players coming and going all the time.
#[tokio::test(start_paused = true)]
async fn two_hours_with_drops_closes_and_refreshes_lose_no_player() {
    let local = start().await;
    let (process, mut events) = ready(&local, "proc-1").await;
    let session = host(&local, &mut events, 10).await;
    let begun = Instant::now();
    let health = tokio::spawn(async move {
        let mut checks = 0;
        while let Some(event) = events.next().await {
            match event {
                Event::HealthCheck(check) => {
                    check.healthy();
                    checks += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        checks
    });
    let trouble = tokio::spawn({
        let local = local.clone();
        async move {
            for round in 0_u32.. {
                sleep(Duration::from_secs(293)).await;
                match round % 4 {
                    0 => local.refresh_connections().await,
                    1 => local.drop_sockets(None).await,
                    2 => local.drop_sockets(Some(1000)).await,
                    _ => local.drop_sockets(Some(1001)).await,
                }
            }
        }
    });
    let mut players = 0;
    while begun.elapsed() < Duration::from_secs(2 * 3_600) {
        let player = reserve(&local, &session, &format!("player-{players}")).await;
        // The advice of the error's documentation, followed: look before you repeat.
        match session.accept(&player).await {
            Ok(()) => {}
            Err(CallError::OutcomeUnknown) if status(&local, &player).await == "ACTIVE" => {}
            Err(CallError::OutcomeUnknown) => session.accept(&player).await.unwrap(),
            Err(error) => panic!("{error}"),
        }
        assert_eq!(status(&local, &player).await, "ACTIVE");
        sleep(Duration::from_secs(5)).await;
        match session.remove(&player).await {
            Ok(()) => {}
            Err(CallError::OutcomeUnknown) if status(&local, &player).await == "COMPLETED" => {}
            Err(CallError::OutcomeUnknown) => session.remove(&player).await.unwrap(),
            Err(error) => panic!("{error}"),
        }
        assert_eq!(status(&local, &player).await, "COMPLETED");
        players += 1;
    }
    trouble.abort();
    assert!(players >= 1_400, "{players} players");
    let id = session.id().as_str().to_owned();
    process.end().await.unwrap();
    assert!(patient(health).await.unwrap() >= 100, "a heartbeat a minute");
    let described = local.call("DescribeGameSessions", json!({"GameSessionId": id})).await.unwrap();
    assert_eq!(described["GameSessions"][0]["Status"], "TERMINATED");
}
