//! A QUIC game server for Amazon GameLift Servers: the code to start your own from.
//!
//! # Where things are
//!
//! | file | job |
//! |---|---|
//! | `room.rs` | the game itself: players in an arena (pure) |
//! | `gate.rs` | who may play: GameLift decides, and what happens while it has not (pure) |
//! | `game_loop.rs` | the one loop that owns both |
//! | `quic.rs` | bytes to messages and back; floods end here |
//! | `address_limits.rs` | how fast one address may join (pure) |
//! | `directory.rs` | which of several processes on the port a player belongs to |
//! | `service.rs` | what game and GameLift say to each other, as plain messages |
//! | `lifecycle.rs` | the server SDK behind those messages: start, health, terminate |
//! | `identity.rs` | the certificate by which players recognise the server |
//! | `metrics.rs` | what is counted, and the Prometheus endpoint |
//!
//! To make it your game, replace `room.rs` and `proto/game/v1/play.proto`; the rest is what any session-based game
//! needs.
//!
//! # How the parts run
//!
//! ```text
//!                                one per process
//!                       +---------------------------------+
//!          PeerMessage  |         Request                 |
//!   quic  ------------> |  game  ---------->  lifecycle   | <---->  server SDK
//!   (one) <------------ |  loop  <----------              |
//!            Link       |         Notice                  |
//!                       +---------------------------------+
//! ```
//!
//! Several processes in GameLift's sense may share one OS process and one UDP port. `quic` reads the Hello, `directory`
//! says which process it is for; apart from that they have nothing in common.
//!
//! Every arrow is a bounded queue with a name for its bound. Only the lifecycle waits for GameLift and only
//! connection tasks wait for peers, so a tick is never late because somebody else is slow.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use gamelift_server_sdk::{CallError, ConnectError, PlayerSessionCreationPolicy, Ready, ReadyErrorKind};
use quinn::Endpoint;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio_util::task::AbortOnDropHandle;

pub mod address_limits;
pub mod config;
pub mod directory;
pub mod game_loop;
pub mod gate;
pub mod identity;
pub mod lifecycle;
pub mod metrics;
pub mod quic;
pub mod room;
pub mod service;

pub use config::{Config, Observation, Observer, ProcessReport, Report, Times};
pub use game_proto::Fingerprint;
pub use identity::Identity;
pub use metrics::{DoorCounts, Metrics};

use address_limits::AddressLimits;
use directory::Directory;
use metrics::Door;
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

/// Hosts one game session per process: connects to GameLift, gets ready, plays, ends.
///
/// Returns when the game sessions of all processes are over, or when the server was told to stop (by `shutdown`, or a
/// process by GameLift) and has drained: players get notice, GameLift is told about each of them and then that the process
/// is gone. That takes at most [`Config::drain_notice`] plus some 30 s. Processes share the port and nothing else: when one
/// fails the others go on. Several runs may go on in one OS process.
///
/// # Errors
/// [`RunError`], the first if several processes failed. GameLift has been told that they ended wherever that was possible.
///
/// # Cancel safety
/// Not safe: dropping the future drops the players, and GameLift sees processes that went silent. Use `shutdown`.
///
/// # Panics
/// Outside of a Tokio runtime with I/O and time.
pub async fn run(config: Config, shutdown: impl Future<Output = ()>) -> Result<Report, RunError> {
    let Config { processes, listen, identity, log_paths, drain_notice, times, joins_per_address, observer } =
        config;
    let fingerprint = identity.fingerprint();
    // First the port, because GameLift must be told which it is.
    let endpoint = quic::bind(listen, identity)?;
    let address = endpoint.local_addr().map_err(RunError::Address)?;
    let front = Arc::new(Front::open(endpoint, joins_per_address));

    let (stop, stopped) = watch::channel(false);
    let mut running = JoinSet::new();
    for sdk in processes {
        let process = Process {
            sdk,
            ready: log_paths.iter().cloned().fold(Ready::on_port(address.port()), Ready::log_path),
            drain_notice,
            times,
            observer: observer.clone(),
            address,
            fingerprint,
        };
        running.spawn(process.run(front.clone(), stopped.clone()));
    }
    drop(stopped);

    let mut shutdown = pin!(shutdown);
    let (mut reports, mut failure) = (Vec::new(), None);
    loop {
        let ended = tokio::select! {
            ended = running.join_next() => ended,
            () = &mut shutdown, if !*stop.borrow() => {
                stop.send_replace(true);
                continue;
            }
        };
        match ended {
            None => break,
            Some(Ok(Ok(report))) => reports.extend(report),
            Some(Ok(Err(error))) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a server process failed");
                failure.get_or_insert(error);
            }
            Some(Err(error)) => {
                failure.get_or_insert(RunError::GameLoop(error));
            }
        }
    }
    let door = front.close().await;
    match failure {
        Some(error) => Err(error),
        None => Ok(Report { processes: reports, door }),
    }
}

