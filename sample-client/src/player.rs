//! One player: connect, verify, present the player session, play, leave.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use game_proto::frame::{self, Decoder};
use game_proto::server_message::Kind;
use game_proto::{
    Hello, Input, Message, PROTOCOL_VERSION, RefusalReason, Refused, ServerMessage, Snapshot, Welcome, close,
};
use quinn::{Connection, ConnectionError, Endpoint, RecvStream, SendStream};
use tokio::time::{Instant, sleep, timeout_at};

use crate::error::{JoinError, LeaveReason, shown};
use crate::stats::Stats;
use crate::trust::Trust;

/// How long joining may take unless told otherwise: the server waits up to 30 s for GameLift.
pub const JOIN_TIMEOUT_DEFAULT: Duration = Duration::from_secs(35);

/// Silence after which the server is lost.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long leaving may take: long enough for a lost packet to be sent again.
pub const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);

/// Buffered datagrams, in bytes: some 14 snapshots of a full room. QUIC drops the oldest beyond.
pub const DATAGRAM_BUFFER_LEN_MAX: usize = 16 * 1024;

/// How long one attempt to come back may take: a lost first packet is sent again after a second.
pub const RESUME_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);

/// How long coming back is tried at least: a server that keeps seats for less still says no.
pub const RESUME_MIN: Duration = Duration::from_secs(1);

/// How long coming back is tried at most, whatever the server says.
pub const RESUME_MAX: Duration = Duration::from_secs(120);

/// The pause between two attempts to come back.
pub const RESUME_PAUSE: Duration = Duration::from_millis(250);

/// The rate at which a player of this game sends inputs.
pub const INPUT_RATE_HZ: u32 = 60;

/// What a player needs to join.
#[derive(Clone)]
pub struct JoinConfig {
    /// The game session's address, as GameLift handed it out.
    pub address: SocketAddr,
    /// What to verify the server by.
    pub trust: Trust,
    /// The player session that GameLift reserved. Sent only to a server that was verified.
    pub player_session_id: String,
    /// The game session the seat is in, if it is known: a server that hosts several need not look it up.
    pub game_session_id: Option<String>,
    /// How long joining may take, from the first packet to Welcome.
    pub timeout: Duration,
}

impl JoinConfig {
    /// A configuration with the default timeout.
    #[must_use]
    pub fn new(address: SocketAddr, trust: Trust, player_session_id: impl Into<String>) -> Self {
        Self {
            address,
            trust,
            player_session_id: player_session_id.into(),
            game_session_id: None,
            timeout: JOIN_TIMEOUT_DEFAULT,
        }
    }
}

/// Without the player session id.
impl fmt::Debug for JoinConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinConfig")
            .field("address", &self.address)
            .field("trust", &self.trust)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Something the server said.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PlayerEvent {
    /// Where everybody is.
    Snapshot(Snapshot),
    /// Somebody is here, or came.
    PlayerJoined(u32),
    /// Somebody left.
    PlayerLeft(u32),
    /// The server goes away after this long.
    ServerClosing(Duration),
}

/// A player in a game session. Dropping it leaves without waiting for the server to know.
pub struct Player {
    config: JoinConfig,
    endpoint: Endpoint,
    connection: Connection,
    /// Kept open: its end would tell the server nothing, but dropping it would reset it.
    _hello: SendStream,
    events: RecvStream,
    decoder: Decoder,
    welcome: Welcome,
    sequence: u32,
    stats: Stats,
}

impl fmt::Debug for Player {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Player").field("welcome", &self.welcome).finish_non_exhaustive()
    }
}

impl Player {
    /// Connects, verifies the server, presents the player session and waits for the answer.
    ///
    /// # Errors
    /// See [`JoinError`]: it says whether the player session id was sent, and what to do next.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection. If Hello was on its way, the server may have accepted the player,
    /// and will report it gone.
    pub async fn join(config: JoinConfig) -> Result<Self, JoinError> {
        Self::enter(config, Vec::new(), Stats::new()).await
    }

