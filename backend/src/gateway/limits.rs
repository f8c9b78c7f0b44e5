//! How often players and addresses may call.
//!
//! AWS's samples leave this to nobody; on AWS it is the stage's throttling and WAF, per address. Here each player has their
//! own measure, whichever door they come through.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use governor::clock::Reference as _;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::caller::PlayerId;
use crate::problem::{Code, Problem};
use crate::service::Clock;

/// Players, and addresses, that are told apart, at about 150 bytes each. Whoever has not called for as long as their measure
/// takes to fill up is forgotten first; when all of them are busy, newcomers share one measure until there is room.
pub const KEYS_MAX: usize = 65_536;

/// A start every two seconds; the first three at once.
const START_EVERY: Duration = Duration::from_secs(2);
const START_BURST: NonZeroU32 = nonzero(3);
/// And no more than these in an hour: a game takes longer than two minutes.
const STARTS_PER_HOUR: NonZeroU32 = nonzero(30);
/// Anything else every second, which is what `pollAfterMs` asks for; the first five at once.
const CALL_EVERY: Duration = Duration::from_secs(1);
const CALL_BURST: NonZeroU32 = nonzero(5);
/// New identities of one address, unless the operator says otherwise. Many players may share one behind a NAT.
pub const IDENTITIES_PER_MINUTE: NonZeroU32 = nonzero(600);

const fn nonzero(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("the number is not zero")
}

/// The measures of everybody.
#[derive(Debug)]
pub struct Limits {
    starts: Measure<PlayerId>,
    starts_per_hour: Measure<PlayerId>,
    calls: Measure<PlayerId>,
    identities: Measure<IpAddr>,
}

impl Limits {
    /// Full measures for all.
    pub fn new(clock: &Clock, identities_per_minute: NonZeroU32) -> Self {
        let every = |period| Quota::with_period(period).expect("the period is not zero");
        let measure = |quota| Measure::new(quota, clock.clone());
        Self {
            starts: measure(every(START_EVERY).allow_burst(START_BURST)),
            starts_per_hour: measure(Quota::per_hour(STARTS_PER_HOUR)),
            calls: measure(every(CALL_EVERY).allow_burst(CALL_BURST)),
            identities: Measure::new(Quota::per_minute(identities_per_minute), clock.clone()),
        }
    }

    /// Takes a start from the player's measure.
    ///
    /// # Errors
    ///
    /// [`Code::RateLimited`] with the time to wait.
    pub fn start(&self, player: &PlayerId) -> Result<(), Problem> {
        let checked = self.starts.check(player).and_then(|()| self.starts_per_hour.check(player));
        checked.map_err(|seconds| problem("starts", seconds))
    }

    /// Takes any other call from the player's measure.
    ///
    /// # Errors
    ///
    /// [`Code::RateLimited`] with the time to wait.
    pub fn call(&self, player: &PlayerId) -> Result<(), Problem> {
        self.calls.check(player).map_err(|seconds| problem("calls", seconds))
    }

    /// Takes a new identity from the address's measure.
    ///
    /// # Errors
    ///
    /// The seconds to wait.
    pub fn identity(&self, address: IpAddr) -> Result<(), u32> {
        self.identities.check(&network(address))
    }
}

fn problem(what: &str, seconds: u32) -> Problem {
    Problem::new(Code::RateLimited, format!("too many {what}; try again in {seconds} s")).retry_after(seconds)
}

/// A customer has a /64 of IPv6, not an address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

struct Time(Clock);

impl governor::clock::Clock for Time {
    type Instant = Duration;

    fn now(&self) -> Duration {
        (self.0)().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

impl Clone for Time {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Measure<K: Ord + Clone> {
    limiter: RateLimiter<K, Cells<K>, Time, NoOpMiddleware<Duration>>,
    clock: Clock,
}

impl<K: Ord + Clone> fmt::Debug for Measure<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Measure").finish_non_exhaustive()
    }
}

impl<K: Ord + Clone> Measure<K> {
    fn new(quota: Quota, clock: Clock) -> Self {
        Self { limiter: RateLimiter::new(quota, Cells::default(), Time(clock.clone())), clock }
    }

    /// The seconds to wait, if not now.
    fn check(&self, key: &K) -> Result<(), u32> {
        let Err(not_until) = self.limiter.check_key(key) else {
            return Ok(());
        };
        let now = governor::clock::Clock::now(&Time(self.clock.clone()));
        let wait: Duration = not_until.earliest_possible().duration_since(now).into();
        // Rounded up: a second too late is right, a moment too early is not.
        Err(u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1))
    }
}
