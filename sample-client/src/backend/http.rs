//! One HTTP request and its answer. TLS is rustls; nothing is redirected, cached or repeated here.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::RootCertStore;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use super::error::{CallError, Refusal, SetUpError};
use super::model::ProblemBody;
use super::push::PING_INTERVAL;
use crate::error::shown;

/// From the first packet to the last byte of the answer. The backend's own limit is about as long.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// Of that, to be connected.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest answer, in bytes: a list of all locations is a tenth of it.
pub const ANSWER_LEN_MAX: usize = 256 * 1024;

/// A byte stream to a server, encrypted if its URL says so.
pub(crate) type Stream = TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>;

/// A pool of connections. Clones share it.
#[derive(Clone)]
pub(crate) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    connector: HttpsConnector<HttpConnector>,
    /// The same, for servers that are to speak HTTP/2.
    http2: HttpsConnector<HttpConnector>,
}

/// An HTTP/2 connection that opens when it is used, for as many requests as it is kept for.
pub(crate) type Http2 = Client<HttpsConnector<HttpConnector>, tonic::body::Body>;

/// What a server said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) host: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Http {
    /// `tls` says whether any server needs it.
    pub(crate) fn new(tls: bool) -> Result<Self, SetUpError> {
        let mut roots = RootCertStore::empty();
        if tls {
            let native = rustls_native_certs::load_native_certs();
            for error in native.errors {
                tracing::debug!(%error, "a system certificate is unusable");
            }
            roots.add_parsable_certificates(native.certs);
            if roots.is_empty() {
                return Err(SetUpError::NoRoots);
            }
        }
        let config =
            rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_root_certificates(roots)
                .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let http2 = HttpsConnectorBuilder::new()
            .with_tls_config(config.clone())
            .https_or_http()
            .enable_http2()
            .wrap_connector(tcp.clone());
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new()).build(connector.clone());
        Ok(Self { client, connector, http2 })
    }

    /// A connection of its own, by prior knowledge where there is no TLS.
    pub(crate) fn http2(&self) -> Http2 {
        Client::builder(TokioExecutor::new())
            .http2_only(true)
            .timer(TokioTimer::new())
            .http2_keep_alive_interval(PING_INTERVAL)
            .build(self.http2.clone())
    }

    /// Sends it and reads the whole answer, whatever its status.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Answer, CallError> {
        let host = host_of(request.uri());
        let unknown = |reason: String| CallError::OutcomeUnknown { host: host.clone(), reason };
        let exchange = async {
            let response = self.client.request(request.map(Full::new)).await.map_err(|error| {
                if error.is_connect() {
                    CallError::NotSent { host: host.clone(), reason: root_cause(&error) }
                } else {
                    unknown(root_cause(&error))
                }
            })?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_LEN_MAX)
                .collect()
                .await
                .map_err(|error| unknown(error.to_string()))?;
            let body = body.to_bytes();
            Ok(Answer { host: host.clone(), status: head.status, headers: head.headers, body })
        };
        match timeout(REQUEST_TIMEOUT, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(unknown(format!("nothing within {} s", REQUEST_TIMEOUT.as_secs()))),
        }
    }

    /// A bare connection, for a protocol other than HTTP's requests. `uri` is http or https.
    pub(crate) async fn connect(&self, uri: Uri) -> Result<Stream, CallError> {
        let host = host_of(&uri);
        let not_sent = |reason: String| CallError::NotSent { host: host.clone(), reason };
        match timeout(CONNECT_TIMEOUT, self.connector.clone().call(uri)).await {
            Ok(Ok(stream)) => Ok(TokioIo::new(stream)),
            Ok(Err(error)) => Err(not_sent(root_cause(&*error))),
            Err(_) => Err(not_sent(format!("nothing within {} s", CONNECT_TIMEOUT.as_secs()))),
        }
    }
}

impl Answer {
    /// The answer, if it is one and not a refusal.
    pub(crate) fn accepted(self) -> Result<Self, CallError> {
        match self.status {
            status if status.is_success() || status == StatusCode::NOT_MODIFIED => Ok(self),
            status if status.is_client_error() || status.is_server_error() => {
                Err(refusal(status, &self.headers, &self.body))
            }
            // A redirect would take the signature, which is for one host only, elsewhere.
            status => {
                Err(CallError::Nonsense { host: self.host, what: format!("an answer with status {status}") })
            }
        }
    }

    /// The body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| CallError::Nonsense {
            host: self.host.clone(),
            what: format!("an answer that cannot be read: {}", where_wrong(&error)),
        })
    }

    /// The entity tag, if there is one.
    pub(crate) fn etag(&self) -> Option<String> {
        self.headers.get(header::ETAG)?.to_str().ok().map(str::to_owned)
    }
}

