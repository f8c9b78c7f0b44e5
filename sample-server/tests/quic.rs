//! The server over real QUIC on loopback. The test plays GameLift's part through the seam, and the player's with a
//! few lines of quinn: no code is shared with `sample-client`, so a mistake in both cannot hide.
#![cfg(test)]

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use game_proto::server_message::Kind;
use game_proto::{
    ALPN, Hello, Input, Message, PROTOCOL_VERSION, RefusalReason, ServerMessage, Snapshot, close, frame,
};
use gamelift_server_sdk::PlayerSessionId;
use quinn::{Connection, ConnectionError, Endpoint, RecvStream, SendStream};
use rustls::pki_types::CertificateDer;
use sample_server::gate::{AcceptAnswer, HELLO_TIMEOUT};
use sample_server::service::{Notice, Request, Seam};
use sample_server::{Identity, Metrics, host, quic};
use tokio_util::task::AbortOnDropHandle;

const ADA: &str = "psess-ada";
const BOB: &str = "psess-bob";

/// No wait in these tests takes this long unless something is broken.
async fn patient<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it takes too long")
}

/// A server with a game session, and GameLift's end of it.
struct Arena {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    seam: Seam,
    game: AbortOnDropHandle<Metrics>,
}

impl Arena {
    async fn with_seats(seats: usize) -> Self {
        Self::start(seats, Duration::from_secs(60)).await
    }

    async fn start(seats: usize, empty_timeout: Duration) -> Self {
        let identity = Identity::generate(&["localhost".to_owned()]).unwrap();
        let certificate = identity.certificate().clone();
        let endpoint = quic::bind((Ipv4Addr::LOCALHOST, 0).into(), identity).unwrap();
        let address = endpoint.local_addr().unwrap();
        let (seam, game) = host(endpoint, empty_timeout, Arc::new(|_| {}));
        let arena = Self { address, certificate, seam, game };
        arena.tell(Notice::GameSessionStarted { seats }).await;
        arena
    }

    async fn tell(&self, notice: Notice) {
        patient(self.seam.notices.send(notice)).await.unwrap();
    }

    /// The game's next request.
    async fn request(&mut self) -> Request {
        patient(self.seam.requests.recv()).await.expect("the game is not over")
    }

    async fn answer_accept(&mut self, player: &str, answer: AcceptAnswer) {
        assert_eq!(self.request().await, Request::Accept(id(player)));
        self.tell(Notice::Accepted(id(player), answer)).await;
    }

    async fn answer_remove(&mut self, player: &str) {
        assert_eq!(self.request().await, Request::Remove(id(player)));
        self.tell(Notice::Removed(id(player), true)).await;
    }

    /// Dials, verifying the server, and offers to speak `alpn`.
    async fn dial(&self, alpn: &[u8]) -> Result<Connection, ConnectionError> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![alpn.to_vec()];
        let crypto = quinn::crypto::rustls::QuicClientConfig::try_from(tls).unwrap();
        let endpoint = Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let config = quinn::ClientConfig::new(Arc::new(crypto));
        patient(endpoint.connect_with(config, self.address, "localhost").unwrap()).await
    }

    /// A connection that has said nothing.
    async fn connect(&self) -> Connection {
        self.dial(ALPN).await.unwrap()
    }

    /// A connection whose first message is these bytes.
    async fn connect_and_send(&self, bytes: &[u8]) -> Peer {
        let connection = self.connect().await;
        let (mut send, receive) = connection.open_bi().await.unwrap();
        send.write_all(bytes).await.unwrap();
        Peer { connection, send, receive, decoder: frame::Decoder::new() }
    }

    async fn hello(&self, player: &str) -> Peer {
        let hello = Hello { protocol_version: PROTOCOL_VERSION, player_session_id: player.to_owned() };
        self.connect_and_send(&frame::encode(&hello).unwrap()).await
    }

    /// A player who is in.
    async fn join(&mut self, player: &str) -> Peer {
        let mut peer = self.hello(player).await;
        self.answer_accept(player, AcceptAnswer::Yes).await;
        assert!(matches!(peer.message().await, Kind::Welcome(_)));
        peer
    }

    /// Ends the game and returns what it counted.
    async fn stop(mut self) -> Metrics {
        self.tell(Notice::Drain(Duration::ZERO)).await;
        loop {
            match patient(self.seam.requests.recv()).await {
                Some(Request::Remove(id)) => self.tell(Notice::Removed(id, true)).await,
                Some(_) => {}
                None => break,
            }
        }
        patient(self.game).await.unwrap()
    }
}

