//! The gate: who may play.
//!
//! A connection is a stranger until GameLift has accepted the player session id it presented, or until it has shown that
//! it is a player who was here a moment ago.
//!
//! ```text
//!   presented                 accepted: yes
//! -----------> Asking ----------------------------> Playing ---------+
//!       |       |  ^ |                              |  ^  ^          | left for good
//!       |       |  | | not now: ask again      lost |  |  | resumed  |
//!       |       |  +-+                              v  |  |          |
//!       |       |  outcome unknown: describe        Away -+          |
//!       |       v                                   |                v
//!       |    refused                                +----------> Removing ---> forgotten
//!       |       ^                                     grace over     ^   removed
//!       +-------+                                                    |
//!                       the player went while the answer was a yes --+
//! ```
//!
//! Pure: events come in through methods that take `now`, [`Effect`]s come out of [`Gate::poll_effect`], and
//! [`Gate::poll_timeout`] says when to call [`Gate::handle_timeout`]. Resume tokens are made outside.
//!
//! # Invariants (tests/gate.rs throws random histories at them)
//!
//! 1. [`Effect::Admit`] follows a yes of the service for that very id, and nothing else; [`Effect::Resume`] follows the
//!    newest token of that very id, and nothing else.
//! 2. A connection that presented itself is admitted, refused or gone within [`ANSWER_TIMEOUT`].
//! 3. At most as many ids are taken as there are seats, and each has at most one connection.
//! 4. For each id at most one call (accept, describe or remove) is in flight.
//! 5. Whoever was accepted, or may have been, is removed again unless they play or may still come back, and nobody may
//!    for longer than the grace.
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
mod resume;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use game_proto::{Hello, PROTOCOL_VERSION};
use gamelift_server_sdk::PlayerSessionId;

pub use refusal::JoinRefusal;
pub use resume::{RESUME_TOKEN_LEN, ResumeToken};

/// How long a player waits for the service's answer.
///
/// Longer than one call of the SDK may take (20 s), so that a slow answer still gets its player in.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

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
    Admit {
        /// On this connection.
        conn: ConnId,
        /// What brings the player back if it is lost.
        token: ResumeToken,
    },
    /// The player of connection `from` is back on `conn`. If the old connection is still there, close it.
    Resume {
        /// The new connection.
        conn: ConnId,
        /// The old one.
        from: ConnId,
        /// What brings the player back the next time. The token that was used is no longer good.
        token: ResumeToken,
    },
    /// The player whose newest connection this was has lost the seat.
    Leave(ConnId),
    /// Tell the peer why, and close the connection. The gate has already forgotten it.
    Refuse(ConnId, JoinRefusal),
}

/// Whether a player whose connection ended may come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// The player wanted to go, or is not wanted.
    ForGood,
    /// The connection broke: the seat is kept for the grace.
    MayReturn,
}

enum Connection {
    /// Its id is with the service.
    Asking { id: PlayerSessionId, give_up: Instant, token: ResumeToken },
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
    Playing { conn: ConnId, token: ResumeToken },
    /// The player is in the room, but the connection is gone. The seat is given up then.
    Away { conn: ConnId, token: ResumeToken, until: Instant },
    /// RemovePlayerSession is in flight. The seat is free when GameLift knows that it is.
    Removing,
}

/// All connections of a server process, and the player session ids they presented.
pub struct Gate {
    /// How long the seat of a player who was lost is kept.
    grace: Duration,
    /// `None` until a game session is active.
    seats: Option<usize>,
    draining: bool,
    connections: BTreeMap<ConnId, Connection>,
    taken: BTreeMap<PlayerSessionId, Taken>,
    effects: VecDeque<Effect>,
}

/// What can be said about a Hello without knowing anything else: its player session id.
///
/// # Errors
/// [`JoinRefusal::BadHello`] and [`JoinRefusal::VersionMismatch`].
pub fn checked(hello: &Hello) -> Result<PlayerSessionId, JoinRefusal> {
    if hello.protocol_version != PROTOCOL_VERSION {
        return Err(JoinRefusal::VersionMismatch);
    }
    if !hello.resume_token.is_empty() && hello.resume_token.len() != RESUME_TOKEN_LEN {
        return Err(JoinRefusal::BadHello);
    }
    hello.player_session_id.parse().map_err(|_| JoinRefusal::BadHello)
}

impl Gate {
    /// A gate that lets nobody in, because there is no game session. Seats of players who are lost are kept for `grace`.
    #[must_use]
    pub fn new(grace: Duration) -> Self {
        Self {
            grace,
            seats: None,
            draining: false,
            connections: BTreeMap::new(),
            taken: BTreeMap::new(),
            effects: VecDeque::new(),
        }
    }

    /// The game session is active, and takes this many players.
    pub fn game_session_started(&mut self, seats: usize) {
        self.seats = Some(seats);
    }

    /// Lets nobody new in any more. Who is in stays, and may come back.
    pub fn drain(&mut self) {
        self.draining = true;
        let pausing = self.taken.values().filter_map(|taken| match taken {
            Taken::Pausing { conn, .. } => Some(*conn),
            _ => None,
        });
        for conn in pausing.collect::<Vec<_>>() {
            self.refuse(conn, JoinRefusal::Draining);
        }
        // An accept in flight is let land: its player is refused, and removed, when the answer comes.
    }

