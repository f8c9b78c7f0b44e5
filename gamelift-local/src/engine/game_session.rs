//! Game sessions.
//!
//! ```text
//!   CreateGameSession     ActivateGameSession      TerminateGameSession
//! -------------------> ACTIVATING --------> ACTIVE -----------------> TERMINATING
//!                          |                  |                           |
//!                          +--- timeout ------+---- ProcessEnding --------+--> TERMINATED --30 days--> gone
//!                                             +---- process unhealthy
//! ```

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use gamelift_wire::{
    ids::GameSessionId,
    pushes::{CreateGameSession, Push},
};

use super::{
    Engine, Timer,
    ids::resource_id,
    page::{PAGE_SIZE_MAX, Page},
    placement::PlacementKey,
    player_session::PlayerSessionKey,
    process::{Process, ProcessKey},
    timers::TimerKey,
};
use crate::{
    ApiError, ErrorKind, Timestamp,
    model::{self, *},
};

/// AWS quota "Player sessions per game session".
const PLAYER_SESSIONS_MAX: i64 = 200;
/// AWS API reference: game sessions can be described for 30 days after their end.
const GAME_SESSION_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Most ended game sessions that are kept, so that a month of load tests fits into memory. Beyond it, the oldest go early.
const ENDED_GAME_SESSIONS_MAX: usize = 50_000;
/// AWS API reference, GamePropertyList.
const GAME_PROPERTIES_MAX: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GameSessionKey(u64);

#[derive(Debug, Default)]
pub(super) struct GameSessions {
    all: BTreeMap<GameSessionKey, GameSession>,
    /// By the resource part of the ARN.
    by_id: BTreeMap<String, GameSessionKey>,
    /// Oldest end first.
    ended: VecDeque<GameSessionKey>,
    created: u64,
}

impl GameSessions {
    pub(super) fn get(&self, key: GameSessionKey) -> Option<&GameSession> {
        self.all.get(&key)
    }

