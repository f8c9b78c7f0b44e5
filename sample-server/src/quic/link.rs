//! What the game loop holds of a connection. Nothing here waits: the loop must not wait for a peer.

use bytes::Bytes;
use game_proto::{Input, ServerMessage, close, frame, server_message};
use quinn::{Connection, SendStream};
use tokio::sync::{mpsc, watch};

use super::LAST_WORD_TIMEOUT;
use crate::gate::JoinRefusal;

/// A way to talk to one peer.
#[derive(Debug)]
pub struct Link {
    connection: Connection,
    outgoing: mpsc::Sender<Outgoing>,
    newest_input: watch::Receiver<Input>,
    /// Bytes that were counted before.
    counted: Traffic,
}

/// Bytes on the wire, UDP payload with everything in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// From the peer.
    pub received: u64,
    /// To the peer.
    pub sent: u64,
}

#[derive(Debug)]
pub(super) enum Outgoing {
    /// Write this.
    Frame(Bytes),
    /// Write this, wait until it arrived, then close with this code and text.
    Last(Bytes, u32, &'static str),
}

impl Link {
    pub(super) fn new(
        connection: Connection,
        outgoing: mpsc::Sender<Outgoing>,
        newest_input: watch::Receiver<Input>,
    ) -> Self {
        Self { connection, outgoing, newest_input, counted: Traffic::default() }
    }

    /// The peer's newest input, if it is newer than the last time.
    pub fn take_input(&mut self) -> Option<Input> {
        match self.newest_input.has_changed() {
            Ok(true) => Some(*self.newest_input.borrow_and_update()),
            Ok(false) | Err(_) => None,
        }
    }

    /// Queues an event on the stream. A peer that leaves too many unread is closed: whether it is still there.
    pub fn send(&self, kind: server_message::Kind) -> bool {
        self.push(Outgoing::Frame(encode(kind)))
    }

    /// Sends a snapshot, unless the connection is closing. Whether it went out.
    pub fn send_snapshot(&self, snapshot: Bytes) -> bool {
        self.connection.send_datagram(snapshot).is_ok()
    }

    /// Bytes since this was asked the last time.
    pub fn new_traffic(&mut self) -> Traffic {
        let stats = self.connection.stats();
        let now = Traffic { received: stats.udp_rx.bytes, sent: stats.udp_tx.bytes };
        let before = std::mem::replace(&mut self.counted, now);
        Traffic { received: now.received - before.received, sent: now.sent - before.sent }
    }

    /// Says why, and closes.
    pub fn refuse(&self, refusal: JoinRefusal) {
        self.push(refused(refusal));
    }

    /// Closes, because the player is back on another connection.
    pub fn supersede(&self) {
        self.connection.close(close::RESUMED_ELSEWHERE.into(), b"resumed on another connection");
    }

    /// Closes, as a server that is going away does.
    pub fn close(&self) {
        self.connection.close(close::SERVER_CLOSED.into(), b"the server has closed");
    }

    fn push(&self, outgoing: Outgoing) -> bool {
        match self.outgoing.try_send(outgoing) {
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => true, // Closed: `Gone` is on its way.
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.connection.close(close::TOO_SLOW.into(), b"events are not being read");
                false
            }
        }
    }
}

fn refused(refusal: JoinRefusal) -> Outgoing {
    let message = game_proto::Refused { reason: refusal.reason().into(), detail: refusal.to_string() };
    let frame = encode(server_message::Kind::Refused(message));
    Outgoing::Last(frame, refusal.close_code(), refusal.label())
}

/// Says why, and closes, without a game loop that would.
pub(super) async fn refuse(connection: &Connection, stream: SendStream, refusal: JoinRefusal) {
    let (outgoing, queue) = mpsc::channel(1);
    outgoing.try_send(refused(refusal)).expect("the queue is new");
    write(connection, stream, queue).await;
}

fn encode(kind: server_message::Kind) -> Bytes {
    frame::encode(&ServerMessage { kind: Some(kind) })
        .expect("the server's messages are far below the frame cap")
}

/// Writes what the game loop queued, until the connection is over or the last message is out.
pub(super) async fn write(
    connection: &Connection,
    mut stream: SendStream,
    mut queue: mpsc::Receiver<Outgoing>,
) {
    while let Some(outgoing) = queue.recv().await {
        match outgoing {
            Outgoing::Frame(frame) => {
                if stream.write_chunk(frame).await.is_err() {
                    break; // The connection is over, or the peer will not read: both show as it closing.
                }
            }
            Outgoing::Last(frame, code, text) => {
                let told = async {
                    let _ = stream.write_chunk(frame).await;
                    let _ = stream.finish();
                    let _ = stream.stopped().await; // Resolves once the peer has all of it.
                };
                // The close code says the same as the message, so a peer that does not read loses only the text.
                let _ = tokio::time::timeout(LAST_WORD_TIMEOUT, told).await;
                connection.close(code.into(), text.as_bytes());
                return;
            }
        }
    }
    connection.closed().await;
}
