//! A server without GameLift: the test plays GameLift's part through the seam, and the player's with a few lines of
//! quinn. No code is shared with `sample-client`, so a mistake in both cannot hide.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use game_proto::server_message::Kind;
use game_proto::{
    ALPN, Hello, Message, PROTOCOL_VERSION, RefusalReason, ServerMessage, Snapshot, Welcome, close, frame,
};
use gamelift_server_sdk::{PlayerSessionCreationPolicy, PlayerSessionId};
use quinn::{Connection, ConnectionError, Endpoint, RecvStream, SendStream};
use rustls::pki_types::CertificateDer;
use sample_server::gate::AcceptAnswer;
use sample_server::service::{Notice, Request, Seam};
use sample_server::{DoorCounts, Front, Identity, Metrics, Times, quic};
use tokio::net::UdpSocket;
use tokio_util::task::AbortOnDropHandle;

pub(crate) const ADA: &str = "psess-ada";
pub(crate) const BOB: &str = "psess-bob";

/// No wait in these tests takes this long unless something is broken.
pub(crate) async fn patient<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it takes too long")
}

/// Joins per second of one address in tests that are about something else.
const JOINS_PER_SECOND: u32 = 10_000;

pub(crate) const TIMES: Times = Times { empty: Duration::from_secs(60), grace: Duration::from_secs(60) };

/// Silence after which a connection is lost: the shorter one of both sides counts, so that a test need not wait as long as a player would.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(2);

/// A cable to a server. Dropping it cuts it: neither end hears anything more.
pub(crate) struct Cable {
    pub(crate) address: SocketAddr,
    _carrier: AbortOnDropHandle<()>,
}

impl Cable {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let near = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let far = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        far.connect(server).await.unwrap();
        let address = near.local_addr().unwrap();
        let carry = async move {
            let (mut up, mut down) = ([0; 2048], [0; 2048]);
            let mut client = None;
            loop {
                tokio::select! {
                    Ok((len, from)) = near.recv_from(&mut up) => {
                        client = Some(from);
                        far.send(&up[..len]).await.unwrap();
                    }
                    Ok(len) = far.recv(&mut down) => {
                        if let Some(client) = client {
                            near.send_to(&down[..len], client).await.unwrap();
                        }
                    }
                }
            }
        };
        Self { address, _carrier: AbortOnDropHandle::new(tokio::spawn(carry)) }
    }
}

/// A port, and what players need to know of it.
pub(crate) struct Port {
    pub(crate) address: SocketAddr,
    certificate: CertificateDer<'static>,
    pub(crate) front: Front,
}

impl Port {
    pub(crate) fn open() -> Self {
        Self::limited_to(JOINS_PER_SECOND)
    }

    pub(crate) fn limited_to(joins_per_second: u32) -> Self {
        let identity = Identity::generate(&["localhost".to_owned()]).unwrap();
        let certificate = identity.certificate().clone();
        let endpoint = quic::bind((Ipv4Addr::LOCALHOST, 0).into(), identity).unwrap();
        let address = endpoint.local_addr().unwrap();
        Self { address, certificate, front: Front::open(endpoint, joins_per_second) }
    }

    /// A game behind this port, with its game session.
    pub(crate) async fn game(&self, game_session_id: &str, seats: usize, times: Times) -> Game {
        let (seam, running) = self.front.host(times, Arc::new(|_| {}));
        let game = Game { seam, running };
        let game_session_id = game_session_id.to_owned();
        game.tell(Notice::GameSessionStarted { game_session_id, seats }).await;
        // The loop answers in order, so it has registered the game session when it answers this.
        let (alive, answer) = tokio::sync::oneshot::channel();
        game.tell(Notice::HealthCheck(alive)).await;
        patient(answer).await.unwrap();
        game
    }

    /// Dials, verifying the server, and offers to speak `alpn`.
    pub(crate) async fn dial(&self, alpn: &[u8]) -> Result<Connection, ConnectionError> {
        self.dial_from(&mut client(Ipv4Addr::LOCALHOST.into()), alpn, IDLE_TIMEOUT).await
    }

    /// As [`dial`](Self::dial). A connection that hears nothing for `idle` is lost, also while it is being made.
    pub(crate) async fn dial_from(
        &self,
        endpoint: &mut Endpoint,
        alpn: &[u8],
        idle: Duration,
    ) -> Result<Connection, ConnectionError> {
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
        let mut transport = quinn::TransportConfig::default();
        transport.max_idle_timeout(Some(idle.try_into().unwrap()));
        // A player who waits for an answer is not lost.
        transport.keep_alive_interval(Some(idle / 4));
        let mut config = quinn::ClientConfig::new(Arc::new(crypto));
        config.transport_config(Arc::new(transport));
        endpoint.set_default_client_config(config);
        patient(endpoint.connect(self.address, "localhost").unwrap()).await
    }

    /// A connection that has said nothing.
    pub(crate) async fn connect(&self) -> Connection {
        self.dial(ALPN).await.unwrap()
    }

    /// A connection whose first message is these bytes.
    pub(crate) async fn connect_and_send(&self, bytes: &[u8]) -> Peer {
        Peer::with_first_message(self.connect().await, bytes).await
    }

    /// Says Hello on a connection that is there.
    pub(crate) async fn hello_on(&self, connection: Connection, hello: &Hello) -> Peer {
        Peer::with_first_message(connection, &frame::encode(hello).unwrap()).await
    }

