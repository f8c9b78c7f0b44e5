//! The one loop: messages and time go into [`Gate`] and [`Room`], what they want done goes out.
//!
//! Everything about players happens here, in one task, in order; there is no lock in this crate. The loop never
//! waits for a peer or for GameLift: it hands over what it has to say and goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use game_proto::server_message::Kind;
use game_proto::{PlayerJoined, PlayerLeft, ServerClosing};
use gamelift_server_sdk::PlayerSessionCreationPolicy;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::config::{Observation, Observer, Times};
use crate::directory::Listing;
use crate::gate::{ConnId, Effect, Gate, ResumeToken};
use crate::metrics::{Departure, Instruments, Metrics};
use crate::quic::{Link, PeerMessage};
use crate::room::{PLAYERS_MAX, PlayerNumber, Room, TICK_RATE_HZ};
use crate::service::{Notice, Request};

/// One step of the simulation.
const TICK: Duration = Duration::from_nanos(1_000_000_000 / TICK_RATE_HZ as u64);

/// How long a closing game waits for GameLift to confirm that its players are removed.
pub const FAREWELL_TIMEOUT: Duration = Duration::from_secs(5);

/// Peer messages taken up at once, so that a burst of joins costs one round of the loop, and a tick is never more
/// than this many messages late.
const PEER_BATCH_MAX: usize = 64;

struct Player {
    number: PlayerNumber,
    /// Set when this server gave up on the connection: the reason that counts.
    departure: Option<Departure>,
}

enum Closing {
    /// Players may finish their game until then.
    Draining { until: Instant },
    /// All connections are closed; GameLift is being told.
    Farewell { until: Instant },
}

struct GameLoop {
    gate: Gate,
    room: Option<Room>,
    links: BTreeMap<ConnId, Link>,
    players: BTreeMap<ConnId, Player>,
    /// Since when nobody plays and nobody is about to, in a game session that is active.
    empty_since: Option<Instant>,
    times: Times,
    closing: Option<Closing>,
    requests: mpsc::Sender<Request>,
    policy: watch::Sender<PlayerSessionCreationPolicy>,
    listing: Listing,
    observer: Observer,
    metrics: Metrics,
    instruments: Instruments,
}

/// What a game loop is connected to.
pub(crate) struct Ends {
    pub(crate) peers: mpsc::Receiver<PeerMessage>,
    pub(crate) notices: mpsc::Receiver<Notice>,
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) policy: watch::Sender<PlayerSessionCreationPolicy>,
    pub(crate) listing: Listing,
}

/// Plays one game session and returns what was counted.
///
/// Ends when it was told to [drain](Notice::Drain) and every player is gone or out of time; when the game session
/// has been empty for [`Times::empty`]; or when the service's side of the queues is dropped.
pub(crate) async fn run(ends: Ends, times: Times, observer: Observer) -> Metrics {
    let Ends { mut peers, mut notices, requests, policy, listing } = ends;
    let mut game = GameLoop {
        gate: Gate::new(times.grace),
        room: None,
        links: BTreeMap::new(),
        players: BTreeMap::new(),
        empty_since: None,
        times,
        closing: None,
        requests,
        policy,
        listing,
        observer,
        metrics: Metrics::default(),
        instruments: Instruments::new(),
    };
    let mut ticks = interval(TICK);
    // A late tick is not made up for: players see a short pause instead of a jump.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut ticked = None;
    let mut batch = Vec::with_capacity(PEER_BATCH_MAX);

    while !game.is_over() {
        let wake = game.poll_timeout();
        tokio::select! {
            due = ticks.tick(), if !game.players.is_empty() => game.tick(due, &mut ticked),
            taken = peers.recv_many(&mut batch, PEER_BATCH_MAX) => {
                if taken == 0 {
                    tracing::error!("the endpoint is gone: nobody can join or play");
                    break;
                }
                for message in batch.drain(..) {
                    game.handle_peer(message);
                }
            }
            notice = notices.recv() => match notice {
                Some(notice) => game.handle_notice(notice),
                None => break, // Whoever spoke for GameLift is gone: nobody can be let in, or reported.
            },
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
        }
        game.handle_timeout(Instant::now());
        game.carry_out();
        game.announce();
        if game.players.is_empty() {
            ticked = None;
            ticks.reset(); // An empty arena costs nothing, and its first player does not find ticks overdue.
        }
    }
    // Whoever is still connected has nobody to talk to any more.
    for link in game.links.values() {
        link.close();
    }
    game.metrics
}

