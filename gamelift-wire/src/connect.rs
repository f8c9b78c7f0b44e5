//! The query of the upgrade request: who connects, and by what right.
//!
//! | key | value |
//! |---|---|
//! | `Authorization` | the auth token, or the literal `SigV4` |
//! | `ComputeId` | the host id (container fleets: the task id) |
//! | `FleetId` | the fleet |
//! | `IdempotencyToken` | the same for all automatic reconnects, new for a new start and for a refresh |
//! | `X-Amz-*` | SigV4 only |
//! | `pID` | the process id; the lower-case `p` is real |
//! | `sdkLanguage`, `sdkVersion` | `Rust`, `5.6.0` |
//!
//! Written in this order (byte order, as Go and C++ do) and percent-encoded by RFC 3986. Read in any order and any
//! encoding: Go encodes form-style, C++ and C# not at all. A raw `+` reads as a plus: C++ sends tokens raw, and Go
//! encodes a real plus; a space occurs in neither.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::ids::AuthToken;

/// RFC 3986's unreserved characters stay as they are.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Percent-encodes one value by RFC 3986, for the query and for the string that SigV4 signs.
pub fn encode(value: &str) -> String {
    utf8_percent_encode(value, ENCODED).to_string()
}

/// Who connects, and by what right. Prints without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectQuery {
    /// By what right.
    pub authorization: Authorization,
    /// The host.
    pub compute_id: String,
    /// The fleet.
    pub fleet_id: String,
    /// Tells a reconnect from a new start.
    pub idempotency_token: String,
    /// The process; unique among all executions on a compute.
    pub process_id: String,
    /// `Go`, `Cpp`, `CSharp`, `Rust`.
    pub sdk_language: String,
    /// `5.6.0` and the like.
    pub sdk_version: String,
}

/// By what right a process connects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Authorization {
    /// None at all: what the official SDKs send after a refresh without a token.
    None,
    /// A compute's auth token.
    Token(AuthToken),
    /// A signature.
    SigV4(SigV4),
}

/// The parameters of a signature.
#[derive(Clone, PartialEq, Eq)]
pub struct SigV4 {
    /// `<access key>/<date>/<region>/gamelift/aws4_request`.
    pub credential: String,
    /// When it was signed, `YYYYMMDDTHHMMSSZ`.
    pub date: String,
    /// The signature in hexadecimal.
    pub signature: String,
    /// The session token of temporary credentials. Not signed.
    pub security_token: Option<String>,
}

impl fmt::Debug for SigV4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigV4").field("date", &self.date).finish_non_exhaustive()
    }
}

/// The only algorithm there is.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Why an upgrade query was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// A key that must be there is missing or empty.
    #[error("query parameter `{key}` is missing or empty")]
    Missing {
        /// The key.
        key: &'static str,
    },
}

impl ConnectQuery {
    /// The query, without the question mark. Holds a secret: do not log it.
    pub fn to_query(&self) -> String {
        let mut pairs: Vec<(&str, &str)> = Vec::with_capacity(12);
        match &self.authorization {
            Authorization::None => {}
            Authorization::Token(token) => pairs.push(("Authorization", token.as_str())),
            Authorization::SigV4(_) => pairs.push(("Authorization", "SigV4")),
        }
        pairs.push(("ComputeId", &self.compute_id));
        pairs.push(("FleetId", &self.fleet_id));
        pairs.push(("IdempotencyToken", &self.idempotency_token));
        if let Authorization::SigV4(sig) = &self.authorization {
            pairs.push(("X-Amz-Algorithm", ALGORITHM));
            pairs.push(("X-Amz-Credential", &sig.credential));
            pairs.push(("X-Amz-Date", &sig.date));
            if let Some(token) = &sig.security_token {
                pairs.push(("X-Amz-Security-Token", token));
            }
            pairs.push(("X-Amz-Signature", &sig.signature));
        }
        pairs.push(("pID", &self.process_id));
        pairs.push(("sdkLanguage", &self.sdk_language));
        pairs.push(("sdkVersion", &self.sdk_version));
        let encoded: Vec<String> =
            pairs.iter().map(|(key, value)| format!("{key}={}", encode(value))).collect();
        encoded.join("&")
    }

    /// Reads a query as any of the official SDKs writes it, without the question mark.
    ///
    /// Unknown keys are ignored, of a repeated key the last counts.
    ///
    /// # Errors
    /// [`QueryError::Missing`] names the first of `pID`, `ComputeId` and `FleetId` that is not there. A missing
    /// `Authorization` is no error here: it is [`Authorization::None`], for the service to refuse.
    pub fn parse(query: &str) -> Result<Self, QueryError> {
        let get = |wanted: &str| {
            pairs(query)
                .filter(|(key, _)| *key == wanted)
                .last()
                .map(|(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned())
                .filter(|value| !value.is_empty())
        };
        let need = |key: &'static str| get(key).ok_or(QueryError::Missing { key });
        let authorization = match get("Authorization") {
            None => Authorization::None,
            Some(word) if word == "SigV4" => Authorization::SigV4(SigV4 {
                credential: get("X-Amz-Credential").unwrap_or_default(),
                date: get("X-Amz-Date").unwrap_or_default(),
                signature: get("X-Amz-Signature").unwrap_or_default(),
                security_token: get("X-Amz-Security-Token"),
            }),
            Some(token) => Authorization::Token(AuthToken::new_unchecked(token)),
        };
        Ok(Self {
            authorization,
            process_id: need("pID")?,
            compute_id: need("ComputeId")?,
            fleet_id: need("FleetId")?,
            idempotency_token: get("IdempotencyToken").unwrap_or_default(),
            sdk_language: get("sdkLanguage").unwrap_or_default(),
            sdk_version: get("sdkVersion").unwrap_or_default(),
        })
    }
}

/// C++ SDK 5.4.0 appends `/?` to a base URL that has a query already, so that `x=1/?Authorization=..` arrives.
fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split("/?").flat_map(|part| part.split('&')).filter_map(|pair| pair.split_once('='))
}
