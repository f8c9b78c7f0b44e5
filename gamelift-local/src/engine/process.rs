//! Server processes: connections, health, and the end.
//!
//! ```text
//!   first connection      ActivateServerProcess          TerminateServerProcess
//! ------------------> Activating ----------> Active ------------------------> Terminated
//!                                              | three bad or missing health reports
//!                                              | or an activation timeout:
//!                                              +-> TerminateProcess pushed, 5 minutes --^
//! ```
//!
//! A process outlives its connections: a closed socket says nothing about the process behind it. Several
//! connections at a time are legal, because a refresh opens the new one before the old one closes.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use gamelift_wire::{
    connect::{Authorization, ConnectQuery},
    envelope::Action,
    ids::RequestId,
    model::EpochMillis,
    pushes::{Push, RefreshConnection, TerminateProcess},
};

use super::{
    ConnectionId, Effect, Engine, Refused, Timer, compute::TokenCheck, game_session::GameSessionKey,
    ids::resource_id, timers::TimerKey,
};
use crate::Timestamp;

/// The longest time between two health reports: 60 s and 10 s of jitter (Go SDK 5.6.0).
pub(super) const HEARTBEAT_INTERVAL_MAX: Duration = Duration::from_secs(70);
/// So many bad or missing reports in a row make a process unhealthy (AWS developer guide).
const FAILED_HEARTBEATS_MAX: u32 = 3;
/// What a process gets between TerminateProcess and its end (AWS developer guide).
const TERMINATION_GRACE: Duration = Duration::from_secs(5 * 60);
/// A process without connections that hosts nothing is forgotten after this: longer than any SDK's reconnect loop.
const PROCESS_KEPT: Duration = Duration::from_secs(10 * 60);
/// Most processes of one compute, so that a loop with random process ids cannot fill the memory.
/// AWS allows 50 per managed instance; load tests on a laptop run more.
const PROCESSES_PER_COMPUTE_MAX: usize = 10_000;
/// Most connections of one process: two during a refresh, a few more while dead ones are not noticed.
const CONNECTIONS_PER_PROCESS_MAX: usize = 16;
/// Most pushes that wait for a process without connection.
const KEPT_PUSHES_MAX: usize = 64;
/// Most idempotency tokens remembered as belonging to the same execution.
const KNOWN_TOKENS_MAX: usize = 64;
/// C++ SDK 5.4.0 repeats an unanswered request for about 115 s.
const ANSWER_KEPT: Duration = Duration::from_secs(180);
/// Most answers remembered per process. With more in three minutes, the oldest are forgotten early.
const ANSWERS_KEPT_MAX: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProcessKey(u64);

#[derive(Debug)]
pub(super) struct Process {
    pub(super) fleet: String,
    pub(super) compute: String,
    pub(super) id: String,
    pub(super) location: String,
    pub(super) sdk: String,
    pub(super) state: ProcessState,
    /// Oldest first.
    pub(super) connections: Vec<Connection>,
    /// Idempotency tokens of this execution. A connection with another one may be a new execution under the
    /// same process id, until it asks for something only the old one would.
    known_tokens: VecDeque<String>,
    kept_pushes: VecDeque<String>,
    pub(super) answers: Answers,
    forget: Option<TimerKey>,
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

#[derive(Debug)]
pub(super) struct Active {
    pub(super) port: u16,
    /// Both official SDKs lose a CreateGameSession sent before their first heartbeat.
    pub(super) heard: bool,
    pub(super) failed_heartbeats: u32,
    pub(super) game_session: Option<GameSessionKey>,
    /// When the process must have ended, if it was asked to.
    pub(super) end_by: Option<Timestamp>,
    heartbeat: Option<TimerKey>,
    end_timer: Option<TimerKey>,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    token: String,
    /// Whether it certainly belongs to the execution that became ready.
    proven: bool,
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

/// What was answered to which request, so that a request sent again has no second effect.
#[derive(Debug, Default)]
pub(super) struct Answers {
    texts: BTreeMap<RequestId, (Action, String)>,
    order: VecDeque<(Timestamp, RequestId)>,
}

impl Answers {
    pub(super) fn get(&self, action: &Action, id: &RequestId) -> Option<&str> {
        self.texts.get(id).filter(|(answered, _)| answered == action).map(|(_, text)| text.as_str())
    }

