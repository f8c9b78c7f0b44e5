//! One history: some players, their tickets one after the other, and everything that can come between.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use backend::caller::{AuthKind, Caller, PlayerId};
use backend::event::{self, Event};
use backend::game_lift::Place;
use backend::problem::Code;
use backend::service::{
    Backend, IdempotencyKey, InviteRequest, PrivateRequest, Settings, StartRequest, Started,
};
use backend::store::{Read, Store};
use backend::ticket::{Endpoint, Status, Ticket};
use fastrand::Rng;
use futures_util::future::join_all;

use crate::fake::{Fake, report};
use crate::model::{Model, seen};
use crate::story::{Round, Story};
use crate::table::Table;

const NOW: u64 = 1_795_377_600_000;
/// Without news for so long, whoever reads a ticket asks GameLift.
const SILENCE: u64 = 30_000;

pub(crate) struct Life {
    seed: u64,
    random: Rng,
    store: Store,
    /// To make it fail.
    table: Option<Table>,
    game_lift: Fake,
    now: Arc<AtomicU64>,
    backend: Backend,
    players: Vec<String>,
    /// Somebody with a ticket of their own, who is in no match.
    stranger: String,
    /// Whether time passes, so that GameLift is asked.
    asks: bool,
    /// Copies of events that come a round later.
    late: Vec<String>,
    /// The latest end that a player has seen of their ticket.
    ends: BTreeMap<String, Status>,
}

fn backend(store: &Store, game_lift: &Fake, now: &Arc<AtomicU64>) -> Backend {
    let settings = Settings { queue: Some("queue".to_owned()), ..Settings::default() };
    let now = Arc::clone(now);
    let clock = Arc::new(move || UNIX_EPOCH + Duration::from_millis(now.load(Ordering::SeqCst)));
    Backend::new(settings, store.clone(), Arc::new(game_lift.clone()), clock)
}

fn caller(player: &str) -> Caller {
    Caller { player: PlayerId::new(player), kind: AuthKind::Iam, source_ip: None }
}

impl Life {
    pub(crate) fn new(seed: u64, store: Store, table: Option<Table>) -> Self {
        let mut random = Rng::with_seed(seed);
        let (game_lift, now) = (Fake::default(), Arc::new(AtomicU64::new(NOW)));
        let backend = backend(&store, &game_lift, &now);
        let players = (0..random.usize(2..=3)).map(|index| format!("h{seed}-player{index}")).collect();
        let asks = random.u8(..3) == 0;
        let (late, ends) = Default::default();
        let stranger = format!("h{seed}-stranger");
        Self { seed, random, store, table, game_lift, now, backend, players, stranger, asks, late, ends }
    }

    pub(crate) async fn run(mut self) {
        let key = "key-of-the-stranger".parse().unwrap();
        let stranger = caller(&self.stranger);
        let theirs =
            self.backend.start(&stranger, &key, StartRequest::default()).await.unwrap().ticket.ticket_id;
        let rounds = self.random.u64(1..=2);
        for number in 0..rounds {
            let round = self.start(number).await;
            let is_last = number + 1 == rounds;
            let story = round.tell(&mut self.random, is_last && !self.asks);
            let cancelled = self.play(&round, &story).await;
            self.check(&round, &story, cancelled).await;
            self.now.fetch_add(10_000, Ordering::SeqCst);
        }
        let ticket = self.backend.current(&stranger).await.unwrap();
        assert_eq!((ticket.ticket_id, ticket.connection), (theirs, None));
        assert!(!ticket.status.is_final(), "history {}", self.seed);
    }

