//! A running local GameLift.

mod beacons;
mod default_matchmaking;
mod default_resources;
mod listeners;
mod processes;

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    io,
    net::SocketAddr,
    path::PathBuf,
    time::Duration,
};

use axum::body::Bytes;
use serde_json::Value;
use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        mpsc, watch,
    },
    task::JoinSet,
    time::timeout,
};

use self::listeners::Listeners;
use crate::{
    ApiError, Beacon, Config, EndpointError, ErrorKind, Events, FaultRatesError, SignatureVersion, admin,
    api::{self, Codec},
    clock::RunningClock,
    doctor::{Finding, Sign},
    driver::{Driver, FromService, Handle, OUTBOX_MAX},
    engine::{Engine, ProcessName, Refused, Settings, Snapshot},
    events::{self, faults::Faults, outlets::Outlets, targets::Targets},
    server_sdk::{parse_query, tls::TlsError},
    setup::{self, SetupError},
    sns::{Subscribe, Subscriptions},
};

/// How long a shutdown waits for connections to close before it cuts them.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);
/// The options that name endpoints of events.
const SUBSCRIBER: &str = "--sns-subscriber";
const TARGET: &str = "--event-target";
/// "Service restart": every SDK connects again when somebody is there.
const CLOSE_RESTART: u16 = 1012;

/// A running local GameLift. Many can run in one program. Dropping it stops it at once.
#[derive(Debug)]
pub struct Local {
    handle: Handle,
    endpoints: Endpoints,
    defaults: Defaults,
    beacons: Vec<Beacon>,
    stop: watch::Sender<bool>,
    listeners: JoinSet<()>,
    driver: JoinSet<()>,
    /// What carries events out, until the last one is delivered.
    deliveries: JoinSet<()>,
    /// Endpoints end with whoever knows them: this is what they last for.
    endpoints_of_events: (Targets, Option<Subscriptions>),
}

#[derive(Debug, Default)]
struct Endpoints {
    api: String,
    sdk: String,
    sdk_tls: Option<String>,
    admin: String,
    ca_certificate_pem: Option<String>,
}

/// The resources made at start, so that a game server can connect at once. There are also a queue, a matchmaking rule
/// set (two players of like skill) and a matchmaking configuration over them, all three called `default`.
///
/// With a [`setup`] these are its first compute and that compute's fleet. Without any compute in it, they are the default
/// ones if it asks for those, too, and else its first fleet.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Defaults {
    /// Id of the Anywhere fleet.
    pub fleet_id: String,
    /// ARN of the Anywhere fleet.
    pub fleet_arn: String,
    /// Name of its location.
    pub location: String,
    /// Name of its compute.
    pub compute_name: String,
    /// The compute's auth token.
    pub auth_token: String,
}

impl fmt::Debug for Defaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Defaults")
            .field("fleet_id", &self.fleet_id)
            .field("location", &self.location)
            .field("compute_name", &self.compute_name)
            .finish_non_exhaustive()
    }
}