    /// Comes back to the seat after the connection was lost: on a new connection, with the token of the newest Welcome.
    /// What was measured goes on. Tried again until the server gives the seat up.
    ///
    /// # Errors
    /// Why there is no way back, with what was measured. Another player session is needed then.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the game.
    pub async fn resume(mut self) -> Result<Self, (JoinError, Stats)> {
        if self.welcome.resume_token.is_empty() {
            let error = JoinError::Refused {
                reason: RefusalReason::ResumeRefused,
                detail: "this server keeps no seats".to_owned(),
            };
            return Err((error, self.stats));
        }
        let window = Duration::from_secs(self.welcome.resume_seconds.into()).clamp(RESUME_MIN, RESUME_MAX);
        let deadline = Instant::now() + window;
        self.stats.interrupted();
        // The old socket is closed, which frees its port; the server finds out by the new connection.
        let Self { config, welcome, stats, .. } = self;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let config = JoinConfig { timeout: left.min(RESUME_ATTEMPT_TIMEOUT), ..config.clone() };
            match Self::enter(config, welcome.resume_token.clone(), stats.clone()).await {
                Ok(player) => return Ok(player),
                Err(error) if error.may_pass() && Instant::now() + RESUME_PAUSE < deadline => {
                    tracing::info!(%error, "not back yet");
                    sleep(RESUME_PAUSE).await;
                }
                Err(error) => return Err((error, stats)),
            }
        }
    }

    async fn enter(config: JoinConfig, resume_token: Vec<u8>, stats: Stats) -> Result<Self, JoinError> {
        let (deadline, after) = (Instant::now() + config.timeout, config.timeout);
        let (endpoint, connection) = timeout_at(deadline, connect(&config))
            .await
            .map_err(|_| JoinError::Timeout { after, sent: false })??;
        let present = present(endpoint, connection, config, resume_token, stats);
        timeout_at(deadline, present).await.map_err(|_| JoinError::Timeout { after, sent: true })?
    }

    /// What the server said about the room and this player's place in it.
    #[must_use]
    pub fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// What was measured so far.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Says where to go from now on: a direction, -127 to 127 on each axis. Returns the input's sequence number.
    ///
    /// # Errors
    /// When the connection is over.
    pub fn send_input(&mut self, move_x: i32, move_y: i32) -> Result<u32, LeaveReason> {
        let sequence = self.sequence + 1;
        let input = Input { sequence, move_x, move_y };
        match self.connection.send_datagram(input.encode_to_vec().into()) {
            Ok(()) => {
                self.sequence = sequence;
                self.stats.input_sent(sequence, Instant::now());
                Ok(sequence)
            }
            Err(quinn::SendDatagramError::ConnectionLost(error)) => Err(LeaveReason::from_error(&error)),
            Err(error) => Err(LeaveReason::Nonsense(error.to_string())),
        }
    }

    /// The next thing the server says. `Err` when the connection is over.
    ///
    /// # Errors
    /// How it ended.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Result<PlayerEvent, LeaveReason> {
        loop {
            if let Some(event) = self.next_on_stream()? {
                return Ok(event);
            }
            tokio::select! {
                datagram = self.connection.read_datagram() => {
                    let datagram = datagram.map_err(|error| LeaveReason::from_error(&error))?;
                    let snapshot = Snapshot::decode(datagram)
                        .map_err(|error| self.nonsense(&format!("a datagram that is no snapshot: {error}")))?;
                    self.stats.snapshot_received(&snapshot, Instant::now());
                    return Ok(PlayerEvent::Snapshot(snapshot));
                }
                chunk = self.events.read_chunk(frame::FRAME_LEN_MAX, true) => match chunk {
                    Ok(Some(chunk)) => self.decoder.push(&chunk.bytes),
                    // The server ends the stream only together with the connection.
                    Ok(None) | Err(_) => return Err(LeaveReason::from_error(&self.connection.closed().await)),
                },
            }
        }
    }

    /// Leaves, and waits until the server knows, or [`LEAVE_TIMEOUT`]. Returns what was measured.
    ///
    /// # Cancel safety
    /// The connection is closed at the first poll; dropping the future only gives up on the server being told.
    pub async fn leave(self) -> Stats {
        self.connection.close(close::DONE.into(), b"left");
        // A server that does not hear it finds out by its idle timeout.
        let _ = tokio::time::timeout(LEAVE_TIMEOUT, self.endpoint.wait_idle()).await;
        self.stats
    }

    fn next_on_stream(&mut self) -> Result<Option<PlayerEvent>, LeaveReason> {
        while let Some(frame) =
            self.decoder.next_frame().map_err(|error| self.nonsense(&error.to_string()))?
        {
            let message = ServerMessage::decode(frame)
                .map_err(|error| self.nonsense(&format!("a bad event: {error}")))?;
            match message.kind {
                Some(Kind::PlayerJoined(it)) => return Ok(Some(PlayerEvent::PlayerJoined(it.player_number))),
                Some(Kind::PlayerLeft(it)) => return Ok(Some(PlayerEvent::PlayerLeft(it.player_number))),
                Some(Kind::ServerClosing(it)) => {
                    let notice = Duration::from_secs(it.notice_seconds.into());
                    return Ok(Some(PlayerEvent::ServerClosing(notice)));
                }
                Some(Kind::Welcome(_) | Kind::Refused(_)) => {
                    return Err(self.nonsense("a second answer to Hello"));
                }
                None => {} // An event that this version does not know.
            }
        }
        Ok(None)
    }

    fn nonsense(&self, what: &str) -> LeaveReason {
        self.connection.close(close::PROTOCOL_VIOLATION.into(), what.as_bytes());
        LeaveReason::Nonsense(what.to_owned())
    }
}

