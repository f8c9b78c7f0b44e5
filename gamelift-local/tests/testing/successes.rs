//! What the helpers do when all is well.

use std::time::Duration;

use gamelift_local::testing::Emulator;
use serde_json::json;
use tokio::time::Instant;

use crate::game_server::{GameServer, Manner};

#[tokio::test(start_paused = true)]
async fn a_game_session_is_active_and_its_players_are_in_it() {
    let gamelift = Emulator::in_memory().await;
    let server = GameServer::start(&gamelift, "server-1", Manner::Good).await;
    let game = gamelift.create_game_session(4).await;
    gamelift.assert_active(&game).await;
    let [ada, _bob] = gamelift.reserve_players(&game, ["ada", "bob"]).await;
    gamelift.assert_players(&game, [("bob", "RESERVED"), ("ada", "RESERVED")]).await;
    server.accept(&ada).await;
    gamelift.wait_for_players(&game, [("ada", "ACTIVE"), ("bob", "RESERVED")]).await;
    gamelift.advance(Duration::from_secs(60)).await;
    gamelift.assert_players(&game, [("ada", "ACTIVE"), ("bob", "TIMEDOUT")]).await;
    server.end().await;
    gamelift.wait_until_ended("server-1").await;
    gamelift.assert_terminated(&game).await;
    assert_eq!(gamelift.game_session(&game).await["StatusReason"], json!(null));
}

#[tokio::test(start_paused = true)]
async fn everybody_in_a_large_game_session_is_seen() {
    let gamelift = Emulator::in_memory().await;
    let _server = GameServer::start(&gamelift, "server-1", Manner::Good).await;
    let game = gamelift.create_game_session(200).await;
    let names: Vec<_> = (0..200).map(|number| format!("player-{number}")).collect();
    for name in &names {
        let [_] = gamelift.reserve_players(&game, [name]).await;
    }
    assert_eq!(gamelift.players(&game).await.len(), 200, "on several pages");
}

#[tokio::test(start_paused = true)]
async fn a_terminated_game_session_says_why() {
    let gamelift = Emulator::in_memory().await;
    let _server = GameServer::start(&gamelift, "server-1", Manner::Good).await;
    let game =
        gamelift.create_game_session_with(json!({ "MaximumPlayerSessionCount": 2, "Name": "duel" })).await;
    assert_eq!(gamelift.game_session(&game).await["Name"], "duel");
    let end = json!({ "GameSessionId": game, "TerminationMode": "TRIGGER_ON_PROCESS_TERMINATE" });
    gamelift.call("TerminateGameSession", end).await;
    gamelift.wait_for_game_session(&game, "TERMINATED").await;
    gamelift.assert_terminated_because(&game, "TRIGGERED_ON_PROCESS_TERMINATE").await;
}

#[tokio::test(start_paused = true)]
async fn tickets_become_a_match_with_a_seat_for_each_player() {
    let gamelift = Emulator::in_memory().await;
    let _server = GameServer::start(&gamelift, "server-1", Manner::Good).await;
    let skill = json!({ "PlayerAttributes": { "skill": { "N": 20 } } });
    gamelift.start_ticket("default", "ada", skill.clone()).await;
    gamelift.start_ticket("default", "bob", skill).await;
    let found = gamelift.wait_for_match(["ada", "bob"]).await;
    gamelift.assert_active(&found.game_session_id).await;
    gamelift.assert_ticket("ada", "COMPLETED").await;
    assert_eq!(found.player_session_ids.keys().collect::<Vec<_>>(), ["ada", "bob"]);
    assert!(found.player_session_ids.values().all(|id| id.starts_with("psess-")));
    let shown = format!("{found:?}");
    assert!(!shown.contains("psess-"), "{shown}");
    let all = ["MatchmakingSearching", "PotentialMatchCreated", "MatchmakingSucceeded"];
    gamelift.assert_events("bob", all).await;
}

