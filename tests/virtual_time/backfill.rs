//! Players for open slots of a running game session.

use std::collections::BTreeMap;

use gamelift_server_sdk::{Backfill, GameSession, PlayerSessionId, UpdateReason};
use serde_json::{Value, json};

use crate::game_server::GameServer;
use crate::world::{EAST, World, teams_of};

/// Ada and Bob play in teams that take two.
async fn running(more: Value) -> (World, GameServer, GameSession, String) {
    let mut world = World::new().await;
    let configuration = world.matchmaker(teams_of(2), more).await;
    let mut server = world.server(EAST).await;
    world.wants_match("ada", json!({})).await;
    world.wants_match("bob", json!({})).await;
    let session = server.hosts().await;
    for name in ["ada", "bob"] {
        let ticket = world.wait_for_ticket(name, "COMPLETED").await;
        session.accept(&seat(&ticket, name)).await.unwrap();
    }
    (world, server, session, configuration)
}

fn seat(ticket: &Value, player: &str) -> PlayerSessionId {
    let seats = ticket["GameSessionConnectionInfo"]["MatchedPlayerSessions"].as_array().unwrap();
    let seat = seats.iter().find(|seat| seat["PlayerId"] == player).unwrap();
    seat["PlayerSessionId"].as_str().unwrap().parse().unwrap()
}

/// Everybody in the match, with their teams, as the server reads it.
fn teams(matchmaker_data: &str) -> Vec<(String, String)> {
    let data: Value = serde_json::from_str(matchmaker_data).unwrap();
    let mut players = Vec::new();
    for team in data["teams"].as_array().unwrap() {
        for player in team["players"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            players.push((text(&player["playerId"]), text(&team["name"])));
        }
    }
    players.sort();
    players
}

fn request(configuration: &str, session: &GameSession) -> Backfill {
    let roster = teams(session.details().matchmaker_data.as_deref().unwrap());
    roster.into_iter().fold(Backfill::new(configuration).ticket_id("more"), |backfill, (player, team)| {
        backfill.player(player, team, BTreeMap::new(), BTreeMap::new())
    })
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_backfill_gets_a_player_with_a_seat() {
    let (world, mut server, session, configuration) = running(json!({})).await;
    let ticket = session.start_backfill(request(&configuration, &session)).await.unwrap();
    assert_eq!(ticket, "more");
    world.wants_match("cleo", json!({})).await;

    let update = server.update().await;
    assert_eq!(update.update_reason, Some(UpdateReason::MatchmakingDataUpdated));
    assert_eq!(update.backfill_ticket_id.as_deref(), Some("more"));
    let players = teams(update.game_session.matchmaker_data.as_deref().unwrap());
    let names: Vec<_> = players.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["ada", "bob", "cleo"]);

    let newcomer = world.wait_for_ticket("cleo", "COMPLETED").await;
    assert_eq!(newcomer["GameSessionConnectionInfo"]["GameSessionArn"], session.id().as_str());
    session.accept(&seat(&newcomer, "cleo")).await.unwrap();
    let all = ["ada", "bob", "cleo"].map(|name| (name, "ACTIVE"));
    world.assert_players(session.id().as_str(), all).await;
    world.wait_for_ticket("more", "COMPLETED").await;
    world
        .assert_events("more", ["MatchmakingSearching", "PotentialMatchCreated", "MatchmakingSucceeded"])
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_backfill_that_finds_nobody_times_out_and_the_server_is_told() {
    let (world, mut server, session, configuration) = running(json!({ "RequestTimeoutSeconds": 20 })).await;
    session.start_backfill(request(&configuration, &session)).await.unwrap();
    let update = server.update().await;
    assert_eq!(update.update_reason, Some(UpdateReason::BackfillTimedOut));
    world.assert_ticket("more", "TIMED_OUT").await;
    assert_eq!(world.players(session.id().as_str()).await.len(), 2, "the game session is as it was");
}

#[tokio::test(start_paused = true)]
async fn a_backfill_that_the_server_stops_is_cancelled() {
    let (world, mut server, session, configuration) = running(json!({})).await;
    session.start_backfill(request(&configuration, &session)).await.unwrap();
    world.wait_for_ticket("more", "SEARCHING").await;
    session.stop_backfill(&configuration, "more").await.unwrap();
    assert_eq!(server.update().await.update_reason, Some(UpdateReason::BackfillCancelled));
    world.assert_ticket("more", "CANCELLED").await;
}

#[tokio::test(start_paused = true)]
async fn automatic_backfill_fills_open_slots_unasked() {
    let (world, mut server, session, _) = running(json!({ "BackfillMode": "AUTOMATIC" })).await;
    let data: Value = serde_json::from_str(session.details().matchmaker_data.as_deref().unwrap()).unwrap();
    assert_eq!(data["autoBackfillMode"], "AUTOMATIC");
    let ticket = data["autoBackfillTicketId"].as_str().unwrap();
    world.wait_for_ticket(ticket, "SEARCHING").await;

    world.wants_match("cleo", json!({})).await;
    let update = server.update().await;
    assert_eq!(update.update_reason, Some(UpdateReason::MatchmakingDataUpdated));
    let newcomer = world.wait_for_ticket("cleo", "COMPLETED").await;
    session.accept(&seat(&newcomer, "cleo")).await.unwrap();
    assert_eq!(world.players(session.id().as_str()).await.len(), 3);
}
