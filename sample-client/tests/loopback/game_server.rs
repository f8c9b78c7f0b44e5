//! A game server of a few lines: no code is shared with `sample-server`, so a mistake in both cannot hide.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use game_proto::server_message::Kind;
use game_proto::{ALPN, Hello, Input, Message, ServerMessage, Snapshot, Welcome, frame};
use quinn::{Connection, ConnectionError, Endpoint, RecvStream, SendStream};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sample_client::{Fingerprint, JoinConfig, Trust};
use sha2::{Digest, Sha256};

pub(crate) const ADA: &str = "psess-ada";

pub(crate) async fn patient<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it takes too long")
}

/// A game server that does what the test says.
pub(crate) struct Server {
    pub(crate) endpoint: Endpoint,
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) pem: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["game.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self::with_key(certificate.der().clone(), certificate.pem(), &key)
    }

    pub(crate) fn with_key(certificate: CertificateDer<'static>, pem: String, key: &rcgen::KeyPair) -> Self {
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

    pub(crate) fn address(&self) -> SocketAddr {
        self.endpoint.local_addr().unwrap()
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::from_sha256(Sha256::digest(&self.certificate).into())
    }

    pub(crate) fn config(&self) -> JoinConfig {
        JoinConfig::new(self.address(), Trust::Fingerprint(self.fingerprint()), ADA)
    }

    /// The next client, its handshake done.
    pub(crate) async fn connection(&self) -> Result<Connection, ConnectionError> {
        patient(self.endpoint.accept()).await.expect("the endpoint is open").await
    }

    /// The next client, its Hello read.
    pub(crate) async fn client(&self) -> Client {
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
pub(crate) struct Client {
    pub(crate) connection: Connection,
    pub(crate) send: SendStream,
    pub(crate) _receive: RecvStream,
    pub(crate) hello: Hello,
}

impl Client {
    pub(crate) async fn say(&mut self, kind: Kind) {
        let frame = frame::encode(&ServerMessage { kind: Some(kind) }).unwrap();
        self.send.write_all(&frame).await.unwrap();
    }

    pub(crate) async fn welcome(&mut self) {
        self.say(Kind::Welcome(Welcome { player_number: 3, tick_rate_hz: 60, ..Welcome::default() })).await;
    }

    /// From a server that keeps seats.
    pub(crate) async fn welcome_with_token(&mut self, resume_token: Vec<u8>) {
        self.say(Kind::Welcome(Welcome { resume_token, resume_seconds: 15, ..Welcome::default() })).await;
    }

    pub(crate) fn show(&self, snapshot: &Snapshot) {
        self.connection.send_datagram(snapshot.encode_to_vec().into()).unwrap();
    }

    /// Echoes every input in a snapshot until the client leaves; returns its close code.
    pub(crate) async fn play(&self) -> u64 {
        let mut tick = 0;
        loop {
            match patient(self.connection.read_datagram()).await {
                Ok(datagram) => {
                    tick += 1;
                    let last_input = Input::decode(datagram).unwrap().sequence;
                    let snapshot = Snapshot { tick, last_input, ..Snapshot::default() };
                    // A client that has left meanwhile: how, is found out by reading.
                    let _ = self.connection.send_datagram(snapshot.encode_to_vec().into());
                }
                Err(ConnectionError::ApplicationClosed(closed)) => return closed.error_code.into_inner(),
                Err(error) => panic!("{error}"),
            }
        }
    }
}
