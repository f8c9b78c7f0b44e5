//! What the environment of a function says. `deploy/README.md` has the table, and the template sets it.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use url::{Host, Url};

use super::Lookup;
use crate::service::{Settings, fleet_certificate};

/// What a queue may take to place a match: its `TimeoutInSeconds` in the template.
const PLACEMENT_WAIT: Duration = Duration::from_secs(60);

/// What the environment has wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A variable that there must be.
    #[error("{variable} is not set: it must be {rule}")]
    Missing {
        /// Its name.
        variable: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// A variable that is something else.
    #[error("{variable} must be {rule}, not {value:?}")]
    Wrong {
        /// Its name.
        variable: &'static str,
        /// What it must be.
        rule: &'static str,
        /// What it is.
        value: String,
    },
}

/// The access to AWS that Lambda gives a function. It lasts for as long as the function's process may.
#[derive(Clone)]
pub struct Access {
    pub(super) key_id: String,
    pub(super) secret: String,
    pub(super) session_token: Option<String>,
}

impl fmt::Debug for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Access").finish_non_exhaustive()
    }
}

/// Where AWS is, and who we are there.
#[derive(Clone, Debug)]
pub struct Aws {
    /// The Region.
    pub region: String,
    /// Who we are.
    pub access: Access,
    /// DynamoDB, if it is not where it is in the Region.
    pub dynamodb: Option<Url>,
    /// GameLift, if it is not where it is in the Region.
    pub game_lift: Option<Url>,
}

/// What all functions are told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where AWS is.
    pub aws: Aws,
    /// The name of the table.
    pub table: String,
    /// What the use cases go by.
    pub settings: Settings,
}

impl Config {
    /// For the function that takes events. It starts nothing, so it is told of no configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn events(environment: Lookup<'_>) -> Result<Self, ConfigError> {
        let it = Environment(environment);
        let aws = Aws {
            region: it.must("AWS_REGION", "a Region, such as eu-west-1", is_region)?,
            access: Access {
                key_id: it.secret("AWS_ACCESS_KEY_ID")?,
                secret: it.secret("AWS_SECRET_ACCESS_KEY")?,
                session_token: it.get("AWS_SESSION_TOKEN"),
            },
            dynamodb: it.url("AWS_ENDPOINT_URL_DYNAMODB")?,
            game_lift: it.url("AWS_ENDPOINT_URL_GAMELIFT")?,
        };
        let table = it.must("BACKEND_TABLE", TABLE_RULE, is_table)?;
        let settings =
            Settings { topics: it.topics()?, certificates: it.certificates()?, ..Settings::default() };
        Ok(Self { aws, table, settings })
    }

    /// For the functions that players call.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn calls(environment: Lookup<'_>) -> Result<Self, ConfigError> {
        let mut config = Self::events(environment)?;
        let it = Environment(environment);
        let settings = &mut config.settings;
        settings.configuration = it.must("BACKEND_CONFIGURATION", CONFIGURATION_RULE, is_name)?;
        let rule = "whole seconds, 1 to 43200";
        let search = it.seconds("BACKEND_TICKET_TIMEOUT_SECONDS", rule, 43_200)?;
        let rule = "whole seconds, 1 to 600";
        settings.acceptance_timeout = it.seconds("BACKEND_ACCEPTANCE_TIMEOUT_SECONDS", rule, 600)?;
        settings.ticket_timeout = search + settings.acceptance_timeout + PLACEMENT_WAIT;
        settings.queue = it.may("BACKEND_QUEUE", "a queue's name or ARN, or empty for none", is_name)?;
        Ok(config)
    }
}

/// Where to post to sockets; none if there is no WebSocket API.
///
/// # Errors
///
/// [`ConfigError`].
pub fn websocket_url(environment: Lookup<'_>) -> Result<Option<Url>, ConfigError> {
    // Posts are signed, but what they say is not for others: plain HTTP stays on this machine.
    let rule = "the https URL of a WebSocket API's stage, or empty for none";
    Environment(environment).parsed("BACKEND_WEBSOCKET_URL", rule, |url: &Url| {
        url.scheme() == "https" || url.scheme() == "http" && is_loopback(url)
    })
}

