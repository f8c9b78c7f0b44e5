//! From a request to a game session that is ACTIVATING.

use std::collections::{BTreeSet, VecDeque};

use gamelift_wire::{
    ids::GameSessionId,
    pushes::{CreateGameSession, Push},
};

use super::{GameSession, GameSessionKey, NewGameSession, check_game_properties, slots};
use crate::{
    ApiError, ErrorKind, Timestamp,
    engine::{
        Engine, Timer,
        ids::resource_id,
        placement::PlacementKey,
        process::{Process, ProcessKey},
    },
    model::{self, *},
};

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
    pub(in crate::engine) fn host_game_session(
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
        self.game_session_changed(key);
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
