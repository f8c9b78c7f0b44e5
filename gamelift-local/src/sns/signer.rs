//! Signatures over messages, so that whoever verifies them on AWS can do so here.

use std::sync::Arc;

use rustls::{
    Error, SignatureScheme, crypto::ring::sign::any_supported_type, pki_types::PrivateKeyDer,
    sign::SigningKey,
};

/// Everybody can read this key, so a signature shows that verifying works, and nothing else. Making one at start
/// would need a crate that generates RSA keys; the only one of weight has an open advisory (RUSTSEC-2023-0071).
const KEY: &[u8] = include_bytes!("signing-key.der");
/// Goes with the key.
pub(super) const CERTIFICATE: &str = include_str!("signing-certificate.pem");
/// SHA256withRSA. Version 1, SHA1withRSA, is not offered: nothing in the tree signs with SHA-1.
pub(super) const VERSION: &str = "2";

#[derive(Clone)]
pub(super) struct Signer {
    key: Arc<dyn SigningKey>,
}

impl Signer {
    pub(super) fn new() -> Result<Self, Error> {
        let key = any_supported_type(&PrivateKeyDer::Pkcs8(KEY.into()))?;
        Ok(Self { key })
    }

    pub(super) fn sign(&self, text: &str) -> Result<Vec<u8>, Error> {
        let signer = self.key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]);
        let signer = signer.ok_or_else(|| Error::General("the key is not an RSA key".to_owned()))?;
        signer.sign(text.as_bytes())
    }
}