/// Handshake, including the verification of the server. Nothing of the player has been sent when it returns.
async fn connect(config: &JoinConfig) -> Result<(Endpoint, Connection), JoinError> {
    let verification = config.trust.verification()?;
    let crypto = quinn::crypto::rustls::QuicClientConfig::try_from(verification.tls)
        .expect("the provider has AES-128-GCM, which QUIC's first packets need");
    let mut transport = quinn::TransportConfig::default();
    transport
        .mtu_discovery_config(None) // The server's setting, see there.
        .max_concurrent_bidi_streams(0_u8.into())
        .max_concurrent_uni_streams(0_u8.into())
        .max_idle_timeout(Some(IDLE_TIMEOUT.try_into().expect("ten seconds are a legal QUIC idle timeout")))
        .keep_alive_interval(Some(IDLE_TIMEOUT / 3))
        .datagram_receive_buffer_size(Some(DATAGRAM_BUFFER_LEN_MAX))
        .datagram_send_buffer_size(DATAGRAM_BUFFER_LEN_MAX);
    let mut client = quinn::ClientConfig::new(Arc::new(crypto));
    client.transport_config(Arc::new(transport));

    let any: IpAddr = match config.address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let endpoint = Endpoint::client((any, 0).into()).map_err(JoinError::Socket)?;
    let server_name = verification.server_name.unwrap_or_else(|| config.address.ip().to_string());
    let connecting = endpoint
        .connect_with(client, config.address, &server_name)
        .map_err(|error| JoinError::Address { address: config.address, reason: error.to_string() })?;
    let connection = match connecting.await {
        Ok(connection) => connection,
        Err(error) => return Err(connect_error(error, verification.presented.get().copied())),
    };
    Ok((endpoint, connection))
}

fn connect_error(error: ConnectionError, presented: Option<game_proto::Fingerprint>) -> JoinError {
    /// TLS alerts are QUIC error codes from here (RFC 9001 4.8).
    const CRYPTO_ERRORS: std::ops::Range<u64> = 0x100..0x200;
    match &error {
        // Raised on this side: our verifier said no. The server's own complaints arrive as `ConnectionClosed`.
        ConnectionError::TransportError(local) if CRYPTO_ERRORS.contains(&local.code.into()) => {
            JoinError::Unverified { presented, reason: local.reason.clone() }
        }
        // A server with too many handshakes says no without a word, because words cost it cryptography.
        ConnectionError::ConnectionClosed(closed)
            if closed.error_code == quinn::TransportErrorCode::CONNECTION_REFUSED =>
        {
            JoinError::Refused {
                reason: RefusalReason::TooManyUnvalidated,
                detail: "the server is too busy to shake hands; try again in a moment".to_owned(),
            }
        }
        _ => JoinError::Connect(error),
    }
}

/// Hello and its answer. From here on the server may know the player session id.
async fn present(
    endpoint: Endpoint,
    connection: Connection,
    config: JoinConfig,
    resume_token: Vec<u8>,
    stats: Stats,
) -> Result<Player, JoinError> {
    let hello = Hello {
        protocol_version: PROTOCOL_VERSION,
        player_session_id: config.player_session_id.clone(),
        game_session_id: config.game_session_id.clone().unwrap_or_default(),
        resume_token,
    };
    let hello = frame::encode(&hello).map_err(|_| JoinError::PlayerSessionIdTooLong)?;
    let (mut send, events) = connection.open_bi().await.map_err(answer_error)?;
    if send.write_all(&hello).await.is_err() {
        return Err(answer_error(connection.closed().await)); // Refused before Hello: the close code says why.
    }
    let mut player = Player {
        config,
        endpoint,
        connection,
        _hello: send,
        events,
        decoder: Decoder::new(),
        welcome: Welcome::default(),
        sequence: 0,
        stats,
    };
    player.welcome = player.answer().await?;
    Ok(player)
}

impl Player {
    async fn answer(&mut self) -> Result<Welcome, JoinError> {
        loop {
            let frame = self.decoder.next_frame().map_err(|error| self.bad_answer(&error.to_string()))?;
            if let Some(frame) = frame {
                let message =
                    ServerMessage::decode(frame).map_err(|error| self.bad_answer(&error.to_string()))?;
                return match message.kind {
                    Some(Kind::Welcome(welcome)) => Ok(welcome),
                    Some(Kind::Refused(refused)) => Err(self.refused(refused)),
                    _ => Err(self.bad_answer("neither Welcome nor Refused")),
                };
            }
            match self.events.read_chunk(frame::FRAME_LEN_MAX, true).await {
                Ok(Some(chunk)) => self.decoder.push(&chunk.bytes),
                Ok(None) | Err(_) => return Err(answer_error(self.connection.closed().await)),
            }
        }
    }

    fn refused(&self, refused: Refused) -> JoinError {
        let reason = refused.reason();
        JoinError::Refused { reason, detail: shown(&refused.detail) }
    }

    fn bad_answer(&self, what: &str) -> JoinError {
        JoinError::Nonsense(match self.nonsense(what) {
            LeaveReason::Nonsense(what) => what,
            other => other.to_string(),
        })
    }
}

/// The connection ended instead of an answer: if it was a refusal, its close code says so too.
fn answer_error(error: ConnectionError) -> JoinError {
    if let ConnectionError::ApplicationClosed(closed) = &error
        && let Some(reason) = close::refusal(closed.error_code.into_inner())
    {
        return JoinError::Refused { reason, detail: shown(&String::from_utf8_lossy(&closed.reason)) };
    }
    JoinError::Connect(error)
}
