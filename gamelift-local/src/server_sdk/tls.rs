//! TLS for the `wss` listener: a certificate made at start, TLS 1.2 and 1.3.
//!
//! The official C++ and C# SDKs speak TLS 1.2 only. C++ does not verify the certificate at all; whoever does
//! verify needs [`Certificate::pem`] among their roots.

use std::sync::Arc;

use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer, version};
use tokio_rustls::TlsAcceptor;

/// A certificate for this machine, and its key.
pub(crate) struct Certificate {
    pub(crate) pem: String,
    pub(crate) acceptor: TlsAcceptor,
}

/// The certificate could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// Making the key or the certificate failed.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS does not want it.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl Certificate {
    pub(crate) fn generate() -> Result<Self, TlsError> {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names)?;
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])?
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)?;
        Ok(Self { pem: made.cert.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}
