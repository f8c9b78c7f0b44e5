//! Player sessions.
//!
//! ```text
//!   CreatePlayerSession    AcceptPlayerSession       RemovePlayerSession, or the game session ends
//! ----------------------> RESERVED -------> ACTIVE ------------------------------> COMPLETED
//!                            | 60 s, or the game session ends
//!                            +--------------------------------> TIMEDOUT
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Engine, Timer,
    game_session::GameSessionKey,
    page::{PAGE_SIZE_MAX, Page},
    timers::TimerKey,
};
use crate::{
    ApiError, ErrorKind, Timestamp,
    model::{self, *},
};

/// AWS API reference, PlayerIdList.
const PLAYERS_PER_REQUEST_MAX: usize = 25;
/// Most finished player sessions kept per game session: players may come and go for days. Beyond it, the oldest go.
const FINISHED_PLAYER_SESSIONS_MAX: usize = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PlayerSessionKey(u64);

#[derive(Debug, Default)]
pub(super) struct PlayerSessions {
    all: BTreeMap<PlayerSessionKey, PlayerSession>,
    by_id: BTreeMap<String, PlayerSessionKey>,
    by_player: BTreeMap<String, BTreeSet<PlayerSessionKey>>,
    created: u64,
}

impl PlayerSessions {
    pub(super) fn get(&self, key: PlayerSessionKey) -> Option<&PlayerSession> {
        self.all.get(&key)
    }

    pub(super) fn key(&self, id: &str) -> Option<PlayerSessionKey> {
        self.by_id.get(id).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}

#[derive(Debug)]
pub(super) struct PlayerSession {
    pub(super) model: model::PlayerSession,
    pub(super) game_session: GameSessionKey,
    timer: Option<TimerKey>,
}

impl Engine {
    /// Reserves a slot for one player.
    ///
    /// # Errors
    /// InvalidRequest for a bad field; NotFound; InvalidGameSessionStatus unless the game session is ACTIVE and
    /// accepts players; GameSessionFull without an open slot.
    pub fn create_player_session(
        &mut self,
        now: Timestamp,
        input: CreatePlayerSessionInput,
    ) -> Result<CreatePlayerSessionOutput, ApiError> {
        let arn = rule::ARN.required("gameSessionId", &input.game_session_id)?;
        let player = rule::PLAYER_ID.required("playerId", &input.player_id)?;
        rule::PLAYER_DATA.optional("playerData", &input.player_data)?;
        let key = self.open_game_session(arn, 1)?;
        let player_session = self.reserve(now, key, player, input.player_data.clone())?;
        Ok(CreatePlayerSessionOutput { player_session })
    }

    /// Reserves slots for several players: for all or for none.
    ///
    /// # Errors
    /// As for one player.
    pub fn create_player_sessions(
        &mut self,
        now: Timestamp,
        input: CreatePlayerSessionsInput,
    ) -> Result<CreatePlayerSessionsOutput, ApiError> {
        let arn = rule::ARN.required("gameSessionId", &input.game_session_id)?;
        let players = rule::required("playerIds", &input.player_ids)?;
        rule::size("playerIds", players, 1..=PLAYERS_PER_REQUEST_MAX)?;
        players.iter().try_for_each(|player| rule::PLAYER_ID.check("playerIds", player))?;
        let mut data = input.player_data_map.unwrap_or_default();
        for (player, data) in &data {
            rule::NON_ZERO_AND_MAX.check("playerDataMap", player)?;
            rule::PLAYER_DATA.check("playerDataMap", data)?;
        }
        let key = self.open_game_session(arn, players.len())?;
        let player_sessions = players
            .iter()
            .map(|player| self.reserve(now, key, player, data.remove(player)))
            .collect::<Result<_, _>>()?;
        Ok(CreatePlayerSessionsOutput { player_sessions })
    }

