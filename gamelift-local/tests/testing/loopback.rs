//! The emulator with sockets, and how long it takes to start.

use std::time::{Duration, Instant};

use gamelift_local::testing::Emulator;
use serde_json::json;

#[tokio::test]
async fn what_other_programs_need_is_in_their_environment() {
    let gamelift = Emulator::on_loopback().await;
    let names: Vec<_> = gamelift.server_environment("server-1").into_iter().map(|(name, _)| name).collect();
    let all = ["WEBSOCKET_URL", "FLEET_ID", "HOST_ID", "AUTH_TOKEN", "PROCESS_ID"];
    assert_eq!(names, all.map(|name| format!("GAMELIFT_SDK_{name}")));
    let [endpoint, region, ..] = gamelift.client_environment();
    assert_eq!(endpoint, ("AWS_ENDPOINT_URL_GAMELIFT", gamelift.local().api_endpoint().to_owned()));
    assert_eq!(region, ("AWS_REGION", "us-west-2".to_owned()));
}

#[tokio::test]
async fn on_loopback_advance_jumps_ahead() {
    let gamelift = Emulator::on_loopback().await;
    gamelift.start_ticket("default", "ada", json!({})).await;
    let begun = Instant::now();
    gamelift.advance(Duration::from_secs(7_200)).await;
    gamelift.assert_ticket("ada", "TIMED_OUT").await;
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

/// Prints, and does not judge: a busy machine is not the emulator's fault. `--nocapture` shows it.
#[test]
fn how_long_a_start_takes() {
    const STARTS: usize = 21;
    for (kind, paused) in [("in memory", true), ("on loopback", false)] {
        let mut took: Vec<_> = (0..STARTS)
            .map(|_| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .start_paused(paused)
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    let begun = Instant::now();
                    let _gamelift = match paused {
                        true => Emulator::in_memory().await,
                        false => Emulator::on_loopback().await,
                    };
                    begun.elapsed()
                })
            })
            .collect();
        took.sort();
        println!("{kind}: median {:?}, slowest {:?} of {STARTS} starts", took[STARTS / 2], took[STARTS - 1]);
        assert!(took[STARTS / 2] < Duration::from_secs(1), "{kind}: {took:?}");
    }
}
