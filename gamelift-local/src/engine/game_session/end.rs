//! Ways to the end of a game session, and what is left of it.

use std::time::Duration;

use super::GameSessionKey;
use crate::{
    ApiError, ErrorKind, Timestamp,
    engine::{Engine, Timer, ids::resource_id, player_session::PlayerSessionKey, process::Process},
    model::*,
};

/// AWS API reference: game sessions can be described for 30 days after their end.
const GAME_SESSION_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Most ended game sessions that are kept, so that a month of load tests fits into memory. Beyond it, the oldest go early.
const ENDED_GAME_SESSIONS_MAX: usize = 50_000;

impl Engine {
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

    /// The process was told and never answered. A placement tries another one.
    pub(in crate::engine) fn activation_timed_out(&mut self, now: Timestamp, key: GameSessionKey) {
        let Some(session) = self.game_sessions.get_mut(key) else { return };
        if session.model.status != GameSessionStatus::Activating {
            return;
        }
        if session
            .process
            .is_some_and(|process| self.processes.get(&process).is_some_and(|process| process.held))
        {
            return self.restart_activation(now, key);
        }
        let placement = session.placement.take();
        self.abandon_game_session(now, key);
        if let Some(placement) = placement {
            self.placement_returns(now, placement);
        }
    }

    /// Gives a game session that is ACTIVATING the whole time again.
    pub(in crate::engine) fn restart_activation(&mut self, now: Timestamp, key: GameSessionKey) {
        let Some(session) = self.game_sessions.get(key) else { return };
        if session.model.status != GameSessionStatus::Activating {
            return;
        }
        let after = self.activation_timeout(&session.model.fleet_id);
        let timer = self.timers.set(now + after, Timer::Activation(key));
        if let Some(session) = self.game_sessions.get_mut(key) {
            self.timers.cancel(session.timer.replace(timer));
        }
    }

    /// Nobody waits any longer for a game session to become ACTIVE. Its process is asked to end: one that may still
    /// be busy with this game session must not be given the next one.
    pub(in crate::engine) fn abandon_game_session(&mut self, now: Timestamp, key: GameSessionKey) {
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
    pub(in crate::engine) fn end_game_session(&mut self, now: Timestamp, key: GameSessionKey) {
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

    pub(in crate::engine) fn forget_game_session(&mut self, key: GameSessionKey) {
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
}
