//! Where running the official SDKs (Go 5.6.0, C++ 5.4.0) showed a defect: what this SDK does instead. One test and more for
//! each row of the table in the guide's "What it does better".

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use gamelift_server_sdk::test_util::{self, Outgoing};
use gamelift_server_sdk::wire::envelope::{Action, success_text};
use gamelift_server_sdk::wire::model::EpochMillis;
use gamelift_server_sdk::wire::pushes::{Push, TerminateProcess, UpdateGameSession};
use gamelift_server_sdk::wire::requests::{Empty, HeartbeatServerProcess, Request};
use gamelift_server_sdk::{
    CallError, CloseReason, Config, ConfigBuilder, Event, PlayerSessionCreationPolicy, PlayerSessionQuery,
    Ready, Terminate,
};
use tokio::time::{Instant, timeout};

use crate::stage::{
    GAME_SESSION_ID, Running, config, create, host, patient, player, ready, ready_on, ready_with, refresh,
};

fn builder() -> ConfigBuilder {
    Config::builder()
        .websocket_url("ws://in.memory")
        .fleet_id("fleet-1")
        .host_id("host-1")
        .auth_token("token-1")
}

/// On a paused clock this ends when every task has nothing left to do.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

// --- 1: a game session right behind the answer to ready ----------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_game_session_in_the_same_breath_as_the_answer_to_ready_is_never_lost() {
    for before in [false, true] {
        let (network, mut service) = test_util::network();
        let script = async {
            let mut socket = service.accept().await;
            let (id, request) = socket.expect("ActivateServerProcess").await;
            if before {
                socket.push(&create()).await;
            }
            socket.succeed(&request, &id).await;
            if !before {
                socket.push(&create()).await;
            }
            socket
        };
        let connect =
            async { network.connect(config("p")).await.unwrap().ready(Ready::on_port(7777)).await.unwrap() };
        let ((_process, mut events), _socket) = patient(async { tokio::join!(connect, script) }).await;
        let started = async {
            loop {
                match events.next().await {
                    Some(Event::StartGameSession(start)) => {
                        break start.game_session().game_session_id.clone();
                    }
                    Some(Event::HealthCheck(check)) => check.healthy(),
                    other => panic!("{other:?}"),
                }
            }
        };
        assert_eq!(patient(started).await.as_str(), GAME_SESSION_ID);
    }
}

// --- 2: order ------------------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn pushes_of_every_kind_arrive_one_at_a_time_in_the_order_they_were_sent() {
    let mut ready = ready().await;
    ready.socket.push(&create()).await;
    for number in 0..100 {
        let backfill_ticket_id = Some(number.to_string());
        let update = UpdateGameSession { backfill_ticket_id, ..Default::default() };
        ready.socket.push(&Push::UpdateGameSession(update)).await;
    }
    ready.socket.push(&Push::TerminateProcess(TerminateProcess::default())).await;
    assert!(matches!(patient(ready.events.next()).await, Some(Event::StartGameSession(_))));
    for number in 0..100 {
        let Some(Event::UpdateGameSession(update)) = patient(ready.events.next()).await else { panic!() };
        assert_eq!(update.backfill_ticket_id, Some(number.to_string()));
    }
    assert!(matches!(patient(ready.events.next()).await, Some(Event::Terminate(_))));
}

// --- 3: no stall -----------------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn calls_stall_neither_after_a_reconnect_nor_after_a_refresh() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    drop(ready.socket);
    ready.socket = patient(ready.service.accept()).await;
    settle().await;
    let id = player();
    let began = Instant::now();
    let (done, _) =
        patient(async { tokio::join!(session.accept(&id), ready.socket.answer("AcceptPlayerSession")) })
            .await;
    done.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO, "after a reconnect");
    ready.socket.push(&refresh("ws://second", "token-2")).await;
    let mut second = patient(ready.service.accept()).await;
    settle().await;
    let began = Instant::now();
    let (done, _) =
        patient(async { tokio::join!(session.remove(&id), second.answer("RemovePlayerSession")) }).await;
    done.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO, "after a refresh");
}