#[tokio::test(start_paused = true)]
async fn a_process_that_is_told_to_end_ends() {
    let gamelift = Emulator::in_memory().await;
    let _server = GameServer::start(&gamelift, "server-1", Manner::Good).await;
    gamelift.wait_until_connected("server-1").await;
    gamelift.terminate_process("server-1").await;
    gamelift.wait_until_ended("server-1").await;
}

#[tokio::test(start_paused = true)]
async fn a_spot_interruption_takes_the_game_session_after_two_minutes() {
    let gamelift = Emulator::in_memory().await;
    let _server = GameServer::start(&gamelift, "server-1", Manner::Good).await;
    let game = gamelift.create_game_session(2).await;
    // It answers the interruption by ending at once; one that does not listen loses everything two minutes later.
    gamelift.interrupt_spot("server-1").await;
    gamelift.wait_until_ended("server-1").await;
    gamelift.assert_terminated(&game).await;

    let _deaf = GameServer::start(&gamelift, "server-2", Manner::Deaf).await;
    gamelift.wait_until_connected("server-2").await;
    let begun = Instant::now();
    gamelift.interrupt_spot("server-2").await;
    gamelift.advance(Duration::from_secs(119)).await;
    gamelift.wait_until_connected("server-2").await;
    gamelift.wait_until_ended("server-2").await;
    assert!((120..=121).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_only_told_to_end_may_finish_its_game_but_not_a_spot_interruption() {
    for (spot, after) in [(false, "ACTIVATING"), (true, "TERMINATED")] {
        let gamelift = Emulator::in_memory().await;
        let _lazy = GameServer::start(&gamelift, "server-1", Manner::Lazy).await;
        gamelift.wait_until_connected("server-1").await;
        gamelift.advance(Duration::from_secs(1)).await;
        let defaults = gamelift.local().defaults();
        let wish = json!({
            "FleetId": defaults.fleet_id, "Location": defaults.location, "MaximumPlayerSessionCount": 2,
        });
        let made = gamelift.call("CreateGameSession", wish).await;
        match spot {
            true => gamelift.interrupt_spot("server-1").await,
            false => gamelift.terminate_process("server-1").await,
        }
        gamelift.advance(Duration::from_secs(121)).await;
        let game = made["GameSession"]["GameSessionId"].as_str().unwrap();
        assert_eq!(gamelift.game_session(game).await["Status"], after);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_socket_and_a_refresh_cost_a_connection_and_not_the_game() {
    let gamelift = Emulator::in_memory().await;
    let _server = GameServer::start(&gamelift, "server-1", Manner::Good).await;
    let game = gamelift.create_game_session(2).await;
    let mut connections = 1;
    for trouble in 0..3 {
        match trouble {
            0 => gamelift.drop_socket("server-1", None).await,
            1 => gamelift.drop_socket("server-1", Some(1001)).await,
            _ => gamelift.refresh_connection("server-1").await,
        }
        gamelift.advance(Duration::from_secs(1)).await;
        gamelift.wait_until_connected("server-1").await;
        connections += 1;
        assert_eq!(gamelift.local().snapshot().await.unwrap().counters.connections, connections);
    }
    gamelift.assert_active(&game).await;
}

#[tokio::test(start_paused = true)]
async fn a_helper_names_the_one_process_it_is_about() {
    let gamelift = Emulator::in_memory().await;
    let _one = GameServer::start(&gamelift, "server-1", Manner::Good).await;
    let _two = GameServer::start(&gamelift, "server-2", Manner::Good).await;
    gamelift.wait_until_connected("server-2").await;
    gamelift.terminate_process("server-1").await;
    gamelift.wait_until_ended("server-1").await;
    gamelift.wait_until_connected("server-2").await;
}

#[tokio::test(start_paused = true)]
async fn two_runs_make_the_same_ids() {
    let mut ids = Vec::new();
    for _ in 0..2 {
        let gamelift = Emulator::in_memory().await;
        let _server = GameServer::start(&gamelift, "server-1", Manner::Good).await;
        ids.push(gamelift.create_game_session(1).await);
    }
    assert_eq!(ids[0], ids[1]);
}
