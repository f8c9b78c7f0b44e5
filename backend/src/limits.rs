//! How often players and addresses may call.
//!
//! AWS's samples leave this to nobody; on AWS it is the stage's throttling and WAF, per address. Here each player has their
//! own measure, whichever door they come through. It is kept in this process: a Lambda function has one per instance, and what
//! must hold for all of them is counted in the table.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use axum::http::Method;
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
/// Anything else every second, which is what `pollAfterMs` asks for, unless the operator says otherwise.
pub const CALLS_PER_SECOND: NonZeroU32 = nonzero(1);
/// Seconds of calls that may be saved up, to be made at once.
const CALL_BURST_SECONDS: NonZeroU32 = nonzero(5);
/// New identities of one address, unless the operator says otherwise. Many players may share one behind a NAT.
pub const IDENTITIES_PER_MINUTE: NonZeroU32 = nonzero(600);

const fn nonzero(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("the number is not zero")
}

/// What a call costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// A match is started, or a session.
    Start,
    /// GameLift is asked, or something is written.
    Act,
    /// Something is read.
    Look,
}

impl Cost {
    /// Of a request over HTTP.
    pub fn of(method: &Method, path: &str) -> Self {
        let is_start = match path {
            "/v1/matchmaking/tickets" | "/v1/sessions" | "/start_game" => method == Method::POST,
            // By whatever method: the sample's clients start by GET, so HEAD starts, too.
            "/requestmatchmaking" => true,
            _ => false,
        };
        // The plugins' clients only look, by POST. The way back into a game asks GameLift each time.
        let is_look = matches!(*method, Method::GET | Method::HEAD) && path != "/v1/sessions/current"
            || path == "/get_game_connection";
        match (is_start, is_look) {
            (true, _) => Self::Start,
            (false, true) => Self::Look,
            (false, false) => Self::Act,
        }
    }
}

/// What the operator may choose.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// New identities of one address.
    pub identities_per_minute: NonZeroU32,
    /// Calls of one player that start nothing.
    pub calls_per_second: NonZeroU32,
}

impl Default for Rates {
    fn default() -> Self {
        Self { identities_per_minute: IDENTITIES_PER_MINUTE, calls_per_second: CALLS_PER_SECOND }
    }
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
    pub fn new(clock: &Clock, rates: Rates) -> Self {
        let every = |period| Quota::with_period(period).expect("the period is not zero");
        let measure = |quota| Measure::new(quota, clock.clone());
        let burst = rates.calls_per_second.saturating_mul(CALL_BURST_SECONDS);
        Self {
            starts: measure(every(START_EVERY).allow_burst(START_BURST)),
            starts_per_hour: measure(Quota::per_hour(STARTS_PER_HOUR)),
            calls: measure(Quota::per_second(rates.calls_per_second).allow_burst(burst)),
            identities: Measure::new(Quota::per_minute(rates.identities_per_minute), clock.clone()),
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

/// For whoever has to wait so many milliseconds.
#[cfg(feature = "lambda")]
pub(crate) fn too_many(what: &str, wait_ms: u64) -> Problem {
    problem(what, u32::try_from(wait_ms.div_ceil(1000)).unwrap_or(u32::MAX))
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

struct Measure<K: Hash + Ord + Clone> {
    limiter: RateLimiter<K, Cells<K>, Time, NoOpMiddleware<Duration>>,
    clock: Time,
    /// When those who have a full measure were forgotten last, in seconds since 1970.
    swept: AtomicU64,
}

impl<K: Hash + Ord + Clone> fmt::Debug for Measure<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Measure").finish_non_exhaustive()
    }
}

impl<K: Hash + Ord + Clone> Measure<K> {
    fn new(quota: Quota, clock: Clock) -> Self {
        let clock = Time(clock);
        let limiter = RateLimiter::new(quota, Cells::default(), clock.clone());
        Self { limiter, clock, swept: AtomicU64::new(0) }
    }

    /// The seconds to wait, if not now.
    fn check(&self, key: &K) -> Result<(), u32> {
        let now = governor::clock::Clock::now(&self.clock);
        // Looking at all of them takes milliseconds, so not with every call.
        if self.limiter.len() >= KEYS_MAX
            && self.swept.swap(now.as_secs(), Ordering::Relaxed) != now.as_secs()
        {
            self.limiter.retain_recent();
        }
        let Err(not_until) = self.limiter.check_key(key) else {
            return Ok(());
        };
        let wait: Duration = not_until.earliest_possible().duration_since(now).into();
        // Rounded up: a second too late is right, a moment too early is not.
        Err(u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1))
    }
}

/// What governor remembers of each key, in a map that does not outgrow [`KEYS_MAX`].
struct Cells<K>(Mutex<Kept<K>>);

struct Kept<K> {
    keys: BTreeMap<K, Nanos>,
    /// The one measure of those who came when there was no room.
    others: Option<Nanos>,
}

impl<K> Default for Cells<K> {
    fn default() -> Self {
        Self(Mutex::new(Kept { keys: BTreeMap::new(), others: None }))
    }
}

impl<K> Cells<K> {
    fn lock(&self) -> MutexGuard<'_, Kept<K>> {
        // Nothing that holds the lock can panic half way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Ord + Clone> StateStore for Cells<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut kept = self.lock();
        let known = kept.keys.get(key).copied();
        let room = known.is_some() || kept.keys.len() < KEYS_MAX;
        let (outcome, new) = decide(if room { known } else { kept.others })?;
        if room {
            kept.keys.insert(key.clone(), new);
        } else {
            kept.others = Some(new);
        }
        Ok(outcome)
    }
}

