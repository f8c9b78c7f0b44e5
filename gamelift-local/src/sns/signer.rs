//! Signatures over messages, so that whoever verifies them on AWS can do so here.

use std::{str::FromStr, sync::Arc};

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256};
use rsa::{Pkcs1v15Sign, RsaPrivateKey, pkcs8::EncodePrivateKey, rand_core::OsRng};
use rustls::{
    SignatureScheme,
    crypto::ring::sign::any_supported_type,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::SigningKey,
};
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

/// Size of SNS's own keys. Larger ones take seconds to make.
const KEY_BITS: usize = 2048;
/// The name in SNS's own certificates, which some verifiers look at.
const COMMON_NAME: &str = "sns.amazonaws.com";

/// How messages of a subscription are signed. SNS signs with version 1 unless the topic says otherwise (SNS developer
/// guide, "Verifying the signatures of Amazon SNS messages").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SignatureVersion {
    /// SHA1withRSA.
    #[default]
    #[serde(rename = "1")]
    Sha1,
    /// SHA256withRSA.
    #[serde(rename = "2")]
    Sha256,
}

impl SignatureVersion {
    /// As messages name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "1",
            Self::Sha256 => "2",
        }
    }
}

/// Not a version of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature version must be 1 (SHA1withRSA) or 2 (SHA256withRSA)")]
pub struct UnknownSignatureVersion;

impl FromStr for SignatureVersion {
    type Err = UnknownSignatureVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "1" => Ok(Self::Sha1),
            "2" => Ok(Self::Sha256),
            _ => Err(UnknownSignatureVersion),
        }
    }
}

/// A key is not to be made, or does not sign.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignError {
    #[error("cannot make or use an RSA key: {0}")]
    Key(#[from] rsa::Error),
    #[error("cannot encode an RSA key: {0}")]
    Encode(#[from] rsa::pkcs8::Error),
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("cannot sign with SHA-256: {0}")]
    Sha256(#[from] rustls::Error),
}

/// A key of its own for each run: nothing is signed that anybody outside this machine should believe.
pub(super) struct Signer {
    key: RsaPrivateKey,
    /// The same key for SHA-256, where ring is much faster.
    ring: Arc<dyn SigningKey>,
    /// Goes with the key, as PEM.
    pub(super) certificate: String,
}

impl Signer {
    /// Makes a key, which takes a moment.
    pub(super) fn generate() -> Result<Self, SignError> {
        let key = RsaPrivateKey::new(&mut OsRng, KEY_BITS)?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_pkcs8_der()?.as_bytes().to_vec()));
        let ring = any_supported_type(&der)?;
        let pair = KeyPair::from_der_and_sign_algo(&der, &PKCS_RSA_SHA256)?;
        let mut parameters = CertificateParams::new(vec![COMMON_NAME.to_owned()])?;
        parameters.distinguished_name.push(DnType::CommonName, COMMON_NAME);
        let certificate = parameters.self_signed(&pair)?.pem();
        Ok(Self { key, ring, certificate })
    }

    pub(super) fn sign(&self, version: SignatureVersion, text: &str) -> Result<Vec<u8>, SignError> {
        match version {
            SignatureVersion::Sha1 => {
                Ok(self.key.sign(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(text.as_bytes()))?)
            }
            SignatureVersion::Sha256 => {
                let signer = self.ring.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]);
                let signer =
                    signer.ok_or_else(|| rustls::Error::General("the key is not an RSA key".to_owned()))?;
                Ok(signer.sign(text.as_bytes())?)
            }
        }
    }
}
