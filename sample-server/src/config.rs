//! What a server needs to know before it starts, and what it tells while it runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use game_proto::Fingerprint;

use crate::address_limits::ADDRESS_JOINS_PER_SECOND_DEFAULT;
use crate::gate::JoinRefusal;
use crate::identity::Identity;
use crate::metrics::{Departure, DoorCounts, Metrics};
use crate::room::PlayerNumber;

/// How long an empty game session waits for players, unless told otherwise.
///
/// A reservation lasts 60 s (AWS developer guide, player session timeout); who has not come by then is not coming.
pub const EMPTY_TIMEOUT_DEFAULT: Duration = Duration::from_secs(75);

/// How long players may go on when the process is told to stop without a deadline, unless told otherwise.
pub const DRAIN_NOTICE_DEFAULT: Duration = Duration::from_secs(30);

/// How long the seat of a player whose connection was lost is kept, unless told otherwise.
///
/// Both sides notice a loss after 10 s of silence at most; the rest is for walking out of the tunnel. The others see
/// somebody stand still for that long, and nobody else can have the seat.
pub const RESUME_GRACE_DEFAULT: Duration = Duration::from_secs(15);

/// How long a game waits for players.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// For the first one, or the next, when it is empty.
    pub empty: Duration,
    /// For one who was lost. Zero: the seat is given up at once.
    pub grace: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { empty: EMPTY_TIMEOUT_DEFAULT, grace: RESUME_GRACE_DEFAULT }
    }
}

/// Everything a server needs to know.
pub struct Config {
    /// How to reach GameLift, for each server process: at least one. Each has a process id of its own and hosts one game
    /// session; they share the port.
    pub processes: Vec<gamelift_server_sdk::Config>,
    /// Where players connect, UDP. Port 0 takes a free one, which is then what GameLift is told.
    pub listen: SocketAddr,
    /// The certificate that players verify.
    pub identity: Identity,
    /// Files and folders that GameLift collects when the game session is over.
    pub log_paths: Vec<String>,
    /// How long players may go on when `shutdown` resolves, or when GameLift names no deadline.
    pub drain_notice: Duration,
    /// How long games wait for players.
    pub times: Times,
    /// How many joins per second one address may make.
    pub joins_per_address: u32,
    /// Is told what happens.
    pub observer: Observer,
}

impl Config {
    /// One process, with the defaults for all that has one.
    #[must_use]
    pub fn new(sdk: gamelift_server_sdk::Config, listen: SocketAddr, identity: Identity) -> Self {
        Self {
            processes: vec![sdk],
            listen,
            identity,
            log_paths: Vec::new(),
            drain_notice: DRAIN_NOTICE_DEFAULT,
            times: Times::default(),
            joins_per_address: ADDRESS_JOINS_PER_SECOND_DEFAULT,
            observer: Arc::new(|_| {}),
        }
    }
}

/// Is called with every [`Observation`], from the game's own tasks: it must be quick, and must not block.
pub type Observer = Arc<dyn Fn(Observation) + Send + Sync>;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Observation {
    /// The server listens, and GameLift knows that a process of it is ready to host.
    Ready {
        /// Which process.
        process_id: String,
        /// Where it listens.
        address: SocketAddr,
        /// What players recognise it by.
        fingerprint: Fingerprint,
    },
    /// A game session is active.
    GameSessionStarted {
        /// Its id.
        game_session_id: String,
        /// For how many players.
        seats: usize,
    },
    /// A player is in.
    PlayerJoined(PlayerNumber),
    /// A player is back after a lost connection.
    PlayerResumed(PlayerNumber),
    /// A player is out.
    PlayerLeft(PlayerNumber, Departure),
    /// Somebody was turned away.
    Refused(JoinRefusal),
    /// The server is closing; players have this long.
    Draining {
        /// How long.
        notice: Duration,
    },
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Each process that ended well.
    pub processes: Vec<ProcessReport>,
    /// What happened before anybody belonged to a process.
    pub door: DoorCounts,
}

/// What one process came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessReport {
    /// Its id.
    pub process_id: String,
    /// The game session that was hosted, if any.
    pub game_session_id: Option<String>,
    /// What was counted.
    pub metrics: Metrics,
}
