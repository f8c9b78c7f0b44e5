//! Floods: whoever fills the door, a real player gets in.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use game_proto::ALPN;
use quinn::{ConnectionError, TransportErrorCode};
use sample_server::address_limits::ADDRESS_JOINS_BURST;
use sample_server::quic::{HANDSHAKES_MAX, HANDSHAKES_WITHOUT_PROOF_MAX, IDLE_TIMEOUT};
use tokio::net::UdpSocket;

use crate::arena::{ADA, Port, TIMES, client, hello, patient};

/// The first packets of this many clients, which never say anything more.
async fn first_packets(count: usize) -> Vec<Vec<u8>> {
    let mut elsewhere = Port::open();
    let mut packets = Vec::new();
    for _ in 0..count {
        let sink = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        elsewhere.address = sink.local_addr().unwrap();
        let mut endpoint = client(Ipv4Addr::LOCALHOST.into());
        let mut packet = [0; 1500];
        // The dial is dropped as soon as its packet is here.
        let len = tokio::select! {
            received = sink.recv(&mut packet) => received.unwrap(),
            dialled = elsewhere.dial_from(&mut endpoint, ALPN, IDLE_TIMEOUT) => panic!("nobody answers there: {dialled:?}"),
        };
        packets.push(packet[..len].to_vec());
    }
    packets
}

#[tokio::test]
async fn player_gets_in_while_handshakes_that_never_end_fill_the_door() {
    let port = Port::open();
    let mut game = port.game("gsess-1", 4, TIMES).await;
    // The sender does not answer, as one with a forged address cannot.
    let flood = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    for packet in first_packets(2 * HANDSHAKES_MAX).await {
        flood.send_to(&packet, port.address).await.unwrap();
    }
    let ada = game.join(&port, ADA).await;
    ada.snapshot().await;
    let handshakes = port.front.close().await.handshakes;
    let retries = (2 * HANDSHAKES_MAX - HANDSHAKES_WITHOUT_PROOF_MAX) as u64;
    assert!(handshakes["retry"] >= retries, "all but the first had to prove their address: {handshakes:?}");
    assert!(!handshakes.contains_key("busy"), "{handshakes:?}");
}

/// Another address on the same machine.
#[cfg(target_os = "linux")] // Other systems have 127.0.0.1 alone.
#[tokio::test]
async fn player_gets_in_while_one_address_floods_with_good_handshakes() {
    const MORE: u32 = 50;
    let port = Port::limited_to(1);
    let mut game = port.game("gsess-1", 4, TIMES).await;
    let mut flood = client(Ipv4Addr::new(127, 0, 0, 2).into());
    let mut silent = Vec::new();
    let mut refused = 0;
    for _ in 0..2 * ADDRESS_JOINS_BURST + MORE {
        // As patient as players are: hundreds of connections share a socket here, and may crowd out a packet.
        match port.dial_from(&mut flood, ALPN, IDLE_TIMEOUT).await {
            Ok(connection) => silent.push(connection), // Never says Hello.
            Err(ConnectionError::ConnectionClosed(closed))
                if closed.error_code == TransportErrorCode::CONNECTION_REFUSED =>
            {
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused > 0, "{} of one address got through", silent.len());
    let ada = game.join(&port, ADA).await;
    ada.snapshot().await;
    let door = port.front.close().await;
    assert_eq!(door.handshakes["too_many_of_address"], refused);
    assert!(door.handshakes["retry"] >= u64::from(MORE), "beyond the first budget addresses are proven");
}

#[tokio::test]
async fn datagrams_that_are_not_quic_do_nothing() {
    let port = Port::open();
    let mut game = port.game("gsess-1", 4, TIMES).await;
    let flood = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    for len in 0..1200_u16 {
        let nonsense: Vec<u8> = (0..len).map(|it| (it * 31 + len) as u8).collect();
        let target: SocketAddr = port.address;
        flood.send_to(&nonsense, target).await.unwrap();
    }
    game.join(&port, ADA).await;
    assert!(patient(port.say(&hello(ADA))).await.connection.close_reason().is_none());
    tokio::time::timeout(Duration::from_secs(20), port.front.close()).await.unwrap();
}
