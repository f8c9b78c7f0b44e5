//! How to reach the service, and who is reaching for it.

use std::path::PathBuf;
use std::time::Duration;

use gamelift_wire::ids::AuthToken;
use url::Url;

use crate::duration::parse_go_duration;
use crate::endpoint::{Credentials, websocket_url};
use crate::error::ConfigError;
use crate::sigv4::Keys;
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
/// | access key, secret key, session token | `GAMELIFT_ACCESS_KEY`, `GAMELIFT_SECRET_KEY`, `GAMELIFT_SESSION_TOKEN` | |
/// | tool name and version | `GAMELIFT_SDK_TOOL_NAME`, `GAMELIFT_SDK_TOOL_VERSION` | none |
/// | time between heartbeats | `HEALTHCHECK_INTERVAL` | `60s` |
/// | spread of that time, to both sides | `HEALTHCHECK_MAX_JITTER` | a sixth of it: `10s` |
/// | how long the application may take to answer a health check | `HEALTHCHECK_TIMEOUT` | the rest: `50s` |
/// | how long a call may take | `SERVICE_CALL_TIMEOUT` | `20s` |
///
/// Names are those of the official SDKs, the last four in Go's duration syntax. An auth token wins over keys. A variable
/// that is set but wrong is an error; one that is set to nothing counts as not set, as in Go SDK 5.6.0.
///
/// An exported value prints without its secrets.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) websocket_url: Url,
    pub(crate) fleet_id: String,
    pub(crate) host_id: String,
    pub(crate) process_id: String,
    pub(crate) credentials: Credentials,
    pub(crate) tool: Option<(String, Option<String>)>,
    pub(crate) health: HealthTimes,
    pub(crate) call_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) extra_ca: Vec<PathBuf>,
    pub(crate) seed: Option<u64>,
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

    /// The compute this process runs on.
    pub fn host_id(&self) -> &str {
        &self.host_id
    }

    /// This process.
    pub fn process_id(&self) -> &str {
        &self.process_id
    }
}

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

    /// The compute's auth token, from `GetComputeAuthToken`.
    pub fn auth_token(mut self, token: impl Into<String>) -> Self {
        self.auth_token = Some(AuthToken::new_unchecked(token));
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
        self.auth_token = get("GAMELIFT_SDK_AUTH_TOKEN").map(AuthToken::new_unchecked).or(self.auth_token);
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
        let host_id = need(self.host_id, "host id", "GAMELIFT_SDK_HOST_ID")?;
        let host_rule = "1 to 256 characters of [A-Za-z0-9-], with at most one / between them";
        check("host id", host_rule, &host_id, |c| c.is_ascii_alphanumeric() || c == '-' || c == '/')?;
        if host_id.split('/').count() > 2 || host_id.split('/').any(str::is_empty) {
            return Err(ConfigError::Invalid { name: "host id", rule: host_rule, value: host_id });
        }
        let process_id = match self.process_id {
            Some(id) if id != MANAGED_RESOURCE => id,
            _ => uuid::Uuid::new_v4().to_string(),
        };
        check("process id", "1 to 256 printable ASCII characters", &process_id, |c| c.is_ascii_graphic())?;
        let credentials = match (self.auth_token, self.region, self.keys.access_key, self.keys.secret_key) {
            (Some(token), ..) if !token.is_empty() => Credentials::Token(token),
            (_, Some(region), Some(access_key), Some(secret_key)) => {
                let session_token = self.keys.session_token;
                Credentials::Keys(Keys { region, access_key, secret_key, session_token })
            }
            _ => return Err(ConfigError::NoCredentials),
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
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> ConfigBuilder {
        Config::builder()
            .websocket_url("wss://us-west-2.api.amazongamelift.com")
            .fleet_id("fleet-1")
            .host_id("host-1")
            .process_id("proc-1")
            .auth_token("t0ken")
    }

    fn env(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn the_environment_wins_over_what_was_set_before_it_and_loses_to_what_is_set_after() {
        let from_env = builder().overridden_by(env(&[("GAMELIFT_SDK_HOST_ID", "env-host")])).unwrap();
        assert_eq!(from_env.clone().build().unwrap().host_id(), "env-host");
        assert_eq!(from_env.host_id("later").build().unwrap().host_id(), "later");
    }

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        let config =
            builder().overridden_by(env(&[("GAMELIFT_SDK_AUTH_TOKEN", "")])).unwrap().build().unwrap();
        assert_eq!(config.credentials, Credentials::Token(AuthToken::new_unchecked("t0ken")));
    }

    #[test]
    fn a_variable_that_is_set_but_wrong_is_an_error_that_names_it() {
        let error = builder().overridden_by(env(&[("HEALTHCHECK_INTERVAL", "often")])).unwrap_err();
        assert!(
            error.to_string().contains("HEALTHCHECK_INTERVAL") && error.to_string().contains("often"),
            "{error}"
        );
    }

    #[test]
    fn what_is_missing_is_named_with_its_variable() {
        let error = Config::builder().overridden_by(env(&[])).unwrap().build().unwrap_err();
        assert!(error.to_string().contains("GAMELIFT_SDK_WEBSOCKET_URL"), "{error}");
        let mut no_token = builder();
        no_token.auth_token = None;
        assert_eq!(no_token.build().unwrap_err(), ConfigError::NoCredentials);
    }

    #[test]
    fn a_token_wins_over_keys_and_keys_need_a_region() {
        let both = builder().region("us-west-2").keys("a", "s", None);
        assert!(matches!(both.clone().build().unwrap().credentials, Credentials::Token(_)));
        let mut keys = both;
        keys.auth_token = None;
        assert!(matches!(keys.clone().build().unwrap().credentials, Credentials::Keys(_)));
        keys.region = None;
        assert_eq!(keys.build().unwrap_err(), ConfigError::NoCredentials);
    }

    #[test]
    fn managed_resource_stands_for_a_process_id_that_is_made_up() {
        let id = |given: &str| builder().process_id(given).build().unwrap().process_id().to_owned();
        assert_eq!(id("ManagedResource").len(), 36);
        assert_ne!(id("ManagedResource"), id("ManagedResource"));
        assert_eq!(id("proc-1"), "proc-1");
    }

    #[test]
    fn ids_that_the_service_would_refuse_are_refused_here() {
        assert!(builder().fleet_id("fleet 1").build().is_err());
        assert!(builder().host_id("a/b/c").build().is_err());
        assert!(builder().host_id("cluster/task").build().is_ok());
        assert!(builder().host_id("/task").build().is_err());
        assert!(builder().process_id("p\u{7}").build().is_err());
        assert!(builder().process_id("p".repeat(257)).build().is_err());
    }

    #[test]
    fn a_jitter_of_zero_is_legal_and_one_beyond_the_interval_is_not() {
        let with = |interval, jitter| {
            builder()
                .health_check(Duration::from_secs(interval), Duration::from_secs(jitter), Duration::ZERO)
                .build()
        };
        assert!(with(60, 0).is_ok());
        assert!(with(5, 10).is_err());
    }

    #[test]
    fn spread_and_patience_follow_the_interval_unless_set() {
        let times = |variables: &'static [(&str, &str)]| {
            let health = builder().overridden_by(env(variables)).unwrap().build().unwrap().health;
            (health.interval.as_secs(), health.jitter.as_secs(), health.patience.as_secs())
        };
        assert_eq!(times(&[]), (60, 10, 50));
        assert_eq!(times(&[("HEALTHCHECK_INTERVAL", "6s")]), (6, 1, 5));
        assert_eq!(times(&[("HEALTHCHECK_INTERVAL", "6s"), ("HEALTHCHECK_MAX_JITTER", "0s")]), (6, 0, 6));
        assert_eq!(times(&[("HEALTHCHECK_TIMEOUT", "2s")]), (60, 10, 2));
    }

    #[test]
    fn a_config_prints_without_its_secrets() {
        let printed = format!("{:?}", builder().region("r").keys("akey", "skey", None));
        assert!(!printed.contains("t0ken") && !printed.contains("skey"), "{printed}");
        assert!(!format!("{:?}", builder().build().unwrap()).contains("t0ken"));
    }
}
