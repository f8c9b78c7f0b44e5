//! Players over real QUIC on loopback.

use std::time::Duration;

use game_proto::server_message::Kind;
use game_proto::{Hello, Input, Message, PROTOCOL_VERSION, RefusalReason, close};
use gamelift_server_sdk::PlayerSessionCreationPolicy;
use sample_server::Times;
use sample_server::gate::AcceptAnswer;
use sample_server::quic::HELLO_TIMEOUT;
use sample_server::service::{Notice, Request};

use crate::arena::{ADA, Arena, BOB, TIMES, close_code, hello, id, patient};

#[tokio::test]
async fn player_whom_gamelift_accepts_is_welcomed_and_sees_its_inputs_take_effect() {
    let mut arena = Arena::with_seats(4).await;
    let mut ada = arena.port.hello(ADA).await;
    arena.game.answer_accept(ADA, AcceptAnswer::Yes).await;
    let welcome = ada.expect_welcome().await;
    assert_eq!((welcome.player_number, welcome.tick_rate_hz, welcome.players_max), (1, 60, 4));

    let start = ada.snapshot().await;
    let input = Input { sequence: 1, move_x: 127, move_y: 0 };
    ada.connection.send_datagram(input.encode_to_vec().into()).unwrap();
    let moved = loop {
        let snapshot = ada.snapshot().await;
        if snapshot.last_input == 1 {
            break snapshot;
        }
    };
    assert!(moved.x[0] > start.x[0] && moved.y[0] == start.y[0]);
    assert_eq!(arena.stop().await.0.joins, 1);
}

#[tokio::test]
async fn players_see_each_other_come_and_go_and_gamelift_hears_of_it() {
    let mut arena = Arena::with_seats(4).await;
    let mut ada = arena.join(ADA).await;
    let mut bob = arena.join(BOB).await;
    assert!(matches!(ada.message().await, Kind::PlayerJoined(it) if it.player_number == 2));
    assert!(matches!(bob.message().await, Kind::PlayerJoined(it) if it.player_number == 1));

    bob.connection.close(close::DONE.into(), b"left");
    arena.game.answer_remove(BOB).await;
    assert!(matches!(ada.message().await, Kind::PlayerLeft(it) if it.player_number == 2));
    let (metrics, _) = arena.stop().await;
    assert_eq!(metrics.departures, [("closed", 1), ("left", 1)].into());
    assert_eq!(metrics.players_peak, 2);
}

#[tokio::test]
async fn player_whom_gamelift_refuses_is_told_so_and_closed_with_the_code() {
    let mut arena = Arena::with_seats(4).await;
    let ada = arena.port.hello(ADA).await;
    arena.game.answer_accept(ADA, AcceptAnswer::No).await;
    ada.assert_refused(RefusalReason::RefusedByService).await;
    let (metrics, _) = arena.stop().await;
    assert_eq!(metrics.refusals, [("refused_by_service", 1)].into());
    assert_eq!(metrics.joins, 0);
}

#[tokio::test]
async fn nothing_is_sent_to_a_player_before_gamelift_said_yes() {
    let mut arena = Arena::with_seats(4).await;
    let ada = arena.join(ADA).await;
    let bob = arena.port.hello(BOB).await;
    assert_eq!(arena.game.request().await, Request::Accept(id(BOB)));
    for _ in 0..5 {
        ada.snapshot().await; // The game goes on meanwhile,
    }
    let sent = tokio::time::timeout(Duration::ZERO, bob.connection.read_datagram());
    assert!(sent.await.is_err(), "but not for a stranger");
}

#[tokio::test]
async fn id_that_is_playing_is_refused_on_a_second_connection() {
    let mut arena = Arena::with_seats(4).await;
    let ada = arena.join(ADA).await;
    arena.port.hello(ADA).await.assert_refused(RefusalReason::AlreadyPresented).await;
    ada.snapshot().await; // The first is still in.
}

#[tokio::test]
async fn hello_of_another_version_is_refused() {
    let arena = Arena::with_seats(4).await;
    let peer = arena.port.say(&Hello { protocol_version: PROTOCOL_VERSION + 1, ..hello(ADA) }).await;
    peer.assert_refused(RefusalReason::VersionMismatch).await;
}

#[tokio::test]
async fn garbage_instead_of_hello_is_refused_and_counted() {
    let arena = Arena::with_seats(4).await;
    for garbage in [&b"\xff\xff"[..], b"\x00\x03\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n", b"\x04\x01"] {
        arena.port.connect_and_send(garbage).await.assert_refused(RefusalReason::BadHello).await;
    }
    let mut cut_off = arena.port.connect_and_send(b"\x00\x09abc").await;
    cut_off.send.finish().unwrap();
    cut_off.assert_refused(RefusalReason::BadHello).await;
    assert_eq!(arena.stop().await.1.refusals, [("bad_hello", 5)].into());
}

