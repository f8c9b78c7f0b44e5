//! The two protocols of the GameLift API: AWS JSON 1.1 and Smithy RPC v2 CBOR.

use serde::{Serialize, de::DeserializeOwned};

use crate::{ApiError, ErrorKind};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Json,
    Cbor,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    #[serde(rename = "__type")]
    kind: &'a str,
    /// The modelled member has a capital letter; boto3 and the Rust SDK both look for it.
    #[serde(rename = "Message")]
    message: &'a str,
}

impl Codec {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/x-amz-json-1.1",
            Self::Cbor => "application/cbor",
        }
    }

    /// Reads an operation's input. An empty body is an empty input.
    pub(super) fn decode<T: DeserializeOwned>(self, body: &[u8]) -> Result<T, ApiError> {
        match self {
            Self::Json => {
                let text = std::str::from_utf8(body)
                    .map_err(|_| malformed("The request body is not UTF-8"))?
                    .trim_ascii();
                let text = if text.is_empty() { "{}" } else { text };
                // Arrays would be read as structs, member by member.
                if !text.starts_with('{') {
                    return Err(malformed("The request body is not a JSON object"));
                }
                serde_json::from_str(text)
                    .map_err(|error| malformed(format!("The request body cannot be read: {error}")))
            }
            Self::Cbor => {
                let mut rest = if body.is_empty() { &[0xa0][..] } else { body };
                // Major type 5 is a map (RFC 8949, section 3.1).
                if rest.first().is_none_or(|byte| byte >> 5 != 5) {
                    return Err(malformed("The request body is not a CBOR map"));
                }
                let input = ciborium::from_reader(&mut rest)
                    .map_err(|error| malformed(format!("The request body cannot be read: {error}")))?;
                if !rest.is_empty() {
                    return Err(malformed("The request body goes on behind its CBOR map"));
                }
                Ok(input)
            }
        }
    }

    pub(super) fn encode<T: Serialize>(self, output: &T) -> Result<Vec<u8>, ApiError> {
        let failed = |error: String| ApiError::new(ErrorKind::InternalService, error);
        match self {
            Self::Json => serde_json::to_vec(output).map_err(|error| failed(error.to_string())),
            Self::Cbor => {
                let mut body = Vec::new();
                ciborium::into_writer(output, &mut body).map_err(|error| failed(error.to_string()))?;
                Ok(body)
            }
        }
    }

    pub(super) fn encode_error(self, error: &ApiError) -> Vec<u8> {
        let name = error.kind.name();
        let kind = match self {
            Self::Json => name.to_owned(),
            // Smithy RPC v2 CBOR asks for the absolute shape id.
            Self::Cbor => format!("com.amazonaws.gamelift#{name}"),
        };
        self.encode(&ErrorBody { kind: &kind, message: &error.message }).unwrap_or_default()
    }
}

fn malformed(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::Serialization, message)
}
