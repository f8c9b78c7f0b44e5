//! Server processes on the fleet's computes, kept running as a host would: one game session each, then the next process.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use gamelift_server_sdk::Config as SdkConfig;
use sample_server::{Identity, Observation, RunError};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Processes that became ready and nobody has looked at yet. More than this means that processes end as fast as they start.
const UNSEEN_MAX: usize = 1_024;

/// Pause after a process that failed, so that a lasting fault does not spin.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How long players may go on when the show is over.
const DRAIN_NOTICE: Duration = Duration::from_secs(1);

/// What every process on a compute is started with.
#[derive(Clone)]
pub(super) struct Launch {
    pub(super) sdk_endpoint: String,
    pub(super) fleet_id: String,
    pub(super) compute_name: String,
    pub(super) auth_token: String,
    pub(super) identity: Identity,
}

impl Launch {
    fn config(
        &self,
        process_id: &str,
        ready: mpsc::Sender<SocketAddr>,
    ) -> Result<sample_server::Config, RunFailed> {
        let Self { sdk_endpoint, fleet_id, compute_name, auth_token, identity } = self;
        let sdk = SdkConfig::new(sdk_endpoint, fleet_id, compute_name, process_id, auth_token)?;
        let anywhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let mut config = sample_server::Config::new(sdk, anywhere, identity.clone());
        config.drain_notice = DRAIN_NOTICE;
        config.observer = Arc::new(move |observation| {
            if let Observation::Ready { address, .. } = observation
                && ready.try_send(address).is_err()
            {
                tracing::warn!("{UNSEEN_MAX} processes became ready and nobody looked");
            }
        });
        Ok(config)
    }
}

/// A server process could not be run.
#[derive(Debug, thiserror::Error)]
enum RunFailed {
    #[error(transparent)]
    Config(#[from] gamelift_server_sdk::ConfigError),
    #[error(transparent)]
    Run(#[from] RunError),
}

/// The processes. Dropping it kills them; [`stop`](Self::stop) lets them drain.
pub(super) struct Servers {
    slots: JoinSet<()>,
    stopping: watch::Sender<bool>,
    ready: mpsc::Receiver<SocketAddr>,
}

impl Servers {
    /// Starts this many on each compute and keeps them running.
    pub(super) fn start(count: usize, computes: &[Launch]) -> Self {
        let (stopping, stop) = watch::channel(false);
        let (readies, ready) = mpsc::channel(UNSEEN_MAX);
        let mut slots = JoinSet::new();
        for launch in computes {
            for slot in 1..=count {
                slots.spawn(keep_running(slot, launch.clone(), readies.clone(), stop.clone()));
            }
        }
        Self { slots, stopping, ready }
    }

    /// The address of the next process that is ready.
    pub(super) async fn next_ready(&mut self) -> Option<SocketAddr> {
        self.ready.recv().await
    }

    /// Tells all to stop and waits until they have drained and ended.
    pub(super) async fn stop(mut self) {
        // Nobody listens if every slot has ended by itself.
        let _ = self.stopping.send(true);
        while self.slots.join_next().await.is_some() {}
    }
}

async fn keep_running(
    slot: usize,
    launch: Launch,
    ready: mpsc::Sender<SocketAddr>,
    stop: watch::Receiver<bool>,
) {
    for execution in 1_u64.. {
        if *stop.borrow() {
            return;
        }
        // Unique among all executions on the compute, as GameLift demands.
        let process_id = format!("server-{slot}-{execution}");
        if let Err(error) = run(&launch, &process_id, ready.clone(), stop.clone()).await {
            tracing::error!(%process_id, error = super::with_causes(&error), "a server process failed");
            tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
        }
    }
}

async fn run(
    launch: &Launch,
    process_id: &str,
    ready: mpsc::Sender<SocketAddr>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), RunFailed> {
    let config = launch.config(process_id, ready)?;
    let stopped = async move {
        // An error means that `Servers` is gone, which is as good a reason.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    sample_server::run(config, stopped).await?;
    Ok(())
}