    pub(crate) async fn say(&self, hello: &Hello) -> Peer {
        self.connect_and_send(&frame::encode(hello).unwrap()).await
    }

    pub(crate) async fn hello(&self, player: &str) -> Peer {
        self.say(&hello(player)).await
    }
}

/// A game, and GameLift's end of it.
pub(crate) struct Game {
    pub(crate) seam: Seam,
    pub(crate) running: AbortOnDropHandle<Metrics>,
}

impl Game {
    pub(crate) async fn tell(&self, notice: Notice) {
        patient(self.seam.notices.send(notice)).await.unwrap();
    }

    /// The game's next request.
    pub(crate) async fn request(&mut self) -> Request {
        patient(self.seam.requests.recv()).await.expect("the game is not over")
    }

    pub(crate) async fn answer_accept(&mut self, player: &str, answer: AcceptAnswer) {
        assert_eq!(self.request().await, Request::Accept(id(player)));
        self.tell(Notice::Accepted(id(player), answer)).await;
    }

    pub(crate) async fn answer_remove(&mut self, player: &str) {
        assert_eq!(self.request().await, Request::Remove(id(player)));
        self.tell(Notice::Removed(id(player), true)).await;
    }

    /// A player who is in.
    pub(crate) async fn join(&mut self, port: &Port, player: &str) -> Peer {
        self.welcome(port.hello(player).await, player).await
    }

    /// Lets in a peer that said Hello.
    pub(crate) async fn welcome(&mut self, mut peer: Peer, player: &str) -> Peer {
        self.answer_accept(player, AcceptAnswer::Yes).await;
        peer.welcome = peer.expect_welcome().await;
        peer
    }

    /// What GameLift is told next about reservations.
    pub(crate) async fn policy(&mut self) -> PlayerSessionCreationPolicy {
        patient(self.seam.policy.changed()).await.unwrap();
        self.seam.policy.borrow_and_update().clone()
    }

    /// Ends the game and returns what it counted.
    pub(crate) async fn stop(mut self) -> Metrics {
        self.tell(Notice::Drain(Duration::ZERO)).await;
        loop {
            match patient(self.seam.requests.recv()).await {
                Some(Request::Remove(id)) => self.tell(Notice::Removed(id, true)).await,
                Some(_) => {}
                None => break,
            }
        }
        patient(self.running).await.unwrap()
    }
}

pub(crate) fn id(text: &str) -> PlayerSessionId {
    text.parse().unwrap()
}

pub(crate) fn hello(player: &str) -> Hello {
    Hello { protocol_version: PROTOCOL_VERSION, player_session_id: player.to_owned(), ..Hello::default() }
}

pub(crate) fn client(from: IpAddr) -> Endpoint {
    Endpoint::client((from, 0).into()).unwrap()
}

/// A port with one game.
pub(crate) struct Arena {
    pub(crate) port: Port,
    pub(crate) game: Game,
}

impl Arena {
    pub(crate) async fn with_seats(seats: usize) -> Self {
        Self::start(seats, TIMES).await
    }

    pub(crate) async fn start(seats: usize, times: Times) -> Self {
        let port = Port::open();
        let game = port.game("gsess-1", seats, times).await;
        Self { port, game }
    }

    pub(crate) async fn join(&mut self, player: &str) -> Peer {
        self.game.join(&self.port, player).await
    }

    /// Ends the game and returns what it, and the door, counted.
    pub(crate) async fn stop(self) -> (Metrics, DoorCounts) {
        (self.game.stop().await, self.port.front.close().await)
    }
}

/// The client's end of a connection.
pub(crate) struct Peer {
    pub(crate) connection: Connection,
    pub(crate) send: SendStream,
    receive: RecvStream,
    decoder: frame::Decoder,
    /// What it was told when it came in.
    pub(crate) welcome: Welcome,
}

impl Peer {
    async fn with_first_message(connection: Connection, bytes: &[u8]) -> Self {
        let (mut send, receive) = connection.open_bi().await.unwrap();
        send.write_all(bytes).await.unwrap();
        Self { connection, send, receive, decoder: frame::Decoder::new(), welcome: Welcome::default() }
    }

    pub(crate) async fn expect_welcome(&mut self) -> Welcome {
        match self.message().await {
            Kind::Welcome(welcome) => welcome,
            other => panic!("not welcome: {other:?}"),
        }
    }

    pub(crate) async fn message(&mut self) -> Kind {
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

    pub(crate) async fn snapshot(&self) -> Snapshot {
        Snapshot::decode(patient(self.connection.read_datagram()).await.unwrap()).unwrap()
    }

    pub(crate) async fn close_code(&self) -> u64 {
        close_code(&self.connection).await
    }

    /// The message and the close code must say the same.
    pub(crate) async fn assert_refused(mut self, reason: RefusalReason) {
        let Kind::Refused(refused) = self.message().await else { panic!("not refused") };
        assert_eq!(refused.reason(), reason);
        assert!(!refused.detail.contains("psess"), "the detail repeats the id");
        assert_eq!(self.close_code().await, u64::from(close::refused(reason)));
    }
}

pub(crate) async fn close_code(connection: &Connection) -> u64 {
    match patient(connection.closed()).await {
        ConnectionError::ApplicationClosed(closed) => closed.error_code.into_inner(),
        other => panic!("not closed by the server: {other}"),
    }
}
