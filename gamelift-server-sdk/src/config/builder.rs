//! Parameters one by one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gamelift_wire::ids::AuthToken;

use super::{Config, HEALTH_INTERVAL, HEALTH_INTERVAL_MIN, MANAGED_RESOURCE};
use crate::container::ContainerEndpoints;
use crate::credentials::{HostId, Provider, TokenProvider, WallClock};
use crate::duration::parse_go_duration;
use crate::endpoint::{ContainerRole, Credentials, websocket_url};
use crate::error::ConfigError;
use crate::sigv4::Keys;
use crate::uplink::HealthTimes;

/// The one value of `GAMELIFT_COMPUTE_TYPE` that changes anything.
const CONTAINER: &str = "CONTAINER";

/// Parameters one by one; see [`Config`] for their meaning.
///
/// Order matters in one place: [`overridden_by_env`](Self::overridden_by_env) lets the environment win over what was set
/// before it, as the official SDKs do and managed hosts rely on; what is set after it wins over the environment.
#[derive(Clone, Debug, Default)]
pub struct ConfigBuilder {
    websocket_url: Option<String>,
    fleet_id: Option<String>,
    host_id: Option<String>,
    process_id: Option<String>,
    auth_token: Option<AuthToken>,
    token_provider: Option<Provider>,
    /// What the environment says of it is an error only if it is needed.
    container: Option<Result<ContainerEndpoints, ConfigError>>,
    region: Option<String>,
    keys: Secrets,
    tool_name: Option<String>,
    tool_version: Option<String>,
    health_interval: Option<Duration>,
    health_jitter: Option<Duration>,
    health_timeout: Option<Duration>,
    call_timeout: Option<Duration>,
    connect_timeout: Option<Duration>,
    extra_ca: Vec<PathBuf>,
    seed: Option<u64>,
    wall_clock: WallClock,
}

/// Parts of [`Keys`]; prints without them.
#[derive(Clone, Default)]
struct Secrets {
    access_key: Option<String>,
    secret_key: Option<String>,
    session_token: Option<String>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("..")
    }
}

impl ConfigBuilder {
    /// The service's endpoint: `GameLiftServiceSdkEndpoint` of `RegisterCompute`, `ws://` or `wss://`. A query in it is
    /// dropped.
    pub fn websocket_url(mut self, url: impl Into<String>) -> Self {
        self.websocket_url = Some(url.into());
        self
    }

    /// The fleet: an id, 1 to 256 characters of `[A-Za-z0-9.-]`.
    pub fn fleet_id(mut self, id: impl Into<String>) -> Self {
        self.fleet_id = Some(id.into());
        self
    }

    /// The compute's name, 1 to 256 characters of `[A-Za-z0-9-]` with at most one `/` between.
    pub fn host_id(mut self, id: impl Into<String>) -> Self {
        self.host_id = Some(id.into());
        self
    }

    /// This process; unique among all executions on a compute. A fresh UUID if left out.
    pub fn process_id(mut self, id: impl Into<String>) -> Self {
        self.process_id = Some(id.into());
        self
    }

    /// The compute's auth token, from `GetComputeAuthToken`. Takes the place of a token provider set before it.
    pub fn auth_token(mut self, token: impl Into<String>) -> Self {
        self.auth_token = Some(AuthToken::new_unchecked(token));
        self.token_provider = None;
        self
    }

    /// Asks for the auth token anew before each attempt to connect: tokens expire. Takes the place of an auth token set
    /// before it.
    pub fn token_provider(mut self, provider: impl TokenProvider) -> Self {
        self.token_provider = Some(Provider(Arc::new(provider)));
        self.auth_token = None;
        self
    }

    /// Runs in a container of a managed fleet: keys and host id come from these endpoints, anew at each attempt to connect.
    /// `GAMELIFT_COMPUTE_TYPE=CONTAINER` in the environment does the same. A token wins over it.
    pub fn container(mut self, endpoints: ContainerEndpoints) -> Self {
        self.container = Some(Ok(endpoints));
        self
    }

