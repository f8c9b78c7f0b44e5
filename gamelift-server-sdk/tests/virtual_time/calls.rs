//! What single calls promise: pages as a stream, credentials remembered, arguments checked.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use futures_util::TryStreamExt;
use gamelift_server_sdk::model::PlayerSession;
use gamelift_server_sdk::test_util::{self, ServiceSocket};
use gamelift_server_sdk::wire::envelope::{Action, success_text};
use gamelift_server_sdk::wire::ids::RequestId;
use gamelift_server_sdk::wire::model::EpochMillis;
use gamelift_server_sdk::wire::requests::{DescribePlayerSessions, FleetRoleCredentials, Request};
use gamelift_server_sdk::{
    Backfill, CallError, Config, PlayerSessionCreationPolicy, PlayerSessionId, PlayerSessionQuery,
    PlayerSessionStatus, PlayerSessionsPage, Ready, ReadyErrorKind,
};
use tokio::time::{Instant, timeout};

use crate::stage::{Running, host, patient, player, ready, ready_with};

const ROLE: &str = "arn:aws:iam::123456789012:role/Game_Server";
const MATCHMAKER: &str = "arn:aws:gamelift:us-west-2:123456789012:matchmakingconfiguration/m";

async fn describe(socket: &mut ServiceSocket) -> (RequestId, DescribePlayerSessions) {
    match patient(socket.request()).await {
        (id, Request::DescribePlayerSessions(query)) => (id, query),
        other => panic!("{other:?}"),
    }
}

async fn answer_page(
    socket: &mut ServiceSocket,
    players: &[&str],
    next: Option<&str>,
) -> DescribePlayerSessions {
    let (id, asked) = describe(socket).await;
    let player_sessions = players.iter().map(|id| {
        let mut player = PlayerSession::default();
        player.player_session_id = PlayerSessionId::new_unchecked(*id);
        player
    });
    let page = PlayerSessionsPage {
        next_token: next.map(str::to_owned),
        player_sessions: player_sessions.collect(),
    };
    socket.send_text(success_text(&Action::DescribePlayerSessions, &id, &page)).await;
    asked
}

