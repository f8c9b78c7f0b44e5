//! The gate: who may play.
//!
//! A connection is a stranger until GameLift has accepted the player session id it presented.
//!
//! ```text
//!  connected        hello              accepted: yes
//! ----------> Silent ------> Asking --------------------> Playing ----+
//!               |              |  ^ |                                 | disconnected
//!               | 5 s          |  | | not now: ask again              v
//!               v              |  +-+                              Removing ---> forgotten
//!            refused <---------+  outcome unknown: describe           ^  removed
//!                                                                     |
//!                       the player went while the answer was a yes ---+
//! ```
//!
//! Pure: events come in through methods that take `now`, [`Effect`]s come out of [`Gate::poll_effect`], and
//! [`Gate::poll_timeout`] says when to call [`Gate::handle_timeout`].
//!
//! # Invariants (tests/gate.rs throws random histories at them)
//!
//! 1. [`Effect::Admit`] follows a yes of the service for that very id, and nothing else.
//! 2. An unvalidated connection is admitted, refused or gone within [`HELLO_TIMEOUT`] + [`ANSWER_TIMEOUT`].
//! 3. At most [`UNVALIDATED_MAX`] connections are unvalidated; at most as many ids are taken as there are seats.
//! 4. For each id at most one call (accept, describe or remove) is in flight.
//! 5. Whoever was accepted, or may have been, is removed again unless they play.
//!
//! # When the service does not answer
//!
//! | the SDK says | the gate |
//! |---|---|
//! | refused | refuses: [`JoinRefusal::RefusedByService`] |
//! | not sent, or throttled (429) | asks again, [`ACCEPT_ATTEMPTS_MAX`] times in all, [`ACCEPT_RETRY_DELAY`] apart |
//! | outcome unknown | does *not* ask again, because accepting twice is refused even if the first accept was ours. It describes the player session. `ACTIVE`: it was our accept (nobody else hosts this game session, and this id had no other call in flight), the player is in. `RESERVED`: it did not happen, ask again. Unknown again: refuse, and remove, so that GameLift does not count a player who is not here |
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod refusal;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use game_proto::{Hello, PROTOCOL_VERSION};
use gamelift_server_sdk::PlayerSessionId;

pub use refusal::JoinRefusal;

/// How long a connection may take to say Hello. A client sends it in its first flight; five seconds are for phones
/// in tunnels.
pub const HELLO_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a player waits for the service's answer.
///
/// Longer than one call of the SDK may take (20 s), so that a slow answer still gets its player in.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Most connections that are not validated yet. A full game session of 200 may arrive at once; the rest is margin.
pub const UNVALIDATED_MAX: usize = 256;

/// How often an id is put to the service at most.
pub const ACCEPT_ATTEMPTS_MAX: u32 = 3;

/// How long to wait before asking again. The service throttles a process to one accept per second and player
/// after a burst of three (AWS developer guide, "API limits").
pub const ACCEPT_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Names a connection. Never reused, so that a late message cannot be taken for another connection's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// What AcceptPlayerSession came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptAnswer {
    /// Accepted.
    Yes,
    /// Refused: the id is unknown, used up, expired, or of another game session.
    No,
    /// It certainly had no effect, and may be asked again.
    NotNow,
    /// It may have had an effect.
    Unknown,
}

/// What DescribePlayerSessions says about an id whose accept has an unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The accept took effect.
    Active,
    /// It did not.
    Reserved,
    /// The player session is over, or there is none.
    Ended,
    /// No answer either.
    Unknown,
}

/// What the shell must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Call AcceptPlayerSession and report to [`Gate::accepted`].
    Accept(PlayerSessionId),
    /// Call DescribePlayerSessions and report to [`Gate::described`].
    Describe(PlayerSessionId),
    /// Call RemovePlayerSession and report to [`Gate::removed`].
    Remove(PlayerSessionId),
    /// Let the player in.
    Admit(ConnId),
    /// Tell the peer why, and close the connection. The gate has already forgotten it.
    Refuse(ConnId, JoinRefusal),
}

/// What came as the first message of a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum FirstMessage {
    /// A Hello that could be read. What it says is not checked yet.
    Hello(Hello),
    /// Something else.
    Garbage,
}

enum Connection {
    /// Has not said Hello.
    Silent { give_up: Instant },
    /// Its id is with the service.
    Asking { id: PlayerSessionId, give_up: Instant },
    /// Is in the room.
    Playing { id: PlayerSessionId },
}

enum Taken {
    /// AcceptPlayerSession is in flight. Without `conn` the player went, or was refused, in the meantime.
    Accepting { conn: Option<ConnId>, attempt: u32 },
    /// DescribePlayerSessions is in flight.
    Describing { conn: Option<ConnId>, attempt: u32 },
    /// Nothing is in flight; ask again then.
    Pausing { conn: ConnId, attempt: u32, until: Instant },
    /// The player is in the room.
    Playing,
    /// RemovePlayerSession is in flight. The seat is free when GameLift knows that it is.
    Removing,
}

