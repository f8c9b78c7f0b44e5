//! Matches that players have to accept.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::world::{EAST, World, teams_of};

async fn with_acceptance() -> World {
    let world = World::new().await;
    let acceptance = json!({ "AcceptanceRequired": true, "AcceptanceTimeoutSeconds": 20 });
    world.matchmaker(teams_of(1), acceptance).await;
    world
}

async fn proposed(world: &World, tickets: [&str; 2]) {
    for ticket in tickets {
        world.wants_match(ticket, json!({})).await;
    }
    for ticket in tickets {
        world.wait_for_ticket(ticket, "REQUIRES_ACCEPTANCE").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_match_that_everybody_accepts_is_placed() {
    let mut world = with_acceptance().await;
    let mut server = world.server(EAST).await;
    proposed(&world, ["ada", "bob"]).await;
    world.answer_match("ada", "ada", true).await;
    // Bob has not answered.
    world.assert_ticket("ada", "REQUIRES_ACCEPTANCE").await;
    world.answer_match("bob", "bob", true).await;

    let session = server.hosts().await;
    for name in ["ada", "bob"] {
        let ticket = world.wait_for_ticket(name, "COMPLETED").await;
        let connection = &ticket["GameSessionConnectionInfo"];
        assert_eq!(connection["GameSessionArn"], session.id().as_str());
        assert_eq!(connection["IpAddress"], "10.0.0.1");
        assert_eq!(connection["Port"], 7_001);
        let seats = connection["MatchedPlayerSessions"].as_array().unwrap();
        assert_eq!(seats.iter().filter(|seat| seat["PlayerId"] == name).count(), 1);
        assert!(["red", "blue"].contains(&ticket["Players"][0]["Team"].as_str().unwrap()));
        world
            .assert_events(
                name,
                [
                    "MatchmakingSearching",
                    "PotentialMatchCreated",
                    "AcceptMatch",
                    "AcceptMatch",
                    "AcceptMatchCompleted",
                    "MatchmakingSucceeded",
                ],
            )
            .await;
    }
    world.assert_players(session.id().as_str(), [("ada", "RESERVED"), ("bob", "RESERVED")]).await;
    let events = world.events_of("ada").await;
    assert_eq!(events[4]["acceptance"], "Accepted");
    assert_eq!(events[5]["gameSessionInfo"]["gameSessionArn"], session.id().as_str());
}

#[tokio::test(start_paused = true)]
async fn who_rejects_is_cancelled_and_the_others_search_on() {
    let mut world = with_acceptance().await;
    let mut server = world.server(EAST).await;
    proposed(&world, ["ada", "bob"]).await;
    world.answer_match("ada", "ada", true).await;
    world.answer_match("bob", "bob", false).await;
    assert_eq!(world.wait_for_ticket("bob", "CANCELLED").await["Status"], "CANCELLED");
    world.assert_ticket("ada", "SEARCHING").await;
    assert!(server.is_idle().await, "a rejected match has no game session");
    let completed = world.events_of("bob").await;
    let completed = completed.iter().find(|detail| detail["type"] == "AcceptMatchCompleted").unwrap();
    assert_eq!(completed["acceptance"], "Rejected");

    world.wants_match("cleo", json!({})).await;
    world.wait_for_ticket("ada", "REQUIRES_ACCEPTANCE").await;
    world.answer_match("ada", "ada", true).await;
    world.answer_match("cleo", "cleo", true).await;
    let session = server.hosts().await;
    let ticket = world.wait_for_ticket("ada", "COMPLETED").await;
    assert_eq!(ticket["GameSessionConnectionInfo"]["GameSessionArn"], session.id().as_str());
    world
        .assert_events(
            "ada",
            [
                "MatchmakingSearching",
                "PotentialMatchCreated",
                "AcceptMatch",
                "AcceptMatch",
                "AcceptMatchCompleted",
                "MatchmakingSearching",
                "PotentialMatchCreated",
                "AcceptMatch",
                "AcceptMatch",
                "AcceptMatchCompleted",
                "MatchmakingSucceeded",
            ],
        )
        .await;
    assert_eq!(world.events_of("bob").await.last().unwrap()["type"], "MatchmakingCancelled");
}

#[tokio::test(start_paused = true)]
async fn who_stays_silent_is_cancelled_when_the_time_to_accept_is_over() {
    let world = with_acceptance().await;
    let begun = Instant::now();
    proposed(&world, ["ada", "bob"]).await;
    let proposed_after = begun.elapsed();
    world.answer_match("ada", "ada", true).await;
    world.wait_for_ticket("bob", "CANCELLED").await;
    let waited = begun.elapsed() - proposed_after;
    assert!((Duration::from_secs(19)..=Duration::from_secs(21)).contains(&waited), "{waited:?}");
    world.assert_ticket("ada", "SEARCHING").await;
    let events = world.events_of("bob").await;
    let completed = events.iter().find(|detail| detail["type"] == "AcceptMatchCompleted").unwrap();
    assert_eq!(completed["acceptance"], "TimedOut");
}

#[tokio::test(start_paused = true)]
async fn an_answer_counts_once_and_only_from_players_of_the_ticket() {
    let world = with_acceptance().await;
    proposed(&world, ["ada", "bob"]).await;
    let stranger = json!({ "TicketId": "ada", "PlayerIds": ["mallory"], "AcceptanceType": "ACCEPT" });
    let error = world.refusal("AcceptMatch", stranger).await;
    assert_eq!(error.kind.name(), "InvalidRequestException", "{error}");
    assert!(error.message.contains("player \"mallory\" is not on the ticket"), "{error}");
    world.assert_ticket("ada", "REQUIRES_ACCEPTANCE").await;

    world.answer_match("ada", "ada", false).await;
    world.wait_for_ticket("ada", "CANCELLED").await;
    let late = json!({ "TicketId": "ada", "PlayerIds": ["ada"], "AcceptanceType": "ACCEPT" });
    let error = world.refusal("AcceptMatch", late).await;
    assert_eq!(error.kind.name(), "InvalidRequestException", "{error}");
    sleep(Duration::from_secs(5)).await;
    // An end is an end.
    world.assert_ticket("ada", "CANCELLED").await;
}
