//! Backfill: players for game sessions that are running.

use gamelift_local::{
    ApiError,
    ErrorKind::{InvalidRequest, NotFound},
    engine::ConnectionId,
    model::{MatchmakingTicketStatus::*, *},
};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, input, kind},
    matchmaking::duel,
};

const CONFIGURATION: &str = "arn:aws:gamelift:us-west-2:123456789012:matchmakingconfiguration/m";

/// A bench whose process `p` hosts a match of ada and bob, with two seats left.
fn match_with_room(more: Value) -> (Bench, ConnectionId, String) {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(2), more);
    let connection = bench.ready("p");
    bench.wants_match("ada");
    bench.wants_match("bob");
    bench.wait_s(1);
    let push = bench.host_match(connection);
    let arn = push["GameSessionId"].as_str().unwrap().to_owned();
    (bench, connection, arn)
}

/// A request of the server SDK for a ticket `fill`.
fn request(arn: &str) -> Value {
    let skill = json!({ "skill": { "AttrType": "DOUBLE", "N": 5.0 } });
    json!({
        "GameSessionArn": arn, "MatchmakingConfigurationArn": CONFIGURATION, "TicketId": "fill", "Players": [
            { "PlayerId": "ada", "Team": "red", "PlayerAttributes": skill },
            { "PlayerId": "bob", "Team": "blue", "PlayerAttributes": null },
        ],
    })
}

fn try_backfill(bench: &mut Bench, arn: &str) -> Result<MatchmakingTicket, ApiError> {
    let body = json!({
        "GameSessionArn": arn, "ConfigurationName": "m", "TicketId": "api",
        "Players": [{ "PlayerId": "ada", "Team": "red" }, { "PlayerId": "bob", "Team": "blue" }],
    });
    bench.engine.start_match_backfill(bench.now, input(body)).map(|output| output.matchmaking_ticket)
}

/// The one push since the last look: its reason, ticket and matchmaker data.
fn update(bench: &mut Bench, connection: ConnectionId) -> (String, String, Value) {
    let mut pushes = bench.pushes();
    assert_eq!(pushes.len(), 1, "{pushes:?}");
    let (to, push) = pushes.remove(0);
    assert_eq!((to, &push["Action"]), (connection, &json!("UpdateGameSession")));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let data = serde_json::from_str(&text(&push["GameSession"]["MatchmakerData"])).unwrap();
    (text(&push["UpdateReason"]), text(&push["BackfillTicketId"]), data)
}

