//! The service itself: every resource, state and timer of it, as one value.
//!
//! API operations are methods ([`Engine::create_fleet`] and so on). The server-SDK side is
//! [`Engine::sdk_connected`], [`Engine::sdk_text`] and [`Engine::sdk_disconnected`]. What the engine wants
//! done in the world comes out of [`Engine::poll_effect`]; when it wants to be woken, [`Engine::poll_timeout`]
//! says so. Time is the argument `now`, which must not go backwards; all ids come from the seed.
//!
//! What always holds (and is what `tests/engine/properties.rs` checks):
//!
//! * a player session is in exactly one state, and taken slots never exceed a game session's maximum;
//! * a server process hosts at most one game session that is not over;
//! * a placement that waits could not be placed anywhere, and a FULFILLED one's game session has been ACTIVE;
//! * every request frame with a `RequestId` gets exactly one reply, and no push carries one.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod answers;
mod change;
mod compute;
mod connection;
mod event;
mod fleet;
mod fleet_location;
mod game_session;
mod health;
mod ids;
mod location;
mod matchmaking;
mod operator;
mod page;
mod placement;
mod player_session;
mod process;
mod queue;
mod sdk;
mod snapshot;
mod timers;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

pub use self::{
    change::{Change, ProcessName},
    event::{EVENT_TYPES, Event, SampleError, SampleRequest},
    matchmaking::{TicketOverview, TicketsOverview},
    operator::OperatorError,
    snapshot::{ComputeSnapshot, Counters, FleetSnapshot, GameSessionSnapshot, ProcessSnapshot, Snapshot},
};
use self::{
    fleet::Fleet,
    game_session::{GameSessionKey, GameSessions},
    location::CustomLocation,
    matchmaking::{MatchmakerKey, Matchmaking},
    placement::{PlacementKey, Placements},
    player_session::{PlayerSessionKey, PlayerSessions},
    process::{Process, ProcessKey},
    queue::Queues,
};
pub(crate) use self::{ids::Ids, timers::Timers};
use crate::Timestamp;

/// What the operator of the service decides.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The AWS Region in ARNs.
    pub region: String,
    /// The AWS account id in ARNs: 12 digits.
    pub account_id: String,
    /// The URL at which server processes reach the server-SDK WebSocket.
    pub sdk_endpoint: String,
    /// How long an auth token lives. AWS documents no value.
    pub token_ttl: Duration,
    /// How long a reserved slot waits for its player. AWS quota "Player session timeout".
    pub player_session_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: "us-west-2".to_owned(),
            account_id: "123456789012".to_owned(),
            sdk_endpoint: "ws://127.0.0.1:9081".to_owned(),
            token_ttl: Duration::from_secs(3 * 60 * 60),
            player_session_timeout: Duration::from_secs(60),
        }
    }
}

/// One server-SDK connection: a WebSocket, or an in-memory pair of channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

impl ConnectionId {
    /// Counts from 1.
    pub const fn number(self) -> u64 {
        self.0
    }

    #[cfg(test)]
    pub(crate) const fn for_tests(number: u64) -> Self {
        Self(number)
    }
}

/// What the engine wants done. Effects of one connection must be carried out in order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Send a text frame.
    Send {
        /// Where to.
        connection: ConnectionId,
        /// One JSON object.
        text: String,
        /// Whether it is a push: what cannot be delivered is given back to [`Engine::sdk_undelivered`].
        push: bool,
    },
    /// Send a close frame and end the connection.
    Close {
        /// Which one.
        connection: ConnectionId,
        /// The WebSocket close code; `None` ends the connection abruptly, without a close frame.
        code: Option<u16>,
    },
    /// Publish an event.
    Publish(Event),
}

/// Why an upgrade request was refused. The text holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("HTTP {status}: {message}")]
pub struct Refused {
    /// The HTTP status to answer with.
    pub status: u16,
    /// What was wrong.
    pub message: String,
}

/// The whole service. See the module documentation.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    ids: Ids,
    timers: Timers<Timer>,
    effects: VecDeque<Effect>,
    locations: BTreeMap<String, CustomLocation>,
    fleets: BTreeMap<String, Fleet>,
    processes: BTreeMap<ProcessKey, Process>,
    connections: BTreeMap<ConnectionId, ProcessKey>,
    game_sessions: GameSessions,
    player_sessions: PlayerSessions,
    queues: Queues,
    placements: Placements,
    matchmaking: Matchmaking,
    counters: Counters,
    /// Kept only if somebody watches.
    changes: Option<VecDeque<Change>>,
}

#[derive(Debug, Clone, Copy)]
enum Timer {
    /// The game session has been ACTIVATING for too long.
    Activation(GameSessionKey),
    /// The player did not come.
    Reservation(PlayerSessionKey),
    /// A health report is overdue.
    Heartbeat(ProcessKey),
    /// The process was asked to end and has not.
    EndBy(ProcessKey),
    /// Nobody needs the process any more.
    ForgetProcess(ProcessKey),
    /// The game session ended 30 days ago.
    ForgetGameSession(GameSessionKey),
    /// The placement has taken as long as its queue allows.
    PlacementTimeout(PlacementKey),
    /// Another cap on latency is in force for the placement.
    PlacementRetry(PlacementKey),
    /// A matchmaker has something to do.
    Matchmaking(MatchmakerKey),
}

impl Engine {
    /// A service without resources. The same seed and the same inputs give the same outputs.
    pub fn new(settings: Settings, seed: u64) -> Self {
        Self {
            settings,
            ids: Ids::new(seed),
            timers: Timers::default(),
            effects: VecDeque::new(),
            locations: BTreeMap::new(),
            fleets: BTreeMap::new(),
            processes: BTreeMap::new(),
            connections: BTreeMap::new(),
            game_sessions: GameSessions::default(),
            player_sessions: PlayerSessions::default(),
            queues: Queues::new(),
            placements: Placements::default(),
            matchmaking: Matchmaking::default(),
            counters: Counters::default(),
            changes: None,
        }
    }

    /// When [`Engine::tick`] should be called next, if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.timers.next_at()
    }

    /// The next thing to be done in the world.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// A frame arrived that is no text: counted, not answered.
    pub fn frame_ignored(&mut self) {
        self.counters.frames_ignored += 1;
    }

    /// Lets everything happen that is due.
    pub fn tick(&mut self, now: Timestamp) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Activation(key) => self.activation_timed_out(now, key),
                Timer::Reservation(key) => self.reservation_timed_out(now, key),
                Timer::Heartbeat(key) => self.heartbeat_missed(now, key),
                Timer::EndBy(key) => self.end_overdue(now, key),
                Timer::ForgetProcess(key) => self.forget_process(key),
                Timer::ForgetGameSession(key) => self.forget_game_session(key),
                Timer::PlacementTimeout(key) => self.placement_timed_out(now, key),
                Timer::PlacementRetry(key) => self.try_again(now, key),
                Timer::Matchmaking(key) => self.make_matches(now, key),
            }
            self.serve_lines(now);
        }
    }
}
