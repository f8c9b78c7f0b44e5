//! Events on their way out of the service.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::{path::PathBuf, time::Duration};

use gamelift_local::{Clock, Config, Local, Missed};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Nothing on loopback takes so long.
const LONG: Duration = Duration::from_secs(20);

async fn with_queue(config: Config) -> Local {
    let local = Local::start(config).await.unwrap();
    local.call("CreateGameSessionQueue", json!({ "Name": "q" })).await.unwrap();
    local
}

/// A placement that is cancelled at once: the shortest way to an event.
async fn cancelled(local: &Local, id: &str) {
    let body = json!({ "PlacementId": id, "GameSessionQueueName": "q", "MaximumPlayerSessionCount": 1 });
    local.call("StartGameSessionPlacement", body).await.unwrap();
    local.call("StopGameSessionPlacement", json!({ "PlacementId": id })).await.unwrap();
}

fn placement_of(event: &str) -> String {
    let event: Value = serde_json::from_str(event).expect("an event is JSON");
    assert_eq!(event["source"], "aws.gamelift");
    event["detail"]["placementId"].as_str().unwrap().to_owned()
}

/// A file that goes away with the test.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn new(name: &str) -> Self {
        let file = std::env::temp_dir().join(format!("gamelift-local-{}-{name}", std::process::id()));
        Self(file)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // It may never have been written.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_file_gets_every_event_as_a_line_and_is_complete_after_a_shutdown() {
    let file = TemporaryFile::new("complete.jsonl");
    for round in 0..2 {
        let local = with_queue(Config { events_file: Some(file.0.clone()), ..Config::in_memory() }).await;
        for n in 0..100 {
            cancelled(&local, &format!("{round}-{n}")).await;
        }
        local.shutdown().await;
    }
    let text = std::fs::read_to_string(&file.0).unwrap();
    let ids: Vec<_> = text.lines().map(placement_of).collect();
    let expected: Vec<_> = (0..2).flat_map(|round| (0..100).map(move |n| format!("{round}-{n}"))).collect();
    assert_eq!(ids, expected, "the second start appends");
}

/// More than a broadcast keeps for slow readers.
const CROWD: usize = 6000;

/// Lets so many placements time out in one jump.
async fn jump(local: &Local) {
    for n in 0..CROWD {
        let id = n.to_string();
        let body = json!({ "PlacementId": id, "GameSessionQueueName": "q", "MaximumPlayerSessionCount": 1 });
        local.call("StartGameSessionPlacement", body).await.unwrap();
    }
    local.advance(Duration::from_secs(3600)).await;
}

#[tokio::test]
async fn a_file_loses_no_event_of_a_jump_of_the_clock() {
    let file = TemporaryFile::new("jump.jsonl");
    let local = with_queue(Config { events_file: Some(file.0.clone()), ..Config::in_memory() }).await;
    jump(&local).await;
    timeout(LONG, local.shutdown()).await.unwrap();
    let text = std::fs::read_to_string(&file.0).unwrap();
    let mut ids: Vec<_> = text.lines().map(placement_of).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), CROWD);
}

#[tokio::test]
async fn a_reader_that_is_there_loses_no_event_of_a_jump_of_the_clock() {
    let local = with_queue(Config::in_memory()).await;
    let mut events = local.events().unwrap();
    let reader = tokio::spawn(async move {
        let mut seen = 0;
        while let Some(event) = events.next().await {
            event.unwrap();
            seen += 1;
        }
        seen
    });
    jump(&local).await;
    timeout(LONG, local.shutdown()).await.unwrap();
    assert_eq!(timeout(LONG, reader).await.unwrap().unwrap(), CROWD);
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named_with_its_option() {
    let config = Config { events_file: Some(std::env::temp_dir()), ..Config::in_memory() };
    let error = Local::start(config).await.unwrap_err().to_string();
    assert!(
        error.contains("--events") && error.contains(&*std::env::temp_dir().to_string_lossy()),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reader_sees_every_event_and_the_end() {
    let local = with_queue(Config::in_memory()).await;
    let mut events = local.events().unwrap();
    cancelled(&local, "a").await;
    cancelled(&local, "b").await;
    local.shutdown().await;
    assert_eq!(placement_of(&events.next().await.unwrap().unwrap().json), "a");
    assert_eq!(placement_of(&events.next().await.unwrap().unwrap().json), "b");
    assert!(events.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_too_slow_is_told_how_much_it_has_missed() {
    let local = with_queue(Config::in_memory()).await;
    let mut events = local.events().unwrap();
    for n in 0..4096 + 5 {
        cancelled(&local, &n.to_string()).await;
    }
    assert_eq!(events.next().await.unwrap().unwrap_err(), Missed { count: 5 });
    assert_eq!(placement_of(&events.next().await.unwrap().unwrap().json), "5");
}

#[tokio::test]
async fn the_admin_side_streams_events_until_the_service_stops() {
    let local = with_queue(Config { clock: Clock::Manual, ..Config::on_free_ports() }).await;
    let host = local.admin_endpoint().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(format!("GET /events HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await.unwrap();
    let mut text = String::new();
    read_until(&mut stream, &mut text, "\r\n\r\n").await;
    assert!(text.contains("content-type: text/event-stream"), "{text}");
    cancelled(&local, "a").await;
    read_until(&mut stream, &mut text, "\n\n").await;
    let data = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    assert_eq!(placement_of(data), "a");
    assert!(text.lines().any(|line| line.strip_prefix("id: ").is_some_and(|id| id.len() == 36)), "{text}");
    timeout(LONG, local.shutdown()).await.unwrap();
    timeout(LONG, stream.read_to_string(&mut text)).await.unwrap().unwrap();
    assert!(text.ends_with("0\r\n\r\n"), "the stream ends well: {text}");
}

async fn read_until(stream: &mut TcpStream, text: &mut String, end: &str) {
    let mut buffer = [0; 1024];
    while !text.ends_with(end) && !text.ends_with(&format!("{end}\r\n")) {
        let count = timeout(LONG, stream.read(&mut buffer)).await.unwrap().unwrap();
        assert_ne!(count, 0, "the stream ended early: {text}");
        text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
}
