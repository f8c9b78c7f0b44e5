//! What a local backend is told.

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::http::HeaderValue;
use url::Url;

use super::server::Bounds;
use crate::limits::Rates;
use crate::service::Settings;
use crate::sns::certificate::Origin;
use crate::sns::endpoint::Trust;

/// Where tickets and players are kept.
#[derive(Clone, Debug)]
pub enum Table {
    /// In this process, until it ends.
    Memory,
    /// In this process, on a file.
    File(PathBuf),
    /// A DynamoDB API on this machine.
    DynamoDb(Url),
    /// The table of that name in AWS's DynamoDB, which there must be.
    Aws(String),
}

/// Which GameLift is asked.
#[derive(Clone, Debug)]
pub enum Asked {
    /// One on this machine. Any credentials will do there.
    Local(Url),
    /// AWS's, with AWS's credentials: in the Region, or at a URL that leads there, such as that of a VPC endpoint.
    Aws(Option<Url>),
}

/// Who is believed about events.
#[derive(Clone, Debug)]
pub struct Events {
    /// Whose signature counts.
    pub trust: Trust,
    /// Whether signatures with SHA-1 count.
    pub version_1: bool,
}

/// What a local backend is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 is any.
    pub listen: SocketAddr,
    /// The GameLift API.
    pub game_lift: Asked,
    /// The Region that clients sign for, and that AWS is asked in.
    pub region: String,
    /// Where tickets and players are kept.
    pub table: Table,
    /// What the use cases go by; its topics are those whose events are taken.
    pub settings: Settings,
    /// Who is believed about events.
    pub events: Events,
    /// Origins of web pages that may call. None: no web page may.
    pub cors: Vec<HeaderValue>,
    /// How often players and addresses may call.
    pub rates: Rates,
    /// Proxies in front of this process, each of which adds an address to `X-Forwarded-For`. Without any the header is ignored.
    pub trusted_proxies: u8,
    /// What connections may take.
    pub bounds: Bounds,
}

impl Config {
    /// For a local GameLift: a table in memory, any port on loopback, and events from that GameLift alone, whose admin side
    /// answers for SNS at `sns`.
    pub fn new(game_lift: Url, sns: &Url) -> Self {
        let trust = Trust::Origin(Origin::Local(sns.origin()));
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            game_lift: Asked::Local(game_lift),
            region: "us-west-2".to_owned(),
            table: Table::Memory,
            settings: Settings::default(),
            // A local GameLift signs as SNS does by default, with SHA-1; nobody else is believed.
            events: Events { trust, version_1: true },
            cors: Vec::new(),
            rates: Rates::default(),
            trusted_proxies: 0,
            bounds: Bounds::default(),
        }
    }
}