fn players(data: &Value) -> Vec<String> {
    let teams = data["teams"].as_array().unwrap().iter();
    let players = teams.flat_map(|team| team["players"].as_array().unwrap());
    let mut ids: Vec<_> = players.map(|player| player["playerId"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn a_process_gets_players_for_its_open_seats_and_the_new_match_data() {
    let (mut bench, connection, arn) = match_with_room(json!({}));
    let reply = bench.ok(connection, "StartMatchBackfill", request(&arn));
    assert_eq!(reply["TicketId"], "fill");
    bench.wait_s(2);
    assert_eq!(bench.ticket("fill").status, Searching);
    bench.wants_match("cleo");
    bench.wait_s(2);
    assert_eq!(bench.statuses(&["fill", "cleo"]), [Completed, Completed]);
    let (reason, ticket, data) = update(&mut bench, connection);
    assert_eq!((reason.as_str(), ticket.as_str()), ("MATCHMAKING_DATA_UPDATED", "fill"));
    assert_eq!(players(&data), ["ada", "bob", "cleo"]);
    let session = bench.session(&arn);
    assert_eq!(session.current_player_session_count, 3);
    assert_eq!(serde_json::from_str::<Value>(session.matchmaker_data.as_deref().unwrap()).unwrap(), data);
    let info = bench.ticket("cleo").game_session_connection_info.unwrap();
    assert_eq!(info.game_session_arn, arn);
    let slot = bench.player(&info.matched_player_sessions[0].player_session_id);
    assert_eq!((slot.player_id.as_str(), slot.status), ("cleo", PlayerSessionStatus::Reserved));
}

#[test]
fn the_process_hears_that_its_backfill_timed_out_was_stopped_or_was_replaced() {
    let (mut bench, connection, arn) = match_with_room(json!({}));
    bench.ok(connection, "StartMatchBackfill", request(&arn));
    for _ in 0..60 {
        bench.wait_s(1);
        bench.heartbeat(connection, true);
    }
    let (reason, ticket, data) = update(&mut bench, connection);
    assert_eq!((reason.as_str(), ticket.as_str()), ("BACKFILL_TIMED_OUT", "fill"));
    assert_eq!(players(&data), ["ada", "bob"], "the game session is as it was");

    let mut second = request(&arn);
    second["TicketId"] = json!("second");
    bench.ok(connection, "StartMatchBackfill", second.clone());
    bench.ok(connection, "StopMatchBackfill", second.clone());
    let (reason, ticket, _) = update(&mut bench, connection);
    assert_eq!((reason.as_str(), ticket.as_str()), ("BACKFILL_CANCELLED", "second"));
    bench.refused(connection, "StopMatchBackfill", second.clone(), 400);

    second["TicketId"] = json!("third");
    bench.ok(connection, "StartMatchBackfill", second);
    try_backfill(&mut bench, &arn).unwrap();
    let (reason, ticket, _) = update(&mut bench, connection);
    assert_eq!((reason.as_str(), ticket.as_str()), ("BACKFILL_CANCELLED", "third"));
    bench.try_stop_ticket("api").unwrap();
    assert_eq!(update(&mut bench, connection).1, "api");
}

#[test]
fn a_player_of_the_game_session_who_wants_another_match_ends_the_backfill_and_the_process_hears_it() {
    let (mut bench, connection, arn) = match_with_room(json!({}));
    bench.ok(connection, "StartMatchBackfill", request(&arn));
    bench.try_match("elsewhere", json!({ "Players": [{ "PlayerId": "ada" }] })).unwrap();
    assert_eq!(update(&mut bench, connection).0, "BACKFILL_CANCELLED");
}

#[test]
fn backfill_fails_when_the_game_session_takes_nobody() {
    let (mut bench, connection, arn) = match_with_room(json!({}));
    let policy = json!({ "GameSessionId": arn, "PlayerSessionPolicy": "DENY_ALL" });
    bench.ok(connection, "UpdatePlayerSessionCreationPolicy", policy);
    bench.ok(connection, "StartMatchBackfill", request(&arn));
    bench.wants_match("cleo");
    bench.wait_s(2);
    assert_eq!(bench.statuses(&["fill", "cleo"]), [Failed, Failed]);
    assert_eq!(update(&mut bench, connection).0, "BACKFILL_FAILED");
    assert_eq!(bench.session(&arn).current_player_session_count, 2);
}

#[test]
fn a_game_session_that_ends_takes_its_backfill_along() {
    let (mut bench, connection, arn) = match_with_room(json!({}));
    bench.ok(connection, "StartMatchBackfill", request(&arn));
    bench.wait_s(1);
    bench.ok(connection, "TerminateServerProcess", json!({}));
    assert_eq!(bench.ticket("fill").status, Cancelled);
    assert_eq!(bench.push_actions(), [""; 0], "there is nobody to tell");
    assert_eq!(kind(try_backfill(&mut bench, &arn)), Some(InvalidRequest), "it is not ACTIVE");
}

#[test]
fn automatic_backfill_fills_a_game_session_by_itself() {
    let (mut bench, connection, arn) = match_with_room(json!({ "BackfillMode": "AUTOMATIC" }));
    let data = bench.session(&arn).matchmaker_data.unwrap();
    let data: Value = serde_json::from_str(&data).unwrap();
    assert_eq!(data["autoBackfillMode"], "AUTOMATIC");
    let ticket = data["autoBackfillTicketId"].as_str().unwrap().to_owned();
    bench.wait_s(1);
    assert_eq!(bench.ticket(&ticket).status, Searching);
    bench.wants_match("cleo");
    bench.wait_s(2);
    assert_eq!(bench.statuses(&[&ticket, "cleo"]), [Completed, Completed]);
    let (reason, id, data) = update(&mut bench, connection);
    assert_eq!((reason, id), ("MATCHMAKING_DATA_UPDATED".to_owned(), ticket));
    // One seat is left, so there is another ticket.
    let next = data["autoBackfillTicketId"].as_str().unwrap().to_owned();
    bench.wait_s(1);
    bench.try_stop_ticket(&next).unwrap();
    assert_eq!(update(&mut bench, connection).0, "BACKFILL_CANCELLED");
}

#[test]
fn backfill_is_only_for_the_hosted_game_session_and_only_if_matchmaking_made_it() {
    let (mut bench, connection, arn) = match_with_room(json!({}));
    let (other, foreign) = bench.hosting("other");
    bench.refused(other, "StartMatchBackfill", request(&arn), 404);
    bench.refused(connection, "StartMatchBackfill", request(&foreign), 404);
    let message = bench.refused(other, "StartMatchBackfill", request(&foreign), 400);
    assert!(message.contains("matchmaking has made"), "{message}");
    let mut unknown = request(&arn);
    unknown["MatchmakingConfigurationArn"] =
        json!("arn:aws:gamelift:us-west-2:1:matchmakingconfiguration/none");
    let message = bench.refused(connection, "StartMatchBackfill", unknown.clone(), 404);
    assert!(message.contains("none not found"), "{message}");
    bench.refused(connection, "StopMatchBackfill", unknown, 404);
    bench.refused(connection, "StopMatchBackfill", request(&arn), 404);
    bench.wants_match("cleo");
    let mut players = request(&arn);
    players["TicketId"] = json!("cleo");
    let message = bench.refused(connection, "StopMatchBackfill", players.clone(), 404);
    assert!(message.contains("no backfill ticket"), "{message}");
    players["TicketId"] = json!("teamless");
    players["Players"] = json!([{ "PlayerId": "ada" }]);
    let message = bench.refused(connection, "StartMatchBackfill", players.clone(), 400);
    assert!(message.contains("has no Team"), "{message}");
    players["Players"] = json!([{ "PlayerId": "ada", "Team": "red", "LatencyInMs": { "here": 0 } }]);
    bench.refused(connection, "StartMatchBackfill", players, 400);
    assert_eq!(
        kind(try_backfill(&mut bench, "arn:aws:gamelift:us-west-2::gamesession/none/x/y")),
        Some(NotFound)
    );
}

#[test]
fn a_game_session_that_ends_at_once_takes_its_automatic_backfill_along() {
    let (mut bench, connection, arn) = match_with_room(json!({ "BackfillMode": "AUTOMATIC" }));
    bench.ok(connection, "TerminateServerProcess", json!({}));
    let data = bench.session(&arn).matchmaker_data.unwrap();
    let data: Value = serde_json::from_str(&data).unwrap();
    assert_eq!(bench.ticket(data["autoBackfillTicketId"].as_str().unwrap()).status, Cancelled);
}
