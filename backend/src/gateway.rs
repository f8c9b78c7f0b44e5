//! What stands in front of the API on AWS: Cognito identities, and API Gateway with `AWS_IAM`. Here they are a part of the
//! process, so that a client signs exactly as it does there.
//!
//! [`Gateway::protect`] goes around the routes that need a caller, [`Gateway::door`] is Cognito's own.

pub mod cognito;
pub mod identity;
pub mod limits;
pub mod sigv4;

mod answer;
mod guard;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::Extensions;
use axum::middleware::from_fn_with_state;
use axum::routing::post;
use axum::{Router, middleware};
use ring::rand::{SecureRandom as _, SystemRandom};

use self::cognito::Cognito;
use self::identity::{Pool, ServerSecret};
use self::limits::Limits;
use crate::service::Clock;

/// The id of the local identity pool, after the Region and a colon.
pub const POOL: &str = "00000000-0000-0000-0000-000000000000";

/// What the gateway is made of.
#[derive(Debug)]
pub struct Config {
    /// What identities and credentials hang on: the same after a restart, or players are strangers.
    pub secret: ServerSecret,
    /// The Region that requests are signed for.
    pub region: String,
    /// New identities that an address may have per minute.
    pub identities_per_minute: NonZeroU32,
}

/// The gateway. Clones are one and the same.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    pool: Pool,
    cognito: Cognito,
    limits: Limits,
    region: String,
    clock: Clock,
    random: SystemRandom,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gateway").field("region", &self.0.region).finish_non_exhaustive()
    }
}

impl Gateway {
    /// With full measures for everybody.
    pub fn new(config: Config, clock: Clock) -> Self {
        let Config { secret, region, identities_per_minute } = config;
        let pool = Pool::new(secret, region.clone());
        let cognito = Cognito::new(pool.clone(), format!("{region}:{POOL}"));
        let limits = Limits::new(&clock, identities_per_minute);
        Self(Arc::new(Inner { pool, cognito, limits, region, clock, random: SystemRandom::new() }))
    }

    /// The id of the identity pool.
    pub fn pool_id(&self) -> String {
        format!("{}:{POOL}", self.0.region)
    }

    /// How often players may call.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Lets only callers in who are known: their [`Caller`](crate::caller::Caller) is among a request's extensions then.
    pub fn protect(&self, routes: Router) -> Router {
        routes.layer(from_fn_with_state(self.clone(), guard::guard))
    }

    /// `POST /` is Cognito's, and `POST /v1/auth/token`, for those who are known, gives a token for doors without signatures.
    pub fn door(&self) -> Router {
        let token = Router::new().route("/v1/auth/token", post(guard::token)).with_state(self.clone());
        let token = token.layer(middleware::from_fn_with_state(self.clone(), guard::guard));
        Router::new().route("/", post(answer::cognito)).with_state(self.clone()).merge(token)
    }

    /// `None` if the system has no randomness to give.
    fn random<const N: usize>(&self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.0.random.fill(&mut bytes).ok().map(|()| bytes)
    }
}

/// Where a request comes from. A request that was never on a socket comes from nowhere.
fn address(extensions: &Extensions) -> IpAddr {
    let info = extensions.get::<ConnectInfo<SocketAddr>>();
    info.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(address)| address.ip())
}