    pub(super) fn get_mut(&mut self, key: GameSessionKey) -> Option<&mut GameSession> {
        self.all.get_mut(&key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &GameSession> {
        self.all.values()
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}

#[derive(Debug)]
pub(super) struct GameSession {
    /// What the API shows. The status is changed by [`Engine::set_status`] only.
    pub(super) model: model::GameSession,
    /// The process that hosts it, until it is over.
    pub(super) process: Option<ProcessKey>,
    /// Those that are RESERVED or ACTIVE: the taken slots.
    pub(super) live_players: BTreeSet<PlayerSessionKey>,
    /// Those that are over, oldest end first.
    pub(super) finished_players: VecDeque<PlayerSessionKey>,
    timer: Option<TimerKey>,
    /// The placement that it was made for, until it is ACTIVE.
    placement: Option<PlacementKey>,
    /// What was asked for with an idempotency token.
    request: Option<(String, Box<CreateGameSessionInput>)>,
}

/// What a game session is made of.
#[derive(Debug)]
pub(super) struct NewGameSession {
    /// The last part of its ARN.
    pub(super) id: String,
    pub(super) slots: u32,
    pub(super) name: Option<String>,
    pub(super) creator_id: Option<String>,
    pub(super) game_properties: Vec<GameProperty>,
    pub(super) game_session_data: Option<String>,
    pub(super) matchmaker_data: Option<String>,
}

impl Engine {
    /// Gives a free server process a game session to host, and pushes it to the process.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, a missing location, or both or neither of fleet and alias; NotFound for
    /// an unknown fleet or alias; FleetCapacityExceeded when no process is free; IdempotentParameterMismatch
    /// for a used token with other parameters.
    pub fn create_game_session(
        &mut self,
        now: Timestamp,
        input: CreateGameSessionInput,
    ) -> Result<GameSessionOutput, ApiError> {
        let slots = check_create(&input)?;
        let fleet = self.fleet_of(&input.fleet_id, &input.alias_id)?;
        let location = input.location.as_deref().ok_or_else(|| {
            ApiError::invalid("Location is required to create a game session on an ANYWHERE fleet")
        })?;
        let Some(place) = fleet.locations.get(location) else {
            let message = format!("Location {location} is not a location of fleet {}", fleet.id);
            return Err(ApiError::invalid(message));
        };
        let token = input.idempotency_token.as_ref().or(input.game_session_id.as_ref());
        let made = token.and_then(|token| fleet.idempotency.get(token));
        if let Some(session) = made.and_then(|key| self.game_sessions.get(*key)) {
            let same = session.request.as_ref().is_some_and(|(_, request)| **request == input);
            return if same {
                Ok(GameSessionOutput { game_session: session.model.clone() })
            } else {
                Err(ApiError::new(
                    ErrorKind::IdempotentParameterMismatch,
                    "IdempotencyToken was used before with other parameters",
                ))
            };
        }
        let Some(process_key) = place.idle.first().copied() else {
            let message = format!("Unable to reserve a process on fleet {}", fleet.id);
            return Err(ApiError::new(ErrorKind::FleetCapacityExceeded, message));
        };
        let (fleet_id, token) = (fleet.id.clone(), token.cloned());
        let new = NewGameSession {
            id: token.clone().unwrap_or_else(|| format!("gsess-{}", self.ids.uuid())),
            slots,
            name: input.name.clone(),
            creator_id: input.creator_id.clone(),
            game_properties: input.game_properties.clone().unwrap_or_default(),
            game_session_data: input.game_session_data.clone(),
            matchmaker_data: None,
        };
        let (key, game_session) = self.host_game_session(now, process_key, new, None)?;
        if let Some(token) = token {
            if let Some(fleet) = self.fleets.get_mut(&fleet_id) {
                fleet.idempotency.insert(token.clone(), key);
            }
            if let Some(session) = self.game_sessions.get_mut(key) {
                session.request = Some((token, Box::new(input)));
            }
        }
        Ok(GameSessionOutput { game_session })
    }

    /// Gives a free process a game session to host.
    ///
    /// # Errors
    /// Conflict while another game session with the same ARN is not over.
    pub(super) fn host_game_session(
        &mut self,
        now: Timestamp,
        process: ProcessKey,
        new: NewGameSession,
        placement: Option<PlacementKey>,
    ) -> Result<(GameSessionKey, model::GameSession), ApiError> {
        let game_session = self.new_game_session(now, process, new)?;
        let arn = &game_session.game_session_id;
        if self.game_session(arn).is_ok_and(|(_, made)| made.model.status != GameSessionStatus::Terminated) {
            // A placement's id and an idempotency token can be equal.
            let message = format!("Game session {arn} exists already and is not over");
            return Err(ApiError::new(ErrorKind::Conflict, message));
        }
        let key = self.store_game_session(now, game_session.clone(), process, placement);
        self.push_game_session(process, key);
        Ok((key, game_session))
    }

    fn new_game_session(
        &self,
        now: Timestamp,
        process: ProcessKey,
        new: NewGameSession,
    ) -> Result<model::GameSession, ApiError> {
        let inconsistent =
            || ApiError::new(ErrorKind::InternalService, "a free process is not ready after all");
        let process = self.processes.get(&process).ok_or_else(inconsistent)?;
        let fleet = self.fleet(&process.fleet)?;
        let port = process.active().ok_or_else(inconsistent)?.port;
        let compute = fleet.computes.get(&process.compute).ok_or_else(inconsistent)?;
        Ok(model::GameSession {
            game_session_id: self.settings.game_session_arn(&fleet.id, &process.location, &new.id),
            fleet_id: fleet.id.clone(),
            fleet_arn: fleet.arn.clone(),
            creation_time: now,
            current_player_session_count: 0,
            maximum_player_session_count: new.slots,
            status: GameSessionStatus::Activating,
            game_properties: new.game_properties,
            port,
            player_session_creation_policy: PlayerSessionCreationPolicy::AcceptAll,
            location: process.location.clone(),
            compute_name: compute.name.clone(),
            name: new.name,
            termination_time: None,
            status_reason: None,
            ip_address: compute.ip_address.clone(),
            dns_name: compute.dns_name.clone(),
            creator_id: new.creator_id,
            game_session_data: new.game_session_data,
            matchmaker_data: new.matchmaker_data,
        })
    }

    fn store_game_session(
        &mut self,
        now: Timestamp,
        model: model::GameSession,
        process: ProcessKey,
        placement: Option<PlacementKey>,
    ) -> GameSessionKey {
        self.game_sessions.created += 1;
        let key = GameSessionKey(self.game_sessions.created);
        let mut timer = None;
        if let Some(fleet) = self.fleets.get_mut(&model.fleet_id) {
            timer = Some(self.timers.set(now + fleet.activation_timeout, Timer::Activation(key)));
            fleet.game_sessions.entry(model.status).or_default().insert(key);
        }
        if let Some(active) = self.processes.get_mut(&process).and_then(Process::active_mut) {
            active.game_session = Some(key);
        }
        self.update_idle(process);
        let id = resource_id("gamesession", &model.game_session_id).to_owned();
        self.game_sessions.by_id.insert(id, key);
        let session = GameSession {
            model,
            process: Some(process),
            live_players: BTreeSet::new(),
            finished_players: VecDeque::new(),
            timer,
            placement,
            request: None,
        };
        self.game_sessions.all.insert(key, session);
        key
    }

    fn push_game_session(&mut self, process: ProcessKey, key: GameSessionKey) {
        let Some(session) = self.game_sessions.get(key) else { return };
        let model = &session.model;
        let properties = model.game_properties.iter();
        let push = Push::CreateGameSession(CreateGameSession {
            game_session_id: GameSessionId::new_unchecked(model.game_session_id.as_str()),
            game_session_name: model.name.clone(),
            game_session_data: model.game_session_data.clone(),
            matchmaker_data: model.matchmaker_data.clone(),
            maximum_player_session_count: Some(model.maximum_player_session_count),
            port: Some(model.port),
            ip_address: model.ip_address.clone(),
            dns_name: model.dns_name.clone(),
            game_properties: properties.map(|pair| (pair.key.clone(), pair.value.clone())).collect(),
        });
        self.push(process, &push);
    }

    /// Describes one game session, or those of a fleet.
    ///
    /// # Errors
    /// InvalidRequest for a bad field or not exactly one of fleet, alias and game session; NotFound for an unknown one.
    pub fn describe_game_sessions(
        &mut self,
        _now: Timestamp,
        input: DescribeGameSessionsInput,
    ) -> Result<DescribeGameSessionsOutput, ApiError> {
        rule::ARN.optional("gameSessionId", &input.game_session_id)?;
        let location = rule::LOCATION.optional("location", &input.location)?;
        let status = rule::NON_ZERO_AND_MAX.optional("statusFilter", &input.status_filter)?;
        let status = status
            .map(|status| {
                rule::one_of("statusFilter", status, GameSessionStatus::NAMES, GameSessionStatus::parse)
            })
            .transpose()?;
        let page = Page::new("DescribeGameSessions", input.limit, &input.next_token, PAGE_SIZE_MAX)?;
        let start = page.after_number()?.map_or(0, |after| after.saturating_add(1));
        if let Some(arn) = &input.game_session_id {
            if input.fleet_id.is_some() || input.alias_id.is_some() {
                return Err(ApiError::invalid("Give only one of FleetId, AliasId and GameSessionId"));
            }
            let session = self.game_session(arn)?.1;
            let wanted = status.is_none_or(|status| session.model.status == status);
            let game_sessions = wanted.then(|| session.model.clone()).into_iter().collect();
            return Ok(DescribeGameSessionsOutput { game_sessions, next_token: None });
        }
        let fleet = self.fleet_of(&input.fleet_id, &input.alias_id)?;
        let start = GameSessionKey(start);
        // One page never needs more than itself and one of each status, unless a location sorts some out.
        let most = if location.is_none() { page.size + 1 } else { usize::MAX };
        let mut keys: Vec<GameSessionKey> = fleet
            .game_sessions
            .iter()
            .filter(|(of, _)| status.is_none_or(|status| **of == status))
            .flat_map(|(_, keys)| keys.range(start..).take(most).copied())
            .collect();
        keys.sort_unstable();
        let wanted = keys
            .iter()
            .filter_map(|key| self.game_sessions.get(*key).map(|session| (*key, session)))
            .filter(|(_, session)| location.is_none_or(|location| session.model.location == location));
        let (sessions, next_token) = page.take(wanted, |(key, _)| key.0.to_string());
        let game_sessions = sessions.into_iter().map(|(_, session)| session.model.clone()).collect();
        Ok(DescribeGameSessionsOutput { game_sessions, next_token })
    }

    /// Asks the process behind a game session to end.
    ///
    /// # Errors
    /// InvalidRequest for FORCE_TERMINATE, which needs a managed fleet or the Agent; NotFound;
    /// InvalidGameSessionStatus for one that is ending or over already.
    pub fn terminate_game_session(
        &mut self,
        now: Timestamp,
        input: TerminateGameSessionInput,
    ) -> Result<GameSessionOutput, ApiError> {
        const MODES: &[&str] = &["TRIGGER_ON_PROCESS_TERMINATE", "FORCE_TERMINATE"];
        let arn = rule::ARN.required("gameSessionId", &input.game_session_id)?;
        let mode = rule::required("terminationMode", &input.termination_mode)?;
        let force = rule::one_of("terminationMode", mode, MODES, |mode| match mode {
            "TRIGGER_ON_PROCESS_TERMINATE" => Some(false),
            "FORCE_TERMINATE" => Some(true),
            _ => None,
        })?;
        let (key, session) = self.game_session(arn)?;
        if force {
            return Err(ApiError::invalid(
                "FORCE_TERMINATE is not supported for ANYWHERE fleets without the GameLift Agent; use TRIGGER_ON_PROCESS_TERMINATE",
            ));
        }
        let status = session.model.status;
        if !matches!(status, GameSessionStatus::Activating | GameSessionStatus::Active) {
            return Err(ApiError::new(
                ErrorKind::InvalidGameSessionStatus,
                format!("Game session {arn} is in status {} and cannot be terminated", status.as_str()),
            ));
        }
        let (process, timer) = (session.process, session.timer);
        self.timers.cancel(timer);
        self.set_status(key, GameSessionStatus::Terminating);
        if let Some(process) = process {
            self.ask_to_end(now, process);
        }
        let (_, session) = self.game_session(arn)?;
        Ok(GameSessionOutput { game_session: session.model.clone() })
    }

    /// ActivateGameSession from the hosting process. Returns whether the game session was ACTIVATING.
    pub(super) fn activate_game_session(&mut self, now: Timestamp, key: GameSessionKey) -> bool {
        let Some(session) = self.game_sessions.get_mut(key) else { return false };
        if session.model.status != GameSessionStatus::Activating {
            return false;
        }
        let (timer, placement) = (session.timer.take(), session.placement.take());
        self.timers.cancel(timer);
        self.set_status(key, GameSessionStatus::Active);
        if let Some(placement) = placement {
            self.placement_activated(now, placement, key);
        }
        true
    }

    /// The process was told and never answered. A placement tries another one.
    pub(super) fn activation_timed_out(&mut self, now: Timestamp, key: GameSessionKey) {
        let Some(session) = self.game_sessions.get_mut(key) else { return };
        if session.model.status != GameSessionStatus::Activating {
            return;
        }
        let placement = session.placement.take();
        self.abandon_game_session(now, key);
        if let Some(placement) = placement {
            self.placement_returns(now, placement);
        }
    }

    /// Nobody waits any longer for a game session to become ACTIVE. Its process is asked to end: one that may still
    /// be busy with this game session must not be given the next one.
    pub(super) fn abandon_game_session(&mut self, now: Timestamp, key: GameSessionKey) {
        let Some(session) = self.game_sessions.get_mut(key) else { return };
        session.placement = None;
        if session.model.status != GameSessionStatus::Activating {
            return;
        }
        let process = session.process;
        self.end_game_session(now, key);
        if let Some(process) = process {
            self.ask_to_end(now, process);
        }
    }

    /// The game session is over.
    pub(super) fn end_game_session(&mut self, now: Timestamp, key: GameSessionKey) {
        let Some(session) = self.game_sessions.get_mut(key) else { return };
        if session.model.status == GameSessionStatus::Terminated {
            return;
        }
        if session.model.status == GameSessionStatus::Terminating {
            session.model.status_reason = Some(GameSessionStatusReason::TriggeredOnProcessTerminate);
        }
        session.model.termination_time = Some(now);
        let forget = self.timers.set(now + GAME_SESSION_KEPT, Timer::ForgetGameSession(key));
        self.timers.cancel(session.timer.replace(forget));
        let players: Vec<PlayerSessionKey> = session.live_players.iter().copied().collect();
        let (process, placement) = (session.process.take(), session.placement.take());
        let matched = session.model.matchmaker_data.is_some().then(|| session.model.game_session_id.clone());
        for player in players {
            self.end_player_session(now, player);
        }
        self.set_status(key, GameSessionStatus::Terminated);
        if let Some(process) = process {
            if let Some(active) = self.processes.get_mut(&process).and_then(Process::active_mut) {
                active.game_session = None;
            }
            self.update_idle(process);
        }
        if let Some(placement) = placement {
            self.placement_failed(now, placement);
        }
        if let Some(arn) = matched {
            self.cancel_backfills(now, &arn, None);
        }
        self.game_sessions.ended.push_back(key);
        if self.game_sessions.ended.len() > ENDED_GAME_SESSIONS_MAX
            && let Some(oldest) = self.game_sessions.ended.front().copied()
        {
            self.forget_game_session(oldest);
        }
    }

    pub(super) fn forget_game_session(&mut self, key: GameSessionKey) {
        let Some(session) = self.game_sessions.all.remove(&key) else { return };
        self.timers.cancel(session.timer);
        // Game sessions are forgotten in the order of their ends, so this is the first one.
        self.game_sessions.ended.retain(|ended| *ended != key);
        // A placement that tried twice in one place has made two game sessions with the same ARN.
        let id = resource_id("gamesession", &session.model.game_session_id);
        if self.game_sessions.by_id.get(id) == Some(&key) {
            self.game_sessions.by_id.remove(id);
        }
        if let Some(fleet) = self.fleets.get_mut(&session.model.fleet_id) {
            if let Some(keys) = fleet.game_sessions.get_mut(&session.model.status) {
                keys.remove(&key);
            }
            if let Some((token, _)) = &session.request {
                fleet.idempotency.remove(token);
            }
        }
        for player in session.live_players.into_iter().chain(session.finished_players) {
            self.forget_player_session(player);
        }
    }

    fn set_status(&mut self, key: GameSessionKey, status: GameSessionStatus) {
        let Some(session) = self.game_sessions.get_mut(key) else { return };
        let before = std::mem::replace(&mut session.model.status, status);
        if let Some(fleet) = self.fleets.get_mut(&session.model.fleet_id) {
            if let Some(keys) = fleet.game_sessions.get_mut(&before) {
                keys.remove(&key);
            }
            fleet.game_sessions.entry(status).or_default().insert(key);
        }
    }

    /// The game session with this ARN.
    pub(super) fn game_session(&self, arn: &str) -> Result<(GameSessionKey, &GameSession), ApiError> {
        let key = self.game_sessions.by_id.get(resource_id("gamesession", arn)).copied();
        key.and_then(|key| self.game_sessions.get(key).map(|session| (key, session)))
            .ok_or_else(|| ApiError::not_found(format!("Game session {arn} not found")))
    }

    /// The fleet an operation is about: exactly one of id and alias is given.
    fn fleet_of(
        &self,
        fleet_id: &Option<String>,
        alias_id: &Option<String>,
    ) -> Result<&super::fleet::Fleet, ApiError> {
        let fleet_id = rule::FLEET_ID_OR_ARN.optional("fleetId", fleet_id)?;
        let alias_id = rule::ALIAS_ID_OR_ARN.optional("aliasId", alias_id)?;
        match (fleet_id, alias_id) {
            (Some(fleet_id), None) => self.fleet(fleet_id),
            (None, Some(alias_id)) => {
                let id = resource_id("alias", alias_id);
                Err(ApiError::not_found(format!("Alias ({id}) not found")))
            }
            _ => Err(ApiError::invalid("Give exactly one of FleetId and AliasId")),
        }
    }
}

/// Checks every member of a CreateGameSession request, and gives the number of slots.
fn check_create(input: &CreateGameSessionInput) -> Result<u32, ApiError> {
    let slots = slots(input.maximum_player_session_count)?;
    rule::NON_ZERO_AND_MAX.optional("name", &input.name)?;
    rule::NON_ZERO_AND_MAX.optional("creatorId", &input.creator_id)?;
    rule::ID_STRING.optional("gameSessionId", &input.game_session_id)?;
    rule::ID_STRING.optional("idempotencyToken", &input.idempotency_token)?;
    rule::GAME_SESSION_DATA.optional("gameSessionData", &input.game_session_data)?;
    rule::LOCATION.optional("location", &input.location)?;
    check_game_properties(input.game_properties.as_deref().unwrap_or_default())?;
    Ok(slots)
}

/// Checks a number of player slots.
pub(super) fn slots(count: Option<i64>) -> Result<u32, ApiError> {
    let count = *rule::required("maximumPlayerSessionCount", &count)?;
    rule::range("maximumPlayerSessionCount", Some(count), 0..=PLAYER_SESSIONS_MAX)?;
    u32::try_from(count).map_err(|_| ApiError::invalid("MaximumPlayerSessionCount is out of range"))
}

pub(super) fn check_game_properties(properties: &[GameProperty]) -> Result<(), ApiError> {
    rule::size("gameProperties", properties, 0..=GAME_PROPERTIES_MAX)?;
    for property in properties {
        rule::GAME_PROPERTY_KEY.check("gameProperties.key", &property.key)?;
        rule::GAME_PROPERTY_VALUE.check("gameProperties.value", &property.value)?;
    }
    Ok(())
}