/// All connections of a server, and the player session ids they presented.
#[derive(Default)]
pub struct Gate {
    /// `None` until a game session is active.
    seats: Option<usize>,
    draining: bool,
    connections: BTreeMap<ConnId, Connection>,
    taken: BTreeMap<PlayerSessionId, Taken>,
    effects: VecDeque<Effect>,
}

impl Gate {
    /// A gate that lets nobody in, because there is no game session.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The game session is active, and takes this many players.
    pub fn game_session_started(&mut self, seats: usize) {
        self.seats = Some(seats);
    }

    /// Lets nobody in any more. Who is in stays.
    pub fn drain(&mut self) {
        self.draining = true;
        let silent = |connection: &Connection| matches!(connection, Connection::Silent { .. });
        let pausing = self.taken.values().filter_map(|taken| match taken {
            Taken::Pausing { conn, .. } => Some(*conn),
            _ => None,
        });
        let waiting: Vec<ConnId> = self
            .connections
            .iter()
            .filter(|(_, it)| silent(it))
            .map(|(conn, _)| *conn)
            .chain(pausing)
            .collect();
        for conn in waiting {
            self.refuse(conn, JoinRefusal::Draining);
        }
        // An accept in flight is let land: its player is refused, and removed, when the answer comes.
    }

    /// A peer finished the QUIC handshake.
    pub fn connected(&mut self, now: Instant, conn: ConnId) {
        if self.draining {
            self.effects.push_back(Effect::Refuse(conn, JoinRefusal::Draining));
        } else if self.unvalidated() >= UNVALIDATED_MAX {
            self.effects.push_back(Effect::Refuse(conn, JoinRefusal::TooManyUnvalidated));
        } else {
            self.connections.insert(conn, Connection::Silent { give_up: now + HELLO_TIMEOUT });
        }
    }

    /// A peer's first message is here. Ignored unless the gate is waiting for it.
    pub fn first_message(&mut self, now: Instant, conn: ConnId, message: FirstMessage) {
        if !matches!(self.connections.get(&conn), Some(Connection::Silent { .. })) {
            return;
        }
        match self.check(message) {
            Ok(id) => {
                let asking = Connection::Asking { id: id.clone(), give_up: now + ANSWER_TIMEOUT };
                self.connections.insert(conn, asking);
                self.accept(id, conn, 1);
            }
            Err(refusal) => self.refuse(conn, refusal),
        }
    }

    /// Everything that can be said without asking the service.
    fn check(&self, message: FirstMessage) -> Result<PlayerSessionId, JoinRefusal> {
        let FirstMessage::Hello(hello) = message else { return Err(JoinRefusal::BadHello) };
        if hello.protocol_version != PROTOCOL_VERSION {
            return Err(JoinRefusal::VersionMismatch);
        }
        let id: PlayerSessionId = hello.player_session_id.parse().map_err(|_| JoinRefusal::BadHello)?;
        if self.draining {
            return Err(JoinRefusal::Draining);
        }
        let seats = self.seats.ok_or(JoinRefusal::NoGameSession)?;
        if self.taken.contains_key(&id) {
            return Err(JoinRefusal::AlreadyPresented);
        }
        if self.taken.len() >= seats {
            return Err(JoinRefusal::RoomFull);
        }
        Ok(id)
    }

    /// The service answered [`Effect::Accept`].
    pub fn accepted(&mut self, now: Instant, id: &PlayerSessionId, answer: AcceptAnswer) {
        let Some(&Taken::Accepting { conn, attempt }) = self.taken.get(id) else { return };
        match (answer, conn) {
            (AcceptAnswer::Yes, _) => self.settle_yes(id, conn),
            (AcceptAnswer::No, _) => {
                self.settle_no(id, conn, JoinRefusal::RefusedByService);
                if attempt > 1 {
                    // Perhaps refused because an earlier attempt did land, late. Removing a player who was never
                    // accepted does no harm; keeping a seat for nobody does.
                    self.remove(id);
                }
            }
            (AcceptAnswer::NotNow, _) => self.ask_again(now, id, conn, attempt),
            // Nobody waits for the truth any more: removing is right whatever it is.
            (AcceptAnswer::Unknown, None) => self.remove(id),
            (AcceptAnswer::Unknown, Some(_)) => {
                self.taken.insert(id.clone(), Taken::Describing { conn, attempt });
                self.effects.push_back(Effect::Describe(id.clone()));
            }
        }
    }

    /// The service answered [`Effect::Describe`].
    pub fn described(&mut self, now: Instant, id: &PlayerSessionId, standing: Standing) {
        let Some(&Taken::Describing { conn, attempt }) = self.taken.get(id) else { return };
        match standing {
            Standing::Active => self.settle_yes(id, conn),
            Standing::Reserved => self.ask_again(now, id, conn, attempt),
            Standing::Ended => self.settle_no(id, conn, JoinRefusal::RefusedByService),
            Standing::Unknown => {
                if let Some(conn) = conn {
                    self.refuse(conn, JoinRefusal::ServiceUnavailable);
                }
                self.remove(id);
            }
        }
    }

