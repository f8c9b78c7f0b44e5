//! Many players who take the whole way, and what they measured together.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::client::{Client, patiently};
use super::error::{CallError, PlayError, Step};
use super::follow::FollowOptions;
use super::game::GameOptions;
use super::matchmaking::{Entry, Milestone, Wish};
use super::model::{InviteRequest, StartRequest};
use super::population::{PARTY_MAX, Party, Population};
use crate::error::LeaveReason;
use crate::stats::micros_histogram;
use crate::swarm::Quantiles;

/// How many players may be about at one time, unless told otherwise: each has up to three sockets, and a process has 1,024
/// files open by default.
pub const PLAYERS_AT_ONCE_DEFAULT: usize = 256;
/// Most of that.
pub const PLAYERS_AT_ONCE_MAX: usize = 4096;
/// What one player has to tell: arrived, ticketed, listening, matched, joined, over. There is room for all of it, so that telling
/// takes no time away from playing.
const NEWS_PER_PLAYER: usize = 6;

/// What a swarm does.
#[derive(Clone)]
pub struct SwarmConfig {
    /// How many players.
    pub players: usize,
    /// Players who come per second, evenly; more than zero. Without it all come as soon as there is room.
    pub arrival_rate: Option<f64>,
    /// Who they are.
    pub population: Population,
    /// The matchmaking configuration. The backend's default without it.
    pub configuration: Option<String>,
    /// How tickets are followed.
    pub follow: FollowOptions,
    /// How long each plays.
    pub play_for: Duration,
    /// A PEM file with authorities to trust besides the system's, for servers that are verified by their DNS name.
    pub extra_roots: Option<PathBuf>,
    /// How many may be about at one time. At least a whole party.
    pub at_once: usize,
    /// Is told after every change. Must be quick.
    pub progress: Arc<dyn Fn(&Progress) + Send + Sync>,
}

/// How far a swarm is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Players in all.
    pub players: usize,
    /// Players who have come.
    pub arrived: usize,
    /// Players who got a ticket.
    pub ticketed: usize,
    /// Players who got a seat.
    pub matched: usize,
    /// Players who got into the game.
    pub joined: usize,
    /// Players who played to the end.
    pub done: usize,
    /// Players who did not.
    pub failed: usize,
}

/// What a swarm came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SwarmReport {
    /// Players in all.
    pub players: usize,
    /// Parties that they came in.
    pub parties: usize,
    /// Players who got a ticket.
    pub ticketed: usize,
    /// Players who listened for news of it; the others only asked.
    pub listened: usize,
    /// Players who got a seat.
    pub matched: usize,
    /// Players who got into the game.
    pub joined: usize,
    /// Players who played to the end, that of the server included.
    pub played: usize,
    /// How often players were lost and came back.
    pub returns: u64,
    /// Players who did not play, or not to the end, by step and cause: see [`PlayError::label`].
    pub failures: BTreeMap<String, usize>,
    /// Milliseconds from coming to having a ticket: identity, credentials, consents of the party, start.
    pub time_to_ticket_ms: Quantiles,
    /// Milliseconds from coming to having a seat.
    pub time_to_match_ms: Quantiles,
    /// Milliseconds from coming to being in the game.
    pub time_to_play_ms: Quantiles,
    /// Milliseconds from an input to the first snapshot that reflects it.
    pub round_trip_ms: Quantiles,
    /// From start to end.
    pub seconds: f64,
}

enum News {
    Arrived,
    Ticketed(Duration),
    Listening,
    Matched(Duration),
    Joined(Duration),
    Over(Box<Result<super::Game, PlayError>>),
}

/// Runs the swarm to its end; `first` is the line to the backend, and each player gets an identity of their own. When `stop`
/// is cancelled nobody comes any more, and those who are about take their requests back and leave.
///
/// # Cancel safety
/// Dropping the future drops all players; tickets stay.
pub async fn run(first: &Client, config: SwarmConfig, stop: &CancellationToken) -> SwarmReport {
    let start = Instant::now();
    let parties = config.population.parties(config.players);
    let mut tally = Tally::new(config.players, parties.len());
    (config.progress)(&tally.progress);
    let (sender, mut news) = mpsc::channel(NEWS_PER_PLAYER * config.players.max(1));
    let arrivals = arrive(first.clone(), config.clone(), parties, stop.clone(), sender);
    let mut arrivals = JoinSet::from_iter([arrivals]);
    while let Some(it) = news.recv().await {
        tally.add(it);
        (config.progress)(&tally.progress);
    }
    while arrivals.join_next().await.is_some() {}
    tally.report(start.elapsed())
}