#[tokio::test(start_paused = true)]
async fn players_come_page_after_page_and_an_empty_page_is_not_the_end() {
    let mut running = ready().await;
    let session = host(&mut running).await;
    let query = PlayerSessionQuery::of_this_game_session().with_status(PlayerSessionStatus::Active).limit(2);
    let reading = tokio::spawn(async move { session.player_sessions(query).try_collect::<Vec<_>>().await });
    let first = answer_page(&mut running.socket, &["a", "b"], Some("t1")).await;
    let second = answer_page(&mut running.socket, &[], Some("t2")).await;
    let third = answer_page(&mut running.socket, &["c"], None).await;
    assert_eq!((first.next_token, first.limit), (None, Some(2)));
    assert_eq!(second.next_token.as_deref(), Some("t1"));
    assert_eq!(third.next_token.as_deref(), Some("t2"));
    assert_eq!(third.player_session_status_filter, Some(PlayerSessionStatus::Active));
    let players = patient(reading).await.unwrap().unwrap();
    let ids: Vec<_> = players.iter().map(|player| player.player_session_id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn the_next_page_is_asked_for_only_when_it_is_wanted() {
    let mut running = ready().await;
    let session = host(&mut running).await;
    let mut players = Box::pin(session.player_sessions(PlayerSessionQuery::of_this_game_session()));
    let answer = answer_page(&mut running.socket, &["a", "b"], Some("t1"));
    let (first, _) = patient(async { tokio::join!(players.try_next(), answer) }).await;
    assert!(first.unwrap().is_some());
    assert!(patient(players.try_next()).await.unwrap().is_some());
    assert!(timeout(Duration::from_secs(30), running.socket.receive()).await.is_err(), "asked too early");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_repeats_a_page_for_ever_is_not_followed() {
    let mut running = ready().await;
    let session = host(&mut running).await;
    let reading = tokio::spawn(async move {
        session.player_sessions(PlayerSessionQuery::of_this_game_session()).try_collect::<Vec<_>>().await
    });
    answer_page(&mut running.socket, &["a"], Some("same")).await;
    answer_page(&mut running.socket, &["a"], Some("same")).await;
    assert!(matches!(patient(reading).await.unwrap(), Err(CallError::Unreadable(_))));
}

fn virtual_clock() -> Config {
    let begun = Instant::now();
    Config::builder()
        .websocket_url("ws://in.memory")
        .fleet_id("fleet-1")
        .host_id("cluster/task")
        .auth_token("token")
        .wall_clock(move || UNIX_EPOCH + begun.elapsed())
        .build()
        .unwrap()
}

/// Answers with credentials that expire at this second of the test.
async fn answer_credentials(socket: &mut ServiceSocket, key: &str, expires: i64) -> Option<String> {
    let (id, Request::GetFleetRoleCredentials(asked)) = patient(socket.request()).await else { panic!() };
    let credentials = FleetRoleCredentials {
        access_key_id: key.to_owned(),
        secret_access_key: "s3cr3t".to_owned(),
        session_token: "session".to_owned(),
        expiration: Some(EpochMillis(expires * 1_000)),
        ..FleetRoleCredentials::default()
    };
    socket.send_text(success_text(&Action::GetFleetRoleCredentials, &id, &credentials)).await;
    asked.role_session_name
}

#[tokio::test(start_paused = true)]
async fn fleet_role_credentials_are_remembered_until_15_minutes_before_they_expire() {
    let Running { mut socket, process, events: _events, service: _service } =
        ready_with(virtual_clock()).await;
    let key = || {
        let process = process.clone();
        tokio::spawn(async move {
            process.fleet_role_credentials(ROLE, None).await.unwrap().unwrap().access_key_id
        })
    };
    // Good for 15 minutes and 30 seconds: fresh for half a minute, within which there is no heartbeat.
    let callers: Vec<_> = (0..10).map(|_| key()).collect();
    let name = answer_credentials(&mut socket, "first", 930).await;
    assert_eq!(name.as_deref(), Some("fleet-1-cluster-task"), "no slash: IAM takes none");
    for caller in callers {
        assert_eq!(patient(caller).await.unwrap(), "first", "ten callers share one call");
    }
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert_eq!(patient(key()).await.unwrap(), "first", "remembered");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let caller = key();
    answer_credentials(&mut socket, "second", 3_600).await;
    assert_eq!(patient(caller).await.unwrap(), "second", "they were about to expire");
}

#[tokio::test(start_paused = true)]
async fn each_role_and_each_session_name_has_credentials_of_its_own() {
    let Running { mut socket, process, events: _events, service: _service } =
        ready_with(virtual_clock()).await;
    for (number, name) in [None, Some("one"), Some("two")].into_iter().enumerate() {
        let asking = process.clone();
        let name = name.map(str::to_owned);
        let caller = tokio::spawn(async move { asking.fleet_role_credentials(ROLE, name).await });
        answer_credentials(&mut socket, &number.to_string(), 3_600).await;
        let found = patient(caller).await.unwrap().unwrap().unwrap();
        assert_eq!(found.access_key_id, number.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn the_aws_sdk_gets_the_fleet_role_and_does_not_keep_the_process_alive() {
    use aws_credential_types::provider::ProvideCredentials;
    let Running { mut socket, process, mut events, service: _service } = ready_with(virtual_clock()).await;
    let role = process.fleet_role(ROLE, None);
    let asking = role.clone();
    let caller = tokio::spawn(async move { asking.provide_credentials().await });
    answer_credentials(&mut socket, "AKID", 3_600).await;
    let found = patient(caller).await.unwrap().unwrap();
    assert_eq!((found.access_key_id(), found.session_token()), ("AKID", Some("session")));
    assert_eq!(found.expiry(), Some(UNIX_EPOCH + Duration::from_secs(3_600)));
    assert!(!format!("{found:?}").contains("s3cr3t"), "{found:?}");
    drop(process);
    assert!(patient(events.next()).await.is_none(), "the role holds nothing");
    assert!(role.provide_credentials().await.is_err());
}

/// Every rule is tested where it stands; here, that each call heeds them and sends nothing.
#[tokio::test(start_paused = true)]
async fn a_call_with_a_wrong_argument_sends_nothing_and_names_field_and_rule() {
    let mut running = ready().await;
    let session = host(&mut running).await;
    let bad = PlayerSessionId::new_unchecked("psess 1");
    let refused = |result: Result<(), CallError>, field: &str| match result {
        Err(CallError::Invalid(error)) => assert_eq!(error.field, field),
        other => panic!("{field}: {other:?}"),
    };
    refused(session.accept(&bad).await, "PlayerSessionId");
    refused(session.remove(&bad).await, "PlayerSessionId");
    refused(session.set_creation_policy(PlayerSessionCreationPolicy::NotSet).await, "PlayerSessionPolicy");
    let query = PlayerSessionQuery::player("");
    refused(session.describe_player_sessions(query).await.map(|_| ()), "PlayerId");
    refused(session.start_backfill(Backfill::new(MATCHMAKER)).await.map(|_| ()), "Players");
    let somebody = Backfill::new("my-matchmaker").player("p", "red", BTreeMap::new(), BTreeMap::new());
    refused(session.start_backfill(somebody).await.map(|_| ()), "MatchmakingConfigurationArn");
    refused(session.stop_backfill(MATCHMAKER, "").await, "TicketId");
    refused(running.process.fleet_role_credentials("", None).await.map(|_| ()), "RoleArn");
    let short = Some("x".to_owned());
    refused(running.process.fleet_role_credentials(ROLE, short).await.map(|_| ()), "RoleSessionName");
    assert!(timeout(Duration::from_secs(30), running.socket.receive()).await.is_err(), "nothing was sent");
    let error = session.accept(&bad).await.unwrap_err().to_string();
    assert!(!error.contains("psess 1"), "a player session id is a secret: {error}");
}

#[tokio::test(start_paused = true)]
async fn tool_and_log_paths_are_announced_once_with_the_port() {
    let (network, mut service) = test_util::network();
    let config = Config::builder()
        .websocket_url("ws://in.memory")
        .fleet_id("fleet-1")
        .host_id("host-1")
        .auth_token("token")
        .tool("MyPlugin", "1.2")
        .build()
        .unwrap();
    let (connected, mut socket) =
        patient(async { tokio::join!(network.connect(config), service.accept()) }).await;
    let refused = connected.unwrap().ready(Ready::on_port(7777).log_path("logs")).await.unwrap_err();
    assert_eq!(refused.kind, ReadyErrorKind::LogPath { path: "logs".into() });
    let ready = refused.into_connected().ready(Ready::on_port(7777).log_path("/local/game/logs"));
    let (ready, request) =
        patient(async { tokio::join!(ready, socket.answer("ActivateServerProcess")) }).await;
    ready.unwrap();
    let Request::ActivateServerProcess(announced) = request else { panic!() };
    assert_eq!((announced.port, announced.log_paths), (7777, vec!["/local/game/logs".to_owned()]));
    assert_eq!(announced.sdk_tool_name.as_deref(), Some("MyPlugin"));
    assert_eq!(announced.sdk_tool_version.as_deref(), Some("1.2"));
}

#[tokio::test(start_paused = true)]
async fn a_player_is_accepted_and_removed_by_the_id_they_showed() {
    let mut running = ready().await;
    let session = host(&mut running).await;
    let id = player();
    let (accepted, request) =
        patient(async { tokio::join!(session.accept(&id), running.socket.answer("AcceptPlayerSession")) })
            .await;
    accepted.unwrap();
    let Request::AcceptPlayerSession(sent) = request else { panic!() };
    assert_eq!((sent.player_session_id, &sent.game_session_id), (id.clone(), session.id()));
    let (removed, _) =
        patient(async { tokio::join!(session.remove(&id), running.socket.answer("RemovePlayerSession")) })
            .await;
    removed.unwrap();
}
