//! QUIC: the endpoint, and one task per connection that turns bytes into messages for a game loop and back.
//!
//! | file | job |
//! |---|---|
//! | `accept.rs` | the door: floods end here |
//! | `converse.rs` | one connection, from its Hello to its end |
//! | `link.rs` | what the game loop holds of a connection |
//!
//! Nothing here decides about players. One Hello is read per connection and brought to the process it is for; from then on
//! the connection carries what that process's game loop says through a [`Link`].

mod accept;
mod converse;
mod link;

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use game_proto::{ALPN, Hello, close};
use quinn::{Endpoint, EndpointConfig, TokioRuntime, VarInt};
use rustls::crypto::ring::{cipher_suite, default_provider};
use socket2::SockRef;

pub(crate) use accept::accept_all;
pub use accept::{HANDSHAKE_TIMEOUT, HANDSHAKES_WITHOUT_PROOF_MAX, STRANGERS_MAX};
pub use converse::HELLO_TIMEOUT;
pub use link::{Link, Traffic};

use crate::gate::{ConnId, ResumeToken};
use crate::identity::Identity;
use crate::metrics::Departure;

/// Most handshakes at one time. A handshake costs 0.2 ms of a core, so 64 are done in 13 ms; whoever comes while
/// there are more is turned away by QUIC itself (CONNECTION_REFUSED), which costs one packet and no cryptography.
pub const HANDSHAKES_MAX: usize = 64;

/// Silence after which a connection is lost. Clients send inputs, or keep-alives every third of this.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// Buffered datagrams per connection and direction, in bytes: some 14 full snapshots. QUIC drops the oldest beyond.
pub const DATAGRAM_BUFFER_LEN_MAX: usize = 16 * 1024;

/// Stream bytes a peer may send before they are read: more than one frame, and a client sends one.
pub const STREAM_WINDOW: u32 = 4 * 1024;

/// Events that may wait for one connection's writer. A full room joining at once is 200 events; whoever is this far
/// behind does not read at all, and is closed with [`close::TOO_SLOW`].
pub const EVENTS_WAITING_MAX: usize = 512;

/// Messages from connections that may wait for the game loop; connections wait when it is full.
pub const PEER_MESSAGES_MAX: usize = 1024;

/// How long the last message of a connection may take to arrive before the connection is closed anyway.
pub const LAST_WORD_TIMEOUT: Duration = Duration::from_secs(1);

/// The highest port that GameLift takes (AWS API reference, `PortNumber`). Linux gives out free ones up to 60,999.
pub const GAMELIFT_PORT_MAX: u16 = 60_000;

/// How often a free port is asked for at most. One in thirty does not suit, so twenty in a row do not happen.
pub const FREE_PORT_ATTEMPTS_MAX: u32 = 20;

/// What the kernel may hold for the server's one socket, in bytes and each way, if it allows as much.
///
/// All players share it. Linux's default of 208 KiB holds some 90 packets, so that 64 players joining at once lost
/// packets, and one lost in the first flight costs its player a second (measured; no losses with this).
pub const SOCKET_BUFFER_LEN: usize = 2 * 1024 * 1024;

/// What connections tell the game loop: for each one `Presented` and one `Gone`.
#[derive(Debug)]
pub enum PeerMessage {
    /// A peer said Hello. The token, made for this connection, brings the player back if it is lost.
    Presented(ConnId, Link, Hello, ResumeToken),
    /// The connection is over.
    Gone(ConnId, Departure),
}

