//! Every helper can fail, and then says what was expected, what was seen, and where it was asked for.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use gamelift_local::testing::Emulator;
use serde_json::json;

use crate::game_server::{GameServer, Manner};

/// The message that a helper fails with.
async fn message<T>(helper: impl Future<Output = T>) -> String {
    let Err(panic) = AssertUnwindSafe(helper).catch_unwind().await else { panic!("the helper did not fail") };
    let message = panic.downcast::<String>().expect("a message with what was seen");
    assert!(message.contains("tests/testing/failures.rs:"), "the test's line is named: {message}");
    *message
}

fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing: {message}");
    }
}

async fn emulator() -> Emulator {
    Emulator::in_memory().await.with_patience(Duration::from_secs(5))
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_is_shown_with_its_error_and_one_that_should_fail_too() {
    let gamelift = emulator().await;
    let unknown = json!({ "FleetId": "fleet-none", "Location": "custom-x", "MaximumPlayerSessionCount": 1 });
    says(
        &message(gamelift.call("CreateGameSession", unknown.clone())).await,
        &["CreateGameSession", "fleet-none", "NotFoundException"],
    );
    assert_eq!(gamelift.refusal("CreateGameSession", unknown).await.kind.name(), "NotFoundException");
    says(
        &message(gamelift.refusal("ListFleets", json!({}))).await,
        &["ListFleets", "succeeds, but should be refused"],
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_free_server_the_message_lists_the_servers_there_are() {
    let gamelift = emulator().await;
    says(
        &message(gamelift.create_game_session(2)).await,
        &["waited 5s for a free game server", "no server process has connected"],
    );
    let _server = GameServer::start(&gamelift, "server-1", Manner::Good).await;
    gamelift.create_game_session(2).await;
    says(&message(gamelift.create_game_session(2)).await, &["server-1 is ACTIVE, hosting a game session"]);
    says(&message(gamelift.create_game_session_with(json!(3))).await, &["must be a JSON object, but are 3"]);
    let odd = json!({ "MaximumPlayerSessionCount": 2, "Location": "custom-moon" });
    says(&message(gamelift.create_game_session_with(odd)).await, &["custom-moon", "InvalidRequestException"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_activate_is_found_out() {
    let gamelift = emulator().await;
    let _lazy = GameServer::start(&gamelift, "server-1", Manner::Lazy).await;
    says(
        &message(gamelift.create_game_session(2)).await,
        &["waited 5s for the game session to be ACTIVE, but it is ACTIVATING"],
    );
}

#[tokio::test(start_paused = true)]
async fn assertions_about_a_game_session_say_what_it_is() {
    let gamelift = emulator().await;
    let server = GameServer::start(&gamelift, "server-1", Manner::Good).await;
    let game = gamelift.create_game_session(2).await;
    says(&message(gamelift.assert_terminated(&game)).await, &["TERMINATED, but it is ACTIVE"]);
    says(
        &message(gamelift.assert_terminated_because(&game, "TRIGGERED_ON_PROCESS_TERMINATE")).await,
        &["TERMINATED because of TRIGGERED_ON_PROCESS_TERMINATE, but it is ACTIVE"],
    );
    says(
        &message(gamelift.wait_for_game_session(&game, "TERMINATED")).await,
        &["waited 5s for the game session to be TERMINATED, but it is ACTIVE"],
    );
    server.end().await;
    gamelift.wait_until_ended("server-1").await;
    says(&message(gamelift.assert_active(&game)).await, &["to be ACTIVE, but it is TERMINATED"]);
    says(
        &message(gamelift.assert_terminated_because(&game, "FORCE_TERMINATED")).await,
        &["because of FORCE_TERMINATED, but it is TERMINATED\n"],
    );
    says(
        &message(gamelift.wait_for_game_session(&game, "ACTIVE")).await,
        &["that will never be: it is TERMINATED"],
    );
    says(&message(gamelift.game_session("arn:none")).await, &["arn:none", "NotFoundException"]);
    says(&message(gamelift.assert_active("arn:none")).await, &["arn:none", "NotFoundException"]);
}

#[tokio::test(start_paused = true)]
async fn assertions_about_players_list_who_there_is() {
    let gamelift = emulator().await;
    let _server = GameServer::start(&gamelift, "server-1", Manner::Good).await;
    let game = gamelift.create_game_session(1).await;
    says(&message(gamelift.assert_players(&game, [("ada", "ACTIVE")])).await, &["but there are: nobody"]);
    let [ada] = gamelift.reserve_players(&game, ["ada"]).await;
    let parts = ["expected these players: ada ACTIVE", "but there are: ada RESERVED"];
    says(&message(gamelift.assert_players(&game, [("ada", "ACTIVE")])).await, &parts);
    says(&message(gamelift.assert_players(&game, [])).await, &["expected these players: nobody"]);
    let late = message(gamelift.wait_for_players(&game, [("ada", "ACTIVE")])).await;
    says(&late, &["waited 5s for these players: ada ACTIVE", "but there are: ada RESERVED"]);
    assert!(!late.contains(&ada), "ids of player sessions are secrets: {late}");
    says(
        &message(gamelift.reserve_players(&game, ["bob"])).await,
        &["bob gets no slot: GameSessionFullException"],
    );
    says(&message(gamelift.players("arn:none")).await, &["NotFoundException"]);
}

#[tokio::test(start_paused = true)]
async fn assertions_about_tickets_say_what_they_are_and_why() {
    let gamelift = emulator().await;
    gamelift.start_ticket("default", "ada", json!({})).await;
    says(&message(gamelift.assert_ticket("ada", "COMPLETED")).await, &["COMPLETED, but it is "]);
    says(
        &message(gamelift.wait_for_ticket("ada", "COMPLETED")).await,
        &["waited 5s for ticket ada to be COMPLETED, but it is SEARCHING"],
    );
    says(
        &message(gamelift.wait_for_match(["ada", "bob"])).await,
        &["a match of the tickets ada, bob", "some do not exist; ada is SEARCHING"],
    );
    says(&message(gamelift.wait_for_match(["ada"])).await, &["waited 5s", "ada is SEARCHING"]);
    gamelift.call("StopMatchmaking", json!({ "TicketId": "ada" })).await;
    gamelift.wait_for_ticket("ada", "CANCELLED").await;
    says(
        &message(gamelift.wait_for_match(["ada"])).await,
        &["that will never be: ada is CANCELLED, Cancelled", "Cancelled by request."],
    );
    says(&message(gamelift.ticket("nobody")).await, &["there is no ticket nobody"]);
    says(&message(gamelift.start_ticket("none", "bob", json!({}))).await, &["StartMatchmaking", "none"]);
    says(&message(gamelift.answer_match("ada", "ada", true)).await, &["AcceptMatch", "InvalidRequest"]);
    says(
        &message(gamelift.assert_events("ada", ["MatchmakingSucceeded"])).await,
        &["of ada: MatchmakingSucceeded", "but there are: MatchmakingSearching, MatchmakingCancelled"],
    );
}

#[tokio::test(start_paused = true)]
async fn tickets_of_different_matches_are_no_match() {
    let gamelift = emulator().await;
    let _one = GameServer::start(&gamelift, "server-1", Manner::Good).await;
    let _two = GameServer::start(&gamelift, "server-2", Manner::Good).await;
    for player in ["ada", "bob", "cleo", "dora"] {
        gamelift.start_ticket("default", player, json!({})).await;
        gamelift.advance(Duration::from_secs(2)).await;
    }
    gamelift.wait_for_match(["ada", "bob"]).await;
    says(
        &message(gamelift.wait_for_match(["ada", "cleo"])).await,
        &["expected one match", "different game sessions"],
    );
}

#[tokio::test(start_paused = true)]
async fn a_placement_that_waits_or_has_ended_is_told() {
    let gamelift = emulator().await;
    let wish =
        json!({ "PlacementId": "p", "GameSessionQueueName": "default", "MaximumPlayerSessionCount": 2 });
    gamelift.call("StartGameSessionPlacement", wish).await;
    says(
        &message(gamelift.wait_for_placement("p", "FULFILLED")).await,
        &["waited 5s for placement p to be FULFILLED, but it is PENDING"],
    );
    gamelift.call("StopGameSessionPlacement", json!({ "PlacementId": "p" })).await;
    says(
        &message(gamelift.wait_for_placement("p", "FULFILLED")).await,
        &["that will never be: it is CANCELLED"],
    );
    says(&message(gamelift.wait_for_placement("q", "FULFILLED")).await, &["never", "NotFoundException"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_done_to_a_process_is_said_with_all_processes() {
    let gamelift = emulator().await;
    says(
        &message(gamelift.wait_until_connected("server-1")).await,
        &["waited 5s for server process server-1 to be ready and connected", "no server process"],
    );
    let server = GameServer::start(&gamelift, "server-1", Manner::Good).await;
    gamelift.wait_until_connected("server-1").await;
    says(
        &message(gamelift.wait_until_ended("server-1")).await,
        &["server process server-1 to be over, but server-1 is ACTIVE"],
    );
    let unknown = ["there is no server process server-9", "for server-1 is ACTIVE"];
    says(&message(gamelift.drop_socket("server-9", None)).await, &unknown);
    says(&message(gamelift.refresh_connection("server-9")).await, &unknown);
    says(&message(gamelift.terminate_process("server-9")).await, &unknown);
    says(&message(gamelift.interrupt_spot("server-9")).await, &unknown);
    server.end().await;
    gamelift.wait_until_ended("server-1").await;
    says(&message(gamelift.terminate_process("server-1")).await, &["is not ready, or has ended"]);
    drop(server);
    gamelift.advance(Duration::from_secs(1)).await;
    says(
        &message(gamelift.drop_socket("server-1", None)).await,
        &["has no connection", "server-1 is TERMINATED, not connected"],
    );
}

#[tokio::test(start_paused = true)]
async fn an_emulator_in_memory_has_no_endpoints_to_give() {
    let gamelift = emulator().await;
    let hint = ["use Emulator::on_loopback"];
    says(&message(async { gamelift.server_environment("server-1") }).await, &hint);
    says(&message(async { gamelift.client_environment() }).await, &hint);
}

#[tokio::test]
#[should_panic(expected = "write #[tokio::test(start_paused = true)]")]
async fn an_emulator_in_memory_needs_a_paused_clock() {
    Emulator::in_memory().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "leave start_paused out")]
async fn an_emulator_on_loopback_needs_a_clock_that_goes() {
    Emulator::on_loopback().await;
}

#[tokio::test]
#[should_panic(expected = "the emulator does not start: the clock speed is 0")]
async fn a_configuration_that_is_wrong_is_told() {
    let config = gamelift_local::Config {
        clock: gamelift_local::Clock::Speed(0.0),
        ..gamelift_local::Config::on_free_ports()
    };
    Emulator::start(config).await;
}
