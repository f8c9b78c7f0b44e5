//! Events at HTTP endpoints, as Amazon SNS would bring them.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
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
const LONG: Duration = Duration::from_secs(20);

/// What an endpoint was sent.
struct Received {
    path: String,
    headers: HeaderMap,
    body: Value,
}

impl Received {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    fn placement(&self) -> String {
        assert_eq!(self.body["Type"], "Notification");
        let event: Value = serde_json::from_str(self.body["Message"].as_str().unwrap()).unwrap();
        event["detail"]["placementId"].as_str().unwrap().to_owned()
    }
}

/// A server whose next answers can be made failures.
struct Endpoint {
    url: String,
    received: mpsc::UnboundedReceiver<Received>,
    fail: Arc<AtomicUsize>,
    _server: JoinSet<()>,
}

impl Endpoint {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, received) = mpsc::unbounded_channel();
        let fail = Arc::new(AtomicUsize::new(0));
        let failing = fail.clone();
        let router = Router::new().fallback(async move |uri: Uri, headers: HeaderMap, body: String| {
            let body = serde_json::from_str(&body).expect("a JSON body");
            sender.send(Received { path: uri.path().to_owned(), headers, body }).unwrap();
            let left = failing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            if left.is_ok() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
        });
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, received, fail, _server: server }
    }

    async fn next(&mut self) -> Received {
        timeout(LONG, self.received.recv()).await.expect("in time").expect("a running server")
    }

    /// Confirms a subscription that has just been made.
    async fn confirm(&mut self, path: &str) {
        let received = self.next().await;
        assert_eq!(received.path, path);
        assert_eq!(received.body["Type"], "SubscriptionConfirmation");
        let (status, body) = http("GET", received.body["SubscribeURL"].as_str().unwrap(), "").await;
        assert_eq!(status, 200);
        assert!(body.contains("<SubscriptionArn>arn:aws:sns:"), "{body}");
    }
}

async fn http(method: &str, url: &str, body: &str) -> (u16, String) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(LONG, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

async fn with_queue(config: Config) -> Local {
    let local = Local::start(config).await.unwrap();
    let topic = "arn:aws:sns:us-west-2:123456789012:mine";
    local.call("CreateGameSessionQueue", json!({ "Name": "q", "NotificationTarget": topic })).await.unwrap();
    local
}

/// A placement that is cancelled at once: the shortest way to an event.
async fn cancelled(local: &Local, id: &str) {
    let body = json!({ "PlacementId": id, "GameSessionQueueName": "q", "MaximumPlayerSessionCount": 1 });
    local.call("StartGameSessionPlacement", body).await.unwrap();
    local.call("StopGameSessionPlacement", json!({ "PlacementId": id })).await.unwrap();
}

#[tokio::test]
async fn an_endpoint_confirms_gets_every_event_in_order_and_unsubscribes() {
    let mut endpoint = Endpoint::start().await;
    let config =
        Config { sns_subscribers: vec![format!("{}/hook", endpoint.url)], ..Config::on_free_ports() };
    let local = with_queue(config).await;
    cancelled(&local, "before-confirming").await;
    endpoint.confirm("/hook").await;
    let first = endpoint.next().await;
    assert_eq!(first.placement(), "before-confirming");
    assert_eq!(first.header("x-amz-sns-message-type"), "Notification");
    assert_eq!(first.header("x-amz-sns-topic-arn"), "arn:aws:sns:us-west-2:123456789012:mine");
    assert_eq!(first.header("x-amz-sns-message-id"), first.body["MessageId"]);
    assert!(first.header("x-amz-sns-subscription-arn").starts_with("arn:aws:sns:"));
    assert_eq!(first.header("content-type"), "text/plain; charset=UTF-8");
    assert_eq!(first.header("user-agent"), "Amazon Simple Notification Service Agent");

    let (status, pem) = http("GET", first.body["SigningCertURL"].as_str().unwrap(), "").await;
    assert_eq!(status, 200);
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{pem}");

    endpoint.fail.store(2, Ordering::SeqCst);
    cancelled(&local, "repeated").await;
    cancelled(&local, "behind").await;
    let tries = [endpoint.next().await, endpoint.next().await, endpoint.next().await];
    assert!(tries.iter().all(|one| one.placement() == "repeated"));
    assert!(tries.iter().all(|one| one.body["MessageId"] == tries[0].body["MessageId"]), "the same message");
    assert_eq!(endpoint.next().await.placement(), "behind");

    let (status, _) = http("GET", first.body["UnsubscribeURL"].as_str().unwrap(), "").await;
    assert_eq!(status, 200);
    cancelled(&local, "unheard").await;
    let body = json!({ "endpoint": format!("{}/second", endpoint.url) }).to_string();
    let (status, answer) = http("POST", &format!("{}/subscriptions", local.admin_endpoint()), &body).await;
    assert_eq!(status, 200, "{answer}");
    endpoint.confirm("/second").await;
    cancelled(&local, "second").await;
    let received = endpoint.next().await;
    assert_eq!((received.path.as_str(), received.placement().as_str()), ("/second", "second"));
}

#[tokio::test]
async fn events_up_to_a_shutdown_are_delivered() {
    let mut endpoint = Endpoint::start().await;
    let config = Config { sns_subscribers: vec![endpoint.url.clone()], ..Config::on_free_ports() };
    let local = with_queue(config).await;
    endpoint.confirm("/").await;
    for n in 0..20 {
        cancelled(&local, &n.to_string()).await;
    }
    timeout(LONG, local.shutdown()).await.unwrap();
    for n in 0..20 {
        assert_eq!(endpoint.next().await.placement(), n.to_string());
    }
}

#[tokio::test]
async fn endpoints_and_links_that_cannot_be_are_refused() {
    let local = Local::start(Config::on_free_ports()).await.unwrap();
    let admin = local.admin_endpoint();
    for body in ["", "{}", r#"{"endpoint": "https://127.0.0.1/"}"#, r#"{"endpoint": "here"}"#] {
        assert_eq!(http("POST", &format!("{admin}/subscriptions"), body).await.0, 400, "{body}");
    }
    for link in ["Action=ConfirmSubscription&Token=guessed", "Action=Unsubscribe", "Action=Dance"] {
        assert_eq!(http("GET", &format!("{admin}/sns?{link}"), "").await.0, 404, "{link}");
    }
    let subscribers = vec!["http://127.0.0.1:1/".to_owned()];
    let error =
        Local::start(Config { sns_subscribers: subscribers, ..Config::in_memory() }).await.unwrap_err();
    assert!(error.to_string().contains("--sns-subscriber"), "{error}");
}
