//! What the signer says of the signature.

use std::time::{Duration, SystemTime};

use axum::http::HeaderMap;
use time::{Date, Month, Time};

use super::{ALGORITHM, Refusal, Terms, canonical::Query, only};

/// The last part of every scope.
pub(super) const TERMINATOR: &str = "aws4_request";
/// Most headers that may be signed. Ours sign five; each costs a look-up.
const SIGNED_HEADERS_MAX: usize = 64;

/// `AKIA.../20260101/us-west-2/execute-api/aws4_request`.
#[derive(Debug)]
pub(super) struct Credential {
    pub(super) access_key: String,
    pub(super) date: String,
    pub(super) region: String,
    pub(super) service: String,
    terminator: String,
}

impl Credential {
    fn parse(text: &str) -> Result<Self, Refusal> {
        let parts: Vec<&str> = text.split('/').collect();
        let [access_key, date, region, service, terminator] = parts[..] else {
            return Err(Refusal::incomplete("Credential must be KEY/DATE/REGION/execute-api/aws4_request"));
        };
        let own = |part: &str| part.to_owned();
        let (access_key, date, region) = (own(access_key), own(date), own(region));
        Ok(Self { access_key, date, region, service: own(service), terminator: own(terminator) })
    }

    /// The scope, if it is ours.
    pub(super) fn check(&self, time: &str, terms: Terms<'_>) -> Result<String, Refusal> {
        let Terms { region, service, .. } = terms;
        if self.terminator != TERMINATOR {
            return Err(Refusal::signature(
                "Credential should be scoped with a valid terminator: 'aws4_request'.",
            ));
        }
        if self.service != service {
            return Err(Refusal::signature(format!(
                "Credential should be scoped to correct service: '{service}'."
            )));
        }
        if self.region != region {
            return Err(Refusal::signature(format!(
                "Credential should be scoped to a valid region: '{region}'."
            )));
        }
        if !time.starts_with(&self.date) || self.date.len() != 8 {
            return Err(Refusal::signature("Date in Credential scope does not match that of X-Amz-Date"));
        }
        Ok(format!("{}/{region}/{service}/{TERMINATOR}", self.date))
    }
}

/// All that the signer says.
#[derive(Debug)]
pub(super) struct Authorization {
    pub(super) credential: Credential,
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: String,
    /// `20260101T000000Z`.
    pub(super) time: String,
    pub(super) session_token: Option<String>,
    /// Only of a presigned URL.
    pub(super) expires: Option<Duration>,
}

impl Authorization {
    pub(super) fn find(headers: &HeaderMap, query: &Query, presigned_max: Duration) -> Result<Self, Refusal> {
        let header = only(headers, "authorization")?;
        let presigned = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"];
        let presigned = presigned.iter().any(|name| query.get(name).is_some());
        match (header, presigned) {
            (None, false) => Err(Refusal::missing()),
            (Some(_), true) => {
                Err(Refusal::incomplete("sign in the Authorization header or in the query, not in both"))
            }
            (Some(header), false) => Self::from_header(header, headers),
            (None, true) => Self::from_query(query, presigned_max),
        }
    }

