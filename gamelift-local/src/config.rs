//! What a local GameLift is started with.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use crate::{Clock, FaultRates, SignatureVersion, engine::Settings, setup::Setup};

/// Addresses, clock and names. Start from [`Config::default`], [`Config::on_free_ports`] or [`Config::in_memory`].
#[derive(Debug, Clone)]
pub struct Config {
    /// Whether to listen at all. Without, there are [`Local::call`](crate::Local::call) and
    /// [`Local::attach`](crate::Local::attach), which also work on a paused Tokio clock.
    pub listen: bool,
    /// Where the AWS API listens. Port 0 means any free port, here and below.
    pub api: SocketAddr,
    /// Where the server-SDK WebSocket listens without TLS.
    pub sdk: SocketAddr,
    /// Where it listens with TLS, if at all.
    pub sdk_tls: Option<SocketAddr>,
    /// Where the admin side listens.
    pub admin: SocketAddr,
    /// How time passes.
    pub clock: Clock,
    /// The AWS Region in ARNs.
    pub region: String,
    /// The AWS account id in ARNs: 12 digits.
    pub account_id: String,
    /// What all ids come from; random when absent.
    pub seed: Option<u64>,
    /// Whether to make a fleet, a location, a compute, a token, a queue and a matchmaker at start.
    pub default_resources: bool,
    /// What else to make at start. [`Config::with_setup`] also takes over its Region, account and so on.
    pub setup: Option<Setup>,
    /// Where the latency beacons of locations listen, if at all. They need listeners.
    pub beacons: Option<IpAddr>,
    /// A file that every event is appended to, as a line of JSON.
    pub events_file: Option<PathBuf>,
    /// Whether to keep a log of frames and states, and to have a [`doctor`](crate::doctor) watch server processes.
    pub observe: bool,
    /// A file that every line of the log is appended to. It needs [`Config::observe`].
    pub log_file: Option<PathBuf>,
    /// URLs of HTTP endpoints that are subscribed to every event, as with Amazon SNS. They need listeners.
    pub sns_subscribers: Vec<String>,
    /// How messages to subscribers are signed, if a subscription does not say.
    pub sns_signature_version: SignatureVersion,
    /// Certificates to trust at https endpoints, as PEM, instead of the system's.
    pub sns_ca: Option<PathBuf>,
    /// URLs that every event is posted to, as by Amazon EventBridge.
    pub event_targets: Vec<String>,
    /// How often deliveries to subscribers and targets go wrong on purpose.
    pub event_faults: FaultRates,
    /// How long an auth token lives.
    pub token_ttl: Duration,
    /// How long a server-SDK connection lives before its process is told to make a new one; `None`: for ever.
    pub refresh_interval: Option<Duration>,
    /// How long a reserved slot waits for its player.
    pub player_session_timeout: Duration,
}

impl Default for Config {
    /// Loopback, ports 9080 (API), 9081 and 9443 (server SDK), 9082 (admin).
    fn default() -> Self {
        let settings = Settings::default();
        Self {
            listen: true,
            api: loopback(9080),
            sdk: loopback(9081),
            sdk_tls: Some(loopback(9443)),
            admin: loopback(9082),
            clock: Clock::Wall,
            region: settings.region,
            account_id: settings.account_id,
            seed: None,
            default_resources: true,
            setup: None,
            beacons: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            events_file: None,
            observe: false,
            log_file: None,
            sns_subscribers: Vec::new(),
            sns_signature_version: SignatureVersion::default(),
            sns_ca: None,
            event_targets: Vec::new(),
            event_faults: FaultRates::default(),
            token_ttl: settings.token_ttl,
            refresh_interval: settings.refresh_interval,
            player_session_timeout: settings.player_session_timeout,
        }
    }
}

impl Config {
    /// As the default, but on free ports: many can run at the same time.
    pub fn on_free_ports() -> Self {
        let any = loopback(0);
        Self { api: any, sdk: any, sdk_tls: Some(any), admin: any, ..Self::default() }
    }

    /// Without sockets, on a clock moved by hand, with a fixed seed: for tests.
    pub fn in_memory() -> Self {
        Self { listen: false, clock: Clock::Manual, seed: Some(0), ..Self::default() }
    }

    /// Makes what a setup declares, instead of the default resources or besides them, as the setup says. Region, account
    /// and life of tokens are the setup's, if it has them.
    #[must_use]
    pub fn with_setup(mut self, setup: Setup) -> Self {
        self.region = setup.region.clone().unwrap_or(self.region);
        self.account_id = setup.account_id.clone().unwrap_or(self.account_id);
        self.token_ttl = setup.token_ttl_seconds.map_or(self.token_ttl, Duration::from_secs);
        self.default_resources = setup.default_resources;
        self.setup = Some(setup);
        self
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}
