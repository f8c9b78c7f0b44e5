//! The upgrade request.
//!
//! tungstenite's own server handshake decides in a synchronous callback, but only the engine's task knows
//! whether a token is valid. So its parts are put together here, with a wait in the middle.

use std::sync::Arc;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::mpsc,
};
use tokio_tungstenite::tungstenite::{
    Error,
    handshake::{
        machine::TryParse,
        server::{Request, create_response, write_response},
    },
};

use super::{HandshakeError, parse_query};
use crate::{
    driver::{FromService, Handle},
    engine::ConnectionId,
};

/// Longest request head: C++ SDKs in SigV4 mode send about 2 KiB.
const HEAD_MAX: usize = 16 * 1024;

/// Reads the upgrade request, asks the engine, and answers. Gives the stream, what the peer has sent already, and
/// the new connection.
pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    handle: &Handle,
    endpoint: Arc<str>,
    outbox: mpsc::Sender<FromService>,
) -> Result<(S, Vec<u8>, ConnectionId), HandshakeError> {
    let (request, left_over) = match read_request(&mut stream).await {
        Ok(read) => read,
        Err(error) => {
            if !matches!(error, HandshakeError::Io(_)) {
                refuse(&mut stream, 400, &error.to_string()).await?;
            }
            return Err(error);
        }
    };
    let response = match create_response(&request) {
        Ok(response) => response,
        Err(error) => {
            let error = not_an_upgrade(&error);
            refuse(&mut stream, 400, &error.to_string()).await?;
            return Err(error);
        }
    };
    let connected = match parse_query(request.uri().query().unwrap_or_default()) {
        Ok(query) => handle.connect(query, Some(endpoint), outbox).await,
        Err(refused) => Err(refused),
    };
    let connection = match connected {
        Ok(connection) => connection,
        Err(refused) => {
            refuse(&mut stream, refused.status, &refused.message).await?;
            return Err(refused.into());
        }
    };
    let mut head = Vec::new();
    let written = match write_response(&mut head, &response) {
        Ok(()) => stream.write_all(&head).await.and(stream.flush().await),
        Err(error) => Err(std::io::Error::other(error)),
    };
    if let Err(error) = written {
        handle.disconnected(connection).await;
        return Err(error.into());
    }
    Ok((stream, left_over, connection))
}

async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> Result<(Request, Vec<u8>), HandshakeError> {
    let mut head = Vec::with_capacity(1024);
    loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        match Request::try_parse(&head) {
            Ok(Some((length, request))) => return Ok((request, head.split_off(length))),
            Ok(None) if head.len() > HEAD_MAX => return Err(HandshakeError::TooLong),
            Ok(None) => {}
            Err(error) => return Err(not_an_upgrade(&error)),
        }
    }
}

/// What is wrong with a request head. Only protocol errors are repeated word for word: an error about the URI may
/// show the URI, and that holds a token.
fn not_an_upgrade(error: &Error) -> HandshakeError {
    HandshakeError::NotAnUpgrade(match error {
        Error::Protocol(rule) => rule.to_string(),
        _ => "its request line or a header cannot be read".to_owned(),
    })
}

async fn refuse<S: AsyncWrite + Unpin>(stream: &mut S, status: u16, message: &str) -> std::io::Result<()> {
    let reason = match status {
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        _ => "Service Unavailable",
    };
    let length = message.len();
    let response = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{message}"
    );
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await
}
