//! Players whose connection is lost, or moves.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use game_proto::server_message::Kind;
use game_proto::{Hello, Input, Message, RefusalReason, close};
use sample_server::Times;
use sample_server::service::Request;

use crate::arena::{ADA, Arena, BOB, Cable, IDLE_TIMEOUT, Peer, TIMES, client, hello, id, patient};

fn resume(player: &str, token: &[u8]) -> Hello {
    Hello { resume_token: token.to_vec(), ..hello(player) }
}

async fn come_back(arena: &Arena, player: &str, token: &[u8]) -> Peer {
    let mut peer = arena.port.say(&resume(player, token)).await;
    peer.welcome = peer.expect_welcome().await;
    peer
}

#[tokio::test]
async fn player_whose_address_changes_plays_on() {
    let mut arena = Arena::with_seats(2).await;
    let mut endpoint = client(Ipv4Addr::LOCALHOST.into());
    let connection = arena.port.dial_from(&mut endpoint, game_proto::ALPN, IDLE_TIMEOUT).await.unwrap();
    let peer = arena.port.hello_on(connection, &hello(ADA)).await;
    let ada = arena.game.welcome(peer, ADA).await;
    ada.snapshot().await;

    // Wi-Fi to mobile, say: the same connection from another socket.
    endpoint.rebind(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).unwrap();
    let input = Input { sequence: 1, move_x: 127, move_y: 0 };
    ada.connection.send_datagram(input.encode_to_vec().into()).unwrap();
    while ada.snapshot().await.last_input != 1 {}
    let (metrics, _) = arena.stop().await;
    assert_eq!((metrics.joins, metrics.resumes), (1, 0), "nobody had to come back");
}

#[tokio::test]
async fn player_comes_back_to_the_same_place_and_the_old_connection_is_closed() {
    let mut arena = Arena::with_seats(2).await;
    let mut bob = arena.join(BOB).await;
    let ada = arena.join(ADA).await;
    assert!(matches!(bob.message().await, Kind::PlayerJoined(_)));
    let input = Input { sequence: 900, move_x: 127, move_y: 0 };
    ada.connection.send_datagram(input.encode_to_vec().into()).unwrap();
    while ada.snapshot().await.last_input != 900 {}

    let again = come_back(&arena, ADA, &ada.welcome.resume_token).await;
    assert_eq!(ada.close_code().await, u64::from(close::RESUMED_ELSEWHERE));
    assert_eq!(again.welcome.player_number, ada.welcome.player_number);
    assert_ne!(again.welcome.resume_token, ada.welcome.resume_token, "each is good once");
    assert_eq!(again.welcome.resume_seconds, TIMES.grace.as_secs() as u32);
    // Its inputs count from 1 again.
    let input = Input { sequence: 1, move_x: 0, move_y: 127 };
    again.connection.send_datagram(input.encode_to_vec().into()).unwrap();
    while again.snapshot().await.last_input != 1 {}

    let (metrics, _) = arena.stop().await;
    assert_eq!((metrics.joins, metrics.resumes), (2, 1));
    assert_eq!(metrics.departures, [("closed", 2)].into(), "nobody left before the end");
}

#[tokio::test]
async fn lost_player_keeps_the_seat_for_the_grace_and_the_others_notice_only_then() {
    let times = Times { grace: Duration::from_millis(300), ..TIMES };
    let mut arena = Arena::start(2, times).await;
    let mut bob = arena.join(BOB).await;
    let cable = Cable::to(arena.port.address).await;
    let server = std::mem::replace(&mut arena.port.address, cable.address);
    let ada = arena.join(ADA).await;
    arena.port.address = server;
    assert!(matches!(bob.message().await, Kind::PlayerJoined(_)));
    let lost = Instant::now();
    drop(cable);
    assert_eq!(arena.game.request().await, Request::Remove(id(ADA)));
    assert!(lost.elapsed() >= times.grace, "{:?}", lost.elapsed());
    assert!(matches!(bob.message().await, Kind::PlayerLeft(it) if it.player_number == 2));
    let late = arena.port.say(&resume(ADA, &ada.welcome.resume_token)).await;
    late.assert_refused(RefusalReason::ResumeRefused).await;
}

#[tokio::test]
async fn wrong_old_and_foreign_tokens_are_refused_and_counted() {
    let mut arena = Arena::with_seats(2).await;
    let (ada, bob) = (arena.join(ADA).await, arena.join(BOB).await);
    let again = come_back(&arena, ADA, &ada.welcome.resume_token).await;
    for token in [&ada.welcome.resume_token[..], &bob.welcome.resume_token, &[7; 16]] {
        arena.port.say(&resume(ADA, token)).await.assert_refused(RefusalReason::ResumeRefused).await;
    }
    arena.port.say(&resume(ADA, &[7; 15])).await.assert_refused(RefusalReason::BadHello).await;
    again.snapshot().await; // Still in.
    patient(bob.connection.read_datagram()).await.unwrap();
    let (metrics, door) = arena.stop().await;
    assert_eq!(metrics.refusals, [("resume_refused", 3)].into());
    assert_eq!(door.refusals, [("bad_hello", 1)].into());
}
