//! Posts to endpoints, over HTTP and HTTPS.

use std::{io, path::Path, sync::OnceLock, time::Duration};

use axum::{
    body::Body,
    http::{Request, StatusCode, Uri, header},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio::time::timeout;

use super::EndpointError;

/// How long an endpoint may take to answer (SNS developer guide, "HTTP/S delivery policies").
const ANSWER_WAIT: Duration = Duration::from_secs(15);

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    /// The event's or message's id, for logs.
    pub(crate) id: String,
    pub(crate) content_type: &'static str,
    pub(crate) user_agent: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// An attempt came to nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It may work later.
    Temporary(String),
    /// The endpoint does not want it.
    Permanent(StatusCode),
}

/// Reads certificates to trust.
pub(crate) fn read_roots(file: &Path) -> io::Result<RootCertStore> {
    let invalid = |error: String| io::Error::new(io::ErrorKind::InvalidData, error);
    let mut roots = RootCertStore::empty();
    let pem = std::fs::read(file)?;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| invalid(error.to_string()))?;
        roots.add(certificate).map_err(|error| invalid(error.to_string()))?;
    }
    if roots.is_empty() { Err(invalid("there is no certificate in it".to_owned())) } else { Ok(roots) }
}

/// Only what can be posted to.
pub(crate) fn check(endpoint: &str) -> Result<Uri, EndpointError> {
    let uri = endpoint.parse::<Uri>().ok();
    let known = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
    uri.filter(known).ok_or(EndpointError::Url)
}

/// A URL for people: endpoints may hold secrets in their queries.
pub(crate) fn without_query(uri: &Uri) -> String {
    let host = uri.authority().map(|authority| authority.as_str().rsplit('@').next().unwrap_or_default());
    format!("{}://{}{}", uri.scheme_str().unwrap_or_default(), host.unwrap_or_default(), uri.path())
}

pub(crate) struct HttpClient {
    http: Client<HttpConnector, Body>,
    /// Reading the system's certificates takes a moment, and most endpoints here are without TLS.
    https: OnceLock<Client<HttpsConnector<HttpConnector>, Body>>,
    /// Whom to trust instead of the system's certificates.
    roots: Option<RootCertStore>,
}

impl HttpClient {
    pub(crate) fn new(roots: Option<RootCertStore>) -> Self {
        Self { http: Client::builder(TokioExecutor::new()).build_http(), https: OnceLock::new(), roots }
    }

    /// Makes sure that the URL can be posted to.
    pub(crate) fn prepare(&self, uri: &Uri) -> Result<(), EndpointError> {
        if uri.scheme_str() == Some("https") && self.https.get().is_none() {
            let roots = match &self.roots {
                Some(roots) => roots.clone(),
                None => system_roots()?,
            };
            let client = https(roots)?;
            // Somebody else may have been faster, with the same client.
            let _ = self.https.set(client);
        }
        Ok(())
    }

    /// Posts once.
    pub(crate) async fn post(&self, uri: &Uri, post: &Post) -> Result<(), Failure> {
        let temporary = |reason: String| Failure::Temporary(reason);
        let mut request = Request::post(uri.clone())
            .header(header::CONTENT_TYPE, post.content_type)
            .header(header::USER_AGENT, post.user_agent);
        for (name, value) in &post.headers {
            request = request.header(*name, value);
        }
        let request =
            request.body(Body::from(post.body.clone())).map_err(|error| temporary(error.to_string()))?;
        let sent = match self.https.get().filter(|_| uri.scheme_str() == Some("https")) {
            Some(client) => client.request(request),
            None => self.http.request(request),
        };
        let answer = timeout(ANSWER_WAIT, sent).await;
        let answer =
            answer.map_err(|_| temporary(format!("no answer within {} s", ANSWER_WAIT.as_secs())))?;
        match answer.map_err(|error| temporary(chain(&error)))?.status() {
            status if status.is_success() => Ok(()),
            // SNS developer guide, "Dead-letter queues": client-side errors are not repeated. Throttling is.
            status if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
                Err(Failure::Permanent(status))
            }
            status => Err(temporary(format!("answered {status}"))),
        }
    }
}

/// An error with its causes: the outermost says little.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn system_roots() -> Result<RootCertStore, EndpointError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, unusable) = roots.add_parsable_certificates(found.certs);
    let causes: Vec<_> = found.errors.iter().map(|error| chain(error)).collect();
    if added == 0 {
        return Err(EndpointError::NoRoots { causes: causes.join("; ") });
    }
    if unusable > 0 || !causes.is_empty() {
        let causes = causes.join("; ");
        tracing::warn!(
            added,
            unusable,
            causes,
            "some of the system's certificates are not trusted at https endpoints"
        );
    }
    Ok(roots)
}

fn https(roots: RootCertStore) -> Result<Client<HttpsConnector<HttpConnector>, Body>, EndpointError> {
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(EndpointError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1().build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}
