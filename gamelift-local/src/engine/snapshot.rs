//! A look inside, for people: no tokens, no player session ids.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Engine;
use crate::Timestamp;

/// Most processes and game sessions that a snapshot lists; the counts are always complete.
const LISTED_MAX: usize = 1000;

/// What happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Counters {
    /// Server processes seen.
    pub processes: u64,
    /// Server-SDK connections accepted.
    pub connections: u64,
    /// Frames that were no request and named nobody to answer to.
    pub frames_ignored: u64,
    /// Pushes dropped because too many waited for a process without connection.
    pub pushes_lost: u64,
    /// Events published.
    pub events_published: u64,
}

/// The state of the service at one moment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Snapshot {
    /// When.
    pub now: Timestamp,
    /// When the next timer is due.
    pub next_timer: Option<Timestamp>,
    /// Custom locations.
    pub locations: Vec<String>,
    /// Fleets, with their computes.
    pub fleets: Vec<FleetSnapshot>,
    /// Server processes, the first thousand.
    pub processes: Vec<ProcessSnapshot>,
    /// Game sessions, the newest thousand.
    pub game_sessions: Vec<GameSessionSnapshot>,
    /// All of them.
    pub process_count: usize,
    /// All of them.
    pub game_session_count: usize,
    /// All of them.
    pub player_session_count: usize,
    /// Names of the game session queues.
    pub queues: Vec<String>,
    /// Placements that wait for a process or its answer.
    pub pending_placement_count: usize,
    /// Placements that are known, by status.
    pub placements: BTreeMap<&'static str, usize>,
    /// Matchmaking tickets that are known, by status.
    pub tickets: BTreeMap<&'static str, usize>,
    /// Open server-SDK connections.
    pub connection_count: usize,
    /// What happened so far.
    pub counters: Counters,
}

/// One fleet.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FleetSnapshot {
    /// Its id.
    pub fleet_id: String,
    /// Its locations.
    pub locations: Vec<String>,
    /// Its computes.
    pub computes: Vec<ComputeSnapshot>,
}

/// One compute.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ComputeSnapshot {
    /// Its name.
    pub compute_name: String,
    /// Where it is.
    pub location: String,
    /// How many processes it has.
    pub process_count: usize,
}

/// One server process.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ProcessSnapshot {
    /// Its fleet.
    pub fleet_id: String,
    /// Its compute.
    pub compute_name: String,
    /// Its id.
    pub process_id: String,
    /// Language and version of its SDK.
    pub sdk: String,
    /// `ACTIVATING`, `ACTIVE` or `TERMINATED`.
    pub state: &'static str,
    /// Open connections.
    pub connection_count: usize,
    /// The port of its game sessions, once it is ready.
    pub port: Option<u16>,
    /// Bad or missing health reports in a row.
    pub failed_heartbeats: u32,
    /// When it must have ended, if it was asked to.
    pub end_by: Option<Timestamp>,
    /// The game session it hosts.
    pub game_session_id: Option<String>,
}

/// One game session.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct GameSessionSnapshot {
    /// Its ARN.
    pub game_session_id: String,
    /// Its status.
    pub status: &'static str,
    /// Taken slots.
    pub current_player_session_count: u32,
    /// All slots.
    pub maximum_player_session_count: u32,
}

impl Engine {
    /// Everything people may look at.
    pub fn snapshot(&self, now: Timestamp) -> Snapshot {
        let skipped = self.game_sessions.len().saturating_sub(LISTED_MAX);
        Snapshot {
            now,
            next_timer: self.poll_timeout(),
            locations: self.locations.keys().cloned().collect(),
            fleets: self
                .fleets
                .values()
                .map(|fleet| FleetSnapshot {
                    fleet_id: fleet.id.clone(),
                    locations: fleet.locations.keys().cloned().collect(),
                    computes: fleet
                        .computes
                        .values()
                        .map(|compute| ComputeSnapshot {
                            compute_name: compute.name.clone(),
                            location: compute.location.clone(),
                            process_count: compute.processes.len(),
                        })
                        .collect(),
                })
                .collect(),
            processes: self.process_snapshots(),
            game_sessions: self
                .game_sessions
                .iter()
                .skip(skipped)
                .map(|session| GameSessionSnapshot {
                    game_session_id: session.model.game_session_id.clone(),
                    status: session.model.status.as_str(),
                    current_player_session_count: session.model.current_player_session_count,
                    maximum_player_session_count: session.model.maximum_player_session_count,
                })
                .collect(),
            process_count: self.processes.len(),
            game_session_count: self.game_sessions.len(),
            player_session_count: self.player_sessions.len(),
            queues: self.queues.keys().cloned().collect(),
            pending_placement_count: self.placements.pending(),
            placements: self.placements.counts(),
            tickets: self.ticket_counts(),
            connection_count: self.connections.len(),
            counters: self.counters,
        }
    }

    fn process_snapshots(&self) -> Vec<ProcessSnapshot> {
        self.processes
            .values()
            .take(LISTED_MAX)
            .map(|process| {
                let active = process.active();
                let game_session = active.and_then(|active| active.game_session);
                let game_session = game_session.and_then(|key| self.game_sessions.get(key));
                ProcessSnapshot {
                    fleet_id: process.fleet.clone(),
                    compute_name: process.compute.clone(),
                    process_id: process.id.clone(),
                    sdk: process.sdk.clone(),
                    state: process.state.as_str(),
                    connection_count: process.connections.len(),
                    port: active.map(|active| active.port),
                    failed_heartbeats: active.map_or(0, |active| active.failed_heartbeats),
                    end_by: active.and_then(|active| active.end_by),
                    game_session_id: game_session.map(|session| session.model.game_session_id.clone()),
                }
            })
            .collect()
    }
}
