//! How the client knows that the server is the one it was sent to.
//!
//! There is no third way, and no way to skip it: a player session id is good for whoever holds it, so it is only
//! ever sent to a server that has proved who it is.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use game_proto::{ALPN, Fingerprint};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::{cipher_suite, default_provider};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};

/// What to verify the server's certificate by.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Its SHA-256, as the backend handed it out along with the address.
    Fingerprint(Fingerprint),
    /// The DNS name it must be for, issued by an authority that this machine trusts.
    DnsName {
        /// The name.
        name: String,
        /// A PEM file with authorities to trust besides the system's.
        extra_roots: Option<PathBuf>,
    },
}

/// Why there is nothing to verify a server by.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The PEM file of extra authorities is unusable.
    #[error("cannot read certificates from {}: {reason}", path.display())]
    ExtraRoots {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The system has no certificate authorities, and none were given.
    #[error("this machine has no certificate authorities: give a PEM file of them, or a fingerprint")]
    NoRoots,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

/// TLS settings for one connection, and the certificate that was seen if it was the wrong one.
pub(crate) struct Verification {
    pub(crate) tls: rustls::ClientConfig,
    /// The name to connect by. Without DNS it is the address.
    pub(crate) server_name: Option<String>,
    pub(crate) presented: Arc<OnceLock<Fingerprint>>,
}

impl Trust {
    pub(crate) fn verification(&self) -> Result<Verification, TrustError> {
        let mut provider = default_provider();
        // The same order as the server's, and for the same reason: AES-128 is the fastest.
        provider.cipher_suites = vec![
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        ];
        let provider = Arc::new(provider);
        let builder = rustls::ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])?;
        let presented = Arc::new(OnceLock::new());
        let (mut tls, server_name) = match self {
            Self::Fingerprint(expected) => {
                let verifier = Pinned { expected: *expected, presented: presented.clone(), provider };
                let tls = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
                (tls.with_no_client_auth(), None)
            }
            Self::DnsName { name, extra_roots } => {
                let tls = builder.with_root_certificates(roots(extra_roots.as_ref())?);
                (tls.with_no_client_auth(), Some(name.clone()))
            }
        };
        tls.alpn_protocols = vec![ALPN.to_vec()];
        tls.resumption = rustls::client::Resumption::disabled(); // A player joins a server once.
        Ok(Verification { tls, server_name, presented })
    }
}

fn roots(extra: Option<&PathBuf>) -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    // Some systems carry a few certificates that rustls cannot read; the others count.
    let native = rustls_native_certs::load_native_certs();
    for error in native.errors {
        tracing::debug!(%error, "a system certificate is unusable");
    }
    roots.add_parsable_certificates(native.certs);
    if let Some(path) = extra {
        let unusable = |reason: String| TrustError::ExtraRoots { path: path.clone(), reason };
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))? {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
        }
    }
    if roots.is_empty() { Err(TrustError::NoRoots) } else { Ok(roots) }
}

/// Accepts exactly one certificate, and only from a peer that holds its key.
struct Pinned {
    expected: Fingerprint,
    presented: Arc<OnceLock<Fingerprint>>,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pinned").field("expected", &self.expected).finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let presented = Fingerprint::from_sha256(Sha256::digest(end_entity).into());
        if presented == self.expected {
            // Name, issuer and dates say nothing about a certificate that was named by its hash.
            return Ok(ServerCertVerified::assertion());
        }
        let _ = self.presented.set(presented); // Set once: a handshake shows one certificate.
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::PeerIncompatible::Tls12NotOffered.into()) // QUIC is TLS 1.3 only.
    }

    /// Anybody can show a certificate; this is the proof that the peer holds its key.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
