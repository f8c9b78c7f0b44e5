//! A QUIC game server for Amazon GameLift Servers: the code to start your own from.
//!
//! # Where things are
//!
//! | file | job |
//! |---|---|
//! | `room.rs` | the game itself: players in an arena (pure) |
//! | `gate.rs` | who may play: GameLift decides, and what happens while it has not (pure) |
//! | `game_loop.rs` | the one loop that owns both |
//! | `quic.rs` | bytes to messages and back |
//! | `service.rs` | what game and GameLift say to each other, as plain messages |
//! | `lifecycle.rs` | the server SDK behind those messages: start, health, terminate |
//! | `identity.rs` | the certificate by which players recognise the server |
//!
//! To make it your game, replace `room.rs` and `proto/game/v1/play.proto`; the rest is what any session-based game
//! needs.
//!
//! # How the parts run
//!
//! ```text
//!                   PeerMessage             Request
//!   quic (a task  ------------->  game  ------------->  lifecycle  <---->  server SDK
//!    per player)  <-------------  loop  <-------------
//!                      Link                 Notice
//! ```
//!
//! Every arrow is a bounded queue with a name for its bound. Only the lifecycle waits for GameLift and only
//! connection tasks wait for peers, so a tick is never late because somebody else is slow.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use gamelift_server_sdk::{CallError, ConnectError, Ready, ReadyErrorKind};
use quinn::Endpoint;
use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

pub mod config;
pub mod game_loop;
pub mod gate;
pub mod identity;
pub mod lifecycle;
pub mod metrics;
pub mod quic;
pub mod room;
pub mod service;

pub use config::{Config, Observation, Observer, Report};
pub use game_proto::Fingerprint;
pub use identity::Identity;
pub use metrics::Metrics;

use service::{NOTICES_MAX, REQUESTS_MAX, Seam};

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Players cannot connect: fix the address or the certificate.
    #[error(transparent)]
    Bind(#[from] quic::BindError),
    /// The bound address cannot be told.
    #[error("the address of the UDP socket is unknown")]
    Address(#[source] io::Error),
    /// GameLift cannot be reached: check URL, fleet, host and token.
    #[error("cannot connect to GameLift")]
    Connect(#[from] ConnectError),
    /// GameLift does not take the process for ready.
    #[error("GameLift does not take this process for ready")]
    Ready(#[source] ReadyErrorKind),
    /// The game session went wrong. The process has ended.
    #[error(transparent)]
    Lifecycle(#[from] lifecycle::LifecycleError),
    /// The game loop panicked. The process has ended.
    #[error("the game loop failed")]
    GameLoop(#[source] JoinError),
    /// GameLift could not be told that the process ended; it finds out by missing heartbeats.
    #[error("GameLift was not told that this process ended")]
    End(#[source] CallError),
}

/// Hosts one game session: connects to GameLift, gets ready, plays, ends.
///
/// Returns when the game session is over, or when the server was told to stop (by `shutdown` or by GameLift) and has
/// drained: players get notice, GameLift is told about each of them and then that the process is gone. That takes at
/// most [`Config::drain_notice`] plus some 30 s. Several runs may go on in one OS process.
///
/// # Errors
/// [`RunError`]. GameLift has been told that the process ended wherever that was possible.
///
/// # Cancel safety
/// Not safe: dropping the future drops the players, and GameLift sees a process that went silent. Use `shutdown`.
///
/// # Panics
/// Outside of a Tokio runtime with I/O and time.
pub async fn run(config: Config, shutdown: impl Future<Output = ()>) -> Result<Report, RunError> {
    let Config { sdk, listen, identity, log_paths, drain_notice, empty_timeout, observer } = config;
    let mut shutdown = pin!(shutdown);
    let fingerprint = identity.fingerprint();

    // First the port, because GameLift must be told which it is.
    let endpoint = quic::bind(listen, identity)?;
    let address = endpoint.local_addr().map_err(RunError::Address)?;
    let ready = log_paths.into_iter().fold(Ready::on_port(address.port()), Ready::log_path);
    let connect = async {
        let connected = sdk.connect().await?;
        connected.ready(ready).await.map_err(|error| RunError::Ready(error.kind))
    };
    let (process, mut events) = tokio::select! {
        ready = connect => ready?,
        () = &mut shutdown => return Ok(Report { game_session_id: None, metrics: Metrics::default() }),
    };

    let (seam, game) = host(endpoint, empty_timeout, observer.clone());
    observer(Observation::Ready { address, fingerprint });
    let hosted = lifecycle::serve(&mut events, seam, drain_notice, observer, shutdown).await;
    let metrics = game.await;
    // Whatever happened, GameLift should know that the process is gone, and start another.
    let ended = lifecycle::end(process).await;
    drop(events); // Only now: a process that no longer listens is taken off the service at once.

    let game_session_id = hosted?;
    let metrics = metrics.map_err(RunError::GameLoop)?;
    ended.map_err(RunError::End)?;
    Ok(Report { game_session_id, metrics })
}

/// The whole game, without GameLift: whoever holds the [`Seam`] plays GameLift's part.
///
/// The task ends as [`game_loop::run`] says, then closes the endpoint; dropping its handle aborts it.
#[must_use = "dropping the handle ends the game"]
pub fn host(
    endpoint: Endpoint,
    empty_timeout: Duration,
    observer: Observer,
) -> (Seam, AbortOnDropHandle<Metrics>) {
    let (requests, seam_requests) = mpsc::channel(REQUESTS_MAX);
    let (seam_notices, notices) = mpsc::channel(NOTICES_MAX);
    let (game, peers) = mpsc::channel(quic::PEER_MESSAGES_MAX);
    let task = tokio::spawn(async move {
        let _acceptor = AbortOnDropHandle::new(tokio::spawn(quic::accept_all(endpoint.clone(), game)));
        let metrics = game_loop::run(peers, notices, requests, empty_timeout, observer).await;
        quic::close(&endpoint).await;
        metrics
    });
    (Seam { requests: seam_requests, notices: seam_notices }, AbortOnDropHandle::new(task))
}
