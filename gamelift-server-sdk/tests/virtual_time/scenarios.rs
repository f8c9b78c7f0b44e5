//! Counterparts of recorded scenarios that no other test covers; `tests/SCENARIOS.md` lists all of them.

use std::collections::BTreeMap;
use std::time::Duration;

use gamelift_server_sdk::test_util::{self, Outgoing};
use gamelift_server_sdk::wire::envelope::Action;
use gamelift_server_sdk::wire::requests::Request;
use gamelift_server_sdk::{
    AttributeValue, Backfill, CallError, CloseReason, Config, Event, Ready, ReadyErrorKind, RefusalKind,
    model::GameSessionStatus,
};
use tokio::time::{Instant, timeout};

use crate::stage::{Running, config, create, host, patient, player, ready, ready_with};

const MATCHMAKER: &str = "arn:aws:gamelift:us-west-2:123456789012:matchmakingconfiguration/m";

#[tokio::test(start_paused = true)]
async fn a_request_of_any_size_is_one_frame() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    let attributes = || BTreeMap::from([("text".to_owned(), AttributeValue::String("x".repeat(100)))]);
    let backfill = (0..1_000).fold(Backfill::new(MATCHMAKER), |backfill, number| {
        backfill.player(format!("player-{number}"), "red", attributes(), BTreeMap::new())
    });
    let call = tokio::spawn(async move { session.start_backfill(backfill).await });
    let Some(Outgoing::Text(text)) = patient(ready.socket.receive()).await else { panic!() };
    assert!(text.len() > 150_000, "{}", text.len());
    let frame = gamelift_server_sdk::wire::envelope::ClientFrame::parse(&text).unwrap();
    let Request::StartMatchBackfill(sent) = &frame.request else { panic!() };
    assert_eq!(sent.players.len(), 1_000);
    ready.socket.refuse(&Action::StartMatchBackfill, &frame.request_id, 400, "too many").await;
    assert!(matches!(patient(call).await.unwrap(), Err(CallError::Refused(_))));
}

#[tokio::test(start_paused = true)]
async fn markup_quotes_and_other_alphabets_survive_the_way_to_the_service() {
    let odd = "<a href=\"x\">&'\\ \u{2028}\u{2029} \u{1F600} ünïcode\n";
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    let backfill = Backfill::new(MATCHMAKER).player(odd, odd, BTreeMap::new(), BTreeMap::new());
    let call = tokio::spawn(async move { session.start_backfill(backfill).await });
    let (id, request) = patient(ready.socket.expect("StartMatchBackfill")).await;
    let Request::StartMatchBackfill(sent) = &request else { panic!() };
    assert_eq!((sent.players[0].player_id.as_str(), sent.players[0].team.as_deref()), (odd, Some(odd)));
    ready.socket.succeed(&request, &id).await;
    patient(call).await.unwrap().unwrap();
}

/// Every status the official SDKs were shown, for a call of the application.
#[tokio::test(start_paused = true)]
async fn every_status_has_one_meaning_and_no_refusal_is_repeated() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    for (status, kind) in [
        ("400", RefusalKind::BadRequest),
        ("401", RefusalKind::Unauthorized),
        ("403", RefusalKind::Forbidden),
        ("404", RefusalKind::NotFound),
        ("409", RefusalKind::Conflict),
        ("418", RefusalKind::BadRequest),
        ("429", RefusalKind::TooManyRequests),
        ("500", RefusalKind::InternalService),
        ("503", RefusalKind::InternalService),
        ("302", RefusalKind::InternalService),
        ("201", RefusalKind::InternalService),
        ("0", RefusalKind::InternalService),
        ("null", RefusalKind::InternalService),
        ("\"200\"", RefusalKind::InternalService),
    ] {
        let asking = session.clone();
        let call = tokio::spawn(async move { asking.accept(&player()).await });
        let (id, _) = patient(ready.socket.expect("AcceptPlayerSession")).await;
        let text = format!(
            r#"{{"Action":"AcceptPlayerSession","RequestId":"{id}","StatusCode":{status},"ErrorMessage":"said so"}}"#
        );
        ready.socket.send_text(text).await;
        match patient(call).await.unwrap() {
            Err(CallError::Refused(refusal)) => {
                assert_eq!((refusal.kind(), refusal.message.as_str()), (kind, "said so"), "{status}");
            }
            other => panic!("{status}: {other:?}"),
        }
    }
    assert!(timeout(Duration::from_secs(10), ready.socket.receive()).await.is_err(), "nothing is repeated");
}