#[tokio::test]
async fn hello_that_never_comes_is_closed_with_its_code() {
    let arena = Arena::with_seats(4).await;
    let (no_stream, half_a_hello) = (arena.port.connect().await, arena.port.connect_and_send(b"\x00").await);
    let start = tokio::time::Instant::now();
    assert_eq!(close_code(&no_stream).await, u64::from(close::refused(RefusalReason::HelloTimeout)));
    assert!(start.elapsed() + Duration::from_secs(1) > HELLO_TIMEOUT);
    half_a_hello.assert_refused(RefusalReason::HelloTimeout).await;
}

#[tokio::test]
async fn nonsense_from_a_player_closes_the_connection_and_frees_the_seat() {
    let mut arena = Arena::with_seats(4).await;
    let ada = arena.join(ADA).await;
    ada.connection.send_datagram(b"\xff\xff\xff"[..].into()).unwrap();
    assert_eq!(ada.close_code().await, u64::from(close::PROTOCOL_VIOLATION));
    arena.game.answer_remove(ADA).await;

    let mut bob = arena.join(BOB).await;
    bob.send.write_all(b"more").await.unwrap();
    assert_eq!(bob.close_code().await, u64::from(close::PROTOCOL_VIOLATION));
    arena.game.answer_remove(BOB).await;
    assert_eq!(arena.stop().await.0.departures, [("violation", 2)].into());
}

#[tokio::test]
async fn player_who_leaves_while_gamelift_is_asked_is_removed() {
    let mut arena = Arena::with_seats(4).await;
    let ada = arena.port.hello(ADA).await;
    assert_eq!(arena.game.request().await, Request::Accept(id(ADA)));
    ada.connection.close(close::DONE.into(), b"left");
    // Whether the game hears of the close or of the yes first, the player must go (tests/gate.rs has the orders).
    arena.game.tell(Notice::Accepted(id(ADA), AcceptAnswer::Yes)).await;
    arena.game.answer_remove(ADA).await;
}

#[tokio::test]
async fn draining_gives_players_notice_and_removes_them_when_it_is_over() {
    let mut arena = Arena::with_seats(4).await;
    let mut ada = arena.join(ADA).await;
    arena.game.tell(Notice::Drain(Duration::from_secs(1))).await;
    assert_eq!(arena.game.policy().await, PlayerSessionCreationPolicy::DenyAll);
    assert!(matches!(ada.message().await, Kind::ServerClosing(it) if it.notice_seconds == 1));
    ada.snapshot().await; // The game goes on meanwhile.

    arena.port.hello(BOB).await.assert_refused(RefusalReason::Draining).await;

    assert_eq!(ada.close_code().await, u64::from(close::SERVER_CLOSED));
    arena.game.answer_remove(ADA).await;
    assert!(patient(arena.game.seam.requests.recv()).await.is_none(), "the game is over");
}

#[tokio::test]
async fn drain_ends_early_when_the_last_player_leaves() {
    let mut arena = Arena::with_seats(4).await;
    let ada = arena.join(ADA).await;
    arena.game.tell(Notice::Drain(Duration::from_secs(3600))).await;
    assert_eq!(arena.game.policy().await, PlayerSessionCreationPolicy::DenyAll);
    ada.connection.close(close::DONE.into(), b"left");
    arena.game.answer_remove(ADA).await;
    patient(arena.game.running).await.unwrap();
}

#[tokio::test]
async fn game_session_that_stays_empty_is_over() {
    let mut arena = Arena::start(4, Times { empty: Duration::from_millis(50), ..TIMES }).await;
    assert_eq!(arena.game.policy().await, PlayerSessionCreationPolicy::DenyAll);
    patient(arena.game.running).await.unwrap();
}

#[tokio::test]
async fn health_is_answered_by_the_loop_that_plays() {
    let arena = Arena::with_seats(4).await;
    let (alive, answer) = tokio::sync::oneshot::channel();
    arena.game.tell(Notice::HealthCheck(alive)).await;
    assert_eq!(patient(answer).await, Ok(()));
}

#[tokio::test]
async fn peer_that_speaks_another_protocol_gets_no_connection() {
    let arena = Arena::with_seats(4).await;
    assert!(arena.port.dial(b"h3").await.is_err());
}

#[tokio::test]
async fn gamelift_reserves_nothing_while_the_room_is_full() {
    let mut arena = Arena::with_seats(1).await;
    let ada = arena.join(ADA).await;
    assert_eq!(arena.game.policy().await, PlayerSessionCreationPolicy::DenyAll);
    arena.port.hello(BOB).await.assert_refused(RefusalReason::RoomFull).await;
    ada.connection.close(close::DONE.into(), b"left");
    arena.game.answer_remove(ADA).await;
    assert_eq!(arena.game.policy().await, PlayerSessionCreationPolicy::AcceptAll);
    arena.join(BOB).await;
}
