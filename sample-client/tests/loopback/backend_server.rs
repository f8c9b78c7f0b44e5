//! A backend of a few lines that says what the test says: Cognito, the gateway's signature check, the API, the WebSocket, gRPC.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use futures_util::{Stream, stream};
use game_proto::matchmaking::{self as wire, Matchmaking, MatchmakingServer};
use rustls::ServerConfig;
use sample_client::backend::{Client, ClientConfig};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::Status;

use crate::signature::{Seen, Verified, verify};

pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// With characters that have to be encoded in a URL, as Cognito's have.
pub(crate) const TOKEN: &str = "IQoJb3JpZ2luX2VjE+/=session";
pub(crate) const TICKET: &str = "ticket-1";

/// A request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn verify(&self, secret: &str) -> Result<Verified, String> {
        let Self { method, target, headers, body } = self;
        verify(&Seen { method, target, headers, body }, secret, TOKEN)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Method and path.
    pub(crate) fn line(&self) -> String {
        let path = self.target.split('?').next().unwrap_or_default();
        match self.headers.get("x-amz-target") {
            Some(operation) => operation.rsplit('.').next().unwrap_or_default().to_owned(),
            None => format!("{} {}", self.method, path.trim_start_matches("/v1")),
        }
    }
}

/// What the test says to a request.
pub(crate) type Answer = (u16, Vec<(&'static str, String)>, Value);

pub(crate) fn say(status: u16, body: Value) -> Answer {
    (status, Vec::new(), body)
}

/// A refusal in the API's shape.
pub(crate) fn refuse(status: u16, code: &str, retryable: bool) -> Answer {
    say(
        status,
        json!({ "error": { "code": code, "message": "no", "retryable": retryable }, "requestId": "r-1" }),
    )
}

pub(crate) fn ticket(version: u64, status: &str) -> Value {
    json!({
        "ticketId": TICKET, "status": status, "version": version,
        "createdAt": 0, "expiresAt": 0, "pollAfterMs": 250, "aLaterField": [1],
    })
}

pub(crate) fn placed(version: u64, connection: &Value) -> Value {
    let mut ticket = ticket(version, "SUCCEEDED");
    ticket["connection"] = connection.clone();
    ticket
}

type Script = Box<dyn FnMut(&Received) -> Answer + Send>;

struct Shared {
    script: Mutex<Script>,
    received: Mutex<Vec<Received>>,
    pushes: broadcast::Sender<String>,
    /// What the client says on its WebSocket, or `watch` when it has opened a stream.
    said: broadcast::Sender<String>,
}

/// What gRPC has to be opened with.
pub(crate) const BEARER: &str = "bearer-of-ada";

/// The answer to `POST /auth/token`.
pub(crate) fn token(token: &str) -> Answer {
    say(200, json!({ "token": token, "expiresAt": 1 }))
}

pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    task: AbortHandle,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Backend {
    /// `script` answers all requests but Cognito's and those whose signature is wrong.
    pub(crate) async fn start(script: impl FnMut(&Received) -> Answer + Send + 'static) -> Self {
        Self::serve(script, None).await
    }

    /// The same, behind TLS.
    pub(crate) async fn start_tls(
        script: impl FnMut(&Received) -> Answer + Send + 'static,
        tls: Arc<ServerConfig>,
    ) -> Self {
        Self::serve(script, Some(tls)).await
    }

    async fn serve(
        script: impl FnMut(&Received) -> Answer + Send + 'static,
        tls: Option<Arc<ServerConfig>>,
    ) -> Self {
        let shared = Arc::new(Shared {
            script: Mutex::new(Box::new(script)),
            received: Mutex::default(),
            pushes: broadcast::channel(16).0,
            said: broadcast::channel(16).0,
        });
        let grpc = MatchmakingServer::new(Grpc { shared: shared.clone() });
        let app = Router::new()
            .route_service("/matchmaking.v1.Matchmaking/{*call}", grpc)
            .fallback(serve)
            .with_state(shared.clone());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = match tls {
            Some(tls) => tokio::spawn(async move {
                let tls = TlsListener { listener, acceptor: tls.into() };
                axum::serve(tls, app).await.unwrap();
            }),
            None => tokio::spawn(async move { axum::serve(listener, app).await.unwrap() }),
        };
        Self { address, shared, task: task.abort_handle() }
    }

    pub(crate) fn config(&self) -> ClientConfig {
        ClientConfig { backend: format!("http://{}", self.address), ..ClientConfig::default() }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.config()).unwrap()
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.received().iter().map(Received::line).collect()
    }

    /// What a client will say on its WebSocket, and `watch` for each stream that it opens.
    pub(crate) fn listen(&self) -> broadcast::Receiver<String> {
        self.shared.said.subscribe()
    }

    pub(crate) fn push(&self, ticket: &Value) {
        self.shared.pushes.send(json!({ "type": "ticket", "ticket": ticket }).to_string()).unwrap();
    }
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let (mut head, body) = request.into_parts();
    let received = Received {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers: plain(&head.headers),
        body: to_bytes(body, 64 * 1024).await.unwrap().to_vec(),
    };
    shared.received.lock().unwrap().push(received.clone());
    if received.headers.contains_key("x-amz-target") {
        return cognito(&received).into_response();
    }
    if let Err(reason) = received.verify(SECRET) {
        let headers = [("x-amzn-errortype", "InvalidSignatureException")];
        return (StatusCode::FORBIDDEN, headers, json!({ "message": reason }).to_string()).into_response();
    }
    let answer = (shared.script.lock().unwrap())(&received);
    if received.target.starts_with("/v1/websocket") && answer.0 == 101 {
        let upgrade = WebSocketUpgrade::from_request_parts(&mut head, &()).await.unwrap();
        return upgrade.on_upgrade(move |socket| web_socket(socket, shared));
    }
    respond(answer)
}

fn respond((status, headers, body): Answer) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    response.body(Body::from(body)).unwrap()
}

