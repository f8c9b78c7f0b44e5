//! The command line: arguments in, endpoints out.

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use axum::http::HeaderValue;
use backend::limits::Rates;
use backend::local::server::{CONNECTIONS_MAX, HEAD_WAIT};
use backend::local::{Asked, Bounds, Config, Events, Running, Table, start};
use backend::service::{Settings, fleet_certificate};
use backend::sns::certificate::Origin;
use backend::sns::endpoint::Trust;
use backend::sns::signature::Signer;
use clap::Parser;
use serde_json::json;
use url::Url;

/// The backend of session-based game servers: from a player's identity to a seat in a game.
///
/// One process with what would be Cognito, API Gateway, Lambda and DynamoDB on AWS. Players get an identity, sign their requests
/// as for AWS, ask for a match, and learn where to play. A local GameLift is asked at --game-lift, or AWS's with --aws; its
/// events come through SNS to /events/sns. It speaks plain HTTP: in front of players belongs a proxy that ends TLS.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Where to listen. Port 0 takes any free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9090")]
    listen: SocketAddr,
    /// The GameLift API: a local one, or with --aws a way to AWS's. Without, http://127.0.0.1:9080, or with --aws AWS's own
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL_GAMELIFT")]
    game_lift: Option<Url>,
    /// Ask the real GameLift, and take events of the real SNS, with credentials from AWS's usual places: environment, files,
    /// container or machine. Needs --topic
    #[arg(long, requires = "topic", group = "real_sns")]
    aws: bool,
    /// The Region that clients sign for, and that AWS is asked in
    #[arg(long, value_name = "REGION", default_value = "us-west-2", value_parser = region)]
    region: String,
    /// Keep players and tickets in this file, and the secret of their credentials beside it; without, in memory
    #[arg(long, value_name = "FILE", conflicts_with = "dynamodb")]
    table: Option<PathBuf>,
    /// Keep them in the DynamoDB API at this URL instead, such as DynamoDB Local
    #[arg(long, value_name = "URL")]
    dynamodb: Option<Url>,
    /// Keep them in this table of AWS's DynamoDB instead; the template in deploy/ shows how it is made
    #[arg(long, value_name = "NAME", requires = "aws", conflicts_with_all = ["table", "dynamodb"])]
    aws_table: Option<String>,
    /// The matchmaking configuration of requests that name none
    #[arg(long, value_name = "NAME", default_value = "default")]
    configuration: String,
    /// Another that requests may name; can be given several times
    #[arg(long, value_name = "NAME")]
    also_configuration: Vec<String>,
    /// The game session queue for private sessions; without, there are none
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
    /// A player attribute that clients may send; can be given several times
    #[arg(long, value_name = "NAME")]
    attribute: Vec<String>,
    /// The ARN of a topic whose events are taken; can be given several times. Without, that of a local GameLift
    #[arg(long, value_name = "ARN")]
    topic: Vec<String>,
    /// Where a local GameLift answers for SNS: its admin side. Nothing else in an event is followed
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9082", conflicts_with = "real_sns")]
    sns_origin: Url,
    /// Take events of the real SNS: certificates from https://sns.REGION.amazonaws.com. With --aws it is so
    #[arg(long, group = "real_sns")]
    sns_aws: bool,
    /// Take events signed with this certificate only
    #[arg(long, value_name = "PEM")]
    sns_certificate: Option<PathBuf>,
    /// Take events of the real SNS that are signed with SHA-1, too: topics sign so unless their SignatureVersion is 2
    #[arg(long, requires = "real_sns")]
    sns_version_1: bool,
    /// The SHA-256 of a fleet's certificate, which its players are told; can be given several times
    #[arg(long, value_name = "FLEET=SHA256", value_parser = fleet_certificate)]
    fleet_certificate: Vec<(String, String)>,
    /// The origin of a web page that may call, such as https://game.example; can be given several times
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    cors: Vec<HeaderValue>,
    /// How many new identities an address may have per minute
    #[arg(long, value_name = "N", default_value = "600")]
    identities_per_minute: NonZeroU32,
    /// How often a player may call, besides starts; five seconds' worth may be made at once
    #[arg(long, value_name = "N", default_value = "1")]
    calls_per_second: NonZeroU32,
    /// Proxies in front, each of which adds an address to X-Forwarded-For; with 0 the header is ignored
    #[arg(long, value_name = "N", default_value = "0")]
    trusted_proxies: u8,
    /// How many connections may be open; keep the limit of open files (ulimit -n) above it
    #[arg(long, value_name = "N", default_value_t = CONNECTIONS_MAX)]
    connections: NonZeroUsize,
    /// Print one line of JSON when ready, for programs, instead of text for people
    #[arg(long)]
    json: bool,
}

/// Where `gamelift-local up` listens, and the topic that it publishes to.
const LOCAL_GAME_LIFT: &str = "http://127.0.0.1:9080";
const LOCAL_TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:gamelift-local";

