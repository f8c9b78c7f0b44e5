//! What Prometheus gets.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use game_proto::RefusalReason;
use sample_server::metrics::exporter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::task::AbortOnDropHandle;

use crate::arena::{ADA, BOB, Port, TIMES, patient};

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    patient(stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

/// The other tests of this OS process are counted, too: what is asserted holds whatever they do.
#[tokio::test]
async fn prometheus_is_told_numbers_by_cause_and_no_ids() {
    let (address, serving) = exporter::serve((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let _serving = AbortOnDropHandle::new(tokio::spawn(serving));
    let port = Port::open();
    let mut game = port.game("gsess-1", 1, TIMES).await;
    let ada = game.join(&port, ADA).await;
    port.hello(BOB).await.assert_refused(RefusalReason::RoomFull).await;
    port.connect_and_send(b"\xff\xff").await.assert_refused(RefusalReason::BadHello).await;
    while ada.snapshot().await.tick < 61 {} // Bytes are counted once per second.

    let page = get(address, "/metrics").await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let value = |series: &str| -> f64 {
        let line = page.lines().find(|line| line.starts_with(&format!("{series} ")));
        line.unwrap_or_else(|| panic!("no {series} in\n{page}")).rsplit(' ').next().unwrap().parse().unwrap()
    };
    for series in [
        "game_server_seats",
        "game_server_seats_taken",
        "game_server_game_sessions",
        "game_server_players",
        "game_server_joins_total",
        "game_server_refusals_total{cause=\"room_full\"}",
        "game_server_refusals_total{cause=\"bad_hello\"}",
        "game_server_handshakes_total{outcome=\"connected\"}",
        "game_server_tick_seconds_count",
        "game_server_tick_seconds_bucket{le=\"0.0167\"}",
        "game_server_snapshots_total",
        "game_server_received_bytes_total",
        "game_server_sent_bytes_total",
    ] {
        assert!(value(series) >= 1.0, "{series}");
    }
    assert!(page.contains("# HELP game_server_joins_total Players let in."));
    assert!(!page.contains("sess-"), "no ids");
    assert!(get(address, "/").await.starts_with("HTTP/1.1 404"));
    tokio::time::timeout(Duration::from_secs(20), game.stop()).await.unwrap();
}

#[tokio::test]
async fn address_that_is_taken_is_named() {
    let taken = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = taken.local_addr().unwrap();
    let Err(error) = exporter::serve(address).await else { panic!("it listens twice") };
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}
