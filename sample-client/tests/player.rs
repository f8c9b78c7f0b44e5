//! The client against a server of a few lines: no code is shared with `sample-server`, so a mistake in both cannot
//! hide.
#![cfg(test)]

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use game_proto::server_message::Kind;
use game_proto::{
    ALPN, Hello, Input, Message, PlayerJoined, RefusalReason, Refused, ServerClosing, ServerMessage,
    Snapshot, Welcome, close, frame,
};
use quinn::{Connection, ConnectionError, Endpoint, RecvStream, SendStream};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sample_client::swarm::{self, SwarmConfig, Target};
use sample_client::{Fingerprint, JoinConfig, JoinError, LeaveReason, Player, PlayerEvent, Trust, play};
use sha2::{Digest, Sha256};

const ADA: &str = "psess-ada";

async fn patient<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it takes too long")
}

/// A game server that does what the test says.
struct Server {
    endpoint: Endpoint,
    certificate: CertificateDer<'static>,
    pem: String,
}

impl Server {
    fn start() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["game.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self::with_key(certificate.der().clone(), certificate.pem(), &key)
    }

    fn with_key(certificate: CertificateDer<'static>, pem: String, key: &rcgen::KeyPair) -> Self {
        #[derive(Debug)]
        struct Show(Arc<rustls::sign::CertifiedKey>);
        impl rustls::server::ResolvesServerCert for Show {
            fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<rustls::sign::CertifiedKey>> {
                Some(self.0.clone())
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let der = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let signer = provider.key_provider.load_private_key(der).unwrap();
        // Not checked to be the certificate's own key: an impostor's is not.
        let shown = rustls::sign::CertifiedKey::new(vec![certificate.clone()], signer);
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Show(Arc::new(shown))));
        tls.alpn_protocols = vec![ALPN.to_vec()];
        let crypto = quinn::crypto::rustls::QuicServerConfig::try_from(tls).unwrap();
        let config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
        let endpoint = Endpoint::server(config, (Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Self { endpoint, certificate, pem }
    }

    fn address(&self) -> SocketAddr {
        self.endpoint.local_addr().unwrap()
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::from_sha256(Sha256::digest(&self.certificate).into())
    }

    fn config(&self) -> JoinConfig {
        JoinConfig::new(self.address(), Trust::Fingerprint(self.fingerprint()), ADA)
    }

    /// The next client, its handshake done.
    async fn connection(&self) -> Result<Connection, ConnectionError> {
        patient(self.endpoint.accept()).await.expect("the endpoint is open").await
    }

    /// The next client, its Hello read.
    async fn client(&self) -> Client {
        let connection = self.connection().await.unwrap();
        let (send, mut receive) = patient(connection.accept_bi()).await.unwrap();
        let mut decoder = frame::Decoder::new();
        let hello = loop {
            if let Some(frame) = decoder.next_frame().unwrap() {
                break Hello::decode(frame).unwrap();
            }
            let chunk = patient(receive.read_chunk(1024, true)).await.unwrap().expect("a Hello");
            decoder.push(&chunk.bytes);
        };
        Client { connection, send, _receive: receive, hello }
    }
}

/// The server's end of a connection.
struct Client {
    connection: Connection,
    send: SendStream,
    _receive: RecvStream,
    hello: Hello,
}

impl Client {
    async fn say(&mut self, kind: Kind) {
        let frame = frame::encode(&ServerMessage { kind: Some(kind) }).unwrap();
        self.send.write_all(&frame).await.unwrap();
    }

    async fn welcome(&mut self) {
        self.say(Kind::Welcome(Welcome { player_number: 3, tick_rate_hz: 60, ..Welcome::default() })).await;
    }

    fn show(&self, snapshot: &Snapshot) {
        self.connection.send_datagram(snapshot.encode_to_vec().into()).unwrap();
    }

    /// Echoes every input in a snapshot until the client leaves; returns its close code.
    async fn play(&self) -> u64 {
        let mut tick = 0;
        loop {
            match patient(self.connection.read_datagram()).await {
                Ok(datagram) => {
                    tick += 1;
                    let last_input = Input::decode(datagram).unwrap().sequence;
                    self.show(&Snapshot { tick, last_input, ..Snapshot::default() });
                }
                Err(ConnectionError::ApplicationClosed(closed)) => return closed.error_code.into_inner(),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Runs a join against what the server does meanwhile.
async fn join<T>(config: JoinConfig, server: impl Future<Output = T>) -> (Result<Player, JoinError>, T) {
    patient(async { tokio::join!(Player::join(config), server) }).await
}

#[tokio::test]
async fn player_is_in_after_welcome_and_hears_what_the_server_says() {
    let server = Server::start();
    let (player, mut client) = join(server.config(), async {
        let mut client = server.client().await;
        client.welcome().await;
        client
    })
    .await;
    let mut player = player.unwrap();
    assert_eq!(client.hello.player_session_id, ADA);
    assert_eq!(player.welcome().player_number, 3);

    client.say(Kind::PlayerJoined(PlayerJoined { player_number: 4 })).await;
    assert_eq!(patient(player.next()).await, Ok(PlayerEvent::PlayerJoined(4)));
    client.say(Kind::ServerClosing(ServerClosing { notice_seconds: 30 })).await;
    assert_eq!(patient(player.next()).await, Ok(PlayerEvent::ServerClosing(Duration::from_secs(30))));
    let snapshot = Snapshot { tick: 1, ..Snapshot::default() };
    client.show(&snapshot);
    assert_eq!(patient(player.next()).await, Ok(PlayerEvent::Snapshot(snapshot)));
    client.connection.close(close::SERVER_CLOSED.into(), b"");
    assert_eq!(patient(player.next()).await, Err(LeaveReason::ServerClosed));
}

#[tokio::test]
async fn wrong_fingerprint_is_a_typed_error_and_nothing_is_sent() {
    let server = Server::start();
    let config =
        JoinConfig { trust: Trust::Fingerprint(Fingerprint::from_sha256([7; 32])), ..server.config() };
    let (joined, connection) = join(config, server.connection()).await;
    let Err(JoinError::Unverified { presented, .. }) = joined else { panic!("{joined:?}") };
    assert_eq!(presented, Some(server.fingerprint()), "what it showed helps to find a mistake");
    // The server's handshake never finishes, so there is no stream on which an id could have come.
    assert!(connection.is_err());
}

#[tokio::test]
async fn right_certificate_without_its_key_is_not_believed() {
    let server = Server::start();
    let stolen = rcgen::KeyPair::generate().unwrap();
    let impostor = Server::with_key(server.certificate.clone(), server.pem.clone(), &stolen);
    let (joined, connection) = join(impostor.config(), impostor.connection()).await;
    assert!(matches!(joined, Err(JoinError::Unverified { presented: None, .. })), "{joined:?}");
    assert!(connection.is_err());
}

#[tokio::test]
async fn server_is_verified_by_dns_name_and_authority() {
    let server = Server::start();
    let file =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ca-{}.pem", std::process::id()));
    std::fs::write(&file, &server.pem).unwrap();
    let trust = |name: &str| Trust::DnsName { name: name.to_owned(), extra_roots: Some(file.clone()) };

    let config = JoinConfig { trust: trust("game.example"), ..server.config() };
    let (joined, _client) = join(config, async {
        let mut client = server.client().await;
        client.welcome().await;
        client
    })
    .await;
    joined.unwrap();

    let config = JoinConfig { trust: trust("other.example"), ..server.config() };
    let (joined, connection) = join(config, server.connection()).await;
    assert!(matches!(joined, Err(JoinError::Unverified { .. })), "{joined:?}");
    assert!(connection.is_err());
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn refusal_is_told_by_its_message() {
    let server = Server::start();
    let (joined, _client) = join(server.config(), async {
        let mut client = server.client().await;
        let refused = Refused { reason: RefusalReason::RoomFull.into(), detail: "full".to_owned() };
        client.say(Kind::Refused(refused)).await;
        client
    })
    .await;
    let error = joined.unwrap_err();
    assert!(
        matches!(&error, JoinError::Refused { reason: RefusalReason::RoomFull, detail } if detail == "full")
    );
    assert_eq!(error.label(), "room_full");
}

#[tokio::test]
async fn refusal_is_told_by_its_close_code_alone() {
    let server = Server::start();
    let (joined, _) = join(server.config(), async {
        let connection = server.connection().await.unwrap();
        connection.close(close::refused(RefusalReason::Draining).into(), b"");
    })
    .await;
    assert_eq!(joined.unwrap_err().label(), "draining");
}

#[tokio::test]
async fn server_that_is_too_busy_to_shake_hands_is_one_to_try_again() {
    let server = Server::start();
    let (joined, _) = join(server.config(), async { server.endpoint.accept().await.unwrap().refuse() }).await;
    assert_eq!(joined.unwrap_err().label(), "too_many_unvalidated");
}

#[tokio::test]
async fn server_that_never_answers_is_a_timeout_that_says_whether_the_id_was_sent() {
    let server = Server::start();
    let config = JoinConfig { timeout: Duration::from_millis(300), ..server.config() };
    let (joined, _client) = join(config.clone(), server.client()).await;
    assert!(matches!(joined, Err(JoinError::Timeout { sent: true, .. })), "{joined:?}");

    let silent = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let config = JoinConfig { address: silent.local_addr().unwrap(), ..config };
    let joined = patient(Player::join(config)).await;
    assert!(matches!(joined, Err(JoinError::Timeout { sent: false, .. })), "{joined:?}");
}

#[tokio::test]
async fn nonsense_from_the_server_ends_the_game() {
    let server = Server::start();
    let (player, client) = join(server.config(), async {
        let mut client = server.client().await;
        client.welcome().await;
        client
    })
    .await;
    client.connection.send_datagram(b"\xff\xff"[..].into()).unwrap();
    assert!(matches!(patient(player.unwrap().next()).await, Err(LeaveReason::Nonsense(_))));
    let ConnectionError::ApplicationClosed(closed) = patient(client.connection.closed()).await else {
        panic!("not closed by the client")
    };
    assert_eq!(closed.error_code.into_inner(), u64::from(close::PROTOCOL_VIOLATION));
}

#[tokio::test]
async fn bot_plays_measures_and_leaves_cleanly() {
    let server = Server::start();
    let (player, mut client) = join(server.config(), async {
        let mut client = server.client().await;
        client.welcome().await;
        client
    })
    .await;
    client.say(Kind::ServerClosing(ServerClosing { notice_seconds: 1 })).await;
    let bot = play(player.unwrap(), Duration::from_millis(500));
    let (played, close_code) = patient(async { tokio::join!(bot, client.play()) }).await;
    assert_eq!(close_code, u64::from(close::DONE));
    assert!(played.warned);
    assert_eq!(played.ended, None);
    assert!(played.stats.inputs > 0 && played.stats.snapshots > 0);
    assert!(!played.stats.round_trip_micros.is_empty());
}

#[tokio::test]
async fn swarm_reports_joins_and_refusals_by_reason() {
    let server = Server::start();
    let target = |player: &str| Target {
        address: server.address(),
        player_session_id: player.to_owned(),
        fingerprint: server.fingerprint(),
    };
    let stranger = Target { fingerprint: Fingerprint::from_sha256([7; 32]), ..target("psess-3") };
    let targets = vec![target("psess-1"), target("psess-2"), stranger];
    let swarm = swarm::run(SwarmConfig::new(targets, Duration::from_millis(300)));
    let serve = async {
        loop {
            let Ok(connection) = server.connection().await else { continue };
            let (mut send, mut receive) = connection.accept_bi().await.unwrap();
            tokio::spawn(async move {
                let mut hello = [0; 64];
                let len = receive.read(&mut hello).await.unwrap().unwrap();
                let hello = Hello::decode(&hello[frame::PREFIX_LEN..len]).unwrap();
                let kind = if hello.player_session_id == "psess-1" {
                    Kind::Welcome(Welcome::default())
                } else {
                    Kind::Refused(Refused {
                        reason: RefusalReason::RefusedByService.into(),
                        detail: String::new(),
                    })
                };
                send.write_all(&frame::encode(&ServerMessage { kind: Some(kind) }).unwrap()).await.unwrap();
                Client { connection, send, _receive: receive, hello }.play().await;
            });
        }
    };
    let report = patient(async {
        tokio::select! {
            report = swarm => report,
            () = serve => unreachable!("it serves for ever"),
        }
    })
    .await;
    assert_eq!((report.bots, report.joined, report.dropped), (3, 1, 0));
    assert_eq!(report.refusals, [("refused_by_service".to_owned(), 1)].into());
    assert_eq!(report.join_failures, [("unverified".to_owned(), 1)].into());
    assert!(report.snapshots > 0 && report.round_trip_ms.p99 > 0.0 && report.join_ms.p50 > 0.0);
    assert!(report.to_string().contains("refused: refused_by_service"));
}