    pub(super) fn remember(&mut self, now: Timestamp, action: Action, id: RequestId, text: String) {
        while let Some((at, oldest)) = self.order.front() {
            if now.since(*at) < ANSWER_KEPT && self.order.len() < ANSWERS_KEPT_MAX {
                break;
            }
            self.texts.remove(oldest);
            self.order.pop_front();
        }
        // An id that was used for another action before keeps its place in the order.
        if self.texts.insert(id.clone(), (action, text)).is_none() {
            self.order.push_back((now, id));
        }
    }
}

impl Engine {
    /// A server process asks to connect.
    ///
    /// # Errors
    /// 403 for a wrong, expired or missing token; 404 for an unknown fleet or compute; 429 for too many
    /// processes. With `Authorization=SigV4` the three ids must be known; signatures are not verified yet.
    pub fn sdk_connected(&mut self, now: Timestamp, query: ConnectQuery) -> Result<ConnectionId, Refused> {
        let fleet_id = resource_id("fleet", &query.fleet_id);
        let Some(fleet) = self.fleets.get(fleet_id) else {
            return Err(refused(404, format!("FleetId {fleet_id} is not a fleet of this GameLift")));
        };
        let name = resource_id("compute", &query.compute_id);
        let Some(compute) = fleet.computes.get(name) else {
            return Err(refused(404, format!("ComputeId {name} is not registered with fleet {fleet_id}")));
        };
        match &query.authorization {
            Authorization::SigV4(_) => {}
            Authorization::Token(token) => match compute.check_token(now, token.as_str()) {
                TokenCheck::Valid => {}
                TokenCheck::Expired => {
                    return Err(refused(
                        403,
                        "the auth token has expired; get a new one with GetComputeAuthToken",
                    ));
                }
                TokenCheck::Unknown => {
                    let message = format!(
                        "the auth token is not one of compute {name} in fleet {fleet_id}; get it with GetComputeAuthToken"
                    );
                    return Err(refused(403, message));
                }
            },
            _ => {
                return Err(refused(
                    403,
                    "the query has no Authorization; it must hold the compute's auth token",
                ));
            }
        }
        let key = match compute.processes.get(&query.process_id) {
            Some(key) => *key,
            None if compute.processes.len() >= PROCESSES_PER_COMPUTE_MAX => {
                let message =
                    format!("compute {name} has {PROCESSES_PER_COMPUTE_MAX} processes, which is the limit");
                return Err(refused(429, message));
            }
            None => {
                let (fleet_id, name) = (fleet_id.to_owned(), name.to_owned());
                self.new_process(fleet_id, name, compute_location(compute), &query)
            }
        };
        Ok(self.add_connection(now, key, query.idempotency_token))
    }

    fn new_process(
        &mut self,
        fleet: String,
        compute: String,
        location: String,
        query: &ConnectQuery,
    ) -> ProcessKey {
        self.counters.processes += 1;
        let key = ProcessKey(self.counters.processes);
        if let Some(compute) = self.fleets.get_mut(&fleet).and_then(|fleet| fleet.computes.get_mut(&compute))
        {
            compute.processes.insert(query.process_id.clone(), key);
        }
        let process = Process {
            fleet,
            compute,
            id: query.process_id.clone(),
            location,
            sdk: format!("{} {}", query.sdk_language, query.sdk_version),
            state: ProcessState::Activating,
            connections: Vec::new(),
            known_tokens: VecDeque::new(),
            kept_pushes: VecDeque::new(),
            answers: Answers::default(),
            forget: None,
        };
        self.processes.insert(key, process);
        key
    }

    fn add_connection(&mut self, _now: Timestamp, key: ProcessKey, token: String) -> ConnectionId {
        self.counters.connections += 1;
        let id = ConnectionId(self.counters.connections);
        self.connections.insert(id, key);
        let Some(process) = self.processes.get_mut(&key) else { return id };
        let proven = process.active().is_none()
            || process.known_tokens.contains(&token)
            || process.newest_connection().is_some();
        process.connections.push(Connection { id, token, proven });
        self.timers.cancel(process.forget.take());
        if process.connections.len() > CONNECTIONS_PER_PROCESS_MAX {
            let oldest = process.connections.remove(0).id;
            self.connections.remove(&oldest);
            // 1012 makes every SDK that still listens reconnect.
            self.effects.push_back(Effect::Close { connection: oldest, code: Some(1012) });
        }
        if proven {
            self.prove(key, id);
        }
        id
    }

