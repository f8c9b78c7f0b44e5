//! Why a request was not let in.

use std::borrow::Cow;

/// As API Gateway names it in `x-amzn-ErrorType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing was signed. API Gateway says the same of routes that it does not know.
    MissingAuthenticationToken,
    /// A part of the signature is missing or malformed.
    IncompleteSignature,
    /// The signature is not that of the request, or not of this time.
    InvalidSignature,
    /// The access key is unknown, or the session token is not its own.
    UnrecognizedClient,
    /// The credentials have expired: get new ones.
    ExpiredToken,
}

impl Kind {
    /// The value of `x-amzn-ErrorType`.
    pub fn name(self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::IncompleteSignature => "IncompleteSignatureException",
            Self::InvalidSignature => "InvalidSignatureException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::ExpiredToken => "ExpiredTokenException",
        }
    }
}

/// A request that was not let in. Always 403.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// For programs, and the counter.
    pub kind: Kind,
    /// For people.
    pub message: Cow<'static, str>,
}

impl Refusal {
    fn new(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Nothing was signed.
    pub fn missing() -> Self {
        Self::new(Kind::MissingAuthenticationToken, "Missing Authentication Token")
    }

    pub(super) fn incomplete(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::IncompleteSignature, message)
    }

    pub(super) fn signature(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::InvalidSignature, message)
    }

    pub(super) fn mismatch() -> Self {
        // API Gateway's sentence, which people search for.
        Self::signature(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
        )
    }

    /// The access key is unknown, or the session token is not its own.
    pub fn unrecognized() -> Self {
        Self::new(Kind::UnrecognizedClient, "The security token included in the request is invalid.")
    }

    /// The credentials were good once.
    pub fn expired() -> Self {
        Self::new(Kind::ExpiredToken, "The security token included in the request is expired")
    }
}
