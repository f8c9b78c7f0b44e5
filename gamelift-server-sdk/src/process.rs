//! The server process: from connected to ready to ended.

use std::sync::Arc;

use gamelift_wire::requests::{
    ActivateServerProcess, ComputeCertificate, FleetRoleCredentials, GetFleetRoleCredentials, Request,
};
use gamelift_wire::{SDK_LANGUAGE, SDK_VERSION};
use tokio::sync::mpsc;

use crate::config::Config;
use crate::driver::{Driver, Ends};
use crate::error::{CallError, CloseReason, ConnectError};
use crate::events::{Event, Events};
use crate::fleet_role::{Remembered, is_fresh};
use crate::handle::{Command, Shared, call, unexpected};
use crate::offline::Offline;
use crate::transport::{Dial, Network};
use crate::uplink::Answer;

/// Ports that GameLift takes (AWS API reference, `PortNumber`).
const PORTS: std::ops::RangeInclusive<u16> = 1..=60_000;

/// Log paths that a process may announce. AWS names no number; this one keeps the frame small.
const LOG_PATHS_MAX: usize = 64;

/// Longest log path, in characters: GameLift's bound for texts of this kind (AWS API reference, `NonZeroAndMaxString`).
const LOG_PATH_LENGTH_MAX: usize = 1_024;

const LOG_PATH_RULE: &str = "absolute, such as /local/game/logs or C:\\game\\logs, of at most 1024 characters, without control characters";

impl Config {
    /// Connects to the service. Nothing is promised to it yet: that is [`Connected::ready`].
    ///
    /// Several attempts, 60 s in all unless configured; a refusal (HTTP 4xx) and an untrusted certificate end it at once.
    /// A task on the current Tokio runtime keeps the connection from here on: it reconnects by itself for as long as a
    /// handle lives. Call it as often as you like: several server processes may live in one OS process, each with its own
    /// process id.
    ///
    /// # Errors
    /// [`ConnectError`]. Connecting again is fine.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    ///
    /// # Cancel safety
    ///
    /// Safe: dropping the future closes the half-made connection.
    pub async fn connect(self) -> Result<Connected, ConnectError> {
        if let Some(session) = &self.offline {
            let service = Offline::new(session);
            return self.connect_with(service).await;
        }
        let network = Network::new(&self.extra_ca);
        // A file the caller named must be good; without one, `ws` needs no certificates until a refresh leads to `wss`.
        if self.websocket_url.scheme() == "wss" || !self.extra_ca.is_empty() {
            network.prepare_tls().await?;
        }
        self.connect_with(network).await
    }

    /// The same over a network of the caller's.
    ///
    /// # Errors
    /// As [`Self::connect`].
    ///
    /// # Panics
    /// As [`Self::connect`].
    ///
    /// # Cancel safety
    ///
    /// As [`Self::connect`].
    pub async fn connect_with(self, dialer: impl Dial) -> Result<Connected, ConnectError> {
        let config = Arc::new(self);
        let (driver, Ends { commands, events, closed, connected }) =
            Driver::new(config.clone(), Arc::new(dialer));
        tokio::spawn(Box::new(driver).run());
        match connected.await {
            Ok(result) => result?,
            Err(_) => return Err(ConnectError::Closed(CloseReason::DriverStopped)),
        }
        let shared = Shared { call_timeout: config.call_timeout, closed };
        Ok(Connected {
            process: ServerProcess { commands, shared, config, fleet_roles: Remembered::default() },
            events,
        })
    }
}

/// Connected, but not ready: the service knows the process exists and sends it nothing to do.
#[derive(Debug)]
#[must_use = "dropping it closes the connection"]
pub struct Connected {
    process: ServerProcess,
    events: mpsc::Receiver<Box<Event>>,
}

impl Connected {
    /// Tells the service that the process can host a game session. `ProcessReady`.
    ///
    /// Heartbeats begin at once: the first event is a [`HealthCheck`](crate::HealthCheck), and the service waits for its
    /// answer before it assigns a game session.
    ///
    /// # Errors
    /// [`ReadyError`] gives the connection back, so that it can be tried again.
    ///
    /// # Cancel safety
    ///
    /// Safe for the SDK: dropping the future closes the connection. The service may have taken the process for ready
    /// meanwhile, and notices by its missing heartbeats.
    pub async fn ready(self, ready: Ready) -> Result<(ServerProcess, Events), ReadyError> {
        if let Err(kind) = ready.check() {
            return Err(ReadyError { connected: Box::new(self), kind });
        }
        let tool = self.process.config.tool.clone();
        let request = Request::ActivateServerProcess(ActivateServerProcess {
            sdk_version: SDK_VERSION.to_owned(),
            sdk_language: SDK_LANGUAGE.to_owned(),
            sdk_tool_name: tool.as_ref().map(|(name, _)| name.clone()),
            sdk_tool_version: tool.and_then(|(_, version)| version),
            port: i64::from(ready.port),
            log_paths: ready.log_paths,
        });
        match self.process.call(request).await {
            Ok(_) => Ok((self.process, Events::new(self.events))),
            Err(error) => Err(ReadyError { connected: Box::new(self), kind: ReadyErrorKind::Call(error) }),
        }
    }
}

