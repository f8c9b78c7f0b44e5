//! An endpoint that remembers what it was sent, and a service with a queue to make events with.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode, Uri},
};
use gamelift_local::{Config, Local};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time::timeout,
};

/// Nothing on loopback takes so long.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// What an endpoint was sent.
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The event itself, from whatever it is wrapped in.
    pub(crate) fn event(&self) -> Value {
        match self.body["Message"].as_str() {
            Some(message) => {
                assert_eq!(self.body["Type"], "Notification");
                serde_json::from_str(message).unwrap()
            }
            None => self.body.clone(),
        }
    }

    pub(crate) fn placement(&self) -> String {
        self.event()["detail"]["placementId"].as_str().unwrap().to_owned()
    }
}

/// A server whose next answers can be chosen; then it takes everything.
pub(crate) struct Endpoint {
    pub(crate) url: String,
    received: mpsc::UnboundedReceiver<Received>,
    answers: Arc<Mutex<VecDeque<u16>>>,
    confirms: Arc<AtomicBool>,
    _server: JoinSet<()>,
}

impl Endpoint {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, received) = mpsc::unbounded_channel();
        let answers: Arc<Mutex<VecDeque<u16>>> = Arc::default();
        let next = answers.clone();
        let confirms = Arc::new(AtomicBool::new(false));
        let confirm = confirms.clone();
        let router = Router::new().fallback(async move |uri: Uri, headers: HeaderMap, body: String| {
            let body: Value = serde_json::from_str(&body).expect("a JSON body");
            if confirm.load(Ordering::Relaxed) && body["Type"] == "SubscriptionConfirmation" {
                visit(&body["SubscribeURL"]).await;
            }
            sender.send(Received { path: uri.path().to_owned(), headers, body }).unwrap();
            let answer = next.lock().unwrap().pop_front();
            StatusCode::from_u16(answer.unwrap_or(200)).unwrap()
        });
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, received, answers, confirms, _server: server }
    }

    /// What it will answer next, in order.
    pub(crate) fn will_answer(&self, answers: &[u16]) {
        self.answers.lock().unwrap().extend(answers);
    }

    /// Visits a SubscribeURL before it answers the message with it.
    pub(crate) fn confirms_at_once(&self) {
        self.confirms.store(true, Ordering::Relaxed);
    }

    pub(crate) async fn next(&mut self) -> Received {
        timeout(LONG, self.received.recv()).await.expect("in time").expect("a running server")
    }

    /// The ids of the next placements that it is told of.
    pub(crate) async fn placements(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(self.next().await.placement());
        }
        ids
    }

    /// The ids of the placements that it has been told of.
    pub(crate) fn placements_so_far(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.received.try_recv().ok()).map(|one| one.placement()).collect()
    }

    /// Confirms a subscription that has just been made. Gives the message.
    pub(crate) async fn confirm(&mut self, path: &str) -> Received {
        let received = self.next().await;
        assert_eq!(received.path, path);
        assert_eq!(received.body["Type"], "SubscriptionConfirmation");
        visit(&received.body["SubscribeURL"]).await;
        received
    }
}

/// Follows a link of SNS.
pub(crate) async fn visit(link: &Value) -> String {
    let (status, body) = http("GET", link.as_str().unwrap(), "").await;
    assert_eq!(status, 200, "{body}");
    body
}

/// Asks the admin side, which must not refuse.
pub(crate) async fn admin(local: &Local, method: &str, path: &str, body: Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, answer) = http(method, &format!("{}{path}", local.admin_endpoint()), &body).await;
    assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
    serde_json::from_str(&answer).unwrap_or_default()
}

/// Asks the admin side until it says what it should.
pub(crate) async fn admin_until(local: &Local, path: &str, what: impl Fn(&Value) -> bool) -> Value {
    timeout(LONG, async {
        loop {
            let answer = admin(local, "GET", path, Value::Null).await;
            if what(&answer) {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("in time")
}

pub(crate) async fn http(method: &str, url: &str, body: &str) -> (u16, String) {
    let host = url.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let headers = format!("Host: {host}\r\nContent-Length: {}", body.len());
    send(method, url, &headers, body).await
}

/// A request with these headers and no body.
pub(crate) async fn asked_as(method: &str, url: &str, headers: &str) -> (u16, String) {
    send(method, url, headers, "").await
}

async fn send(method: &str, url: &str, headers: &str, body: &str) -> (u16, String) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("{method} /{path} HTTP/1.1\r\n{headers}\r\nConnection: close\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(LONG, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

/// A service with the queue `q`.
pub(crate) async fn with_queue(config: Config) -> Local {
    let local = Local::start(config).await.unwrap();
    local.call("CreateGameSessionQueue", json!({ "Name": "q" })).await.unwrap();
    local
}

/// A placement that is cancelled at once: the shortest way to an event.
pub(crate) async fn cancelled(local: &Local, id: &str) {
    cancelled_in(local, "q", id).await;
}

pub(crate) async fn cancelled_in(local: &Local, queue: &str, id: &str) {
    let body = json!({ "PlacementId": id, "GameSessionQueueName": queue, "MaximumPlayerSessionCount": 1 });
    local.call("StartGameSessionPlacement", body).await.unwrap();
    local.call("StopGameSessionPlacement", json!({ "PlacementId": id })).await.unwrap();
}
