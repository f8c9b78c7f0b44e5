//! How tickets end that nobody is matched with.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::world::{EAST, World, teams_of};

#[tokio::test(start_paused = true)]
async fn a_ticket_times_out_after_its_request_timeout() {
    let world = World::new().await;
    world.matchmaker(teams_of(1), json!({ "RequestTimeoutSeconds": 30 })).await;
    let begun = Instant::now();
    world.wants_match("ada", json!({})).await;
    sleep(Duration::from_secs(29)).await;
    world.assert_ticket("ada", "SEARCHING").await;
    let ticket = world.wait_for_ticket("ada", "TIMED_OUT").await;
    assert!((30..=31).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!(ticket["StatusReason"], "TimedOut");
    assert_eq!(ticket["StatusMessage"], "Removed from matchmaking due to timing out.");
    let events = world.events_of("ada").await;
    world.assert_events("ada", ["MatchmakingSearching", "MatchmakingTimedOut"]).await;
    assert_eq!(events[1]["message"], ticket["StatusMessage"]);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_is_cancelled_on_request_and_its_player_is_free_again() {
    let mut world = World::new().await;
    world.matchmaker(teams_of(1), json!({})).await;
    let _server = world.server(EAST).await;
    world.wants_match("ada", json!({})).await;
    world.wait_for_ticket("ada", "SEARCHING").await;
    world.call("StopMatchmaking", json!({ "TicketId": "ada" })).await;
    let ticket = world.wait_for_ticket("ada", "CANCELLED").await;
    assert_eq!(ticket["StatusMessage"], "Cancelled by request.");
    world.assert_events("ada", ["MatchmakingSearching", "MatchmakingCancelled"]).await;

    world.wants_match("bob", json!({})).await;
    sleep(Duration::from_secs(5)).await;
    // The cancelled ticket is no partner.
    world.assert_ticket("bob", "SEARCHING").await;
    world.wants_match("cleo", json!({})).await;
    world.wait_for_ticket("bob", "COMPLETED").await;
}

#[tokio::test(start_paused = true)]
async fn a_ticket_that_is_being_placed_cannot_be_stopped() {
    let mut world = World::new().await;
    world.matchmaker(teams_of(1), json!({})).await;
    world.wants_match("ada", json!({})).await;
    world.wants_match("bob", json!({})).await;
    // No server is there, so the match waits for one.
    world.wait_for_ticket("ada", "PLACING").await;
    let error = world.refusal("StopMatchmaking", json!({ "TicketId": "ada" })).await;
    assert_eq!(error.kind.name(), "InvalidRequestException");
    assert_eq!(error.message, "Matchmaking ticket is in PLACING status and cannot be canceled.");
    let _server = world.server(EAST).await;
    world.wait_for_ticket("ada", "COMPLETED").await;
}

#[tokio::test(start_paused = true)]
async fn a_player_who_asks_again_is_in_the_newer_ticket_only() {
    let mut world = World::new().await;
    world.matchmaker(teams_of(1), json!({})).await;
    let mut server = world.server(EAST).await;
    let request = |ticket: &str| json!({ "TicketId": ticket, "ConfigurationName": "m", "Players": [{ "PlayerId": "ada" }] });
    world.call("StartMatchmaking", request("first")).await;
    world.wait_for_ticket("first", "SEARCHING").await;
    world.call("StartMatchmaking", request("second")).await;
    let first = world.wait_for_ticket("first", "CANCELLED").await;
    assert_eq!(first["StatusMessage"], "Cancelled due to duplicate player");
    // The guide: no event tells of it.
    world.assert_events("first", ["MatchmakingSearching"]).await;

    world.wants_match("bob", json!({})).await;
    let session = server.hosts().await;
    world.wait_for_ticket("second", "COMPLETED").await;
    let players: Vec<_> =
        world.players(session.id().as_str()).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(players, ["ada", "bob"]);
}
