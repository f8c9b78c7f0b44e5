//! Everything in one process, on one port: the gateway, the API, WebSockets, the endpoint for events, and the table.
//!
//! For development and for containers behind a proxy that ends TLS.

#[cfg(feature = "aws")]
mod aws;
mod connection;
mod secret;
pub mod server;
pub mod settings;
#[cfg(not(feature = "aws"))]
mod without_aws;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::from_fn;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tower_http::cors::{AllowOrigin, CorsLayer};

pub use server::Bounds;
pub use settings::{Asked, Config, Events, Table};

#[cfg(feature = "aws")]
use self::aws::Aws;
#[cfg(not(feature = "aws"))]
use self::without_aws::Aws;
use crate::api;
use crate::game_lift::AwsGameLift;
use crate::gateway::{self, Gateway};
use crate::grpc::Service;
use crate::service::{Backend, Clock};
use crate::sns::endpoint::Endpoint;
use crate::sns::verify::Policy;
use crate::store::{Embedded, EmbeddedError, Store, StoreError, local_client};
use crate::websocket::Sockets;

/// What requests under way get at the end. WebSockets are told at once.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(5);
/// The name of the table.
const TABLE: &str = "backend";

/// The backend could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or there is no such address.
    #[error("cannot listen on {address}: {source}; choose another with --listen")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The table's file cannot be used.
    #[error(transparent)]
    Table(#[from] EmbeddedError),
    /// The table cannot be made.
    #[error("cannot make the table: {0}")]
    Store(#[from] StoreError),
    /// The secret that identities hang on cannot be read or written.
    #[error("cannot use the file {path} that holds the secret of the players' credentials: {source}")]
    Secret {
        /// Beside the table's file.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// There are no credentials for AWS.
    #[error("there are no credentials for AWS, which --aws needs: {}", .0.as_ref().map_or_else(|| "nothing provides any".to_owned(), ToString::to_string))]
    Credentials(#[source] Option<Box<dyn std::error::Error + Send + Sync>>),
    /// AWS is asked for, and this program cannot.
    #[error("this backend was built without AWS: build it with `--features aws`")]
    WithoutAws,
    /// The system's root certificates cannot be read.
    #[error("cannot read the system's root certificates: {0}")]
    Roots(io::Error),
}

/// A backend that runs. Dropped, it stops when it gets round to it.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// The pool that clients ask for an identity.
    pub identity_pool: String,
    /// The Region that requests are signed for.
    pub region: String,
    backend: Backend,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    table: Option<Embedded>,
}

impl fmt::Debug for Running {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Running {
    /// `http://127.0.0.1:9090`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where SNS posts events.
    pub fn events_url(&self) -> String {
        format!("{}/events/sns", self.url())
    }

    /// The use cases themselves, for whoever runs this in their own process.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Lets nobody in any more, gives what is under way five seconds, and closes the table.
    ///
    /// # Errors
    ///
    /// What the server has died of before.
    ///
    /// # Cancel safety
    ///
    /// Dropped half way it goes on stopping.
    pub async fn shutdown(mut self) -> io::Result<()> {
        self.stop.send_replace(true);
        let served = match timeout(SHUTDOWN_WAIT, &mut self.server).await {
            Ok(served) => served.map_err(io::Error::other),
            Err(_) => {
                tracing::warn!("some connections are still open: they are cut");
                self.server.abort();
                Ok(())
            }
        };
        if let Some(table) = self.table {
            table.shutdown().await;
        }
        served
    }
}

/// Starts a backend.
///
/// # Errors
///
/// [`StartError`], which says what to change.
///
/// # Cancel safety
///
/// Dropped half way it leaves nothing behind but the files.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let clock: Clock = Arc::new(SystemTime::now);
    let asks_aws = matches!(config.game_lift, Asked::Aws(_)) || matches!(config.table, Table::Aws(_));
    let aws = if asks_aws { Some(Aws::find(&config.region).await?) } else { None };
    let secret = secret::of(&config.table)?;
    let (table, client) = match &config.table {
        Table::Memory => {
            let table = Embedded::start(None).await?;
            let client = table.client();
            (Some(table), client)
        }
        Table::File(path) => {
            let table = Embedded::start(Some(path)).await?;
            let client = table.client();
            (Some(table), client)
        }
        Table::DynamoDb(endpoint) => (None, local_client(endpoint.as_str().trim_end_matches('/'))),
        Table::Aws(_) => (None, found(aws.as_ref())?.dynamodb()),
    };
    let store = if let Table::Aws(name) = &config.table {
        // The deployment makes it; it may take more than a player's backend is allowed.
        let store = Store::new(client, name);
        store.ping().await?;
        store
    } else {
        let store = Store::new(client, TABLE);
        store.create_table_if_absent().await?;
        store
    };
    let game_lift = match &config.game_lift {
        Asked::Local(url) => AwsGameLift::local(url.as_str().trim_end_matches('/')),
        Asked::Aws(url) => found(aws.as_ref())?.game_lift(url.as_ref()),
    };
    let game_lift = Arc::new(game_lift);
    let topics = config.settings.topics.clone();
    let backend = Backend::new(config.settings, store, game_lift, clock.clone());
    let gateway = Gateway::new(
        gateway::Config {
            secret,
            region: config.region.clone(),
            rates: config.rates,
            trusted_proxies: config.trusted_proxies,
        },
        clock.clone(),
    );
    let policy = Policy { topics, version_1: config.events.version_1 };
    let events =
        Endpoint::new(backend.clone(), policy, config.events.trust, clock).map_err(StartError::Roots)?;
    let (stop, stopped) = watch::channel(false);
    let sockets = Sockets::new(backend.clone(), gateway.clone(), stopped.clone());
    let router = router(&backend, &gateway, sockets, events, &config.cors);

    let listen = |source| StartError::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let server = tokio::spawn(server::serve(listener, router, config.bounds, stopped));
    let identity_pool = gateway.pool_id();
    Ok(Running { address, identity_pool, region: config.region, backend, stop, server, table })
}

/// It was looked for because it is asked.
fn found(aws: Option<&Aws>) -> Result<&Aws, StartError> {
    aws.ok_or(StartError::WithoutAws)
}

/// All routes, and what goes around them. [`start`] serves them; tests and hosts of their own can, too.
pub fn router(
    backend: &Backend,
    gateway: &Gateway,
    sockets: Sockets,
    events: Endpoint,
    cors: &[HeaderValue],
) -> Router {
    let api::Parts { protected, public, mut description } = api::parts(backend);
    let grpc = Service::new(backend.clone(), gateway.clone(), sockets.stop()).router();
    let described = [sockets.router(), gateway.door(), events.router()];
    let [sockets, door, events] = described.map(|(routes, more)| {
        description.merge(more);
        routes
    });
    // The fallback for unknown paths comes with the API, so an unsigned request for one is refused as API Gateway does.
    let router = gateway.protect(protected.merge(sockets)).merge(public).merge(api::Parts::page(description));
    let router = router.merge(door).merge(events).merge(grpc);
    let router = router.method_not_allowed_fallback(api::wrong_method).layer(from_fn(api::answer::finish));
    if cors.is_empty() {
        return router;
    }
    // A header `x-amz-*` cannot be named by pattern.
    let headers = [
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        header::IF_NONE_MATCH,
        HeaderName::from_static("idempotency-key"),
        HeaderName::from_static("x-amz-content-sha256"),
        HeaderName::from_static("x-amz-date"),
        HeaderName::from_static("x-amz-security-token"),
        HeaderName::from_static("x-amz-target"),
        HeaderName::from_static("x-amz-user-agent"),
    ];
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(cors.iter().cloned()))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(headers)
        .expose_headers([header::ETAG, header::LOCATION, header::RETRY_AFTER, api::answer::REQUEST_ID])
        .max_age(CORS_MAX_AGE);
    router.layer(layer)
}

/// How long a browser may remember what is allowed.
const CORS_MAX_AGE: Duration = Duration::from_secs(10 * 60);
