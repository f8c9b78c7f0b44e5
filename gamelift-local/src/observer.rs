//! Watches what goes over server-SDK connections and what it changes: for the log, and for the doctor.
//!
//! Nothing in here is needed to run the service. A library that does not ask for it does without.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod redact;

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value, json};

use crate::{
    Timestamp,
    doctor::{Doctor, FINDINGS_MAX, Finding, Sign},
    engine::{Change, ConnectionId, Event, ProcessName},
};

/// Longer frames are logged by their length alone: a backfill request of 200 players is shorter.
const FRAME_LOGGED_MAX: usize = 64 * 1024;
/// Lines of the log that are kept for those who ask later.
const LINES_KEPT: usize = 4096;

/// Which way a frame goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    ToService,
    FromService,
}

/// The watcher: pure, fed by the driver.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    doctor: Doctor,
    findings: VecDeque<Finding>,
    new_findings: VecDeque<Finding>,
    connections: BTreeMap<ConnectionId, ProcessName>,
    /// How many connections a process has.
    connected: BTreeMap<ProcessName, usize>,
    /// Who hosts which game session, by its ARN.
    hosts: BTreeMap<String, ProcessName>,
    lines: VecDeque<Event>,
    new_lines: VecDeque<Event>,
    /// So many lines have there been.
    count: u64,
}

