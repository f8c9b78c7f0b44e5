//! Game session placements: a queue's search for a server process.
//!
//! ```text
//!   StartGameSessionPlacement            ActivateGameSession
//! --------------------------> PENDING ------------------------> FULFILLED
//!                             |  |  |  StopGameSessionPlacement
//!                             |  |  +-------------------------> CANCELLED
//!                             |  |  the queue's timeout
//!                             |  +----------------------------> TIMED_OUT
//!                             |  the game session ended, or the queue was deleted
//!                             +-------------------------------> FAILED
//! ```
//!
//! A placement that finds no free process stands in the line of every site it may use, so that a process that
//! becomes free is given to the placement that has waited longest, without a search. It is tried again when a cap
//! on latency changes, and when a process has not activated its game session in time.

mod candidates;
mod search;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use self::candidates::{Demand, latencies};
pub(super) use self::candidates::{Policy, Rules, Site, complete};
use super::{Engine, Timer, game_session::GameSessionKey, timers::TimerKey};
use crate::{ApiError, ErrorKind, Timestamp, model::*};

/// Most placements that are PENDING, so that a loop in a backend cannot fill the memory. AWS documents no such limit.
const PENDING_MAX: usize = 10_000;
/// Most placements that are over and can still be described; then the oldest go. AWS documents no such limit.
const OVER_MAX: usize = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PlacementKey(u64);

#[derive(Debug, Default)]
pub(super) struct Placements {
    all: BTreeMap<PlacementKey, Placement>,
    by_id: BTreeMap<String, PlacementKey>,
    /// Those that are over, oldest end first.
    over: VecDeque<PlacementKey>,
    /// Sites where a process has become free while placements wait.
    freed: BTreeSet<Site>,
    started: u64,
}

impl Placements {
    pub(super) fn pending(&self) -> usize {
        self.all.len() - self.over.len()
    }

    /// How many placements are known, by status.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for placement in self.all.values() {
            *counts.entry(placement.model.status.as_str()).or_default() += 1;
        }
        counts
    }

    /// A process has become free at a site where placements wait.
    pub(super) fn free(&mut self, site: Site) {
        self.freed.insert(site);
    }
}

/// What is to be placed. Comes from StartGameSessionPlacement or a match.
#[derive(Debug)]
pub(super) struct PlacementRequest {
    /// Becomes the last part of the game session's ARN.
    pub(super) id: String,
    /// Name or ARN.
    pub(super) queue: String,
    pub(super) slots: u32,
    pub(super) name: Option<String>,
    pub(super) game_properties: Vec<GameProperty>,
    pub(super) game_session_data: Option<String>,
    pub(super) matchmaker_data: Option<String>,
    /// Who gets a slot: id and data.
    pub(super) players: Vec<(String, Option<String>)>,
    pub(super) latencies: Vec<PlayerLatency>,
    pub(super) priority_override: Option<PriorityConfigurationOverride>,
}

/// How a placement ended.
#[derive(Debug)]
enum Outcome {
    Fulfilled(Vec<PlacedPlayerSession>),
    Cancelled,
    TimedOut,
    Failed,
}

#[derive(Debug)]
struct Placement {
    /// What the API shows.
    model: GameSessionPlacement,
    demand: Demand,
    /// Who gets a slot: id and data.
    players: Vec<(String, Option<String>)>,
    state: State,
    timeout: Option<TimerKey>,
}

#[derive(Debug)]
enum State {
    /// No process is free: it stands in line at these sites, until the cap on latency changes.
    Waiting { sites: Vec<Site>, next_try: Option<TimerKey> },
    /// A process has been given the game session.
    Activating(GameSessionKey),
    /// FULFILLED, CANCELLED, TIMED_OUT or FAILED.
    Over,
}

impl Engine {
    /// Asks a queue for a game session, with slots for the desired players.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, a used id, more players than slots, latencies together with an override, or an
    /// override for a queue that does not look at locations first; NotFound for an unknown queue; Throttling while
    /// 10,000 placements are pending.
    pub fn start_game_session_placement(
        &mut self,
        now: Timestamp,
        input: StartGameSessionPlacementInput,
    ) -> Result<GameSessionPlacementOutput, ApiError> {
        check::check(&input)?;
        let key = self.place(now, search::check(input)?)?;
        self.placement_output(key)
    }

    /// Describes a placement.
    ///
    /// # Errors
    /// InvalidRequest for a bad id, NotFound for an unknown one.
    pub fn describe_game_session_placement(
        &mut self,
        _now: Timestamp,
        input: GameSessionPlacementInput,
    ) -> Result<GameSessionPlacementOutput, ApiError> {
        check::check(&input)?;
        let key = self.placement(&input)?;
        self.placement_output(key)
    }