fn id(text: &str) -> PlayerSessionId {
    text.parse().unwrap()
}

/// The client's end of a connection.
struct Peer {
    connection: Connection,
    send: SendStream,
    receive: RecvStream,
    decoder: frame::Decoder,
}

impl Peer {
    async fn message(&mut self) -> Kind {
        patient(async {
            loop {
                if let Some(frame) = self.decoder.next_frame().unwrap() {
                    return ServerMessage::decode(frame).unwrap().kind.unwrap();
                }
                let chunk = self.receive.read_chunk(1024, true).await.unwrap().expect("another message");
                self.decoder.push(&chunk.bytes);
            }
        })
        .await
    }

    async fn snapshot(&self) -> Snapshot {
        Snapshot::decode(patient(self.connection.read_datagram()).await.unwrap()).unwrap()
    }

    async fn close_code(&self) -> u64 {
        close_code(&self.connection).await
    }

    /// The message and the close code must say the same.
    async fn assert_refused(mut self, reason: RefusalReason) {
        let Kind::Refused(refused) = self.message().await else { panic!("not refused") };
        assert_eq!(refused.reason(), reason);
        assert!(!refused.detail.contains("psess"), "the detail repeats the id");
        assert_eq!(self.close_code().await, u64::from(close::refused(reason)));
    }
}

async fn close_code(connection: &Connection) -> u64 {
    match patient(connection.closed()).await {
        ConnectionError::ApplicationClosed(closed) => closed.error_code.into_inner(),
        other => panic!("not closed by the server: {other}"),
    }
}

#[tokio::test]
async fn player_whom_gamelift_accepts_is_welcomed_and_sees_its_inputs_take_effect() {
    let mut arena = Arena::with_seats(4).await;
    let mut ada = arena.hello(ADA).await;
    arena.answer_accept(ADA, AcceptAnswer::Yes).await;
    let Kind::Welcome(welcome) = ada.message().await else { panic!("not welcome") };
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
    assert_eq!(arena.stop().await.joins, 1);
}

#[tokio::test]
async fn players_see_each_other_come_and_go_and_gamelift_hears_of_it() {
    let mut arena = Arena::with_seats(4).await;
    let mut ada = arena.join(ADA).await;
    let mut bob = arena.join(BOB).await;
    assert!(matches!(ada.message().await, Kind::PlayerJoined(it) if it.player_number == 2));
    assert!(matches!(bob.message().await, Kind::PlayerJoined(it) if it.player_number == 1));

    bob.connection.close(close::DONE.into(), b"left");
    arena.answer_remove(BOB).await;
    assert!(matches!(ada.message().await, Kind::PlayerLeft(it) if it.player_number == 2));
    let metrics = arena.stop().await;
    assert_eq!(metrics.departures, [("closed", 1), ("left", 1)].into());
    assert_eq!(metrics.players_peak, 2);
}

#[tokio::test]
async fn player_whom_gamelift_refuses_is_told_so_and_closed_with_the_code() {
    let mut arena = Arena::with_seats(4).await;
    let ada = arena.hello(ADA).await;
    arena.answer_accept(ADA, AcceptAnswer::No).await;
    ada.assert_refused(RefusalReason::RefusedByService).await;
    let metrics = arena.stop().await;
    assert_eq!(metrics.refusals, [("refused_by_service", 1)].into());
    assert_eq!(metrics.joins, 0);
}

#[tokio::test]
async fn nothing_is_sent_to_a_player_before_gamelift_said_yes() {
    let mut arena = Arena::with_seats(4).await;
    let ada = arena.join(ADA).await;
    let bob = arena.hello(BOB).await;
    assert_eq!(arena.request().await, Request::Accept(id(BOB)));
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
    arena.hello(ADA).await.assert_refused(RefusalReason::AlreadyPresented).await;
    ada.snapshot().await; // The first is still in.
}