    /// The connection belongs to the execution that is ready: it gets what was kept for it.
    pub(super) fn prove(&mut self, key: ProcessKey, id: ConnectionId) {
        let Some(process) = self.processes.get_mut(&key) else { return };
        let Some(connection) = process.connections.iter_mut().find(|connection| connection.id == id) else {
            return;
        };
        connection.proven = true;
        if !process.known_tokens.contains(&connection.token) {
            if process.known_tokens.len() >= KNOWN_TOKENS_MAX {
                process.known_tokens.pop_front();
            }
            process.known_tokens.push_back(connection.token.clone());
        }
        for text in process.kept_pushes.drain(..) {
            self.effects.push_back(Effect::Send { connection: id, text, push: true });
        }
        self.update_idle(key);
    }

    /// Whether a request on this connection certainly comes from the execution that is ready.
    pub(super) fn is_proven(&self, key: ProcessKey, id: ConnectionId) -> bool {
        self.processes.get(&key).is_some_and(|process| {
            process.connections.iter().any(|connection| connection.id == id && connection.proven)
        })
    }

    /// A connection is gone. The process is not: it may connect again, or have a second connection.
    pub fn sdk_disconnected(&mut self, now: Timestamp, connection: ConnectionId) {
        let Some(key) = self.connections.remove(&connection) else { return };
        let Some(process) = self.processes.get_mut(&key) else { return };
        process.connections.retain(|live| live.id != connection);
        if process.connections.is_empty() && process.active().is_none() {
            let forget = self.timers.set(now + PROCESS_KEPT, Timer::ForgetProcess(key));
            self.timers.cancel(process.forget.replace(forget));
        }
        self.update_idle(key);
    }

    /// A frame of [`Effect::Send`] could not be delivered. A push goes to the process's next connection;
    /// a reply is sent again when the request is.
    pub fn sdk_undelivered(&mut self, now: Timestamp, connection: ConnectionId, text: String, push: bool) {
        let key = self.connections.get(&connection).copied();
        self.sdk_disconnected(now, connection);
        if let Some(key) = key.filter(|_| push) {
            self.push_text(key, text);
        }
    }

    pub(super) fn push(&mut self, key: ProcessKey, push: &Push) {
        self.push_text(key, push.to_text());
    }

