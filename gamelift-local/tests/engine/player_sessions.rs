//! Player sessions: RESERVED, ACTIVE, COMPLETED, TIMEDOUT.

use gamelift_local::{ErrorKind, model::*};
use serde_json::json;

use crate::bench::{Bench, input, kind};

#[test]
fn a_reservation_is_accepted_and_later_completed() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    let id = bench.join(&arn, "ada");
    assert_eq!(bench.player(&id).status, PlayerSessionStatus::Reserved);
    let body = json!({ "GameSessionId": arn, "PlayerSessionId": id });
    bench.ok(connection, "AcceptPlayerSession", body.clone());
    assert_eq!(bench.player(&id).status, PlayerSessionStatus::Active);
    bench.wait_s(61);
    assert_eq!(bench.player(&id).status, PlayerSessionStatus::Active);
    bench.ok(connection, "RemovePlayerSession", body);
    let player = bench.player(&id);
    assert_eq!((player.status, player.termination_time), (PlayerSessionStatus::Completed, Some(bench.now)));
}

#[test]
fn a_reservation_times_out_after_60_seconds_and_its_slot_opens() {
    let mut bench = Bench::new();
    let (_, arn) = bench.hosting("p");
    let id = bench.join(&arn, "ada");
    bench.join(&arn, "bob");
    assert_eq!(kind(bench.try_join(&arn, "eve")), Some(ErrorKind::GameSessionFull));
    bench.wait_s(59);
    assert_eq!(bench.player(&id).status, PlayerSessionStatus::Reserved);
    bench.wait_s(1);
    assert_eq!(bench.player(&id).status, PlayerSessionStatus::TimedOut);
    assert_eq!(bench.session(&arn).current_player_session_count, 0);
    bench.join(&arn, "eve");
}

#[test]
fn only_a_reserved_player_session_can_be_accepted() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    let id = bench.join(&arn, "ada");
    let body = json!({ "GameSessionId": arn, "PlayerSessionId": id });
    bench.ok(connection, "AcceptPlayerSession", body.clone());
    bench.ok(connection, "RemovePlayerSession", body.clone());
    let message = bench.refused(connection, "AcceptPlayerSession", body, 400);
    assert_eq!(message, format!("PlayerSession ({id}) has a status of COMPLETED instead of RESERVED"));
}

#[test]
fn only_an_active_player_session_can_be_removed() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    let id = bench.join(&arn, "ada");
    let body = json!({ "GameSessionId": arn, "PlayerSessionId": id });
    bench.refused(connection, "RemovePlayerSession", body, 400);
}

#[test]
fn unknown_and_foreign_player_sessions_are_not_found() {
    let mut bench = Bench::new();
    let (_, theirs) = bench.hosting("a");
    let foreign = bench.join(&theirs, "ada");
    let (connection, arn) = bench.hosting("b");
    for id in ["psess-none", &foreign] {
        let body = json!({ "GameSessionId": arn, "PlayerSessionId": id });
        let message = bench.refused(connection, "AcceptPlayerSession", body, 404);
        assert!(!message.contains(id), "{message}");
    }
    let body = json!({ "GameSessionId": theirs, "PlayerSessionId": foreign });
    bench.refused(connection, "AcceptPlayerSession", body, 404);
}

#[test]
fn the_end_of_the_game_session_ends_its_player_sessions() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    let (ada, bob) = (bench.join(&arn, "ada"), bench.join(&arn, "bob"));
    bench.ok(connection, "AcceptPlayerSession", json!({ "GameSessionId": arn, "PlayerSessionId": ada }));
    bench.ok(connection, "TerminateServerProcess", json!({}));
    assert_eq!(bench.player(&ada).status, PlayerSessionStatus::Completed);
    assert_eq!(bench.player(&bob).status, PlayerSessionStatus::TimedOut);
    assert_eq!(bench.session(&arn).current_player_session_count, 0);
}