impl GameLoop {
    fn tick(&mut self, due: Instant, previous: &mut Option<Instant>) {
        let Some(room) = &mut self.room else { return };
        let start = Instant::now();
        if let Some(previous) = previous.replace(due) {
            let ticks = (due - previous + TICK / 2).as_nanos() / TICK.as_nanos();
            let skipped = u64::try_from(ticks).unwrap_or(u64::MAX).saturating_sub(1);
            self.metrics.ticks_skipped += skipped;
            self.instruments.ticks_skipped.increment(skipped);
        }
        for (conn, player) in &self.players {
            if let Some(input) = self.links.get_mut(conn).and_then(Link::take_input) {
                room.input(player.number, input);
            }
        }
        room.step();
        self.metrics.ticks += 1;
        let everybody = room.everybody();
        let before = self.metrics.snapshots;
        for (conn, player) in &self.players {
            if let Some(link) = self.links.get(conn) {
                match link.send_snapshot(room.snapshot(player.number, &everybody)) {
                    true => self.metrics.snapshots += 1,
                    false => self.metrics.snapshots_unsent += 1,
                }
            }
        }
        self.instruments.snapshots.increment(self.metrics.snapshots - before);
        if self.metrics.ticks.is_multiple_of(u64::from(TICK_RATE_HZ)) {
            // Once per second: asking every connection takes its lock.
            for link in self.links.values_mut() {
                count_traffic(&self.instruments, link);
            }
        }
        self.instruments.tick_seconds.record(start.elapsed());
    }

    fn handle_peer(&mut self, message: PeerMessage) {
        let now = Instant::now().into_std();
        match message {
            PeerMessage::Presented(conn, link, hello, token) => {
                self.links.insert(conn, link);
                self.gate.presented(now, conn, &hello, token);
            }
            PeerMessage::Gone(conn, departure) => self.forget(conn, departure),
        }
    }

