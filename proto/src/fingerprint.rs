//! A game server's certificate, named by its hash.

use std::fmt;
use std::str::FromStr;

/// The SHA-256 of a server's leaf certificate (its DER encoding).
///
/// GameLift has no field for a server's certificate. All servers of a fleet share one, and whoever hands out the
/// address (the backend) hands out this along with it. It is not a secret.
///
/// Prints as 64 lower-case hexadecimal digits; parses those, in either case, also with colons as OpenSSL prints them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

/// Why a text is no fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is the SHA-256 of a certificate, 64 hexadecimal digits; {text:?} is not")]
pub struct InvalidFingerprint {
    text: String,
}

impl Fingerprint {
    /// Takes the hash itself.
    #[must_use]
    pub const fn from_sha256(hash: [u8; 32]) -> Self {
        Self(hash)
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let mut hash = [0; 32];
        match hex::decode_to_slice(text.replace(':', ""), &mut hash) {
            Ok(()) => Ok(Self(hash)),
            Err(_) => Err(InvalidFingerprint { text: text.chars().take(100).collect() }),
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_survives_printing_and_reads_openssl_style() {
        let fingerprint = Fingerprint::from_sha256([0xab; 32]);
        assert_eq!(fingerprint.to_string(), "ab".repeat(32));
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        assert_eq!(["AB"; 32].join(":").parse(), Ok(fingerprint));
    }

    #[test]
    fn other_lengths_and_letters_are_not_fingerprints() {
        for text in ["", "ab", &"ab".repeat(33), &"xy".repeat(32)] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }
}
