//! What an API operation answers when it refuses.

/// Why an operation was refused: the AWS error name and a sentence for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", kind.name())]
pub struct ApiError {
    /// Which AWS exception this is.
    pub kind: ErrorKind,
    /// What was wrong, naming the field and the value.
    pub message: String,
}

impl ApiError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }
}

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal;)+) => {
        /// The exceptions this service can throw.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum ErrorKind { $($(#[$doc])* $variant,)+ }

        impl ErrorKind {
            /// The name on the wire, such as `NotFoundException`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The HTTP status that goes with it.
            pub const fn http_status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }
        }
    };
}

// AWS API reference: every modelled GameLift error is 400 except InternalServiceException.
error_kinds! {
    /// A resource of that name exists already.
    Conflict = "ConflictException", 400;
    /// No server process is free to host the game session.
    FleetCapacityExceeded = "FleetCapacityExceededException", 400;
    /// The game session has no open player slot.
    GameSessionFull = "GameSessionFullException", 400;
    /// An idempotency token was used before with other parameters.
    IdempotentParameterMismatch = "IdempotentParameterMismatchException", 400;
    /// The service itself failed; the request may be repeated.
    InternalService = "InternalServiceException", 500;
    /// The fleet's status does not allow the operation.
    InvalidFleetStatus = "InvalidFleetStatusException", 400;
    /// The game session's status does not allow the operation.
    InvalidGameSessionStatus = "InvalidGameSessionStatusException", 400;
    /// A parameter breaks a rule.
    InvalidRequest = "InvalidRequestException", 400;
    /// A quota is used up.
    LimitExceeded = "LimitExceededException", 400;
    /// The resource does not exist.
    NotFound = "NotFoundException", 400;
    /// The body is larger than the service reads.
    RequestEntityTooLarge = "RequestEntityTooLargeException", 413;
    /// The body is not what the protocol says it is.
    Serialization = "SerializationException", 400;
    /// A tag breaks a rule.
    TaggingFailed = "TaggingFailedException", 400;
    /// The alias leads nowhere; the message is the alias's own.
    TerminalRoutingStrategy = "TerminalRoutingStrategyException", 400;
    /// Too much is going on; the request may be repeated later.
    Throttling = "ThrottlingException", 400;
    /// This GameLift has no such operation.
    UnknownOperation = "UnknownOperationException", 404;
}