/// Lets parties in, one after the other, and waits for the last.
async fn arrive(
    first: Client,
    config: SwarmConfig,
    parties: Vec<Party>,
    stop: CancellationToken,
    news: mpsc::Sender<News>,
) {
    let at_once = config.at_once.clamp(PARTY_MAX, PLAYERS_AT_ONCE_MAX);
    let places = Arc::new(Semaphore::new(at_once));
    let (mut running, mut due) = (JoinSet::new(), Instant::now());
    for party in parties {
        let many = u32::try_from(party.size()).expect("a party has at most ten members");
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = async {
                sleep_until(due).await;
                places.clone().acquire_many_owned(many).await.expect("the semaphore is never closed")
            } => place,
        };
        if let Some(rate) = config.arrival_rate {
            due += Duration::try_from_secs_f64(party.size() as f64 / rate).unwrap_or_default();
        }
        let (first, config, stop, news) = (first.clone(), config.clone(), stop.clone(), news.clone());
        running.spawn(async move {
            together(&first, &config, party, &stop, &news).await;
            drop(place);
        });
        while running.try_join_next().is_some() {}
    }
    while running.join_next().await.is_some() {}
}

/// One party: its members consent, its leader asks, all follow and play.
async fn together(
    first: &Client,
    config: &SwarmConfig,
    party: Party,
    stop: &CancellationToken,
    news: &mpsc::Sender<News>,
) {
    let arrived = Instant::now();
    let mut members = JoinSet::new();
    // Is cancelled, too, when the leader has certainly not asked: then there is nothing to wait for.
    let party_stop = stop.child_token();
    let (tokens_in, mut tokens) = mpsc::channel(PARTY_MAX);
    for member in party.members {
        tell(news, News::Arrived);
        let player = PlayerOfSwarm {
            client: first.another_player(),
            config: config.clone(),
            stop: stop.clone(),
            news: news.clone(),
            arrived,
        };
        let (tokens_in, party_stop) = (tokens_in.clone(), party_stop.clone());
        members.spawn(async move {
            let own = InviteRequest { latencies: member.latencies, attributes: member.attributes };
            let consent = patiently(|| player.client.invite(&own)).await;
            let entered = match consent {
                Ok(invite) => {
                    let _ = tokens_in.send(invite.token).await; // The leader listens until all have sent.
                    drop(tokens_in);
                    match player.take_part(Entry::Invited { earlier: None }, &party_stop).await {
                        Err(PlayError::Cancelled { .. }) if !player.stop.is_cancelled() => {
                            Err(PlayError::NotInvited { after: player.arrived.elapsed() })
                        }
                        played => played,
                    }
                }
                Err(error) => {
                    drop(tokens_in);
                    Err(error.into())
                }
            };
            tell(&player.news, News::Over(Box::new(entered)));
        });
    }
    drop(tokens_in);
    tell(news, News::Arrived);
    let mut request = StartRequest {
        configuration: config.configuration.clone(),
        latencies: party.leader.latencies,
        attributes: party.leader.attributes,
        party: Vec::new(),
    };
    // Ends when each member has consented or failed; then the leader goes with those there are.
    while let Some(token) = tokens.recv().await {
        request.party.push(token);
    }
    let leader = PlayerOfSwarm {
        client: first.another_player(),
        config: config.clone(),
        stop: stop.clone(),
        news: news.clone(),
        arrived,
    };
    let played = leader.take_part(Entry::Start(request), stop).await;
    if let Err(PlayError::Call(failed)) = &played
        && matches!(failed.step, Step::Identity | Step::Credentials | Step::Start)
        && !matches!(failed.error, CallError::OutcomeUnknown { .. })
    {
        party_stop.cancel();
    }
    tell(news, News::Over(Box::new(played)));
    while members.join_next().await.is_some() {}
}

struct PlayerOfSwarm {
    client: Client,
    config: SwarmConfig,
    stop: CancellationToken,
    news: mpsc::Sender<News>,
    arrived: Instant,
}

impl PlayerOfSwarm {
    /// `wanted` is cancelled when a match is not wanted any more.
    async fn take_part(&self, entry: Entry, wanted: &CancellationToken) -> Result<super::Game, PlayError> {
        let wish = Wish { entry, follow: self.config.follow };
        let mut listening = false;
        let on = |milestone| match milestone {
            Milestone::Ticket { .. } => tell(&self.news, News::Ticketed(self.arrived.elapsed())),
            // What is lost and opened again counts once.
            Milestone::Pushing(_) if !std::mem::replace(&mut listening, true) => {
                tell(&self.news, News::Listening);
            }
            _ => {}
        };
        let seat = self.client.find_match(wish, wanted, on).await?;
        tell(&self.news, News::Matched(self.arrived.elapsed()));
        let options =
            GameOptions { play_for: self.config.play_for, extra_roots: self.config.extra_roots.clone() };
        let mut first = true;
        let on = |milestone| {
            if let Milestone::Joined(_) = milestone
                && std::mem::take(&mut first)
            {
                tell(&self.news, News::Joined(self.arrived.elapsed()));
            }
        };
        self.client.play(&seat, &options, &self.stop, on).await
    }
}

