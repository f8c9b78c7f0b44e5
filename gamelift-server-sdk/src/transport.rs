//! Sockets: how text frames get to the service and back. Decides nothing.
//!
//! Public for those who bring a network of their own, with [`Config::connect_with`](crate::Config::connect_with): a proxy, a
//! simulation, memory.

mod channels;

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{Sink, SinkExt, Stream, StreamExt, future};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, http};

use crate::error::{ConnectError, DialError};
use crate::tls;

/// tungstenite's default of 128 KiB is most of an idle process's memory; messages are a few hundred bytes. Less than this saves
/// nothing: tungstenite 0.29 keeps the 4 KiB that it reads the upgrade's answer into.
const READ_BUFFER: usize = 4 * 1024;

/// Largest message accepted. A game session with full matchmaker data (390,000 characters) and game session data
/// (262,144) fits twice, escapes included.
const MESSAGE_MAX: usize = 4 * 1024 * 1024;

/// How much of a refusal's body an error repeats.
const REFUSAL_BODY_MAX: usize = 300;

/// A frame from the service that matters: text, or the end.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text frame.
    Text(String),
    /// The service said goodbye, with a code if it gave one.
    Close(Option<u16>),
}

/// A frame to the service.
#[derive(Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A text frame.
    Text(String),
    /// Goodbye.
    Close(u16),
}

/// The socket broke; the text is for a log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SocketError(pub String);

/// An open socket, as two halves.
pub struct Socket {
    /// To the service.
    pub sink: Pin<Box<dyn Sink<Outgoing, Error = SocketError> + Send>>,
    /// From the service. Ends when the socket does.
    pub stream: Pin<Box<dyn Stream<Item = Result<Incoming, SocketError>> + Send>>,
}

/// Opens sockets. Implemented for real networks here, and in memory under feature `test-util`.
pub trait Dial: Send + Sync + 'static {
    /// Connects to a URL, query and all. Dropping the future gives up. Do not log the URL: the auth token is in it.
    fn dial(&self, url: String) -> BoxFuture<'static, Result<Socket, DialError>>;
}

/// TCP, TLS where the URL says `wss`, and WebSocket.
pub(crate) struct Network {
    extra_ca: Arc<[PathBuf]>,
    /// Read at the first `wss`: many a process on a laptop never needs it.
    tls: Arc<OnceCell<Arc<rustls::ClientConfig>>>,
}

impl Network {
    pub(crate) fn new(extra_ca: &[PathBuf]) -> Self {
        Self { extra_ca: extra_ca.into(), tls: Arc::default() }
    }

    /// Reads the certificates now, so that one that is wrong is told before anything is dialled.
    pub(crate) async fn prepare_tls(&self) -> Result<(), ConnectError> {
        self.tls.get_or_try_init(|| tls::shared(&self.extra_ca)).await.map(|_| ())
    }
}

impl Dial for Network {
    fn dial(&self, url: String) -> BoxFuture<'static, Result<Socket, DialError>> {
        let (tls, extra_ca) = (self.tls.clone(), self.extra_ca.clone());
        Box::pin(async move {
            let parsed =
                url::Url::parse(&url).map_err(|_| DialError::Protocol("the endpoint is no URL".into()))?;
            let host = parsed.host_str().unwrap_or_default().to_owned();
            let port = parsed.port_or_known_default().unwrap_or(443);
            // Brackets belong to the URL, not to an IPv6 address.
            let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            let tcp = TcpStream::connect((host.as_str(), port))
                .await
                .map_err(|error| DialError::Network(format!("{host}:{port}: {error}")))?;
            // Small frames, one at a time: waiting to fill a segment only adds latency.
            tcp.set_nodelay(true).map_err(|error| DialError::Network(error.to_string()))?;
            if parsed.scheme() == "ws" {
                return upgrade(&url, tcp).await;
            }
            let tls = tls.get_or_try_init(|| tls::shared(&extra_ca)).await;
            let tls = tls.map_err(|error| DialError::Tls(error.to_string()))?.clone();
            let name = ServerName::try_from(host).map_err(|error| DialError::Tls(error.to_string()))?;
            let stream =
                TlsConnector::from(tls).connect(name, tcp).await.map_err(|error| tls_or_network(&error))?;
            upgrade(&url, stream).await
        })
    }
}

/// rustls reports its own errors inside `io::Error`; a connection that merely broke is worth another attempt.
fn tls_or_network(error: &std::io::Error) -> DialError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(tls) => DialError::Tls(tls.to_string()),
        None => DialError::Network(error.to_string()),
    }
}

async fn upgrade<S>(url: &str, stream: S) -> Result<Socket, DialError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut request = url.into_client_request().map_err(|error| upgrade_error(&error))?;
    let agent = concat!("gamelift-server-sdk-rust/", env!("CARGO_PKG_VERSION"));
    request.headers_mut().insert(http::header::USER_AGENT, http::HeaderValue::from_static(agent));
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(MESSAGE_MAX))
        .max_frame_size(Some(MESSAGE_MAX));
    let (socket, _response) = client_async_with_config(request, stream, Some(config))
        .await
        .map_err(|error| upgrade_error(&error))?;
    let (sink, stream) = socket.split();
    Ok(Socket {
        sink: Box::pin(sink.sink_map_err(|error| SocketError(error.to_string())).with(|frame| {
            future::ready(Ok(match frame {
                Outgoing::Text(text) => Message::text(text),
                Outgoing::Close(code) => {
                    Message::Close(Some(CloseFrame { code: code.into(), reason: "".into() }))
                }
            }))
        })),
        stream: Box::pin(stream.filter_map(|message| future::ready(incoming(message)))),
    })
}

/// Pings are answered by tungstenite itself; binary frames are ignored, as in the Go and C# SDKs.
fn incoming(message: Result<Message, WsError>) -> Option<Result<Incoming, SocketError>> {
    match message {
        Ok(Message::Text(text)) => Some(Ok(Incoming::Text(text.to_string()))),
        Ok(Message::Close(frame)) => Some(Ok(Incoming::Close(frame.map(|frame| frame.code.into())))),
        Ok(_) => None,
        Err(error) => Some(Err(SocketError(error.to_string()))),
    }
}

fn upgrade_error(error: &WsError) -> DialError {
    match error {
        WsError::Http(response) => {
            let body = response.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            let body = body.chars().filter(|c| !c.is_control()).take(REFUSAL_BODY_MAX).collect();
            DialError::Refused { status: response.status().as_u16(), body }
        }
        WsError::Io(error) => DialError::Network(error.to_string()),
        // tungstenite repeats the URL in this one.
        WsError::Url(_) => DialError::Protocol("the endpoint is no WebSocket URL".into()),
        other => DialError::Protocol(other.to_string()),
    }
}
