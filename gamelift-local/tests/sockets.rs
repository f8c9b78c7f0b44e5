//! Over loopback, with raw frames: what only sockets can show.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use gamelift_local::{Clock, Config, Local, StartError};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    version,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Bytes, Error, Message,
        protocol::frame::{
            Frame,
            coding::{Data, OpCode},
        },
    },
};

/// Nothing on loopback takes so long.
const LONG: Duration = Duration::from_secs(20);

async fn start() -> Local {
    Local::start(Config { clock: Clock::Manual, ..Config::on_free_ports() }).await.expect("free ports")
}

fn query(local: &Local) -> String {
    let defaults = local.defaults();
    format!(
        "Authorization={}&ComputeId={}&FleetId={}&IdempotencyToken=i&pID=proc-1&sdkLanguage=Go&sdkVersion=5.6.0",
        defaults.auth_token, defaults.compute_name, defaults.fleet_id
    )
}

fn address(endpoint: &str) -> &str {
    endpoint.split_once("://").expect("a URL").1
}

async fn dial(local: &Local, path_and_query: &str) -> Result<WebSocketStream<TcpStream>, Error> {
    let stream = TcpStream::connect(address(local.sdk_endpoint())).await.expect("a listener");
    let url = format!("{}{path_and_query}", local.sdk_endpoint());
    timeout(LONG, client_async(url, stream)).await.expect("in time").map(|(socket, _)| socket)
}

async fn connect(local: &Local) -> WebSocketStream<TcpStream> {
    dial(local, &format!("/?{}", query(local))).await.expect("an upgrade")
}

async fn refused(local: &Local, path_and_query: &str) -> (u16, String) {
    match dial(local, path_and_query).await {
        Err(Error::Http(response)) => {
            let body = response.body().clone().unwrap_or_default();
            (response.status().as_u16(), String::from_utf8(body).expect("text"))
        }
        other => panic!("not refused: {other:?}"),
    }
}

async fn next<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) -> Message {
    timeout(LONG, socket.next()).await.expect("in time").expect("an open connection").expect("a frame")
}

async fn frame<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) -> Value {
    match next(socket).await {
        Message::Text(text) => serde_json::from_str(&text).expect("frames are JSON"),
        other => panic!("no text: {other:?}"),
    }
}

async fn close_code<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) -> u16 {
    match next(socket).await {
        Message::Close(Some(close)) => close.code.into(),
        other => panic!("not closed with a code: {other:?}"),
    }
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    action: &str,
    body: Value,
) -> Value {
    let mut request = json!({ "Action": action, "RequestId": action });
    for (key, value) in body.as_object().expect("an object") {
        request[key] = value.clone();
    }
    socket.send(Message::text(request.to_string())).await.expect("sent");
    frame(socket).await
}

#[tokio::test]
async fn bad_upgrades_are_refused_with_a_status_and_a_reason() {
    let local = start().await;
    let good = query(&local);
    let (status, body) =
        refused(&local, &format!("/?{}", good.replace("Authorization=", "Authorization=x"))).await;
    assert_eq!(status, 403);
    assert!(body.contains("GetComputeAuthToken"), "{body}");
    let (status, body) =
        refused(&local, &format!("/?{}", good.replace("FleetId=fleet", "FleetId=fleet-no"))).await;
    assert_eq!(status, 404);
    assert!(body.contains("FleetId"), "{body}");
    let (status, _) = refused(&local, &format!("/?{}", good.replace("ComputeId=", "ComputeId=no"))).await;
    assert_eq!(status, 404);
    assert_eq!(refused(&local, "/").await.0, 400);
}