    fn from_header(header: &str, headers: &HeaderMap) -> Result<Self, Refusal> {
        let Some(rest) = header.strip_prefix(ALGORITHM).and_then(|rest| rest.strip_prefix(' ')) else {
            // A bearer token, say: for API Gateway that is no authentication at all.
            return Err(Refusal::missing());
        };
        let (mut credential, mut signed, mut signature) = (None, None, None);
        for part in rest.split(',') {
            let (name, value) = part
                .trim()
                .split_once('=')
                .ok_or_else(|| Refusal::incomplete("the Authorization header must be NAME=VALUE, ..."))?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed,
                "Signature" => &mut signature,
                _ => return Err(Refusal::incomplete("the Authorization header has a part that is unknown")),
            };
            if place.replace(value).is_some() {
                return Err(Refusal::incomplete(format!(
                    "the Authorization header has {name} more than once"
                )));
            }
        }
        let need = |part: Option<&str>, name| {
            part.map(str::to_owned).ok_or_else(|| {
                Refusal::incomplete(format!("Authorization header requires '{name}' parameter."))
            })
        };
        let time = need(only(headers, "x-amz-date")?, "X-Amz-Date")?;
        Ok(Self {
            credential: Credential::parse(&need(credential, "Credential")?)?,
            signed_headers: signed_headers(&need(signed, "SignedHeaders")?)?,
            signature: need(signature, "Signature")?,
            time,
            session_token: only(headers, "x-amz-security-token")?.map(str::to_owned),
            expires: None,
        })
    }

    fn from_query(query: &Query, longest: Duration) -> Result<Self, Refusal> {
        let need = |name: &str| {
            query
                .get(name)
                .map(str::to_owned)
                .ok_or_else(|| Refusal::incomplete(format!("the presigned URL has no {name}")))
        };
        if need("X-Amz-Algorithm")? != ALGORITHM {
            return Err(Refusal::incomplete("X-Amz-Algorithm must be AWS4-HMAC-SHA256"));
        }
        let longest = longest.as_secs();
        let expires = need("X-Amz-Expires")?;
        // Digits alone: `+60` parses, too.
        let digits = expires.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = expires.parse().ok().filter(|seconds| digits && (1..=longest).contains(seconds));
        let seconds = seconds.ok_or_else(|| {
            Refusal::signature(format!("X-Amz-Expires is {expires:.9}; it must be 1 to {longest} seconds"))
        })?;
        Ok(Self {
            credential: Credential::parse(&need("X-Amz-Credential")?)?,
            signed_headers: signed_headers(&need("X-Amz-SignedHeaders")?)?,
            signature: need("X-Amz-Signature")?,
            time: need("X-Amz-Date")?,
            session_token: query.get("X-Amz-Security-Token").map(str::to_owned),
            expires: Some(Duration::from_secs(seconds)),
        })
    }
}

fn signed_headers(text: &str) -> Result<Vec<String>, Refusal> {
    let names: Vec<String> = text.split(';').map(str::to_owned).collect();
    let sorted = names.windows(2).all(|pair| pair[0] < pair[1]);
    let lower =
        names.iter().all(|name| !name.is_empty() && !name.bytes().any(|byte| byte.is_ascii_uppercase()));
    if names.len() > SIGNED_HEADERS_MAX || !sorted || !lower {
        return Err(Refusal::incomplete(format!(
            "SignedHeaders must be at most {SIGNED_HEADERS_MAX} names in lower case, sorted, each once"
        )));
    }
    if !names.iter().any(|name| name == "host") {
        return Err(Refusal::signature("'Host' must be a 'SignedHeader' in the AWS Authorization."));
    }
    Ok(names)
}

/// Reads `20260101T000000Z`.
pub(super) fn parse_time(text: &str) -> Result<SystemTime, Refusal> {
    let wrong = || Refusal::incomplete("X-Amz-Date must be YYYYMMDDTHHMMSSZ, in UTC");
    let bytes = text.as_bytes();
    let digits = |at: usize| at != 8 && at != 15;
    let shaped = bytes.len() == 16
        && bytes[8] == b'T'
        && bytes[15] == b'Z'
        && (0..16).filter(|at| digits(*at)).all(|at| bytes[at].is_ascii_digit());
    if !shaped {
        return Err(wrong());
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u16>().map_err(|_| wrong());
    let small = |from| number(from, from + 2).map(|number| u8::try_from(number).unwrap_or(u8::MAX));
    let month = Month::try_from(small(4)?).map_err(|_| wrong())?;
    let date = Date::from_calendar_date(i32::from(number(0, 4)?), month, small(6)?).map_err(|_| wrong())?;
    let time = Time::from_hms(small(9)?, small(11)?, small(13)?).map_err(|_| wrong())?;
    let seconds = date.with_time(time).assume_utc().unix_timestamp();
    let since = u64::try_from(seconds).map_err(|_| wrong())?;
    Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(since))
}