impl<K: Hash + Ord + Clone> ShrinkableKeyedStateStore<K> for Cells<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        self.lock().keys.retain(|_, state| *state > drop_below);
    }

    fn len(&self) -> usize {
        self.lock().keys.len()
    }

    fn is_empty(&self) -> bool {
        self.lock().keys.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use super::*;

    struct Bench {
        limits: Limits,
        now: Arc<AtomicU64>,
    }

    impl Bench {
        fn new() -> Self {
            let now = Arc::new(AtomicU64::new(1_800_000_000_000));
            let shared = now.clone();
            let clock: Clock =
                Arc::new(move || UNIX_EPOCH + Duration::from_millis(shared.load(Ordering::Relaxed)));
            Self {
                limits: Limits::new(&clock, Rates { identities_per_minute: nonzero(2), ..Rates::default() }),
                now,
            }
        }

        fn pass_ms(&self, milliseconds: u64) {
            self.now.fetch_add(milliseconds, Ordering::Relaxed);
        }

        fn starts(&self, player: &str) -> Result<(), Option<u32>> {
            self.limits.start(&PlayerId::new(player)).map_err(|problem| problem.retry_after)
        }

        fn calls(&self, player: &str) -> Result<(), Option<u32>> {
            self.limits.call(&PlayerId::new(player)).map_err(|problem| problem.retry_after)
        }
    }

    #[test]
    fn a_start_is_one_by_whatever_door_and_a_look_is_none() {
        let of = |method: &str, path: &str| Cost::of(&method.parse().expect("a method"), path);
        for (method, path) in [
            ("POST", "/v1/matchmaking/tickets"),
            ("POST", "/v1/sessions"),
            ("POST", "/start_game"),
            ("GET", "/requestmatchmaking"),
            ("HEAD", "/requestmatchmaking"),
        ] {
            assert_eq!(of(method, path), Cost::Start, "{method} {path}");
        }
        for (method, path) in [
            ("DELETE", "/v1/matchmaking/tickets/t"),
            ("POST", "/v1/matchmaking/tickets/t/acceptance"),
            ("POST", "/v1/party/invites"),
            ("GET", "/v1/sessions/current"),
            ("HEAD", "/v1/sessions/current"),
        ] {
            assert_eq!(of(method, path), Cost::Act, "{method} {path}");
        }
        for (method, path) in [
            ("GET", "/v1/matchmaking/tickets/current"),
            ("GET", "/v1/players/me"),
            ("GET", "/requestmatchstatus"),
            ("POST", "/get_game_connection"),
        ] {
            assert_eq!(of(method, path), Cost::Look, "{method} {path}");
        }
    }

    #[test]
    fn three_starts_at_once_then_one_every_two_seconds() {
        let bench = Bench::new();
        assert_eq!([(); 4].map(|()| bench.starts("ada")), [Ok(()), Ok(()), Ok(()), Err(Some(2))]);
        assert_eq!(bench.starts("bob"), Ok(()), "players have measures of their own");
        bench.pass_ms(1_500);
        assert_eq!(bench.starts("ada"), Err(Some(1)));
        bench.pass_ms(500);
        assert_eq!(bench.starts("ada"), Ok(()));
    }

    #[test]
    fn thirty_starts_in_an_hour_and_no_more() {
        let bench = Bench::new();
        for _ in 0..30 {
            assert_eq!(bench.starts("ada"), Ok(()));
            bench.pass_ms(2_000);
        }
        // 30 are spent and one minute has passed: the next half of a start is due in another.
        assert_eq!(bench.starts("ada"), Err(Some(60)));
    }

    #[test]
    fn five_calls_at_once_then_one_every_second() {
        let bench = Bench::new();
        for _ in 0..5 {
            assert_eq!(bench.calls("ada"), Ok(()));
        }
        assert_eq!(bench.calls("ada"), Err(Some(1)));
        bench.pass_ms(1_000);
        assert_eq!(bench.calls("ada"), Ok(()));
    }

    #[test]
    fn an_address_gets_so_many_identities_and_a_network_counts_as_one() {
        let bench = Bench::new();
        let address = |text: &str| text.parse().expect("an address");
        for text in ["2001:db8::1", "2001:db8::2"] {
            assert_eq!(bench.limits.identity(address(text)), Ok(()));
        }
        assert_eq!(bench.limits.identity(address("2001:db8::3")), Err(30));
        assert_eq!(bench.limits.identity(address("2001:db8:0:1::1")), Ok(()));
        let four = Ipv4Addr::new(192, 0, 2, 1);
        assert_eq!(bench.limits.identity(four.into()), Ok(()));
        assert_eq!(bench.limits.identity(four.to_ipv6_mapped().into()), Ok(()));
        assert_eq!(bench.limits.identity(four.into()), Err(30));
    }

    #[test]
    fn a_flood_of_players_is_bounded_and_those_who_are_known_keep_their_measure() {
        let bench = Bench::new();
        for player in 0..KEYS_MAX {
            assert_eq!(bench.calls(&player.to_string()), Ok(()));
        }
        for newcomer in 0..5 {
            assert_eq!(bench.calls(&format!("newcomer-{newcomer}")), Ok(()));
        }
        assert_eq!(bench.calls("newcomer-5"), Err(Some(1)), "they share one measure");
        assert_eq!(bench.calls("7"), Ok(()));
        assert_eq!(bench.limits.calls.limiter.len(), KEYS_MAX);
        bench.pass_ms(10_000);
        assert_eq!(bench.calls("newcomer-5"), Ok(()));
        assert_eq!(bench.limits.calls.limiter.len(), 1, "who has a full measure is forgotten");
    }
}
