//! Why somebody may not join. One variant, one wire code, one metric label, one test.

use game_proto::{RefusalReason, close};

/// Why somebody may not join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum JoinRefusal {
    /// The first message was no Hello, or its id cannot be a player session id.
    #[error("the first message was not a readable Hello with a player session id")]
    BadHello,
    /// The client was built for another version of the protocol.
    #[error("this server speaks protocol version {}", game_proto::PROTOCOL_VERSION)]
    VersionMismatch,
    /// No game session is active here, or not the one that Hello names.
    #[error("this server does not host that game session, or none")]
    NoGameSession,
    /// GameLift said no.
    #[error("GameLift does not accept this player session here")]
    RefusedByService,
    /// Every seat is taken.
    #[error("every seat of the game session is taken")]
    RoomFull,
    /// Hello did not come in time.
    #[error("no Hello within {} s", crate::quic::HELLO_TIMEOUT.as_secs())]
    HelloTimeout,
    /// Too many strangers at the gate.
    #[error("too many connections wait to be validated; try again in a moment")]
    TooManyUnvalidated,
    /// The server is closing.
    #[error("the server is closing")]
    Draining,
    /// GameLift did not answer.
    #[error("GameLift could not be asked; the player session may still be good")]
    ServiceUnavailable,
    /// The id is in use on another connection.
    #[error("this player session is in use on another connection")]
    AlreadyPresented,
    /// The resume token opens no seat here. One reason for a wrong token, an old one and a seat that was given up:
    /// whoever guesses learns nothing.
    #[error("the resume token is not this seat's newest, or the seat was given up")]
    ResumeRefused,
}

impl JoinRefusal {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::BadHello,
        Self::VersionMismatch,
        Self::NoGameSession,
        Self::RefusedByService,
        Self::RoomFull,
        Self::HelloTimeout,
        Self::TooManyUnvalidated,
        Self::Draining,
        Self::ServiceUnavailable,
        Self::AlreadyPresented,
        Self::ResumeRefused,
    ];

    /// The metric label and log field.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::BadHello => "bad_hello",
            Self::VersionMismatch => "version_mismatch",
            Self::NoGameSession => "no_game_session",
            Self::RefusedByService => "refused_by_service",
            Self::RoomFull => "room_full",
            Self::HelloTimeout => "hello_timeout",
            Self::TooManyUnvalidated => "too_many_unvalidated",
            Self::Draining => "draining",
            Self::ServiceUnavailable => "service_unavailable",
            Self::AlreadyPresented => "already_presented",
            Self::ResumeRefused => "resume_refused",
        }
    }

    /// How the wire says it.
    #[must_use]
    pub const fn reason(self) -> RefusalReason {
        match self {
            Self::BadHello => RefusalReason::BadHello,
            Self::VersionMismatch => RefusalReason::VersionMismatch,
            Self::NoGameSession => RefusalReason::NoGameSession,
            Self::RefusedByService => RefusalReason::RefusedByService,
            Self::RoomFull => RefusalReason::RoomFull,
            Self::HelloTimeout => RefusalReason::HelloTimeout,
            Self::TooManyUnvalidated => RefusalReason::TooManyUnvalidated,
            Self::Draining => RefusalReason::Draining,
            Self::ServiceUnavailable => RefusalReason::ServiceUnavailable,
            Self::AlreadyPresented => RefusalReason::AlreadyPresented,
            Self::ResumeRefused => RefusalReason::ResumeRefused,
        }
    }

    /// The QUIC close code that follows the message.
    #[must_use]
    pub const fn close_code(self) -> u32 {
        close::refused(self.reason())
    }
}
