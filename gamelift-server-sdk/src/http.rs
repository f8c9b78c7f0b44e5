//! One HTTP/1.1 request and its answer, for the few things that are not said over the WebSocket.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use crate::error::CredentialsError;

/// Largest answer read. Credentials and task metadata are a few kilobytes.
const BODY_MAX: usize = 256 * 1024;

/// How much of a refusal's body an error repeats.
const REFUSAL_BODY_MAX: usize = 300;

/// How long the endpoints beside a container may take: they are on the same host.
pub(crate) const NEAR: Duration = Duration::from_secs(2);

/// An answer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Response {
    /// The body of a success; what a refusal says of itself is repeated, a success's body never: it may hold a secret.
    pub(crate) fn success(self, whom: &str) -> Result<String, CredentialsError> {
        match self.status {
            200..=299 => Ok(self.body),
            status => {
                let body: String =
                    self.body.chars().filter(|c| !c.is_control()).take(REFUSAL_BODY_MAX).collect();
                let text = format!("{whom} answered HTTP {status}: {body}");
                Err(match status {
                    429 | 500..=599 => CredentialsError::Unavailable(text),
                    _ => CredentialsError::Denied(text),
                })
            }
        }
    }
}

/// A GET over plain HTTP, to an endpoint on the same host.
pub(crate) async fn get(whom: &str, url: &Url) -> Result<String, CredentialsError> {
    let request = Request::get(url.path_and_query()).body(Bytes::new());
    let request = request.map_err(|error| CredentialsError::Denied(format!("{whom}: {url}: {error}")))?;
    send(whom, url, request, None, NEAR).await?.success(whom)
}

/// Sends a request that has everything but its `Host`; gives up after `patience`.
pub(crate) async fn send(
    whom: &str,
    url: &Url,
    request: Request<Bytes>,
    tls: Option<Arc<rustls::ClientConfig>>,
    patience: Duration,
) -> Result<Response, CredentialsError> {
    let unavailable = |error: &dyn std::fmt::Display| {
        CredentialsError::Unavailable(format!("{whom} ({}): {error}", url.authority()))
    };
    match tokio::time::timeout(patience, exchange(url, request, tls)).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(unavailable(&error)),
        Err(_) => Err(unavailable(&format_args!("no answer within {patience:?}"))),
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

async fn exchange(
    url: &Url,
    request: Request<Bytes>,
    tls: Option<Arc<rustls::ClientConfig>>,
) -> Result<Response, BoxError> {
    let host = url.host_str().ok_or("the URL names no host")?;
    // Brackets belong to the URL, not to an IPv6 address.
    let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = url.port_or_known_default().ok_or("the URL names no port")?;
    let tcp = TcpStream::connect((name.as_str(), port)).await?;
    match (url.scheme(), tls) {
        ("https", Some(tls)) => {
            let stream = TlsConnector::from(tls).connect(ServerName::try_from(name)?, tcp).await?;
            over(stream, url, request).await
        }
        ("http", _) => over(tcp, url, request).await,
        _ => Err("only http and, with TLS roots, https".into()),
    }
}

async fn over<S>(stream: S, url: &Url, request: Request<Bytes>) -> Result<Response, BoxError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let mut request = request.map(Full::new);
    request.headers_mut().insert(hyper::header::HOST, url.authority().parse()?);
    request.headers_mut().insert(hyper::header::CONNECTION, hyper::header::HeaderValue::from_static("close"));
    let answer = async {
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), BODY_MAX).collect().await?.to_bytes();
        Ok(Response { status, body: String::from_utf8_lossy(&body).into_owned() })
    };
    // Both in one future: whoever drops it drops the connection, too.
    let (answer, connection) = futures_util::future::join(answer, connection).await;
    // An answer that is complete is an answer, however the connection ended.
    answer.map_err(|error: BoxError| match connection {
        Ok(()) => error,
        Err(connection) => connection.into(),
    })
}

/// What goes into the request line.
trait PathAndQuery {
    fn path_and_query(&self) -> &str;
}

impl PathAndQuery for Url {
    fn path_and_query(&self) -> &str {
        &self[url::Position::BeforePath..url::Position::AfterQuery]
    }
}
