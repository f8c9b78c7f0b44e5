//! Game sessions: ACTIVATING, ACTIVE, TERMINATING, TERMINATED.

use gamelift_local::{ErrorKind, model::*};
use serde_json::json;

use crate::bench::{Bench, COMPUTE, LOCATION, input, kind};

#[test]
fn a_new_game_session_is_activating_and_knows_where_it_runs() {
    let mut bench = Bench::new();
    bench.ready("p");
    let session = bench.try_create(json!({ "Name": "n", "GameSessionData": "d", "CreatorId": "c" })).unwrap();
    assert_eq!(session.status, GameSessionStatus::Activating);
    assert_eq!((session.port, session.ip_address.as_deref()), (7777, Some("10.0.0.1")));
    assert_eq!((session.location.as_str(), session.compute_name.as_str()), (LOCATION, COMPUTE));
    let prefix = format!("arn:aws:gamelift:us-west-2::gamesession/{}/{LOCATION}/gsess-", bench.fleet);
    assert!(session.game_session_id.starts_with(&prefix), "{}", session.game_session_id);
}

#[test]
fn activation_makes_a_game_session_active() {
    let mut bench = Bench::new();
    let (_, arn) = bench.hosting("p");
    assert_eq!(bench.status(&arn), GameSessionStatus::Active);
    bench.wait_s(60);
    assert_eq!(bench.status(&arn), GameSessionStatus::Active);
}

#[test]
fn activating_twice_is_a_conflict() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    let message = bench.refused(connection, "ActivateGameSession", json!({ "GameSessionId": arn }), 409);
    assert_eq!(message, "GameSession has a status of ACTIVE instead of ACTIVATING");
}

#[test]
fn activating_without_a_game_session_is_refused() {
    let mut bench = Bench::new();
    let connection = bench.ready("p");
    bench.refused(connection, "ActivateGameSession", json!({}), 400);
    bench.refused(connection, "ActivateGameSession", json!({ "GameSessionId": "arn:aws:nothing" }), 404);
}

#[test]
fn a_game_session_of_another_process_cannot_be_activated() {
    let mut bench = Bench::new();
    bench.ready("a");
    let arn = bench.create();
    let other = bench.ready("b");
    bench.refused(other, "ActivateGameSession", json!({ "GameSessionId": arn }), 404);
}

#[test]
fn activation_times_out_after_300_seconds_and_the_process_is_asked_to_end() {
    let mut bench = Bench::new();
    let connection = bench.ready("p");
    let arn = bench.create();
    for _ in 0..4 {
        bench.wait_s(60);
        bench.heartbeat(connection, true);
    }
    bench.wait_s(59);
    assert_eq!(bench.status(&arn), GameSessionStatus::Activating);
    bench.wait_s(1);
    assert_eq!(bench.status(&arn), GameSessionStatus::Terminated);
    assert_eq!(bench.push_actions(), ["CreateGameSession", "TerminateProcess"]);
    assert_eq!(kind(bench.try_create(json!({}))), Some(ErrorKind::FleetCapacityExceeded));
}

#[test]
fn the_activation_timeout_is_the_fleets() {
    let more = json!({ "RuntimeConfiguration": { "GameSessionActivationTimeoutSeconds": 10 } });
    let mut bench = Bench::with_fleet(more);
    bench.ready("p");
    let arn = bench.create();
    bench.wait_s(9);
    assert_eq!(bench.status(&arn), GameSessionStatus::Activating);
    bench.wait_s(1);
    assert_eq!(bench.status(&arn), GameSessionStatus::Terminated);
}

#[test]
fn termination_pushes_a_time_five_minutes_ahead_in_whole_milliseconds() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    assert_eq!(bench.terminate(&arn).unwrap().status, GameSessionStatus::Terminating);
    let due = bench.now.as_millis() + 300_000;
    assert_eq!(
        bench.pushes(),
        [(connection, json!({ "Action": "TerminateProcess", "TerminationTime": due }))]
    );
}