#[tokio::test]
async fn hello_of_another_version_is_refused() {
    let arena = Arena::with_seats(4).await;
    let hello = Hello { protocol_version: PROTOCOL_VERSION + 1, player_session_id: ADA.to_owned() };
    let peer = arena.connect_and_send(&frame::encode(&hello).unwrap()).await;
    peer.assert_refused(RefusalReason::VersionMismatch).await;
}

#[tokio::test]
async fn garbage_instead_of_hello_is_refused_and_counted() {
    let arena = Arena::with_seats(4).await;
    for garbage in [&b"\xff\xff"[..], b"\x00\x03\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n"] {
        arena.connect_and_send(garbage).await.assert_refused(RefusalReason::BadHello).await;
    }
    let mut cut_off = arena.connect_and_send(b"\x00\x09abc").await;
    cut_off.send.finish().unwrap();
    cut_off.assert_refused(RefusalReason::BadHello).await;
    assert_eq!(arena.stop().await.refusals, [("bad_hello", 4)].into());
}

#[tokio::test]
async fn hello_that_never_comes_is_closed_with_its_code() {
    let arena = Arena::with_seats(4).await;
    let (no_stream, half_a_hello) = (arena.connect().await, arena.connect_and_send(b"\x00").await);
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
    arena.answer_remove(ADA).await;

    let mut bob = arena.join(BOB).await;
    bob.send.write_all(b"more").await.unwrap();
    assert_eq!(bob.close_code().await, u64::from(close::PROTOCOL_VIOLATION));
    arena.answer_remove(BOB).await;
    assert_eq!(arena.stop().await.departures, [("violation", 2)].into());
}

#[tokio::test]
async fn player_who_leaves_while_gamelift_is_asked_is_removed() {
    let mut arena = Arena::with_seats(4).await;
    let ada = arena.hello(ADA).await;
    assert_eq!(arena.request().await, Request::Accept(id(ADA)));
    ada.connection.close(close::DONE.into(), b"left");
    // Whether the game hears of the close or of the yes first, the player must go (tests/gate.rs has the orders).
    arena.tell(Notice::Accepted(id(ADA), AcceptAnswer::Yes)).await;
    arena.answer_remove(ADA).await;
}

#[tokio::test]
async fn draining_gives_players_notice_and_removes_them_when_it_is_over() {
    let mut arena = Arena::with_seats(4).await;
    let mut ada = arena.join(ADA).await;
    arena.tell(Notice::Drain(Duration::from_secs(1))).await;
    assert_eq!(arena.request().await, Request::DenyNewPlayerSessions);
    assert!(matches!(ada.message().await, Kind::ServerClosing(it) if it.notice_seconds == 1));
    ada.snapshot().await; // The game goes on meanwhile.

    let late = arena.connect().await;
    assert_eq!(close_code(&late).await, u64::from(close::refused(RefusalReason::Draining)));

    assert_eq!(ada.close_code().await, u64::from(close::SERVER_CLOSED));
    arena.answer_remove(ADA).await;
    assert!(patient(arena.seam.requests.recv()).await.is_none(), "the game is over");
}

#[tokio::test]
async fn drain_ends_early_when_the_last_player_leaves() {
    let mut arena = Arena::with_seats(4).await;
    let ada = arena.join(ADA).await;
    arena.tell(Notice::Drain(Duration::from_secs(3600))).await;
    assert_eq!(arena.request().await, Request::DenyNewPlayerSessions);
    ada.connection.close(close::DONE.into(), b"left");
    arena.answer_remove(ADA).await;
    patient(arena.game).await.unwrap();
}

#[tokio::test]
async fn game_session_that_stays_empty_is_over() {
    let mut arena = Arena::start(4, Duration::from_millis(50)).await;
    assert_eq!(arena.request().await, Request::DenyNewPlayerSessions);
    patient(arena.game).await.unwrap();
}

#[tokio::test]
async fn health_is_answered_by_the_loop_that_plays() {
    let arena = Arena::with_seats(4).await;
    let (alive, answer) = tokio::sync::oneshot::channel();
    arena.tell(Notice::HealthCheck(alive)).await;
    assert_eq!(patient(answer).await, Ok(()));
}

#[tokio::test]
async fn peer_that_speaks_another_protocol_gets_no_connection() {
    let arena = Arena::with_seats(4).await;
    assert!(arena.dial(b"h3").await.is_err());
}
