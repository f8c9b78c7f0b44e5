//! By what right a process connects, found out anew before each attempt.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gamelift_wire::connect::{Authorization, ConnectQuery};
use gamelift_wire::ids::AuthToken;
use gamelift_wire::{SDK_LANGUAGE, SDK_VERSION};

use crate::config::Config;
use crate::endpoint::{ContainerRole, Credentials, Endpoint};
use crate::error::{CredentialsError, DialError};
use crate::sigv4::Keys;
use crate::transport::{Dial, Socket};

/// Knows an auth token that is good now. Asked before each attempt to connect, the first and every later one.
///
/// An Anywhere compute's token expires; a process that reconnects after that with the token it started with is refused.
/// The official SDKs know the first token only, and those the service sends with `RefreshConnection`.
///
/// Every `Fn` that returns a future of a token is one:
///
/// ```
/// # use gamelift_server_sdk::{AuthToken, Config, CredentialsError};
/// let config = Config::builder().token_provider(|| async {
///     let token = std::fs::read_to_string("/run/gamelift/auth-token");
///     let token = token.map_err(|error| CredentialsError::Unavailable(error.to_string()))?;
///     Ok(AuthToken::new_unchecked(token.trim()))
/// });
/// ```
///
/// With feature `compute-auth-token`, `ComputeAuthToken` asks GameLift itself.
pub trait TokenProvider: Send + Sync + 'static {
    /// A token that is good now. It is asked as part of an attempt to connect, which has 20 s in all; the future is dropped
    /// when they are over.
    fn token(&self) -> BoxFuture<'_, Result<AuthToken, CredentialsError>>;

    /// The service refused the last token (HTTP 401 or 403). Whoever remembers tokens should forget this one: the SDK asks
    /// once more at once.
    fn refused(&self) {}
}

impl<F, T> TokenProvider for F
where
    F: Fn() -> T + Send + Sync + 'static,
    T: Future<Output = Result<AuthToken, CredentialsError>> + Send + 'static,
{
    fn token(&self) -> BoxFuture<'_, Result<AuthToken, CredentialsError>> {
        self().boxed()
    }
}

/// A provider that can be compared and printed: as itself.
#[derive(Clone)]
pub(crate) struct Provider(pub(crate) Arc<dyn TokenProvider>);

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Provider(..)")
    }
}

impl PartialEq for Provider {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Provider {}

/// The compute's name: given, or known once a container's task metadata has been read. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostId(Arc<OnceLock<String>>);

impl HostId {
    pub(crate) fn given(id: String) -> Self {
        Self(Arc::new(OnceLock::from(id)))
    }

    pub(crate) fn get(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    /// A task's id never changes, so the first answer is as good as any later one.
    fn learn(&self, id: String) {
        self.0.get_or_init(|| id);
    }
}

/// One attempt: credentials, then the socket.
pub(crate) async fn dial(
    config: &Config,
    endpoint: &Endpoint,
    dialer: &dyn Dial,
) -> Result<Socket, DialError> {
    let authorization = match &endpoint.credentials {
        Credentials::None => Authorization::None,
        Credentials::Token(token) => Authorization::Token(token.clone()),
        Credentials::Keys(keys) => sign(config, keys),
        Credentials::Container(role) => {
            let keys = container_keys(config, role).await;
            sign(config, &keys.map_err(DialError::Credentials)?)
        }
        Credentials::Provider(Provider(provider)) => {
            return dial_with_provider(config, endpoint, dialer, provider.as_ref()).await;
        }
    };
    dialer.dial(url(config, endpoint, authorization)).await
}

/// A token that the service refuses is replaced, once, if there is another.
async fn dial_with_provider(
    config: &Config,
    endpoint: &Endpoint,
    dialer: &dyn Dial,
    provider: &dyn TokenProvider,
) -> Result<Socket, DialError> {
    let dial = |token: AuthToken| dialer.dial(url(config, endpoint, Authorization::Token(token)));
    let first = provider.token().await.map_err(DialError::Credentials)?;
    match dial(first.clone()).await {
        Err(error) if error.is_unauthorized() => {
            provider.refused();
            match provider.token().await {
                Ok(second) if second != first => dial(second).await,
                _ => Err(error),
            }
        }
        result => result,
    }
}

/// Both anew at each attempt: keys expire, and the official SDKs (Go 5.6.0, C++ 5.4.0) fetch them once in a process's life.
async fn container_keys(config: &Config, role: &ContainerRole) -> Result<Keys, CredentialsError> {
    let ContainerRole { region, endpoints } = role;
    let (keys, task_id) = futures_util::future::join(endpoints.keys(region), endpoints.task_id()).await;
    match task_id {
        Ok(id) => config.host_id.learn(id),
        Err(error) if config.host_id.get().is_none() => return Err(error),
        Err(error) => tracing::debug!(%error, "task metadata not read again; its id is known"),
    }
    keys
}

fn sign(config: &Config, keys: &Keys) -> Authorization {
    let host_id = config.host_id.get().unwrap_or_default();
    Authorization::SigV4(keys.sign(config.wall_clock.now(), host_id, &config.fleet_id, &config.process_id))
}

/// The whole URL, its secret included: for the socket only.
fn url(config: &Config, endpoint: &Endpoint, authorization: Authorization) -> String {
    let query = ConnectQuery {
        authorization,
        compute_id: config.host_id.get().unwrap_or_default().to_owned(),
        fleet_id: config.fleet_id.clone(),
        idempotency_token: endpoint.idempotency_token.clone(),
        process_id: config.process_id.clone(),
        sdk_language: SDK_LANGUAGE.to_owned(),
        sdk_version: SDK_VERSION.to_owned(),
    };
    let mut url = endpoint.url.clone();
    url.set_query(Some(&query.to_query()));
    url.into()
}

/// What signatures and expiry go by: the wall clock, unless a test brings its own.
#[derive(Clone)]
pub(crate) struct WallClock(pub(crate) Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl WallClock {
    pub(crate) fn now(&self) -> SystemTime {
        (self.0)()
    }
}

impl Default for WallClock {
    fn default() -> Self {
        Self(Arc::new(SystemTime::now))
    }
}

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WallClock")
    }
}