#[test]
fn players_can_join_only_an_active_game_session() {
    let mut bench = Bench::new();
    bench.ready("p");
    let arn = bench.create();
    assert_eq!(kind(bench.try_join(&arn, "ada")), Some(ErrorKind::InvalidGameSessionStatus));
    assert_eq!(kind(bench.try_join("arn:aws:none", "ada")), Some(ErrorKind::NotFound));
}

#[test]
fn a_game_session_that_denies_players_takes_none_until_it_accepts_again() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    let policy = |policy: &str| json!({ "GameSessionId": arn, "PlayerSessionPolicy": policy });
    bench.ok(connection, "UpdatePlayerSessionCreationPolicy", policy("DENY_ALL"));
    assert_eq!(kind(bench.try_join(&arn, "ada")), Some(ErrorKind::InvalidGameSessionStatus));
    bench.ok(connection, "UpdatePlayerSessionCreationPolicy", policy("ACCEPT_ALL"));
    bench.join(&arn, "ada");
    bench.refused(connection, "UpdatePlayerSessionCreationPolicy", policy("NOT_SET"), 400);
}

#[test]
fn several_players_get_slots_together_or_not_at_all() {
    let mut bench = Bench::new();
    let (_, arn) = bench.hosting("p");
    let three = json!({ "GameSessionId": arn, "PlayerIds": ["a", "b", "c"] });
    let result = bench.engine.create_player_sessions(bench.now, input(three));
    assert_eq!(kind(result), Some(ErrorKind::GameSessionFull));
    assert_eq!(bench.session(&arn).current_player_session_count, 0);
    let two = json!({
        "GameSessionId": arn, "PlayerIds": ["a", "b"], "PlayerDataMap": { "b": "data", "nobody": "ignored" },
    });
    let players = bench.engine.create_player_sessions(bench.now, input(two)).unwrap().player_sessions;
    assert_eq!(players[0].player_data, None);
    assert_eq!(players[1].player_data.as_deref(), Some("data"));
}

#[test]
fn player_sessions_are_found_by_game_session_player_and_status() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    let (ada, _) = (bench.join(&arn, "ada"), bench.join(&arn, "bob"));
    bench.ok(connection, "AcceptPlayerSession", json!({ "GameSessionId": arn, "PlayerSessionId": ada }));
    for (body, expected) in [
        (json!({ "GameSessionId": arn }), vec!["ada", "bob"]),
        (json!({ "GameSessionId": arn, "PlayerSessionStatusFilter": "ACTIVE" }), vec!["ada"]),
        (json!({ "PlayerId": "bob" }), vec!["bob"]),
        (json!({ "PlayerId": "nobody" }), vec![]),
        (json!({ "PlayerSessionId": ada }), vec!["ada"]),
    ] {
        let api = bench.engine.describe_player_sessions(bench.now, input(body.clone())).unwrap();
        let api: Vec<_> = api.player_sessions.into_iter().map(|session| session.player_id).collect();
        assert_eq!(api, expected, "{body}");
        let reply = bench.ok(connection, "DescribePlayerSessions", body.clone());
        let sdk: Vec<_> =
            reply["PlayerSessions"].as_array().unwrap().iter().map(|session| &session["PlayerId"]).collect();
        assert_eq!(sdk, expected, "{body}");
    }
    let neither = bench.engine.describe_player_sessions(bench.now, input(json!({})));
    assert_eq!(kind(neither), Some(ErrorKind::InvalidRequest));
    bench.refused(connection, "DescribePlayerSessions", json!({}), 400);
}

#[test]
fn a_player_session_id_that_breaks_a_rule_is_not_repeated() {
    let mut bench = Bench::new();
    for id in ["session-of-ada".to_owned(), format!("psess-{}", "a".repeat(128))] {
        let body = json!({ "PlayerSessionId": id });
        let error = bench.engine.describe_player_sessions(bench.now, input(body)).unwrap_err();
        assert!(error.message.contains("'(redacted)' at 'playerSessionId'"), "{error}");
        assert!(!error.message.contains(&id), "{error}");
    }
}
