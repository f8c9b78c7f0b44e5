//! One connection: its Hello, the way to the process it is for, then inputs in and events out.

use std::time::Duration;

use game_proto::frame::Decoder;
use game_proto::{Hello, Input, Message, close};
use quinn::{Connection, ConnectionError, RecvStream, SendStream};
use rustls::crypto::ring::default_provider;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};

use super::accept::Stranger;
use super::link::{self, Link};
use super::{EVENTS_WAITING_MAX, PeerMessage, STREAM_WINDOW};
use crate::directory::Directory;
use crate::gate::{ConnId, JoinRefusal, RESUME_TOKEN_LEN, ResumeToken};
use crate::metrics::{Departure, Door};

/// How long a connection may take to say Hello. A client sends it in its first flight; five seconds are for phones
/// in tunnels.
pub const HELLO_TIMEOUT: Duration = Duration::from_secs(5);

/// From the end of the handshake to the end of the connection.
pub(super) async fn converse(
    conn: ConnId,
    connection: Connection,
    stranger: Stranger,
    directory: &Directory,
    door: &Door,
) {
    let Some((send, receive, hello)) = meet(&connection, door).await else { return };
    let game = tokio::select! {
        game = directory.route(&hello) => game,
        ended = connection.closed() => return door.lost(departure(&ended)),
    };
    let (outgoing, queue) = mpsc::channel(EVENTS_WAITING_MAX);
    let (input, newest_input) = watch::channel(Input::default());
    let link = Link::new(connection.clone(), outgoing, newest_input);
    let taken = match game.and_then(|game| Ok((game, resume_token()?))) {
        Ok((game, token)) => match game.send(PeerMessage::Presented(conn, link, hello, token)).await {
            Ok(()) => Ok(game),
            Err(_) => Err(JoinRefusal::NoGameSession), // The process ended just now.
        },
        Err(refusal) => Err(refusal),
    };
    drop(stranger); // From here on the process's own bounds count.
    let game = match taken {
        Ok(game) => game,
        Err(refusal) => {
            door.refused(refusal);
            return link::refuse(&connection, send, refusal).await;
        }
    };
    let violation = tokio::select! {
        found = read(conn, &connection, receive, &input) => found,
        () = link::write(&connection, send, queue) => None,
    };
    let ended = connection.closed().await;
    let departure = violation.unwrap_or_else(|| departure(&ended));
    let _ = game.send(PeerMessage::Gone(conn, departure)).await; // Nobody to tell when the game loop is over.
}

/// The stream and its Hello; `None` when the peer was refused, or went.
async fn meet(connection: &Connection, door: &Door) -> Option<(SendStream, RecvStream, Hello)> {
    let deadline = Instant::now() + HELLO_TIMEOUT;
    let (send, mut receive) = match timeout_at(deadline, connection.accept_bi()).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(ended)) => {
            door.lost(departure(&ended));
            return None;
        }
        Err(_) => {
            // There is no stream to say it on: the close code has to do.
            let refusal = JoinRefusal::HelloTimeout;
            door.refused(refusal);
            connection.close(refusal.close_code().into(), refusal.label().as_bytes());
            return None;
        }
    };
    let refusal = match timeout_at(deadline, first_message(&mut receive)).await {
        Ok(Ok(Some(hello))) => return Some((send, receive, hello)),
        Ok(Ok(None)) => JoinRefusal::BadHello,
        Ok(Err(Gone)) => {
            door.lost(departure(&connection.closed().await));
            return None;
        }
        Err(_) => JoinRefusal::HelloTimeout,
    };
    door.refused(refusal);
    link::refuse(connection, send, refusal).await;
    None
}

struct Gone;

/// The first message of a connection; `None` when it is no Hello.
async fn first_message(stream: &mut RecvStream) -> Result<Option<Hello>, Gone> {
    let mut decoder = Decoder::new();
    loop {
        match decoder.next_frame() {
            Ok(Some(frame)) => return Ok(Hello::decode(frame).ok()),
            Ok(None) => {}
            Err(_) => return Ok(None),
        }
        match stream.read_chunk(STREAM_WINDOW as usize, true).await {
            Ok(Some(chunk)) => decoder.push(&chunk.bytes),
            Ok(None) => return Ok(None), // The stream ended before its first message did.
            Err(_) => return Err(Gone),
        }
    }
}

fn resume_token() -> Result<ResumeToken, JoinRefusal> {
    let mut random = [0; RESUME_TOKEN_LEN];
    match default_provider().secure_random.fill(&mut random) {
        Ok(()) => Ok(ResumeToken::new(random)),
        Err(_) => {
            tracing::error!("the system gives no random numbers: nobody can join");
            Err(JoinRefusal::ServiceUnavailable)
        }
    }
}

/// Reads inputs until the connection is over or broke the protocol.
async fn read(
    conn: ConnId,
    connection: &Connection,
    mut stream: RecvStream,
    newest_input: &watch::Sender<Input>,
) -> Option<Departure> {
    let violation = tokio::select! {
        () = anything_more(&mut stream) => "bytes after Hello",
        violation = inputs(connection, newest_input) => violation?,
    };
    tracing::info!(?conn, violation, "closing the connection");
    connection.close(close::PROTOCOL_VIOLATION.into(), violation.as_bytes());
    Some(Departure::Violation)
}

/// Returns when the peer sends something on the stream; its end is not something.
async fn anything_more(stream: &mut RecvStream) {
    match stream.read_chunk(1, true).await {
        Ok(Some(_)) => {}
        Ok(None) | Err(_) => std::future::pending().await,
    }
}

/// Keeps the newest input until the connection is over (`None`) or breaks the protocol (how).
///
/// Between two ticks only the newest input matters, so there is no queue that a flood could fill.
async fn inputs(connection: &Connection, newest: &watch::Sender<Input>) -> Option<&'static str> {
    while let Ok(datagram) = connection.read_datagram().await {
        let Ok(input) = Input::decode(datagram) else { return Some("a datagram that is no input") };
        newest.send_if_modified(|kept| {
            let newer = input.sequence > kept.sequence;
            if newer {
                *kept = input;
            }
            newer
        });
    }
    None
}

fn departure(ended: &ConnectionError) -> Departure {
    match ended {
        ConnectionError::ApplicationClosed(_) | ConnectionError::ConnectionClosed(_) => Departure::Left,
        ConnectionError::TimedOut | ConnectionError::Reset => Departure::Lost,
        ConnectionError::LocallyClosed => Departure::Closed,
        ConnectionError::VersionMismatch
        | ConnectionError::TransportError(_)
        | ConnectionError::CidsExhausted => Departure::Violation,
    }
}
