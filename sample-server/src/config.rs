//! What a server needs to know before it starts, and what it tells while it runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use game_proto::Fingerprint;

use crate::gate::JoinRefusal;
use crate::identity::Identity;
use crate::metrics::{Departure, Metrics};
use crate::room::PlayerNumber;

/// How long an empty game session waits for players, unless told otherwise.
///
/// A reservation lasts 60 s (AWS developer guide, player session timeout); who has not come by then is not coming.
pub const EMPTY_TIMEOUT_DEFAULT: Duration = Duration::from_secs(75);

/// How long players may go on when the process is told to stop without a deadline, unless told otherwise.
pub const DRAIN_NOTICE_DEFAULT: Duration = Duration::from_secs(30);

/// Everything a server needs to know.
pub struct Config {
    /// How to reach GameLift.
    pub sdk: gamelift_server_sdk::Config,
    /// Where players connect, UDP. Port 0 takes a free one, which is then what GameLift is told.
    pub listen: SocketAddr,
    /// The certificate that players verify.
    pub identity: Identity,
    /// Files and folders that GameLift collects when the game session is over.
    pub log_paths: Vec<String>,
    /// How long players may go on when `shutdown` resolves, or when GameLift names no deadline.
    pub drain_notice: Duration,
    /// How long an empty game session waits for players.
    pub empty_timeout: Duration,
    /// Is told what happens.
    pub observer: Observer,
}

impl Config {
    /// A configuration with the defaults for all that has one.
    #[must_use]
    pub fn new(sdk: gamelift_server_sdk::Config, listen: SocketAddr, identity: Identity) -> Self {
        Self {
            sdk,
            listen,
            identity,
            log_paths: Vec::new(),
            drain_notice: DRAIN_NOTICE_DEFAULT,
            empty_timeout: EMPTY_TIMEOUT_DEFAULT,
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
    /// The server listens, and GameLift knows that it is ready to host.
    Ready {
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
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The game session that was hosted, if any.
    pub game_session_id: Option<String>,
    /// What was counted.
    pub metrics: Metrics,
}