// --- 4: in flight at a drop ------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn of_calls_in_flight_at_a_drop_the_idempotent_are_sent_again_under_the_same_request_id_and_the_rest_end_at_once()
 {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    let (reader, setter, joiner) = (session.clone(), session.clone(), session.clone());
    let process = ready.process.clone();
    let repeated = [
        tokio::spawn(async move {
            reader.describe_player_sessions(PlayerSessionQuery::of_this_game_session()).await.map(|_| ())
        }),
        tokio::spawn(async move { setter.set_creation_policy(PlayerSessionCreationPolicy::DenyAll).await }),
        tokio::spawn(async move { process.compute_certificate().await.map(|_| ()) }),
    ];
    let ended = tokio::spawn(async move { joiner.accept(&player()).await });
    let mut sent = BTreeSet::new();
    for _ in 0..4 {
        let (id, request) = patient(ready.socket.request()).await;
        if !matches!(request, Request::AcceptPlayerSession(_)) {
            sent.insert(id);
        }
    }
    let dropped_at = Instant::now();
    drop(ready.socket);
    assert_eq!(patient(ended).await.unwrap(), Err(CallError::OutcomeUnknown));
    assert_eq!(dropped_at.elapsed(), Duration::ZERO);
    let mut socket = patient(ready.service.accept()).await;
    for _ in 0..3 {
        let (id, request) = patient(socket.request()).await;
        assert!(sent.remove(&id), "a new request id, or one twice");
        socket.succeed(&request, &id).await;
    }
    for call in repeated {
        patient(call).await.unwrap().unwrap();
    }
    assert!(dropped_at.elapsed() < Duration::from_secs(1), "{:?}", dropped_at.elapsed());
}

// --- 5: every way to lose a socket -----------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_socket_closed_with_any_code_or_none_is_dialled_again() {
    let Running { mut service, mut socket, process, events: _events } = ready().await;
    for code in [
        None,
        Some(1000),
        Some(1001),
        Some(1002),
        Some(1003),
        Some(1007),
        Some(1008),
        Some(1009),
        Some(1010),
        Some(1011),
        Some(1012),
        Some(1013),
        Some(3000),
        Some(4000),
        Some(4999),
    ] {
        socket.close(code).await;
        let began = Instant::now();
        socket = patient(service.accept()).await;
        assert!(began.elapsed() < Duration::from_secs(1), "after {code:?}");
        let asking = process.clone();
        let call = tokio::spawn(async move { asking.compute_certificate().await });
        patient(socket.answer("GetComputeCertificate")).await;
        patient(call).await.unwrap().unwrap();
    }
}

// --- 6: a long outage ------------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_ready_process_outlives_an_outage_of_a_day() {
    let Running { mut service, socket, process, mut events } = ready().await;
    let application = tokio::spawn(async move {
        while let Some(event) = events.next().await {
            match event {
                Event::HealthCheck(check) => check.healthy(),
                other => panic!("{other:?}"),
            }
        }
    });
    drop(socket);
    let began = Instant::now();
    let knock = loop {
        let knock = patient(service.knock()).await;
        if began.elapsed() > Duration::from_secs(24 * 3_600) {
            break knock;
        }
        knock.refuse(503);
    };
    let mut socket = knock.accept();
    let back_at = Instant::now();
    let beat = patient(socket.answer("HeartbeatServerProcess")).await;
    assert_eq!(beat, Request::HeartbeatServerProcess(HeartbeatServerProcess { health_status: true }));
    assert!(back_at.elapsed() < Duration::from_secs(1), "the heartbeat it missed, and at once");
    let another = timeout(Duration::from_secs(40), socket.receive()).await;
    assert!(another.is_err(), "and no more of them: {another:?}");
    drop(process);
    application.await.unwrap();
}

// --- 7: no lockstep --------------------------------------------------------------------------------------------------------

