//! The one process with AWS's GameLift and DynamoDB: credentials come from AWS's usual places, and are asked for at the start.
#![cfg(test)]
#![cfg(feature = "aws")]

use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::timeout;

/// A start takes a fraction of a second, on a machine that does nothing else.
const PATIENCE: Duration = Duration::from_secs(30);
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:matches";

/// `backend` on any port, with no credentials but what a test adds.
fn backend(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backend"));
    command
        .args(["--json", "--listen", "127.0.0.1:0", "--region", "eu-west-1"])
        .args(arguments)
        .env_clear()
        .env("AWS_CONFIG_FILE", "/nowhere")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn failed(arguments: &[&str]) -> String {
    let done = timeout(PATIENCE, backend(arguments).output()).await.unwrap().unwrap();
    let Output { status, stderr, .. } = done;
    assert!(!status.success());
    String::from_utf8(stderr).unwrap()
}

#[tokio::test]
async fn without_credentials_it_does_not_start_and_says_what_is_missing() {
    let said = failed(&["--aws", "--topic", TOPIC]).await;
    assert!(said.contains("there are no credentials for AWS"), "{said}");
}

#[tokio::test]
async fn aws_is_asked_for_with_all_that_it_needs_or_not_at_all() {
    for (arguments, expected) in [
        (&["--aws"][..], "--topic"),
        (&["--aws-table", "players"], "--aws"),
        (&["--aws", "--topic", TOPIC, "--aws-table", "players", "--table", "a.db"], "cannot be used with"),
        (&["--aws", "--topic", TOPIC, "--sns-origin", "http://127.0.0.1:9082"], "cannot be used with"),
        (&["--sns-version-1"], "required"),
    ] {
        let said = failed(arguments).await;
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn the_table_is_asked_with_the_credentials_of_the_environment() {
    let dynamodb = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", dynamodb.local_addr().unwrap());
    let arguments = ["--aws", "--topic", TOPIC, "--aws-table", "players"];
    // It keeps its secret where it is started.
    let folder = std::env::temp_dir().join(format!("backend-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let mut process = backend(&arguments)
        .current_dir(&folder)
        .env("AWS_ACCESS_KEY_ID", "AKIATEST")
        .env("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
        .env("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
        .spawn()
        .unwrap();
    let (mut stream, _) = timeout(PATIENCE, dynamodb.accept()).await.unwrap().unwrap();
    let mut asked = String::new();
    while !asked.contains("TableName") {
        let mut buffer = [0; 4096];
        let read = timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap().unwrap();
        assert!(read > 0, "{asked}");
        asked.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    assert!(asked.contains("AWS4-HMAC-SHA256 Credential=AKIATEST/"), "{asked}");
    assert!(asked.contains("/eu-west-1/dynamodb/aws4_request"), "{asked}");
    assert!(asked.contains("DynamoDB_20120810.GetItem") && asked.contains(r#""players""#), "{asked}");
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\n\r\n{}";
    stream.write_all(answer.as_bytes()).await.unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().expect("it has started");
    assert!(line.contains("eventsEndpoint") && !line.contains("secret-of-the-test"), "{line}");
    process.kill().await.unwrap();
    assert!(folder.join("backend.secret").exists());
    std::fs::remove_dir_all(&folder).unwrap();
}
