//! The whole line on one machine: local GameLift, game servers, the AWS SDK, players.
//!
//! | file | job |
//! |---|---|
//! | `demo/stage.rs` | what a round is played on: GameLift, a fleet, a matchmaker, server processes |
//! | `demo/fleet.rs` | an Anywhere fleet over two locations |
//! | `demo/matchmaker.rs` | a queue, the rule set `demo/arena.json`, a matchmaking configuration |
//! | `demo/backend.rs` | the backend, subscribed to GameLift's events |
//! | `demo/servers.rs` | keeps server processes running, as a fleet's host would |
//! | `demo/crowd.rs` | who plays: skills and latencies |
//! | `demo/round.rs` | one round, step by step |
//! | `demo/players.rs` | from the backend's address to a seat, for everybody at once |
//! | `demo/narrator.rs` | says what happens |
//!
//! Everything goes through public protocols: the AWS API by `aws-sdk-gamelift`, the server-SDK WebSocket, QUIC. Point the
//! same code at AWS and only the endpoint changes.

mod backend;
mod crowd;
mod fleet;
mod matchmaker;
mod narrator;
mod players;
mod round;
mod servers;
mod stage;

use std::error::Error as StdError;
use std::future::Future;
use std::time::Duration;

pub use self::narrator::Narrator;
pub use self::players::Heard;
pub use self::round::Round;
use self::stage::Stage;

/// Most players in one round: a full game session by GameLift's quota (200 player sessions) is more than a laptop that also
/// plays all the players wants at 60 Hz.
pub const PLAYERS_MAX: usize = 128;

/// How long any single step may take before the round has failed. Matchmaking takes 6 s at most, the others milliseconds.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);

/// How often to ask again for something that is about to happen.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How players hear what has become of their tickets. Those who listen ask, too, but seldom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Push {
    /// A third of the players listens on a WebSocket, a third to a gRPC stream, a third asks.
    #[default]
    Mixed,
    /// All listen on a WebSocket.
    WebSocket,
    /// All listen to a gRPC stream.
    Grpc,
    /// All ask.
    Poll,
}

/// What to play.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many players join, up to [`PLAYERS_MAX`].
    pub players: usize,
    /// How long they play.
    pub play_for: Duration,
    /// How they hear of their matches.
    pub push: Push,
    /// Any free ports instead of the well-known ones.
    pub free_ports: bool,
}

/// Why a round went wrong: which step, and what it met.
#[derive(Debug, thiserror::Error)]
#[error("{step} failed")]
pub struct DemoError {
    step: &'static str,
    #[source]
    source: Box<dyn StdError + Send + Sync>,
}

impl DemoError {
    fn new(step: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { step, source: source.into() }
    }
}

fn missing(step: &'static str, member: &str) -> DemoError {
    DemoError::new(step, format!("the answer has no {member}"))
}

/// An error with everything that led to it, on one line.
pub fn with_causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Some errors repeat their cause in their own text.
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

/// The line that `--json` prints when a round went wrong.
pub fn failure_to_json(error: &DemoError) -> String {
    serde_json::json!({"ok": false, "step": error.step, "error": with_causes(error)}).to_string()
}

/// Plays one round and takes everything down again.
///
/// # Errors
/// [`DemoError`] unless every player was matched, told, validated and played, and everybody without a player session was refused.
///
/// # Cancel safety
///
/// Dropping the future stops everything at once.
pub async fn once(options: &Options, narrator: &Narrator) -> Result<Round, DemoError> {
    let mut stage = Stage::set(options, narrator).await?;
    let played = round::play(&mut stage, options, narrator).await;
    stage.strike().await;
    let round = played?;
    narrator.result(&round);
    Ok(round)
}

/// Plays one round and stays up until `stop` resolves.
///
/// # Errors
/// As [`once`].
///
/// # Cancel safety
///
/// Dropping the future stops everything at once.
pub async fn stay(
    options: &Options,
    narrator: &Narrator,
    stop: impl Future<Output = ()>,
) -> Result<Round, DemoError> {
    let mut stage = Stage::set(options, narrator).await?;
    let played = {
        let mut stop = std::pin::pin!(stop);
        let played = tokio::select! {
            played = round::play(&mut stage, options, narrator) => played,
            () = &mut stop => Err(DemoError::new("the round", "stopped before it was over")),
        };
        if let Ok(round) = &played {
            narrator.result(round);
            narrator.invitation(&stage);
            stop.await;
        }
        played
    };
    narrator.line("\nstopping: players get notice, processes end");
    stage.strike().await;
    played
}
