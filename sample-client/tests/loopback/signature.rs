//! Signature Version 4 from the other end, written from its definition ("Create a signed AWS API request" in the IAM user
//! guide) with no help from the crate that signs.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request as it came in.
pub(crate) struct Seen<'a> {
    pub(crate) method: &'a str,
    /// As sent, with the query.
    pub(crate) target: &'a str,
    /// Names in lower case.
    pub(crate) headers: &'a BTreeMap<String, String>,
    pub(crate) body: &'a [u8],
}

/// What a request claims, once its signature is found to be right.
#[derive(Debug, PartialEq)]
pub(crate) struct Verified {
    pub(crate) access_key: String,
    pub(crate) region: String,
    pub(crate) signed_headers: Vec<String>,
    pub(crate) presigned: bool,
}

/// Re-signs it with `secret` and compares.
pub(crate) fn verify(seen: &Seen<'_>, secret: &str, token: &str) -> Result<Verified, String> {
    let (path, query) = seen.target.split_once('?').unwrap_or((seen.target, ""));
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect();
    pairs.sort();
    let parameter = |name: &str| pairs.iter().find(|(it, _)| it == name).map(|(_, value)| value.clone());
    let presigned = parameter("X-Amz-Signature").is_some();
    let (credential, signed_headers, signature, date, shown_token) = if presigned {
        (
            parameter("X-Amz-Credential"),
            parameter("X-Amz-SignedHeaders"),
            parameter("X-Amz-Signature"),
            parameter("X-Amz-Date"),
            parameter("X-Amz-Security-Token"),
        )
    } else {
        let header = seen.headers.get("authorization").ok_or("no Authorization")?;
        let header = header.strip_prefix("AWS4-HMAC-SHA256 ").ok_or("another algorithm")?;
        let part = |name: &str| {
            let mut parts = header.split(',').map(str::trim);
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
        };
        (
            part("Credential"),
            part("SignedHeaders"),
            part("Signature"),
            seen.headers.get("x-amz-date").cloned(),
            seen.headers.get("x-amz-security-token").cloned(),
        )
    };
    let date = date.ok_or("no date")?;
    if shown_token.as_deref() != Some(token) {
        return Err("another session token".to_owned());
    }
    let credential = credential.ok_or("no credential")?;
    let scope: Vec<&str> = credential.split('/').collect();
    let [access_key, day, region, "execute-api", "aws4_request"] = scope[..] else {
        return Err(format!("another scope: {scope:?}"));
    };
    if !date.starts_with(day) {
        return Err("two dates".to_owned());
    }
    let signed_headers = signed_headers.ok_or("no signed headers")?;
    let names: Vec<String> = signed_headers.split(';').map(str::to_owned).collect();
    let mut headers = String::new();
    for name in &names {
        let value = seen.headers.get(name).ok_or(format!("{name} is signed and was not sent"))?;
        headers += &format!("{name}:{}\n", value.trim());
    }
    let query: Vec<String> = pairs
        .iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    // The path is encoded once more than it was sent.
    let path: Vec<String> = path.split('/').map(encode).collect();
    let canonical = format!(
        "{}\n{}\n{}\n{headers}\n{signed_headers}\n{}",
        seen.method,
        path.join("/"),
        query.join("&"),
        hex::encode(Sha256::digest(seen.body))
    );
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{date}\n{day}/{region}/execute-api/aws4_request\n{}",
        hex::encode(Sha256::digest(canonical.as_bytes()))
    );
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [day, region, "execute-api", "aws4_request", &to_sign] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(part.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    if Some(hex::encode(key)) != signature {
        return Err(format!("another signature than that of\n{canonical}"));
    }
    let (access_key, region) = (access_key.to_owned(), region.to_owned());
    Ok(Verified { access_key, region, signed_headers: names, presigned })
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}
