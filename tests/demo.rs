//! What `cargo run -- --once` does, as a test.
#![cfg(test)]

use std::time::Duration;

use gamelift_rs::demo::{self, Heard, Narrator, Options, Push, Round};

async fn round(players: usize, push: Push) -> Round {
    let options = Options { players, play_for: Duration::from_millis(300), push, free_ports: true };
    demo::once(&options, &Narrator::silent()).await.unwrap_or_else(|error| {
        panic!("{}", demo::with_causes(&error));
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_over_two_locations_matches_places_validates_and_plays_everybody() {
    let round = round(17, Push::Mixed).await;
    // Nine near Europe: a full match, and one who is left over and plays alone; eight near America.
    assert_eq!((round.players, round.game_sessions, round.refused), (17, 3, 2));
    let locations: Vec<_> = round.locations.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(locations, [("custom-america", 8), ("custom-europe", 9)]);
    assert_eq!(round.swarm.joined, 17);
    assert_eq!(round.heard, Heard { web_socket: 6, grpc: 6, asking: 5 });
    let line: serde_json::Value = serde_json::from_str(&round.to_json()).unwrap();
    assert_eq!(line["ok"], true);
    assert_eq!(line["heard"], serde_json::json!({ "websocket": 6, "grpc": 6, "asking": 5 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_players_hear_of_their_seats_by_whichever_way_they_choose() {
    let all = 20;
    for (push, heard) in [
        (Push::WebSocket, Heard { web_socket: all, ..Heard::default() }),
        (Push::Grpc, Heard { grpc: all, ..Heard::default() }),
        (Push::Poll, Heard { asking: all, ..Heard::default() }),
    ] {
        let round = round(all, push).await;
        assert_eq!((round.players, round.swarm.joined, round.heard), (all, all, heard), "{push:?}");
    }
}