    /// Everybody starts: alone, as a party, or for a session of their own.
    async fn start(&mut self, number: u64) -> Round {
        let is_placement = self.random.u8(..6) == 0;
        let is_party = is_placement || self.random.u8(..6) == 0;
        let leaders = if is_party { 1 } else { self.players.len() };
        let mut tickets = Vec::new();
        for leader in 0..leaders {
            let members = if is_party { self.players.clone() } else { vec![self.players[leader].clone()] };
            let mut party = Vec::new();
            for member in &members[1..] {
                party.push(
                    self.backend.invite(&caller(member), InviteRequest::default()).await.unwrap().token,
                );
            }
            let key: IdempotencyKey = format!("key-of-round-{number}").parse().unwrap();
            let started = self.ask(&members[0], &key, is_placement, party.clone()).await;
            assert!(!started.replayed, "history {}", self.seed);
            if self.random.u8(..8) == 0 {
                let again = self.ask(&members[0], &key, is_placement, party).await;
                assert!(again.replayed && again.ticket.ticket_id == started.ticket.ticket_id);
            }
            tickets.push((started.ticket.ticket_id, members));
        }
        self.ends.clear();
        Round { number, seed: self.seed, tickets, is_placement }
    }

    async fn ask(
        &self,
        leader: &str,
        key: &IdempotencyKey,
        is_placement: bool,
        party: Vec<String>,
    ) -> Started {
        let started = if is_placement {
            let request = PrivateRequest { party, ..PrivateRequest::default() };
            self.backend.start_private(&caller(leader), key, request).await
        } else {
            let request = StartRequest { party, ..StartRequest::default() };
            self.backend.start(&caller(leader), key, request).await
        };
        started.unwrap_or_else(|problem| panic!("history {}: {problem}", self.seed))
    }

    /// Delivers the events of a story, and whatever is late of the one before; whether somebody has cancelled.
    async fn play(&mut self, round: &Round, story: &Story) -> bool {
        let mut deliveries = std::mem::take(&mut self.late);
        for event in &story.events {
            deliveries.push(event.clone());
            if self.random.u8(..3) == 0 {
                let again = if self.random.bool() { &mut deliveries } else { &mut self.late };
                again.push(event.clone());
            }
        }
        self.random.shuffle(&mut deliveries);
        if self.asks {
            // GameLift is ahead of its events.
            self.know_the_end(round, story);
        }
        let mut cancelled = false;
        while !deliveries.is_empty() {
            match self.random.u8(..20) {
                0..4 => self.look(round).await,
                4 if self.random.u8(..3) == 0 => {
                    cancelled = true;
                    self.cancel(round).await;
                }
                5 if self.asks => {
                    self.now.fetch_add(SILENCE, Ordering::SeqCst);
                    self.look(round).await;
                }
                6 => self.backend = backend(&self.store, &self.game_lift, &self.now),
                _ => {
                    let batch = self.random.usize(1..=3.min(deliveries.len()));
                    let batch: Vec<String> = deliveries.drain(..batch).collect();
                    let failed = self.deliver(&batch).await;
                    // SNS tries again, after what came meanwhile.
                    deliveries.extend(failed);
                }
            }
        }
        cancelled
    }

    /// Some events at once; those of them that have to be delivered again.
    async fn deliver(&mut self, batch: &[String]) -> Vec<String> {
        let fails = self.random.u8(..8) == 0;
        if let Some(table) = self.table.as_ref().filter(|_| fails) {
            table.fail_after(Some(self.random.u32(..4)));
        }
        let handled = join_all(batch.iter().map(|event| self.backend.handle(event))).await;
        if let Some(table) = &self.table {
            table.fail_after(None);
        }
        let failed = batch.iter().zip(handled).filter(|(_, handled)| handled.is_err());
        failed.map(|(event, _)| event.clone()).collect()
    }

    fn know_the_end(&self, round: &Round, story: &Story) {
        for ((id, players), end) in round.tickets.iter().zip(&story.ends) {
            let mut report = report(end.unwrap());
            if report.status == Status::Succeeded {
                let endpoint = Endpoint { ip: round.ip(), dns_name: None, port: round.port() };
                report.place = Some(Place { game_session_id: round.game_session_id(), endpoint });
                let seat = |player: &String| (PlayerId::new(player), round.player_session_id(player));
                report.seats = players.iter().map(seat).collect();
            }
            self.game_lift.set(id, report);
        }
    }