    /// The game is over: nobody has a seat any more.
    pub fn expel_all(&mut self) {
        let seated = self.taken.iter().filter_map(|(id, taken)| match taken {
            Taken::Playing { conn, .. } | Taken::Away { conn, .. } => Some((id.clone(), *conn)),
            _ => None,
        });
        for (id, conn) in seated.collect::<Vec<_>>() {
            self.connections.remove(&conn);
            self.give_up(&id, conn);
        }
    }

    /// A peer says who it is. `token` is random, and brings this player back if the connection is lost.
    pub fn presented(&mut self, now: Instant, conn: ConnId, hello: &Hello, token: ResumeToken) {
        let outcome = checked(hello).and_then(|id| {
            if hello.resume_token.is_empty() {
                self.newcomer(now, conn, id, token)
            } else {
                self.resume(conn, id, &hello.resume_token, token)
            }
        });
        if let Err(refusal) = outcome {
            self.refuse(conn, refusal);
        }
    }

    fn newcomer(
        &mut self,
        now: Instant,
        conn: ConnId,
        id: PlayerSessionId,
        token: ResumeToken,
    ) -> Result<(), JoinRefusal> {
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
        let asking = Connection::Asking { id: id.clone(), give_up: now + ANSWER_TIMEOUT, token };
        self.connections.insert(conn, asking);
        self.accept(id, conn, 1);
        Ok(())
    }

    /// The service is not asked: it said yes to this player session, and was not told that the player went.
    fn resume(
        &mut self,
        conn: ConnId,
        id: PlayerSessionId,
        presented: &[u8],
        fresh: ResumeToken,
    ) -> Result<(), JoinRefusal> {
        let from = match self.taken.get(&id) {
            // Still playing: the player may notice the loss before this server does.
            Some(Taken::Playing { conn, token } | Taken::Away { conn, token, .. }) if token.is(presented) => {
                *conn
            }
            _ => return Err(JoinRefusal::ResumeRefused),
        };
        self.connections.remove(&from);
        self.taken.insert(id.clone(), Taken::Playing { conn, token: fresh });
        self.connections.insert(conn, Connection::Playing { id });
        self.effects.push_back(Effect::Resume { conn, from, token: fresh });
        Ok(())
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

    /// A connection is gone.
    pub fn disconnected(&mut self, now: Instant, conn: ConnId, parting: Parting) {
        match self.connections.remove(&conn) {
            Some(Connection::Asking { id, .. }) => self.nobody_waits_for(&id),
            Some(Connection::Playing { id }) => match (parting, self.taken.get(&id)) {
                (Parting::MayReturn, Some(Taken::Playing { token, .. })) if !self.grace.is_zero() => {
                    let away = Taken::Away { conn, token: *token, until: now + self.grace };
                    self.taken.insert(id, away);
                }
                _ => self.give_up(&id, conn),
            },
            None => {}
        }
    }

    /// Refuses whoever took too long, gives up seats whose grace is over, and asks again for those whose pause is.
    pub fn handle_timeout(&mut self, now: Instant) {
        let late = self.connections.iter().filter_map(|(conn, connection)| match connection {
            Connection::Asking { give_up, .. } if *give_up <= now => Some(*conn),
            _ => None,
        });
        for conn in late.collect::<Vec<_>>() {
            self.refuse(conn, JoinRefusal::ServiceUnavailable);
        }
        let lost = self.taken.iter().filter_map(|(id, taken)| match taken {
            Taken::Away { conn, until, .. } if *until <= now => Some((id.clone(), *conn)),
            _ => None,
        });
        for (id, conn) in lost.collect::<Vec<_>>() {
            self.give_up(&id, conn);
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
            Connection::Asking { give_up, .. } => Some(*give_up),
            Connection::Playing { .. } => None,
        });
        let ids = self.taken.values().filter_map(|taken| match taken {
            Taken::Pausing { until, .. } | Taken::Away { until, .. } => Some(*until),
            _ => None,
        });
        connections.chain(ids).min()
    }

    /// What to do next. Ask until there is nothing, after every call of another method.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// How many connections wait for the service's answer.
    #[must_use]
    pub fn asking(&self) -> usize {
        self.connections.values().filter(|it| matches!(it, Connection::Asking { .. })).count()
    }

    /// How many ids are playing, away, being asked about, or being removed.
    #[must_use]
    pub fn ids_taken(&self) -> usize {
        self.taken.len()
    }

    /// Whether a newcomer would find a seat: what GameLift is told, so that it sends nobody in vain.
    #[must_use]
    pub fn takes_newcomers(&self) -> bool {
        !self.draining && self.seats.is_some_and(|seats| self.taken.len() < seats)
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
        match conn.and_then(|conn| Some((conn, self.connections.get(&conn)?))) {
            Some((conn, &Connection::Asking { token, .. })) if !self.draining => {
                self.taken.insert(id.clone(), Taken::Playing { conn, token });
                self.connections.insert(conn, Connection::Playing { id: id.clone() });
                self.effects.push_back(Effect::Admit { conn, token });
            }
            Some((conn, _)) => {
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

    fn give_up(&mut self, id: &PlayerSessionId, conn: ConnId) {
        self.effects.push_back(Effect::Leave(conn));
        self.remove(id);
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
            Some(Taken::Playing { .. } | Taken::Away { .. } | Taken::Removing) | None => {}
        }
    }
}