/// Where JSON is wrong, without serde's words: they may repeat a secret that stands there.
pub(crate) fn where_wrong(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Data => "a field is missing or of another kind",
        Category::Io | Category::Syntax | Category::Eof => "it is no JSON",
    };
    format!("{what}, at line {} column {}", error.line(), error.column())
}

/// A no in any of its spellings: the backend's, API Gateway's, Cognito's.
pub(crate) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> CallError {
    /// AWS JSON 1.1.
    #[derive(Default, Deserialize)]
    struct Typed {
        #[serde(default, rename = "__type")]
        kind: Option<String>,
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let body: (ProblemBody, Typed) = (
        serde_json::from_slice(body).unwrap_or_default(), // A gateway's page in HTML says nothing beyond the status.
        serde_json::from_slice(body).unwrap_or_default(),
    );
    let (problem, typed) = body;
    let retry_after = text("retry-after").and_then(|value| value.parse().ok()).map(Duration::from_secs);
    let request_id = problem.request_id.or_else(|| text("x-amzn-requestid").map(str::to_owned));
    let refusal = match problem.error {
        Some(error) => Refusal {
            status: status.as_u16(),
            code: shown(&error.code),
            message: shown(&error.message),
            retryable: error.retryable,
            retry_after,
            details: error.details,
            request_id: request_id.map(|id| shown(&id)),
        },
        None => {
            let name = typed.kind.as_deref().or_else(|| text("x-amzn-errortype"));
            // `com.amazonaws.x#Name:http://...` in the worst case.
            let name = name.map(|it| it.rsplit('#').next().unwrap_or(it).split(':').next().unwrap_or(it));
            let code = name.map_or_else(|| format!("HTTP_{}", status.as_u16()), shown);
            let busy = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
            Refusal {
                status: status.as_u16(),
                // Cognito says these with status 400.
                retryable: busy
                    || matches!(code.as_str(), "TooManyRequestsException" | "InternalErrorException"),
                code,
                message: problem.message.as_deref().map(shown).unwrap_or_default(),
                retry_after,
                details: None,
                request_id: request_id.map(|id| shown(&id)),
            }
        }
    };
    CallError::Refused(Box::new(refusal))
}

/// Host and port. Never the rest: a presigned URL is a secret.
pub(crate) fn host_of(uri: &Uri) -> String {
    uri.authority().map(ToString::to_string).unwrap_or_default()
}

/// hyper's own words are "client error (Connect)"; the reason is at the bottom.
pub(crate) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Refusal {
        let headers = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)))
            .collect();
        match refusal(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes()) {
            CallError::Refused(refusal) => *refusal,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn backends_refusal_has_code_and_advice() {
        let body = r#"{"error":{"code":"RATE_LIMITED","message":"one start per 2 s","retryable":true},"requestId":"r-1"}"#;
        let refusal = refused(429, &[("retry-after", "3")], body);
        assert!(refusal.retryable);
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(3)));
        assert_eq!(
            refusal.to_string(),
            "RATE_LIMITED (HTTP 429, request r-1): one start per 2 s; try again in 3 s"
        );
    }

    #[test]
    fn gateways_refusal_is_named_by_its_header_and_spelled_either_way() {
        let headers = [("x-amzn-errortype", "InvalidSignatureException:http://internal/")];
        let refusal = refused(403, &headers, r#"{"Message":"Signature expired"}"#);
        assert_eq!(refusal.code, "InvalidSignatureException");
        assert_eq!(refusal.message, "Signature expired");
        assert!(refusal.to_string().contains("clock"), "{refusal}");
        assert_eq!(refused(403, &[], r#"{"message":"Forbidden"}"#).code, "HTTP_403");
    }

    #[test]
    fn answer_that_cannot_be_read_is_not_repeated() {
        let answer = |body: &'static [u8]| Answer {
            host: "host".to_owned(),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Bytes::from_static(body),
        };
        for body in [&br#""psess-secret""#[..], br#"{"port":"psess-secret"}"#, b"{psess-secret"] {
            let error = answer(body).json::<std::collections::BTreeMap<String, u32>>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
            assert!(error.to_string().contains("at line 1 column "), "{error}");
        }
    }

    #[test]
    fn cognitos_refusal_is_named_by_its_type() {
        let body = r#"{"__type":"com.amazonaws.cognito#TooManyRequestsException","message":"Rate exceeded"}"#;
        let refusal = refused(400, &[], body);
        assert_eq!((refusal.code.as_str(), refusal.retryable), ("TooManyRequestsException", true));
    }

    #[test]
    fn refusal_that_is_no_json_is_known_by_its_status_and_control_characters_are_not_repeated() {
        assert_eq!(refused(502, &[], "<html>").to_string(), "HTTP_502 (HTTP 502); try again in a moment");
        let body = "{\"message\":\"\\u001b[2Jgone\"}";
        assert_eq!(refused(404, &[], body).message, "[2Jgone");
    }
}
