//! Where game sessions go, and what happens when there is no room.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::game_server::Manner;
use crate::world::{EAST, WEST, World, teams_of};

/// Latencies of a player, east and west.
fn latencies(player: &str, east: u32, west: u32) -> [Value; 2] {
    [(EAST, east), (WEST, west)].map(|(location, latency)| {
        json!({ "PlayerId": player, "RegionIdentifier": location, "LatencyInMilliseconds": latency })
    })
}

#[tokio::test(start_paused = true)]
async fn without_a_free_process_a_session_is_refused_and_a_placement_waits() {
    let mut world = World::new().await;
    let wish = json!({ "FleetId": world.fleet_id, "Location": EAST, "MaximumPlayerSessionCount": 2 });
    let error = world.refusal("CreateGameSession", wish).await;
    assert_eq!(error.kind.name(), "FleetCapacityExceededException", "{error}");

    world.place("later", json!({})).await;
    sleep(Duration::from_secs(30)).await;
    world.wait_for_placement("later", "PENDING").await;
    let mut server = world.server(WEST).await;
    let session = server.hosts().await;
    let placement = world.wait_for_placement("later", "FULFILLED").await;
    assert_eq!(placement["GameSessionArn"], session.id().as_str());
    world.assert_events("later", ["PlacementFulfilled"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_placement_that_finds_no_process_times_out_with_the_queue() {
    let world = World::new().await;
    world.queue("impatient", json!({ "TimeoutInSeconds": 15 })).await;
    let begun = Instant::now();
    world.place("nowhere", json!({ "GameSessionQueueName": "impatient" })).await;
    world.wait_for_placement("nowhere", "TIMED_OUT").await;
    assert!((15..=16).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    world.assert_events("nowhere", ["PlacementTimedOut"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_placement_goes_where_the_players_are_near_and_not_where_a_policy_forbids() {
    let mut world = World::new().await;
    world
        .queue(
            "strict",
            json!({ "PlayerLatencyPolicies": [{ "MaximumIndividualPlayerLatencyMilliseconds": 100 }] }),
        )
        .await;
    let (mut east, mut west) = (world.server(EAST).await, world.server(WEST).await);
    // On average the east is nearer, but too far for bob.
    let far: Vec<Value> = latencies("ada", 10, 90).into_iter().chain(latencies("bob", 120, 95)).collect();
    let request = json!({ "GameSessionQueueName": "strict", "PlayerLatencies": far });
    world.place("for-both", request).await;
    let session = west.hosts().await;
    let placement = world.wait_for_placement("for-both", "FULFILLED").await;
    assert_eq!(placement["GameSessionArn"], session.id().as_str());
    assert!(east.is_idle().await);

    let near: Vec<Value> = latencies("ada", 10, 90).into();
    world.place("for-ada", json!({ "GameSessionQueueName": "strict", "PlayerLatencies": near })).await;
    let session = east.hosts().await;
    assert_eq!(world.game_session(session.id().as_str()).await["Location"], EAST);
}

#[tokio::test(start_paused = true)]
async fn a_match_is_not_placed_where_a_latency_rule_excludes_it() {
    let mut world = World::new().await;
    let mut rules = teams_of(1);
    rules["rules"] = json!([{ "name": "Near", "type": "latency", "maxLatency": 100 }]);
    world.matchmaker(rules, json!({})).await;
    let mut west = world.server(WEST).await;
    let lives = |east: u32, west: u32| json!({ "LatencyInMs": { EAST: east, WEST: west } });
    world.wants_match("ada", lives(20, 150)).await;
    world.wants_match("bob", lives(150, 20)).await;
    sleep(Duration::from_secs(10)).await;
    // No location is near both.
    world.assert_ticket("ada", "SEARCHING").await;

    world.wants_match("cleo", lives(140, 30)).await;
    world.wait_for_ticket("cleo", "COMPLETED").await;
    let session = west.hosts().await;
    assert_eq!(world.game_session(session.id().as_str()).await["Location"], WEST);
    world.assert_ticket("bob", "COMPLETED").await;
    world.assert_ticket("ada", "SEARCHING").await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_activates_costs_time_and_not_the_match() {
    let mut world = World::new().await;
    let _hanging = world.server_that(Manner::Hangs, EAST).await;
    world.place("patient", json!({})).await;
    let mut willing = world.server(WEST).await;
    let begun = Instant::now();
    let session = willing.hosts().await;
    // The fleet's default; the process was chosen just before.
    assert!((299..=302).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    let placement = world.wait_for_placement("patient", "FULFILLED").await;
    assert_eq!(placement["GameSessionArn"], session.id().as_str());
    world.assert_events("patient", ["PlacementFulfilled"]).await;
}
