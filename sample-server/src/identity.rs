//! The server's certificate: how a player knows that this is the server it was sent to.
//!
//! GameLift tells players an address and carries no certificate, so there are two ways to bind one to a server:
//!
//! * **A fleet certificate.** `sample-server cert` makes a self-signed one; all servers of the fleet ship with it,
//!   and the backend hands its [`Fingerprint`] to the players along with the address. No DNS, no authority.
//! * **A certificate of a public authority**, for fleets whose computes have DNS names.
//!
//! Either way the key stays in a file that only the server's user can read, and is never logged.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use game_proto::Fingerprint;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};

/// A certificate chain and its private key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A PEM file cannot be read.
    #[error("cannot read a {what} from {}", path.display())]
    Pem {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What is wrong.
        source: pem::Error,
    },
    /// The file holds no certificate.
    #[error("{} holds no certificate", .0.display())]
    NoCertificate(PathBuf),
    /// A DNS name that cannot stand in a certificate.
    #[error("cannot make a certificate for these DNS names: {0}")]
    Generate(#[from] rcgen::Error),
    /// A file cannot be written.
    #[error("cannot write {}; existing files are never replaced", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Identity {
    /// Makes a self-signed certificate for this run alone: for development, and for tests.
    ///
    /// # Errors
    /// [`IdentityError::Generate`] when a name is no DNS name.
    pub fn generate(dns_names: &[String]) -> Result<Self, IdentityError> {
        let (certificate, key) = self_signed(dns_names)?;
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        Ok(Self { chain: vec![certificate.der().clone()], key })
    }

    /// Reads a chain (leaf first) and a private key from PEM files.
    ///
    /// # Errors
    /// When a file cannot be read, or holds no certificate or no key.
    pub fn from_pem_files(certificate: &Path, key: &Path) -> Result<Self, IdentityError> {
        let unreadable = |what, path: &Path| {
            let path = path.to_owned();
            move |source| IdentityError::Pem { what, path, source }
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(unreadable("certificate", certificate))?;
        if chain.is_empty() {
            return Err(IdentityError::NoCertificate(certificate.to_owned()));
        }
        let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable("private key", key))?;
        Ok(Self { chain, key })
    }

    /// The SHA-256 of the leaf certificate: what players are given to recognise this server by.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.chain[0])
    }

    /// The leaf certificate, DER.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.chain[0]
    }

    pub(crate) fn into_parts(self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (self.chain, self.key)
    }
}

/// All servers of a fleet share one.
impl Clone for Identity {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

/// Without the key.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("fingerprint", &self.fingerprint()).finish_non_exhaustive()
    }
}

/// Makes a fleet certificate: `cert.pem` and `key.pem` (readable by its owner alone) in `dir`, which is made if need
/// be. Existing files stay: replacing a fleet's certificate by accident would lock out its players.
///
/// # Errors
/// When a name is no DNS name, or a file exists or cannot be written.
pub fn write_fleet_certificate(dir: &Path, dns_names: &[String]) -> Result<Fingerprint, IdentityError> {
    let (certificate, key) = self_signed(dns_names)?;
    fs::create_dir_all(dir).map_err(|source| IdentityError::Write { path: dir.to_owned(), source })?;
    write_new(&dir.join("key.pem"), &key.serialize_pem(), 0o600)?;
    write_new(&dir.join("cert.pem"), &certificate.pem(), 0o644)?;
    Ok(fingerprint(certificate.der()))
}

fn self_signed(dns_names: &[String]) -> Result<(rcgen::Certificate, rcgen::KeyPair), IdentityError> {
    // ECDSA P-256, which every TLS stack knows; Ed25519 is no faster here.
    let key = rcgen::KeyPair::generate()?;
    let mut params = rcgen::CertificateParams::new(dns_names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, "game server fleet");
    Ok((params.self_signed(&key)?, key))
}

fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    Fingerprint::from_sha256(Sha256::digest(certificate).into())
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), IdentityError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode; // Elsewhere the folder's permissions decide.
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| IdentityError::Write { path: path.to_owned(), source })
}