#[tokio::test]
async fn something_else_than_an_upgrade_gets_400() {
    let local = start().await;
    for request in ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "nonsense\r\n\r\n", "POST / HTTP/1.1\r\n\r\n"] {
        let mut stream = TcpStream::connect(address(local.sdk_endpoint())).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(LONG, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
}

#[tokio::test]
async fn a_game_session_is_hosted_played_and_ended() {
    let local = start().await;
    let mut socket = dial(&local, &format!("/any/path/?{}", query(&local))).await.unwrap();
    ask(&mut socket, "ActivateServerProcess", json!({ "Port": 7777 })).await;
    ask(&mut socket, "HeartbeatServerProcess", json!({ "HealthStatus": true })).await;
    let defaults = local.defaults();
    let body = json!({ "FleetId": defaults.fleet_id, "Location": defaults.location, "MaximumPlayerSessionCount": 1 });
    local.call("CreateGameSession", body).await.unwrap();
    let arn = frame(&mut socket).await["GameSessionId"].as_str().unwrap().to_owned();
    ask(&mut socket, "ActivateGameSession", json!({ "GameSessionId": arn })).await;
    let body = json!({ "GameSessionId": arn, "PlayerId": "ada" });
    let player = local.call("CreatePlayerSession", body).await.unwrap()["PlayerSession"].clone();
    let body = json!({ "GameSessionId": arn, "PlayerSessionId": player["PlayerSessionId"] });
    assert_eq!(ask(&mut socket, "AcceptPlayerSession", body).await["StatusCode"], 200);
    assert_eq!(ask(&mut socket, "TerminateServerProcess", json!({})).await["StatusCode"], 200);
    let sessions = local.call("DescribeGameSessions", json!({ "GameSessionId": arn })).await.unwrap();
    assert_eq!(sessions["GameSessions"][0]["Status"], "TERMINATED");
}

#[tokio::test]
async fn a_message_in_fragments_with_a_ping_in_the_middle_is_read_as_one() {
    let local = start().await;
    let mut socket = connect(&local).await;
    let request = r#"{"Action":"ActivateServerProcess","RequestId":"r","Port":7777}"#;
    let (head, tail) = request.split_at(20);
    let part =
        |text: &str, data, last| Message::Frame(Frame::message(text.to_owned(), OpCode::Data(data), last));
    socket.send(part(head, Data::Text, false)).await.unwrap();
    socket.send(Message::Ping(Bytes::from_static(b"hello"))).await.unwrap();
    socket.send(part(tail, Data::Continue, true)).await.unwrap();
    assert_eq!(next(&mut socket).await, Message::Pong(Bytes::from_static(b"hello")));
    assert_eq!(frame(&mut socket).await["StatusCode"], 200);
}

#[tokio::test]
async fn a_message_of_a_megabyte_is_read_and_a_larger_one_closes_with_1009() {
    let local = start().await;
    let mut socket = connect(&local).await;
    let mut request = r#"{"Action":"Dance","RequestId":"r"}"#.to_owned();
    request.push_str(&" ".repeat(1024 * 1024 - request.len()));
    socket.send(Message::text(request.clone())).await.unwrap();
    assert_eq!(frame(&mut socket).await["StatusCode"], 400);
    request.push(' ');
    socket.send(Message::text(request)).await.unwrap();
    assert_eq!(close_code(&mut socket).await, 1009);
}

#[tokio::test]
async fn text_that_is_no_utf_8_closes_with_1007() {
    let local = start().await;
    let mut socket = connect(&local).await;
    let broken = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
    socket.send(Message::Frame(broken)).await.unwrap();
    assert_eq!(close_code(&mut socket).await, 1007);
}

#[tokio::test]
async fn binary_frames_and_json_that_is_no_object_are_ignored_and_counted() {
    let local = start().await;
    let mut socket = connect(&local).await;
    socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    socket.send(Message::text("[1]")).await.unwrap();
    assert_eq!(ask(&mut socket, "Dance", json!({})).await["StatusCode"], 400);
    assert_eq!(local.snapshot().await.unwrap().counters.frames_ignored, 2);
}

#[tokio::test]
async fn connections_are_dropped_with_a_code_or_abruptly() {
    let local = start().await;
    let mut socket = connect(&local).await;
    local.drop_sockets(Some(4000)).await;
    assert_eq!(close_code(&mut socket).await, 4000);
    let mut socket = connect(&local).await;
    local.drop_sockets(None).await;
    // Beneath the WebSocket: neither a close frame nor the end of the stream, but a reset.
    let end = timeout(LONG, socket.get_mut().read(&mut [0; 64])).await.unwrap();
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn tls_1_2_and_1_3_work_with_the_certificate_handed_out() {
    let local = start().await;
    let mut roots = RootCertStore::empty();
    let pem = local.ca_certificate_pem().expect("a certificate");
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let endpoint = local.sdk_tls_endpoint().expect("a TLS listener");
    for version in [&version::TLS12, &version::TLS13] {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        let stream = TcpStream::connect(address(endpoint)).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream =
            timeout(LONG, TlsConnector::from(Arc::new(config)).connect(name, stream)).await.unwrap().unwrap();
        let url = format!("{endpoint}/?{}", query(&local));
        let (mut socket, _) = timeout(LONG, client_async(url, stream)).await.unwrap().unwrap();
        assert_eq!(ask(&mut socket, "Dance", json!({})).await["StatusCode"], 400);
        local.refresh_connections().await;
        let refresh = frame(&mut socket).await;
        assert_eq!(refresh["RefreshConnectionEndpoint"], endpoint, "a refresh leads back to TLS");
    }
}

/// One HTTP/1.1 request over a plain socket: status and body.
async fn http(endpoint: &str, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address(endpoint)).await.unwrap();
    let request = format!("{head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(LONG, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

#[tokio::test]
async fn the_admin_side_shows_the_state_without_tokens_and_moves_the_clock() {
    let local = start().await;
    let admin = local.admin_endpoint();
    let host = format!("Host: {}", address(admin));
    let (status, body) = http(admin, &format!("GET /state HTTP/1.1\r\n{host}"), "").await;
    assert_eq!(status, 200);
    assert!(body.contains(&local.defaults().fleet_id));
    assert!(!body.contains(&local.defaults().auth_token));
    let before = local.snapshot().await.unwrap().now;
    let advance = format!("POST /clock/advance HTTP/1.1\r\n{host}");
    assert_eq!(http(admin, &advance, r#"{"seconds": 90}"#).await.0, 200);
    assert_eq!(local.snapshot().await.unwrap().now, before + Duration::from_secs(90));
    for bad in ["", "{}", r#"{"seconds": -1}"#, r#"{"seconds": 1e300}"#, r#"{"seconds": "90"}"#] {
        assert_eq!(http(admin, &advance, bad).await.0, 400, "{bad}");
    }
    let wall = Local::start(Config::on_free_ports()).await.unwrap();
    let host = address(wall.admin_endpoint());
    let advance = format!("POST /clock/advance HTTP/1.1\r\nHost: {host}");
    assert_eq!(http(wall.admin_endpoint(), &advance, r#"{"seconds": 90}"#).await.0, 400);
}

#[tokio::test]
async fn the_admin_side_refuses_foreign_hosts_and_origins() {
    let local = start().await;
    let admin = local.admin_endpoint();
    let here = address(admin).to_owned();
    let port = here.rsplit_once(':').unwrap().1.to_owned();
    for (headers, expected) in [
        (format!("Host: {here}"), 200),
        (format!("Host: localhost:{port}"), 200),
        (format!("Host: {here}\r\nOrigin: http://localhost:{port}"), 200),
        ("Host: evil.example".to_owned(), 403),
        (format!("Host: evil.example:{port}"), 403),
        ("Host: 127.0.0.1:1".to_owned(), 403),
        (format!("Host: {here}\r\nOrigin: https://evil.example"), 403),
        (format!("Host: {here}\r\nOrigin: null"), 403),
    ] {
        assert_eq!(http(admin, &format!("GET / HTTP/1.1\r\n{headers}"), "").await.0, expected, "{headers}");
    }
}

#[tokio::test]
async fn the_api_answers_over_http() {
    let local = start().await;
    let head = "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: GameLift.ListFleets";
    let (status, body) = http(local.api_endpoint(), head, "{}").await;
    assert_eq!(status, 200);
    assert_eq!(body, json!({ "FleetIds": [local.defaults().fleet_id] }).to_string());
}

#[tokio::test]
async fn a_port_in_use_is_named_with_its_option() {
    let local = start().await;
    let taken = address(local.api_endpoint()).parse().unwrap();
    let error = Local::start(Config { sdk: taken, ..Config::on_free_ports() }).await.unwrap_err();
    assert!(matches!(error, StartError::Bind { flag: "--sdk", .. }));
    assert!(error.to_string().contains(address(local.api_endpoint())), "{error}");
}

#[tokio::test]
async fn a_shutdown_closes_connections_and_frees_the_ports() {
    let local = start().await;
    let mut socket = connect(&local).await;
    let api = address(local.api_endpoint()).to_owned();
    let read = tokio::spawn(async move { close_code(&mut socket).await });
    timeout(LONG, local.shutdown()).await.unwrap();
    assert_eq!(read.await.unwrap(), 1012);
    assert!(TcpStream::connect(api).await.is_err());
}
