//! Verifies Signature Version 4, as API Gateway does for `AWS_IAM` (service `execute-api`): in the `Authorization` header, or
//! in the query of a presigned URL.
//!
//! Where the signers of the AWS SDKs agree on one form, anything else is refused, so that no two readings of a request share
//! a signature: repeated parameters, a raw `+`, paths with `.`, `..` or `//`.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod canonical;
mod credential;
mod refusal;

use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, header};
use ring::hmac;
use subtle::ConstantTimeEq as _;

pub use refusal::Refusal;

use canonical::Query;
use credential::{Authorization, Credential};

/// The only algorithm. (The asymmetric variant is for requests to several Regions.)
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What API Gateway calls itself in signatures.
const SERVICE: &str = "execute-api";

/// How far a signer's clock may be off (AWS, "Signature Version 4": requests must arrive within five minutes).
pub const SKEW_MAX: Duration = Duration::from_secs(5 * 60);
/// The longest life of a presigned URL. AWS allows a week; ours open a WebSocket at once, and a URL ends up in logs.
pub const PRESIGNED_MAX: Duration = Duration::from_secs(5 * 60);

/// A request as it came, before anything has normalized it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `GET`.
    pub method: &'a str,
    /// The path as sent, still percent-encoded.
    pub path: &'a str,
    /// The query as sent, without `?`.
    pub query: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The host by HTTP/2's `:authority`, which takes the place of the header.
    pub authority: Option<&'a str>,
    /// The whole body.
    pub body: &'a [u8],
}

/// What an access key stands for.
#[derive(Clone)]
pub struct Granted<T> {
    /// The secret that it signs with.
    pub secret_key: String,
    /// Whose it is.
    pub owner: T,
}

/// Returns the owner of the access key that signed the request.
///
/// `keys` gets the access key and the session token; whether the token belongs to the key, and whether both are still good, is
/// for it to say.
///
/// # Errors
///
/// [`Refusal`], for which the request must be answered with its [`Refusal::kind`] and nothing be done.
pub fn verify<T>(
    request: Request<'_>,
    region: &str,
    now: SystemTime,
    keys: impl FnOnce(&str, Option<&str>) -> Result<Granted<T>, Refusal>,
) -> Result<T, Refusal> {
    verify_as(request, Terms { region, service: SERVICE, presigned_max: PRESIGNED_MAX }, now, keys)
}

/// What a signature must be for. AWS's published vectors are for a service of another name, and last longer.
#[derive(Clone, Copy, Debug)]
struct Terms<'a> {
    region: &'a str,
    service: &'a str,
    presigned_max: Duration,
}

fn verify_as<T>(
    request: Request<'_>,
    terms: Terms<'_>,
    now: SystemTime,
    keys: impl FnOnce(&str, Option<&str>) -> Result<Granted<T>, Refusal>,
) -> Result<T, Refusal> {
    let query = Query::parse(request.query)?;
    let authorization = Authorization::find(request.headers, &query, terms.presigned_max)?;
    let time = credential::parse_time(&authorization.time)?;
    check_time(time, authorization.expires, now)?;
    let scope = authorization.credential.check(&authorization.time, terms)?;

    let path = canonical::path(request.path)?;
    let signed = &authorization.signed_headers;
    let headers = canonical::headers(request.headers, request.authority, signed)?;
    let payload = payload_hash(request, &query)?;
    let canonical = format!(
        "{}\n{path}\n{}\n{headers}\n{}\n{payload}",
        request.method,
        query.canonical(),
        signed.join(";")
    );
    let granted = keys(&authorization.credential.access_key, authorization.session_token.as_deref())?;
    let to_sign = format!("{ALGORITHM}\n{}\n{scope}\n{}", authorization.time, sha256(canonical.as_bytes()));
    let expected = hex::encode(sign(&granted.secret_key, &authorization.credential, &to_sign));
    if bool::from(expected.as_bytes().ct_eq(authorization.signature.as_bytes())) {
        Ok(granted.owner)
    } else {
        Err(Refusal::mismatch())
    }
}

fn check_time(time: SystemTime, expires: Option<Duration>, now: SystemTime) -> Result<(), Refusal> {
    if time > now + SKEW_MAX {
        return Err(Refusal::signature("the signature is not yet current: check this machine's clock"));
    }
    if time + expires.unwrap_or(SKEW_MAX) < now {
        return Err(Refusal::signature(
            "the signature has expired: sign again, and check this machine's clock",
        ));
    }
    Ok(())
}

/// The hash of the body, which a signer that names it (S3's way, and that of the JavaScript SDK) has to have right.
fn payload_hash(request: Request<'_>, query: &Query) -> Result<String, Refusal> {
    let hash = sha256(request.body);
    let in_header = request.headers.get("x-amz-content-sha256").map(|value| value.as_bytes());
    let in_query = query.get("X-Amz-Content-Sha256").map(str::as_bytes);
    for named in [in_header, in_query].into_iter().flatten() {
        if named != hash.as_bytes() {
            return Err(Refusal::signature(
                "x-amz-content-sha256 is not the SHA-256 of the body: unsigned bodies are not taken",
            ));
        }
    }
    Ok(hash)
}

fn sign(secret_key: &str, credential: &Credential, text: &str) -> hmac::Tag {
    let key = |bytes: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, bytes);
    let first = key(format!("AWS4{secret_key}").as_bytes());
    let Credential { date, region, service, .. } = credential;
    let parts = [date.as_str(), region.as_str(), service.as_str(), credential::TERMINATOR];
    let last = parts.iter().fold(first, |derived, part| key(hmac::sign(&derived, part.as_bytes()).as_ref()));
    hmac::sign(&last, text.as_bytes())
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(ring::digest::digest(&ring::digest::SHA256, bytes))
}

/// The one value of a header. Several of one that is signed, or that says how, could be read in two ways.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Refusal::incomplete(format!("the header {name} is there more than once")));
    }
    let text = |value: &'a header::HeaderValue| {
        // Not `HeaderValue::to_str`, which refuses anything beyond ASCII: signers send UTF-8.
        std::str::from_utf8(value.as_bytes())
            .map_err(|_| Refusal::incomplete(format!("the header {name} is not UTF-8")))
    };
    first.map(text).transpose()
}

#[cfg(test)]
mod tests;