/// What a process announces when it is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    port: u16,
    log_paths: Vec<String>,
}

impl Ready {
    /// Players connect to this port, 1 to 60,000. The service hands it out; it never connects to it.
    pub fn on_port(port: u16) -> Self {
        Self { port, log_paths: Vec::new() }
    }

    /// A file or folder whose contents managed fleets keep after the game session; may be called several times. An
    /// absolute path, in the notation of Linux or Windows.
    pub fn log_path(mut self, path: impl Into<String>) -> Self {
        self.log_paths.push(path.into());
        self
    }

    fn check(&self) -> Result<(), ReadyErrorKind> {
        if !PORTS.contains(&self.port) {
            return Err(ReadyErrorKind::Port { port: self.port });
        }
        if self.log_paths.len() > LOG_PATHS_MAX {
            return Err(ReadyErrorKind::LogPaths { count: self.log_paths.len() });
        }
        match self.log_paths.iter().find(|path| !is_log_path(path)) {
            Some(path) => Err(ReadyErrorKind::LogPath { path: path.clone() }),
            None => Ok(()),
        }
    }
}

/// The agent that fetches logs has a working directory of its own, so a relative path means nothing to it. Whether
/// something is there is not asked: a log may be written later.
fn is_log_path(path: &str) -> bool {
    let mut characters = path.chars();
    let drive = characters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && characters.next() == Some(':')
        && matches!(characters.next(), Some('\\' | '/'));
    (path.starts_with('/') || path.starts_with("\\\\") || drive)
        && path.chars().count() <= LOG_PATH_LENGTH_MAX
        && !path.chars().any(char::is_control)
}

/// The process is not ready. The connection is still there: [`into_connected`](Self::into_connected).
#[derive(Debug, thiserror::Error)]
#[error("not ready: {kind}")]
pub struct ReadyError {
    connected: Box<Connected>,
    /// What went wrong.
    #[source]
    pub kind: ReadyErrorKind,
}

impl ReadyError {
    /// The connection, to try again with.
    pub fn into_connected(self) -> Connected {
        *self.connected
    }
}

/// Why a process is not ready.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadyErrorKind {
    /// GameLift would refuse the port.
    #[error("port must be between {} and {}, not {port}", PORTS.start(), PORTS.end())]
    Port {
        /// The port.
        port: u16,
    },
    /// Too many log paths.
    #[error("log paths must be at most {LOG_PATHS_MAX}; {count} were given")]
    LogPaths {
        /// How many were given.
        count: usize,
    },
    /// A log path that nobody could follow.
    #[error("a log path must be {LOG_PATH_RULE}; not {path:?}")]
    LogPath {
        /// The path.
        path: String,
    },
    /// The service refused, or could not be asked.
    #[error("{0}")]
    Call(#[source] CallError),
}

/// A server process that the service knows and may give a game session to. A cheap clone.
///
/// When the last handle is dropped ([`GameSession`](crate::GameSession)s count), the connection closes and the service
/// sees a process that went silent; [`end`](Self::end) is the proper goodbye.
#[derive(Clone)]
pub struct ServerProcess {
    commands: mpsc::Sender<Box<Command>>,
    shared: Shared,
    config: Arc<Config>,
    fleet_roles: Remembered,
}

impl std::fmt::Debug for ServerProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerProcess").field("process_id", &self.config.process_id).finish_non_exhaustive()
    }
}

impl ServerProcess {
    /// The id this process connected with.
    pub fn process_id(&self) -> &str {
        &self.config.process_id
    }

    /// Ends the process in the eyes of the service, and its game session with it. `ProcessEnding`. Exit within 30 s
    /// after it.
    ///
    /// On success the connection is closed, [`Events::next`](crate::Events::next) returns `None` and all other calls fail.
    ///
    /// # Errors
    /// [`CallError`]. If the service refused, the process stays ready; keep a clone to try again.
    /// [`CallError::Closed`] with [`CloseReason::Ended`] means that somebody else ended it: fine.
    ///
    /// # Cancel safety
    ///
    /// Not safe: if the future is dropped the service may or may not have been told; if not, it sees a crash.
    pub async fn end(self) -> Result<(), CallError> {
        self.call(Request::TerminateServerProcess).await.map(|_| ())
    }

