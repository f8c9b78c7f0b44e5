//! What a round is played on: a local GameLift, a fleet and a matchmaker made with the AWS SDK, server processes, the backend.

use std::net::SocketAddr;
use std::time::Duration;

use ::backend::local::Running;
use aws_sdk_gamelift::Client;
use aws_sdk_gamelift::config::timeout::TimeoutConfig;
use aws_sdk_gamelift::config::{BehaviorVersion, Credentials, Region};
use gamelift_local::Local;
use sample_server::{Fingerprint, Identity};
use tokio::time::timeout;

use super::servers::{Launch, Servers};
use super::{DemoError, Narrator, Options, STEP_TIMEOUT, backend, fleet, matchmaker};

/// Processes in each location beyond those for full matches: for players who are left over, and one for the reader.
const SPARE_PROCESSES: usize = 2;

pub(super) struct Stage {
    pub(super) local: Local,
    pub(super) aws: Client,
    pub(super) fleet_id: String,
    pub(super) fingerprint: Fingerprint,
    pub(super) servers: Servers,
    pub(super) backend: Running,
}

impl Stage {
    /// Everything up to the point where the first player could ask for a game.
    pub(super) async fn set(options: &Options, narrator: &Narrator) -> Result<Self, DemoError> {
        let mut config = match options.free_ports {
            true => gamelift_local::Config::on_free_ports(),
            false => gamelift_local::Config::default(),
        };
        // The fleet is made through the API, as a reader would.
        config.default_resources = false;
        let local = Local::start(config).await.map_err(|error| {
            DemoError::new("starting the local GameLift", format!("{error}, or run with --free-ports"))
        })?;
        narrator.line("GameLift for Rust: session-based game server hosting, on this machine\n");
        narrator.fact("AWS API", local.api_endpoint());
        narrator.fact("server SDK", local.sdk_endpoint());
        if let Some(tls) = local.sdk_tls_endpoint() {
            narrator.fact("server SDK, TLS", tls);
        }
        narrator.fact("admin", local.admin_endpoint());

        let aws = client(local.api_endpoint());
        narrator.line("\nmade with aws-sdk-gamelift, as on AWS:");
        let fleet = fleet::make(&aws, narrator).await?;
        matchmaker::make(&aws, &fleet, narrator).await?;

        let identity =
            Identity::generate(&[]).map_err(|error| DemoError::new("making a certificate", error))?;
        let fingerprint = identity.fingerprint();
        narrator.fact("fleet certificate", format!("sha256 {fingerprint}"));
        let computes: Vec<_> = fleet
            .computes
            .iter()
            .map(|compute| Launch {
                sdk_endpoint: local.sdk_endpoint().to_owned(),
                fleet_id: fleet.id.clone(),
                compute_name: compute.name.clone(),
                auth_token: compute.auth_token.clone(),
                identity: identity.clone(),
            })
            .collect();
        let here = options.players.div_ceil(computes.len());
        let count = here.div_ceil(matchmaker::MATCH_SIZE) + SPARE_PROCESSES;
        let servers = Servers::start(count, &computes);
        let backend = backend::start(&local, &fleet.id, fingerprint, options.free_ports).await?;
        let mut stage = Self { local, aws, fleet_id: fleet.id.clone(), fingerprint, servers, backend };
        for _ in 0..count * computes.len() {
            stage.next_ready().await?;
        }
        for compute in &fleet.computes {
            narrator.fact(
                "server processes",
                format!("{count} in {}, ready: registered through the server SDK", compute.location),
            );
        }
        narrator.line("\nthe backend, with what would be Cognito, API Gateway, Lambda and DynamoDB:");
        narrator.fact("players ask", stage.backend.url());
        narrator.fact("events come to", stage.backend.events_url());
        narrator.fact("", "by SNS: subscribed, confirmed, every message's signature verified");
        Ok(stage)
    }

    async fn next_ready(&mut self) -> Result<SocketAddr, DemoError> {
        let failed = |why: &str| DemoError::new("getting server processes ready", why.to_owned());
        match timeout(STEP_TIMEOUT, self.servers.next_ready()).await {
            Ok(Some(address)) => Ok(address),
            Ok(None) => Err(failed("every process has ended; run with RUST_LOG=warn to see why")),
            Err(_) => Err(failed("a process did not get ready in time; run with RUST_LOG=warn to see why")),
        }
    }

    /// Players get notice, processes end, GameLift stops.
    pub(super) async fn strike(self) {
        self.servers.stop().await;
        if let Err(error) = self.backend.shutdown().await {
            tracing::warn!(%error, "the backend has ended before");
        }
        self.local.shutdown().await;
    }
}

/// The real AWS SDK, pointed at this machine. Any credentials will do.
fn client(endpoint: &str) -> Client {
    let timeouts =
        TimeoutConfig::builder().operation_timeout(STEP_TIMEOUT).connect_timeout(Duration::from_secs(5));
    let config = aws_sdk_gamelift::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-west-2"))
        .credentials_provider(Credentials::new("local", "local", None, None, "demo"))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .timeout_config(timeouts.build())
        .build();
    Client::from_conf(config)
}
