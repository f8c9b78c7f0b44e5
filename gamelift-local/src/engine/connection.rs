//! Connections of server processes: who may connect, where pushes go, and what waits for a process without one.
//!
//! A process outlives its connections: a closed socket says nothing about the process behind it. Several
//! connections at a time are legal, because a refresh opens the new one before the old one closes.

use std::collections::{BTreeSet, VecDeque};

use gamelift_wire::{
    connect::{Authorization, ConnectQuery},
    pushes::{Push, RefreshConnection},
};

use super::{
    ConnectionId, Effect, Engine, Refused, Timer,
    answers::Answers,
    compute::TokenCheck,
    ids::resource_id,
    process::{Connection, PROCESS_KEPT, Process, ProcessKey, ProcessState},
};
use crate::Timestamp;

/// Most processes of one compute, so that a loop with random process ids cannot fill the memory.
/// AWS allows 50 per managed instance; load tests on a laptop run more.
const PROCESSES_PER_COMPUTE_MAX: usize = 10_000;
/// Most connections of one process: two during a refresh, a few more while dead ones are not noticed.
const CONNECTIONS_PER_PROCESS_MAX: usize = 16;
/// Most pushes that wait for a process without connection.
const KEPT_PUSHES_MAX: usize = 64;
/// Most idempotency tokens remembered as belonging to the same execution.
const KNOWN_TOKENS_MAX: usize = 64;

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
                let location = compute.location.clone();
                self.new_process(fleet_id, name, location, &query)
            }
        };
        Ok(self.add_connection(now, key, query.idempotency_token))
    }

    /// Remembers which listener a connection came through, so that a refresh leads back to it: the C++ and C# SDKs
    /// speak nothing but `wss`.
    pub fn sdk_came_through(&mut self, connection: ConnectionId, endpoint: &str) {
        let process = self.connections.get(&connection).and_then(|key| self.processes.get_mut(key));
        if let Some(process) = process {
            process.endpoint = Some(endpoint.to_owned());
        }
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
            endpoint: None,
            state: ProcessState::Activating,
            connections: Vec::new(),
            known_tokens: VecDeque::new(),
            kept_pushes: VecDeque::new(),
            answers: Answers::default(),
            forget: None,
            held: false,
        };
        self.processes.insert(key, process);
        self.process_changed(key);
        key
    }

    fn add_connection(&mut self, now: Timestamp, key: ProcessKey, token: String) -> ConnectionId {
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
            self.serve_lines(now);
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

    /// Takes all connections away from a process.
    pub(super) fn take_connections(&mut self, key: ProcessKey) -> Vec<ConnectionId> {
        let Some(process) = self.processes.get_mut(&key) else { return Vec::new() };
        let ids: Vec<_> = process.connections.drain(..).map(|connection| connection.id).collect();
        for id in &ids {
            self.connections.remove(id);
        }
        ids
    }

    /// Tells every connected process to move to a new connection with a new token. Returns how many were told.
    pub fn refresh_connections(&mut self, now: Timestamp) -> usize {
        let connected: BTreeSet<ProcessKey> = self.connections.values().copied().collect();
        for key in &connected {
            self.refresh_connection(now, *key);
        }
        connected.len()
    }

    /// Tells a process to move to a new connection with a new token.
    pub(super) fn refresh_connection(&mut self, now: Timestamp, key: ProcessKey) {
        let Some(process) = self.processes.get(&key) else { return };
        let (fleet, compute) = (process.fleet.clone(), process.compute.clone());
        let endpoint = process.endpoint.clone().unwrap_or_else(|| self.settings.sdk_endpoint.clone());
        let (token, _) = self.new_token(now, &fleet, &compute);
        let refresh = RefreshConnection {
            refresh_connection_endpoint: endpoint,
            auth_token: Some(gamelift_wire::ids::AuthToken::new_unchecked(token.as_str())),
        };
        self.push(key, &Push::RefreshConnection(refresh));
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

fn refused(status: u16, message: impl Into<String>) -> Refused {
    Refused { status, message: message.into() }
}
