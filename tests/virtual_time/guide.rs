//! The code of docs/testing.md. A test at the end sees to it that the two are the same.

use std::error::Error;
use std::process::{Child, Command};
use std::time::Duration;

use gamelift_local::testing::Emulator;
use gamelift_server_sdk::{Config, Connected, Event, GameSession, Ready};
use serde_json::json;
use tokio::sync::mpsc;

use crate::in_process::InProcess;

/// The game server. It does not know what network it is on, nor whether time is real.
async fn run(
    connected: Connected,
    mut joins: mpsc::Receiver<String>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (process, mut events) = connected.ready(Ready::on_port(7777)).await?;
    let mut game: Option<GameSession> = None;
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Event::StartGameSession(start)) => game = Some(start.activate().await?),
                Some(Event::HealthCheck(check)) => check.healthy(),
                Some(Event::Terminate(_)) => break,
                Some(_) => {}
                None => return Err(process.closed().await.into()),
            },
            // A client has come and shown its player session id.
            Some(player) = joins.recv() => if let Some(game) = &game {
                game.accept(&player.parse()?).await?;
            },
        }
    }
    drop(game);
    process.end().await?;
    Ok(())
}

/// Starts the game server in the test's own program. Clients "connect" by sending their player session id.
async fn server(gamelift: &Emulator, process_id: &str) -> mpsc::Sender<String> {
    let at = gamelift.local().defaults();
    let config =
        Config::new("ws://in.memory", &at.fleet_id, &at.compute_name, process_id, &at.auth_token).unwrap();
    let connected = config.connect_with(InProcess(gamelift.local().clone())).await.unwrap();
    let (joins, inbox) = mpsc::channel(16);
    tokio::spawn(async move { run(connected, inbox).await.unwrap() });
    joins
}

#[tokio::test(start_paused = true)]
async fn two_players_are_matched_and_the_one_who_comes_plays() {
    let gamelift = Emulator::in_memory().await;
    let joins = server(&gamelift, "server-1").await;

    gamelift.start_ticket("default", "ada", json!({})).await;
    gamelift.start_ticket("default", "bob", json!({})).await;
    let found = gamelift.wait_for_match(["ada", "bob"]).await;
    let game = &found.game_session_id;
    gamelift.assert_players(game, [("ada", "RESERVED"), ("bob", "RESERVED")]).await;

    joins.send(found.player_session_ids["ada"].clone()).await.unwrap();
    gamelift.wait_for_players(game, [("ada", "ACTIVE"), ("bob", "RESERVED")]).await;
    // Bob never comes. His seat is kept for a minute.
    gamelift.advance(Duration::from_secs(60)).await;
    gamelift.assert_players(game, [("ada", "ACTIVE"), ("bob", "TIMEDOUT")]).await;

    gamelift.terminate_process("server-1").await;
    gamelift.wait_until_ended("server-1").await;
    gamelift.assert_terminated(game).await;
}

#[tokio::test(start_paused = true)]
async fn two_hours_of_play_with_a_refresh_every_quarter() {
    let gamelift = Emulator::in_memory().await;
    let joins = server(&gamelift, "server-1").await;
    let game = gamelift.create_game_session(8).await;
    let [ada] = gamelift.reserve_players(&game, ["ada"]).await;
    joins.send(ada).await.unwrap();
    for _ in 0..8 {
        gamelift.advance(Duration::from_secs(15 * 60)).await;
        gamelift.refresh_connection("server-1").await;
        gamelift.wait_until_connected("server-1").await;
        gamelift.assert_active(&game).await;
    }
    gamelift.assert_players(&game, [("ada", "ACTIVE")]).await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_socket_is_not_a_lost_game() {
    let gamelift = Emulator::in_memory().await;
    let joins = server(&gamelift, "server-1").await;
    let game = gamelift.create_game_session(8).await;
    gamelift.drop_socket("server-1", None).await;
    let [ada] = gamelift.reserve_players(&game, ["ada"]).await;
    gamelift.wait_until_connected("server-1").await;
    joins.send(ada).await.unwrap();
    gamelift.wait_for_players(&game, [("ada", "ACTIVE")]).await;
}

#[tokio::test(start_paused = true)]
async fn a_spot_interruption_is_answered_in_time() {
    let gamelift = Emulator::in_memory().await;
    let _joins = server(&gamelift, "server-1").await;
    let game = gamelift.create_game_session(8).await;
    gamelift.interrupt_spot("server-1").await;
    gamelift.advance(Duration::from_secs(10)).await;
    gamelift.assert_terminated(&game).await;
}

/// Kills the server if the test fails in the middle.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_server_program_plays_a_game_and_ends_when_it_is_told_to() {
    let gamelift = Emulator::on_loopback().await;
    let mut server = server_program();
    let mut server = Running(server.envs(gamelift.server_environment("server-1")).spawn().unwrap());

    let game = gamelift.create_game_session(8).await;
    gamelift.drop_socket("server-1", None).await;
    gamelift.wait_until_connected("server-1").await;
    gamelift.assert_active(&game).await;
    gamelift.terminate_process("server-1").await;
    gamelift.wait_until_ended("server-1").await;
    gamelift.assert_terminated(&game).await;
    assert!(server.0.wait().unwrap().success());
}

/// This very program, which plays the game server when it has a server's environment: see below.
fn server_program() -> Command {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "guide::the_server_program_itself", "--nocapture"]);
    program
}

/// Nothing to test when nobody has started it as a server.
#[test]
fn the_server_program_itself() {
    if std::env::var_os("GAMELIFT_SDK_PROCESS_ID").is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime
        .block_on(async {
            let connected = Config::from_env()?.connect().await?;
            let (_joins, inbox) = mpsc::channel(1);
            run(connected, inbox).await
        })
        .unwrap();
}

#[test]
fn every_block_of_the_guide_is_code_that_runs() {
    let guide = include_str!("../../docs/testing.md");
    let code = [include_str!("guide.rs"), include_str!("in_process.rs")].concat();
    let blocks: Vec<_> =
        guide.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 6, "{} blocks", blocks.len());
    for block in blocks {
        assert!(code.contains(block), "this block of docs/testing.md is in no test:\n{block}");
    }
}
