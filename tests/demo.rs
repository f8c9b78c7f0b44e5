//! What `cargo run -- --once` does, as a test.
#![cfg(test)]

use std::time::Duration;

use gamelift_rs::demo::{self, Narrator, Options, Push};

#[tokio::test(flavor = "multi_thread")]
async fn a_round_over_two_locations_matches_places_validates_and_plays_everybody() {
    let options =
        Options { players: 17, play_for: Duration::from_millis(300), push: Push::Mixed, free_ports: true };
    let round = demo::once(&options, &Narrator::silent()).await.unwrap_or_else(|error| {
        panic!("{}", demo::with_causes(&error));
    });
    // Nine near Europe: a full match, and one who is left over and plays alone; eight near America.
    assert_eq!((round.players, round.game_sessions, round.refused), (17, 3, 2));
    let locations: Vec<_> = round.locations.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(locations, [("custom-america", 8), ("custom-europe", 9)]);
    assert_eq!(round.swarm.joined, 17);
    assert_eq!(round.pushed, 9, "every other player listens");
    let line: serde_json::Value = serde_json::from_str(&round.to_json()).unwrap();
    assert_eq!(line["ok"], true);
}