    /// Cancels a placement that has no game session yet.
    ///
    /// # Errors
    /// InvalidRequest for a bad id, one with a game session, or one that is over; NotFound for an unknown one.
    pub fn stop_game_session_placement(
        &mut self,
        now: Timestamp,
        input: GameSessionPlacementInput,
    ) -> Result<GameSessionPlacementOutput, ApiError> {
        check::check(&input)?;
        let key = self.placement(&input)?;
        if let Some(placement) = self.placements.all.get(&key)
            && !matches!(placement.state, State::Waiting { .. })
        {
            let (id, status) = (&placement.model.placement_id, placement.model.status.as_str());
            let hint = match placement.state {
                State::Activating(_) => " and has a game session already",
                _ => "",
            };
            return Err(ApiError::invalid(format!(
                "Placement {id} is in status {status}{hint}; it cannot be stopped"
            )));
        }
        self.conclude(now, key, Outcome::Cancelled);
        self.placement_output(key)
    }

    fn placement(&self, input: &GameSessionPlacementInput) -> Result<PlacementKey, ApiError> {
        let id = rule::ID_STRING.required("placementId", &input.placement_id)?;
        let found = self.placements.by_id.get(id).copied();
        found.ok_or_else(|| ApiError::not_found(format!("Game session placement {id} not found")))
    }

    fn placement_output(&self, key: PlacementKey) -> Result<GameSessionPlacementOutput, ApiError> {
        let found = self.placements.all.get(&key);
        found
            .map(|placement| GameSessionPlacementOutput { game_session_placement: placement.model.clone() })
            .ok_or_else(|| ApiError::new(ErrorKind::InternalService, "the placement is gone"))
    }

    /// Starts a placement. However it ends, [`Engine::conclude`] hears of it.
    ///
    /// # Errors
    /// InvalidRequest for a used id or an override that the queue does not allow; NotFound for an unknown queue;
    /// Throttling while too many are pending.
    pub(super) fn place(
        &mut self,
        now: Timestamp,
        request: PlacementRequest,
    ) -> Result<PlacementKey, ApiError> {
        let queue = self.queue(&request.queue)?;
        if self.placements.by_id.contains_key(&request.id) {
            let message = format!("PlacementId {} has been used before", request.id);
            return Err(ApiError::invalid(message));
        }
        if request.priority_override.is_some()
            && queue.rules.priorities.first() != Some(&PriorityType::Location)
        {
            return Err(ApiError::invalid(
                "PriorityConfigurationOverride needs a queue whose PriorityOrder begins with LOCATION",
            ));
        }
        if self.placements.pending() >= PENDING_MAX {
            let message = format!("Rate exceeded: {PENDING_MAX} placements are pending");
            return Err(ApiError::new(ErrorKind::Throttling, message));
        }
        let (name, timeout) = (queue.model.name.clone(), queue.model.timeout_in_seconds);
        self.placements.started += 1;
        let key = PlacementKey(self.placements.started);
        let timeout = Duration::from_secs(timeout.into());
        let timeout = self.timers.set(now + timeout, Timer::PlacementTimeout(key));
        let demand = Demand {
            latencies: latencies(&request.latencies),
            only_listed: request.priority_override.as_ref().is_some_and(|order| {
                order.placement_fallback_strategy.as_deref() == Some(search::NO_FALLBACK)
            }),
            location_order: request.priority_override.as_ref().and_then(|order| order.location_order.clone()),
        };
        if let Some(queue) = self.queues.get_mut(&name) {
            queue.pending.insert(key);
        }
        self.placements.by_id.insert(request.id.clone(), key);
        let model = GameSessionPlacement {
            placement_id: request.id,
            game_session_queue_name: name,
            status: GameSessionPlacementState::Pending,
            game_properties: request.game_properties,
            maximum_player_session_count: request.slots,
            player_latencies: request.latencies,
            start_time: now,
            placed_player_sessions: Vec::new(),
            game_session_name: request.name,
            game_session_id: None,
            game_session_arn: None,
            game_session_region: None,
            end_time: None,
            ip_address: None,
            dns_name: None,
            port: None,
            game_session_data: request.game_session_data,
            matchmaker_data: request.matchmaker_data,
            priority_configuration_override: request.priority_override,
            player_gateway_status: None,
        };
        let state = State::Waiting { sites: Vec::new(), next_try: None };
        let players = request.players;
        let placement = Placement { model, demand, players, state, timeout: Some(timeout) };
        self.placements.all.insert(key, placement);
        self.try_again(now, key);
        Ok(key)
    }

