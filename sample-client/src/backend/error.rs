//! What can go wrong on the way to a game, by the step it happened at and what to do next.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::model::Status;
use crate::error::{JoinError, LeaveReason};

/// A step from nothing but an address to a game. Its [name](Self::name) is what failures are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Getting an identity.
    Identity,
    /// Getting credentials for it.
    Credentials,
    /// Asking where games can be played.
    Locations,
    /// Consenting to a party.
    Invite,
    /// Asking for a match.
    Start,
    /// Learning what has become of the ticket.
    Ticket,
    /// Accepting or refusing a match.
    Acceptance,
    /// Taking the request back.
    Cancel,
    /// Listening for news of the ticket.
    Push,
    /// Asking where the running game is.
    Session,
    /// Asking for one's own profile.
    Profile,
    /// Getting into the game.
    Join,
    /// Playing.
    Play,
}

impl Step {
    /// A word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Credentials => "credentials",
            Self::Locations => "locations",
            Self::Invite => "invite",
            Self::Start => "start",
            Self::Ticket => "ticket",
            Self::Acceptance => "acceptance",
            Self::Cancel => "cancel",
            Self::Push => "push",
            Self::Session => "session",
            Self::Profile => "profile",
            Self::Join => "join",
            Self::Play => "play",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why one request got no answer that helps.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// There is no connection, so nothing was sent. Trying again is safe; check the address if it stays so.
    #[error("cannot connect to {host} ({reason}); nothing was sent, so it is safe to try again")]
    NotSent {
        /// Whom to.
        host: String,
        /// What the system says.
        reason: String,
    },
    /// It was sent, and there is no answer. Repeat it with the same idempotency key, or ask what has become of it.
    #[error("no answer from {host} ({reason}); it may have taken effect, so repeat it with the same key")]
    OutcomeUnknown {
        /// Whom from.
        host: String,
        /// What the system says.
        reason: String,
    },
    /// The backend, or the gateway before it, said no.
    #[error("refused: {0}")]
    Refused(Box<Refusal>),
    /// The answer is not what this API gives. The address may be somebody else's.
    #[error("{host} does not speak this API: {what}")]
    Nonsense {
        /// Whose answer.
        host: String,
        /// What is wrong with it.
        what: String,
    },
    /// The request cannot be signed or sent as it is.
    #[error("cannot make the request: {0}")]
    Unsendable(String),
}

/// What was said along with a no.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// For programs: a code of the backend (`RATE_LIMITED`), an error name of AWS (`NotAuthorizedException`), or the HTTP
    /// status if there is neither.
    pub code: String,
    /// For people.
    pub message: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// When to try again, if it was said.
    pub retry_after: Option<Duration>,
    /// More for programs.
    pub details: Option<serde_json::Value>,
    /// What to ask the backend's people about.
    pub request_id: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (HTTP {}", self.code, self.status)?;
        if let Some(id) = &self.request_id {
            write!(f, ", request {id}")?;
        }
        f.write_str(")")?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        match (self.advice(), self.retry_after) {
            (Some(advice), _) => write!(f, "; {advice}"),
            (None, Some(after)) => write!(f, "; try again in {} s", after.as_secs()),
            (None, None) if self.retryable => f.write_str("; try again in a moment"),
            (None, None) => Ok(()),
        }
    }
}

impl Refusal {
    /// What to do about it, where the code alone does not say.
    fn advice(&self) -> Option<&'static str> {
        // API Gateway's own refusals name nothing that a player could act on.
        match self.code.as_str() {
            "InvalidSignatureException"
            | "IncompleteSignatureException"
            | "MissingAuthenticationTokenException" => Some(
                "check this machine's clock (five minutes off are too much), --region and the backend's URL",
            ),
            "AccessDeniedException" => {
                Some("the identity pool's role does not allow execute-api:Invoke for this call")
            }
            "ResourceNotFoundException" => {
                Some("check the identity pool; delete the identity file if its identity was deleted")
            }
            _ => None,
        }
    }

    /// Whether the credentials are too old, or not known any more: new ones may do.
    pub(crate) fn is_about_credentials(&self) -> bool {
        self.status == 403
            && matches!(self.code.as_str(), "ExpiredTokenException" | "UnrecognizedClientException")
    }
}

impl CallError {
    /// Whether the same request may succeed later. One that was sent needs its idempotency key for that.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NotSent { .. } | Self::OutcomeUnknown { .. } => true,
            Self::Refused(refusal) => refusal.retryable,
            Self::Nonsense { .. } | Self::Unsendable(_) => false,
        }
    }

    /// When to try again, if the other side said.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            _ => None,
        }
    }

    /// The code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(&refusal.code),
            _ => None,
        }
    }

    /// A short name to count by.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::NotSent { .. } => "not_sent",
            Self::OutcomeUnknown { .. } => "outcome_unknown",
            Self::Refused(refusal) => &refusal.code,
            Self::Nonsense { .. } => "nonsense",
            Self::Unsendable(_) => "unsendable",
        }
    }
}

