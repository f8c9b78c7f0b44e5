//! What can go wrong, by what the caller may do next.

use gamelift_wire::envelope::{FrameError, Refusal};

use crate::rules::InvalidArgument;

/// A call to the service failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// An argument is wrong. Nothing was sent: correct it.
    #[error("nothing was sent: {0}")]
    Invalid(#[source] InvalidArgument),
    /// There was no connection, or no room, before the deadline. The service never saw the call: repeat it freely.
    #[error("not sent before the deadline, so it took no effect; safe to repeat")]
    NotSent,
    /// It was sent, and then the connection broke or the deadline passed. It may have taken effect: look before you
    /// repeat it, for instance with [`GameSession::describe_player_sessions`](crate::GameSession::describe_player_sessions).
    #[error("sent, but the answer did not arrive; it may have taken effect")]
    OutcomeUnknown,
    /// The service said no. [`Refusal::kind`] tells a wrong call from an overloaded or broken service.
    #[error("the service refused: {0}")]
    Refused(#[source] Refusal),
    /// The service said yes, but the rest of its answer is not what this SDK expects. It took effect.
    #[error("took effect, but the answer is not understood: {0}")]
    Unreadable(#[source] FrameError),
    /// The connection is over for good; see [`CloseReason`].
    #[error("the connection to the service is closed: {0}")]
    Closed(#[source] CloseReason),
}

/// Why the connection to the service is over for good. A mere drop is not: the SDK reconnects by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// [`ServerProcess::end`](crate::ServerProcess::end) succeeded.
    #[error("the process ended")]
    Ended,
    /// The application dropped every handle.
    #[error("the application dropped every handle without ending the process")]
    HandlesDropped,
    /// The application dropped the event stream. A process that can no longer be told to stop must not stay registered.
    #[error("the application dropped the event stream without ending the process")]
    EventsDropped,
    /// The application did not read its events. It would not hear that it must stop, either.
    #[error("the application left more than {limit} events unread")]
    TooManyUnreadEvents {
        /// How many it may leave unread.
        limit: usize,
    },
    /// The first connection could not be made.
    #[error("the first connection was never made")]
    NeverConnected,
    /// The runtime shut down, or the driver was dropped.
    #[error("the SDK's driver stopped")]
    DriverStopped,
}

/// The first connection could not be made.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No attempt succeeded. A refused token (HTTP 4xx) and a certificate that cannot be verified are not tried again.
    #[error("could not connect to the service in {attempts} attempt(s): {last}")]
    Unreachable {
        /// How often it was tried.
        attempts: u32,
        /// What the last attempt met.
        #[source]
        last: DialError,
    },
    /// The TLS roots could not be loaded.
    #[error("could not prepare TLS: {0}")]
    Tls(String),
    /// The uplink was closed meanwhile.
    #[error("closed while connecting: {0}")]
    Closed(#[source] CloseReason),
}

/// One attempt to connect failed. Never shows the URL's query: the auth token is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// The service answered the upgrade with something other than 101.
    #[error("the service refused the connection with HTTP {status}{}{body}{}", if .body.is_empty() { "" } else { ": " },
        if (400..=499).contains(.status) { "; check auth token, fleet id, host id and process id" } else { "" })]
    Refused {
        /// The HTTP status. 401 and 403 mean the auth token, or one of the ids it belongs to.
        status: u16,
        /// The first characters of the answer's body.
        body: String,
    },
    /// The name could not be resolved or nobody listens.
    #[error("no connection: {0}")]
    Network(String),
    /// The TLS handshake failed, most often because the certificate is not trusted.
    #[error("TLS failed: {0}; for a private certificate authority use `Config::extra_ca` or SSL_CERT_FILE")]
    Tls(String),
    /// What answered does not speak WebSocket.
    #[error("no WebSocket there: {0}")]
    Protocol(String),
    /// Nothing happened in time.
    #[error("timed out")]
    TimedOut,
    /// What to prove oneself with could not be had; the service was not asked.
    #[error("no credentials to connect with: {0}")]
    Credentials(#[source] CredentialsError),
}

/// Credentials could not be had: from a container's task role, or from a [`TokenProvider`](crate::TokenProvider).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// Not now: nobody answered, or with HTTP 429 or 5xx. Another attempt may succeed, and the SDK makes it.
    #[error("{0}")]
    Unavailable(String),
    /// Not like this: the answer was a refusal, or not what was expected. It ends the first connect; a reconnect goes on.
    #[error("{0}")]
    Denied(String),
}

impl DialError {
    /// Whether the same attempt would fail the same way again: a refused token, an untrusted certificate.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Refused { status, .. } => {
                (400..=499).contains(status) && !matches!(status, 408 | 425 | 429)
            }
            Self::Tls(_) | Self::Credentials(CredentialsError::Denied(_)) => true,
            Self::Credentials(CredentialsError::Unavailable(_))
            | Self::Network(_)
            | Self::Protocol(_)
            | Self::TimedOut => false,
        }
    }

    /// Whether the service took offence at the credentials.
    pub(crate) fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Refused { status: 401 | 403, .. })
    }
}

/// A parameter or an environment variable is missing or wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It must be given.
    #[error("{name} is not set; pass it or set {variable}")]
    Missing {
        /// The parameter.
        name: &'static str,
        /// The environment variable that also sets it.
        variable: &'static str,
    },
    /// It is given, but wrong. Secrets are not repeated.
    #[error("{name} must be {rule}, not {value:?}")]
    Invalid {
        /// The parameter or the environment variable.
        name: &'static str,
        /// What is allowed.
        rule: &'static str,
        /// What was given; `..` for a secret.
        value: String,
    },
    /// No way to prove who is connecting.
    #[error(
        "no credentials: set GAMELIFT_SDK_AUTH_TOKEN, or GAMELIFT_REGION, GAMELIFT_ACCESS_KEY and GAMELIFT_SECRET_KEY together, or pass a token provider"
    )]
    NoCredentials,
}
