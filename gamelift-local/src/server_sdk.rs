//! The server-SDK WebSocket: `ws` and `wss`, any path.
//!
//! The pure part is in [`crate::engine`]; here are sockets, frames and close codes.

mod handshake;
pub(crate) mod tls;

use std::{io, sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use gamelift_wire::connect::ConnectQuery;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::{
    driver::{FromService, Handle, OUTBOX_MAX},
    engine::{ConnectionId, Refused},
};

/// Largest message from a server process: a backfill request of 200 players is a tenth of it.
const MESSAGE_MAX: usize = 1024 * 1024;
/// tungstenite would take 128 KiB per connection.
const READ_BUFFER: usize = 4096;
/// How long TLS and the upgrade request may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to leave a listener alone that has just failed to accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long a peer may take to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Most handshakes and connections at a time per listener, far beyond what a laptop runs.
const SOCKETS_MAX: usize = 16_384;

/// Accepts connections at `endpoint`, a `ws` or `wss` URL, until told to stop.
pub(crate) async fn listen(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    endpoint: Arc<str>,
    handle: Handle,
    mut stop: watch::Receiver<bool>,
) {
    let mut sockets = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept(), if sockets.len() < SOCKETS_MAX => accepted,
            Some(_) = sockets.join_next() => continue,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, or the peer is gone already: neither gets better by trying at once.
                tracing::warn!(%error, "cannot accept a server-SDK connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot turn off Nagle's algorithm");
        }
        let (handle, tls, endpoint) = (handle.clone(), tls.clone(), Arc::clone(&endpoint));
        sockets.spawn(async move {
            match tls {
                None => serve(stream, endpoint, handle).await,
                Some(tls) => match timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
                    Ok(Ok(stream)) => serve(stream, endpoint, handle).await,
                    Ok(Err(error)) => tracing::warn!(%error, "TLS handshake failed"),
                    Err(_) => tracing::warn!("TLS handshake took too long"),
                },
            }
        });
    }
    // The driver has told every connection to close; those that do not in time are cut.
    let _ = timeout(CLOSE_TIMEOUT, async { while sockets.join_next().await.is_some() {} }).await;
}

/// A stream that can be cut so that the peer sees a reset, as when a machine or a network goes away.
trait Cut {
    fn reset_on_close(&self);
}

impl Cut for TcpStream {
    fn reset_on_close(&self) {
        if let Err(error) = self.set_zero_linger() {
            tracing::debug!(%error, "a connection ends without a reset");
        }
    }
}

