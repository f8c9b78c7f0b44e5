//! Server processes: from ready to the end.
//!
//! ```text
//!   first connection      ActivateServerProcess          TerminateServerProcess
//! ------------------> Activating ----------> Active ------------------------> Terminated
//!                                              | three bad or missing health reports
//!                                              | or an activation timeout:
//!                                              +-> TerminateProcess pushed, 5 minutes --^
//! ```

use std::{collections::VecDeque, time::Duration};

use gamelift_wire::{
    model::EpochMillis,
    pushes::{Push, TerminateProcess},
};

use super::{
    ConnectionId, Engine, Timer, answers::Answers, game_session::GameSessionKey,
    health::HEARTBEAT_INTERVAL_MAX, placement::Site, timers::TimerKey,
};
use crate::Timestamp;

/// What a process gets between TerminateProcess and its end (AWS developer guide).
const TERMINATION_GRACE: Duration = Duration::from_secs(5 * 60);
/// A process without connections that hosts nothing is forgotten after this: longer than any SDK's reconnect loop.
pub(super) const PROCESS_KEPT: Duration = Duration::from_secs(10 * 60);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProcessKey(pub(super) u64);

#[derive(Debug)]
pub(super) struct Process {
    pub(super) fleet: String,
    pub(super) compute: String,
    pub(super) id: String,
    pub(super) location: String,
    pub(super) sdk: String,
    /// The URL that its newest connection came through, if not the usual one.
    pub(super) endpoint: Option<String>,
    pub(super) state: ProcessState,
    /// Oldest first.
    pub(super) connections: Vec<Connection>,
    /// Idempotency tokens of this execution. A connection with another one may be a new execution under the
    /// same process id, until it asks for something only the old one would.
    pub(super) known_tokens: VecDeque<String>,
    pub(super) kept_pushes: VecDeque<String>,
    pub(super) answers: Answers,
    pub(super) forget: Option<TimerKey>,
    /// Whether a debugger holds it.
    pub(super) held: bool,
}

#[derive(Debug)]
pub(super) enum ProcessState {
    /// Connected, not ready.
    Activating,
    /// Ready to host a game session, or hosting one.
    Active(Active),
    /// Ended, or given up.
    Terminated,
}

impl ProcessState {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Activating => "ACTIVATING",
            Self::Active(_) => "ACTIVE",
            Self::Terminated => "TERMINATED",
        }
    }
}

#[derive(Debug)]
pub(super) struct Active {
    pub(super) port: u16,
    /// Both official SDKs lose a CreateGameSession sent before their first heartbeat.
    pub(super) heard: bool,
    pub(super) failed_heartbeats: u32,
    pub(super) game_session: Option<GameSessionKey>,
    /// When the process must have ended, if it was asked to.
    pub(super) end_by: Option<Timestamp>,
    pub(super) heartbeat: Option<TimerKey>,
    pub(super) end_timer: Option<TimerKey>,
    /// Its machine goes away with it, whatever it still does.
    pub(super) interrupted: bool,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) token: String,
    /// Whether it certainly belongs to the execution that became ready.
    pub(super) proven: bool,
}

impl Process {
    pub(super) fn active(&self) -> Option<&Active> {
        match &self.state {
            ProcessState::Active(active) => Some(active),
            _ => None,
        }
    }

    pub(super) fn active_mut(&mut self) -> Option<&mut Active> {
        match &mut self.state {
            ProcessState::Active(active) => Some(active),
            _ => None,
        }
    }

    pub(super) fn newest_connection(&self) -> Option<ConnectionId> {
        self.connections.iter().rev().find(|connection| connection.proven).map(|connection| connection.id)
    }

    fn placeable(&self) -> bool {
        self.newest_connection().is_some()
            && self.active().is_some_and(|active| {
                active.heard && active.game_session.is_none() && active.end_by.is_none()
            })
    }
}

impl Engine {
    /// ProcessReady.
    pub(super) fn process_ready(&mut self, now: Timestamp, key: ProcessKey, port: u16, sdk: String) {
        let heartbeat = self.timers.set(now + HEARTBEAT_INTERVAL_MAX, Timer::Heartbeat(key));
        let Some(process) = self.processes.get_mut(&key) else { return };
        process.sdk = sdk;
        process.kept_pushes.clear();
        process.known_tokens.clear();
        process.state = ProcessState::Active(Active {
            port,
            heard: false,
            failed_heartbeats: 0,
            game_session: None,
            end_by: None,
            heartbeat: Some(heartbeat),
            end_timer: None,
            interrupted: false,
        });
        let connections: Vec<_> = process.connections.iter().map(|connection| connection.id).collect();
        self.process_changed(key);
        for connection in connections {
            self.prove(key, connection);
        }
    }

