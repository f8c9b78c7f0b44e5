//! Where the service is, and by what right a process connects.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use gamelift_wire::ids::AuthToken;
use url::Url;

use crate::container::ContainerEndpoints;
use crate::credentials::Provider;
use crate::error::ConfigError;
use crate::sigv4::Keys;

/// Where to connect, and by what right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) url: Url,
    pub(crate) credentials: Credentials,
    /// The same for all automatic reconnects, new for each start and each refresh.
    pub(crate) idempotency_token: String,
}

/// What a process may prove itself with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// None: what the official SDKs do after a refresh without a token.
    None,
    Token(AuthToken),
    /// Signed anew at each dial, by the driver: a signature ages.
    Keys(Box<Keys>),
    /// The container's task role, fetched anew at each dial: its keys age, too.
    Container(Box<ContainerRole>),
    /// Asked at each dial.
    Provider(Provider),
}

/// Where a container's role is asked for, and what its keys sign for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContainerRole {
    pub(crate) region: String,
    pub(crate) endpoints: ContainerEndpoints,
}

impl Credentials {
    /// After a refresh: the token that came with it. Without one, what can be had anew; an old token is not sent again.
    pub(crate) fn after_refresh(token: Option<AuthToken>, configured: &Self) -> Self {
        match token {
            Some(token) => Self::Token(token),
            None if configured.can_be_renewed() => configured.clone(),
            None => Self::None,
        }
    }

    /// Whether there will be good ones at the next dial, whatever happened to those of the last.
    pub(crate) fn can_be_renewed(&self) -> bool {
        match self {
            Self::None | Self::Token(_) => false,
            Self::Keys(_) | Self::Container(_) | Self::Provider(_) => true,
        }
    }
}

/// Reads an endpoint, from a parameter or from a `RefreshConnection`. Its query is dropped: that is ours, and might hold a
/// secret.
pub(crate) fn websocket_url(text: &str) -> Result<Url, ConfigError> {
    let without_query = text.split(['?', '#']).next().unwrap_or_default();
    let invalid = || ConfigError::Invalid {
        name: "WebSocket URL",
        rule: "a URL that starts with ws:// or wss:// and names a host",
        value: without_query.to_owned(),
    };
    let url = Url::parse(without_query).map_err(|_| invalid())?;
    if !matches!(url.scheme(), "ws" | "wss") || url.host_str().is_none_or(str::is_empty) {
        return Err(invalid());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_keep_their_path_and_lose_their_query() {
        assert_eq!(websocket_url("wss://host/stage?x=1").unwrap().as_str(), "wss://host/stage");
        for bad in ["", "host:9081", "http://host", "wss://"] {
            assert!(websocket_url(bad).is_err(), "{bad}");
        }
        let error = websocket_url("http://host/?Authorization=s3cret").unwrap_err().to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }
}
