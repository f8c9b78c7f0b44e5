//! UpdateGameSession.

use gamelift_wire::pushes::{Push, UpdateGameSession};

use super::GAME_PROPERTIES_MAX;
use crate::{
    ApiError, ErrorKind, Timestamp,
    engine::{Engine, matchmaking::game_session_on_the_wire},
    model::*,
};

impl Engine {
    /// Changes a game session, and tells its process unless only the protection has changed.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, fewer slots than are taken, or more than 16 properties in all; NotFound;
    /// InvalidGameSessionStatus for a game session that is ending or over.
    pub fn update_game_session(
        &mut self,
        _now: Timestamp,
        input: UpdateGameSessionInput,
    ) -> Result<GameSessionOutput, ApiError> {
        check::check(&input)?;
        let arn = rule::required("gameSessionId", &input.game_session_id)?;
        let (key, session) = self.game_session(arn)?;
        let mut model = session.model.clone();
        if !matches!(model.status, GameSessionStatus::Activating | GameSessionStatus::Active) {
            return Err(ApiError::new(
                ErrorKind::InvalidGameSessionStatus,
                format!("Game session {arn} is in status {} and cannot be updated", model.status.as_str()),
            ));
        }
        if let Some(slots) = input.maximum_player_session_count.and_then(|slots| u32::try_from(slots).ok()) {
            let taken = model.current_player_session_count;
            if slots < taken {
                return Err(ApiError::invalid(format!(
                    "MaximumPlayerSessionCount is {slots}, but {taken} player slots of game session {arn} are taken"
                )));
            }
            model.maximum_player_session_count = slots;
        }
        model.name = input.name.or(model.name);
        let policy = input.player_session_creation_policy.as_deref();
        if let Some(policy) = policy.and_then(PlayerSessionCreationPolicy::parse) {
            model.player_session_creation_policy = policy;
        }
        merge(&mut model.game_properties, input.game_properties.unwrap_or_default())?;
        let protection = input.protection_policy.as_deref().and_then(ProtectionPolicy::parse);
        let Some(session) = self.game_sessions.get_mut(key) else {
            return Err(ApiError::not_found(format!("Game session {arn} not found")));
        };
        session.protection = protection.unwrap_or(session.protection);
        let changed = session.model != model;
        session.model = model.clone();
        if let Some(process) = session.process.filter(|_| changed) {
            // AWS documents no reason for this case; the SDKs read a missing one as unknown.
            let update = UpdateGameSession {
                update_reason: None,
                backfill_ticket_id: None,
                game_session: game_session_on_the_wire(&model),
            };
            self.push(process, &Push::UpdateGameSession(update));
        }
        Ok(GameSessionOutput { game_session: model })
    }

    /// # Errors
    /// InvalidRequest always: GameLift keeps no logs of Anywhere fleets. NotFound for an unknown game session.
    pub fn get_game_session_log_url(
        &mut self,
        _now: Timestamp,
        input: GetGameSessionLogUrlInput,
    ) -> Result<Empty, ApiError> {
        check::check(&input)?;
        let arn = rule::required("gameSessionId", &input.game_session_id)?;
        let fleet = &self.game_session(arn)?.1.model.fleet_id;
        Err(ApiError::invalid(format!(
            "Fleet {fleet} with ComputeType ANYWHERE uploads no logs; they are on the compute"
        )))
    }
}

/// AWS API reference: properties are added or replaced, never removed.
fn merge(properties: &mut Vec<GameProperty>, new: Vec<GameProperty>) -> Result<(), ApiError> {
    for property in new {
        match properties.iter_mut().find(|known| known.key == property.key) {
            Some(known) => known.value = property.value,
            None => properties.push(property),
        }
    }
    rule::size("gameProperties", properties, 0..=GAME_PROPERTIES_MAX)
}