/// Ten processes start at the same instant. When do they beat, and when do they dial again?
#[tokio::test(start_paused = true)]
async fn processes_that_start_in_the_same_instant_neither_beat_nor_dial_in_lockstep() {
    let lives = (0..10).map(|number: u64| async move {
        let (network, service) = test_util::network();
        let config = builder().seed(number).build().unwrap();
        let mut life = ready_on(&network, service, config).await;
        let began = Instant::now();
        let Some(Event::HealthCheck(check)) = patient(life.events.next()).await else { panic!() };
        check.healthy();
        patient(life.socket.answer("HeartbeatServerProcess")).await;
        let beat = began.elapsed();
        tokio::time::sleep_until(began + Duration::from_secs(75)).await;
        drop(life.socket);
        let mut dials = Vec::new();
        for _ in 0..5 {
            let knock = patient(life.service.knock()).await;
            dials.push(began.elapsed().as_millis());
            knock.refuse(503);
        }
        (beat, dials)
    });
    let lives = join_all(lives).await;
    let beats: BTreeSet<_> = lives.iter().map(|(beat, _)| beat.as_millis()).collect();
    assert_eq!(beats.len(), 10, "{beats:?}");
    assert!(beats.iter().all(|beat| (50_000..=70_000).contains(beat)), "{beats:?}");
    let spread = beats.last().unwrap() - beats.first().unwrap();
    assert!(spread > 5_000, "{beats:?}");
    let fifth: BTreeSet<_> = lives.iter().map(|(_, dials)| dials[4]).collect();
    assert_eq!(fifth.len(), 10, "{fifth:?}");
}

// --- 8: limits and ends ----------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_service_that_accepts_and_stays_silent_holds_connect_up_no_longer_than_its_patience() {
    let (network, mut service) = test_util::network();
    let config = builder().connect_timeout(Duration::from_secs(45)).build().unwrap();
    let began = Instant::now();
    let connecting = tokio::spawn(async move { network.connect(config).await.map(|_| ()) });
    // Held, never answered: the upgrade that does not come.
    let first = patient(service.knock()).await;
    let second = patient(service.knock()).await;
    assert!(began.elapsed() >= Duration::from_secs(20) && first.is_abandoned());
    patient(connecting).await.unwrap().unwrap_err();
    assert_eq!(began.elapsed(), Duration::from_secs(45));
    settle().await;
    assert!(second.is_abandoned());
}

#[tokio::test(start_paused = true)]
async fn a_process_dropped_in_backoff_is_gone_at_once_and_no_zombie_connects_later() {
    let Running { mut service, socket, process, mut events } = ready().await;
    drop(socket);
    patient(service.knock()).await.refuse(503);
    let began = Instant::now();
    drop(process);
    assert!(patient(events.next()).await.is_none());
    assert_eq!(began.elapsed(), Duration::ZERO);
    drop(events);
    let later = timeout(Duration::from_secs(3_000), service.knock_or_end()).await;
    assert!(matches!(later, Ok(None)), "the driver and its network are gone");
}

