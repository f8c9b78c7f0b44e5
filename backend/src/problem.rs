//! What a caller is told when something cannot be done: a code for programs, a sentence for people.

use serde::Serialize;
use serde_json::Value;

/// The code of a [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// The request is not what the API takes. 400.
    BadRequest,
    /// The gateway has verified nobody. 401.
    Unauthenticated,
    /// The caller may not do this. 403.
    Forbidden,
    /// There is none, or it is somebody else's: the two look the same. 404.
    NotFound,
    /// The path has other methods. 405.
    MethodNotAllowed,
    /// There is no game session to come back to. 404.
    NoSession,
    /// The caller has another ticket that is still open. 409, with its `ticketId`.
    TicketActive,
    /// The ticket has a seat already, so it cannot be cancelled. 409, with the ticket.
    TicketPlaced,
    /// The ticket is not waiting for an answer. 409.
    NotInAcceptance,
    /// The body is larger than the API takes. 413.
    TooLarge,
    /// The body did not come in time. 408.
    TooSlow,
    /// A latency for a location that there is none of. 422, with the location.
    LatencyLocationUnknown,
    /// Too many requests. 429, with `Retry-After`.
    RateLimited,
    /// The backend is set up wrong: a matchmaking configuration or queue that GameLift does not know. 500.
    Configuration,
    /// Something went wrong that is not the caller's doing. 500.
    Internal,
    /// GameLift cannot be reached or asks for patience. 503.
    MatchmakerUnavailable,
    /// The table cannot be reached or asks for patience. 503.
    StoreUnavailable,
}

impl Code {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound | Self::NoSession => 404,
            Self::MethodNotAllowed => 405,
            Self::TicketActive | Self::TicketPlaced | Self::NotInAcceptance => 409,
            Self::TooSlow => 408,
            Self::TooLarge => 413,
            Self::LatencyLocationUnknown => 422,
            Self::RateLimited => 429,
            Self::Configuration | Self::Internal => 500,
            Self::MatchmakerUnavailable | Self::StoreUnavailable => 503,
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::TooSlow
                | Self::RateLimited
                | Self::Internal
                | Self::MatchmakerUnavailable
                | Self::StoreUnavailable
        )
    }
}

/// An answer that is none. On the wire: `{"error":{"code","message","retryable","details"?},"requestId"}`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// For programs.
    pub code: Code,
    /// For people: field, rule and value, and what to do.
    pub message: String,
    /// More for programs: the ticket that is active, the location that is unknown.
    pub details: Option<Value>,
    /// Seconds after which to try again, with [`Code::RateLimited`] and the unavailable ones.
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A code and a sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: None, retry_after: None }
    }

    /// With more for programs.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// With a time to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}