/// Why a local GameLift did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// An address cannot be used.
    #[error("cannot listen on {address} ({flag}): {source}; choose another with {flag}")]
    Bind {
        /// The option that sets the address.
        flag: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The file for events cannot be opened.
    #[error("cannot append events to {} (--events): {source}", path.display())]
    Events {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file for the log cannot be opened.
    #[error("cannot append the log to {} (--log): {source}", path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An endpoint cannot be subscribed.
    #[error("cannot send events to an endpoint ({flag}): {source}")]
    Endpoint {
        /// The option that names it.
        flag: &'static str,
        /// What is wrong.
        source: EndpointError,
    },
    /// The certificates to trust cannot be read.
    #[error("cannot read certificates from {} (--sns-ca): {source}", path.display())]
    Roots {
        /// The file.
        path: PathBuf,
        /// What the system said, or what is wrong with the file.
        source: io::Error,
    },
    /// Events cannot be lost in this way.
    #[error("--event-faults: {0}")]
    Faults(#[from] FaultRatesError),
    /// There is no certificate for the TLS listener.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The default resources cannot be made, for example with a strange Region.
    #[error("cannot create the default resources: {0}")]
    Defaults(#[from] ApiError),
    /// What was asked for at start cannot be made.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The clock's speed is no positive number.
    #[error("the clock speed is {0}, but must be a positive number")]
    Speed(f64),
}

/// What the doctor finds, from some moment on.
#[derive(Debug)]
pub struct Findings(broadcast::Receiver<Finding>);

impl Findings {
    /// The next one; `None` after the service's end.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn next(&mut self) -> Option<Finding> {
        loop {
            match self.0.recv().await {
                Ok(finding) => return Some(finding),
                // They are on the admin side, too.
                Err(RecvError::Lagged(count)) => tracing::warn!(count, "findings of the doctor were missed"),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// A server-SDK connection without a socket, for tests on virtual time.
#[derive(Debug)]
#[non_exhaustive]
pub struct Attached {
    /// Text frames to the service. Dropping it closes the connection.
    pub to_service: mpsc::Sender<String>,
    /// What the service sends. It ends behind [`FromService::Closed`].
    pub from_service: mpsc::Receiver<FromService>,
}

impl Local {
    /// Starts a local GameLift on the current Tokio runtime.
    ///
    /// # Errors
    /// [`StartError`] names the address that is in use, or what else is wrong with the configuration.
    ///
    /// # Cancel safety
    /// Cancelling stops what has been started.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        if let crate::Clock::Speed(speed) = config.clock
            && !(speed.is_finite() && speed > 0.0)
        {
            return Err(StartError::Speed(speed));
        }
        let listeners = match config.listen {
            true => Some(Listeners::bind(&config).await?),
            false => None,
        };
        if listeners.is_none() && !config.sns_subscribers.is_empty() {
            return Err(StartError::Endpoint { flag: SUBSCRIBER, source: EndpointError::NoListeners });
        }
        config.event_faults.check()?;
        let read_roots = |path: &PathBuf| {
            events::client::read_roots(path)
                .map_err(|source| StartError::Roots { path: path.clone(), source })
        };
        let roots = config.sns_ca.as_ref().map(read_roots).transpose()?;
        let events_file = match &config.events_file {
            Some(path) => Some(
                events::file::open(path)
                    .await
                    .map_err(|source| StartError::Events { path: path.clone(), source })?,
            ),
            None => None,
        };
        let log_file = match &config.log_file {
            Some(path) if config.observe => Some(
                events::file::open(path)
                    .await
                    .map_err(|source| StartError::Log { path: path.clone(), source })?,
            ),
            _ => None,
        };
        let endpoints = listeners.as_ref().map(Listeners::endpoints).unwrap_or_default();
        let settings = Settings {
            region: config.region.clone(),
            account_id: config.account_id.clone(),
            sdk_endpoint: match config.listen {
                true => endpoints.sdk.clone(),
                // The API must name one, and nobody can dial it.
                false => "ws://in-memory.invalid".to_owned(),
            },
            token_ttl: config.token_ttl,
            refresh_interval: config.refresh_interval,
            player_session_timeout: config.player_session_timeout,
            ..Settings::default()
        };
        // `RandomState` is the standard library's one source of randomness.
        let seed = config.seed.unwrap_or_else(|| RandomState::new().hash_one("gamelift-local"));
        let clock = RunningClock::start(config.clock);
        let mut engine = Engine::new(settings, seed);
        let mut defaults = match config.default_resources {
            true => default_resources::create(&mut engine, &clock)?,
            false => Defaults::default(),
        };
        let default_location = config.default_resources.then(|| defaults.location.clone());
        if let Some(setup) = &config.setup {
            let made = config.default_resources.then_some(&defaults);
            let declared = setup::apply(&mut engine, clock.now(), setup, made)?;
            // A declared fleet comes first, unless a server could not connect to it and can to the default one.
            if let Some(declared) = declared
                && (!declared.compute_name.is_empty() || defaults.compute_name.is_empty())
            {
                defaults = declared;
            }
        }
        let beacons = match (config.listen, config.beacons) {
            (true, Some(address)) => {
                beacons::bind(address, &config, default_location.as_deref(), seed).await?
            }
            _ => Vec::new(),
        };
        for (beacon, _) in &beacons {
            engine.set_ping_beacon(beacon.location(), beacon.endpoint());
        }
        let (handle, mut driver) = Driver::new(engine, clock);
        let mut deliveries = JoinSet::new();
        driver.seed_faults(seed);
        if let Some(file) = events_file {
            deliveries.spawn(events::file::write(file, driver.record()));
        }
        if config.observe {
            driver.observe();
        }
        if let Some(file) = log_file {
            deliveries.spawn(events::file::write(file, driver.record_log()));
        }
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let mut driver_task = JoinSet::new();
        driver_task.spawn(driver.run());
        let (beacons, services): (Vec<_>, Vec<_>) = beacons.into_iter().unzip();
        for service in services {
            tasks.spawn(service.run(stopped.clone()));
        }
        let faults = Faults::new(config.event_faults, seed);
        let (outlets, run) = Outlets::new(handle.clone(), roots, faults, stopped.clone());
        deliveries.spawn(run);
        let targets = Targets::new(outlets.clone());
        for url in &config.event_targets {
            targets.add(url).await.map_err(|source| StartError::Endpoint { flag: TARGET, source })?;
        }
        let mut known = None;
        if let Some(listeners) = listeners {
            let topic = format!("arn:aws:sns:{}:{}:gamelift-local", config.region, config.account_id);
            let version = config.sns_signature_version;
            let subscriptions = Subscriptions::new(outlets.clone(), &endpoints.admin, topic, version);
            let out = admin::Out { outlets, targets: targets.clone(), subscriptions: subscriptions.clone() };
            listeners.serve(&mut tasks, &handle, config.clock, out, &stopped);
            for endpoint in &config.sns_subscribers {
                let subscribed = subscriptions.subscribe(Subscribe::everything(endpoint)).await;
                subscribed.map_err(|source| StartError::Endpoint { flag: SUBSCRIBER, source })?;
            }
            known = Some(subscriptions);
        }
        Ok(Self {
            handle,
            endpoints,
            defaults,
            beacons,
            stop,
            listeners: tasks,
            driver: driver_task,
            deliveries,
            endpoints_of_events: (targets, known),
        })
    }

    /// Where the AWS API is: `http://127.0.0.1:PORT`. Empty without listeners, as are the others.
    pub fn api_endpoint(&self) -> &str {
        &self.endpoints.api
    }

    /// Where server processes connect: `ws://127.0.0.1:PORT`.
    pub fn sdk_endpoint(&self) -> &str {
        &self.endpoints.sdk
    }

    /// Where server processes connect with TLS: `wss://127.0.0.1:PORT`.
    pub fn sdk_tls_endpoint(&self) -> Option<&str> {
        self.endpoints.sdk_tls.as_deref()
    }

    /// Where the admin side is: `http://127.0.0.1:PORT`.
    pub fn admin_endpoint(&self) -> &str {
        &self.endpoints.admin
    }

    /// The certificate to trust for [`Local::sdk_tls_endpoint`], as PEM.
    pub fn ca_certificate_pem(&self) -> Option<&str> {
        self.endpoints.ca_certificate_pem.as_deref()
    }

    /// The resources made at start; a field is empty if the configuration asked for none.
    pub fn defaults(&self) -> &Defaults {
        &self.defaults
    }

    /// The latency beacons, in the order in which locations were declared. None without listeners.
    pub fn beacons(&self) -> &[Beacon] {
        &self.beacons
    }

    /// Calls an API operation without HTTP: the same table, the AWS JSON shapes.
    ///
    /// # Errors
    /// What the operation answers, and InternalServiceException after a shutdown.
    ///
    /// # Cancel safety
    /// The operation may have taken effect although nobody saw its result.
    pub async fn call(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        let body = Bytes::from(input.to_string());
        let output = api::call(&self.handle, Codec::Json, operation, body).await?;
        serde_json::from_slice(&output)
            .map_err(|error| ApiError::new(ErrorKind::InternalService, error.to_string()))
    }

    /// Opens a server-SDK connection without a socket. `query` is the upgrade request's, without the question mark.
    ///
    /// # Errors
    /// What the upgrade request would have been refused with.
    ///
    /// # Cancel safety
    /// A connection that nobody has seen is closed.
    pub async fn attach(&self, query: &str) -> Result<Attached, Refused> {
        let (outbox, from_service) = mpsc::channel(OUTBOX_MAX);
        let connection = self.handle.connect(parse_query(query)?, None, outbox).await?;
        let (to_service, mut frames) = mpsc::channel::<String>(OUTBOX_MAX);
        let handle = self.handle.clone();
        // Ends when the caller drops `to_service`, or when the service is gone.
        tokio::spawn(async move {
            while let Some(text) = frames.recv().await {
                if handle.text(connection, text).await.is_err() {
                    return;
                }
            }
            handle.disconnected(connection).await;
        });
        Ok(Attached { to_service, from_service })
    }

    /// Moves the clock forward; every timer on the way goes off at its own time. Any kind of clock can be moved.
    ///
    /// # Cancel safety
    /// The clock may have been moved.
    pub async fn advance(&self, by: Duration) {
        // After a shutdown there is no clock.
        let _ = self.handle.advance(by).await;
    }

    /// Closes every server-SDK connection: with a close code, or abruptly. Processes live on.
    ///
    /// # Cancel safety
    /// The connections may have been closed.
    pub async fn drop_sockets(&self, close: Option<u16>) {
        // After a shutdown there are no connections.
        let _ = self.handle.run(move |engine, now| engine.drop_connections(now, close)).await;
    }

    /// Tells every connected process to move to a new connection with a fresh token.
    ///
    /// # Cancel safety
    /// The processes may have been told.
    pub async fn refresh_connections(&self) {
        // After a shutdown there are no connections.
        let _ = self.handle.run(|engine, now| engine.refresh_connections(now)).await;
    }

    /// A look inside. `None` after a shutdown.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn snapshot(&self) -> Option<Snapshot> {
        self.handle.run(|engine, now| engine.snapshot(now)).await.ok()
    }

    /// Every event from now on. `None` after a shutdown.
    pub fn events(&self) -> Option<Events> {
        self.handle.events()
    }

    /// Every line of the log from now on: frames of the server SDK and changes of state, as JSON, without secrets. Nothing
    /// comes without [`Config::observe`]. `None` after a shutdown.
    pub fn log(&self) -> Option<Events> {
        self.handle.log()
    }

    /// Everything that the doctor finds from now on. Nothing comes without [`Config::observe`]. `None` after a shutdown.
    pub fn findings(&self) -> Option<Findings> {
        self.handle.findings().map(Findings)
    }

    /// Tells the doctor, and with [`Sign::Held`] the timeouts, of something that only the one who runs a server can see.
    ///
    /// # Cancel safety
    /// The doctor may have been told.
    pub async fn see(&self, process: ProcessName, sign: Sign) {
        // After a shutdown there is no doctor.
        let _ = self.handle.see(process, sign).await;
    }

    /// Subscribes an HTTP endpoint to the events of a topic, as `POST /subscriptions` on the admin side does, and waits until it
    /// has confirmed: what happened before then is not delivered.
    ///
    /// # Errors
    /// An endpoint or a topic that cannot be, too many of them, or one that does not confirm.
    ///
    /// # Cancel safety
    /// The subscription may have been made.
    pub async fn subscribe(
        &self,
        endpoint: &str,
        topic: &str,
        version: SignatureVersion,
    ) -> Result<(), EndpointError> {
        let (_, Some(subscriptions)) = &self.endpoints_of_events else {
            return Err(EndpointError::NoListeners);
        };
        let arn = subscriptions.subscribe(Subscribe::topic(endpoint, topic, version)).await?;
        subscriptions.confirmed(&arn).await
    }

    /// Closes every connection with 1012 and stops, within six seconds.
    ///
    /// # Cancel safety
    /// Cancelling stops at once.
    pub async fn shutdown(mut self) {
        self.drop_sockets(Some(CLOSE_RESTART)).await;
        // Without listeners nobody hears it, and nobody has to.
        let _ = self.stop.send(true);
        let closed = async { while self.listeners.join_next().await.is_some() {} };
        if timeout(SHUTDOWN_GRACE, closed).await.is_err() {
            tracing::warn!("some connections did not close in time and are cut");
        }
        self.listeners.shutdown().await;
        self.handle.stop().await;
        if timeout(SHUTDOWN_GRACE, self.driver.join_next()).await.is_err() {
            tracing::warn!("the service was busy for too long and is cut; some events may be missing");
            self.driver.shutdown().await;
        }
        // With the driver, the source of events is gone: what is left ends behind the last one.
        let delivered = async { while self.deliveries.join_next().await.is_some() {} };
        if timeout(SHUTDOWN_GRACE, delivered).await.is_err() {
            tracing::warn!("some events could not be delivered in time");
        }
    }
}
