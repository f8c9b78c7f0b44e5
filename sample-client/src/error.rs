//! What can go wrong, by what to do next.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use game_proto::{Fingerprint, RefusalReason, close};
use quinn::ConnectionError;

use crate::trust::TrustError;

/// Why a player is not in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The server, or GameLift behind it, said no. Some reasons pass: see [`label`](Self::label).
    #[error("refused ({}): {detail}", label_of(*.reason))]
    Refused {
        /// Why.
        reason: RefusalReason,
        /// The server's own words, for a log.
        detail: String,
    },
    /// The peer is not the server it should be. Nothing of the player was sent. Ask where the game session is again;
    /// if it stays so, somebody is in between.
    #[error("not the server it should be ({reason}); the player session id was not sent{}",
        .presented.map(|it| format!("; it presented the certificate {it}")).unwrap_or_default())]
    Unverified {
        /// The certificate's fingerprint, when it was to be verified by that.
        presented: Option<Fingerprint>,
        /// What TLS says.
        reason: String,
    },
    /// No answer in time.
    #[error("no answer within {} s; the player session id was {}sent", after.as_secs_f32(), if *.sent { "" } else { "not " })]
    Timeout {
        /// How long was waited.
        after: Duration,
        /// Whether the server may know the player session id. If so, the player session may be used up.
        sent: bool,
    },
    /// There is no connection: nothing listens there, it broke, or the peer speaks another protocol.
    #[error("the connection failed")]
    Connect(#[source] ConnectionError),
    /// The server's answer is not this game's protocol.
    #[error("the server does not speak this protocol: {0}")]
    Nonsense(String),
    /// The player session id is longer than any that GameLift makes.
    #[error("the player session id is too long")]
    PlayerSessionIdTooLong,
    /// There is nothing to verify the server by.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The address cannot be connected to.
    #[error("cannot connect to {address}: {reason}")]
    Address {
        /// Which.
        address: SocketAddr,
        /// Why not.
        reason: String,
    },
    /// No UDP socket.
    #[error("cannot open a UDP socket")]
    Socket(#[source] io::Error),
}

impl JoinError {
    /// A short name to count by. Refusals have the names that the server counts them by; after
    /// `too_many_unvalidated` and `service_unavailable` the same player session may be tried again.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Refused { reason, .. } => label_of(*reason),
            Self::Unverified { .. } => "unverified",
            Self::Timeout { .. } => "timeout",
            Self::Connect(_) => "connect_failed",
            Self::Nonsense(_) => "nonsense",
            Self::PlayerSessionIdTooLong => "player_session_id_too_long",
            Self::Trust(_) => "trust",
            Self::Address { .. } => "address",
            Self::Socket(_) => "socket",
        }
    }
}

impl JoinError {
    /// Whether the same may work in a moment: nobody said no.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Refused { reason, .. } => {
                matches!(reason, RefusalReason::TooManyUnvalidated | RefusalReason::ServiceUnavailable)
            }
            Self::Timeout { .. } | Self::Connect(_) | Self::Socket(_) => true,
            _ => false,
        }
    }
}

fn label_of(reason: RefusalReason) -> &'static str {
    match reason {
        RefusalReason::Unspecified => "unspecified",
        RefusalReason::BadHello => "bad_hello",
        RefusalReason::VersionMismatch => "version_mismatch",
        RefusalReason::NoGameSession => "no_game_session",
        RefusalReason::RefusedByService => "refused_by_service",
        RefusalReason::RoomFull => "room_full",
        RefusalReason::HelloTimeout => "hello_timeout",
        RefusalReason::TooManyUnvalidated => "too_many_unvalidated",
        RefusalReason::Draining => "draining",
        RefusalReason::ServiceUnavailable => "service_unavailable",
        RefusalReason::AlreadyPresented => "already_presented",
        RefusalReason::ResumeRefused => "resume_refused",
    }
}

/// Characters of somebody else's message that are shown.
const SHOWN_MAX: usize = 500;

/// Somebody else's text, fit for a terminal and a log.
pub(crate) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN_MAX).collect()
}

/// Why a player is no longer in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeaveReason {
    /// The server has gone away, after saying so.
    #[error("the server closed")]
    ServerClosed,
    /// The server put this player out: this is the close code and what it said.
    #[error("the server closed the connection with code {code:#x}: {text}")]
    PutOut {
        /// A code of [`game_proto::close`].
        code: u64,
        /// For a log.
        text: String,
    },
    /// The connection broke.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// The server sent something that is not this game's protocol.
    #[error("the server does not speak this protocol: {0}")]
    Nonsense(String),
}

impl LeaveReason {
    /// Whether the player may come back: the connection broke, or was too slow for a while.
    #[must_use]
    pub fn is_drop(&self) -> bool {
        match self {
            Self::Lost(_) => true,
            Self::PutOut { code, .. } => *code == u64::from(close::TOO_SLOW),
            Self::ServerClosed | Self::Nonsense(_) => false,
        }
    }

    pub(crate) fn from_error(error: &ConnectionError) -> Self {
        match error {
            ConnectionError::ApplicationClosed(closed) => {
                let code = closed.error_code.into_inner();
                if code == u64::from(close::SERVER_CLOSED) {
                    Self::ServerClosed
                } else {
                    Self::PutOut { code, text: shown(&String::from_utf8_lossy(&closed.reason)) }
                }
            }
            other => Self::Lost(shown(&other.to_string())),
        }
    }
}
