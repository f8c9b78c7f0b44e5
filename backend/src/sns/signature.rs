//! Whether a message was signed by SNS.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use x509_parser::pem::parse_x509_pem;
use x509_parser::public_key::PublicKey;

use super::envelope::Envelope;
use super::verify::Refused;

/// The public key of whoever signs.
#[derive(Clone, Debug)]
pub struct Signer(Vec<u8>);

/// A certificate that says nothing to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no PEM certificate of an RSA key")]
pub struct NoCertificate;

impl Signer {
    /// The key in a certificate. Its time is not looked at: it is trusted by where it comes from.
    ///
    /// # Errors
    ///
    /// [`NoCertificate`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, NoCertificate> {
        let (_, pem) = parse_x509_pem(pem).map_err(|_| NoCertificate)?;
        let certificate = pem.parse_x509().map_err(|_| NoCertificate)?;
        let key = certificate.public_key();
        match key.parsed() {
            Ok(PublicKey::RSA(_)) => Ok(Self(key.subject_public_key.data.to_vec())),
            _ => Err(NoCertificate),
        }
    }

    /// Whether a message was signed by the owner of this key. [`check`](super::verify::check) has to have taken it before.
    ///
    /// # Errors
    ///
    /// [`Refused::Signature`].
    pub fn verify(&self, envelope: &Envelope) -> Result<(), Refused> {
        let signature = BASE64_STANDARD.decode(&envelope.signature).map_err(|_| Refused::Signature)?;
        let text = envelope.to_be_signed();
        let algorithm = if envelope.signature_version == "1" {
            &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY
        } else {
            &RSA_PKCS1_2048_8192_SHA256
        };
        let key = UnparsedPublicKey::new(algorithm, &self.0);
        key.verify(text.as_bytes(), &signature).map_err(|_| Refused::Signature)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

    use super::*;

    /// Made for these tests.
    pub(in crate::sns) const CERTIFICATE: &str = include_str!("signature/certificate.pem");
    const KEY: &[u8] = include_bytes!("signature/key.der");

    /// Signs as SNS does, with version 2.
    pub(in crate::sns) fn sign(envelope: &mut serde_json::Value) {
        envelope["SignatureVersion"] = "2".into();
        envelope["Signature"] = "".into();
        let text = serde_json::from_value::<Envelope>(envelope.clone()).unwrap().to_be_signed();
        let key = RsaKeyPair::from_pkcs8(KEY).unwrap();
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        envelope["Signature"] = BASE64_STANDARD.encode(signature).into();
    }

    fn notification() -> serde_json::Value {
        serde_json::json!({
            "Type": "Notification", "MessageId": "m", "TopicArn": "t", "Message": "{}",
            "Timestamp": "2026-01-01T00:00:00.000Z", "SignatureVersion": "2", "Signature": "", "SigningCertURL": "u",
        })
    }

    fn verify(envelope: &serde_json::Value) -> Result<(), Refused> {
        let signer = Signer::from_pem(CERTIFICATE.as_bytes()).unwrap();
        signer.verify(&serde_json::from_value(envelope.clone()).unwrap())
    }

    #[test]
    fn a_message_is_taken_as_it_was_signed_and_not_otherwise() {
        let mut envelope = notification();
        sign(&mut envelope);
        assert_eq!(verify(&envelope), Ok(()));
        for (name, value) in [
            ("Message", "{ }"),
            ("MessageId", "n"),
            ("TopicArn", "u"),
            ("Timestamp", "2026-01-02T00:00:00.000Z"),
            ("Subject", "s"),
            ("Type", "UnsubscribeConfirmation"),
            ("SignatureVersion", "1"),
            ("Signature", ""),
            ("Signature", "not base 64"),
        ] {
            let mut changed = envelope.clone();
            changed[name] = value.into();
            assert_eq!(verify(&changed), Err(Refused::Signature), "{name}");
        }
    }

    #[test]
    fn version_1_is_sha_1() {
        let mut envelope = notification();
        envelope["SignatureVersion"] = "1".into();
        // ring signs nothing with SHA-1: `openssl dgst -sha1 -sign`.
        envelope["Signature"] = include_str!("signature/version-1.txt").trim().into();
        assert_eq!(verify(&envelope), Ok(()));
        envelope["SignatureVersion"] = "2".into();
        assert_eq!(verify(&envelope), Err(Refused::Signature));
    }

    #[test]
    fn what_is_no_rsa_certificate_is_not_taken_for_one() {
        for text in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "nonsense"] {
            assert!(Signer::from_pem(text.as_bytes()).is_err(), "{text}");
        }
    }
}
