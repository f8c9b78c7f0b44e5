//! Changes of state, for whoever watches: the log and the doctor.

use std::time::Duration;

use serde::Serialize;

use super::{
    ConnectionId, Engine, Timer,
    game_session::GameSessionKey,
    health::HEARTBEAT_INTERVAL_MAX,
    player_session::PlayerSessionKey,
    process::{Process, ProcessKey},
};
use crate::Timestamp;

/// How a server process is named: its id is unique on its compute only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessName {
    /// Its fleet.
    pub fleet_id: String,
    /// Its compute.
    pub compute_name: String,
    /// Its id.
    pub process_id: String,
}

/// Something has another state now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A server process: `ACTIVATING`, `ACTIVE` or `TERMINATED`.
    Process {
        /// Which one.
        process: ProcessName,
        /// Its state.
        state: &'static str,
    },
    /// A server process was sent TerminateProcess.
    AskedToEnd {
        /// Which one.
        process: ProcessName,
        /// When it must have ended.
        by: Timestamp,
    },
    /// A game session.
    GameSession {
        /// Its ARN.
        game_session_id: String,
        /// Who hosts it, unless it is over.
        process: Option<ProcessName>,
        /// As in the API.
        status: &'static str,
    },
    /// A player session.
    PlayerSession {
        /// Its id. A proof: not for logs.
        player_session_id: String,
        /// ARN of its game session.
        game_session_id: String,
        /// Who hosts it, unless the game session is over.
        process: Option<ProcessName>,
        /// As in the API.
        status: &'static str,
    },
}

impl Engine {
    /// From now on, changes are kept for [`Engine::poll_change`], which must be called.
    pub fn observe(&mut self) {
        self.changes.get_or_insert_default();
    }

    /// The next change of state.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.changes.as_mut()?.pop_front()
    }

    /// The process at the other end of a connection.
    pub fn process_of(&self, connection: ConnectionId) -> Option<ProcessName> {
        self.connections.get(&connection).and_then(|key| self.process_name(*key))
    }

    fn process_name(&self, key: ProcessKey) -> Option<ProcessName> {
        let Process { fleet, compute, id, .. } = self.processes.get(&key)?;
        Some(ProcessName { fleet_id: fleet.clone(), compute_name: compute.clone(), process_id: id.clone() })
    }

    pub(super) fn process_named(&self, name: &ProcessName) -> Option<ProcessKey> {
        let compute = self.fleets.get(&name.fleet_id)?.computes.get(&name.compute_name)?;
        compute.processes.get(&name.process_id).copied()
    }

    fn change(&mut self, change: impl FnOnce(&Self) -> Option<Change>) {
        if self.changes.is_none() {
            return;
        }
        let change = change(self);
        if let (Some(changes), Some(change)) = (&mut self.changes, change) {
            changes.push_back(change);
        }
    }

    pub(super) fn process_changed(&mut self, key: ProcessKey) {
        self.change(|engine| {
            let state = engine.processes.get(&key)?.state.as_str();
            Some(Change::Process { process: engine.process_name(key)?, state })
        });
    }

    pub(super) fn process_asked_to_end(&mut self, key: ProcessKey, by: Timestamp) {
        self.change(|engine| Some(Change::AskedToEnd { process: engine.process_name(key)?, by }));
    }

    pub(super) fn game_session_changed(&mut self, key: GameSessionKey) {
        self.change(|engine| {
            let session = engine.game_sessions.get(key)?;
            Some(Change::GameSession {
                game_session_id: session.model.game_session_id.clone(),
                process: session.process.and_then(|process| engine.process_name(process)),
                status: session.model.status.as_str(),
            })
        });
    }

    pub(super) fn player_session_changed(&mut self, key: PlayerSessionKey) {
        self.change(|engine| {
            let session = engine.player_sessions.get(key)?;
            let host = engine.game_sessions.get(session.game_session).and_then(|session| session.process);
            Some(Change::PlayerSession {
                player_session_id: session.model.player_session_id.clone(),
                game_session_id: session.model.game_session_id.clone(),
                process: host.and_then(|process| engine.process_name(process)),
                status: session.model.status.as_str(),
            })
        });
    }

    /// Says whether a debugger holds a process. While it does, the timeouts of the process start over whenever they are due;
    /// when it lets go, they start over once more. Returns whether there is such a process.
    pub fn held_by_debugger(&mut self, now: Timestamp, name: &ProcessName, held: bool) -> bool {
        let Some(key) = self.process_named(name) else { return false };
        let Some(process) = self.processes.get_mut(&key) else { return false };
        let released = process.held && !held;
        process.held = held;
        if released {
            self.restart_timeouts(now, key);
        }
        true
    }

    pub(super) fn is_held(&self, key: ProcessKey) -> bool {
        self.processes.get(&key).is_some_and(|process| process.held)
    }

    fn restart_timeouts(&mut self, now: Timestamp, key: ProcessKey) {
        let Some(active) = self.processes.get(&key).and_then(Process::active) else { return };
        if active.heartbeat.is_some() {
            self.expect_heartbeat(now, key);
        }
        if let Some(game_session) = active_game_session(self, key) {
            self.restart_activation(now, game_session);
        }
        self.restart_end(now, key);
    }

    /// The next health report is due when a whole interval has passed.
    pub(super) fn expect_heartbeat(&mut self, now: Timestamp, key: ProcessKey) {
        let next = self.timers.set(now + HEARTBEAT_INTERVAL_MAX, Timer::Heartbeat(key));
        if let Some(active) = self.processes.get_mut(&key).and_then(Process::active_mut) {
            self.timers.cancel(active.heartbeat.replace(next));
        } else {
            self.timers.cancel(Some(next));
        }
    }

    /// How long a game session of this fleet may be ACTIVATING.
    pub(super) fn activation_timeout(&self, fleet: &str) -> Duration {
        self.fleets.get(fleet).map(|fleet| fleet.activation_timeout).unwrap_or_default()
    }
}

fn active_game_session(engine: &Engine, key: ProcessKey) -> Option<GameSessionKey> {
    engine.processes.get(&key).and_then(Process::active).and_then(|active| active.game_session)
}
