//! An in-memory network with a service to script, for tests on virtual time (feature `test-util`).
//!
//! ```
//! use gamelift_server_sdk::{Config, Ready, test_util};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
//! let config = Config::new("ws://in.memory", "fleet-1", "host-1", "proc-1", "token")?;
//! let (network, mut service) = test_util::network();
//! let script = async {
//!     let mut socket = service.accept().await;
//!     socket.answer("ActivateServerProcess").await;
//!     socket
//! };
//! let (process, _socket) = tokio::join!(
//!     async { network.connect(config).await?.ready(Ready::on_port(7777)).await.map_err(Box::<dyn std::error::Error>::from) },
//!     script,
//! );
//! process?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, sink, stream};
use gamelift_wire::connect::ConnectQuery;
use gamelift_wire::envelope::{Action, ClientFrame, error_text, success_text};
use gamelift_wire::ids::RequestId;
use gamelift_wire::pushes::Push;
use gamelift_wire::requests::{Empty, Request};
use tokio::sync::{mpsc, oneshot};

use crate::config::Config;
use crate::error::{ConnectError, DialError};
use crate::process::Connected;
pub use crate::transport::{Dial, Incoming, Outgoing, Socket, SocketError};

/// Frames and dials under way in either direction. Tests that need more do not test what they mean to.
const QUEUE: usize = 4_096;

/// A network and the one service on it.
pub fn network() -> (Network, Service) {
    let (dials, incoming) = mpsc::channel(QUEUE);
    (Network { dials: Arc::new(dials) }, Service { incoming })
}

/// The process's side of the network. A cheap clone.
#[derive(Clone)]
pub struct Network {
    dials: Arc<mpsc::Sender<Knock>>,
}

impl Network {
    /// Connects a process to the service.
    ///
    /// # Errors
    /// As [`Config::connect`].
    pub async fn connect(&self, config: Config) -> Result<Connected, ConnectError> {
        config.connect_with(self.clone()).await
    }
}

impl Dial for Network {
    fn dial(&self, url: String) -> BoxFuture<'static, Result<Socket, DialError>> {
        let dials = self.dials.clone();
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            let nobody = || DialError::Network("nobody listens".into());
            dials.send(Knock { url, answer }).await.map_err(|_| nobody())?;
            answered.await.map_err(|_| nobody())?
        })
    }
}

/// The service: knocks come in, sockets come out.
pub struct Service {
    incoming: mpsc::Receiver<Knock>,
}

impl Service {
    /// The next attempt to connect. Never returns if there is none: wrap it in a timeout.
    pub async fn knock(&mut self) -> Knock {
        self.incoming.recv().await.expect("the test dropped the network")
    }

    /// The next attempt to connect, or `None` once nobody is left who could make one.
    pub async fn knock_or_end(&mut self) -> Option<Knock> {
        self.incoming.recv().await
    }

    /// Lets the next one in.
    pub async fn accept(&mut self) -> ServiceSocket {
        self.knock().await.accept()
    }
}

/// Somebody wants to connect. Dropping it is a refused TCP connection.
pub struct Knock {
    url: String,
    answer: oneshot::Sender<Result<Socket, DialError>>,
}

impl Knock {
    /// The URL without its query.
    pub fn endpoint(&self) -> &str {
        self.url.split('?').next().unwrap_or_default()
    }

    /// Who knocks.
    pub fn query(&self) -> ConnectQuery {
        let query = self.url.split_once('?').map_or("", |(_, query)| query);
        ConnectQuery::parse(query).expect("the SDK sends a complete query")
    }

    /// The query as it stands in the URL.
    pub fn raw_query(&self) -> &str {
        self.url.split_once('?').map_or("", |(_, query)| query)
    }

    /// Refuses the upgrade.
    pub fn refuse(self, status: u16) {
        let _ = self.answer.send(Err(DialError::Refused { status, body: String::new() }));
    }

    /// Whether the process has given up waiting.
    pub fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    /// Opens the socket.
    pub fn accept(self) -> ServiceSocket {
        let (to_service, from_process) = mpsc::channel(QUEUE);
        let (to_process, from_service) = mpsc::channel(QUEUE);
        let socket = Socket {
            sink: Box::pin(sink::unfold(to_service, |to_service, frame: Outgoing| async move {
                to_service
                    .send(frame)
                    .await
                    .map_err(|_| SocketError("the service dropped the socket".into()))?;
                Ok(to_service)
            })),
            stream: Box::pin(
                stream::unfold(from_service, |mut from_service: mpsc::Receiver<Incoming>| async move {
                    Some((Ok(from_service.recv().await?), from_service))
                })
                .fuse(),
            ),
        };
        let _ = self.answer.send(Ok(socket));
        ServiceSocket { from_process, to_process }
    }
}

/// The service's side of one socket. Dropping it is an abrupt end (a TCP reset).
pub struct ServiceSocket {
    from_process: mpsc::Receiver<Outgoing>,
    to_process: mpsc::Sender<Incoming>,
}

impl ServiceSocket {
    /// The next frame; `None` when the process dropped the socket.
    pub async fn receive(&mut self) -> Option<Outgoing> {
        self.from_process.recv().await
    }

    /// The next request.
    pub async fn request(&mut self) -> (RequestId, Request) {
        match self.receive().await {
            Some(Outgoing::Text(text)) => {
                let ClientFrame { request_id, request } =
                    ClientFrame::parse(&text).expect("the SDK sends what gamelift-wire reads");
                (request_id, request)
            }
            other => panic!("expected a request, got {other:?}"),
        }
    }

    /// Receives a request of this action and answers it with a bare success.
    pub async fn answer(&mut self, action: &str) -> Request {
        let (id, request) = self.expect(action).await;
        self.succeed(&request, &id).await;
        request
    }

    /// Receives a request of this action and does not answer it.
    pub async fn expect(&mut self, action: &str) -> (RequestId, Request) {
        let (id, request) = self.request().await;
        assert_eq!(request.action().as_str(), action);
        (id, request)
    }

    /// Answers with a bare success.
    pub async fn succeed(&mut self, request: &Request, id: &RequestId) {
        self.send_text(success_text(&request.action(), id, &Empty {})).await;
    }

    /// Answers with an error.
    pub async fn refuse(&mut self, action: &Action, id: &RequestId, status: u16, message: &str) {
        self.send_text(error_text(action, id, status, message)).await;
    }

    /// Pushes.
    pub async fn push(&mut self, push: &Push) {
        self.send_text(push.to_text()).await;
    }

    /// Sends any text.
    pub async fn send_text(&mut self, text: String) {
        self.to_process.send(Incoming::Text(text)).await.expect("the process dropped the socket");
    }

    /// Says goodbye, with a code or without, and drops the socket.
    pub async fn close(self, code: Option<u16>) {
        // Whether the process still listens does not matter to somebody who leaves.
        let _ = self.to_process.send(Incoming::Close(code)).await;
    }
}
