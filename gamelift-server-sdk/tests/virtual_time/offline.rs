//! The same process without GameLift.

use std::time::Duration;

use futures_util::TryStreamExt;
use gamelift_server_sdk::{
    Backfill, CallError, CloseReason, Config, Event, Events, GameSession, OfflineSession,
    PlayerSessionCreationPolicy, PlayerSessionId, PlayerSessionQuery, PlayerSessionStatus, Ready,
    RefusalKind, RunMode, ServerProcess,
};
use tokio::time::Instant;

use crate::stage::patient;

/// Plays the part of any game server: nothing here knows that there is no GameLift.
async fn start(config: Config) -> (ServerProcess, Events, GameSession) {
    let connected = patient(config.connect()).await.unwrap();
    let (process, mut events) = patient(connected.ready(Ready::on_port(7777))).await.unwrap();
    loop {
        match patient(events.next()).await {
            Some(Event::HealthCheck(check)) => check.healthy(),
            Some(Event::StartGameSession(start)) => {
                return (process, events, patient(start.activate()).await.unwrap());
            }
            other => panic!("{other:?}"),
        }
    }
}

fn off() -> Config {
    Config::for_run_mode_in(RunMode::Off, |_| None).unwrap()
}

#[tokio::test(start_paused = true)]
async fn one_game_session_starts_at_once_and_says_what_it_was_told_to_say() {
    let began = Instant::now();
    let session = OfflineSession::default().name("editor").max_players(4).property("map", "dust").data("d");
    let (_process, _events, session) = start(Config::offline(session)).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    let details = session.details();
    assert_eq!((details.name.as_deref(), details.maximum_player_session_count), (Some("editor"), Some(4)));
    assert_eq!((details.port, details.game_properties["map"].as_str()), (Some(7777), "dust"));
    assert_eq!(details.game_session_data.as_deref(), Some("d"));
}

#[tokio::test(start_paused = true)]
async fn every_player_is_accepted_and_can_be_looked_up() {
    let (_process, _events, session) = start(off()).await;
    let id: PlayerSessionId = "whoever".parse().unwrap();
    let status = async || {
        let query = PlayerSessionQuery::player_session(id.clone());
        let players: Vec<_> = session.player_sessions(query).try_collect().await.unwrap();
        players[0].status.clone()
    };
    assert_eq!(status().await, Some(PlayerSessionStatus::Reserved));
    patient(session.accept(&id)).await.unwrap();
    assert_eq!(status().await, Some(PlayerSessionStatus::Active));
    let all = session.describe_player_sessions(PlayerSessionQuery::of_this_game_session()).await.unwrap();
    assert_eq!(all.player_sessions.len(), 1);
    patient(session.remove(&id)).await.unwrap();
    let all = session.describe_player_sessions(PlayerSessionQuery::of_this_game_session()).await.unwrap();
    assert!(all.player_sessions.is_empty());
}

#[tokio::test(start_paused = true)]
async fn every_other_call_has_an_answer_too_and_the_end_is_the_end() {
    let (process, mut events, session) = start(off()).await;
    session.set_creation_policy(PlayerSessionCreationPolicy::DenyAll).await.unwrap();
    let matchmaker = "arn:aws:gamelift:us-west-2:123456789012:matchmakingconfiguration/m";
    let somebody = Backfill::new(matchmaker).player("p", "red", Default::default(), Default::default());
    let ticket = session.start_backfill(somebody).await.unwrap();
    session.stop_backfill(matchmaker, ticket).await.unwrap();
    let role = "arn:aws:iam::123456789012:role/r";
    assert_eq!(process.fleet_role_credentials(role, None).await, Ok(None), "as on an Anywhere fleet");
    let Err(CallError::Refused(refusal)) = process.compute_certificate().await else { panic!() };
    assert_eq!(refusal.kind(), RefusalKind::NotFound);
    let closed = process.clone();
    process.end().await.unwrap();
    assert_eq!(closed.closed().await, CloseReason::Ended);
    assert!(patient(events.next()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_hour_passes_with_health_checks_only() {
    let (_process, mut events, _session) = start(off()).await;
    let began = Instant::now();
    let mut checks = 0;
    while began.elapsed() < Duration::from_secs(3_600) {
        match patient(events.next()).await {
            Some(Event::HealthCheck(check)) => check.healthy(),
            other => panic!("{other:?}"),
        }
        checks += 1;
    }
    assert!((51..=73).contains(&checks), "{checks}");
}

#[test]
fn an_offline_config_says_so() {
    assert!(off().is_offline());
    assert!(!crate::stage::config("proc-1").is_offline());
}