fn tell(listener: &mpsc::Sender<News>, news: News) {
    // There is room; and nobody listens to a swarm that was dropped.
    let _ = listener.try_send(news);
}

struct Tally {
    progress: Progress,
    parties: usize,
    listened: usize,
    returns: u64,
    played: usize,
    failures: BTreeMap<String, usize>,
    to_ticket: Histogram<u64>,
    to_match: Histogram<u64>,
    to_play: Histogram<u64>,
    round_trip: Histogram<u64>,
}

impl Tally {
    fn new(players: usize, parties: usize) -> Self {
        Self {
            progress: Progress { players, ..Progress::default() },
            parties,
            listened: 0,
            returns: 0,
            played: 0,
            failures: BTreeMap::new(),
            to_ticket: waits(),
            to_match: waits(),
            to_play: waits(),
            round_trip: micros_histogram(),
        }
    }

    fn add(&mut self, news: News) {
        let record =
            |into: &mut Histogram<u64>, after: Duration| into.saturating_record(after.as_micros() as u64);
        match news {
            News::Arrived => self.progress.arrived += 1,
            News::Ticketed(after) => {
                self.progress.ticketed += 1;
                record(&mut self.to_ticket, after);
            }
            News::Listening => self.listened += 1,
            News::Matched(after) => {
                self.progress.matched += 1;
                record(&mut self.to_match, after);
            }
            News::Joined(after) => {
                self.progress.joined += 1;
                record(&mut self.to_play, after);
            }
            News::Over(outcome) => match *outcome {
                Ok(game) => {
                    self.progress.done += 1;
                    self.returns += u64::from(game.returns);
                    self.round_trip
                        .add(&game.stats.round_trip_micros)
                        .expect("both histograms have the same range");
                    match game.ended {
                        None | Some(LeaveReason::ServerClosed) => self.played += 1,
                        Some(reason) => {
                            tracing::warn!(%reason, "a player was put out");
                            self.fail("play: put_out".to_owned());
                        }
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a player did not play");
                    self.progress.failed += 1;
                    self.fail(error.label());
                }
            },
        }
    }

    fn fail(&mut self, label: String) {
        *self.failures.entry(label).or_default() += 1;
    }

    fn report(self, elapsed: Duration) -> SwarmReport {
        SwarmReport {
            players: self.progress.players,
            parties: self.parties,
            ticketed: self.progress.ticketed,
            listened: self.listened,
            matched: self.progress.matched,
            joined: self.progress.joined,
            played: self.played,
            returns: self.returns,
            failures: self.failures,
            time_to_ticket_ms: Quantiles::of_micros(&self.to_ticket),
            time_to_match_ms: Quantiles::of_micros(&self.to_match),
            time_to_play_ms: Quantiles::of_micros(&self.to_play),
            round_trip_ms: Quantiles::of_micros(&self.round_trip),
            seconds: elapsed.as_secs_f64(),
        }
    }
}

/// Players may wait for a match for a long time: counted up to an hour; longer ones count as that.
fn waits() -> Histogram<u64> {
    Histogram::new_with_max(3_600_000_000, 3).expect("1 us to 1 h at three digits is a legal range")
}

/// For people: one line each.
impl fmt::Display for SwarmReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, name: &str, value: String| writeln!(f, "{name:<24}{value}");
        line(f, "players", format!("{} in {} parties", self.players, self.parties))?;
        for (name, count) in [
            ("got a ticket", self.ticketed),
            ("listened for news", self.listened),
            ("got a seat", self.matched),
            ("got into the game", self.joined),
            ("played to the end", self.played),
        ] {
            line(f, name, count.to_string())?;
        }
        for (label, count) in &self.failures {
            line(f, &format!("  {label}"), format!("  {count}"))?;
        }
        line(f, "came back after a drop", self.returns.to_string())?;
        let quantiles =
            |it: &Quantiles| format!("p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms", it.p50, it.p99, it.max);
        line(f, "time to ticket", quantiles(&self.time_to_ticket_ms))?;
        line(f, "time to match", quantiles(&self.time_to_match_ms))?;
        line(f, "time to play", quantiles(&self.time_to_play_ms))?;
        line(f, "input to snapshot", quantiles(&self.round_trip_ms))?;
        write!(f, "{:<24}{:.1} s", "took", self.seconds)
    }
}
