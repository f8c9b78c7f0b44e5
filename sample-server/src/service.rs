//! The seam between the game and GameLift: queues of plain messages.
//!
//! The game sends [`Request`]s and receives [`Notice`]s; it has no idea what is behind them. On a fleet that is
//! the server SDK ([`lifecycle`](crate::lifecycle)); in the tests of this crate it is the test.

use std::time::Duration;

use gamelift_server_sdk::{PlayerSessionCreationPolicy, PlayerSessionId};
use tokio::sync::{mpsc, oneshot, watch};

use crate::directory::Find;
use crate::gate::{AcceptAnswer, Standing};
use crate::room::PLAYERS_MAX;

/// How many requests may wait for the service side to take them: at most one per id (gate.rs, invariant 4), and at most
/// as many ids as seats. So it is never full.
pub const REQUESTS_MAX: usize = PLAYERS_MAX;

/// How many notices may wait for the game loop. It takes one up in a millisecond; when this many are waiting it has
/// hung, and the sender waits.
pub const NOTICES_MAX: usize = 64;

/// What the game wants from GameLift. Each is answered by exactly one [`Notice`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// AcceptPlayerSession, answered by [`Notice::Accepted`].
    Accept(PlayerSessionId),
    /// DescribePlayerSessions, answered by [`Notice::Described`].
    Describe(PlayerSessionId),
    /// RemovePlayerSession, answered by [`Notice::Removed`].
    Remove(PlayerSessionId),
}

/// What the game hears from GameLift.
#[derive(Debug)]
pub enum Notice {
    /// A game session is active and takes players.
    GameSessionStarted {
        /// Its id.
        game_session_id: String,
        /// Its `MaximumPlayerSessionCount`.
        seats: usize,
    },
    /// How [`Request::Accept`] went.
    Accepted(PlayerSessionId, AcceptAnswer),
    /// How [`Request::Describe`] went.
    Described(PlayerSessionId, Standing),
    /// How [`Request::Remove`] went: whether the service knows that the player is gone.
    Removed(PlayerSessionId, bool),
    /// Is the game loop alive? Its answer, and nobody else's, is what GameLift is told.
    HealthCheck(oneshot::Sender<()>),
    /// Close: let nobody in, tell the players, and give them this long.
    Drain(Duration),
}

/// The service's ends of the queues.
#[derive(Debug)]
pub struct Seam {
    /// What the game wants. `None` when the game loop is over.
    pub requests: mpsc::Receiver<Request>,
    /// What the game is told.
    pub notices: mpsc::Sender<Notice>,
    /// Whether GameLift may reserve seats. Only the newest value matters: it begins with `AcceptAll`, as game sessions do.
    pub policy: watch::Receiver<PlayerSessionCreationPolicy>,
    /// Seats to look up for other processes, too.
    pub finds: mpsc::Receiver<Find>,
}
