//! The locations of a fleet.

use super::{
    Engine,
    fleet::{FLEET_LOCATIONS_MAX, FleetLocation},
    placement::PlacementKey,
};
use crate::{ApiError, ErrorKind, Timestamp, model::*};

impl Engine {
    /// Adds locations to a fleet. They are ACTIVE at once, but AWS answers with NEW.
    ///
    /// # Errors
    /// InvalidRequest for a bad field or a location that does not exist; NotFound for an unknown fleet;
    /// InvalidFleetStatus for one that is deleted; Conflict for a location that the fleet has; LimitExceeded beyond 10.
    pub fn create_fleet_locations(
        &mut self,
        now: Timestamp,
        input: CreateFleetLocationsInput,
    ) -> Result<CreateFleetLocationsOutput, ApiError> {
        check::check(&input)?;
        let fleet = self.fleet(rule::required("fleetId", &input.fleet_id)?)?;
        fleet.check_active()?;
        let configurations = rule::required("locations", &input.locations)?;
        let locations = self.check_fleet_locations(configurations)?;
        let (fleet_id, fleet_arn) = (fleet.id.clone(), fleet.arn.clone());
        if let Some(location) = locations.iter().find(|location| fleet.locations.contains_key(*location)) {
            let message = format!("Fleet {fleet_id} has location {location} already");
            return Err(ApiError::new(ErrorKind::Conflict, message));
        }
        let count = fleet.locations.len() + locations.len();
        if count > FLEET_LOCATIONS_MAX {
            let message = format!("{count} locations exceed the limit of {FLEET_LOCATIONS_MAX} per fleet");
            return Err(ApiError::new(ErrorKind::LimitExceeded, message));
        }
        let state =
            |location: &String| LocationState { location: location.clone(), status: FleetStatus::New };
        let location_states = locations.iter().map(state).collect();
        if let Some(fleet) = self.fleets.get_mut(&fleet_id) {
            let new = locations.iter().map(|location| (location.clone(), FleetLocation::default()));
            fleet.locations.extend(new);
        }
        for location in &locations {
            self.record_location(now, &fleet_id, location);
        }
        // Placements that wait for the fleet stand in the new lines, too.
        let queues = self.queues.values().filter(|queue| self.fleets_of(queue).contains(&fleet_id));
        let waiting: Vec<PlacementKey> = queues.flat_map(|queue| queue.pending.iter().copied()).collect();
        for placement in waiting {
            self.try_again(now, placement);
        }
        Ok(CreateFleetLocationsOutput { fleet_id, fleet_arn, location_states })
    }

    /// Describes the given locations of a fleet, in that order, or all.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, NotFound for an unknown fleet. Locations that the fleet lacks are left out.
    pub fn describe_fleet_location_attributes(
        &mut self,
        _now: Timestamp,
        input: DescribeFleetLocationAttributesInput,
    ) -> Result<DescribeFleetLocationAttributesOutput, ApiError> {
        // AWS API reference: the limit is not enforced. A fleet has ten locations at most.
        check::check(&input)?;
        let fleet = self.fleet(rule::required("fleetId", &input.fleet_id)?)?;
        let found: Vec<(&String, &FleetLocation)> = match &input.locations {
            Some(wanted) => wanted.iter().filter_map(|name| fleet.locations.get_key_value(name)).collect(),
            None => fleet.locations.iter().collect(),
        };
        let attributes = |(name, location): (&String, &FleetLocation)| LocationAttributes {
            location_state: LocationState { location: name.clone(), status: location.status() },
        };
        Ok(DescribeFleetLocationAttributesOutput {
            fleet_id: fleet.id.clone(),
            fleet_arn: fleet.arn.clone(),
            location_attributes: found.into_iter().map(attributes).collect(),
        })
    }
}