#[test]
fn a_terminating_game_session_ends_with_its_process_and_says_why() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    bench.terminate(&arn).unwrap();
    bench.ok(connection, "TerminateServerProcess", json!({}));
    let session = bench.session(&arn);
    assert_eq!(session.status, GameSessionStatus::Terminated);
    assert_eq!(session.status_reason, Some(GameSessionStatusReason::TriggeredOnProcessTerminate));
    assert_eq!(session.termination_time, Some(bench.now));
}

#[test]
fn a_terminating_game_session_stays_so_while_its_process_lives_on() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    bench.terminate(&arn).unwrap();
    for _ in 0..10 {
        bench.wait_s(60);
        bench.heartbeat(connection, true);
    }
    assert_eq!(bench.status(&arn), GameSessionStatus::Terminating);
}

#[test]
fn a_terminating_game_session_ends_when_its_process_falls_silent_and_the_process_is_given_up() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    bench.terminate(&arn).unwrap();
    for _ in 0..6 {
        bench.wait_s(60);
        bench.heartbeat(connection, true);
    }
    bench.wait_s(210);
    let session = bench.session(&arn);
    assert_eq!(session.status, GameSessionStatus::Terminated);
    bench.refused(connection, "HeartbeatServerProcess", json!({ "HealthStatus": true }), 400);
}

#[test]
fn ending_the_process_ends_its_game_session_without_a_reason() {
    for activated in [false, true] {
        let mut bench = Bench::new();
        let connection = bench.ready("p");
        let arn = bench.create();
        if activated {
            bench.ok(connection, "ActivateGameSession", json!({ "GameSessionId": arn }));
        }
        bench.ok(connection, "TerminateServerProcess", json!({}));
        let session = bench.session(&arn);
        assert_eq!((session.status, session.status_reason), (GameSessionStatus::Terminated, None));
    }
}

#[test]
fn a_game_session_that_is_ending_or_over_cannot_be_terminated() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    bench.terminate(&arn).unwrap();
    assert_eq!(kind(bench.terminate(&arn)), Some(ErrorKind::InvalidGameSessionStatus));
    bench.ok(connection, "TerminateServerProcess", json!({}));
    assert_eq!(kind(bench.terminate(&arn)), Some(ErrorKind::InvalidGameSessionStatus));
}

#[test]
fn force_terminate_is_refused_on_plain_anywhere() {
    let mut bench = Bench::new();
    let (_, arn) = bench.hosting("p");
    let body = json!({ "GameSessionId": arn, "TerminationMode": "FORCE_TERMINATE" });
    assert_eq!(
        kind(bench.engine.terminate_game_session(bench.now, input(body))),
        Some(ErrorKind::InvalidRequest)
    );
    assert_eq!(bench.status(&arn), GameSessionStatus::Active);
}

#[test]
fn an_ended_game_session_is_forgotten_after_30_days_with_its_players_and_token() {
    let mut bench = Bench::new();
    let connection = bench.ready("p");
    let arn = bench.try_create(json!({ "IdempotencyToken": "tok" })).unwrap().game_session_id;
    bench.ok(connection, "ActivateGameSession", json!({ "GameSessionId": arn }));
    let player = bench.join(&arn, "ada");
    bench.ok(connection, "TerminateServerProcess", json!({}));
    bench.wait_s(30 * 24 * 60 * 60 - 1);
    assert_eq!(bench.status(&arn), GameSessionStatus::Terminated);
    assert_eq!(bench.player(&player).status, PlayerSessionStatus::TimedOut);
    bench.wait_s(1);
    let gone = bench.engine.describe_game_sessions(bench.now, input(json!({ "GameSessionId": arn })));
    assert_eq!(kind(gone), Some(ErrorKind::NotFound));
    let gone = bench.engine.describe_player_sessions(bench.now, input(json!({ "PlayerSessionId": player })));
    assert_eq!(kind(gone), Some(ErrorKind::NotFound));
    bench.renew_token();
    bench.ready("next");
    let again = bench.try_create(json!({ "IdempotencyToken": "tok" })).unwrap();
    assert_eq!(again.status, GameSessionStatus::Activating);
}

