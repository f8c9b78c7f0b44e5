//! The driver's promises.

use std::time::Duration;

use gamelift_server_sdk::test_util::{self, Outgoing, ServiceSocket};
use gamelift_server_sdk::wire::envelope::Action;
use gamelift_server_sdk::wire::model::EpochMillis;
use gamelift_server_sdk::wire::pushes::{Push, TerminateProcess, UpdateGameSession};
use gamelift_server_sdk::wire::requests::{HeartbeatServerProcess, Request};
use gamelift_server_sdk::{
    CallError, CloseReason, ConnectError, DialError, Event, PlayerSessionCreationPolicy, PlayerSessionQuery,
    Ready, ReadyErrorKind,
};
use tokio::time::{Instant, timeout};

use crate::stage::{GAME_SESSION_ID, config, create, host, patient, player, ready, ready_on, refresh};

#[tokio::test(start_paused = true)]
async fn the_first_heartbeat_is_sent_at_once_and_says_what_the_application_said() {
    let (network, mut service) = test_util::network();
    let begun = Instant::now();
    let connect =
        async { network.connect(config("p")).await.unwrap().ready(Ready::on_port(7777)).await.unwrap() };
    let accept = async {
        let mut socket = service.accept().await;
        socket.answer("ActivateServerProcess").await;
        socket
    };
    let ((_process, mut events), mut socket) = patient(async { tokio::join!(connect, accept) }).await;
    let Some(Event::HealthCheck(check)) = patient(events.next()).await else { panic!() };
    drop(check);
    let request = patient(socket.answer("HeartbeatServerProcess")).await;
    assert_eq!(request, Request::HeartbeatServerProcess(HeartbeatServerProcess { health_status: false }));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_upgrade_query_says_who_connects() {
    let (network, mut service) = test_util::network();
    let connecting = tokio::spawn(async move { network.connect(config("proc-1")).await });
    let knock = patient(service.knock()).await;
    assert_eq!(knock.endpoint(), "ws://in.memory/");
    let query = knock.query();
    assert_eq!((query.compute_id.as_str(), query.fleet_id.as_str()), ("host-1", "fleet-1"));
    assert_eq!((query.process_id.as_str(), query.sdk_language.as_str()), ("proc-1", "Rust"));
    let _socket = knock.accept();
    drop(connecting.await.unwrap().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_told_at_once() {
    let (network, mut service) = test_util::network();
    let connecting = tokio::spawn(async move { network.connect(config("proc-1")).await });
    patient(service.knock()).await.refuse(403);
    let error = connecting.await.unwrap().unwrap_err();
    assert!(
        matches!(
            error,
            ConnectError::Unreachable { attempts: 1, last: DialError::Refused { status: 403, .. } }
        ),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn dropping_connect_gives_the_dial_up() {
    let (network, mut service) = test_util::network();
    let connecting = tokio::spawn(async move { network.connect(config("proc-1")).await });
    let knock = patient(service.knock()).await;
    connecting.abort();
    patient(async {
        while !knock.is_abandoned() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_port_out_of_range_is_refused_here_and_the_connection_is_given_back() {
    let (network, mut service) = test_util::network();
    let (connected, mut socket) =
        patient(async { tokio::join!(network.connect(config("p")), service.accept()) }).await;
    let mut connected = connected.unwrap();
    for port in [0, 60_001, u16::MAX] {
        let error = connected.ready(Ready::on_port(port)).await.unwrap_err();
        assert_eq!(error.kind, ReadyErrorKind::Port { port });
        connected = error.into_connected();
    }
    let (ready, _) = patient(async {
        tokio::join!(connected.ready(Ready::on_port(60_000)), socket.answer("ActivateServerProcess"))
    })
    .await;
    ready.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_reply_does_not_wait_behind_unread_events() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    for _ in 0..500 {
        ready.socket.push(&Push::UpdateGameSession(UpdateGameSession::default())).await;
    }
    let id = player();
    let (accepted, _) =
        patient(async { tokio::join!(session.accept(&id), ready.socket.answer("AcceptPlayerSession")) })
            .await;
    accepted.unwrap();
    for _ in 0..500 {
        assert!(matches!(patient(ready.events.next()).await, Some(Event::UpdateGameSession(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn events_arrive_in_the_order_the_service_sent_them() {
    let mut ready = ready().await;
    for number in 0..200 {
        let backfill_ticket_id = Some(number.to_string());
        ready
            .socket
            .push(&Push::UpdateGameSession(UpdateGameSession { backfill_ticket_id, ..Default::default() }))
            .await;
    }
    ready
        .socket
        .push(&Push::TerminateProcess(TerminateProcess { termination_time: Some(EpochMillis(1_000)) }))
        .await;
    for number in 0..200 {
        let Some(Event::UpdateGameSession(update)) = patient(ready.events.next()).await else { panic!() };
        assert_eq!(update.backfill_ticket_id, Some(number.to_string()));
    }
    let Some(Event::Terminate(terminate)) = patient(ready.events.next()).await else { panic!() };
    assert_eq!(terminate.deadline, Some(std::time::UNIX_EPOCH + Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn an_application_that_never_listens_is_hung_up_on() {
    let mut ready = ready().await;
    for _ in 0..1_100 {
        ready.socket.push(&Push::UpdateGameSession(UpdateGameSession::default())).await;
    }
    assert!(matches!(
        patient(ready.process.closed()).await,
        CloseReason::TooManyUnreadEvents { limit: 1_024 }
    ));
    assert_eq!(patient(ready.socket.receive()).await, Some(Outgoing::Close(1000)));
}

#[tokio::test(start_paused = true)]
async fn health_checks_that_nobody_reads_do_not_pile_up() {
    let mut ready = ready().await;
    // Far more checks than may lie unread; the process is reported unhealthy all along, and stays connected.
    for _ in 0..1_500 {
        let request = patient(ready.socket.answer("HeartbeatServerProcess")).await;
        assert_eq!(request, Request::HeartbeatServerProcess(HeartbeatServerProcess { health_status: false }));
    }
    ready.socket.push(&create()).await;
    let mut stale = 0;
    while let Some(Event::HealthCheck(check)) = patient(ready.events.next()).await {
        drop(check);
        stale += 1;
    }
    assert!(stale < 100, "{stale} stale questions");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_event_stream_takes_the_process_off_the_service() {
    let mut ready = ready().await;
    drop(ready.events);
    assert_eq!(patient(ready.process.closed()).await, CloseReason::EventsDropped);
    assert_eq!(patient(ready.socket.receive()).await, Some(Outgoing::Close(1000)));
}

#[tokio::test(start_paused = true)]
async fn dropping_every_handle_ends_the_event_stream() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    drop(ready.process);
    ready.socket.push(&Push::UpdateGameSession(UpdateGameSession::default())).await;
    assert!(
        matches!(patient(ready.events.next()).await, Some(Event::UpdateGameSession(_))),
        "the session still holds it"
    );
    drop(session);
    assert!(patient(ready.events.next()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn ending_says_goodbye_and_ends_the_event_stream() {
    let mut ready = ready().await;
    let process = ready.process.clone();
    let (ended, _) =
        patient(async { tokio::join!(ready.process.end(), ready.socket.answer("TerminateServerProcess")) })
            .await;
    ended.unwrap();
    assert_eq!(patient(ready.socket.receive()).await, Some(Outgoing::Close(1000)));
    assert!(patient(ready.events.next()).await.is_none());
    assert_eq!(process.closed().await, CloseReason::Ended);
    assert_eq!(process.end().await, Err(CallError::Closed(CloseReason::Ended)));
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_at_a_drop_fails_at_once_instead_of_hanging() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    let calling = tokio::spawn(async move { session.accept(&player()).await });
    patient(ready.socket.expect("AcceptPlayerSession")).await;
    let dropped_at = Instant::now();
    drop(ready.socket);
    assert_eq!(patient(calling).await.unwrap(), Err(CallError::OutcomeUnknown));
    assert_eq!(dropped_at.elapsed(), Duration::ZERO);
}

/// The socket goes in every way it can, in the middle of a game: the process is back, and nothing is announced again.
#[tokio::test(start_paused = true)]
async fn a_process_survives_a_reset_and_every_close_code() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    for code in [None, Some(None), Some(Some(1000)), Some(Some(1001)), Some(Some(1011)), Some(Some(4000))] {
        match code {
            None => drop(ready.socket),
            Some(code) => ready.socket.close(code).await,
        }
        ready.socket = patient(ready.service.accept()).await;
        let id = player();
        let (accepted, request) =
            patient(async { tokio::join!(session.accept(&id), ready.socket.answer("AcceptPlayerSession")) })
                .await;
        accepted.unwrap_or_else(|error| panic!("after {code:?}: {error}"));
        assert!(matches!(request, Request::AcceptPlayerSession(_)), "nothing else is sent");
    }
}

#[tokio::test(start_paused = true)]
async fn a_minute_of_outage_costs_nothing_but_its_calls() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    drop(ready.socket);
    // On a paused clock this ends when every task has nothing left to do: the drop is noticed.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let began = Instant::now();
    // A call made early in the outage gives up after its 20 s and says that it took no effect.
    assert_eq!(session.accept(&player()).await, Err(CallError::NotSent));
    assert_eq!(began.elapsed(), Duration::from_secs(20));
    let policy = session.clone();
    let waiting = loop {
        let knock = patient(ready.service.knock()).await;
        if began.elapsed() >= Duration::from_secs(60) {
            let waiting = tokio::spawn(async move {
                policy.set_creation_policy(PlayerSessionCreationPolicy::DenyAll).await
            });
            ready.socket = knock.accept();
            break waiting;
        }
        knock.refuse(503);
    };
    patient(async {
        // In either order: the call that waited, and the heartbeat that was missed, once the application has answered.
        let (mut policies, mut beats) = (0, 0);
        while policies < 1 || beats < 1 {
            tokio::select! {
                biased;
                event = ready.events.next() => match event {
                    Some(Event::HealthCheck(check)) => check.healthy(),
                    other => panic!("{other:?}"),
                },
                (id, request) = ready.socket.request() => {
                    match request {
                        Request::HeartbeatServerProcess(_) => beats += 1,
                        Request::UpdatePlayerSessionCreationPolicy(_) => policies += 1,
                        ref other => panic!("{other:?}"),
                    }
                    ready.socket.succeed(&request, &id).await;
                }
            }
        }
    })
    .await;
    waiting.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refresh_delays_no_call_and_loses_no_answer() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    let during = session.clone();
    let in_flight = tokio::spawn(async move { during.accept(&player()).await });
    let (id, request) = patient(ready.socket.expect("AcceptPlayerSession")).await;
    ready.socket.push(&refresh("wss://second/stage", "token-2")).await;
    let knock = patient(ready.service.knock()).await;
    assert_eq!(knock.endpoint(), "wss://second/stage");
    assert!(knock.raw_query().starts_with("Authorization=token-2&"));
    let mut new = knock.accept();
    // On a paused clock this ends when every task has nothing left to do: the switch is made.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let began = Instant::now();
    let removed = player();
    let (result, _) =
        patient(async { tokio::join!(session.remove(&removed), new.answer("RemovePlayerSession")) }).await;
    result.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO, "a refresh delays no call");
    ready.socket.succeed(&request, &id).await;
    assert_eq!(patient(in_flight).await.unwrap(), Ok(()), "the old socket's answer counts");
    ready.socket.push(&create()).await;
    assert!(
        matches!(patient(ready.events.next()).await, Some(Event::StartGameSession(_))),
        "and so do its pushes"
    );
    assert_eq!(patient(ready.socket.receive()).await, Some(Outgoing::Close(1000)));
    assert_eq!(began.elapsed(), Duration::from_millis(4_999), "the old socket is read for 5 s");
}

#[tokio::test(start_paused = true)]
async fn a_refused_activation_gives_the_game_session_back() {
    let mut ready = ready().await;
    ready.socket.push(&create()).await;
    let Some(Event::StartGameSession(start)) = patient(ready.events.next()).await else { panic!() };
    let refuse = async {
        let (id, _) = ready.socket.expect("ActivateGameSession").await;
        ready.socket.refuse(&Action::ActivateGameSession, &id, 500, "try again").await;
    };
    let (refused, ()) = patient(async { tokio::join!(start.activate(), refuse) }).await;
    let error = refused.unwrap_err();
    assert!(matches!(&error.source, CallError::Refused(refusal) if refusal.message == "try again"));
    let again = error.into_start();
    let (session, _) =
        patient(async { tokio::join!(again.activate(), ready.socket.answer("ActivateGameSession")) }).await;
    assert_eq!(session.unwrap().id().as_str(), GAME_SESSION_ID);
}

#[tokio::test(start_paused = true)]
async fn more_calls_than_may_be_in_flight_wait_and_all_are_answered() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    let calls: Vec<_> = (0..3_000)
        .map(|_| {
            let session = session.clone();
            tokio::spawn(async move {
                session.describe_player_sessions(PlayerSessionQuery::of_this_game_session()).await
            })
        })
        .collect();
    let mut most = 0;
    let mut unanswered = Vec::new();
    for _ in 0..3_000 {
        // Answer only when nothing more comes: that is the most there may be.
        let (id, request) = loop {
            match timeout(Duration::from_millis(1), ready.socket.request()).await {
                Ok(asked) => unanswered.push(asked),
                Err(_) => break unanswered.pop().unwrap(),
            }
            most = most.max(unanswered.len());
        };
        ready.socket.succeed(&request, &id).await;
    }
    assert_eq!(most, 1_024);
    for call in calls {
        patient(call).await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn several_processes_in_one_program_keep_to_themselves() {
    let (first_network, first_service) = test_util::network();
    let (second_network, second_service) = test_util::network();
    let mut first = ready_on(&first_network, first_service, config("proc-1")).await;
    let mut second = ready_on(&second_network, second_service, config("proc-2")).await;
    first.socket.push(&create()).await;
    assert!(matches!(patient(first.events.next()).await, Some(Event::StartGameSession(_))));
    let (ended, _) =
        patient(async { tokio::join!(first.process.end(), first.socket.answer("TerminateServerProcess")) })
            .await;
    ended.unwrap();
    host(&mut second).await;
}

/// Two hours: a refresh every 20 minutes, a drop every 35, a heartbeat a minute, players all the time.
#[tokio::test(start_paused = true)]
async fn two_hours_of_a_servers_life_pass_without_losing_anything() {
    let mut ready = ready().await;
    let session = host(&mut ready).await;
    let began = Instant::now();
    let two_hours = Duration::from_secs(2 * 3_600);
    let application = tokio::spawn(async move {
        let (mut accepted, mut unknown, mut checks) = (0, 0, 0);
        let mut joins = tokio::time::interval(Duration::from_secs(7));
        while began.elapsed() < two_hours {
            tokio::select! {
                biased;
                event = ready.events.next() => match event {
                    Some(Event::HealthCheck(check)) => { check.healthy(); checks += 1; }
                    other => panic!("{other:?}"),
                },
                _ = joins.tick() => match session.accept(&player()).await {
                    Ok(()) => accepted += 1,
                    Err(CallError::OutcomeUnknown) => unknown += 1,
                    Err(error) => panic!("{error}"),
                },
            }
        }
        (accepted, unknown, checks, ready.process)
    });
    let (mut beats, mut longest, mut last_beat) = (0, Duration::ZERO, Instant::now());
    let mut refreshes =
        tokio::time::interval_at(began + Duration::from_secs(20 * 60), Duration::from_secs(20 * 60));
    let mut drops =
        tokio::time::interval_at(began + Duration::from_secs(35 * 60), Duration::from_secs(35 * 60));
    let (mut socket, mut service, mut generation) = (ready.socket, ready.service, 1);
    let mut old: Option<ServiceSocket> = None;
    while !application.is_finished() {
        tokio::select! {
                biased;
            frame = socket.receive() => match frame {
                Some(Outgoing::Text(text)) => {
                    let frame = gamelift_server_sdk::wire::envelope::ClientFrame::parse(&text).unwrap();
                    match frame.request {
                        Request::HeartbeatServerProcess(beat) => {
                            assert!(beat.health_status);
                            beats += 1;
                            longest = longest.max(last_beat.elapsed());
                            last_beat = Instant::now();
                        }
                        Request::AcceptPlayerSession(_) => {}
                        ref other => panic!("sent again: {other:?}"),
                    }
                    socket.succeed(&frame.request, &frame.request_id).await;
                }
                // The application is done and its handles are gone.
                Some(Outgoing::Close(_)) | None => break,
            },
            _ = refreshes.tick() => {
                generation += 1;
                socket.push(&refresh("ws://refreshed", &format!("token-{generation}"))).await;
            }
            knock = service.knock() => {
                assert_eq!(knock.query().process_id, "proc-1");
                old = Some(std::mem::replace(&mut socket, knock.accept()));
            }
            _ = drops.tick() => {
                drop(old.take());
                let (dropped, next) = (socket, service.accept());
                drop(dropped);
                socket = patient(next).await;
            }
            () = tokio::time::sleep(Duration::from_secs(600)) => {}
        }
    }
    let (accepted, unknown, checks, _process) = application.await.unwrap();
    assert_eq!(accepted + unknown, 2 * 3_600 / 7 + 1, "every player was answered");
    assert!(unknown <= 3, "{unknown} of 3 drops cost a call in flight");
    assert!((100..=145).contains(&checks) && beats >= checks - 1, "{beats} beats, {checks} checks");
    assert!(longest <= Duration::from_secs(71), "{longest:?} without a heartbeat");
    assert!(generation >= 6, "{generation} tokens");
}
