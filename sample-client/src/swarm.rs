//! Many bots at once, and what they measured together.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use game_proto::Fingerprint;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::error::{JoinError, LeaveReason};
use crate::play::{Played, play};
use crate::player::{JOIN_TIMEOUT_DEFAULT, JoinConfig, Player};
use crate::stats::micros_histogram;
use crate::trust::Trust;

/// How many bots may be joining at one time, unless told otherwise. More than this makes a swarm measure its own
/// machine: a handshake takes 0.3 ms of a core on the client's side.
pub const JOINS_AT_ONCE_DEFAULT: usize = 64;

/// Where one bot goes: one line of a targets file.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// The game session's address.
    pub address: SocketAddr,
    /// The player session reserved for this bot.
    pub player_session_id: String,
    /// The game session it is in, for servers that host several.
    #[serde(default)]
    pub game_session_id: Option<String>,
    /// The SHA-256 of the server's certificate.
    #[serde(deserialize_with = "fingerprint")]
    pub fingerprint: Fingerprint,
}

fn fingerprint<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Fingerprint, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

/// Without the player session id.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("address", &self.address)
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

/// What a swarm does.
#[derive(Clone)]
pub struct SwarmConfig {
    /// One bot each.
    pub targets: Vec<Target>,
    /// How long each bot plays once it is in.
    pub play_for: Duration,
    /// How long each bot's join may take.
    pub join_timeout: Duration,
    /// How many bots may be joining at one time. At least one do.
    pub joins_at_once: usize,
    /// Is told after every change. Must be quick.
    pub progress: Arc<dyn Fn(Progress) + Send + Sync>,
}

impl SwarmConfig {
    /// A swarm with the defaults, that tells nobody how it goes.
    #[must_use]
    pub fn new(targets: Vec<Target>, play_for: Duration) -> Self {
        Self {
            targets,
            play_for,
            join_timeout: JOIN_TIMEOUT_DEFAULT,
            joins_at_once: JOINS_AT_ONCE_DEFAULT,
            progress: Arc::new(|_| {}),
        }
    }
}

/// How far a swarm is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bots in all.
    pub bots: usize,
    /// Bots that got in, so far.
    pub joined: usize,
    /// Bots that did not.
    pub failed: usize,
    /// Bots that were in and are out again.
    pub done: usize,
}

/// What a swarm came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SwarmReport {
    /// Bots in all.
    pub bots: usize,
    /// Bots that got in.
    pub joined: usize,
    /// Bots that the server turned away, by reason.
    pub refusals: BTreeMap<String, usize>,
    /// Bots that did not get in for another reason, by [`JoinError::label`].
    pub join_failures: BTreeMap<String, usize>,
    /// Bots that were in, and stopped before their time for another reason than the server's closing.
    pub dropped: usize,
    /// How often a bot lost its connection and came back to its seat.
    pub resumes: u64,
    /// Bots that the server told that it goes away.
    pub warned: usize,
    /// Milliseconds from the first packet to Welcome.
    pub join_ms: Quantiles,
    /// Milliseconds from an input to the first snapshot that reflects it (up to a tick of it is waiting).
    pub round_trip_ms: Quantiles,
    /// Inputs sent by all bots.
    pub inputs: u64,
    /// Snapshots received by all bots.
    pub snapshots: u64,
    /// Snapshots per second that the average bot received.
    pub snapshots_per_second: f64,
    /// Snapshots that did not come, in percent of those sent.
    pub loss_percent: f64,
    /// From start to end.
    pub seconds: f64,
}

/// A distribution in three numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantiles {
    /// Half are at most this.
    pub p50: f64,
    /// 99 in 100 are at most this.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

impl Quantiles {
    /// Of a histogram in microseconds, in milliseconds.
    #[must_use]
    pub fn of_micros(histogram: &Histogram<u64>) -> Self {
        let millis = |micros: u64| micros as f64 / 1000.0;
        Self {
            p50: millis(histogram.value_at_quantile(0.5)),
            p99: millis(histogram.value_at_quantile(0.99)),
            max: millis(histogram.max()),
        }
    }
}

type Outcome = Result<(Duration, Played), JoinError>;

enum Step {
    Joined,
    Over(Box<Outcome>),
}

/// Runs the swarm to its end.
///
/// # Cancel safety
/// Dropping the future drops all bots, which leave.
pub async fn run(config: SwarmConfig) -> SwarmReport {
    let start = Instant::now();
    let mut progress = Progress { bots: config.targets.len(), ..Progress::default() };
    (config.progress)(progress);

    let doors = Arc::new(Semaphore::new(config.joins_at_once.max(1)));
    // One place per message that can be waiting: two per bot.
    let (steps, mut news) = tokio::sync::mpsc::channel(2 * config.targets.len().max(1));
    let mut bots = JoinSet::new();
    for target in config.targets {
        let (doors, steps, play_for, timeout) =
            (doors.clone(), steps.clone(), config.play_for, config.join_timeout);
        bots.spawn(async move {
            let outcome = bot(target, &doors, &steps, play_for, timeout).await;
            let _ = steps.send(Step::Over(Box::new(outcome))).await; // Nobody listens to a swarm that was dropped.
        });
    }
    drop(steps);

    let mut tally = Tally::default();
    while let Some(step) = news.recv().await {
        match step {
            Step::Joined => progress.joined += 1,
            Step::Over(outcome) => {
                match &*outcome {
                    Ok(_) => progress.done += 1,
                    Err(_) => progress.failed += 1,
                }
                tally.add(*outcome);
            }
        }
        (config.progress)(progress);
    }
    tally.report(progress.bots, start.elapsed())
}