    /// Pushes TerminateProcess, unless the process was asked already.
    pub(super) fn ask_to_end(&mut self, now: Timestamp, key: ProcessKey) {
        self.ask_to_end_by(now + TERMINATION_GRACE, key);
    }

    /// The same, with another grace period.
    pub(super) fn ask_to_end_by(&mut self, end_by: Timestamp, key: ProcessKey) {
        let Some(active) = self.processes.get_mut(&key).and_then(Process::active_mut) else { return };
        if active.end_by.is_some() {
            return;
        }
        active.end_by = Some(end_by);
        active.end_timer = Some(self.timers.set(end_by, Timer::EndBy(key)));
        self.process_asked_to_end(key, end_by);
        let time = EpochMillis(i64::try_from(end_by.as_millis()).unwrap_or(i64::MAX));
        self.push(key, &Push::TerminateProcess(TerminateProcess { termination_time: Some(time) }));
        self.update_idle(key);
    }

    /// The grace period is over. Nothing on plain Anywhere can kill a process, so one that still hosts a
    /// game session and reports its health keeps it (AWS API reference, TerminateGameSession: without
    /// ProcessEnding the termination does not conclude). Everything else is given up.
    pub(super) fn end_overdue(&mut self, now: Timestamp, key: ProcessKey) {
        if self.is_held(key) {
            return self.restart_end(now, key);
        }
        let Some(process) = self.processes.get(&key) else { return };
        if process.active().is_some_and(|active| active.game_session.is_none() || active.interrupted) {
            self.process_ended(now, key);
        }
    }

    /// Gives a process that was asked to end the whole grace period again.
    pub(super) fn restart_end(&mut self, now: Timestamp, key: ProcessKey) {
        let Some(active) = self.processes.get_mut(&key).and_then(Process::active_mut) else { return };
        if active.end_by.is_some() {
            let end_by = now + TERMINATION_GRACE;
            let timer = self.timers.set(end_by, Timer::EndBy(key));
            active.end_by = Some(end_by);
            self.timers.cancel(active.end_timer.replace(timer));
        }
    }

    /// The process is over: by ProcessEnding, or because it was given up.
    pub(super) fn process_ended(&mut self, now: Timestamp, key: ProcessKey) {
        let Some(process) = self.processes.get_mut(&key) else { return };
        let ended = std::mem::replace(&mut process.state, ProcessState::Terminated);
        let no_connection = process.connections.is_empty();
        self.process_changed(key);
        let Some(process) = self.processes.get_mut(&key) else { return };
        if no_connection {
            let forget = self.timers.set(now + PROCESS_KEPT, Timer::ForgetProcess(key));
            self.timers.cancel(process.forget.replace(forget));
        }
        if let ProcessState::Active(active) = ended {
            self.timers.cancel(active.heartbeat);
            self.timers.cancel(active.end_timer);
            if let Some(game_session) = active.game_session {
                self.end_game_session(now, game_session);
            }
        }
        self.update_idle(key);
    }

    /// Gives up a process that no longer hosts anything and has no connection.
    pub(super) fn forget_process(&mut self, key: ProcessKey) {
        let Some(process) = self.processes.remove(&key) else { return };
        self.timers.cancel(process.forget);
        self.set_idle(&process.fleet, &process.location, key, false);
        let compute =
            self.fleets.get_mut(&process.fleet).and_then(|fleet| fleet.computes.get_mut(&process.compute));
        if let Some(compute) = compute {
            compute.processes.remove(&process.id);
        }
    }

    /// Keeps the index of processes that can be given a game session.
    pub(super) fn update_idle(&mut self, key: ProcessKey) {
        let Some(process) = self.processes.get(&key) else { return };
        let placeable = process.placeable();
        let (fleet, location) = (process.fleet.clone(), process.location.clone());
        self.set_idle(&fleet, &location, key, placeable);
    }

    fn set_idle(&mut self, fleet: &str, location: &str, key: ProcessKey, idle: bool) {
        let Some(at) = self.fleet_location_mut(fleet, location) else { return };
        if !idle {
            at.idle.remove(&key);
        } else if at.idle.insert(key) && !at.line.is_empty() {
            // The process may be on its way out within the same step: it is given away at the step's end.
            self.placements.free(Site { fleet: fleet.to_owned(), location: location.to_owned() });
        }
    }
}