    /// The game session, if it has `wanted` open slots.
    pub(super) fn open_game_session(&self, arn: &str, wanted: usize) -> Result<GameSessionKey, ApiError> {
        let (key, session) = self.game_session(arn)?;
        let status = session.model.status;
        if status != GameSessionStatus::Active {
            return Err(ApiError::new(
                ErrorKind::InvalidGameSessionStatus,
                format!("Game session {arn} is in status {} instead of ACTIVE", status.as_str()),
            ));
        }
        if session.model.player_session_creation_policy == PlayerSessionCreationPolicy::DenyAll {
            return Err(ApiError::new(
                ErrorKind::InvalidGameSessionStatus,
                format!("Game session {arn} has the player session creation policy DENY_ALL"),
            ));
        }
        let maximum = session.model.maximum_player_session_count as usize;
        if session.live_players.len() + wanted > maximum {
            let open = maximum.saturating_sub(session.live_players.len());
            return Err(ApiError::new(
                ErrorKind::GameSessionFull,
                format!("Game session {arn} has {open} of {maximum} player slots open, {wanted} wanted"),
            ));
        }
        Ok(key)
    }

    /// Takes a slot. The caller has checked that one is open.
    pub(super) fn reserve(
        &mut self,
        now: Timestamp,
        game_session: GameSessionKey,
        player: &str,
        data: Option<String>,
    ) -> Result<model::PlayerSession, ApiError> {
        let id = format!("psess-{}", self.ids.uuid());
        let Some(session) = self.game_sessions.get_mut(game_session) else {
            return Err(ApiError::not_found("The game session is gone"));
        };
        let model = model::PlayerSession {
            player_session_id: id.clone(),
            player_id: player.to_owned(),
            game_session_id: session.model.game_session_id.clone(),
            fleet_id: session.model.fleet_id.clone(),
            fleet_arn: session.model.fleet_arn.clone(),
            creation_time: now,
            status: PlayerSessionStatus::Reserved,
            port: session.model.port,
            termination_time: None,
            ip_address: session.model.ip_address.clone(),
            dns_name: session.model.dns_name.clone(),
            player_data: data,
        };
        let sessions = &mut self.player_sessions;
        sessions.created += 1;
        let key = PlayerSessionKey(sessions.created);
        let timer = self.timers.set(now + self.settings.player_session_timeout, Timer::Reservation(key));
        session.live_players.insert(key);
        session.model.current_player_session_count += 1;
        sessions.by_id.insert(id, key);
        sessions.by_player.entry(player.to_owned()).or_default().insert(key);
        sessions.all.insert(key, PlayerSession { model: model.clone(), game_session, timer: Some(timer) });
        self.player_session_changed(key);
        Ok(model)
    }

