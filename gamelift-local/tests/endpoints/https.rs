//! Endpoints with TLS.

use std::{path::PathBuf, sync::Arc};

use gamelift_local::{Config, Local};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::endpoint::*;

/// A file that goes away with the test.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn new(name: &str, text: &str) -> Self {
        let file = std::env::temp_dir().join(format!("gamelift-local-{}-{name}", std::process::id()));
        std::fs::write(&file, text).unwrap();
        Self(file)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The first request that comes over TLS.
async fn one_request(listener: TcpListener, acceptor: TlsAcceptor) -> Value {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        // A client that does not trust us hangs up.
        let Ok(stream) = acceptor.accept(stream).await else { continue };
        let mut stream = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            if let Some(number) = line.to_lowercase().strip_prefix("content-length:") {
                length = number.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        stream.flush().await.unwrap();
        return serde_json::from_slice(&body).unwrap();
    }
}

#[tokio::test]
async fn an_https_endpoint_is_told_if_its_certificate_is_trusted() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let trusted = TemporaryFile::new("trusted.pem", &made.cert.pem());
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let tls = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let request = tokio::spawn(one_request(listener, TlsAcceptor::from(Arc::new(tls))));

    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let other = TemporaryFile::new("other.pem", &other.cert.pem());
    let config = |ca: &TemporaryFile| Config {
        event_targets: vec![url.clone()],
        sns_ca: Some(ca.0.clone()),
        ..Config::on_free_ports()
    };
    let distrustful = with_queue(config(&other)).await;
    cancelled(&distrustful, "secret").await;
    admin_until(&distrustful, "/state", |state| state["events"]["failedAttempts"].as_u64() > Some(0)).await;
    let trusting = with_queue(config(&trusted)).await;
    cancelled(&trusting, "a").await;
    let event = timeout(LONG, request).await.unwrap().unwrap();
    assert_eq!(event["detail"]["placementId"], "a");
    let state = admin_until(&trusting, "/state", |state| state["events"]["delivered"] == 1).await;
    assert_eq!(state["events"]["failedAttempts"], json!(0));
}

#[tokio::test]
async fn a_file_of_certificates_that_is_none_is_named_with_its_option() {
    let file = TemporaryFile::new("empty.pem", "nothing");
    let config = Config { sns_ca: Some(file.0.clone()), ..Config::in_memory() };
    let error = Local::start(config).await.unwrap_err().to_string();
    assert!(error.contains("--sns-ca") && error.contains("empty.pem"), "{error}");
}
