//! The end of fleets and their locations.
//!
//! Server processes are asked to end, as managed fleets do it. When none is left, or their five minutes are over, the
//! location goes with its computes; a fleet goes with its last location.

use std::time::Duration;

use crate::{
    ApiError, Timestamp,
    engine::{
        Effect, Engine, Timer,
        placement::PlacementKey,
        process::{ProcessKey, TERMINATION_GRACE},
    },
    model::*,
};

/// How long a TERMINATED fleet can still be described. AWS documents no value.
const FLEET_KEPT: Duration = Duration::from_secs(60 * 60);
/// Most TERMINATED fleets that can still be described; then the oldest go.
const TERMINATED_FLEETS_MAX: usize = 100;

impl Engine {
    /// Deletes a fleet: it is DELETING until its processes have ended, then TERMINATED.
    ///
    /// # Errors
    /// InvalidRequest for a bad id, NotFound for an unknown one, InvalidFleetStatus for a fleet that is deleted.
    pub fn delete_fleet(&mut self, now: Timestamp, input: FleetInput) -> Result<Empty, ApiError> {
        check::check(&input)?;
        let fleet = self.fleet(rule::required("fleetId", &input.fleet_id)?)?;
        fleet.check_active()?;
        let id = fleet.id.clone();
        let locations: Vec<String> = fleet.locations.keys().cloned().collect();
        if let Some(fleet) = self.fleets.get_mut(&id) {
            fleet.attributes.status = FleetStatus::Deleting;
        }
        for location in &locations {
            self.retire_location(now, &id, location);
        }
        self.fleet_emptied(now, &id);
        Ok(Empty {})
    }

    /// Takes locations from a fleet: they are DELETING until their processes have ended.
    ///
    /// # Errors
    /// InvalidRequest for a bad field or a location that the fleet does not have; NotFound for an unknown fleet.
    pub fn delete_fleet_locations(
        &mut self,
        now: Timestamp,
        input: DeleteFleetLocationsInput,
    ) -> Result<CreateFleetLocationsOutput, ApiError> {
        check::check(&input)?;
        let fleet = self.fleet(rule::required("fleetId", &input.fleet_id)?)?;
        let (fleet_id, fleet_arn) = (fleet.id.clone(), fleet.arn.clone());
        let locations = input.locations.unwrap_or_default();
        if let Some(unknown) = locations.iter().find(|location| !fleet.locations.contains_key(*location)) {
            let message = format!("Location {unknown} is not a location of fleet {fleet_id}");
            return Err(ApiError::invalid(message));
        }
        for location in &locations {
            self.retire_location(now, &fleet_id, location);
        }
        let state = |location| LocationState { location, status: FleetStatus::Deleting };
        let location_states = locations.into_iter().map(state).collect();
        Ok(CreateFleetLocationsOutput { fleet_id, fleet_arn, location_states })
    }

    /// Asks everything in a location to end.
    fn retire_location(&mut self, now: Timestamp, fleet: &str, location: &str) {
        let timer = || Timer::DeleteFleetLocation(fleet.to_owned(), location.to_owned());
        let Some(at) = self.fleet_location_mut(fleet, location) else { return };
        if at.deleting.is_some() {
            return;
        }
        let waiting: Vec<PlacementKey> = at.line.iter().copied().collect();
        at.idle.clear();
        let deleting = self.timers.set(now + TERMINATION_GRACE, timer());
        if let Some(at) = self.fleet_location_mut(fleet, location) {
            at.deleting = Some(deleting);
        }
        let message = format!("Location {location} of fleet {fleet} changed state to DELETING");
        self.record(now, fleet, EventCode::LocationStateDeleting, message);
        for placement in waiting {
            self.try_again(now, placement);
        }
        for key in self.processes_at(fleet, location) {
            self.ask_to_end(now, key);
        }
        self.location_emptied(now, fleet, location);
    }

    /// A process has ended. If it was the last one of a location that is to go, nothing is waited for any more.
    pub(in crate::engine) fn location_emptied(&mut self, now: Timestamp, fleet: &str, location: &str) {
        let Some(Some(timer)) = self.fleet_location_mut(fleet, location).map(|at| at.deleting) else {
            return;
        };
        let mut processes = self.processes.values();
        let is_there = processes.any(|process| {
            process.fleet == fleet && process.location == location && process.active().is_some()
        });
        if is_there {
            return;
        }
        // Not now: the last process waits for the answer to its ProcessEnding.
        self.timers.cancel(Some(timer));
        let timer = Timer::DeleteFleetLocation(fleet.to_owned(), location.to_owned());
        let deleting = self.timers.set(now, timer);
        if let Some(at) = self.fleet_location_mut(fleet, location) {
            at.deleting = Some(deleting);
        }
    }

    /// Everything in a location has ended, or has had its time.
    pub(in crate::engine) fn delete_fleet_location(&mut self, now: Timestamp, fleet: &str, location: &str) {
        let Some(entry) = self.fleets.get_mut(fleet) else { return };
        entry.locations.remove(location);
        entry.computes.retain(|_, compute| compute.location != location);
        for key in self.processes_at(fleet, location) {
            if self.processes.get(&key).is_some_and(|process| process.active().is_some()) {
                let what = "did not end in time and was given up";
                self.record_process(now, key, EventCode::ServerProcessForceTerminated, what);
            }
            self.give_up_process(now, key);
        }
        let message = format!("Location {location} of fleet {fleet} was deleted");
        self.record(now, fleet, EventCode::LocationStateDeleted, message);
        self.fleet_emptied(now, fleet);
    }

    /// Ends a process, whatever it does, and its connections.
    pub(in crate::engine) fn give_up_process(&mut self, now: Timestamp, key: ProcessKey) {
        self.process_ended(now, key);
        for connection in self.take_connections(key) {
            self.effects.push_back(Effect::Close { connection, code: Some(1008) });
        }
        self.forget_process(key);
    }

    fn processes_at(&self, fleet: &str, location: &str) -> Vec<ProcessKey> {
        let there =
            |process: &super::super::process::Process| process.fleet == fleet && process.location == location;
        self.processes.iter().filter(|(_, process)| there(process)).map(|(key, _)| *key).collect()
    }

    /// A fleet that is to go has gone when its last location has.
    fn fleet_emptied(&mut self, now: Timestamp, id: &str) {
        let Some(fleet) = self.fleets.get_mut(id) else { return };
        if fleet.attributes.status != FleetStatus::Deleting || !fleet.locations.is_empty() {
            return;
        }
        fleet.attributes.status = FleetStatus::Terminated;
        fleet.attributes.termination_time = Some(now);
        self.record(now, id, EventCode::FleetDeleted, format!("Fleet {id} was deleted"));
        self.forget_tags("fleet", id);
        self.timers.set(now + FLEET_KEPT, Timer::ForgetFleet(id.to_owned()));
        let terminated = self
            .fleets
            .values()
            .filter_map(|fleet| fleet.attributes.termination_time.map(|at| (at, fleet.id.clone())));
        let terminated: Vec<(Timestamp, String)> = terminated.collect();
        if terminated.len() > TERMINATED_FLEETS_MAX
            && let Some((_, oldest)) = terminated.into_iter().min()
        {
            self.forget_fleet(&oldest);
        }
    }

    /// Nobody asks for a deleted fleet any more. A new fleet may have got its id.
    pub(in crate::engine) fn forget_fleet(&mut self, id: &str) {
        if self.fleets.get(id).is_some_and(|fleet| fleet.attributes.status == FleetStatus::Terminated) {
            self.fleets.remove(id);
        }
    }
}
