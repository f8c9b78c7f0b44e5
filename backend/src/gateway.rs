//! What stands in front of the API on AWS: Cognito identities, and API Gateway with `AWS_IAM`. Here they are a part of the
//! process, so that a client signs exactly as it does there.
//!
//! [`Gateway::protect`] goes around the routes that need a caller, [`Gateway::door`] is Cognito's own.

pub mod cognito;
pub mod identity;
pub mod sigv4;

mod address;
mod answer;
mod guard;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::{Extensions, HeaderMap};
use axum::middleware::from_fn_with_state;
use ring::rand::{SecureRandom as _, SystemRandom};

use self::cognito::Cognito;
use self::identity::{Pool, ServerSecret};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::wrong_method;
use crate::limits::{Limits, Rates};
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
    /// How often players and addresses may call.
    pub rates: Rates,
    /// Proxies in front of this process, each of which adds an address to `X-Forwarded-For`. Without any the header is ignored.
    pub trusted_proxies: u8,
}

/// The gateway. Clones are one and the same.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    pool: Pool,
    cognito: Cognito,
    limits: Limits,
    region: String,
    trusted_proxies: u8,
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
        let Config { secret, region, rates, trusted_proxies } = config;
        let pool = Pool::new(secret, region.clone());
        let cognito = Cognito::new(pool.clone(), format!("{region}:{POOL}"));
        let limits = Limits::new(&clock, rates);
        let random = SystemRandom::new();
        Self(Arc::new(Inner { pool, cognito, limits, region, trusted_proxies, clock, random }))
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
        // Other methods are inside, too: what a path takes is told to those who are let in.
        let routes = routes.method_not_allowed_fallback(wrong_method);
        routes.layer(from_fn_with_state(self.clone(), guard::guard))
    }

    /// `POST /` is Cognito's, and `POST /v1/auth/token`, for those who are known, gives a token for doors without signatures.
    pub fn door(&self) -> (Router, OpenApi) {
        let token = OpenApiRouter::new().routes(routes!(guard::token)).with_state(self.clone());
        let (token, mut description) = token.split_for_parts();
        let cognito = OpenApiRouter::new().routes(routes!(answer::cognito)).with_state(self.clone());
        let (cognito, more) = cognito.split_for_parts();
        description.merge(more);
        (self.protect(token).merge(cognito), description)
    }

    /// `None` if the system has no randomness to give.
    fn random<const N: usize>(&self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.0.random.fill(&mut bytes).ok().map(|()| bytes)
    }

    fn address(&self, headers: &HeaderMap, extensions: &Extensions) -> IpAddr {
        address::of(headers, extensions, self.0.trusted_proxies)
    }
}
