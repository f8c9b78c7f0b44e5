//! Real sockets on loopback: what the in-memory network cannot show. TCP, TLS 1.2 and 1.3, the WebSocket upgrade.
#![cfg(test)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use gamelift_server_sdk::wire::envelope::{ClientFrame, success_text};
use gamelift_server_sdk::wire::requests::Empty;
use gamelift_server_sdk::{Config, ConnectError, Connected, DialError, Event, Ready};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

async fn patient<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(20), future).await.expect("nothing happened for 20 s")
}

async fn listen(scheme: &str) -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, format!("{scheme}://localhost:{port}"))
}

fn config(url: &str, ca: Option<PathBuf>) -> Config {
    let builder =
        Config::builder().websocket_url(url).fleet_id("fleet-1").host_id("host-1").auth_token("s3cret");
    match ca {
        Some(ca) => builder.extra_ca(ca),
        None => builder,
    }
    .build()
    .unwrap()
}

/// Answers every request with a bare success, until the socket ends.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocketStream<S>) {
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message {
            let frame = ClientFrame::parse(&text).unwrap();
            let answer = success_text(&frame.request.action(), &frame.request_id, &Empty {});
            if socket.send(Message::text(answer)).await.is_err() {
                return;
            }
        }
    }
}

async fn get_ready_and_end(connected: Connected) {
    let (process, mut events) = connected.ready(Ready::on_port(7777)).await.unwrap();
    assert!(matches!(events.next().await, Some(Event::HealthCheck(_))));
    process.end().await.unwrap();
    assert!(events.next().await.is_none());
}

/// A certificate for localhost, its key, and a PEM file to trust it by.
struct Authority {
    tls: rcgen::CertifiedKey<rcgen::KeyPair>,
    file: PathBuf,
}

impl Authority {
    fn new(name: &str) -> Self {
        let tls = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pem"));
        std::fs::write(&file, tls.cert.pem()).unwrap();
        Self { tls, file }
    }