const TABLE_RULE: &str = "a table's name: 3 to 255 letters, digits, underscores, hyphens and dots";
const CONFIGURATION_RULE: &str = "the name or ARN of a matchmaking configuration, at most 256 characters";
const TOPICS_RULE: &str = "ARNs of SNS topics, separated by commas";
const CERTIFICATES_RULE: &str =
    "FLEET=SHA256, with 64 hexadecimal digits, or several separated by commas, or empty for none";
const SECRET_RULE: &str = "as Lambda sets it";

fn is_region(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// API reference, DynamoDB, CreateTable.
fn is_table(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (3..=255).contains(&text.len()) && text.bytes().all(good)
}

/// API reference, GameLift, StartMatchmaking and StartGameSessionPlacement.
fn is_name(text: &str) -> bool {
    text.len() <= 256 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// `arn:<partition>:sns:<region>:<account>:<name>`.
fn is_topic(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    parts.len() == 6 && parts[0] == "arn" && parts[2] == "sns" && parts.iter().all(|part| !part.is_empty())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

struct Environment<'a>(Lookup<'a>);

impl Environment<'_> {
    /// What is empty is not there: a template cannot leave a variable out by condition.
    fn get(&self, variable: &str) -> Option<String> {
        (self.0)(variable).filter(|value| !value.is_empty())
    }

    fn may(
        &self,
        variable: &'static str,
        rule: &'static str,
        good: impl Fn(&str) -> bool,
    ) -> Result<Option<String>, ConfigError> {
        match self.get(variable) {
            Some(value) if !good(&value) => Err(ConfigError::Wrong { variable, rule, value }),
            value => Ok(value),
        }
    }

    fn must(
        &self,
        variable: &'static str,
        rule: &'static str,
        good: impl Fn(&str) -> bool,
    ) -> Result<String, ConfigError> {
        self.may(variable, rule, good)?.ok_or(ConfigError::Missing { variable, rule })
    }

    fn parsed<T: FromStr>(
        &self,
        variable: &'static str,
        rule: &'static str,
        good: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.get(variable) else {
            return Ok(None);
        };
        match value.parse() {
            Ok(parsed) if good(&parsed) => Ok(Some(parsed)),
            _ => Err(ConfigError::Wrong { variable, rule, value }),
        }
    }

    /// Its value is in no error.
    fn secret(&self, variable: &'static str) -> Result<String, ConfigError> {
        self.get(variable).ok_or(ConfigError::Missing { variable, rule: SECRET_RULE })
    }

    fn url(&self, variable: &'static str) -> Result<Option<Url>, ConfigError> {
        self.parsed(variable, "an http or https URL", |url: &Url| {
            matches!(url.scheme(), "http" | "https") && url.has_host()
        })
    }

    fn seconds(
        &self,
        variable: &'static str,
        rule: &'static str,
        most: u64,
    ) -> Result<Duration, ConfigError> {
        let seconds = self.parsed(variable, rule, |seconds: &u64| (1..=most).contains(seconds))?;
        seconds.map(Duration::from_secs).ok_or(ConfigError::Missing { variable, rule })
    }

    fn topics(&self) -> Result<BTreeSet<String>, ConfigError> {
        let topics =
            self.must("BACKEND_TOPICS", TOPICS_RULE, |value| value.split(',').map(str::trim).all(is_topic))?;
        Ok(topics.split(',').map(|topic| topic.trim().to_owned()).collect())
    }

    fn certificates(&self) -> Result<BTreeMap<String, String>, ConfigError> {
        let variable = "BACKEND_FLEET_CERTIFICATES";
        let Some(value) = self.get(variable) else {
            return Ok(BTreeMap::new());
        };
        let each = value.split(',').map(|one| fleet_certificate(one.trim()));
        each.collect::<Result<_, _>>().map_err(|_| ConfigError::Wrong {
            variable,
            rule: CERTIFICATES_RULE,
            value: value.clone(),
        })
    }
}

#[cfg(test)]
mod tests;
