//! One player's line to the backend: an identity, credentials for it, and a signed request per method.
//!
//! | module | job |
//! |---|---|
//! | `config` | which backend, and what its URL says of it |
//! | `call` | one request: who, signed, sent, and again if that helps |
//! | `routes` | what can be asked for |

mod call;
mod config;
mod routes;

use std::fmt;
use std::sync::Arc;

use tokio::sync::Mutex;

pub use self::call::{ATTEMPTS_MAX, patiently};
use self::config::Settings;
pub use self::config::{ClientConfig, REGION_DEFAULT};
pub use self::routes::{Started, TicketNews, Token};
use super::error::{PlayError, SetUpError};
use super::identity::IdentityFile;
use super::push::PushBy;
use super::signature::Credentials;

/// A player's line to the backend. A cheap clone: all clones are the same player.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    file: Option<IdentityFile>,
    who: Mutex<Who>,
}

/// Held while it is found out, so that many requests at once ask once.
#[derive(Default)]
struct Who {
    identity: Option<String>,
    credentials: Option<Credentials>,
}

/// Without who it is.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.shared.settings.base).finish_non_exhaustive()
    }
}

impl Client {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// When an address cannot be used, or the identity file cannot.
    pub fn new(config: ClientConfig) -> Result<Self, SetUpError> {
        let settings = Settings::new(&config)?;
        let file = config.identity_file.map(IdentityFile::new);
        let identity = match &file {
            Some(file) => file.read(&settings.cognito.pool)?,
            None => None,
        };
        Ok(Self::as_player(settings, file, identity))
    }

    /// Another player of the same backend, with an identity that is forgotten. Connections are shared.
    #[must_use]
    pub fn another_player(&self) -> Self {
        Self::as_player(self.shared.settings.clone(), None, None)
    }

    fn as_player(settings: Settings, file: Option<IdentityFile>, identity: Option<String>) -> Self {
        let who = Mutex::new(Who { identity, credentials: None });
        Self { shared: Arc::new(Shared { settings, file, who }) }
    }

    /// Whether news can be pushed that way, as far as the addresses tell. Without this it is found out later, and the ticket
    /// is asked for instead.
    ///
    /// # Errors
    /// What to do about it.
    pub fn check_push(&self, by: PushBy) -> Result<(), SetUpError> {
        let settings = &self.shared.settings;
        match by {
            PushBy::WebSocket if settings.web_socket.is_none() => Err(SetUpError::NoWebSocket),
            PushBy::Grpc if settings.grpc.is_none() => Err(SetUpError::NoGrpc),
            _ => Ok(()),
        }
    }

    /// Gets an identity and credentials now. Every other method does so if it has to.
    ///
    /// # Errors
    /// The identity or the credentials are not to be had, or the identity cannot be kept.
    ///
    /// # Cancel safety
    /// Dropping the future loses an identity that Cognito may have made.
    pub async fn sign_in(&self) -> Result<(), PlayError> {
        let mut who = self.shared.who.lock().await;
        self.identity(&mut who).await?;
        self.credentials(&mut who).await?;
        Ok(())
    }

    /// The identity, once there is one. It is a secret: whoever knows a guest's can act as them.
    pub async fn identity_id(&self) -> Option<String> {
        self.shared.who.lock().await.identity.clone()
    }
}