/// One server process in GameLift's sense.
struct Process {
    sdk: gamelift_server_sdk::Config,
    ready: Ready,
    drain_notice: Duration,
    times: Times,
    observer: Observer,
    address: SocketAddr,
    fingerprint: Fingerprint,
}

impl Process {
    /// `None` when it was stopped before it was ready.
    async fn run(
        self,
        front: Arc<Front>,
        mut stopped: watch::Receiver<bool>,
    ) -> Result<Option<ProcessReport>, RunError> {
        let Self { sdk, ready, drain_notice, times, observer, address, fingerprint } = self;
        let process_id = sdk.process_id().to_owned();
        let shutdown = async move {
            if stopped.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await; // The run was dropped, and this with it.
            }
        };
        let mut shutdown = pin!(shutdown);
        let connect = async {
            let connected = sdk.connect().await?;
            connected.ready(ready).await.map_err(|error| RunError::Ready(error.kind))
        };
        let (process, mut events) = tokio::select! {
            ready = connect => ready?,
            () = &mut shutdown => return Ok(None),
        };

        let (seam, game) = front.host(times, observer.clone());
        observer(Observation::Ready { process_id: process_id.clone(), address, fingerprint });
        let hosted = lifecycle::serve(&mut events, seam, drain_notice, observer, shutdown).await;
        let metrics = game.await;
        // Whatever happened, GameLift should know that the process is gone, and start another.
        let ended = lifecycle::end(process).await;
        drop(events); // Only now: a process that no longer listens is taken off the service at once.

        let game_session_id = hosted?;
        let metrics = metrics.map_err(RunError::GameLoop)?;
        ended.map_err(RunError::End)?;
        Ok(Some(ProcessReport { process_id, game_session_id, metrics }))
    }
}

/// One UDP port and the games behind it. Dropping it drops the connections.
pub struct Front {
    endpoint: Endpoint,
    directory: Directory,
    door: Arc<Door>,
    _acceptor: AbortOnDropHandle<()>,
}

impl Front {
    /// Takes connections from now on. They are refused until there is a game.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    #[must_use]
    pub fn open(endpoint: Endpoint, joins_per_address: u32) -> Self {
        let (directory, door) = (Directory::new(), Arc::new(Door::default()));
        let limits = AddressLimits::new(joins_per_address);
        let accept = quic::accept_all(endpoint.clone(), directory.clone(), limits, door.clone());
        Self { endpoint, directory, door, _acceptor: AbortOnDropHandle::new(tokio::spawn(accept)) }
    }

    /// One game, without GameLift: whoever holds the [`Seam`] plays GameLift's part.
    ///
    /// The task ends as [`game_loop`] says; dropping its handle aborts it.
    #[must_use = "dropping the handle ends the game"]
    pub fn host(&self, times: Times, observer: Observer) -> (Seam, AbortOnDropHandle<Metrics>) {
        let (listing, peers, finds) = self.directory.add();
        let (requests, seam_requests) = mpsc::channel(REQUESTS_MAX);
        let (seam_notices, notices) = mpsc::channel(NOTICES_MAX);
        let (policy, seam_policy) = watch::channel(PlayerSessionCreationPolicy::AcceptAll);
        let ends = game_loop::Ends { peers, notices, requests, policy, listing };
        let game = AbortOnDropHandle::new(tokio::spawn(game_loop::run(ends, times, observer)));
        (Seam { requests: seam_requests, notices: seam_notices, policy: seam_policy, finds }, game)
    }

    /// Closes every connection and waits, briefly, until the peers know. Returns what happened at the door.
    ///
    /// # Cancel safety
    /// The connections are closed at the first poll; dropping the future only gives up on peers being told.
    pub async fn close(&self) -> DoorCounts {
        quic::close(&self.endpoint).await;
        self.door.counts()
    }
}