    /// The game session of a placement is ACTIVE: the players get their slots.
    pub(super) fn placement_activated(&mut self, now: Timestamp, key: PlacementKey, session: GameSessionKey) {
        let Some(placement) = self.placements.all.get_mut(&key) else { return };
        let players = std::mem::take(&mut placement.players);
        let placed = players.into_iter().filter_map(|(player, data)| {
            // Nobody could join before, and there are no more players than slots.
            let reserved = self.reserve(now, session, &player, data).ok()?;
            Some(PlacedPlayerSession { player_id: player, player_session_id: reserved.player_session_id })
        });
        let placed = placed.collect();
        self.conclude(now, key, Outcome::Fulfilled(placed));
    }

    /// Its game session ended before it was ACTIVE, or its queue was deleted.
    pub(super) fn placement_failed(&mut self, now: Timestamp, key: PlacementKey) {
        self.conclude(now, key, Outcome::Failed);
    }

    /// The queue's timeout has passed.
    pub(super) fn placement_timed_out(&mut self, now: Timestamp, key: PlacementKey) {
        self.conclude(now, key, Outcome::TimedOut);
    }

    /// Nobody waits for a placement any longer, whether it has a game session or not.
    pub(super) fn cancel_placement(&mut self, now: Timestamp, id: &str) {
        if let Some(key) = self.placements.by_id.get(id).copied() {
            self.conclude(now, key, Outcome::Cancelled);
        }
    }

    /// Players of a placement do not want their slots any more.
    pub(super) fn leave_placement<'a>(&mut self, id: &str, gone: impl Iterator<Item = &'a str>) {
        let Some(key) = self.placements.by_id.get(id) else { return };
        let Some(placement) = self.placements.all.get_mut(key) else { return };
        let gone: BTreeSet<&str> = gone.collect();
        placement.players.retain(|(player, _)| !gone.contains(player.as_str()));
    }

    /// The one way out of PENDING.
    fn conclude(&mut self, now: Timestamp, key: PlacementKey, outcome: Outcome) {
        self.leave_lines(key);
        let Some(placement) = self.placements.all.get_mut(&key) else { return };
        let session = match std::mem::replace(&mut placement.state, State::Over) {
            State::Over => return,
            State::Waiting { .. } => None,
            State::Activating(session) => Some(session),
        };
        self.timers.cancel(placement.timeout.take());
        placement.players = Vec::new();
        let model = &mut placement.model;
        model.end_time = Some(now);
        model.status = match outcome {
            Outcome::Fulfilled(placed) => {
                model.placed_player_sessions = placed;
                GameSessionPlacementState::Fulfilled
            }
            Outcome::Cancelled => GameSessionPlacementState::Cancelled,
            Outcome::TimedOut => GameSessionPlacementState::TimedOut,
            Outcome::Failed => GameSessionPlacementState::Failed,
        };
        let fulfilled = model.status == GameSessionPlacementState::Fulfilled;
        if !fulfilled {
            model.clear_game_session();
        }
        let for_match = self.matchmaking.is_placing(&model.placement_id).then(|| model.clone());
        let queue = model.game_session_queue_name.clone();
        if let Some(queue) = self.queues.get_mut(&queue) {
            queue.pending.remove(&key);
        }
        self.publish_placement(now, key, session);
        self.placements.over.push_back(key);
        if self.placements.over.len() > OVER_MAX
            && let Some(oldest) = self.placements.over.pop_front()
            && let Some(placement) = self.placements.all.remove(&oldest)
        {
            self.placements.by_id.remove(&placement.model.placement_id);
        }
        // Nobody would ever hear of the game session.
        if let Some(session) = session.filter(|_| !fulfilled) {
            self.abandon_game_session(now, session);
        }
        if let Some(placement) = for_match {
            self.match_placed(now, &placement);
        }
    }

    fn publish_placement(&mut self, now: Timestamp, key: PlacementKey, session: Option<GameSessionKey>) {
        let Some(placement) = self.placements.all.get(&key) else { return };
        let Some(queue) = self.queues.get(&placement.model.game_session_queue_name) else { return };
        let session = session.and_then(|session| self.game_sessions.get(session));
        let detail =
            super::event::placement(&placement.model, &queue.model, session.map(|session| &session.model));
        self.publish(
            now,
            "GameLift Queue Placement Event",
            queue.model.game_session_queue_arn.clone(),
            queue.model.notification_target.clone(),
            detail,
        );
    }
}

impl GameSessionPlacement {
    fn clear_game_session(&mut self) {
        self.game_session_id = None;
        self.game_session_arn = None;
        self.game_session_region = None;
        self.ip_address = None;
        self.dns_name = None;
        self.port = None;
        self.player_gateway_status = None;
    }
}