    fn push_text(&mut self, key: ProcessKey, text: String) {
        let Some(process) = self.processes.get_mut(&key) else { return };
        match process.newest_connection() {
            Some(connection) => self.effects.push_back(Effect::Send { connection, text, push: true }),
            None => {
                if process.kept_pushes.len() >= KEPT_PUSHES_MAX {
                    process.kept_pushes.pop_front();
                    self.counters.pushes_lost += 1;
                }
                process.kept_pushes.push_back(text);
            }
        }
    }

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
        });
        let connections: Vec<_> = process.connections.iter().map(|connection| connection.id).collect();
        for connection in connections {
            self.prove(key, connection);
        }
    }

    /// A health report arrived.
    pub(super) fn heartbeat(&mut self, now: Timestamp, key: ProcessKey, healthy: bool) {
        let next = self.timers.set(now + HEARTBEAT_INTERVAL_MAX, Timer::Heartbeat(key));
        let Some(active) = self.processes.get_mut(&key).and_then(Process::active_mut) else {
            self.timers.cancel(Some(next));
            return;
        };
        self.timers.cancel(active.heartbeat.replace(next));
        active.heard = true;
        if healthy {
            active.failed_heartbeats = 0;
            self.update_idle(key);
        } else {
            self.heartbeat_failed(now, key);
        }
    }

    pub(super) fn heartbeat_missed(&mut self, now: Timestamp, key: ProcessKey) {
        let next = self.timers.set(now + HEARTBEAT_INTERVAL_MAX, Timer::Heartbeat(key));
        match self.processes.get_mut(&key).and_then(Process::active_mut) {
            Some(active) => {
                active.heartbeat = Some(next);
                self.heartbeat_failed(now, key);
            }
            None => self.timers.cancel(Some(next)),
        }
    }

    fn heartbeat_failed(&mut self, now: Timestamp, key: ProcessKey) {
        let Some(active) = self.processes.get_mut(&key).and_then(Process::active_mut) else { return };
        active.failed_heartbeats += 1;
        let game_session = active.game_session;
        if active.failed_heartbeats == FAILED_HEARTBEATS_MAX {
            let overdue = active.end_by.is_some_and(|end_by| end_by <= now);
            if let Some(game_session) = game_session {
                self.end_game_session(now, game_session);
            }
            if overdue {
                self.process_ended(now, key);
            } else {
                self.ask_to_end(now, key);
            }
        }
        self.update_idle(key);
    }

    /// Pushes TerminateProcess, unless the process was asked already.
    pub(super) fn ask_to_end(&mut self, now: Timestamp, key: ProcessKey) {
        let end_by = now + TERMINATION_GRACE;
        let Some(active) = self.processes.get_mut(&key).and_then(Process::active_mut) else { return };
        if active.end_by.is_some() {
            return;
        }
        active.end_by = Some(end_by);
        active.end_timer = Some(self.timers.set(end_by, Timer::EndBy(key)));
        let time = EpochMillis(i64::try_from(end_by.as_millis()).unwrap_or(i64::MAX));
        self.push(key, &Push::TerminateProcess(TerminateProcess { termination_time: Some(time) }));
        self.update_idle(key);
    }

    /// The grace period is over. Nothing on plain Anywhere can kill a process, so one that still hosts a
    /// game session and reports its health keeps it (AWS API reference, TerminateGameSession: without
    /// ProcessEnding the termination does not conclude). Everything else is given up.
    pub(super) fn end_overdue(&mut self, now: Timestamp, key: ProcessKey) {
        let Some(process) = self.processes.get(&key) else { return };
        if process.active().is_some_and(|active| active.game_session.is_none()) {
            self.process_ended(now, key);
        }
    }

    /// The process is over: by ProcessEnding, or because it was given up.
    pub(super) fn process_ended(&mut self, now: Timestamp, key: ProcessKey) {
        let Some(process) = self.processes.get_mut(&key) else { return };
        let ended = std::mem::replace(&mut process.state, ProcessState::Terminated);
        if process.connections.is_empty() {
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

    /// Takes all connections away from a process.
    pub(super) fn take_connections(&mut self, key: ProcessKey) -> Vec<ConnectionId> {
        let Some(process) = self.processes.get_mut(&key) else { return Vec::new() };
        let ids: Vec<_> = process.connections.drain(..).map(|connection| connection.id).collect();
        for id in &ids {
            self.connections.remove(id);
        }
        ids
    }

    /// Keeps the index of processes that can be given a game session.
    pub(super) fn update_idle(&mut self, key: ProcessKey) {
        let Some(process) = self.processes.get(&key) else { return };
        let placeable = process.placeable();
        let (fleet, location) = (process.fleet.clone(), process.location.clone());
        self.set_idle(&fleet, &location, key, placeable);
    }

    fn set_idle(&mut self, fleet: &str, location: &str, key: ProcessKey, idle: bool) {
        let location = self.fleets.get_mut(fleet).and_then(|fleet| fleet.locations.get_mut(location));
        if let Some(location) = location {
            if idle {
                location.idle.insert(key);
            } else {
                location.idle.remove(&key);
            }
        }
    }

    /// Tells every connected process to move to a new connection with a new token. Returns how many were told.
    pub fn refresh_connections(&mut self, now: Timestamp) -> usize {
        let connected: BTreeSet<ProcessKey> = self.connections.values().copied().collect();
        for key in &connected {
            let Some(process) = self.processes.get(key) else { continue };
            let (fleet, compute) = (process.fleet.clone(), process.compute.clone());
            let (token, _) = self.new_token(now, &fleet, &compute);
            let refresh = RefreshConnection {
                refresh_connection_endpoint: self.settings.sdk_endpoint.clone(),
                auth_token: Some(gamelift_wire::ids::AuthToken::new_unchecked(token.as_str())),
            };
            self.push(*key, &Push::RefreshConnection(refresh));
        }
        connected.len()
    }

    /// Closes every server-SDK connection, with a close code or abruptly. Returns how many there were.
    pub fn drop_connections(&mut self, now: Timestamp, code: Option<u16>) -> usize {
        let all: Vec<ConnectionId> = self.connections.keys().copied().collect();
        for connection in &all {
            self.sdk_disconnected(now, *connection);
            self.effects.push_back(Effect::Close { connection: *connection, code });
        }
        all.len()
    }
}

fn compute_location(compute: &super::compute::Compute) -> String {
    compute.location.clone()
}

fn refused(status: u16, message: impl Into<String>) -> Refused {
    Refused { status, message: message.into() }
}