    /// Somebody reads: their ticket, or another's, which there is none of for them.
    async fn look(&mut self, round: &Round) {
        let (id, members) = &round.tickets[self.random.usize(..round.tickets.len())];
        let player = members[self.random.usize(..members.len())].clone();
        let ticket = self.backend.ticket(&caller(&player), id).await.unwrap();
        self.is_own(round, &player, &ticket);
        if self.random.bool() {
            return;
        }
        let nosy = self.players.iter().find(|player| !members.contains(player)).unwrap_or(&self.stranger);
        let refused = self.backend.ticket(&caller(nosy), id).await.unwrap_err();
        assert_eq!(refused.code, Code::NotFound, "history {}", self.seed);
    }

    /// What a player is shown names their own seat in this round's game and no other, and an end is the end: only a seat
    /// comes after another end, and nothing comes after a seat.
    fn is_own(&mut self, round: &Round, player: &str, ticket: &Ticket) {
        let text = serde_json::to_string(ticket).unwrap();
        let seats = usize::from(ticket.status == Status::Succeeded);
        assert_eq!(text.matches("psess-").count(), seats, "history {}: {text}", self.seed);
        assert_eq!(
            text.matches(&round.player_session_id(player)).count(),
            seats,
            "history {}: {text}",
            self.seed
        );
        let seen = self.ends.insert(player.to_owned(), ticket.status).filter(|status| status.is_final());
        let moved = seen.filter(|seen| *seen != ticket.status);
        assert!(
            moved.is_none() || moved != Some(Status::Succeeded) && ticket.status.is_final(),
            "history {}: from {moved:?} to {:?}",
            self.seed,
            ticket.status
        );
    }

    async fn cancel(&mut self, round: &Round) {
        let (id, members) = &round.tickets[0];
        let player = &members[self.random.usize(..members.len())];
        match self.backend.cancel(&caller(player), id).await {
            Ok(ticket) => assert_ne!(ticket.status, Status::Succeeded),
            Err(problem) => assert_eq!(problem.code, Code::TicketPlaced, "history {}", self.seed),
        }
    }

    async fn check(&mut self, round: &Round, story: &Story, cancelled: bool) {
        let mut models: BTreeMap<(String, String), Model> = BTreeMap::new();
        for event in &story.events {
            for update in updates(round, event) {
                let key = (update.player.as_str().to_owned(), update.ticket_id.clone());
                models.entry(key).or_default().apply(&update);
            }
        }
        for ((id, members), end) in round.tickets.iter().zip(&story.ends) {
            for player in members {
                let ticket = self.backend.current(&caller(player)).await.unwrap();
                self.is_own(round, player, &ticket);
                assert_eq!(ticket.ticket_id, *id, "history {}", self.seed);
                if let Some(end) = end {
                    assert_eq!(ticket.status, *end, "history {}", self.seed);
                } else {
                    assert!(!ticket.status.is_final(), "history {}", self.seed);
                }
                if let Some(connection) = ticket.connection {
                    let endpoint = &connection.endpoints[0];
                    assert_eq!((&endpoint.ip, endpoint.port), (&round.ip(), round.port()));
                    assert_eq!(connection.game_session_id, round.game_session_id());
                }
                // What GameLift answers has no team and other words, and an open ticket may be one that is being cancelled.
                if self.asks || cancelled && end.is_none() {
                    continue;
                }
                let (who, now) = (PlayerId::new(player), self.now.load(Ordering::SeqCst));
                let row = self.store.ticket(&who, Read::Strong, now).await.unwrap().unwrap();
                let wanted = models.remove(&(player.clone(), id.clone())).unwrap().seen();
                assert_eq!(seen(&row), wanted, "history {}", self.seed);
            }
        }
    }
}

/// News for all players of a round; a placement that has failed names none.
fn updates(round: &Round, event: &str) -> Vec<event::Update> {
    match event::parse(event).unwrap() {
        Event::Tickets { updates, .. } => updates,
        Event::PlacementEnded { ticket_id, order, news } => {
            let update = |player: &String| event::Update {
                player: PlayerId::new(player),
                ticket_id: ticket_id.clone(),
                order: order.clone(),
                news: (*news).clone(),
            };
            round.tickets[0].1.iter().map(update).collect()
        }
        other @ Event::Ignored { .. } => panic!("{other:?}"),
    }
}