    /// The service answered [`Effect::Remove`], or the shell gave up on it.
    pub fn removed(&mut self, id: &PlayerSessionId) {
        if matches!(self.taken.get(id), Some(Taken::Removing)) {
            self.taken.remove(id);
        }
    }

    /// A connection is gone, for whatever reason.
    pub fn disconnected(&mut self, conn: ConnId) {
        match self.connections.remove(&conn) {
            Some(Connection::Asking { id, .. }) => self.nobody_waits_for(&id),
            Some(Connection::Playing { id }) => self.remove(&id),
            Some(Connection::Silent { .. }) | None => {}
        }
    }

    /// Refuses whoever took too long, and asks again for those whose pause is over.
    pub fn handle_timeout(&mut self, now: Instant) {
        let late: Vec<(ConnId, JoinRefusal)> = self
            .connections
            .iter()
            .filter_map(|(conn, connection)| match connection {
                Connection::Silent { give_up } if *give_up <= now => Some((*conn, JoinRefusal::HelloTimeout)),
                Connection::Asking { give_up, .. } if *give_up <= now => {
                    Some((*conn, JoinRefusal::ServiceUnavailable))
                }
                _ => None,
            })
            .collect();
        for (conn, refusal) in late {
            self.refuse(conn, refusal);
        }
        let rested: Vec<(PlayerSessionId, ConnId, u32)> = self
            .taken
            .iter()
            .filter_map(|(id, taken)| match taken {
                Taken::Pausing { conn, attempt, until } if *until <= now => {
                    Some((id.clone(), *conn, attempt + 1))
                }
                _ => None,
            })
            .collect();
        for (id, conn, attempt) in rested {
            self.accept(id, conn, attempt);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let connections = self.connections.values().filter_map(|connection| match connection {
            Connection::Silent { give_up } | Connection::Asking { give_up, .. } => Some(*give_up),
            Connection::Playing { .. } => None,
        });
        let pauses = self.taken.values().filter_map(|taken| match taken {
            Taken::Pausing { until, .. } => Some(*until),
            _ => None,
        });
        connections.chain(pauses).min()
    }

    /// What to do next. Ask until there is nothing, after every call of another method.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// How many connections are not validated.
    #[must_use]
    pub fn unvalidated(&self) -> usize {
        self.connections.values().filter(|it| !matches!(it, Connection::Playing { .. })).count()
    }

    /// How many ids are playing, being asked about, or being removed.
    #[must_use]
    pub fn ids_taken(&self) -> usize {
        self.taken.len()
    }

    fn accept(&mut self, id: PlayerSessionId, conn: ConnId, attempt: u32) {
        self.taken.insert(id.clone(), Taken::Accepting { conn: Some(conn), attempt });
        self.effects.push_back(Effect::Accept(id));
    }

    fn ask_again(&mut self, now: Instant, id: &PlayerSessionId, conn: Option<ConnId>, attempt: u32) {
        match conn {
            Some(conn) if attempt < ACCEPT_ATTEMPTS_MAX && !self.draining => {
                let until = now + ACCEPT_RETRY_DELAY;
                self.taken.insert(id.clone(), Taken::Pausing { conn, attempt, until });
            }
            _ => self.settle_no(id, conn, JoinRefusal::ServiceUnavailable),
        }
    }

    fn settle_yes(&mut self, id: &PlayerSessionId, conn: Option<ConnId>) {
        match conn {
            Some(conn) if !self.draining => {
                self.taken.insert(id.clone(), Taken::Playing);
                self.connections.insert(conn, Connection::Playing { id: id.clone() });
                self.effects.push_back(Effect::Admit(conn));
            }
            Some(conn) => {
                self.refuse(conn, JoinRefusal::Draining);
                self.remove(id);
            }
            None => self.remove(id),
        }
    }

    fn settle_no(&mut self, id: &PlayerSessionId, conn: Option<ConnId>, refusal: JoinRefusal) {
        self.taken.remove(id);
        if let Some(conn) = conn {
            self.refuse(conn, if self.draining { JoinRefusal::Draining } else { refusal });
        }
    }

    fn remove(&mut self, id: &PlayerSessionId) {
        self.taken.insert(id.clone(), Taken::Removing);
        self.effects.push_back(Effect::Remove(id.clone()));
    }

    fn refuse(&mut self, conn: ConnId, refusal: JoinRefusal) {
        if let Some(Connection::Asking { id, .. }) = self.connections.remove(&conn) {
            self.nobody_waits_for(&id);
        }
        self.effects.push_back(Effect::Refuse(conn, refusal));
    }

    /// The answer for this id, if one is due, no longer gets anybody in.
    fn nobody_waits_for(&mut self, id: &PlayerSessionId) {
        match self.taken.get_mut(id) {
            Some(Taken::Accepting { conn, .. } | Taken::Describing { conn, .. }) => *conn = None,
            Some(Taken::Pausing { .. }) => drop(self.taken.remove(id)),
            Some(Taken::Playing | Taken::Removing) | None => {}
        }
    }
}
