//! Which of the server processes behind one UDP port a player belongs to.
//!
//! A Hello that names its game session says so itself. One that does not is easy as long as one game session is active
//! here; among several, GameLift is asked once in which one the seat is (DescribePlayerSessions, which changes nothing).
//! Trying the seat on one process after the other would work, too, but would cost a refused AcceptPlayerSession for each,
//! and a stranger with a made-up id would cost the most.
//!
//! What Hello names is only a way to a process. Whether the seat is good there is for that process to ask GameLift.

use std::sync::Arc;
use std::time::Duration;

use game_proto::Hello;
use gamelift_server_sdk::PlayerSessionId;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::gate::{self, JoinRefusal};
use crate::quic::{PEER_MESSAGES_MAX, PeerMessage};

/// Seats that may wait to be looked up by one process. Beyond that players are told to try again.
pub const FINDS_MAX: usize = 64;

/// How long looking up a seat may take: one call of the SDK.
pub const FIND_TIMEOUT: Duration = Duration::from_secs(20);

/// Asks in which game session a seat is.
#[derive(Debug)]
pub struct Find {
    /// The seat.
    pub id: PlayerSessionId,
    /// Where to say so. Dropped without an answer when the service cannot be asked.
    pub answer: oneshot::Sender<Found>,
}

/// Where a seat is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// In this game session.
    In(String),
    /// Nowhere.
    Nowhere,
}

#[derive(Clone)]
struct Entry {
    number: u64,
    game_session_id: Option<String>,
    peers: mpsc::Sender<PeerMessage>,
    finds: mpsc::Sender<Find>,
}

/// The processes behind one port.
#[derive(Clone)]
pub(crate) struct Directory {
    entries: Arc<watch::Sender<Vec<Entry>>>,
}

/// A process's place in the directory. Dropping it takes the process out.
pub(crate) struct Listing {
    number: u64,
    directory: Directory,
}

impl Directory {
    pub(crate) fn new() -> Self {
        Self { entries: Arc::new(watch::Sender::new(Vec::new())) }
    }

    /// Adds a process: its place, its players, and what it is to look up.
    pub(crate) fn add(&self) -> (Listing, mpsc::Receiver<PeerMessage>, mpsc::Receiver<Find>) {
        let (peers, players) = mpsc::channel(PEER_MESSAGES_MAX);
        let (finds, to_find) = mpsc::channel(FINDS_MAX);
        let mut number = 0;
        self.entries.send_modify(|entries| {
            number = entries.last().map_or(0, |last| last.number + 1);
            entries.push(Entry { number, game_session_id: None, peers, finds });
        });
        (Listing { number, directory: self.clone() }, players, to_find)
    }

    /// The process that a Hello is for.
    pub(crate) async fn route(&self, hello: &Hello) -> Result<mpsc::Sender<PeerMessage>, JoinRefusal> {
        let id = gate::checked(hello)?;
        if !hello.game_session_id.is_empty() {
            return self.hosting(&hello.game_session_id);
        }
        let active: Vec<Entry> =
            self.entries.borrow().iter().filter(|it| it.game_session_id.is_some()).cloned().collect();
        match &active[..] {
            [] => Err(JoinRefusal::NoGameSession),
            [only] => Ok(only.peers.clone()),
            [any, ..] => match find(any, id).await? {
                Found::In(game_session_id) => self.hosting(&game_session_id),
                Found::Nowhere => Err(JoinRefusal::RefusedByService),
            },
        }
    }

    fn hosting(&self, game_session_id: &str) -> Result<mpsc::Sender<PeerMessage>, JoinRefusal> {
        let entries = self.entries.borrow();
        let host = entries.iter().find(|it| it.game_session_id.as_deref() == Some(game_session_id));
        host.map(|it| it.peers.clone()).ok_or(JoinRefusal::NoGameSession)
    }
}

async fn find(process: &Entry, id: PlayerSessionId) -> Result<Found, JoinRefusal> {
    let (answer, found) = oneshot::channel();
    process.finds.try_send(Find { id, answer }).map_err(|_| JoinRefusal::ServiceUnavailable)?;
    match timeout(FIND_TIMEOUT, found).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(_)) | Err(_) => Err(JoinRefusal::ServiceUnavailable),
    }
}

impl Listing {
    /// The process's game session is active: players may come.
    pub(crate) fn hosts(&self, game_session_id: String) {
        self.directory.entries.send_modify(|entries| {
            if let Some(entry) = entries.iter_mut().find(|it| it.number == self.number) {
                entry.game_session_id = Some(game_session_id);
            }
        });
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        self.directory.entries.send_modify(|entries| entries.retain(|it| it.number != self.number));
    }
}
