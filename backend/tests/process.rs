//! The whole process: started, restarted and stopped.
#![cfg(test)]
#![cfg(feature = "local")]

use std::path::Path;
use std::time::Duration;

use backend::local::{Config, StartError, Table, start};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

/// Nobody is there: these tests are not about GameLift.
fn config() -> Config {
    let nowhere = Url::parse("http://127.0.0.1:9").unwrap();
    Config::new(nowhere.clone(), &nowhere)
}

fn on(file: &Path) -> Config {
    Config { table: Table::File(file.to_owned()), ..config() }
}

async fn cognito(address: std::net::SocketAddr, operation: &str, body: &Value) -> Value {
    let body = body.to_string();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nX-Amz-Target: AWSCognitoIdentityService.{operation}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(Duration::from_secs(10), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
}

#[tokio::test]
async fn an_identity_outlives_a_restart_on_a_file_and_not_in_memory() {
    let file = std::env::temp_dir().join(format!("backend-{}.db", uuid::Uuid::new_v4()));
    for (again, known) in [(on(&file), true), (config(), false)] {
        let first = start(on(&file)).await.unwrap();
        let pool = json!({"IdentityPoolId": first.identity_pool});
        let identity = cognito(first.address, "GetId", &pool).await;
        first.shutdown().await.unwrap();
        let second = start(again).await.unwrap();
        let answer = cognito(second.address, "GetCredentialsForIdentity", &identity).await;
        assert_eq!(answer["Credentials"]["SecretKey"].is_string(), known, "{answer}");
        second.shutdown().await.unwrap();
    }
    for ending in ["", ".secret", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        // SQLite has removed its own files already.
        let _ = std::fs::remove_file(name);
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_the_flag_that_changes_it() {
    let first = start(config()).await.unwrap();
    let taken = start(Config { listen: first.address, ..config() }).await;
    let error = taken.expect_err("the port is taken");
    assert!(matches!(error, StartError::Listen { address, .. } if address == first.address));
    assert!(error.to_string().contains("--listen"), "{error}");
    first.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_stopped_backend_lets_nobody_in() {
    let running = start(config()).await.unwrap();
    let address = running.address;
    running.shutdown().await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
