//! The signature that stands in for an auth token: Signature Version 4 over a canonical string of three parameters.
//!
//! It is not the usual canonical request of AWS: exactly `ComputeId`, `FleetId` and `pID` are signed, sorted by key,
//! percent-encoded, joined by `&`; no host, method, header or session token (server SDK 5.6.0 for Go, 5.4.0 for C++).
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use gamelift_wire::connect::{SigV4, encode};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
pub(crate) const SERVICE: &str = "gamelift";

/// Who signs, and for which region.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) region: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) session_token: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("region", &self.region).finish_non_exhaustive()
    }
}

impl Keys {
    /// Signs `now`, in UTC (C# SDK 5.5.1 signs local time and calls it UTC).
    pub(crate) fn sign(&self, now: SystemTime, compute_id: &str, fleet_id: &str, process_id: &str) -> SigV4 {
        let canonical = format!(
            "ComputeId={}&FleetId={}&pID={}",
            encode(compute_id),
            encode(fleet_id),
            encode(process_id)
        );
        self.sign_canonical(now, &canonical)
    }

    fn sign_canonical(&self, now: SystemTime, canonical: &str) -> SigV4 {
        let time = amz_date(now);
        let (date, region) = (&time[..8], &self.region);
        let scope = format!("{date}/{region}/{SERVICE}/aws4_request");
        let hash = hex::encode(Sha256::digest(canonical.as_bytes()));
        let string_to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{hash}");
        SigV4 {
            credential: format!("{}/{scope}", self.access_key),
            signature: signature(&self.secret_key, date, region, &string_to_sign),
            security_token: self.session_token.clone(),
            date: time,
        }
    }
}

/// The last step, the same for every kind of Signature Version 4: the key chain, then the signature in hexadecimal.
pub(crate) fn signature(secret_key: &str, date: &str, region: &str, string_to_sign: &str) -> String {
    let secret = format!("AWS4{secret_key}");
    let key = [date, region, SERVICE, "aws4_request"]
        .iter()
        .fold(secret.into_bytes(), |key, part| hmac(&key, part.as_bytes()));
    hex::encode(hmac(&key, string_to_sign.as_bytes()))
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// `YYYYMMDDTHHMMSSZ`. Days to a date by Howard Hinnant's `civil_from_days`; moments before 1970 read as 1970.
pub(crate) fn amz_date(now: SystemTime) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
    let z = days + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second_of_day / 3_600, second_of_day / 60 % 60, second_of_day % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn keys() -> Keys {
        Keys {
            region: "us-east-1".into(),
            access_key: "testAccessKey".into(),
            secret_key: "testSecretKey".into(),
            session_token: None,
        }
    }

    #[test]
    fn signatures_are_those_of_the_official_sdks_unit_tests() {
        let sign = |seconds| keys().sign_canonical(at(seconds), "param1=value1&param2=value2");
        let go = sign(1_722_852_000);
        assert_eq!(go.date, "20240805T100000Z");
        assert_eq!(go.credential, "testAccessKey/20240805/us-east-1/gamelift/aws4_request");
        assert_eq!(go.signature, "2601fe291f4b43a63f6ffb0e1d9085a1edbaa2a866c96511e153af3408bfe771");
        let cpp = sign(1_722_848_400);
        assert_eq!(cpp.signature, "acd5225ad5491af728fae9e3fc93dab103bd757ff174580f6520103471595f5e");
    }

    /// Every vector: the official SDKs' unit tests and what they put on the wire, recomputed by an independent
    /// implementation.
    #[test]
    fn every_recorded_signature_comes_out_the_same() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../tests/fixtures/sigv4_vectors.json")).unwrap();
        let mut checked = 0;
        for vector in vectors.as_array().unwrap() {
            let text = |key: &str| vector[key].as_str().unwrap().to_owned();
            let keys = Keys {
                region: text("region"),
                access_key: text("accessKey"),
                secret_key: text("secretKey"),
                session_token: vector["sessionToken"].as_str().map(str::to_owned),
            };
            let now = at(vector["epochSeconds"].as_u64().unwrap());
            let signed = keys.sign_canonical(now, &text("canonical"));
            let source = &vector["source"];
            assert_eq!(
                (signed.date.as_str(), signed.signature.as_str()),
                (text("amzDate").as_str(), text("signature").as_str()),
                "{source}"
            );
            let params = &vector["params"];
            // Go encodes a space as `+`, C++ as `%20`; the process id may hold none here, so both are the same.
            if let (Some(compute), Some(fleet), Some(process)) =
                (params["ComputeId"].as_str(), params["FleetId"].as_str(), params["pID"].as_str())
                && !process.contains(' ')
            {
                assert_eq!(keys.sign(now, compute, fleet, process), signed, "{source}");
                checked += 1;
            }
        }
        assert_eq!((vectors.as_array().unwrap().len(), checked), (13, 10));
    }

    #[test]
    fn the_same_process_signs_anew_at_another_moment() {
        let sign = |seconds| keys().sign(at(seconds), "host-1", "fleet-1", "proc-1");
        let (first, second) = (sign(1_722_852_000), sign(1_722_852_001));
        assert_ne!(first.signature, second.signature);
        assert_eq!(second.date, "20240805T100001Z");
    }

    #[test]
    fn dates_are_right_around_leap_days_and_the_turn_of_the_year() {
        assert_eq!(amz_date(at(0)), "19700101T000000Z");
        assert_eq!(amz_date(at(951_782_399)), "20000228T235959Z");
        assert_eq!(amz_date(at(951_782_400)), "20000229T000000Z");
        assert_eq!(amz_date(at(1_709_251_200)), "20240301T000000Z");
        assert_eq!(amz_date(at(1_735_689_599)), "20241231T235959Z");
        assert_eq!(amz_date(at(4_102_444_800)), "21000101T000000Z");
    }

    #[test]
    fn keys_do_not_print_their_secrets() {
        let printed = format!("{:?}", keys());
        assert!(!printed.contains("testSecretKey") && !printed.contains("testAccessKey"), "{printed}");
    }
}