async fn bot(
    target: Target,
    doors: &Semaphore,
    steps: &tokio::sync::mpsc::Sender<Step>,
    play_for: Duration,
    timeout: Duration,
) -> Outcome {
    let trust = Trust::Fingerprint(target.fingerprint);
    let config = JoinConfig {
        timeout,
        game_session_id: target.game_session_id,
        ..JoinConfig::new(target.address, trust, target.player_session_id)
    };
    let door = doors.acquire().await.expect("the semaphore is never closed");
    let start = Instant::now();
    let player = Player::join(config).await?;
    let joined_after = start.elapsed();
    drop(door);
    let _ = steps.send(Step::Joined).await; // As above.
    Ok((joined_after, play(player, play_for).await))
}

struct Tally {
    joined: usize,
    refusals: BTreeMap<String, usize>,
    join_failures: BTreeMap<String, usize>,
    dropped: usize,
    resumes: u64,
    warned: usize,
    join_micros: Histogram<u64>,
    round_trip_micros: Histogram<u64>,
    inputs: u64,
    snapshots: u64,
    snapshots_missed: u64,
    played: Duration,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            joined: 0,
            refusals: BTreeMap::new(),
            join_failures: BTreeMap::new(),
            dropped: 0,
            resumes: 0,
            warned: 0,
            join_micros: micros_histogram(),
            round_trip_micros: micros_histogram(),
            inputs: 0,
            snapshots: 0,
            snapshots_missed: 0,
            played: Duration::ZERO,
        }
    }
}

impl Tally {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Ok((joined_after, played)) => {
                self.joined += 1;
                self.join_micros.saturating_record(joined_after.as_micros() as u64);
                self.warned += usize::from(played.warned);
                self.resumes += u64::from(played.resumes);
                if let Some(reason) = played.ended.filter(|it| *it != LeaveReason::ServerClosed) {
                    tracing::warn!(%reason, "a bot was dropped");
                    self.dropped += 1;
                }
                self.played += played.duration;
                self.inputs += played.stats.inputs;
                self.snapshots += played.stats.snapshots;
                self.snapshots_missed += played.stats.snapshots_missed;
                self.round_trip_micros
                    .add(&played.stats.round_trip_micros)
                    .expect("both histograms have the same range");
            }
            Err(error) => {
                tracing::warn!(error = %error, "a bot did not get in");
                let counts = match error {
                    JoinError::Refused { .. } => &mut self.refusals,
                    _ => &mut self.join_failures,
                };
                *counts.entry(error.label().to_owned()).or_default() += 1;
            }
        }
    }

    fn report(self, bots: usize, elapsed: Duration) -> SwarmReport {
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let sent = (self.snapshots + self.snapshots_missed) as f64;
        SwarmReport {
            bots,
            joined: self.joined,
            refusals: self.refusals,
            join_failures: self.join_failures,
            dropped: self.dropped,
            resumes: self.resumes,
            warned: self.warned,
            join_ms: Quantiles::of_micros(&self.join_micros),
            round_trip_ms: Quantiles::of_micros(&self.round_trip_micros),
            inputs: self.inputs,
            snapshots: self.snapshots,
            snapshots_per_second: share(self.snapshots as f64, self.played.as_secs_f64()),
            loss_percent: 100.0 * share(self.snapshots_missed as f64, sent),
            seconds: elapsed.as_secs_f64(),
        }
    }
}

/// For people: one line each.
impl fmt::Display for SwarmReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, name: &str, value: String| writeln!(f, "{name:<24}{value}");
        line(f, "bots", self.bots.to_string())?;
        line(f, "joined", self.joined.to_string())?;
        for (reason, count) in &self.refusals {
            line(f, &format!("  refused: {reason}"), format!("  {count}"))?;
        }
        for (reason, count) in &self.join_failures {
            line(f, &format!("  failed: {reason}"), format!("  {count}"))?;
        }
        line(f, "dropped while playing", self.dropped.to_string())?;
        let quantiles =
            |it: &Quantiles| format!("p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms", it.p50, it.p99, it.max);
        line(f, "came back after a drop", self.resumes.to_string())?;
        line(f, "time to join", quantiles(&self.join_ms))?;
        line(f, "input to snapshot", quantiles(&self.round_trip_ms))?;
        line(f, "snapshots per bot", format!("{:.1}/s", self.snapshots_per_second))?;
        line(f, "snapshots lost", format!("{:.2} %", self.loss_percent))?;
        write!(f, "{:<24}{:.1} s", "took", self.seconds)
    }
}