/// A request that failed, and which it was.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{step}: {error}")]
pub struct StepError {
    /// Which.
    pub step: Step,
    /// Why.
    #[source]
    pub error: CallError,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetUpError {
    /// The address of something cannot be used.
    #[error("{name} {value:?} {rule}")]
    Address {
        /// Which.
        name: &'static str,
        /// What was given.
        value: String,
        /// What it has to be.
        rule: &'static str,
    },
    /// A backend on AWS has an identity pool that cannot be guessed.
    #[error("a backend on AWS needs its identity pool: the IdentityPoolId among the outputs of its stack")]
    NoIdentityPool,
    /// A WebSocket API on AWS has a URL of its own.
    #[error(
        "a backend on AWS needs the URL of its WebSocket API, which is another one: --websocket, or the WebSocketUrl among the outputs of its stack"
    )]
    NoWebSocket,
    /// API Gateway does not pass gRPC on.
    #[error("API Gateway has no gRPC: have news pushed over a WebSocket, or ask for it")]
    NoGrpc,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// HTTPS is wanted, and there is nothing to verify a server by.
    #[error(
        "this machine has no certificate authorities, so no HTTPS server can be verified: install them, or set SSL_CERT_FILE"
    )]
    NoRoots,
    /// The identity file cannot be used.
    #[error("cannot use the identity file {}: {reason}", path.display())]
    IdentityFile {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// Why a player did not play, or not to the end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlayError {
    /// A request failed.
    #[error(transparent)]
    Call(#[from] StepError),
    /// The identity was made, but it cannot be kept.
    #[error("identity: cannot write the identity file {}: this player would be another one next time", path.display())]
    IdentityFile {
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The ticket ended without a seat. Asking again is up to the player.
    #[error("ticket: no match: {status}{}", reason.as_deref().map(|it| format!(" ({it})")).unwrap_or_default())]
    NoMatch {
        /// How it ended.
        status: Status,
        /// The backend's words.
        reason: Option<String>,
    },
    /// The player took the request back. There is no seat.
    #[error("ticket: cancelled as asked{}", if *.confirmed { "" } else { ", but that is not confirmed: it may still get a seat, which lapses by itself" })]
    Cancelled {
        /// Whether the backend has confirmed that the ticket is over.
        confirmed: bool,
    },
    /// It took too long, and the request was taken back.
    #[error("ticket: no match within {} s; the request was {}", after.as_secs(), if *.confirmed { "taken back" } else { "taken back, but that is not confirmed: it may still get a seat" })]
    GaveUp {
        /// How long was waited.
        after: Duration,
        /// Whether the backend has confirmed that the ticket is over.
        confirmed: bool,
    },
    /// A party member was not taken into anybody's ticket.
    #[error("invite: no ticket within {} s; the leader has not used the token, so make a new one", after.as_secs())]
    NotInvited {
        /// How long was waited.
        after: Duration,
    },
    /// The seat cannot be used: there is no address, or nothing to verify the server by.
    #[error("join: the backend's connection info cannot be used: {0}")]
    BadConnection(String),
    /// The game server did not let the player in.
    #[error("join: {error}")]
    Join {
        /// Why.
        #[source]
        error: JoinError,
    },
    /// The connection to the game was lost, and so was the way back.
    #[error("play: {lost}, and there is no way back after {attempts} attempts: {reason}")]
    Lost {
        /// How the connection ended.
        lost: LeaveReason,
        /// How often coming back was tried.
        attempts: u32,
        /// Why the last attempt failed.
        reason: String,
    },
}

impl PlayError {
    /// At which step.
    #[must_use]
    pub fn step(&self) -> Step {
        match self {
            Self::Call(error) => error.step,
            Self::IdentityFile { .. } => Step::Identity,
            Self::NoMatch { .. } | Self::Cancelled { .. } | Self::GaveUp { .. } => Step::Ticket,
            Self::NotInvited { .. } => Step::Invite,
            Self::BadConnection(_) | Self::Join { .. } => Step::Join,
            Self::Lost { .. } => Step::Play,
        }
    }

    /// Step and cause in a few words, to count by: `start: RATE_LIMITED`, `ticket: TIMED_OUT`, `join: room_full`.
    #[must_use]
    pub fn label(&self) -> String {
        let cause = match self {
            Self::Call(error) => error.error.label(),
            Self::IdentityFile { .. } => "identity_file",
            Self::NoMatch { status, .. } => status.name(),
            Self::Cancelled { .. } => Status::Cancelled.name(),
            Self::GaveUp { .. } => "gave_up",
            Self::NotInvited { .. } => "not_invited",
            Self::BadConnection(_) => "bad_connection",
            Self::Join { error } => error.label(),
            Self::Lost { .. } => "lost",
        };
        format!("{}: {cause}", self.step())
    }
}