impl Cut for TlsStream<TcpStream> {
    fn reset_on_close(&self) {
        self.get_ref().0.reset_on_close();
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin + Cut>(stream: S, endpoint: Arc<str>, handle: Handle) {
    let (outbox, inbox) = mpsc::channel(OUTBOX_MAX);
    let upgraded = timeout(HANDSHAKE_TIMEOUT, handshake::accept(stream, &handle, endpoint, outbox)).await;
    let (stream, left_over, connection) = match upgraded {
        Ok(Ok(upgraded)) => upgraded,
        Ok(Err(error)) => return tracing::warn!(%error, "server-SDK connection refused"),
        Err(_) => return tracing::warn!("the upgrade request took too long"),
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(MESSAGE_MAX))
        .max_frame_size(Some(MESSAGE_MAX));
    let role = tokio_tungstenite::tungstenite::protocol::Role::Server;
    let socket = WebSocketStream::from_partially_read(stream, left_over, role, Some(config)).await;
    converse(socket, &handle, connection, inbox).await;
    handle.disconnected(connection).await;
}

/// How a connection ends.
enum End {
    /// The peer has gone, or the service.
    Gone,
    /// Abruptly, because the service wants it so.
    Cut,
    /// With this close code.
    Close(u16),
}

/// Carries frames both ways until one side closes.
async fn converse<S: AsyncRead + AsyncWrite + Unpin + Cut>(
    socket: WebSocketStream<S>,
    handle: &Handle,
    connection: ConnectionId,
    mut inbox: mpsc::Receiver<FromService>,
) {
    let (mut sink, mut frames) = socket.split();
    // Two loops side by side: neither is cut in the middle of a frame while the connection is wanted.
    let end = tokio::select! {
        code = read(&mut frames, handle, connection) => code.map_or(End::Gone, End::Close),
        end = write(&mut sink, &mut inbox) => end,
    };
    let code = match end {
        End::Gone => return,
        End::Cut => {
            if let Ok(socket) = frames.reunite(sink) {
                socket.get_ref().reset_on_close();
            }
            return;
        }
        End::Close(code) => code,
    };
    let close = CloseFrame { code: CloseCode::from(code), reason: "".into() };
    let close = async {
        if sink.send(Message::Close(Some(close))).await.is_err() {
            return;
        }
        let Ok(socket) = frames.reunite(sink) else { return };
        // What the peer still sends must be read, or the kernel throws the close frame away with it.
        let mut stream = socket.into_inner();
        if stream.shutdown().await.is_err() {
            return;
        }
        let mut thrown_away = [0; READ_BUFFER];
        while stream.read(&mut thrown_away).await.is_ok_and(|count| count > 0) {}
    };
    let _ = timeout(CLOSE_TIMEOUT, close).await;
}

/// Hands frames to the engine. Returns the code to close with, if the peer broke a rule.
async fn read<S: AsyncRead + AsyncWrite + Unpin>(
    frames: &mut SplitStream<WebSocketStream<S>>,
    handle: &Handle,
    connection: ConnectionId,
) -> Option<u16> {
    while let Some(frame) = frames.next().await {
        match frame {
            Ok(Message::Text(text)) => handle.text(connection, text.as_str().to_owned()).await.ok()?,
            Ok(Message::Binary(_)) => {
                tracing::warn!(?connection, "binary frame ignored");
                handle.run(|engine, _| engine.frame_ignored()).await.ok()?;
            }
            // tungstenite answers pings and close frames by itself.
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(?connection, %error, "server-SDK connection ends");
                return match error {
                    Error::Capacity(_) => Some(1009),
                    Error::Utf8(_) => Some(1007),
                    Error::Protocol(_) => Some(1002),
                    _ => None,
                };
            }
        }
    }
    None
}

/// Sends what the service says: everything that is ready in one write.
async fn write<S: AsyncRead + AsyncWrite + Unpin>(
    sink: &mut SplitSink<WebSocketStream<S>, Message>,
    inbox: &mut mpsc::Receiver<FromService>,
) -> End {
    while let Some(mut next) = inbox.recv().await {
        loop {
            match next {
                FromService::Text(text) => {
                    if sink.feed(Message::text(text)).await.is_err() {
                        return End::Gone;
                    }
                }
                FromService::Closed(code) => {
                    return match sink.flush().await {
                        Ok(()) => code.map_or(End::Cut, End::Close),
                        Err(_) => End::Gone,
                    };
                }
            }
            match inbox.try_recv() {
                Ok(more) => next = more,
                Err(_) => break,
            }
        }
        if sink.flush().await.is_err() {
            return End::Gone;
        }
    }
    End::Gone
}

/// Reads an upgrade query; whoever sent a bad one is told what is missing.
pub(crate) fn parse_query(query: &str) -> Result<ConnectQuery, Refused> {
    ConnectQuery::parse(query).map_err(|error| Refused { status: 400, message: error.to_string() })
}

/// Why there is no connection after all. Holds no part of the query.
#[derive(Debug, thiserror::Error)]
enum HandshakeError {
    #[error("the request head is longer than allowed")]
    TooLong,
    #[error("not a WebSocket upgrade request: {0}")]
    NotAnUpgrade(String),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Io(#[from] io::Error),
}
