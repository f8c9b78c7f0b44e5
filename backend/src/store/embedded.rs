//! The DynamoDB API in this process, on a file or in memory.
//!
//! It is reached over loopback by the same client as the real one, so that what is tested here is what runs on AWS. Any program
//! on this machine can reach it too: it is for development.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use dynoxide::Database;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// What one call may take, retries included. A disk that takes longer is broken.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// What requests under way get at the end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// The table could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The file is none that can be used.
    #[error("cannot open the table's file {path}: {reason}; another backend may have it open")]
    Open {
        /// The file.
        path: String,
        /// What SQLite says.
        reason: String,
    },
    /// There is no port on loopback.
    #[error("cannot listen on loopback for the table: {0}")]
    Listen(#[from] std::io::Error),
}

/// The DynamoDB API in this process. Dropped, it stops when it gets round to it; [`Self::shutdown`] waits for that.
#[derive(Debug)]
pub struct Embedded {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<Result<(), String>>,
}

impl Embedded {
    /// Starts on a file, which is made if there is none; without one in memory.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, or there is no port.
    ///
    /// # Cancel safety
    ///
    /// Nothing is left behind but the file.
    pub async fn start(file: Option<&Path>) -> Result<Self, EmbeddedError> {
        let database = match file {
            Some(path) => Database::new(&path.to_string_lossy()).map_err(|error| EmbeddedError::Open {
                path: path.display().to_string(),
                reason: error.to_string(),
            })?,
            None => Database::memory().map_err(|error| EmbeddedError::Open {
                path: "(memory)".to_owned(),
                reason: error.to_string(),
            })?,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, async {
            // A dropped sender means the same.
            let _ = stopped.await;
        }));
        Ok(Self { address, stop: Some(stop), server })
    }

    /// Where it is.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        local_client(&self.endpoint())
    }

    /// Stops, and lets go of the file.
    ///
    /// # Cancel safety
    ///
    /// Dropped half way it goes on stopping.
    pub async fn shutdown(mut self) {
        self.stop.take();
        match tokio::time::timeout(SHUTDOWN_TIMEOUT, &mut self.server).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(reason))) => tracing::warn!(%reason, "the embedded table did not stop well"),
            Ok(Err(error)) => tracing::warn!(%error, "the embedded table has crashed"),
            Err(_) => {
                tracing::warn!("the embedded table is still busy; it is left to itself");
                self.server.abort();
            }
        }
    }
}

/// A client of a DynamoDB API on this machine. Any credentials will do there.
pub fn local_client(endpoint: &str) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-west-2"))
        .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .timeout_config(TimeoutConfig::builder().operation_timeout(CALL_TIMEOUT).build())
        .build();
    Client::from_conf(config)
}