#[test]
fn without_a_free_process_there_is_no_capacity() {
    let mut bench = Bench::new();
    let error = bench.try_create(json!({})).unwrap_err();
    assert_eq!(error.kind, ErrorKind::FleetCapacityExceeded);
    assert_eq!(error.message, format!("Unable to reserve a process on fleet {}", bench.fleet));
    bench.ready("p");
    bench.create();
    assert_eq!(kind(bench.try_create(json!({}))), Some(ErrorKind::FleetCapacityExceeded));
}

#[test]
fn an_idempotency_token_names_the_game_session_and_returns_it_again() {
    let mut bench = Bench::new();
    let connection = bench.ready("a");
    bench.ready("b");
    let first = bench.try_create(json!({ "IdempotencyToken": "tok-1" })).unwrap();
    assert!(first.game_session_id.ends_with("/tok-1"));
    bench.ok(connection, "ActivateGameSession", json!({ "GameSessionId": first.game_session_id }));
    let again = bench.try_create(json!({ "IdempotencyToken": "tok-1" })).unwrap();
    assert_eq!(again.game_session_id, first.game_session_id);
    assert_eq!(again.status, GameSessionStatus::Active);
    let other = bench.try_create(json!({ "IdempotencyToken": "tok-1", "Name": "other" }));
    assert_eq!(kind(other), Some(ErrorKind::IdempotentParameterMismatch));
    assert_eq!(bench.push_actions(), ["CreateGameSession"]);
}

#[test]
fn bad_requests_are_refused_by_name() {
    let mut bench = Bench::new();
    bench.ready("p");
    let seventeen: Vec<_> = (0..17).map(|n| json!({ "Key": n.to_string(), "Value": "" })).collect();
    for (more, field) in [
        (json!({ "MaximumPlayerSessionCount": 201 }), "maximumPlayerSessionCount"),
        (json!({ "MaximumPlayerSessionCount": -1 }), "maximumPlayerSessionCount"),
        (json!({ "MaximumPlayerSessionCount": null }), "maximumPlayerSessionCount"),
        (json!({ "Location": null }), "Location is required"),
        (json!({ "Location": "custom-elsewhere" }), "custom-elsewhere"),
        (json!({ "AliasId": "alias-1" }), "exactly one of FleetId and AliasId"),
        (json!({ "FleetId": null }), "exactly one of FleetId and AliasId"),
        (json!({ "IdempotencyToken": "under_score" }), "idempotencyToken"),
        (json!({ "GameProperties": seventeen }), "gameProperties"),
        (json!({ "Name": "" }), "name"),
    ] {
        let error = bench.try_create(more.clone()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidRequest, "{more}");
        assert!(error.message.contains(field), "{} should name {field}", error.message);
    }
    assert_eq!(kind(bench.try_create(json!({ "FleetId": "fleet-none" }))), Some(ErrorKind::NotFound));
    assert_eq!(
        kind(bench.try_create(json!({ "FleetId": null, "AliasId": "alias-none" }))),
        Some(ErrorKind::NotFound)
    );
}

#[test]
fn game_sessions_are_listed_in_pages_and_by_status() {
    let mut bench = Bench::new();
    let mut arns = Vec::new();
    for process in ["a", "b", "c"] {
        arns.push(bench.hosting(process).1);
    }
    bench.terminate(&arns[1]).unwrap();
    let mut listed = Vec::new();
    let mut token = None;
    loop {
        let body = json!({ "FleetId": bench.fleet, "Limit": 1, "NextToken": token });
        let page = bench.engine.describe_game_sessions(bench.now, input(body)).unwrap();
        listed.extend(page.game_sessions.into_iter().map(|session| session.game_session_id));
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(listed, arns);
    let body = json!({ "FleetId": bench.fleet, "StatusFilter": "TERMINATING" });
    let page = bench.engine.describe_game_sessions(bench.now, input(body)).unwrap();
    assert_eq!(page.game_sessions.len(), 1);
    let body = json!({ "FleetId": bench.fleet, "NextToken": "made-up" });
    let error = bench.engine.describe_game_sessions(bench.now, input(body));
    assert_eq!(kind(error), Some(ErrorKind::InvalidRequest));
}
