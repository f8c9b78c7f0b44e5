//! Game sessions.
//!
//! ```text
//!   CreateGameSession     ActivateGameSession      TerminateGameSession
//! -------------------> ACTIVATING --------> ACTIVE -----------------> TERMINATING
//!                          |                  |                           |
//!                          +--- timeout ------+---- ProcessEnding --------+--> TERMINATED --30 days--> gone
//!                                             +---- process unhealthy
//! ```

mod create;
mod describe;
mod end;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    Engine, fleet::Fleet, ids::resource_id, placement::PlacementKey, player_session::PlayerSessionKey,
    process::ProcessKey, timers::TimerKey,
};
use crate::{
    ApiError, Timestamp,
    model::{self, *},
};

/// AWS quota "Player sessions per game session".
const PLAYER_SESSIONS_MAX: i64 = 200;
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

    fn set_status(&mut self, key: GameSessionKey, status: GameSessionStatus) {
        let Some(session) = self.game_sessions.get_mut(key) else { return };
        let before = std::mem::replace(&mut session.model.status, status);
        if let Some(fleet) = self.fleets.get_mut(&session.model.fleet_id) {
            if let Some(keys) = fleet.game_sessions.get_mut(&before) {
                keys.remove(&key);
            }
            fleet.game_sessions.entry(status).or_default().insert(key);
        }
        self.game_session_changed(key);
    }

    /// The game session with this ARN.
    pub(super) fn game_session(&self, arn: &str) -> Result<(GameSessionKey, &GameSession), ApiError> {
        let key = self.game_sessions.by_id.get(resource_id("gamesession", arn)).copied();
        key.and_then(|key| self.game_sessions.get(key).map(|session| (key, session)))
            .ok_or_else(|| ApiError::not_found(format!("Game session {arn} not found")))
    }

    /// The fleet an operation is about: exactly one of id and alias is given.
    fn fleet_of(&self, fleet_id: &Option<String>, alias_id: &Option<String>) -> Result<&Fleet, ApiError> {
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