/// Why there is no endpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The certificate and the key do not work together.
    #[error("the certificate and its key cannot be used for TLS")]
    Identity(#[from] rustls::Error),
    /// The address cannot be bound.
    #[error("cannot listen on UDP {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// Opens the endpoint. Port 0 takes any free port that GameLift takes, too: ask [`Endpoint::local_addr`] which.
///
/// # Errors
/// When the identity is unusable or the address cannot be bound. Must be called within a Tokio runtime.
pub fn bind(address: SocketAddr, identity: Identity) -> Result<Endpoint, BindError> {
    let config = server_config(identity)?;
    let mut attempts = 0;
    loop {
        let listen = |source| BindError::Listen { address, source };
        let socket = socket(address).map_err(listen)?;
        let endpoint =
            Endpoint::new(EndpointConfig::default(), Some(config.clone()), socket, Arc::new(TokioRuntime))
                .map_err(listen)?;
        attempts += 1;
        let suits = endpoint.local_addr().map_err(listen)?.port() <= GAMELIFT_PORT_MAX;
        if suits || address.port() != 0 || attempts == FREE_PORT_ATTEMPTS_MAX {
            return Ok(endpoint); // A port that does not suit is refused, with its reason, by the SDK.
        }
    }
}

fn socket(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)?;
    let buffers = SockRef::from(&socket);
    // The kernel gives what it allows without a word (net.core.rmem_max on Linux); some systems refuse instead.
    if let Err(error) = buffers
        .set_recv_buffer_size(SOCKET_BUFFER_LEN)
        .and_then(|()| buffers.set_send_buffer_size(SOCKET_BUFFER_LEN))
    {
        tracing::warn!(%error, "the UDP socket keeps its small buffers: packets may be lost when many players join");
    }
    Ok(socket)
}

fn server_config(identity: Identity) -> Result<quinn::ServerConfig, rustls::Error> {
    let mut provider = default_provider();
    // AES-128 first: its SHA-256 key schedule is faster than AES-256's SHA-384, and 128 bits are plenty.
    provider.cipher_suites = vec![
        cipher_suite::TLS13_AES_128_GCM_SHA256,
        cipher_suite::TLS13_AES_256_GCM_SHA384,
        cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    ];
    let (chain, key) = identity.into_parts();
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    tls.alpn_protocols = vec![ALPN.to_vec()];
    // A player joins a server once: tickets for resuming would be work for nothing, and 0-RTT data can be replayed.
    tls.send_tls13_tickets = 0;
    tls.max_early_data_size = 0;

    let mut transport = quinn::TransportConfig::default();
    transport
        // Joins are short and snapshots small: probing for larger packets costs a quarter of a join.
        .mtu_discovery_config(None)
        // The one stream of the protocol. Each one allowed costs memory per connection.
        .max_concurrent_bidi_streams(1_u8.into())
        .max_concurrent_uni_streams(0_u8.into())
        .stream_receive_window(STREAM_WINDOW.into())
        .receive_window(STREAM_WINDOW.into())
        .max_idle_timeout(Some(IDLE_TIMEOUT.try_into().expect("ten seconds are a legal QUIC idle timeout")))
        // Keeps a quiet connection (a player at the gate) from being dropped by a NAT on the way.
        .keep_alive_interval(Some(IDLE_TIMEOUT / 3))
        .datagram_receive_buffer_size(Some(DATAGRAM_BUFFER_LEN_MAX))
        .datagram_send_buffer_size(DATAGRAM_BUFFER_LEN_MAX);

    let crypto = quinn::crypto::rustls::QuicServerConfig::try_from(tls)
        .expect("the provider has AES-128-GCM, which QUIC's first packets need");
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    config.transport_config(Arc::new(transport)).max_incoming(HANDSHAKES_MAX);
    Ok(config)
}

/// Closes every connection and waits, briefly, until the peers know.
///
/// # Cancel safety
/// The connections are closed at the first poll; dropping the future only gives up on peers being told.
pub async fn close(endpoint: &Endpoint) {
    endpoint.close(VarInt::from_u32(close::SERVER_CLOSED), b"the server has closed");
    // Whoever does not acknowledge finds out by its idle timeout.
    let _ = tokio::time::timeout(LAST_WORD_TIMEOUT, endpoint.wait_idle()).await;
}
