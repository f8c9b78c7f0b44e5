//! Health reports: three bad or missing ones in a row, and a process is given up.

use std::time::Duration;

use super::{
    Engine, Timer,
    process::{Process, ProcessKey},
};
use crate::Timestamp;

/// The longest time between two health reports: 60 s and 10 s of jitter (Go SDK 5.6.0).
pub(super) const HEARTBEAT_INTERVAL_MAX: Duration = Duration::from_secs(70);
/// So many bad or missing reports in a row make a process unhealthy (AWS developer guide).
const FAILED_HEARTBEATS_MAX: u32 = 3;

impl Engine {
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
        if self.is_held(key) {
            return self.expect_heartbeat(now, key);
        }
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
}