    /// The region that keys sign for.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// AWS keys to sign with, instead of an auth token.
    pub fn keys(
        mut self,
        access_key: impl Into<String>,
        secret_key: impl Into<String>,
        session_token: Option<String>,
    ) -> Self {
        self.keys = Secrets {
            access_key: Some(access_key.into()),
            secret_key: Some(secret_key.into()),
            session_token,
        };
        self
    }

    /// A plug-in or framework on top of this SDK, as AWS shall see it.
    pub fn tool(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.tool_name = Some(name.into());
        self.tool_version = Some(version.into());
        self
    }

    /// Time between heartbeats and its spread to both sides, and how long the application may take to answer a health
    /// check. 60 s, 10 s and 50 s unless set; a service judges by its own idea of them.
    pub fn health_check(mut self, interval: Duration, jitter: Duration, timeout: Duration) -> Self {
        (self.health_interval, self.health_jitter, self.health_timeout) =
            (Some(interval), Some(jitter), Some(timeout));
        self
    }

    /// How long a call may take, waiting for a connection included. 20 s unless set.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = Some(timeout);
        self
    }

    /// How long [`Config::connect`] may take, all attempts together. 60 s unless set. Later reconnects have no limit.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// A PEM file of certificate authorities to trust besides the system's; may be called several times.
    ///
    /// `SSL_CERT_FILE` *replaces* the system's, as with OpenSSL.
    pub fn extra_ca(mut self, file: impl Into<PathBuf>) -> Self {
        self.extra_ca.push(file.into());
        self
    }

    /// Makes jitter and ids repeatable, for tests. Random unless set.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// What signatures and the expiry of credentials go by, for tests. The system's clock unless set.
    #[cfg(feature = "test-util")]
    pub fn wall_clock(mut self, now: impl Fn() -> std::time::SystemTime + Send + Sync + 'static) -> Self {
        self.wall_clock = WallClock(Arc::new(now));
        self
    }

    /// Lets the environment win over everything set so far.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] names a variable that is set but wrong.
    pub fn overridden_by_env(self) -> Result<Self, ConfigError> {
        self.overridden_by(|name| std::env::var(name).ok())
    }

    /// The same with an environment of the caller's.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] names a variable that is set but wrong.
    pub fn overridden_by(mut self, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &'static str| lookup(name).filter(|value| !value.is_empty());
        let duration = |name: &'static str| match get(name) {
            None => Ok(None),
            Some(value) => parse_go_duration(&value).map(Some).ok_or(ConfigError::Invalid {
                name,
                rule: "a duration such as 60s, 300ms or 1m30s",
                value,
            }),
        };
        let text = |field: &mut Option<String>, name| *field = get(name).or(field.take());
        text(&mut self.websocket_url, "GAMELIFT_SDK_WEBSOCKET_URL");
        text(&mut self.fleet_id, "GAMELIFT_SDK_FLEET_ID");
        text(&mut self.host_id, "GAMELIFT_SDK_HOST_ID");
        text(&mut self.process_id, "GAMELIFT_SDK_PROCESS_ID");
        text(&mut self.region, "GAMELIFT_REGION");
        text(&mut self.keys.access_key, "GAMELIFT_ACCESS_KEY");
        text(&mut self.keys.secret_key, "GAMELIFT_SECRET_KEY");
        text(&mut self.keys.session_token, "GAMELIFT_SESSION_TOKEN");
        text(&mut self.tool_name, "GAMELIFT_SDK_TOOL_NAME");
        text(&mut self.tool_version, "GAMELIFT_SDK_TOOL_VERSION");
        if let Some(token) = get("GAMELIFT_SDK_AUTH_TOKEN") {
            self = self.auth_token(token);
        }
        if get("GAMELIFT_COMPUTE_TYPE").as_deref() == Some(CONTAINER) {
            self.container = Some(ContainerEndpoints::from_lookup(&lookup));
        }
        self.health_interval = duration("HEALTHCHECK_INTERVAL")?.or(self.health_interval);
        self.health_jitter = duration("HEALTHCHECK_MAX_JITTER")?.or(self.health_jitter);
        self.health_timeout = duration("HEALTHCHECK_TIMEOUT")?.or(self.health_timeout);
        self.call_timeout = duration("SERVICE_CALL_TIMEOUT")?.or(self.call_timeout);
        Ok(self)
    }

    /// Checks everything.
    ///
    /// # Errors
    /// [`ConfigError`] names the first parameter that is missing or wrong.
    pub fn build(self) -> Result<Config, ConfigError> {
        let need =
            |value: Option<String>, name, variable| value.ok_or(ConfigError::Missing { name, variable });
        let websocket_url =
            websocket_url(&need(self.websocket_url, "WebSocket URL", "GAMELIFT_SDK_WEBSOCKET_URL")?)?;
        let fleet_id = need(self.fleet_id, "fleet id", "GAMELIFT_SDK_FLEET_ID")?;
        check("fleet id", "1 to 256 characters of [A-Za-z0-9.-]", &fleet_id, |c| {
            c.is_ascii_alphanumeric() || c == '.' || c == '-'
        })?;
        let process_id = match self.process_id {
            Some(id) if id != MANAGED_RESOURCE => id,
            _ => uuid::Uuid::new_v4().to_string(),
        };
        check("process id", "1 to 256 printable ASCII characters", &process_id, |c| c.is_ascii_graphic())?;
        let credentials = match (self.token_provider, self.auth_token, self.container) {
            (Some(provider), ..) => Credentials::Provider(provider),
            (None, Some(token), _) if !token.is_empty() => Credentials::Token(token),
            (None, _, Some(endpoints)) => Credentials::Container(Box::new(ContainerRole {
                region: need(self.region, "region", "GAMELIFT_REGION")?,
                endpoints: endpoints?,
            })),
            (None, _, None) => match (self.region, self.keys.access_key, self.keys.secret_key) {
                (Some(region), Some(access_key), Some(secret_key)) => {
                    let session_token = self.keys.session_token;
                    Credentials::Keys(Box::new(Keys { region, access_key, secret_key, session_token }))
                }
                _ => return Err(ConfigError::NoCredentials),
            },
        };
        let host_id = match credentials {
            // The task's id, once its metadata is read; whatever else was given is not it.
            Credentials::Container(_) => HostId::default(),
            _ => HostId::given(check_host_id(need(self.host_id, "host id", "GAMELIFT_SDK_HOST_ID")?)?),
        };
        let interval = self.health_interval.unwrap_or(HEALTH_INTERVAL);
        // Whoever shortens the interval alone gets the others in proportion, not an error.
        let jitter = self.health_jitter.unwrap_or(interval / 6);
        let patience = self.health_timeout.unwrap_or(interval.saturating_sub(jitter));
        let health = HealthTimes { interval, jitter, patience };
        if health.interval < HEALTH_INTERVAL_MIN || health.jitter > health.interval {
            return Err(ConfigError::Invalid {
                name: "HEALTHCHECK_INTERVAL",
                rule: "at least 1ms, and no shorter than HEALTHCHECK_MAX_JITTER",
                value: format!("{:?} with a jitter of {:?}", health.interval, health.jitter),
            });
        }
        Ok(Config {
            websocket_url,
            fleet_id,
            host_id,
            process_id,
            credentials,
            tool: self.tool_name.map(|name| (name, self.tool_version)),
            health,
            call_timeout: self.call_timeout.unwrap_or(Duration::from_secs(20)),
            connect_timeout: self.connect_timeout.unwrap_or(Duration::from_secs(60)),
            extra_ca: self.extra_ca,
            seed: self.seed,
            wall_clock: self.wall_clock,
            offline: None,
        })
    }
}

fn check_host_id(host_id: String) -> Result<String, ConfigError> {
    let rule = "1 to 256 characters of [A-Za-z0-9-], with at most one / between them";
    check("host id", rule, &host_id, |c| c.is_ascii_alphanumeric() || c == '-' || c == '/')?;
    if host_id.split('/').count() > 2 || host_id.split('/').any(str::is_empty) {
        return Err(ConfigError::Invalid { name: "host id", rule, value: host_id });
    }
    Ok(host_id)
}

fn check(
    name: &'static str,
    rule: &'static str,
    value: &str,
    allowed: impl Fn(char) -> bool,
) -> Result<(), ConfigError> {
    if (1..=256).contains(&value.len()) && value.chars().all(allowed) {
        return Ok(());
    }
    Err(ConfigError::Invalid { name, rule, value: value.to_owned() })
}
