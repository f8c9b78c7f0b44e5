//! What happens to computes on AWS and not on a laptop: they are taken away, and fleets get smaller.

use std::time::Duration;

use super::{
    Engine, Timer,
    process::{Process, ProcessKey},
};
use crate::{ApiError, Timestamp, model::*};

/// What a compute gets before it is taken away (AWS developer guide, Spot interruptions).
pub(super) const INTERRUPTION_NOTICE: Duration = Duration::from_secs(2 * 60);

impl Engine {
    /// Takes a compute away, as Amazon EC2 does with Spot instances: its processes are told that they have two minutes,
    /// it gets no more game sessions, and then it is gone. Protection does not help. AWS has no operation for it.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, NotFound for an unknown fleet or compute.
    pub fn interrupt_compute(&mut self, now: Timestamp, input: ComputeInput) -> Result<(), ApiError> {
        let (fleet, compute) = self.compute(&input)?;
        if compute.is_interrupted {
            return Ok(());
        }
        let (fleet, name) = (fleet.id.clone(), compute.name.clone());
        let processes: Vec<ProcessKey> = compute.processes.values().copied().collect();
        if let Some(compute) = self.fleets.get_mut(&fleet).and_then(|fleet| fleet.computes.get_mut(&name)) {
            compute.is_interrupted = true;
        }
        let end_by = now + INTERRUPTION_NOTICE;
        self.timers.set(end_by, Timer::ComputeInterrupted(fleet.clone(), name.clone()));
        let message = format!("Compute {name} is interrupted and will be gone in two minutes");
        self.record(now, &fleet, EventCode::InstanceInterrupted, message);
        for key in processes {
            let hosted = self.processes.get(&key).and_then(Process::active).and_then(|it| it.game_session);
            if let Some(session) = hosted.and_then(|key| self.game_sessions.get_mut(key)) {
                session.is_interrupted = true;
            }
            self.ask_to_end_by(key, end_by);
            self.update_idle(key);
        }
        Ok(())
    }

    /// The two minutes are over.
    pub(super) fn compute_interrupted(&mut self, now: Timestamp, fleet: &str, name: &str) {
        let compute = self.fleets.get(fleet).and_then(|fleet| fleet.computes.get(name));
        // It may have been deregistered, and another one registered with its name.
        if compute.is_some_and(|compute| compute.is_interrupted) {
            self.remove_compute(now, fleet, name);
        }
    }

    /// Makes a location of a fleet smaller, as a scaling policy does: asks up to `most` processes to end, those without
    /// a game session first. ACTIVE game sessions with FullProtection go on. Returns how many were asked. AWS has no
    /// such operation for Anywhere fleets.
    ///
    /// # Errors
    /// InvalidRequest for a bad field or a location that the fleet does not have; NotFound for an unknown fleet.
    pub fn scale_down(
        &mut self,
        now: Timestamp,
        input: FleetLocationInput,
        most: usize,
    ) -> Result<usize, ApiError> {
        check::check(&input)?;
        let fleet = self.fleet(rule::required("fleetId", &input.fleet_id)?)?;
        let location = rule::required("location", &input.location)?;
        if !fleet.locations.contains_key(location) {
            let message = format!("Location {location} is not a location of fleet {}", fleet.id);
            return Err(ApiError::invalid(message));
        }
        let there = self.processes.iter().filter(|(_, process)| {
            process.fleet == fleet.id
                && process.location == *location
                && process.active().is_some_and(|active| active.end_by.is_none())
        });
        let session = |process: &Process| process.active().and_then(|active| active.game_session);
        let is_protected = |process: &Process| {
            let session = session(process).and_then(|key| self.game_sessions.get(key));
            session.is_some_and(|session| {
                session.protection == ProtectionPolicy::FullProtection
                    && session.model.status == GameSessionStatus::Active
            })
        };
        let free = there.filter(|(_, process)| !is_protected(process));
        let mut chosen: Vec<(bool, ProcessKey)> =
            free.map(|(key, process)| (session(process).is_some(), *key)).collect();
        chosen.sort_unstable();
        chosen.truncate(most);
        for (_, key) in &chosen {
            self.ask_to_end(now, *key);
        }
        Ok(chosen.len())
    }
}