    /// Where this compute's TLS certificate is, and the compute's name. `GetComputeCertificate`.
    ///
    /// # Errors
    /// [`CallError::Refused`] if the compute was registered without one.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn compute_certificate(&self) -> Result<ComputeCertificate, CallError> {
        match self.call(Request::GetComputeCertificate).await? {
            Answer::Certificate(certificate) => Ok(certificate),
            other => Err(unexpected(&other)),
        }
    }

    /// Credentials of an IAM role that the fleet may take on. `GetFleetRoleCredentials`.
    ///
    /// Remembered by role and session name until 15 minutes before they expire; callers at the same time share one call.
    ///
    /// `None` on an Anywhere fleet, which has no role: there the service answers with empty credentials. That is asked anew
    /// each time (the official SDKs remember it for the process's life).
    ///
    /// The session name is `<fleet>-<host>`, cut to 64 characters, unless given.
    ///
    /// Takes at most twice the call timeout: once to wait for somebody else's call, once for its own.
    ///
    /// # Errors
    /// [`CallError`]; [`CallError::Invalid`] for an ARN or a name that IAM would not take.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn fleet_role_credentials(
        &self,
        role_arn: impl Into<String>,
        role_session_name: Option<String>,
    ) -> Result<Option<FleetRoleCredentials>, CallError> {
        let default = || {
            let host_id = self.config.host_id.get().unwrap_or_default();
            // A host id may hold a slash, and the name of a role's session may not.
            let name = format!("{}-{host_id}", self.config.fleet_id).replace('/', "-");
            name.chars().take(64).collect()
        };
        let role_arn = role_arn.into();
        let role_session_name = role_session_name.unwrap_or_else(default);
        let slot = self.fleet_roles.slot(&role_arn, &role_session_name);
        // Whoever waits behind a call that hangs does not wait for ever.
        let waited = tokio::time::timeout(self.shared.call_timeout, slot.lock()).await;
        let Ok(mut remembered) = waited else { return Err(CallError::NotSent) };
        if let Some(credentials) = &*remembered
            && is_fresh(credentials, self.config.wall_clock.now())
        {
            return Ok(Some(credentials.clone()));
        }
        let role_session_name = Some(role_session_name);
        let request =
            Request::GetFleetRoleCredentials(GetFleetRoleCredentials { role_arn, role_session_name });
        match self.call(request).await? {
            Answer::Credentials(credentials) if credentials.access_key_id.is_empty() => Ok(None),
            Answer::Credentials(credentials) => {
                *remembered = Some((*credentials).clone());
                Ok(Some(*credentials))
            }
            other => Err(unexpected(&other)),
        }
    }

    #[cfg(feature = "aws-credential-types")]
    pub(crate) fn downgrade(&self) -> WeakServerProcess {
        let Self { commands, shared, config, fleet_roles } = self.clone();
        WeakServerProcess { commands: commands.downgrade(), shared, config, fleet_roles }
    }

    /// Waits until the connection is over for good, and says why.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn closed(&self) -> CloseReason {
        self.shared.closed().await
    }

    pub(crate) async fn call(&self, request: Request) -> Result<Answer, CallError> {
        call(&self.commands, &self.shared, request).await
    }
}

/// A handle that does not keep the process alive.
#[cfg(feature = "aws-credential-types")]
#[derive(Clone, Debug)]
pub(crate) struct WeakServerProcess {
    commands: mpsc::WeakSender<Box<Command>>,
    shared: Shared,
    config: Arc<Config>,
    fleet_roles: Remembered,
}

#[cfg(feature = "aws-credential-types")]
impl WeakServerProcess {
    pub(crate) fn upgrade(&self) -> Option<ServerProcess> {
        let Self { commands, shared, config, fleet_roles } = self.clone();
        Some(ServerProcess { commands: commands.upgrade()?, shared, config, fleet_roles })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_path_is_absolute_on_linux_or_windows_and_of_a_sane_length() {
        let longest = format!("/{}", "l".repeat(1_023));
        for good in ["/local/game/logs", "C:\\game\\logs", "d:/logs/a b.log", "\\\\share\\logs", &longest] {
            assert_eq!(Ready::on_port(1).log_path(good).check(), Ok(()), "{good}");
        }
        for bad in ["", "logs", "./logs", "C:logs", "1:\\logs", "/a\nb", "/a\0", &format!("{longest}l")] {
            let error = Ready::on_port(1).log_path(bad).check().unwrap_err();
            assert_eq!(error, ReadyErrorKind::LogPath { path: bad.to_owned() });
        }
        let many = (0..65).fold(Ready::on_port(1), |ready, _| ready.log_path("/logs"));
        assert_eq!(many.check(), Err(ReadyErrorKind::LogPaths { count: 65 }));
    }
}