#[tokio::test(start_paused = true)]
async fn a_ready_that_is_never_answered_ends_with_its_deadline_and_can_be_repeated() {
    let (network, mut service) = test_util::network();
    let (connected, mut socket) =
        patient(async { tokio::join!(network.connect(config("p")), service.accept()) }).await;
    let began = Instant::now();
    let error = patient(connected.unwrap().ready(Ready::on_port(7777))).await.unwrap_err();
    assert_eq!(error.kind, ReadyErrorKind::Call(CallError::OutcomeUnknown));
    assert_eq!(began.elapsed(), Duration::from_secs(20));
    patient(socket.expect("ActivateServerProcess")).await;
    let again = error.into_connected().ready(Ready::on_port(7777));
    let (ready, _) = patient(async { tokio::join!(again, socket.answer("ActivateServerProcess")) }).await;
    ready.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_call_is_sent_once_and_its_late_answer_harms_nobody() {
    let config = Config::builder()
        .websocket_url("ws://in.memory")
        .fleet_id("fleet-1")
        .host_id("host-1")
        .auth_token("token")
        .call_timeout(Duration::from_secs(1))
        .build()
        .unwrap();
    let mut ready = ready_with(config).await;
    let session = host(&mut ready).await;
    let began = Instant::now();
    assert_eq!(session.accept(&player()).await, Err(CallError::OutcomeUnknown));
    assert_eq!(began.elapsed(), Duration::from_secs(1), "SERVICE_CALL_TIMEOUT");
    let (id, request) = patient(ready.socket.expect("AcceptPlayerSession")).await;
    ready.socket.succeed(&request, &id).await;
    let id = player();
    let (done, _) =
        patient(async { tokio::join!(session.accept(&id), ready.socket.answer("AcceptPlayerSession")) })
            .await;
    done.unwrap();
}

#[tokio::test(start_paused = true)]
async fn three_calls_answered_in_reverse_and_twice_find_their_callers() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    let calls: Vec<_> = (0..3)
        .map(|number| {
            let session = session.clone();
            tokio::spawn(async move { session.accept(&format!("psess-{number}").parse().unwrap()).await })
        })
        .collect();
    let mut asked = Vec::new();
    for _ in 0..3 {
        asked.push(patient(ready.socket.expect("AcceptPlayerSession")).await);
    }
    for (id, request) in asked.iter().rev() {
        let Request::AcceptPlayerSession(player) = request else { panic!() };
        let number = player.player_session_id.as_str().strip_prefix("psess-").unwrap();
        for _ in 0..2 {
            ready.socket.refuse(&request.action(), id, 404, number).await;
        }
    }
    for (number, call) in calls.into_iter().enumerate() {
        let Err(CallError::Refused(refusal)) = patient(call).await.unwrap() else { panic!() };
        assert_eq!(refusal.message, number.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_refuses_for_a_while_after_a_drop_is_tried_until_it_lets_the_process_in() {
    let Running { mut service, socket, process, events: _events } = ready().await;
    drop(socket);
    for _ in 0..4 {
        patient(service.knock()).await.refuse(403);
    }
    let mut socket = patient(service.accept()).await;
    let (done, _) = patient(async {
        tokio::join!(process.compute_certificate(), socket.answer("GetComputeCertificate"))
    })
    .await;
    done.unwrap();
}

#[tokio::test(start_paused = true)]
async fn two_dials_that_break_and_a_third_that_works_are_one_connect() {
    let (network, mut service) = test_util::network();
    let connecting = tokio::spawn(async move { network.connect(config("p")).await });
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let knock = patient(service.knock()).await;
        tokens.push(knock.query().idempotency_token);
        drop(knock);
    }
    let began = Instant::now();
    let knock = patient(service.knock()).await;
    tokens.push(knock.query().idempotency_token);
    assert!(began.elapsed() <= Duration::from_secs(1), "{:?}", began.elapsed());
    let _socket = knock.accept();
    drop(patient(connecting).await.unwrap().unwrap());
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "one loop, one idempotency token");
}

#[tokio::test(start_paused = true)]
async fn a_close_right_after_the_answer_to_ending_opens_no_new_connection() {
    let Running { mut service, mut socket, process, mut events } = ready().await;
    let ended = async {
        process.end().await.unwrap();
        assert!(events.next().await.is_none());
    };
    let script = async {
        socket.answer("TerminateServerProcess").await;
        socket.close(Some(1000)).await;
    };
    patient(async { tokio::join!(ended, script) }).await;
    assert!(matches!(timeout(Duration::from_secs(300), service.knock_or_end()).await, Ok(None)));
}

#[tokio::test(start_paused = true)]
async fn dropping_everything_says_goodbye_and_never_that_the_process_ended() {
    let Running { service: _service, mut socket, process, events } = ready().await;
    drop((process, events));
    assert_eq!(patient(socket.receive()).await, Some(Outgoing::Close(1000)), "no TerminateServerProcess");
}

/// The official SDKs end the program themselves when nobody handles TerminateProcess. Here it is an event like any other:
/// unread, it waits; the program is never ended by the SDK.
#[tokio::test(start_paused = true)]
async fn a_termination_that_nobody_reads_sends_nothing_and_ends_nothing() {
    let mut ready = ready().await;
    ready
        .socket
        .send_text(r#"{"Action":"TerminateProcess","TerminationTime":1700000123456}"#.to_owned())
        .await;
    assert!(timeout(Duration::from_secs(40), ready.socket.receive()).await.is_err());
    assert!(matches!(patient(ready.events.next()).await, Some(Event::Terminate(_))));
}

#[tokio::test(start_paused = true)]
async fn a_termination_is_answered_by_ending_and_the_deadline_is_told() {
    let Running { mut socket, process, mut events, service: _service } = ready().await;
    socket.send_text(r#"{"Action":"TerminateProcess","TerminationTime":1700000123456}"#.to_owned()).await;
    let Some(Event::Terminate(terminate)) = patient(events.next()).await else { panic!() };
    assert!(terminate.deadline.is_some());
    let (ended, _) =
        patient(async { tokio::join!(process.end(), socket.answer("TerminateServerProcess")) }).await;
    ended.unwrap();
}

#[tokio::test(start_paused = true)]
async fn pushes_before_ready_wait_for_it_and_none_ends_the_program() {
    let (network, mut service) = test_util::network();
    let (connected, mut socket) =
        patient(async { tokio::join!(network.connect(config("p")), service.accept()) }).await;
    socket.push(&create()).await;
    socket.send_text(r#"{"Action":"TerminateProcess"}"#.to_owned()).await;
    let ready = connected.unwrap().ready(Ready::on_port(7777));
    let (ready, _) = patient(async { tokio::join!(ready, socket.answer("ActivateServerProcess")) }).await;
    let (_process, mut events) = ready.unwrap();
    assert!(matches!(patient(events.next()).await, Some(Event::StartGameSession(_))));
    assert!(matches!(patient(events.next()).await, Some(Event::Terminate(_))));
}

/// Whatever the service leaves out, sends as null, or adds.
#[tokio::test(start_paused = true)]
async fn pushes_with_stray_ids_statuses_nulls_and_extras_are_delivered() {
    let mut ready = ready().await;
    for text in [
        r#"{"Action":"UpdateGameSession","UpdateReason":"BACKFILL_FAILED","GameSession":{"GameSessionId":"g","Status":"ACTIVE"},"Extra":1}"#,
        r#"{"Action":"UpdateGameSession","UpdateReason":null,"GameSession":null,"BackfillTicketId":null}"#,
        r#"{"Action":"UpdateGameSession"}"#,
        r#"{"Action":"UpdateGameSession","RequestId":""}"#,
        r#"{"Action":"UpdateGameSession","RequestId":"stray","StatusCode":200}"#,
        r#"{"Action":"UpdateGameSession","RequestId":"stray","StatusCode":500}"#,
        r#"{"Action":"UpdateGameSession","StatusCode":500}"#,
        r#"{"Action":"UpdateGameSession","GameSession":{"Port":"7777","GameProperties":[{"Key":"k"}]}}"#,
    ] {
        ready.socket.send_text(text.to_owned()).await;
        match patient(ready.events.next()).await {
            Some(Event::UpdateGameSession(update)) if text.contains("ACTIVE") => {
                assert_eq!(update.game_session.status, Some(GameSessionStatus::Active));
            }
            Some(Event::UpdateGameSession(_)) => {}
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_health_interval_set_in_the_environment_is_the_one_between_two_heartbeats() {
    let lookup = |name: &str| match name {
        "HEALTHCHECK_INTERVAL" => Some("2s".to_owned()),
        "HEALTHCHECK_MAX_JITTER" => Some("200ms".to_owned()),
        "HEALTHCHECK_TIMEOUT" => Some("1s".to_owned()),
        _ => None,
    };
    let config = Config::builder()
        .websocket_url("ws://in.memory")
        .fleet_id("fleet-1")
        .host_id("host-1")
        .auth_token("token")
        .overridden_by(lookup)
        .unwrap()
        .build()
        .unwrap();
    let mut ready = ready_with(config).await;
    let mut last = Instant::now();
    for beat in 0..10 {
        let Some(Event::HealthCheck(check)) = patient(ready.events.next()).await else { panic!() };
        let waited = last.elapsed();
        last = Instant::now();
        assert!((1_800..=2_200).contains(&waited.as_millis()), "{waited:?}");
        // Every third one hangs.
        let healthy = beat % 3 != 0;
        let held = if healthy {
            check.healthy();
            None
        } else {
            Some(check)
        };
        let request = patient(ready.socket.answer("HeartbeatServerProcess")).await;
        let Request::HeartbeatServerProcess(sent) = request else { panic!() };
        assert_eq!(sent.health_status, healthy);
        drop(held);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connect_that_nobody_answers_says_how_often_and_why() {
    let (network, service) = test_util::network();
    drop(service);
    let began = Instant::now();
    let error = patient(network.connect(config("p"))).await.unwrap_err().to_string();
    assert!(error.contains("attempt(s)") && error.contains("nobody listens"), "{error}");
    assert!((55..=60).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

/// Everything once, as a game server does it in its life.
#[tokio::test(start_paused = true)]
async fn a_whole_life_is_these_frames_and_no_others() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    let process = ready.process.clone();
    let application = tokio::spawn(async move {
        use gamelift_server_sdk::{PlayerSessionCreationPolicy, PlayerSessionQuery};
        session.accept(&player()).await?;
        session.describe_player_sessions(PlayerSessionQuery::of_this_game_session()).await?;
        session.set_creation_policy(PlayerSessionCreationPolicy::DenyAll).await?;
        let somebody = Backfill::new(MATCHMAKER).player("p", "red", BTreeMap::new(), BTreeMap::new());
        session.start_backfill(somebody.ticket_id("ticket-1")).await?;
        session.stop_backfill(MATCHMAKER, "ticket-1").await?;
        session.remove(&player()).await?;
        process.compute_certificate().await?;
        process.fleet_role_credentials("arn:aws:iam::123456789012:role/r", None).await?;
        process.end().await
    });
    for action in [
        "AcceptPlayerSession",
        "DescribePlayerSessions",
        "UpdatePlayerSessionCreationPolicy",
        "StartMatchBackfill",
        "StopMatchBackfill",
        "RemovePlayerSession",
        "GetComputeCertificate",
        "GetFleetRoleCredentials",
        "TerminateServerProcess",
    ] {
        patient(ready.socket.answer(action)).await;
    }
    patient(application).await.unwrap().unwrap();
    assert_eq!(ready.process.closed().await, CloseReason::Ended);
    assert_eq!(patient(ready.socket.receive()).await, Some(Outgoing::Close(1000)));
}

#[test]
fn a_process_connects_by_its_environment_which_wins_over_its_parameters() {
    let lookup = |name: &str| match name {
        "GAMELIFT_SDK_WEBSOCKET_URL" => Some("wss://env".to_owned()),
        "GAMELIFT_SDK_PROCESS_ID" => Some("ManagedResource".to_owned()),
        "GAMELIFT_SDK_FLEET_ID" => Some("env-fleet".to_owned()),
        _ => None,
    };
    let config = Config::builder()
        .websocket_url("ws://parameter")
        .fleet_id("fleet")
        .process_id("proc")
        .host_id("host")
        .auth_token("token")
        .overridden_by(lookup)
        .unwrap()
        .build()
        .unwrap();
    assert_eq!(
        (config.fleet_id(), config.host_id(), config.process_id().len()),
        ("env-fleet", Some("host"), 36)
    );
}

/// The text of every Rust file below these folders of the workspace; of those that are there: a published crate has only
/// itself.
fn sources(folders: &[&str]) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    let mut open: Vec<_> = folders.iter().map(|folder| root.join(folder)).collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    text
}

/// Every name in back quotes in the tests' column of a table.
fn named_tests(table: &str, column: usize) -> Vec<(String, Vec<String>)> {
    let rows = table.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let tests = cells[column].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (cells[0].trim_start_matches("| ").to_owned(), tests)
    })
    .collect()
}

fn missing(rows: &[(String, Vec<String>)]) -> Vec<&String> {
    let sources = sources(&[
        "src",
        "tests",
        "../gamelift-wire/src",
        "../gamelift-wire/tests",
        "../gamelift-local/tests",
    ]);
    rows.iter()
        .flat_map(|(_, tests)| tests)
        .filter(|test| !sources.contains(&format!("fn {test}(")))
        .collect()
}

#[test]
fn every_recorded_scenario_names_tests_that_exist() {
    let rows = named_tests(include_str!("../SCENARIOS.md"), 2);
    assert_eq!(rows.len(), 59);
    assert!(rows.iter().all(|(_, tests)| !tests.is_empty()), "{rows:?}");
    assert_eq!(missing(&rows), Vec::<&String>::new());
}

#[test]
fn each_of_the_19_points_of_the_guide_names_tests_that_exist() {
    let rows = named_tests(include_str!("../../docs/better.md"), 3);
    assert_eq!(rows.len(), 19);
    assert!(rows.iter().all(|(_, tests)| !tests.is_empty()), "{rows:?}");
    assert_eq!(missing(&rows), Vec::<&String>::new());
}