    fn acceptor(&self, version: &'static SupportedProtocolVersion) -> TlsAcceptor {
        let key = PrivateKeyDer::try_from(self.tls.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.tls.cert.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

#[tokio::test]
async fn a_process_lives_and_ends_over_plain_tcp() {
    let (listener, url) = listen("ws").await;
    let service = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        serve(tokio_tungstenite::accept_async(stream).await.unwrap()).await;
    });
    patient(async {
        get_ready_and_end(config(&url, None).connect().await.unwrap()).await;
        service.await.unwrap();
    })
    .await;
}

async fn over_tls(name: &str, version: &'static SupportedProtocolVersion) {
    let authority = Authority::new(name);
    let (listener, url) = listen("wss").await;
    let acceptor = authority.acceptor(version);
    let service = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let stream = acceptor.accept(stream).await.unwrap();
        assert_eq!(stream.get_ref().1.server_name(), Some("localhost"));
        serve(tokio_tungstenite::accept_async(stream).await.unwrap()).await;
    });
    patient(async {
        get_ready_and_end(config(&url, Some(authority.file)).connect().await.unwrap()).await;
        service.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_process_lives_and_ends_over_tls_1_2() {
    over_tls("tls12", &rustls::version::TLS12).await;
}

#[tokio::test]
async fn a_process_lives_and_ends_over_tls_1_3() {
    over_tls("tls13", &rustls::version::TLS13).await;
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_is_refused_and_the_error_says_what_to_do() {
    let authority = Authority::new("untrusted");
    let (listener, url) = listen("wss").await;
    let acceptor = authority.acceptor(&rustls::version::TLS13);
    let service = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        acceptor.accept(stream).await.is_err()
    });
    let error = patient(config(&url, None).connect()).await.unwrap_err();
    assert!(
        matches!(error, ConnectError::Unreachable { attempts: 1, last: DialError::Tls(_) }),
        "not tried again: {error}"
    );
    assert!(error.to_string().contains("SSL_CERT_FILE"), "{error}");
    assert!(patient(service).await.unwrap(), "nothing was sent to an unverified service");
}

#[tokio::test]
async fn a_ca_file_that_is_none_is_named() {
    let error = config("wss://localhost:1", Some("/nowhere/ca.pem".into())).connect().await.unwrap_err();
    assert!(matches!(&error, ConnectError::Tls(text) if text.contains("/nowhere/ca.pem")), "{error}");
}

#[tokio::test]
async fn a_refusal_repeats_what_the_service_said_and_never_the_token() {
    let (listener, url) = listen("ws").await;
    let service = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 2048];
        let read = stream.read(&mut head).await.unwrap();
        let body = "the auth token has expired";
        let answer = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&head[..read]).into_owned()
    });
    let error = patient(config(&url, None).connect()).await.unwrap_err().to_string();
    let head = service.await.unwrap();
    assert!(
        head.starts_with("GET /?Authorization=s3cret&ComputeId=host-1&FleetId=fleet-1&IdempotencyToken="),
        "{head}"
    );
    assert!(error.contains("403") && error.contains("the auth token has expired"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
}

/// Speaks raw frames, after the upgrade.
async fn raw(listener: &TcpListener) -> WebSocketStream<TcpStream> {
    let (stream, _) = listener.accept().await.unwrap();
    tokio_tungstenite::accept_async(stream).await.unwrap()
}

#[tokio::test]
async fn fragments_are_put_together_and_pings_in_between_are_answered() {
    let (listener, url) = listen("ws").await;
    let service = tokio::spawn(async move {
        let mut socket = raw(&listener).await;
        let Some(Ok(Message::Text(text))) = socket.next().await else { panic!("no request") };
        let frame = ClientFrame::parse(&text).unwrap();
        let answer = success_text(&frame.request.action(), &frame.request_id, &Empty {});
        let (first, second) = answer.split_at(20);
        let part = |text: &str, code, last| {
            Message::Frame(Frame::message(text.to_owned(), OpCode::Data(code), last))
        };
        socket.send(part(first, Data::Text, false)).await.unwrap();
        socket.send(Message::Ping("hello".into())).await.unwrap();
        socket.send(part(second, Data::Continue, true)).await.unwrap();
        socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
        loop {
            match socket.next().await {
                Some(Ok(Message::Pong(payload))) => return payload,
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    });
    patient(async {
        let connected = config(&url, None).connect().await.unwrap();
        let (_process, _events) = connected.ready(Ready::on_port(7777)).await.unwrap();
        assert_eq!(&service.await.unwrap()[..], b"hello");
    })
    .await;
}

#[tokio::test]
async fn a_listener_that_goes_away_and_comes_back_finds_the_process_again() {
    let (listener, url) = listen("ws").await;
    let address = listener.local_addr().unwrap();
    patient(async {
        let first = tokio::spawn(async move {
            let mut socket = raw(&listener).await;
            let Some(Ok(Message::Text(text))) = socket.next().await else { panic!("no request") };
            let frame = ClientFrame::parse(&text).unwrap();
            socket
                .send(Message::text(success_text(&frame.request.action(), &frame.request_id, &Empty {})))
                .await
                .unwrap();
        });
        let connected = config(&url, None).connect().await.unwrap();
        let (process, _events) = connected.ready(Ready::on_port(7777)).await.unwrap();
        first.await.unwrap();
        // The port is free now, and refuses for as long as it takes to bind it again.
        let listener = TcpListener::bind(address).await.unwrap();
        let service = tokio::spawn(async move { serve(raw(&listener).await).await });
        process.end().await.unwrap();
        service.await.unwrap();
    })
    .await;
}

// --- bad input ----------------------------------------------------------------------------------------------------------

/// What happens to a ready process when the service sends these bytes after the upgrade: it must be back on a new socket,
/// and its next call be answered there.
async fn survives(bytes: Vec<u8>) {
    let (listener, url) = listen("ws").await;
    let service = tokio::spawn(async move {
        let mut socket = raw(&listener).await;
        let Some(Ok(Message::Text(text))) = socket.next().await else { panic!("no request") };
        let frame = ClientFrame::parse(&text).unwrap();
        let answer = success_text(&frame.request.action(), &frame.request_id, &Empty {});
        socket.send(Message::text(answer)).await.unwrap();
        // The SDK may hang up before the last byte.
        let _ = socket.get_mut().write_all(&bytes).await;
        let _ = socket.get_mut().shutdown().await;
        serve(raw(&listener).await).await;
    });
    patient(async {
        let connected = config(&url, None).connect().await.unwrap();
        let (process, _events) = connected.ready(Ready::on_port(7777)).await.unwrap();
        process.end().await.unwrap();
        service.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_frame_with_a_reserved_opcode_costs_the_socket_and_not_the_process() {
    survives(vec![0x83, 0x02, b'{', b'}']).await;
}

#[tokio::test]
async fn a_frame_that_claims_to_be_of_any_size_is_refused_before_it_is_read() {
    let mut frame = vec![0x81, 127];
    frame.extend((1_u64 << 62).to_be_bytes());
    survives(frame).await;
}

#[tokio::test]
async fn a_message_of_more_than_4_mib_costs_the_socket_and_not_the_process() {
    let size = 5 * 1024 * 1024;
    let mut frame = vec![0x81, 127];
    frame.extend(u64::try_from(size).unwrap().to_be_bytes());
    frame.resize(frame.len() + size, b'x');
    survives(frame).await;
}

#[tokio::test]
async fn text_that_is_no_utf_8_costs_the_socket_and_not_the_process() {
    survives(vec![0x81, 0x02, 0xff, 0xfe]).await;
}

#[tokio::test]
async fn a_masked_frame_of_the_service_costs_the_socket_and_not_the_process() {
    survives(vec![0x81, 0x82, 1, 2, 3, 4, 5, 6]).await;
}

#[tokio::test]
async fn half_a_frame_and_the_end_cost_the_socket_and_not_the_process() {
    survives(vec![0x81, 0x7e, 0x01]).await;
}

/// The first connect, when what answers sends these bytes and hangs up.
async fn first_connect(scheme: &str, bytes: &'static [u8]) -> (u32, DialError) {
    let (listener, url) = listen(scheme).await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4_096];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(bytes).await;
            let _ = stream.shutdown().await;
        }
    });
    let config = Config::builder()
        .websocket_url(url)
        .fleet_id("fleet-1")
        .host_id("host-1")
        .auth_token("s3cret")
        .connect_timeout(Duration::from_millis(700))
        .build()
        .unwrap();
    match patient(config.connect()).await.map(|_| ()) {
        Err(ConnectError::Unreachable { attempts, last }) => {
            assert!(!last.to_string().contains("s3cret"), "{last}");
            (attempts, last)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_tls_handshake_cut_short_is_tried_again_and_told_as_what_it_is() {
    // The first 9 bytes of a ServerHello.
    let (attempts, last) =
        first_connect("wss", &[0x16, 0x03, 0x03, 0x00, 0x7a, 0x02, 0x00, 0x00, 0x76]).await;
    assert!(attempts >= 2, "{attempts}");
    assert!(matches!(last, DialError::Network(_)), "{last}");
}

#[tokio::test]
async fn something_else_than_tls_is_a_typed_error_and_not_tried_again() {
    let (attempts, last) = first_connect("wss", b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    assert!(matches!(last, DialError::Tls(_)), "{last}");
    assert_eq!(attempts, 1);
}

#[tokio::test]
async fn something_else_than_a_websocket_is_a_typed_error() {
    let (_, last) = first_connect("ws", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await;
    assert!(matches!(last, DialError::Refused { status: 200, .. }), "{last}");
    let odd = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n";
    let (_, last) = first_connect("ws", odd).await;
    assert!(matches!(last, DialError::Protocol(_)), "{last}");
    let (_, last) = first_connect("ws", b"garbage\r\n\r\n").await;
    assert!(matches!(last, DialError::Protocol(_)), "{last}");
}

#[tokio::test]
async fn an_expired_token_is_named_with_what_to_check() {
    let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 13\r\n\r\ntoken expired";
    let (attempts, last) = first_connect("ws", answer).await;
    assert_eq!(attempts, 1);
    let text = last.to_string();
    assert!(text.contains("token expired") && text.contains("check auth token"), "{text}");
}

#[tokio::test]
async fn a_close_code_that_no_frame_may_carry_costs_the_socket_and_not_the_process() {
    survives(vec![0x88, 0x02, 0x03, 0xee]).await;
}
