//! With GameLift or without: the same binary in an editor, on a laptop and on a fleet.

use std::str::FromStr;

use uuid::Uuid;

use crate::config::Config;
use crate::error::ConfigError;
use crate::offline::OfflineSession;

const VARIABLE: &str = "GAMELIFT_SDK_RUN_MODE";
const RULE: &str = "`off`, `auto` or `required`";

/// The variables of which any one says that somebody means this process to connect.
const SIGNS: [&str; 6] = [
    "GAMELIFT_SDK_WEBSOCKET_URL",
    "GAMELIFT_SDK_FLEET_ID",
    "GAMELIFT_SDK_HOST_ID",
    "GAMELIFT_SDK_PROCESS_ID",
    "GAMELIFT_SDK_AUTH_TOKEN",
    "GAMELIFT_COMPUTE_TYPE",
];

/// Whether a process talks to GameLift.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use gamelift_server_sdk::{Config, Ready, RunMode};
///
/// // `off` in the editor, `auto` on a laptop, `required` in the fleet's launch parameters.
/// let connected = Config::for_run_mode(RunMode::from_env()?)?.connect().await?;
/// let (process, events) = connected.ready(Ready::on_port(7777)).await?;
/// # drop((process, events));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunMode {
    /// No GameLift: one game session starts at once, and **every player is accepted**. No socket is opened.
    Off,
    /// With GameLift if the environment says anything of it (one of `GAMELIFT_SDK_WEBSOCKET_URL`, `_FLEET_ID`, `_HOST_ID`,
    /// `_PROCESS_ID`, `_AUTH_TOKEN`, or `GAMELIFT_COMPUTE_TYPE`), and then all that is needed must be there and right; without,
    /// with a warning, if it says nothing at all.
    #[default]
    Auto,
    /// With GameLift, or not at all: what a fleet should run with, where a server that lets everybody in must never come up.
    Required,
}

impl RunMode {
    /// The mode that the variable `GAMELIFT_SDK_RUN_MODE` names; [`Auto`](Self::Auto) if it is not set.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if it names no mode.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// The same with an environment of the caller's.
    ///
    /// # Errors
    /// As [`Self::from_env`].
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        lookup(VARIABLE).filter(|value| !value.is_empty()).map_or(Ok(Self::Auto), |value| value.parse())
    }
}

impl FromStr for RunMode {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        match text {
            "off" => Ok(Self::Off),
            "auto" => Ok(Self::Auto),
            "required" => Ok(Self::Required),
            other => Err(ConfigError::Invalid { name: VARIABLE, rule: RULE, value: other.to_owned() }),
        }
    }
}

impl Config {
    /// What the mode and the environment say.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable that is missing or wrong; never for [`RunMode::Off`].
    pub fn for_run_mode(mode: RunMode) -> Result<Self, ConfigError> {
        Self::for_run_mode_in(mode, |name| std::env::var(name).ok())
    }

    /// The same with an environment of the caller's.
    ///
    /// # Errors
    /// As [`Self::for_run_mode`].
    pub fn for_run_mode_in(
        mode: RunMode,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let connects = match mode {
            RunMode::Off => false,
            RunMode::Required => true,
            RunMode::Auto => SIGNS.iter().any(|name| lookup(name).is_some_and(|value| !value.is_empty())),
        };
        if connects {
            return Self::builder().overridden_by(lookup)?.build();
        }
        if mode == RunMode::Auto {
            tracing::warn!(
                "no GAMELIFT_SDK_* variable is set: running without GameLift, every player is accepted"
            );
        }
        Ok(Self::offline(OfflineSession::default()))
    }

    /// A process without GameLift that hosts this game session; see [`RunMode::Off`].
    pub fn offline(session: OfflineSession) -> Self {
        let config = Self::builder()
            .websocket_url("ws://offline.invalid")
            .fleet_id("fleet-offline")
            .host_id("offline")
            .process_id(Uuid::new_v4().to_string())
            .auth_token("offline")
            .build();
        Self { offline: Some(session), ..config.expect("these parameters keep every rule") }
    }

    /// Whether the process will run without GameLift: say so on its screen.
    pub fn is_offline(&self) -> bool {
        self.offline.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    const COMPLETE: &[(&str, &str)] = &[
        ("GAMELIFT_SDK_WEBSOCKET_URL", "ws://localhost:9081"),
        ("GAMELIFT_SDK_FLEET_ID", "fleet-1"),
        ("GAMELIFT_SDK_HOST_ID", "host-1"),
        ("GAMELIFT_SDK_AUTH_TOKEN", "token"),
    ];

    #[test]
    fn a_mode_is_one_of_three_words_and_auto_if_nobody_says() {
        let mode = |pairs| RunMode::from_lookup(env(pairs));
        assert_eq!(mode(&[]), Ok(RunMode::Auto));
        assert_eq!(mode(&[(VARIABLE, "")]), Ok(RunMode::Auto));
        assert_eq!(mode(&[(VARIABLE, "off")]), Ok(RunMode::Off));
        assert_eq!(mode(&[(VARIABLE, "required")]), Ok(RunMode::Required));
        let error = mode(&[(VARIABLE, "Off!")]).unwrap_err().to_string();
        assert!(error.contains(VARIABLE) && error.contains("required") && error.contains("Off!"), "{error}");
    }

    #[test]
    fn auto_is_offline_only_where_the_environment_says_nothing_at_all() {
        let offline =
            |mode, pairs| Config::for_run_mode_in(mode, env(pairs)).map(|config| config.is_offline());
        assert_eq!(offline(RunMode::Auto, &[]), Ok(true));
        assert_eq!(offline(RunMode::Auto, COMPLETE), Ok(false));
        let half = &[("GAMELIFT_SDK_FLEET_ID", "fleet-1")];
        assert!(offline(RunMode::Auto, half).is_err(), "a half-set environment is a mistake, not a laptop");
        assert_eq!(offline(RunMode::Off, COMPLETE), Ok(true));
        assert_eq!(offline(RunMode::Required, COMPLETE), Ok(false));
        assert!(offline(RunMode::Required, &[]).is_err());
    }
}
