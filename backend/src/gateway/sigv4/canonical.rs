//! The one spelling of a request that is signed (AWS, "Create a signed AWS API request").

use axum::http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Refusal, only};

/// RFC 3986's unreserved characters stay.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// In a path, so does what parts it.
const ENCODED_IN_PATH: &AsciiSet = &ENCODED.remove(b'/');
/// Most parameters of a query. API Gateway takes 10,240 bytes of request line and headers; nobody needs more than these.
const PARAMETERS_MAX: usize = 64;

/// The path, encoded once more than it was sent, as for every service but S3.
///
/// Signers normalize `.`, `..` and `//` in paths before they sign, and servers may or may not: such paths are refused.
pub(super) fn path(sent: &str) -> Result<String, Refusal> {
    if !sent.starts_with('/') {
        return Err(Refusal::signature("the path must begin with a slash"));
    }
    let parts = sent.split('/').count();
    for (index, segment) in sent.split('/').enumerate() {
        let decoded = decode(segment)?;
        let inner = index > 0 && index + 1 < parts;
        if decoded == "." || decoded == ".." || (inner && segment.is_empty()) {
            return Err(Refusal::signature(
                "paths with `.`, `..` or `//` can be read in two ways: send it without",
            ));
        }
    }
    Ok(utf8_percent_encode(sent, ENCODED_IN_PATH).to_string())
}

fn decode(text: &str) -> Result<String, Refusal> {
    let malformed =
        || Refusal::signature("a percent sign must be followed by two hexadecimal digits of UTF-8");
    let bytes = text.as_bytes();
    let whole = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%').all(|(at, _)| {
        bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if !whole {
        return Err(malformed());
    }
    percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| malformed())
}

/// The parameters of a query, decoded, each name once.
#[derive(Debug)]
pub(super) struct Query {
    parameters: Vec<(String, String)>,
}

impl Query {
    pub(super) fn parse(sent: &str) -> Result<Self, Refusal> {
        let mut parameters = Vec::new();
        if sent.is_empty() {
            return Ok(Self { parameters });
        }
        // Some read a plus as a space and some as itself, so its signature would stand for both.
        if sent.contains('+') {
            return Err(Refusal::signature("write a space in a query as %20 and a plus as %2B"));
        }
        for part in sent.split('&') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if name.is_empty() {
                return Err(Refusal::signature("the query has a parameter without a name"));
            }
            if parameters.len() >= PARAMETERS_MAX {
                return Err(Refusal::signature(format!(
                    "the query has more than {PARAMETERS_MAX} parameters"
                )));
            }
            if parameters.iter().any(|(other, _)| *other == name) {
                return Err(Refusal::signature("the query has a parameter more than once"));
            }
            parameters.push((name, value));
        }
        Ok(Self { parameters })
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn canonical(&self) -> String {
        let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        let signed = self.parameters.iter().filter(|(name, _)| name != "X-Amz-Signature");
        let mut pairs: Vec<String> =
            signed.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        // By name; names are there once. The equals sign would sort `a-b` before `a`.
        pairs.sort_by(|left, right| left.split('=').next().cmp(&right.split('=').next()));
        pairs.join("&")
    }
}

/// `name:value\n` of each signed header.
///
/// What steers us has to be among them: `x-amz-*` (AWS demands that, too; only the session token may come later, since it is
/// bound to the key) and `Idempotency-Key`, without which a replayed request would not be harmless.
pub(super) fn headers(
    headers: &HeaderMap,
    authority: Option<&str>,
    signed: &[String],
) -> Result<String, Refusal> {
    for name in headers.keys().map(axum::http::HeaderName::as_str) {
        let must =
            (name.starts_with("x-amz-") && name != "x-amz-security-token") || name == "idempotency-key";
        if must && name != "x-amz-date" && !signed.iter().any(|other| other == name) {
            return Err(Refusal::signature(format!("the header {name} must be signed")));
        }
    }
    let mut lines = String::new();
    for name in signed {
        let value = only(headers, name)?;
        let value = if name == "host" { value.or(authority) } else { value };
        let value = value.ok_or_else(|| {
            Refusal::signature(format!("the header {name:.64} is signed, but the request has none"))
        })?;
        lines.push_str(name);
        lines.push(':');
        lines.push_str(&fold(value));
        lines.push('\n');
    }
    Ok(lines)
}

/// Without spaces around, and one inside where there are several.
fn fold(value: &str) -> String {
    value.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
