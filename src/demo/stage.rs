//! What a round is played on: a local GameLift, a fleet made with the AWS SDK, server processes on its one compute.

use std::net::SocketAddr;
use std::time::Duration;

use aws_sdk_gamelift::Client;
use aws_sdk_gamelift::config::timeout::TimeoutConfig;
use aws_sdk_gamelift::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_gamelift::types::{ComputeType, LocationConfiguration};
use gamelift_local::Local;
use sample_server::{Fingerprint, Identity};
use tokio::time::timeout;

use super::servers::{Launch, Servers};
use super::{DemoError, Narrator, Options, STEP_TIMEOUT};

const LOCATION: &str = "custom-this-machine";
const COMPUTE: &str = "this-machine";

/// Players per game session: what a room of the sample game is pleasant with, and small enough that a round of the default
/// size already needs one process and a round of 20 needs three.
pub(super) const SEATS: usize = 8;

pub(super) struct Stage {
    pub(super) local: Local,
    pub(super) aws: Client,
    pub(super) fleet_id: String,
    pub(super) location: String,
    pub(super) fingerprint: Fingerprint,
    pub(super) servers: Servers,
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
        let (fleet_id, auth_token) = make_fleet(&aws, narrator).await?;

        let identity =
            Identity::generate(&[]).map_err(|error| DemoError::new("making a certificate", error))?;
        let fingerprint = identity.fingerprint();
        narrator.fact("fleet certificate", format!("sha256 {fingerprint}"));
        let launch = Launch {
            sdk_endpoint: local.sdk_endpoint().to_owned(),
            fleet_id: fleet_id.clone(),
            compute_name: COMPUTE.to_owned(),
            auth_token,
            identity,
        };
        let (count, location) = (options.players.div_ceil(SEATS) + 1, LOCATION.to_owned());
        let mut stage =
            Self { local, aws, fleet_id, location, fingerprint, servers: Servers::start(count, &launch) };
        narrator.line(&format!("\n{count} server processes register through the server SDK:"));
        for number in 1..=count {
            let address = stage.next_ready().await?;
            narrator
                .fact(&format!("process {number}"), format!("ready, players connect to {address} (QUIC)"));
        }
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

/// Location, fleet, compute, token: what a team does once for its Anywhere hosts.
async fn make_fleet(aws: &Client, narrator: &Narrator) -> Result<(String, String), DemoError> {
    let location = aws.create_location().location_name(LOCATION).send().await;
    location.map_err(|error| DemoError::new("CreateLocation", error))?;
    narrator.fact("location", LOCATION);

    let here = LocationConfiguration::builder().location(LOCATION).build();
    let fleet = aws
        .create_fleet()
        .name("this-machine")
        .compute_type(ComputeType::Anywhere)
        .locations(here)
        .send()
        .await
        .map_err(|error| DemoError::new("CreateFleet", error))?;
    let attributes = fleet.fleet_attributes.ok_or_else(|| missing("CreateFleet", "FleetAttributes"))?;
    let fleet_id = attributes.fleet_id.ok_or_else(|| missing("CreateFleet", "FleetId"))?;
    narrator.fact("fleet", &fleet_id);

    aws.register_compute()
        .fleet_id(&fleet_id)
        .compute_name(COMPUTE)
        .location(LOCATION)
        .ip_address("127.0.0.1")
        .send()
        .await
        .map_err(|error| DemoError::new("RegisterCompute", error))?;
    narrator.fact("compute", COMPUTE);

    let token = aws.get_compute_auth_token().fleet_id(&fleet_id).compute_name(COMPUTE).send().await;
    let token = token.map_err(|error| DemoError::new("GetComputeAuthToken", error))?;
    let auth_token = token.auth_token.ok_or_else(|| missing("GetComputeAuthToken", "AuthToken"))?;
    Ok((fleet_id, auth_token))
}

pub(super) fn missing(step: &'static str, member: &str) -> DemoError {
    DemoError::new(step, format!("the answer has no {member}"))
}
