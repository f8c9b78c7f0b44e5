//! Tickets by WebSocket: the same calls and the same JSON as over HTTP, and news without asking.
//!
//! The sockets of this process; on AWS they are API Gateway's.

use std::fmt;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::answer::{ErrorBody, Failures};
use crate::caller::Caller;
use crate::doors::Doors;
use crate::gateway::Gateway;
use crate::message::{self, Action, MESSAGE_LEN_MAX, Request, news, reply};
use crate::problem::{Code, Problem};
use crate::service::Backend;
use crate::ticket::Ticket;

/// How long a socket may say nothing, as with API Gateway. Clients ping more often.
pub const IDLE_MAX: Duration = Duration::from_secs(10 * 60);
/// How long a socket may be open, as with API Gateway. Nobody signs again on an open one, so it must end some time.
pub const OPEN_MAX: Duration = Duration::from_secs(2 * 60 * 60);
/// How long a client may take to read one message.
const SEND_WAIT: Duration = Duration::from_secs(10);

/// What the sockets need.
#[derive(Clone)]
pub struct Sockets {
    backend: Backend,
    gateway: Gateway,
    doors: Doors,
    stop: watch::Receiver<bool>,
}

impl fmt::Debug for Sockets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sockets").finish_non_exhaustive()
    }
}

impl Sockets {
    /// Sockets that close when `stop` says so.
    pub fn new(backend: Backend, gateway: Gateway, stop: watch::Receiver<bool>) -> Self {
        Self { backend, gateway, doors: Doors::default(), stop }
    }

    /// What ends them.
    pub(crate) fn stop(&self) -> watch::Receiver<bool> {
        self.stop.clone()
    }

    /// `GET /v1/websocket`, to be protected by the gateway, and its description.
    pub fn router(self) -> (Router, OpenApi) {
        OpenApiRouter::new().routes(routes!(open)).with_state(self).split_for_parts()
    }
}

/// Opens a WebSocket for tickets and news of them
///
/// A message is `{"action":"start|cancel|accept|status|ping","requestId":"..",..}`, its reply `{"requestId":"..","ticket":{..}}` or with
/// `"error"` as over HTTP, and news is `{"type":"ticket","ticket":{..}}`. Clients that cannot set headers presign the URL.
#[utoipa::path(
    get, path = "/v1/websocket", tag = "matchmaking",
    responses(
        (status = 101, description = "It is open"),
        (status = 408, description = "The body did not come in time", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        Failures,
    ),
)]
async fn open(
    State(sockets): State<Sockets>,
    caller: Caller,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|error| Problem::new(Code::BadRequest, error.body_text()))?;
    let upgrade = upgrade.max_message_size(MESSAGE_LEN_MAX).max_frame_size(MESSAGE_LEN_MAX);
    Ok(upgrade.on_upgrade(move |socket| Open { socket, caller, sockets }.run()))
}

/// One socket.
struct Open {
    socket: WebSocket,
    caller: Caller,
    sockets: Sockets,
}

/// Why it ends: a code and a word for the client.
struct End(u16, &'static str);

impl Open {
    async fn run(mut self) {
        let End(code, reason) = self.serve().await;
        let close = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }));
        // Whoever has gone already does not hear it.
        let _ = timeout(SEND_WAIT, self.socket.send(close)).await;
        tracing::debug!(player = ?self.caller.player, code, reason, "a WebSocket has ended");
    }

    async fn serve(&mut self) -> End {
        let mut door = self.sockets.doors.open(&self.caller.player);
        let mut news_of = self.sockets.backend.watch(&self.caller.player);
        let mut stop = self.sockets.stop.clone();
        let opened = Instant::now();
        let mut heard = opened;
        loop {
            let idle = heard + IDLE_MAX;
            let said = tokio::select! {
                message = self.socket.recv() => match message {
                    None => return End(close_code::NORMAL, "bye"),
                    // Too long, or no WebSocket.
                    Some(Err(_)) => return End(close_code::PROTOCOL, "a message could not be read"),
                    Some(Ok(message)) => {
                        heard = Instant::now();
                        match message {
                            Message::Text(text) => Some(self.sockets.answer(&self.caller, &text).await),
                            Message::Binary(_) => return End(close_code::UNSUPPORTED, "messages are text"),
                            Message::Close(_) => return End(close_code::NORMAL, "bye"),
                            // axum answers pings.
                            Message::Ping(_) | Message::Pong(_) => None,
                        }
                    }
                },
                changed = news_of.changed() => {
                    if changed.is_err() {
                        return End(close_code::AGAIN, "too many watchers: poll, or come again");
                    }
                    news_of.borrow_and_update().as_ref().map(news)
                }
                () = door.replaced() => return End(close_code::POLICY, "too many sockets: a newer one is in its place"),
                () = stopped(&mut stop) => return End(close_code::RESTART, "the backend restarts"),
                () = sleep_until(idle) => return End(close_code::AWAY, "nothing was said for ten minutes"),
                () = sleep_until(opened + OPEN_MAX) => return End(close_code::AWAY, "two hours are over: sign again"),
            };
            // Alone, not among the branches: half a message must not be dropped.
            if let Some(text) = said {
                match timeout(SEND_WAIT, self.socket.send(Message::text(text))).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return End(close_code::NORMAL, "bye"),
                    Err(_) => return End(close_code::POLICY, "messages are not read"),
                }
            }
        }
    }
}

impl Sockets {
    async fn answer(&self, caller: &Caller, text: &str) -> String {
        let request: Request = match serde_json::from_str(text) {
            Ok(request) => request,
            Err(error) => {
                // Counts, so that nonsense is not free.
                let counted = self.gateway.limits().call(&caller.player);
                let problem = Problem::new(Code::BadRequest, error.to_string());
                return reply(&message::request_id(text), Err(counted.err().unwrap_or(problem)));
            }
        };
        let outcome = self.act(caller, request.action).await;
        reply(&request.request_id, outcome)
    }

    async fn act(&self, caller: &Caller, action: Action) -> Result<Option<Ticket>, Problem> {
        let limits = self.gateway.limits();
        match action {
            Action::Start { .. } => limits.start(&caller.player)?,
            _ => limits.call(&caller.player)?,
        }
        message::act(&self.backend, caller, action).await
    }
}

/// Ends when the backend does.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A dropped sender means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}
