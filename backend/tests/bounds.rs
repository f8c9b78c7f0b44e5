//! What one client, or all of them, may take of the process: connections, time and identities.
#![cfg(test)]
#![cfg(feature = "local")]

use std::net::SocketAddr;
use std::time::Duration;

use backend::limits::Rates;
use backend::local::server::{HEAD_LEN_MAX, STREAMS_MAX};
use backend::local::{Bounds, Config, Running, start};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

/// All of it takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

/// Nobody is there: these tests are not about GameLift.
fn config() -> Config {
    let nowhere = Url::parse("http://127.0.0.1:9").unwrap();
    Config::new(nowhere.clone(), &nowhere)
}

async fn bounded(connections: usize, head_wait: Duration) -> Running {
    let bounds = Bounds { connections: connections.try_into().unwrap(), head_wait };
    start(Config { bounds, ..config() }).await.unwrap()
}

struct Client(TcpStream);

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    async fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// The next that comes, empty at the end.
    async fn hear(&mut self) -> Vec<u8> {
        let mut buffer = vec![0; 16 * 1024];
        let read = timeout(PATIENCE, self.0.read(&mut buffer)).await.expect("something is said, or it ends");
        // A reset is an end, too.
        buffer.truncate(read.unwrap_or(0));
        buffer
    }

    async fn ask(&mut self, text: &str) -> String {
        self.say(text).await;
        String::from_utf8(self.hear().await).unwrap()
    }

    /// Hears all until the end.
    async fn end(&mut self) -> String {
        let mut all = Vec::new();
        loop {
            let more = self.hear().await;
            if more.is_empty() {
                return String::from_utf8_lossy(&all).into_owned();
            }
            all.extend(more);
        }
    }
}

#[tokio::test]
async fn one_connection_too_many_is_turned_away_until_another_ends() {
    let running = bounded(2, PATIENCE).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut client = Client::connect(running.address).await;
        assert!(client.ask(HEALTH).await.starts_with("HTTP/1.1 204"));
        open.push(client);
    }
    for _ in 0..50 {
        let said = Client::connect(running.address).await.end().await;
        assert!(said.starts_with("HTTP/1.1 503") && said.contains("Retry-After: 1"), "{said}");
    }
    drop(open.pop());
    let healthy = async {
        loop {
            // The end of the other is noticed in a moment, and nobody says when.
            let mut client = Client::connect(running.address).await;
            if client.0.write_all(HEALTH.as_bytes()).await.is_ok()
                && client.hear().await.starts_with(b"HTTP/1.1 204")
            {
                return;
            }
        }
    };
    timeout(PATIENCE, healthy).await.expect("there is room again");
    running.shutdown().await.unwrap();
}

#[tokio::test]
async fn whoever_says_nothing_or_never_ends_a_sentence_is_cut_off() {
    let running = bounded(10, Duration::from_millis(300)).await;
    // Nothing; what may become HTTP/2; half a request; and a request, with nothing after it.
    for words in ["", "PRI * HTTP/2.0\r\n", "GET /healthz HTTP/1.1\r\nHost: a\r\n", HEALTH] {
        let mut client = Client::connect(running.address).await;
        client.say(words).await;
        let said = client.end().await;
        assert_eq!(said.starts_with("HTTP/1.1 204"), words == HEALTH, "{words:?}: {said}");
    }
    running.shutdown().await.unwrap();
}

#[tokio::test]
async fn headers_that_are_too_long_are_431() {
    let running = bounded(10, PATIENCE).await;
    let mut client = Client::connect(running.address).await;
    let long = "x".repeat(HEAD_LEN_MAX);
    let answer = client.ask(&format!("GET /healthz HTTP/1.1\r\nHost: a\r\nA: {long}\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    running.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_connection_of_http_2_has_so_many_streams() {
    let running = bounded(10, PATIENCE).await;
    let mut client = Client::connect(running.address).await;
    // The preface, and SETTINGS without any (RFC 9113, 3.4 and 6.5).
    client.say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    let said = client.hear().await;
    let length = usize::from(said[1]) << 8 | usize::from(said[2]);
    assert_eq!((said[0], said[3]), (0, 4), "SETTINGS come first: {said:?}");
    let settings = said[9..9 + length].chunks_exact(6);
    let streams = settings.filter(|setting| setting[..2] == [0, 3]).map(|setting| &setting[2..]).next();
    assert_eq!(streams, Some(&STREAMS_MAX.to_be_bytes()[..]));
    // This client does not answer a goodbye, so it is cut.
    running.shutdown().await.unwrap();
    client.end().await;
}

/// The status of one more identity.
async fn identity(running: &Running, forwarded_for: &str) -> u16 {
    let body = json!({"IdentityPoolId": running.identity_pool}).to_string();
    let mut client = Client::connect(running.address).await;
    let answer = client
        .ask(&format!(
            "POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Target: AWSCognitoIdentityService.GetId\r\nX-Forwarded-For: {forwarded_for}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
    answer[9..12].parse().unwrap()
}

async fn behind(trusted_proxies: u8) -> Running {
    let rates = Rates { identities_per_minute: 2.try_into().unwrap(), ..Rates::default() };
    start(Config { rates, trusted_proxies, ..config() }).await.unwrap()
}

#[tokio::test]
async fn a_forged_address_makes_nobody_a_stranger() {
    let running = behind(0).await;
    let mut statuses = Vec::new();
    for client in 0..4 {
        statuses.push(identity(&running, &format!("192.0.2.{client}")).await);
    }
    assert_eq!(statuses, [200, 200, 429, 429]);
    running.shutdown().await.unwrap();
}

#[tokio::test]
async fn behind_a_proxy_each_address_counts_for_itself_and_what_it_forges_does_not() {
    let running = behind(1).await;
    let mut statuses = Vec::new();
    for forged in 0..4 {
        statuses.push(identity(&running, &format!("6.6.6.{forged}, 192.0.2.1")).await);
    }
    statuses.push(identity(&running, "192.0.2.2").await);
    assert_eq!(statuses, [200, 200, 429, 429, 200]);
    running.shutdown().await.unwrap();
}
