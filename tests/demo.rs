//! What `cargo run -- --once` does, as a test.
#![cfg(test)]

use std::time::Duration;

use gamelift_rs::demo::{self, Narrator, Options};

#[tokio::test(flavor = "multi_thread")]
async fn a_round_over_several_game_sessions_places_validates_and_plays_everybody() {
    let options = Options { players: 17, play_for: Duration::from_millis(300), free_ports: true };
    let round = demo::once(&options, &Narrator::silent()).await.unwrap_or_else(|error| {
        panic!("{}", demo::with_causes(&error));
    });
    assert_eq!((round.players, round.game_sessions, round.refused), (17, 3, 2));
    assert_eq!(round.swarm.joined, 17);
    let line: serde_json::Value = serde_json::from_str(&round.to_json()).unwrap();
    assert_eq!(line["ok"], true);
}