fn plain(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
}

fn cognito(received: &Received) -> Response {
    assert!(!received.headers.contains_key("authorization"), "Cognito's calls are not signed");
    let in_an_hour = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() + 3600.0;
    let body = match received.line().as_str() {
        "GetId" => json!({ "IdentityId": "us-west-2:0123" }),
        // Scientific notation, as Cognito writes it at times.
        "GetCredentialsForIdentity" => serde_json::from_str(&format!(
            r#"{{"IdentityId":"us-west-2:0123","Credentials":{{"AccessKeyId":"ASIAEXAMPLE","SecretKey":"{SECRET}","SessionToken":"{TOKEN}","Expiration":{in_an_hour:E}}}}}"#
        ))
        .unwrap(),
        other => panic!("{other}"),
    };
    respond(say(200, body))
}

async fn web_socket(mut socket: WebSocket, shared: Arc<Shared>) {
    let mut pushes = shared.pushes.subscribe();
    loop {
        tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => {
                    let _ = shared.said.send(text.to_string()); // Not every test listens.
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
            push = pushes.recv() => {
                let Ok(push) = push else { return };
                if push.contains("hang up") || socket.send(Message::text(push)).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Ends every connection of a listener in TLS.
struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = self.listener.accept().await.unwrap();
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// The stream of tickets; players need nothing else of it.
#[derive(Clone)]
struct Grpc {
    shared: Arc<Shared>,
}

type Tickets = Pin<Box<dyn Stream<Item = Result<wire::Ticket, Status>> + Send>>;

#[tonic::async_trait]
impl Matchmaking for Grpc {
    type WatchStream = Tickets;

    async fn watch(
        &self,
        request: tonic::Request<wire::WatchRequest>,
    ) -> Result<tonic::Response<Tickets>, Status> {
        let (metadata, ..) = request.into_parts();
        let received = Received {
            method: "POST".to_owned(),
            target: "/matchmaking.v1.Matchmaking/Watch".to_owned(),
            headers: plain(metadata.as_ref()),
            body: Vec::new(),
        };
        self.shared.received.lock().unwrap().push(received.clone());
        if received.headers.get("authorization") != Some(&format!("Bearer {BEARER}")) {
            return Err(Status::unauthenticated("the token is none of ours"));
        }
        let pushes = self.shared.pushes.subscribe();
        let _ = self.shared.said.send("watch".to_owned()); // Not every test listens.
        let tickets = stream::unfold(Some(pushes), async |pushes| {
            let mut pushes = pushes?;
            let push = pushes.recv().await.ok()?;
            if push.contains("hang up") {
                return Some((Err(Status::unavailable("the backend restarts")), None));
            }
            let push: Value = serde_json::from_str(&push).unwrap();
            Some((Ok(to_wire(&push["ticket"])), Some(pushes)))
        });
        Ok(tonic::Response::new(Box::pin(tickets)))
    }

    async fn start(
        &self,
        _: tonic::Request<wire::StartRequest>,
    ) -> Result<tonic::Response<wire::Ticket>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn get(
        &self,
        _: tonic::Request<wire::GetRequest>,
    ) -> Result<tonic::Response<wire::Ticket>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn cancel(
        &self,
        _: tonic::Request<wire::CancelRequest>,
    ) -> Result<tonic::Response<wire::Ticket>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn accept(
        &self,
        _: tonic::Request<wire::AcceptRequest>,
    ) -> Result<tonic::Response<wire::Ticket>, Status> {
        Err(Status::unimplemented(""))
    }
}

/// The fields that tests set.
fn to_wire(ticket: &Value) -> wire::Ticket {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let connection = ticket.get("connection").map(|connection| wire::Connection {
        endpoints: connection["endpoints"]
            .as_array()
            .unwrap()
            .iter()
            .map(|endpoint| wire::Endpoint {
                ip: text(&endpoint["ip"]),
                dns_name: None,
                port: u32::try_from(endpoint["port"].as_u64().unwrap()).unwrap(),
            })
            .collect(),
        player_session_id: text(&connection["playerSessionId"]),
        game_session_id: text(&connection["gameSessionId"]),
        certificate_sha256: connection.get("certificateSha256").map(text),
        reserve_expires_at: None,
    });
    let status = format!("STATUS_{}", text(&ticket["status"]));
    wire::Ticket {
        ticket_id: text(&ticket["ticketId"]),
        status: wire::Status::from_str_name(&status).unwrap().into(),
        version: ticket["version"].as_u64().unwrap(),
        connection,
        poll_after_ms: ticket["pollAfterMs"].as_u64().map(|it| u32::try_from(it).unwrap()),
        ..wire::Ticket::default()
    }
}