#[tokio::test(start_paused = true)]
async fn ending_during_an_outage_waits_for_the_connection_and_gives_up_with_its_deadline() {
    let Running { mut service, socket, process, events: _events } = ready().await;
    drop(socket);
    settle().await;
    let began = Instant::now();
    let ending = process.clone();
    let ended = tokio::spawn(async move { ending.end().await });
    while !ended.is_finished() {
        tokio::select! {
            biased;
            knock = service.knock() => knock.refuse(503),
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
    assert_eq!(ended.await.unwrap(), Err(CallError::NotSent));
    assert!(began.elapsed() <= Duration::from_secs(21), "{:?}", began.elapsed());
    // And on the next connection it works.
    let mut socket = patient(service.accept()).await;
    let (ended, _) =
        patient(async { tokio::join!(process.end(), socket.answer("TerminateServerProcess")) }).await;
    ended.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_program_may_end_a_process_and_start_another_as_often_as_it_likes() {
    let (network, mut service) = test_util::network();
    let mut tokens = BTreeSet::new();
    for _ in 0..5 {
        let began = Instant::now();
        let connect = async {
            network
                .connect(builder().process_id("proc-1").build().unwrap())
                .await
                .unwrap()
                .ready(Ready::on_port(7777))
                .await
                .unwrap()
        };
        let accept = async {
            let knock = service.knock().await;
            tokens.insert(knock.query().idempotency_token);
            let mut socket = knock.accept();
            socket.answer("ActivateServerProcess").await;
            socket
        };
        let ((process, events), mut socket) = patient(async { tokio::join!(connect, accept) }).await;
        // It reconnects in every one of its lives.
        drop(socket);
        let knock = patient(service.knock()).await;
        tokens.insert(knock.query().idempotency_token);
        socket = knock.accept();
        let (ended, _) =
            patient(async { tokio::join!(process.end(), socket.answer("TerminateServerProcess")) }).await;
        ended.unwrap();
        drop(events);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
    assert_eq!(
        tokens.len(),
        5,
        "a new idempotency token for each start, the same for its reconnects: {tokens:?}"
    );
}

// --- 9 and 10: refreshes ---------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn of_two_refreshes_the_newest_wins_even_if_the_older_answers_first() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    ready.socket.push(&refresh("ws://second", "token-2")).await;
    let second = patient(ready.service.knock()).await;
    ready.socket.push(&refresh("ws://third", "token-3")).await;
    let third = patient(ready.service.knock()).await;
    assert!(second.is_abandoned(), "the older is called off");
    let mut socket = third.accept();
    settle().await;
    let id = player();
    let (done, _) =
        patient(async { tokio::join!(session.accept(&id), socket.answer("AcceptPlayerSession")) }).await;
    done.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refresh_to_a_dead_endpoint_costs_no_call_and_is_tried_until_it_works() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    ready.socket.push(&refresh("ws://dead", "token-2")).await;
    let id = player();
    let mut knock = patient(ready.service.knock()).await;
    for _ in 0..5 {
        knock.refuse(503);
        let began = Instant::now();
        let (done, _) =
            patient(async { tokio::join!(session.accept(&id), ready.socket.answer("AcceptPlayerSession")) })
                .await;
        done.unwrap();
        assert_eq!(began.elapsed(), Duration::ZERO, "over the old socket");
        knock = patient(ready.service.knock()).await;
        assert_eq!(knock.endpoint(), "ws://dead/");
    }
    let mut socket = knock.accept();
    settle().await;
    let (done, _) =
        patient(async { tokio::join!(session.remove(&id), socket.answer("RemovePlayerSession")) }).await;
    done.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_at_a_refresh_is_answered_by_either_socket() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    let (one, two) = (session.clone(), session.clone());
    let calls = [
        tokio::spawn(async move { one.accept(&player()).await }),
        tokio::spawn(async move { two.accept(&player()).await }),
    ];
    let first = patient(ready.socket.expect("AcceptPlayerSession")).await;
    let second = patient(ready.socket.expect("AcceptPlayerSession")).await;
    ready.socket.push(&refresh("ws://second", "token-2")).await;
    let mut new = patient(ready.service.accept()).await;
    settle().await;
    new.succeed(&first.1, &first.0).await;
    ready.socket.succeed(&second.1, &second.0).await;
    for call in calls {
        patient(call).await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_of_the_old_socket_after_a_refresh_does_not_touch_the_new_one() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    ready.socket.push(&refresh("ws://second", "token-2")).await;
    let mut socket = patient(ready.service.accept()).await;
    settle().await;
    ready.socket.close(Some(1000)).await;
    let id = player();
    let (done, _) =
        patient(async { tokio::join!(session.accept(&id), socket.answer("AcceptPlayerSession")) }).await;
    done.unwrap();
    let dialled = timeout(Duration::from_secs(30), ready.service.knock()).await;
    assert!(dialled.is_err(), "nobody dials");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_before_ready_is_heeded() {
    let (network, mut service) = test_util::network();
    let (connected, mut socket) =
        patient(async { tokio::join!(network.connect(config("p")), service.accept()) }).await;
    socket.push(&refresh("ws://second", "token-2")).await;
    let mut second = patient(service.accept()).await;
    settle().await;
    let ready = connected.unwrap().ready(Ready::on_port(7777));
    let (ready, _) = patient(async { tokio::join!(ready, second.answer("ActivateServerProcess")) }).await;
    ready.unwrap();
}

// --- 12: secrets -------------------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn query_values_are_percent_encoded_and_the_token_is_never_printed() {
    let token = "a+b/c=d&e%f~ü";
    let (network, mut service) = test_util::network();
    let config = builder().auth_token(token).build().unwrap();
    assert!(!format!("{config:?}").contains(token));
    let connecting = tokio::spawn(async move { network.connect(config).await });
    let knock = patient(service.knock()).await;
    assert!(
        knock.raw_query().starts_with("Authorization=a%2Bb%2Fc%3Dd%26e%25f~%C3%BC&ComputeId=host-1&"),
        "{}",
        knock.raw_query()
    );
    knock.refuse(403);
    let error = patient(connecting).await.unwrap().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("a+b") && !error.to_string().contains("%2B"), "{error}");
}

// --- 14: odd frames ----------------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn frames_that_crash_other_sdks_are_ignored() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    let long = "x".repeat(100_000);
    for text in [
        "",
        "5",
        "null",
        "true",
        "\"text\"",
        "[1,2]",
        "{",
        "{}",
        "nonsense",
        &long,
        "\u{0}",
        r#"{"Action":7}"#,
        r#"{"Action":null}"#,
        r#"{"Action":"Nobody knows"}"#,
        r#"{"message":"Internal server error","connectionId":"c","requestId":"r"}"#,
        r#"{"RequestId":"stranger","StatusCode":200}"#,
        r#"{"Action":"CreateGameSession"}"#,
        r#"{"Action":"CreateGameSession","GameSessionId":7}"#,
        r#"{"Action":"RefreshConnection"}"#,
        r#"{"Action":"RefreshConnection","RefreshConnectionEndpoint":"http://no"}"#,
    ] {
        ready.socket.send_text(text.to_owned()).await;
    }
    ready.socket.send_text(format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))).await;
    let id = player();
    let (done, _) =
        patient(async { tokio::join!(session.accept(&id), ready.socket.answer("AcceptPlayerSession")) })
            .await;
    done.unwrap();
    let event = timeout(Duration::from_secs(30), ready.events.next()).await;
    assert!(event.is_err(), "{event:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_its_action_is_an_answer_all_the_same() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    let asking = session.clone();
    let call = tokio::spawn(async move {
        asking.describe_player_sessions(PlayerSessionQuery::of_this_game_session()).await
    });
    let (id, _) = patient(ready.socket.expect("DescribePlayerSessions")).await;
    let text =
        format!(r#"{{"RequestId":"{id}","StatusCode":200,"PlayerSessions":[{{"PlayerSessionId":"p-1"}}]}}"#);
    ready.socket.send_text(text).await;
    assert_eq!(patient(call).await.unwrap().unwrap().player_sessions.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_call_after_the_end_is_an_error_and_no_panic() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    let process = ready.process.clone();
    let (ended, _) =
        patient(async { tokio::join!(process.clone().end(), ready.socket.answer("TerminateServerProcess")) })
            .await;
    ended.unwrap();
    let closed = Err(CallError::Closed(CloseReason::Ended));
    assert_eq!(session.accept(&player()).await, closed);
    assert_eq!(session.set_creation_policy(PlayerSessionCreationPolicy::AcceptAll).await, closed);
    assert_eq!(process.compute_certificate().await.map(|_| ()), closed);
    assert_eq!(process.end().await, closed);
}

// --- 15: units, texts, silence -----------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn the_time_of_termination_is_a_moment_and_missing_or_odd_times_cost_no_event() {
    let mut ready = ready().await;
    for (time, expected) in [
        ("1700000123456", Some(Duration::from_millis(1_700_000_123_456))),
        ("null", None),
        ("\"soon\"", None),
        ("-5", Some(Duration::ZERO)),
    ] {
        let text = format!(r#"{{"Action":"TerminateProcess","TerminationTime":{time}}}"#);
        ready.socket.send_text(text).await;
        let Some(Event::Terminate(Terminate { deadline, .. })) = patient(ready.events.next()).await else {
            panic!()
        };
        assert_eq!(deadline, expected.map(|since| std::time::UNIX_EPOCH + since), "{time}");
    }
    let moment = EpochMillis(1_700_000_123_456).to_system_time();
    assert_eq!(moment.duration_since(std::time::UNIX_EPOCH).unwrap().subsec_millis(), 456);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_what_the_service_said_and_nothing_else() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    let id = player();
    let refuse = async {
        let (id, _) = ready.socket.expect("AcceptPlayerSession").await;
        ready.socket.refuse(&Action::AcceptPlayerSession, &id, 404, "no such player session").await;
    };
    let (refused, ()) = patient(async { tokio::join!(session.accept(&id), refuse) }).await;
    assert_eq!(refused.unwrap_err().to_string(), "the service refused: NotFound: no such player session");
}

#[tokio::test(start_paused = true)]
async fn a_health_check_that_nobody_answers_is_unhealthy_after_50_seconds() {
    let mut ready = ready().await;
    let Some(Event::HealthCheck(check)) = patient(ready.events.next()).await else { panic!() };
    let asked_at = Instant::now();
    let request = patient(ready.socket.answer("HeartbeatServerProcess")).await;
    assert_eq!(request, Request::HeartbeatServerProcess(HeartbeatServerProcess { health_status: false }));
    let waited = asked_at.elapsed();
    assert!((49..=51).contains(&waited.as_secs()), "{waited:?}");
    check.healthy();
    let late = timeout(Duration::from_secs(5), ready.socket.receive()).await;
    assert!(!matches!(late, Ok(Some(Outgoing::Text(text))) if text.contains("true")), "too late is too late");
}

// --- 16: after a failed start --------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_connect_that_failed_can_simply_be_repeated() {
    let (network, mut service) = test_util::network();
    let first = network.clone();
    let connecting = tokio::spawn(async move { first.connect(config("proc-1")).await });
    patient(service.knock()).await.refuse(403);
    connecting.await.unwrap().unwrap_err();
    let (connected, _socket) =
        patient(async { tokio::join!(network.connect(config("proc-1")), service.accept()) }).await;
    drop(connected.unwrap());
}

// --- 18: a game session has a beginning and an end ----------------------------------------------------------------------------

/// What the official SDKs check at run time, or not at all, is a matter of types here: who has no `StartGameSession` cannot
/// activate, and each session's players are accepted under its own id.
#[tokio::test(start_paused = true)]
async fn each_game_session_is_used_under_its_own_id_and_a_start_without_one_never_arrives() {
    let mut ready = ready().await;
    ready.socket.send_text(r#"{"Action":"CreateGameSession","GameSessionName":"nameless"}"#.to_owned()).await;
    let first = host(&mut ready).await;
    let text = create().to_text().replace("gsess-1", "gsess-2");
    ready.socket.send_text(text).await;
    let Some(Event::StartGameSession(start)) = patient(ready.events.next()).await else { panic!() };
    let (second, _) =
        patient(async { tokio::join!(start.activate(), ready.socket.answer("ActivateGameSession")) }).await;
    let second = second.unwrap();
    let id = player();
    for session in [&first, &second, &first] {
        let (done, request) =
            patient(async { tokio::join!(session.accept(&id), ready.socket.answer("AcceptPlayerSession")) })
                .await;
        done.unwrap();
        let Request::AcceptPlayerSession(sent) = request else { panic!() };
        assert_eq!(&sent.game_session_id, session.id());
    }
    assert_ne!(first.id(), second.id());
}

// --- 19: not on a managed fleet -------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn that_there_is_no_fleet_role_is_asked_anew_each_time() {
    let Running { mut socket, process, service: _service, events: _events } = ready().await;
    for _ in 0..3 {
        let asking = process.clone();
        let role = "arn:aws:iam::123456789012:role/r";
        let call = tokio::spawn(async move { asking.fleet_role_credentials(role, None).await });
        let (id, _) = patient(socket.expect("GetFleetRoleCredentials")).await;
        socket.send_text(success_text(&Action::GetFleetRoleCredentials, &id, &Empty {})).await;
        assert_eq!(patient(call).await.unwrap(), Ok(None));
    }
}

// --- half-open -------------------------------------------------------------------------------------------------------------------

/// The socket is up and the service says nothing any more: heartbeats find out, no call is needed. The one that is due
/// after 50 to 70 s is not answered within 20 s, the next is sent at once and gets 20 s, too.
#[tokio::test(start_paused = true)]
async fn a_socket_that_went_silent_is_replaced_after_two_unanswered_heartbeats() {
    let Running { mut service, socket, process: _process, mut events } = ready_with(config("proc-1")).await;
    let began = Instant::now();
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            if let Event::HealthCheck(check) = event {
                check.healthy();
            }
        }
    });
    let mut fresh = patient(service.accept()).await;
    assert!((90..=110).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    drop(socket);
    let back_at = Instant::now();
    patient(fresh.answer("HeartbeatServerProcess")).await;
    assert!(back_at.elapsed() < Duration::from_secs(1), "the missed heartbeat is made up for at once");
}
