//! RefreshConnection: now and then, every process is told to move to a new connection with a new token.

use std::{collections::BTreeSet, time::Duration};

use gamelift_wire::pushes::{Push, RefreshConnection};

use super::{Effect, Engine, Timer, process::ProcessKey};
use crate::Timestamp;

/// GameLift repeats the message about every minute until the process has moved (Go SDK 5.6.0, error text).
const REPEAT: Duration = Duration::from_secs(60);
/// So often a process is told before its old connection is closed by force. AWS documents no number.
const REPEATS_MAX: u32 = 5;
/// Makes every SDK that still listens reconnect.
const SERVICE_RESTART: u16 = 1012;

impl Engine {
    /// Tells every connected process to move to a new connection with a new token. Returns how many were told.
    pub fn refresh_connections(&mut self, now: Timestamp) -> usize {
        let connected: BTreeSet<ProcessKey> = self.connections.values().copied().collect();
        for key in &connected {
            self.push_refresh(now, *key);
        }
        connected.len()
    }

    /// A process has a new connection: the time until the next refresh begins anew.
    pub(super) fn schedule_refresh(&mut self, now: Timestamp, key: ProcessKey) {
        let Some(interval) = self.settings.refresh_interval else { return };
        let next = self.timers.set(now + interval, Timer::Refresh(key));
        let Some(process) = self.processes.get_mut(&key) else { return };
        process.refreshes = 0;
        self.timers.cancel(process.refresh.replace(next));
    }

    pub(super) fn refresh_due(&mut self, now: Timestamp, key: ProcessKey) {
        let Some(process) = self.processes.get_mut(&key) else { return };
        process.refresh = None;
        // A process without connection gets a new time with its next one.
        let Some(connection) = process.connections.last().map(|connection| connection.id) else { return };
        if process.refreshes >= REPEATS_MAX {
            self.sdk_disconnected(now, connection);
            self.effects.push_back(Effect::Close { connection, code: Some(SERVICE_RESTART) });
            return;
        }
        process.refreshes += 1;
        process.refresh = Some(self.timers.set(now + REPEAT, Timer::Refresh(key)));
        self.push_refresh(now, key);
    }

    /// Tells a process to move to a new connection with a new token.
    pub(super) fn push_refresh(&mut self, now: Timestamp, key: ProcessKey) {
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
}
