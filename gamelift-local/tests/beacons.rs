//! Latency beacons over loopback.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use gamelift_local::{
    Config, Local,
    setup::{Beacon, Location, Setup},
};
use serde_json::{Value, json};
use tokio::{net::UdpSocket, time::timeout};

/// Echoes over loopback take a millisecond, and those here are held back by 80.
const LONG: Duration = Duration::from_secs(20);

async fn start(beacons: &[(&str, Beacon)]) -> Local {
    let locations =
        beacons.iter().map(|(name, beacon)| Location { name: (*name).to_owned(), beacon: beacon.clone() });
    let setup = Setup { locations: locations.collect(), ..Setup::default() };
    Local::start(Config::on_free_ports().with_setup(setup)).await.unwrap()
}

async fn player() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.unwrap()
}

async fn echo(player: &UdpSocket, beacon: SocketAddr, payload: &[u8]) -> Vec<u8> {
    player.send_to(payload, beacon).await.unwrap();
    let mut buffer = vec![0; 1024];
    let (length, from) = timeout(LONG, player.recv_from(&mut buffer)).await.expect("an echo").unwrap();
    assert_eq!(from, beacon);
    buffer.truncate(length);
    buffer
}

#[tokio::test]
async fn a_beacon_echoes_what_it_should_and_counts_what_it_drops() {
    let local = start(&[("custom-near", Beacon::default())]).await;
    let beacon = &local.beacons()[0];
    let player = player().await;
    for dropped in [&[][..], &[7; 301]] {
        player.send_to(dropped, beacon.endpoint()).await.unwrap();
    }
    assert_eq!(echo(&player, beacon.endpoint(), &[7; 300]).await, [7; 300]);
    assert_eq!(beacon.counters().wrong_size, 2, "one socket, so they came first");
    local.shutdown().await;
}

#[tokio::test]
async fn a_fourth_packet_in_a_row_is_dropped_and_somebody_else_is_served() {
    let local = start(&[("custom-near", Beacon::default())]).await;
    let beacon = &local.beacons()[0];
    let hasty = player().await;
    for _ in 0..10 {
        hasty.send_to(b"x", beacon.endpoint()).await.unwrap();
    }
    assert_eq!(echo(&player().await, beacon.endpoint(), b"calm").await, b"calm");
    let counters = beacon.counters();
    // A slow machine may take a second for this, in which three more are allowed.
    assert!((1..=7).contains(&counters.sender_too_fast), "{counters:?}");
}

#[tokio::test]
async fn a_far_location_answers_later_than_a_near_one() {
    let far = Beacon { latency_ms: 80, jitter_ms: 5, ..Beacon::default() };
    let local = start(&[("custom-near", Beacon::default()), ("custom-far", far)]).await;
    let names: Vec<_> = local.beacons().iter().map(gamelift_local::Beacon::location).collect();
    assert_eq!(names, ["custom-near", "custom-far"]);
    let player = player().await;
    let sent = Instant::now();
    assert_eq!(echo(&player, local.beacons()[1].endpoint(), b"far").await, b"far");
    assert!(sent.elapsed() >= Duration::from_millis(80), "{:?}", sent.elapsed());
    assert_eq!(echo(&player, local.beacons()[0].endpoint(), b"near").await, b"near");
}

#[tokio::test]
async fn list_locations_says_where_the_beacons_are() {
    let off = Beacon { disabled: true, ..Beacon::default() };
    let local = start(&[("custom-with", Beacon::default()), ("custom-without", off)]).await;
    assert_eq!(local.beacons().len(), 1);
    let endpoint = local.beacons()[0].endpoint();
    let locations = local.call("ListLocations", json!({})).await.unwrap();
    let beacon = json!({ "UDPEndpoint": { "Domain": "127.0.0.1", "Port": endpoint.port() } });
    assert_eq!(locations["Locations"][0]["PingBeacon"], beacon);
    assert_eq!(locations["Locations"][1].get("PingBeacon"), None::<&Value>);
}

#[tokio::test]
async fn the_default_location_has_a_beacon_unless_there_are_none() {
    let local = Local::start(Config::on_free_ports()).await.unwrap();
    assert_eq!(local.beacons()[0].location(), "custom-laptop");
    assert_eq!(echo(&player().await, local.beacons()[0].endpoint(), b"x").await, b"x");
    let without = Config { beacons: None, ..Config::on_free_ports() };
    assert!(Local::start(without).await.unwrap().beacons().is_empty());
    assert!(
        Local::start(Config::in_memory()).await.unwrap().beacons().is_empty(),
        "there are no sockets at all"
    );
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = player().await;
    let port = taken.local_addr().unwrap().port();
    let setup = Setup {
        locations: vec![Location {
            name: "custom-a".to_owned(),
            beacon: Beacon { port, ..Beacon::default() },
        }],
        ..Setup::default()
    };
    let error = Local::start(Config::on_free_ports().with_setup(setup)).await.unwrap_err().to_string();
    assert!(error.contains(&format!("127.0.0.1:{port}")) && error.contains("--beacons"), "{error}");
}
