//! Deliveries that go wrong on purpose.

use std::time::Duration;

use gamelift_local::{Clock, Config, Local};
use serde_json::{Value, json};

use crate::endpoint::*;

async fn faulty(endpoint: &Endpoint, faults: &str) -> Local {
    let config = Config {
        event_targets: vec![endpoint.url.clone()],
        event_faults: faults.parse().unwrap(),
        clock: Clock::Manual,
        seed: Some(1),
        ..Config::on_free_ports()
    };
    with_queue(config).await
}

#[tokio::test]
async fn duplicates_have_the_same_id_and_drops_are_counted() {
    let mut endpoint = Endpoint::start().await;
    let local = faulty(&endpoint, "duplicate=1").await;
    cancelled(&local, "a").await;
    let (first, second) = (endpoint.next().await, endpoint.next().await);
    assert_eq!(first.body, second.body);

    let set = admin(&local, "PUT", "/faults", json!({ "drop": 1, "seed": 5 })).await;
    assert_eq!((&set["rates"]["drop"], &set["seed"]), (&json!(1.0), &json!(5)));
    cancelled(&local, "lost").await;
    admin_until(&local, "/faults", |faults| faults["counts"]["dropped"] == 1).await;
    admin(&local, "PUT", "/faults", json!({})).await;
    cancelled(&local, "b").await;
    assert_eq!(endpoint.next().await.placement(), "b");
    let faults = admin(&local, "GET", "/faults", Value::Null).await;
    let counts = json!({ "duplicated": 1, "dropped": 1, "delayed": 0, "reordered": 0 });
    assert_eq!((&faults["counts"], &faults["seed"]), (&counts, &json!(5)));
}

#[tokio::test]
async fn a_delay_is_one_of_the_services_clock() {
    let mut endpoint = Endpoint::start().await;
    let local = faulty(&endpoint, "delay=1:1h").await;
    cancelled(&local, "late").await;
    admin_until(&local, "/faults", |faults| faults["counts"]["delayed"] == 1).await;
    admin(&local, "PUT", "/faults", json!({})).await;
    cancelled(&local, "soon").await;
    assert_eq!(endpoint.next().await.placement(), "soon");
    // From then on the delivery sleeps, and only the clock can wake it.
    admin_until(&local, "/state", |state| state["events"]["delivered"] == 1).await;
    local.advance(Duration::from_secs(3600)).await;
    assert_eq!(endpoint.next().await.placement(), "late");
}

#[tokio::test]
async fn what_is_late_on_purpose_is_delivered_before_the_end() {
    let mut endpoint = Endpoint::start().await;
    let local = faulty(&endpoint, "delay=0.5:1h,reorder=0.5").await;
    for n in 0..10 {
        cancelled(&local, &n.to_string()).await;
    }
    tokio::time::timeout(LONG, local.shutdown()).await.unwrap();
    let mut ids = endpoint.placements(10).await;
    let expected: Vec<_> = (0..10).map(|n| n.to_string()).collect();
    assert_ne!(ids, expected);
    ids.sort();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn the_same_seed_makes_the_same_mess() {
    let mut messes = Vec::new();
    for _ in 0..2 {
        let mut endpoint = Endpoint::start().await;
        let local = faulty(&endpoint, "duplicate=0.3,drop=0.3,reorder=0.3").await;
        for n in 0..30 {
            cancelled(&local, &n.to_string()).await;
        }
        tokio::time::timeout(LONG, local.shutdown()).await.unwrap();
        messes.push(endpoint.placements_so_far());
    }
    assert_eq!(messes[0], messes[1]);
    let undisturbed: Vec<_> = (0..30).map(|n| n.to_string()).collect();
    assert_ne!(messes[0], undisturbed);
}

#[tokio::test]
async fn late_ones_come_out_at_the_same_places_however_the_clock_is_moved() {
    const PLACEMENTS: u64 = 300;
    let second = Duration::from_secs(1);
    let mut messes = Vec::new();
    for run in 0..4 {
        let mut endpoint = Endpoint::start().await;
        let local = faulty(&endpoint, "delay=0.5:2500ms,reorder=0.3").await;
        for n in 0..PLACEMENTS {
            let id = n.to_string();
            let placement =
                json!({ "PlacementId": id, "GameSessionQueueName": "q", "MaximumPlayerSessionCount": 1 });
            local.call("StartGameSessionPlacement", placement).await.unwrap();
            local.advance(second).await;
        }
        // Now they time out, a second apart: with somebody looking in between, or all in one jump.
        let (jumps, jump) = if run % 2 == 0 { (1800, second / 2) } else { (1, 900 * second) };
        for _ in 0..jumps {
            local.advance(jump).await;
        }
        tokio::time::timeout(LONG, local.shutdown()).await.unwrap();
        messes.push(endpoint.placements_so_far());
    }
    assert_eq!(messes[0].len(), 300);
    assert!(messes.iter().all(|mess| *mess == messes[0]), "{messes:?}");
}

#[tokio::test]
async fn rates_that_cannot_be_are_refused() {
    let local = Local::start(Config::on_free_ports()).await.unwrap();
    let url = format!("{}/faults", local.admin_endpoint());
    for body in
        ["", r#"{"drop": 2}"#, r#"{"lose": 1}"#, r#"{"delay": 1, "delaySeconds": -1}"#, r#"{"seed": "a"}"#]
    {
        assert_eq!(http("PUT", &url, body).await.0, 400, "{body}");
    }
    let mut event_faults = gamelift_local::FaultRates::default();
    event_faults.drop = 7.0;
    let error = Local::start(Config { event_faults, ..Config::in_memory() }).await.unwrap_err();
    assert_eq!(error.to_string(), "--event-faults: drop must be a number from 0 to 1");
}
