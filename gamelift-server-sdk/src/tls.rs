//! TLS 1.2 and 1.3 with certificates that are always verified (C++ SDK 5.4.0 verifies none).

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::error::ConnectError;

/// The configuration with the system's roots only, for as long as anybody uses it.
///
/// A hundred and more roots are half a megabyte and some milliseconds; ten thousand processes in one OS process need them
/// once. Only a cache: whoever finds it empty reads the files again.
static SYSTEM_ROOTS: Mutex<Weak<ClientConfig>> = Mutex::new(Weak::new());

/// [`client_config`], off the runtime's threads, and shared where it is the same for all.
pub(crate) async fn shared(extra_ca: &[PathBuf]) -> Result<Arc<ClientConfig>, ConnectError> {
    let extra_ca = extra_ca.to_vec();
    let load = move || {
        if !extra_ca.is_empty() {
            return client_config(&extra_ca);
        }
        // A panic of somebody else leaves at worst an empty cache.
        let mut cached = SYSTEM_ROOTS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = cached.upgrade() {
            return Ok(config);
        }
        let config = client_config(&[])?;
        *cached = Arc::downgrade(&config);
        Ok(config)
    };
    match tokio::task::spawn_blocking(load).await {
        Ok(result) => result,
        Err(error) => Err(ConnectError::Tls(error.to_string())),
    }
}

/// The system's roots, or those of `SSL_CERT_FILE`, and the caller's own.
///
/// Reads files; meant for start-up. A system root that cannot be read is skipped with a warning, as everywhere; a file the
/// caller named must be good.
fn client_config(extra_ca: &[PathBuf]) -> Result<Arc<ClientConfig>, ConnectError> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "a system certificate could not be read");
    }
    let (_, ignored) = roots.add_parsable_certificates(native.certs);
    if ignored > 0 {
        tracing::debug!(ignored, "system certificates that rustls does not take");
    }
    for file in extra_ca {
        let failed =
            |error: &dyn std::fmt::Display| ConnectError::Tls(format!("{}: {error}", file.display()));
        let mut found = false;
        for certificate in CertificateDer::pem_file_iter(file).map_err(|error| failed(&error))? {
            let certificate = certificate.map_err(|error| failed(&error))?;
            roots.add(certificate).map_err(|error| failed(&error))?;
            found = true;
        }
        if !found {
            return Err(failed(&"no certificate in this PEM file"));
        }
    }
    // Named, not the process's default: with two providers in the tree, asking for the default panics.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12, &rustls::version::TLS13])
        .map_err(|error| ConnectError::Tls(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
