//! A WebSocket.
//!
//! The connection has a task of its own that reads, and writes the few things there are to write: sending is not safe to
//! cancel, and whoever waits for news does so in a `select!`.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Request, Uri};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::MESSAGE_LEN_MAX;
use crate::backend::error::CallError;
use crate::backend::http::{CONNECT_TIMEOUT, Http, Stream, host_of, refusal, where_wrong};
use crate::backend::model::Ticket;

/// Between two pings: API Gateway closes a WebSocket that has been idle for ten minutes.
pub const PING_INTERVAL: Duration = Duration::from_secs(300);
/// News that has not been looked at. One ticket changes a handful of times; beyond this the socket is not read, and TCP
/// holds the backend back.
const NEWS_WAITING_MAX: usize = 16;

/// What the client says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Action<'a> {
    action: &'a str,
    request_id: String,
}

/// What the backend says: a reply or news. Both have a ticket, and it counts the same.
#[derive(Deserialize)]
struct Said {
    ticket: Option<Ticket>,
}

/// An open WebSocket. Dropping it closes it.
#[derive(Debug)]
pub(super) struct WebSocket {
    news: mpsc::Receiver<Ticket>,
    task: AbortHandle,
}

impl WebSocket {
    /// Opens a WebSocket and asks for the ticket as it is, so that nothing is missed. `request` is a presigned GET of an
    /// http or https URL.
    pub(super) async fn open(http: &Http, request: Request<Bytes>) -> Result<Self, CallError> {
        let host = host_of(request.uri());
        let unknown = |reason: String| CallError::OutcomeUnknown { host: host.clone(), reason };
        let stream = http.connect(request.uri().clone()).await?;
        let request = handshake(request)?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_LEN_MAX))
            .max_frame_size(Some(MESSAGE_LEN_MAX));
        let opening = timeout(CONNECT_TIMEOUT, client_async_with_config(request, stream, Some(config)));
        let mut socket = match opening.await {
            Ok(Ok((socket, _))) => socket,
            Ok(Err(WsError::Http(response))) => {
                let body = response.body().as_deref().unwrap_or_default();
                return Err(refusal(response.status(), response.headers(), body));
            }
            Ok(Err(error)) => return Err(unknown(error.to_string())),
            Err(_) => return Err(unknown(format!("no handshake within {} s", CONNECT_TIMEOUT.as_secs()))),
        };
        socket.send(action("status", 0)).await.map_err(|error| unknown(error.to_string()))?;
        let (sender, news) = mpsc::channel(NEWS_WAITING_MAX);
        let task = tokio::spawn(listen(socket, sender)).abort_handle();
        Ok(Self { news, task })
    }

    pub(super) async fn next(&mut self) -> Option<Ticket> {
        self.news.recv().await
    }
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(mut socket: WebSocketStream<Stream>, news: mpsc::Sender<Ticket>) {
    let mut pings = interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut number = 0;
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                    Ok(Said { ticket: Some(ticket) }) => {
                        if news.send(ticket).await.is_err() {
                            return;
                        }
                    }
                    // The answer to a ping, an error (asking tells more of it), or a message of a later version.
                    Ok(Said { ticket: None }) => tracing::debug!("a push without a ticket"),
                    Err(error) => tracing::debug!(error = where_wrong(&error), "a push that cannot be read"),
                },
                Some(Ok(Message::Close(_))) | None => return,
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    tracing::debug!(%error, "the WebSocket is lost");
                    return;
                }
            },
            _ = pings.tick() => {
                number += 1;
                if socket.send(action("ping", number)).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn action(action: &str, number: u64) -> Message {
    let action = Action { action, request_id: number.to_string() };
    Message::text(serde_json::to_string(&action).expect("two strings are JSON"))
}

/// The same GET as a WebSocket's opening.
fn handshake(request: Request<Bytes>) -> Result<Request<()>, CallError> {
    let uri = request.uri().to_string();
    // tungstenite goes by the scheme; nothing of it is signed.
    let uri: Uri = match uri.strip_prefix("http") {
        Some(rest) => format!("ws{rest}"),
        None => uri,
    }
    .parse()
    .map_err(|_| CallError::Unsendable("the WebSocket's URL cannot be used".to_owned()))?;
    let mut opening = Request::builder()
        .uri(uri)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", generate_key());
    for (name, value) in request.headers() {
        opening = opening.header(name, value);
    }
    opening.body(()).map_err(|error| CallError::Unsendable(error.to_string()))
}