    /// Describes player sessions by game session, player or id.
    ///
    /// # Errors
    /// InvalidRequest for a bad field or not exactly one selector; NotFound for an unknown one.
    pub fn describe_player_sessions(
        &mut self,
        _now: Timestamp,
        input: DescribePlayerSessionsInput,
    ) -> Result<DescribePlayerSessionsOutput, ApiError> {
        let arn = rule::ARN.optional("gameSessionId", &input.game_session_id)?;
        let player = rule::PLAYER_ID.optional("playerId", &input.player_id)?;
        let id = rule::PLAYER_SESSION_ID.optional("playerSessionId", &input.player_session_id)?;
        let status = input
            .player_session_status_filter
            .as_deref()
            .map(|status| {
                rule::one_of(
                    "playerSessionStatusFilter",
                    status,
                    PlayerSessionStatus::NAMES,
                    PlayerSessionStatus::parse,
                )
            })
            .transpose()?;
        let page = Page::new("DescribePlayerSessions", input.limit, &input.next_token, PAGE_SIZE_MAX)?;
        let start = PlayerSessionKey(page.after_number()?.map_or(0, |after| after.saturating_add(1)));
        let keys: Vec<PlayerSessionKey> = match (arn, player, id) {
            (None, None, Some(id)) => {
                let found = self.player_sessions.key(id).and_then(|key| self.player_sessions.get(key));
                let found = found.ok_or_else(|| ApiError::not_found("Player session not found"))?;
                return Ok(DescribePlayerSessionsOutput {
                    player_sessions: vec![found.model.clone()],
                    next_token: None,
                });
            }
            (Some(arn), None, None) => {
                let (_, session) = self.game_session(arn)?;
                let mut keys: Vec<_> = session.live_players.range(start..).copied().collect();
                keys.extend(session.finished_players.iter().filter(|key| **key >= start));
                keys.sort_unstable();
                keys
            }
            (None, Some(player), None) => {
                let keys = self.player_sessions.by_player.get(player);
                keys.into_iter().flat_map(|keys| keys.range(start..)).copied().collect()
            }
            _ => {
                return Err(ApiError::invalid(
                    "Give exactly one of GameSessionId, PlayerId and PlayerSessionId",
                ));
            }
        };
        // AWS API reference: the status filter has an effect only together with a game session id.
        let status = status.filter(|_| arn.is_some());
        let wanted = keys
            .iter()
            .filter_map(|key| self.player_sessions.get(*key).map(|session| (*key, session)))
            .filter(|(_, session)| status.is_none_or(|status| session.model.status == status));
        let (sessions, next_token) = page.take(wanted, |(key, _)| key.0.to_string());
        let player_sessions = sessions.into_iter().map(|(_, session)| session.model.clone()).collect();
        Ok(DescribePlayerSessionsOutput { player_sessions, next_token })
    }

    /// RESERVED to ACTIVE. The caller has checked the status.
    pub(super) fn accept_player_session(&mut self, key: PlayerSessionKey) {
        if let Some(session) = self.player_sessions.all.get_mut(&key) {
            session.model.status = PlayerSessionStatus::Active;
            self.timers.cancel(session.timer.take());
            self.player_session_changed(key);
        }
    }

    pub(super) fn reservation_timed_out(&mut self, now: Timestamp, key: PlayerSessionKey) {
        if self
            .player_sessions
            .get(key)
            .is_some_and(|session| session.model.status == PlayerSessionStatus::Reserved)
        {
            self.end_player_session(now, key);
        }
    }

    /// The slot is free again: RESERVED becomes TIMEDOUT, ACTIVE becomes COMPLETED.
    pub(super) fn end_player_session(&mut self, now: Timestamp, key: PlayerSessionKey) {
        let Some(session) = self.player_sessions.all.get_mut(&key) else { return };
        session.model.status = match session.model.status {
            PlayerSessionStatus::Reserved => PlayerSessionStatus::TimedOut,
            PlayerSessionStatus::Active => PlayerSessionStatus::Completed,
            PlayerSessionStatus::TimedOut | PlayerSessionStatus::Completed => return,
        };
        session.model.termination_time = Some(now);
        self.timers.cancel(session.timer.take());
        let game_session = session.game_session;
        self.player_session_changed(key);
        let Some(game_session) = self.game_sessions.get_mut(game_session) else { return };
        game_session.live_players.remove(&key);
        game_session.model.current_player_session_count =
            u32::try_from(game_session.live_players.len()).unwrap_or(u32::MAX);
        game_session.finished_players.push_back(key);
        if game_session.finished_players.len() > FINISHED_PLAYER_SESSIONS_MAX
            && let Some(oldest) = game_session.finished_players.pop_front()
        {
            self.forget_player_session(oldest);
        }
    }

    pub(super) fn forget_player_session(&mut self, key: PlayerSessionKey) {
        let Some(session) = self.player_sessions.all.remove(&key) else { return };
        self.timers.cancel(session.timer);
        self.player_sessions.by_id.remove(&session.model.player_session_id);
        let player = &session.model.player_id;
        if let Some(keys) = self.player_sessions.by_player.get_mut(player) {
            keys.remove(&key);
            if keys.is_empty() {
                self.player_sessions.by_player.remove(player);
            }
        }
    }
}