    fn handle_notice(&mut self, notice: Notice) {
        let now = Instant::now();
        match notice {
            Notice::GameSessionStarted { game_session_id, seats } => {
                let seats = seats.min(PLAYERS_MAX);
                self.room = Some(Room::new(seats));
                self.gate.game_session_started(seats);
                self.empty_since = Some(now);
                self.instruments.game_sessions.set(1);
                self.instruments.seats.set(seats);
                self.listing.hosts(game_session_id);
            }
            Notice::Accepted(id, answer) => self.gate.accepted(now.into_std(), &id, answer),
            Notice::Described(id, standing) => self.gate.described(now.into_std(), &id, standing),
            Notice::Removed(id, known) => {
                if !known {
                    self.metrics.removal_failed();
                }
                self.gate.removed(&id);
            }
            Notice::HealthCheck(alive) => {
                let _ = alive.send(()); // Whoever asked has stopped waiting.
            }
            Notice::Drain(notice) => self.drain(now, notice),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.gate.handle_timeout(now.into_std());
        let empty = self.room.is_some() && self.players.is_empty() && self.gate.ids_taken() == 0;
        if !empty {
            self.empty_since = None;
        } else if now >= *self.empty_since.get_or_insert(now) + self.times.empty && self.closing.is_none() {
            tracing::info!(
                "nobody has played for {} s: the game session is over",
                self.times.empty.as_secs()
            );
            self.drain(now, Duration::ZERO);
        }
        if let Some(Closing::Draining { until }) = self.closing
            && now >= until
        {
            self.closing = Some(Closing::Farewell { until: now + FAREWELL_TIMEOUT });
            for (conn, player) in &mut self.players {
                player.departure = Some(Departure::Closed);
                if let Some(link) = self.links.get(conn) {
                    link.close();
                }
            }
            self.gate.expel_all();
            self.carry_out();
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let gate = self.gate.poll_timeout().map(Instant::from_std);
        let empty = self.empty_since.filter(|_| self.closing.is_none()).map(|since| since + self.times.empty);
        let closing =
            self.closing.as_ref().map(|(Closing::Draining { until } | Closing::Farewell { until })| *until);
        [gate, empty, closing].into_iter().flatten().min()
    }

    fn is_over(&self) -> bool {
        let nobody = self.players.is_empty() && self.gate.ids_taken() == 0;
        match self.closing {
            None => false,
            Some(Closing::Draining { .. }) => nobody,
            Some(Closing::Farewell { until }) => nobody || Instant::now() >= until,
        }
    }

    /// Starts closing, or shortens the notice of a closing that has started.
    fn drain(&mut self, now: Instant, notice: Duration) {
        let until = now + notice;
        match &mut self.closing {
            Some(Closing::Farewell { .. }) => return,
            Some(Closing::Draining { until: before }) if *before <= until => return,
            Some(Closing::Draining { until: before }) => *before = until,
            None => {
                self.closing = Some(Closing::Draining { until });
                self.gate.drain();
                (self.observer)(Observation::Draining { notice });
            }
        }
        let notice_seconds = u32::try_from(notice.as_secs()).unwrap_or(u32::MAX);
        self.tell_all(Kind::ServerClosing(ServerClosing { notice_seconds }));
    }

    /// Does what the gate wants done.
    fn carry_out(&mut self) {
        while let Some(effect) = self.gate.poll_effect() {
            match effect {
                Effect::Accept(id) => self.ask(Request::Accept(id)),
                Effect::Describe(id) => self.ask(Request::Describe(id)),
                Effect::Remove(id) => self.ask(Request::Remove(id)),
                Effect::Admit { conn, token } => self.admit(conn, token),
                Effect::Resume { conn, from, token } => self.resume(conn, from, token),
                Effect::Leave(conn) => self.leave(conn),
                Effect::Refuse(conn, refusal) => {
                    self.metrics.refused(refusal);
                    (self.observer)(Observation::Refused(refusal));
                    if let Some(mut link) = self.links.remove(&conn) {
                        count_traffic(&self.instruments, &mut link);
                        link.refuse(refusal);
                    }
                }
            }
        }
    }

    /// Tells GameLift, and the monitoring, how full it is.
    fn announce(&mut self) {
        self.instruments.players.set(self.players.len());
        self.instruments.seats_taken.set(self.gate.ids_taken());
        if self.room.is_none() {
            return;
        }
        // GameLift counts seats, too, but a player who is away, or being removed, may no longer be among them. Only what
        // this process has denied is allowed again: a game session whose creator denied it stays so.
        let policy = match self.gate.takes_newcomers() {
            true => PlayerSessionCreationPolicy::AcceptAll,
            false => PlayerSessionCreationPolicy::DenyAll,
        };
        self.policy.send_if_modified(|told| {
            let news = *told != policy;
            *told = policy;
            news
        });
    }

    fn admit(&mut self, conn: ConnId, token: ResumeToken) {
        // The gate admits nobody without a game session, nor more than it has seats.
        let Some(room) = &mut self.room else { return };
        let Some(number) = room.join() else { return };
        self.tell_all(Kind::PlayerJoined(PlayerJoined { player_number: number.0 }));
        self.players.insert(conn, Player { number, departure: None });
        self.welcome(conn, number, token);
        self.metrics.joined();
        self.metrics.players_peak = self.metrics.players_peak.max(self.players.len());
        (self.observer)(Observation::PlayerJoined(number));
    }

    /// A player is back. The others have not noticed.
    fn resume(&mut self, conn: ConnId, from: ConnId, token: ResumeToken) {
        if let Some(mut link) = self.links.remove(&from) {
            count_traffic(&self.instruments, &mut link);
            link.supersede();
        }
        let Some(player) = self.players.remove(&from) else { return };
        let number = player.number;
        if let Some(room) = &mut self.room {
            room.resume(number);
        }
        self.players.insert(conn, Player { number, departure: None });
        self.welcome(conn, number, token);
        if let Some(Closing::Draining { until }) = self.closing {
            let notice = until.saturating_duration_since(Instant::now());
            let notice_seconds = u32::try_from(notice.as_secs()).unwrap_or(u32::MAX);
            self.tell(conn, Kind::ServerClosing(ServerClosing { notice_seconds }));
        }
        self.metrics.resumed();
        (self.observer)(Observation::PlayerResumed(number));
    }

    fn welcome(&mut self, conn: ConnId, number: PlayerNumber, token: ResumeToken) {
        let Some(room) = &self.room else { return };
        let mut welcome = room.welcome(number);
        if !self.times.grace.is_zero() {
            welcome.resume_token = token.to_vec();
            welcome.resume_seconds = u32::try_from(self.times.grace.as_secs()).unwrap_or(u32::MAX);
        }
        let others: Vec<PlayerNumber> = room.players().filter(|other| *other != number).collect();
        self.tell(conn, Kind::Welcome(welcome));
        for other in others {
            self.tell(conn, Kind::PlayerJoined(PlayerJoined { player_number: other.0 }));
        }
    }

    /// A connection is over; what becomes of its seat is for the gate to say.
    fn forget(&mut self, conn: ConnId, departure: Departure) {
        let link = self.links.remove(&conn);
        let was_known = link.is_some();
        if let Some(mut link) = link {
            count_traffic(&self.instruments, &mut link);
        }
        let departure = match self.players.get_mut(&conn) {
            Some(player) => *player.departure.get_or_insert(departure),
            None => {
                if was_known {
                    self.metrics.departed(departure, false);
                }
                departure
            }
        };
        self.gate.disconnected(Instant::now().into_std(), conn, departure.parting());
    }

    /// A player has lost the seat, and the others see the player go.
    fn leave(&mut self, conn: ConnId) {
        let Some(player) = self.players.remove(&conn) else { return };
        let departure = player.departure.unwrap_or(Departure::Closed);
        self.metrics.departed(departure, true);
        if let Some(room) = &mut self.room {
            room.leave(player.number);
        }
        self.tell_all(Kind::PlayerLeft(PlayerLeft { player_number: player.number.0 }));
        (self.observer)(Observation::PlayerLeft(player.number, departure));
    }

    fn tell_all(&mut self, kind: Kind) {
        for conn in self.players.keys().copied().collect::<Vec<_>>() {
            self.tell(conn, kind.clone());
        }
    }

    fn tell(&mut self, conn: ConnId, kind: Kind) {
        let told = self.links.get(&conn).is_none_or(|link| link.send(kind));
        if !told && let Some(player) = self.players.get_mut(&conn) {
            player.departure = Some(Departure::TooSlow);
        }
    }

    fn ask(&mut self, request: Request) {
        // REQUESTS_MAX is as many as there can be; a closed queue ends the loop in the next round.
        if let Err(error) = self.requests.try_send(request) {
            tracing::error!(%error, "a request to GameLift was not taken");
        }
    }
}

fn count_traffic(instruments: &Instruments, link: &mut Link) {
    let traffic = link.new_traffic();
    instruments.received_bytes.increment(traffic.received);
    instruments.sent_bytes.increment(traffic.sent);
}