impl Observer {
    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        self.doctor.poll_timeout()
    }

    pub(crate) fn tick(&mut self, now: Timestamp) {
        self.doctor.tick(now);
        self.collect();
    }

    /// The next line of the log.
    pub(crate) fn poll_line(&mut self) -> Option<Event> {
        self.new_lines.pop_front()
    }

    /// The next finding of the doctor.
    pub(crate) fn poll_finding(&mut self) -> Option<Finding> {
        self.new_findings.pop_front()
    }

    /// What the doctor has found, the newest [`FINDINGS_MAX`].
    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.findings.iter().cloned().collect()
    }

    /// The newest lines of the log.
    pub(crate) fn lines(&self) -> Vec<Event> {
        self.lines.iter().cloned().collect()
    }

    pub(crate) fn connected(&mut self, now: Timestamp, connection: ConnectionId, process: ProcessName) {
        self.log(now, "connected", Some(&process), [("connection", connection.number().into())]);
        self.see(now, &process, Sign::Connected);
        *self.connected.entry(process.clone()).or_default() += 1;
        self.connections.insert(connection, process);
    }

    pub(crate) fn refused(&mut self, now: Timestamp, process: &ProcessName, status: u16, message: &str) {
        self.log(now, "refused", Some(process), [("status", status.into()), ("message", message.into())]);
        self.see(now, process, Sign::Refused { message: format!("HTTP {status}: {message}") });
    }

    /// A connection is gone, by whoever's doing. Once is enough.
    pub(crate) fn disconnected(&mut self, now: Timestamp, connection: ConnectionId, by: &str) {
        let Some(process) = self.connections.remove(&connection) else { return };
        self.log(
            now,
            "disconnected",
            Some(&process),
            [("connection", connection.number().into()), ("by", by.into())],
        );
        let left = self.connected.get(&process).map_or(0, |count| count.saturating_sub(1));
        if left > 0 {
            self.connected.insert(process, left);
        } else {
            self.connected.remove(&process);
            self.see(now, &process, Sign::Disconnected);
        }
    }

    /// A frame goes over a connection.
    pub(crate) fn frame(&mut self, now: Timestamp, connection: ConnectionId, way: Way, text: &str) {
        let process = self.connections.get(&connection).cloned();
        let frame: Option<Value> =
            (text.len() <= FRAME_LOGGED_MAX).then(|| serde_json::from_str(text).ok()).flatten();
        if let (Way::ToService, Some(process), Some(frame)) = (way, &process, &frame) {
            match frame["Action"].as_str() {
                Some("HeartbeatServerProcess") => {
                    let healthy = frame["HealthStatus"].as_bool().unwrap_or_default();
                    self.see(now, process, Sign::Health { healthy });
                }
                Some("TerminateServerProcess") => self.see(now, process, Sign::Ending),
                _ => {}
            }
        }
        let shown = match frame {
            Some(mut frame) => {
                redact::frame(&mut frame);
                frame
            }
            // No JSON, or too long: nobody knows what is in it.
            None => Value::Null,
        };
        let way = match way {
            Way::ToService => "toService",
            Way::FromService => "fromService",
        };
        let members = [
            ("connection", connection.number().into()),
            ("way", way.into()),
            ("bytes", text.len().into()),
            ("frame", shown),
        ];
        self.log(now, "frame", process.as_ref(), members);
    }

    /// Something went wrong on purpose.
    pub(crate) fn fault(&mut self, now: Timestamp, connection: ConnectionId, action: &str, fault: &str) {
        let process = self.connections.get(&connection).cloned();
        self.log(now, "fault", process.as_ref(), [("action", action.into()), ("fault", fault.into())]);
    }

    /// The state of something has changed.
    pub(crate) fn change(&mut self, now: Timestamp, change: Change) {
        match change {
            Change::Process { process, state } => {
                self.log(now, "process", Some(&process), [("state", state.into())]);
                match state {
                    "ACTIVE" => self.see(now, &process, Sign::Ready),
                    "TERMINATED" => self.see(now, &process, Sign::GivenUp),
                    _ => {}
                }
            }
            Change::AskedToEnd { process, by } => {
                self.log(now, "askedToEnd", Some(&process), [("by", by.to_iso_millis().into())]);
                self.see(now, &process, Sign::AskedToEnd);
            }
            Change::GameSession { game_session_id, process, status } => {
                let members = [("gameSessionId", game_session_id.as_str().into()), ("status", status.into())];
                self.log(now, "gameSession", process.as_ref(), members);
                match (process, status) {
                    (Some(process), "ACTIVATING") => {
                        self.see(now, &process, Sign::GameSession);
                        self.hosts.insert(game_session_id, process);
                    }
                    (Some(process), "ACTIVE") => self.see(now, &process, Sign::Activated),
                    (_, "TERMINATED") => {
                        if let Some(process) = self.hosts.remove(&game_session_id) {
                            self.see(now, &process, Sign::GameSessionOver);
                        }
                    }
                    _ => {}
                }
            }
            Change::PlayerSession { game_session_id, process, status, .. } => {
                // Its id is a proof: who shows it is let in.
                let members = [("gameSessionId", game_session_id.into()), ("status", status.into())];
                self.log(now, "playerSession", process.as_ref(), members);
                match (process, status) {
                    (Some(process), "ACTIVE") => self.see(now, &process, Sign::Accepted),
                    (Some(process), "TIMEDOUT") => self.see(now, &process, Sign::NotAccepted),
                    _ => {}
                }
            }
        }
    }

    /// Somebody else has seen something of a process.
    pub(crate) fn see(&mut self, now: Timestamp, process: &ProcessName, sign: Sign) {
        self.doctor.see(now, process, sign);
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(finding) = self.doctor.poll_finding() {
            let value = serde_json::to_value(&finding).unwrap_or_default();
            self.log(finding.at, "finding", Some(&finding.process), [("finding", value)]);
            if self.findings.len() >= FINDINGS_MAX {
                self.findings.pop_front();
            }
            self.findings.push_back(finding.clone());
            self.new_findings.push_back(finding);
        }
    }

    fn log<const N: usize>(
        &mut self,
        now: Timestamp,
        kind: &str,
        process: Option<&ProcessName>,
        members: [(&str, Value); N],
    ) {
        self.count += 1;
        let mut line = Map::new();
        line.insert("number".to_owned(), self.count.into());
        line.insert("time".to_owned(), now.to_iso_millis().into());
        line.insert("kind".to_owned(), kind.into());
        if let Some(process) = process {
            line.insert("process".to_owned(), json!(process));
        }
        line.extend(members.map(|(name, value)| (name.to_owned(), value)));
        let line = Event {
            id: self.count.to_string(),
            time: now,
            topic_arn: None,
            json: Value::Object(line).to_string(),
        };
        if self.lines.len() >= LINES_KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line.clone());
        self.new_lines.push_back(line);
    }
}

#[cfg(test)]
mod tests;
