//! A local GameLift for one test: started in a millisecond, and with words for what a test wants and expects.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! # use std::time::Duration;
//! # use gamelift_local::testing::Emulator;
//! # use serde_json::json;
//! // In a `#[tokio::test(start_paused = true)]`: hours pass in no time when nothing happens.
//! let gamelift = Emulator::in_memory().await;
//! gamelift.start_ticket("default", "ada", json!({})).await;
//! gamelift.advance(Duration::from_secs(59)).await;
//! gamelift.assert_ticket("ada", "SEARCHING").await;
//! gamelift.wait_for_ticket("ada", "TIMED_OUT").await;
//! # }
//! ```
//!
//! There are two kinds of time, and [`Emulator::in_memory`] and [`Emulator::on_loopback`] stand for them:
//!
//! | | the game server | its connection | time |
//! |---|---|---|---|
//! | in memory | in the test's own program | [`Local::attach`] | the Tokio runtime's, paused: it moves when nobody has anything to do |
//! | on loopback | a process of its own, in any language | WebSocket | everybody's, and [`Emulator::advance`] jumps ahead |
//!
//! Nothing here belongs to a test framework. What goes wrong is a panic that says what was expected, what was seen
//! instead, and which line of the test asked. A method named `wait_...` gives it time, one named `assert_...` none.
//!
//! [`Local::attach`]: crate::Local::attach

mod events;
mod game_sessions;
mod matchmaking;
mod processes;
mod wait;

use std::{
    panic::Location,
    sync::{Arc, Mutex},
    time::{self, Duration},
};

use serde_json::Value;
use tokio::time::{Instant, sleep};

pub use self::matchmaking::Match;
use self::{events::Heard, wait::fail};
use crate::{ApiError, Clock, Config, Local};

/// How long `wait_...` waits in memory, where it costs nothing: longer than any timeout that GameLift has by default.
const PATIENCE_IN_MEMORY: Duration = Duration::from_secs(600);
/// The same for people: a server that takes longer to start is better waited for with [`Emulator::with_patience`].
const PATIENCE_ON_LOOPBACK: Duration = Duration::from_secs(20);
/// How often `wait_...` looks, in memory: often enough for a test to see where in a second something happened.
const LOOK_IN_MEMORY: Duration = Duration::from_millis(100);
/// The same for people. A look costs the service 20 µs.
const LOOK_ON_LOOPBACK: Duration = Duration::from_millis(5);

/// A local GameLift that belongs to one test, with a fleet, a compute, a queue and a matchmaking configuration, the latter two
/// called `default`. It ends when it is dropped.
#[derive(Debug)]
pub struct Emulator {
    local: Arc<Local>,
    heard: Mutex<Heard>,
    patience: Duration,
    look: Duration,
    in_memory: bool,
}

impl Emulator {
    /// Without sockets, on the runtime's clock, with the same ids in every run.
    ///
    /// # Panics
    /// If the runtime's clock is not paused: it takes `#[tokio::test(start_paused = true)]`.
    ///
    /// # Cancel safety
    /// Cancelling stops what has been started.
    pub async fn in_memory() -> Self {
        // Tokio's clock, which stands still while anybody has something to do.
        Self::start(Config { clock: Clock::Wall, ..Config::in_memory() }).await
    }

    /// With sockets on free loopback ports, for game servers and backends that are programs of their own.
    ///
    /// # Panics
    /// If the runtime's clock is paused: it would jump ahead while bytes are on their way.
    ///
    /// # Cancel safety
    /// Cancelling stops what has been started.
    pub async fn on_loopback() -> Self {
        Self::start(Config { seed: Some(0), ..Config::on_free_ports() }).await
    }

    /// With a configuration of your own: other resources ([`Config::with_setup`]), another life of tokens, TLS or none.
    ///
    /// # Panics
    /// If the configuration cannot be started; or as [`Emulator::in_memory`] and [`Emulator::on_loopback`], of which
    /// [`Config::listen`] selects one.
    ///
    /// # Cancel safety
    /// Cancelling stops what has been started.
    pub async fn start(config: Config) -> Self {
        let in_memory = !config.listen;
        match (in_memory, clock_is_paused()) {
            (true, false) => panic!(
                "an emulator in memory lives on the runtime's clock, which must stand still: write #[tokio::test(start_paused = true)]"
            ),
            (false, true) => panic!(
                "a paused clock jumps ahead while bytes are on their way through sockets: leave start_paused out, or use Emulator::in_memory"
            ),
            _ => {}
        }
        let local = match Local::start(config).await {
            Ok(local) => Arc::new(local),
            Err(error) => panic!("the emulator does not start: {error}"),
        };
        let heard = Mutex::new(Heard::new(local.events()));
        let (patience, look) = match in_memory {
            true => (PATIENCE_IN_MEMORY, LOOK_IN_MEMORY),
            false => (PATIENCE_ON_LOOPBACK, LOOK_ON_LOOPBACK),
        };
        Self { local, heard, patience, look, in_memory }
    }

    /// How long `wait_...` waits: ten minutes in memory and 20 s on loopback, if this is not called.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The local GameLift itself, for all that has no word here. Share it with what connects to it.
    pub fn local(&self) -> &Arc<Local> {
        &self.local
    }

    /// Calls an API operation that must succeed, and gives its output, in the shapes of AWS JSON.
    ///
    /// # Panics
    /// With the operation's error, if it fails.
    ///
    /// # Cancel safety
    /// The operation may have taken effect.
    #[track_caller]
    pub fn call(&self, operation: &str, input: Value) -> impl Future<Output = Value> + Send {
        let at = Location::caller();
        async move {
            match self.local.call(operation, input.clone()).await {
                Ok(output) => output,
                Err(error) => fail(at, &format!("{operation} {input} fails: {error}")),
            }
        }
    }

    /// Calls an API operation that must be refused, and gives its error.
    ///
    /// # Panics
    /// If it succeeds.
    ///
    /// # Cancel safety
    /// The operation may have been tried.
    #[track_caller]
    pub fn refusal(&self, operation: &str, input: Value) -> impl Future<Output = ApiError> + Send {
        let at = Location::caller();
        async move {
            match self.local.call(operation, input.clone()).await {
                Ok(_) => fail(at, &format!("{operation} {input} succeeds, but should be refused")),
                Err(error) => error,
            }
        }
    }

    /// Lets time pass, with everything that happens on the way.
    ///
    /// In memory it passes for the game server, too. On loopback GameLift jumps ahead, and a server process does not:
    /// it misses the heartbeats of that time, and after three and a half minutes it counts as unhealthy.
    ///
    /// # Cancel safety
    /// Some of the time may have passed.
    pub async fn advance(&self, by: Duration) {
        match self.in_memory {
            true => sleep(by).await,
            false => self.local.advance(by).await,
        }
    }
}

/// Whether the runtime's clock stands still while a task runs.
fn clock_is_paused() -> bool {
    let (tokio, system) = (Instant::now(), time::Instant::now());
    while system.elapsed().is_zero() {
        std::hint::spin_loop();
    }
    Instant::now() == tokio
}
