//! What the operator can do to one server process: what AWS does by itself, or what networks do.

use std::time::Duration;

use super::{Effect, Engine, change::ProcessName, process::Process};
use crate::Timestamp;

/// How long before the end of a Spot Instance its processes are told (AWS developer guide, "Spot Instances").
const INTERRUPTION_NOTICE: Duration = Duration::from_secs(2 * 60);

/// Something is asked of a process that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// Nobody is called so.
    #[error("there is no server process {0}; GET /state lists them")]
    Unknown(String),
    /// Several are called so.
    #[error("there are {1} server processes {0}, on several computes; say which with compute and fleet")]
    Ambiguous(String, usize),
    /// It has no connection.
    #[error("server process {0} has no connection")]
    NotConnected(String),
    /// It is not ready.
    #[error("server process {0} is not ready, or has ended")]
    NotActive(String),
}

impl Engine {
    /// The process with this id. Compute and fleet narrow it down where ids are used twice.
    ///
    /// # Errors
    /// None, or several.
    pub fn find_process(
        &self,
        id: &str,
        compute: Option<&str>,
        fleet: Option<&str>,
    ) -> Result<ProcessName, OperatorError> {
        let fleets = self.fleets.values().filter(|one| fleet.is_none_or(|fleet| fleet == one.id));
        let computes = fleets.flat_map(|fleet| fleet.computes.values().map(move |compute| (fleet, compute)));
        let computes = computes.filter(|(_, one)| compute.is_none_or(|compute| compute == one.name));
        let mut found: Vec<ProcessName> = computes
            .filter(|(_, compute)| compute.processes.contains_key(id))
            .map(|(fleet, compute)| ProcessName {
                fleet_id: fleet.id.clone(),
                compute_name: compute.name.clone(),
                process_id: id.to_owned(),
            })
            .collect();
        match found.len() {
            0 => Err(OperatorError::Unknown(id.to_owned())),
            1 => Ok(found.swap_remove(0)),
            count => Err(OperatorError::Ambiguous(id.to_owned(), count)),
        }
    }

    /// Closes the connections of a process, with a close code or abruptly. Returns how many there were.
    ///
    /// # Errors
    /// The process is unknown or has no connection.
    pub fn drop_process(
        &mut self,
        now: Timestamp,
        name: &ProcessName,
        code: Option<u16>,
    ) -> Result<usize, OperatorError> {
        let process = self.process_named(name).and_then(|key| self.processes.get(&key));
        let process = process.ok_or_else(|| OperatorError::Unknown(name.process_id.clone()))?;
        let connections: Vec<_> = process.connections.iter().map(|connection| connection.id).collect();
        if connections.is_empty() {
            return Err(OperatorError::NotConnected(name.process_id.clone()));
        }
        for connection in &connections {
            self.sdk_disconnected(now, *connection);
            self.effects.push_back(Effect::Close { connection: *connection, code });
        }
        Ok(connections.len())
    }

    /// Sends RefreshConnection to a process.
    ///
    /// # Errors
    /// The process is unknown or has no connection.
    pub fn refresh_process(&mut self, now: Timestamp, name: &ProcessName) -> Result<(), OperatorError> {
        let key = self.process_named(name).ok_or_else(|| OperatorError::Unknown(name.process_id.clone()))?;
        if self.processes.get(&key).is_none_or(|process| process.connections.is_empty()) {
            return Err(OperatorError::NotConnected(name.process_id.clone()));
        }
        self.refresh_connection(now, key);
        Ok(())
    }

    /// Sends TerminateProcess to a process, as when its fleet scales down, or with a Spot Instance's short notice and
    /// certain end. One that was asked to end already is not asked again.
    ///
    /// # Errors
    /// The process is unknown or not ready.
    pub fn end_process(
        &mut self,
        now: Timestamp,
        name: &ProcessName,
        interruption: bool,
    ) -> Result<(), OperatorError> {
        let key = self.process_named(name).ok_or_else(|| OperatorError::Unknown(name.process_id.clone()))?;
        let Some(active) = self.processes.get_mut(&key).and_then(Process::active_mut) else {
            return Err(OperatorError::NotActive(name.process_id.clone()));
        };
        active.interrupted |= interruption;
        if interruption {
            self.ask_to_end_by(now + INTERRUPTION_NOTICE, key);
        } else {
            self.ask_to_end(now, key);
        }
        Ok(())
    }
}