const AFTER_HELP: &str = "\
Examples:
  gamelift-local up --sns-subscriber http://127.0.0.1:9090/events/sns
  backend                                    with that GameLift, on the usual ports
  backend --table players.db                 players and tickets outlive a restart
  backend --listen 127.0.0.1:0 --json        any free port, printed as one line of JSON
  backend --aws --region eu-west-1 --topic ARN --aws-table NAME --trusted-proxies 1
                                             with AWS's GameLift, SNS and DynamoDB, in a container behind a load balancer;
                                             players' identities are this process's own. Needs a build with --features aws
  curl http://127.0.0.1:9090/openapi.json    what can be called

Stop it with Ctrl-C.";

fn region(text: &str) -> Result<String, String> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !text.is_empty() && text.bytes().all(good) {
        return Ok(text.to_owned());
    }
    Err("a Region has small letters, digits and dashes, like eu-west-1".to_owned())
}

fn origin(text: &str) -> Result<HeaderValue, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let origin = url.origin().ascii_serialization();
    if origin != text {
        return Err(format!("an origin is scheme, host and port alone: {origin}"));
    }
    HeaderValue::from_str(text).map_err(|error| error.to_string())
}

impl Arguments {
    fn config(self) -> Result<(Config, bool), Box<dyn Error>> {
        let real_sns = self.sns_aws || self.aws;
        let from = if real_sns { Origin::Aws } else { Origin::Local(self.sns_origin.origin()) };
        let trust = match &self.sns_certificate {
            None => Trust::Origin(from),
            Some(path) => {
                let failed = |error: &dyn Error| format!("--sns-certificate {}: {error}", path.display());
                let pem = std::fs::read(path).map_err(|error| failed(&error))?;
                Trust::Pinned(Signer::from_pem(&pem).map_err(|error| failed(&error))?, from)
            }
        };
        let table = match (self.table, self.dynamodb, self.aws_table) {
            (Some(file), _, _) => Table::File(file),
            (None, Some(url), _) => Table::DynamoDb(url),
            (None, None, Some(name)) => Table::Aws(name),
            (None, None, None) => Table::Memory,
        };
        let game_lift = match self.game_lift {
            url if self.aws => Asked::Aws(url),
            Some(url) => Asked::Local(url),
            None => Asked::Local(Url::parse(LOCAL_GAME_LIFT)?),
        };
        let topics = if self.topic.is_empty() { vec![LOCAL_TOPIC.to_owned()] } else { self.topic };
        let settings = Settings {
            configuration: self.configuration,
            configurations: self.also_configuration.into_iter().collect(),
            queue: self.queue,
            attributes: self.attribute.into_iter().collect(),
            certificates: self.fleet_certificate.into_iter().collect(),
            topics: topics.into_iter().collect(),
            ..Settings::default()
        };
        let config = Config {
            listen: self.listen,
            game_lift,
            region: self.region,
            table,
            settings,
            // A local GameLift signs as SNS does by default, with SHA-1. Of the world's topics no less than SHA-256 is taken.
            events: Events { trust, version_1: self.sns_version_1 || !real_sns },
            cors: self.cors,
            rates: Rates {
                identities_per_minute: self.identities_per_minute,
                calls_per_second: self.calls_per_second,
            },
            trusted_proxies: self.trusted_proxies,
            bounds: Bounds { connections: self.connections, head_wait: HEAD_WAIT },
        };
        Ok((config, self.json))
    }
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    // Before anything is printed: whoever reads the line may send the signal at once.
    let stop = stop_signal()?;
    let (config, json) = arguments.config()?;
    let running = start(config).await?;
    let text = if json { json_line(&running) } else { for_people(&running) };
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    drop(stdout);
    stop.await;
    running.shutdown().await?;
    Ok(())
}

fn json_line(running: &Running) -> String {
    let line = json!({
        "endpoint": running.url(),
        "eventsEndpoint": running.events_url(),
        "webSocketEndpoint": format!("ws://{}/v1/websocket", running.address),
        "identityPool": running.identity_pool,
        "region": running.region,
    });
    format!("{line}\n")
}

fn for_people(running: &Running) -> String {
    format!(
        "The backend is ready.\n\
         \n\
         API             {url}\n\
         WebSocket       ws://{address}/v1/websocket\n\
         Events          {events}\n\
         Identity pool   {pool}\n\
         Region          {region}\n\
         \n\
         An identity:    curl -d '{{\"IdentityPoolId\":\"{pool}\"}}' -H 'X-Amz-Target: AWSCognitoIdentityService.GetId' {url}\n\
         What there is:  curl {url}/openapi.json\n",
        url = running.url(),
        address = running.address,
        events = running.events_url(),
        pool = running.identity_pool,
        region = running.region,
    )
}

/// Ctrl-C, and on Unix what `kill` sends.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    {
        Ok(async {
            // Without signals it runs until it is killed.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}
