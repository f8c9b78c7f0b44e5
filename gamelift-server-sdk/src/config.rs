//! How to reach the service, and who is reaching for it.

mod builder;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

pub use self::builder::ConfigBuilder;
use crate::credentials::{HostId, WallClock};
use crate::endpoint::Credentials;
use crate::error::ConfigError;
use crate::offline::OfflineSession;
use crate::uplink::HealthTimes;

/// The process id that stands for "make one up": what AWS's own tooling sets on managed fleets.
const MANAGED_RESOURCE: &str = "ManagedResource";

/// The official SDKs' time between two heartbeats; its spread is a sixth of it, and patience what is left.
const HEALTH_INTERVAL: Duration = Duration::from_secs(60);

/// Shortest allowed time between two heartbeats: below it, heartbeats would be most of the traffic.
const HEALTH_INTERVAL_MIN: Duration = Duration::from_millis(1);

/// Everything needed to connect. Made by [`Config::from_env`] or [`Config::new`] or, step by step, by
/// [`Config::builder`].
///
/// | parameter | environment variable | default |
/// |---|---|---|
/// | WebSocket URL | `GAMELIFT_SDK_WEBSOCKET_URL` | |
/// | fleet id | `GAMELIFT_SDK_FLEET_ID` | |
/// | host id: the compute's name | `GAMELIFT_SDK_HOST_ID` | |
/// | process id, unique among all executions on a compute | `GAMELIFT_SDK_PROCESS_ID` | a fresh UUID |
/// | auth token | `GAMELIFT_SDK_AUTH_TOKEN` | |
/// | region | `GAMELIFT_REGION` | |
/// | `CONTAINER`: keys and host id are the task's | `GAMELIFT_COMPUTE_TYPE`, and those of [`ContainerEndpoints`](crate::container::ContainerEndpoints) | |
/// | access key, secret key, session token | `GAMELIFT_ACCESS_KEY`, `GAMELIFT_SECRET_KEY`, `GAMELIFT_SESSION_TOKEN` | |
/// | tool name and version | `GAMELIFT_SDK_TOOL_NAME`, `GAMELIFT_SDK_TOOL_VERSION` | none |
/// | time between heartbeats | `HEALTHCHECK_INTERVAL` | `60s` |
/// | spread of that time, to both sides | `HEALTHCHECK_MAX_JITTER` | a sixth of it: `10s` |
/// | how long the application may take to answer a health check | `HEALTHCHECK_TIMEOUT` | the rest: `50s` |
/// | how long a call may take | `SERVICE_CALL_TIMEOUT` | `20s` |
///
/// Names are those of the official SDKs, the last four in Go's duration syntax. An auth token wins over
/// a container's role, and that over keys. A variable
/// that is set but wrong is an error; one that is set to nothing counts as not set, as in Go SDK 5.6.0.
///
/// An exported value prints without its secrets.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) websocket_url: Url,
    pub(crate) fleet_id: String,
    pub(crate) host_id: HostId,
    pub(crate) process_id: String,
    pub(crate) credentials: Credentials,
    pub(crate) tool: Option<(String, Option<String>)>,
    pub(crate) health: HealthTimes,
    pub(crate) call_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) extra_ca: Vec<PathBuf>,
    pub(crate) seed: Option<u64>,
    pub(crate) wall_clock: WallClock,
    /// If so, all of the above is for show.
    pub(crate) offline: Option<OfflineSession>,
}

impl Config {
    /// Everything from the environment: the way on managed hosts, and under `gamelift-local`'s `export` lines.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable that is missing or wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::builder().overridden_by_env()?.build()
    }

    /// The four parameters that identify a process of an Anywhere fleet, with its auth token.
    ///
    /// # Errors
    /// [`ConfigError`] names the parameter that is wrong.
    pub fn new(
        websocket_url: &str,
        fleet_id: &str,
        host_id: &str,
        process_id: &str,
        auth_token: &str,
    ) -> Result<Self, ConfigError> {
        Self::builder()
            .websocket_url(websocket_url)
            .fleet_id(fleet_id)
            .host_id(host_id)
            .process_id(process_id)
            .auth_token(auth_token)
            .build()
    }

    /// Parameters one by one.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::default()
    }

    /// The fleet this process belongs to.
    pub fn fleet_id(&self) -> &str {
        &self.fleet_id
    }

    /// The compute this process runs on. In a container `None` until the first attempt to connect has read the task's
    /// metadata.
    pub fn host_id(&self) -> Option<&str> {
        self.host_id.get()
    }

    /// This process.
    pub fn process_id(&self) -> &str {
        &self.process_id
    }
}
