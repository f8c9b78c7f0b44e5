//! What goes on in a fleet's locations, and the operations that only managed fleets know.

use crate::{ApiError, Timestamp, engine::Engine, model::*};

impl Engine {
    /// Describes what goes on in a location of a fleet.
    ///
    /// # Errors
    /// InvalidRequest for a bad field or a location that the fleet does not have; NotFound for an unknown fleet.
    pub fn describe_fleet_location_utilization(
        &mut self,
        _now: Timestamp,
        input: FleetLocationInput,
    ) -> Result<DescribeFleetLocationUtilizationOutput, ApiError> {
        check::check(&input)?;
        let fleet = self.fleet(rule::required("fleetId", &input.fleet_id)?)?;
        let location = rule::required("location", &input.location)?;
        if !fleet.locations.contains_key(location) {
            let message = format!("Location {location} is not a location of fleet {}", fleet.id);
            return Err(ApiError::invalid(message));
        }
        let processes = self.processes.values().filter(|process| {
            process.fleet == fleet.id && process.location == *location && process.active().is_some()
        });
        let mut utilization = FleetUtilization {
            fleet_id: fleet.id.clone(),
            fleet_arn: fleet.arn.clone(),
            active_server_process_count: u32::try_from(processes.count()).unwrap_or(u32::MAX),
            active_game_session_count: 0,
            current_player_session_count: 0,
            maximum_player_session_count: 0,
            location: location.clone(),
        };
        let live = fleet.game_sessions.iter().filter(|(status, _)| **status != GameSessionStatus::Terminated);
        let live = live.flat_map(|(_, keys)| keys).filter_map(|key| self.game_sessions.get(*key));
        for session in live.filter(|session| session.model.location == *location) {
            utilization.active_game_session_count += 1;
            utilization.current_player_session_count += session.model.current_player_session_count;
            utilization.maximum_player_session_count += session.model.maximum_player_session_count;
        }
        Ok(DescribeFleetLocationUtilizationOutput { fleet_utilization: utilization })
    }

    /// Describes the utilization of managed fleets, of which there are none.
    ///
    /// # Errors
    /// InvalidRequest for a bad field or an Anywhere fleet.
    pub fn describe_fleet_utilization(
        &mut self,
        _now: Timestamp,
        input: DescribeFleetsInput,
    ) -> Result<DescribeFleetUtilizationOutput, ApiError> {
        check::check(&input)?;
        self.refuse_fleets("DescribeFleetUtilization", &input)?;
        Ok(DescribeFleetUtilizationOutput { fleet_utilization: Vec::new() })
    }

    /// Describes the capacity of managed fleets, of which there are none.
    ///
    /// # Errors
    /// InvalidRequest for a bad field or an Anywhere fleet.
    pub fn describe_fleet_capacity(
        &mut self,
        _now: Timestamp,
        input: DescribeFleetsInput,
    ) -> Result<DescribeFleetCapacityOutput, ApiError> {
        check::check(&input)?;
        self.refuse_fleets("DescribeFleetCapacity", &input)?;
        Ok(DescribeFleetCapacityOutput { fleet_capacity: Vec::new() })
    }

    /// # Errors
    /// InvalidRequest always: Anywhere fleets have no instances. NotFound for an unknown fleet.
    pub fn describe_fleet_location_capacity(
        &mut self,
        _now: Timestamp,
        input: FleetLocationInput,
    ) -> Result<Empty, ApiError> {
        check::check(&input)?;
        self.managed_only("DescribeFleetLocationCapacity", &input.fleet_id)
    }

    /// # Errors
    /// InvalidRequest always: Anywhere fleets have no instances. NotFound for an unknown fleet.
    pub fn update_fleet_capacity(
        &mut self,
        _now: Timestamp,
        input: UpdateFleetCapacityInput,
    ) -> Result<Empty, ApiError> {
        check::check(&input)?;
        self.managed_only("UpdateFleetCapacity", &input.fleet_id)
    }

    /// # Errors
    /// InvalidRequest always: nobody else's firewall is GameLift's business. NotFound for an unknown fleet.
    pub fn describe_fleet_port_settings(
        &mut self,
        _now: Timestamp,
        input: DescribeFleetPortSettingsInput,
    ) -> Result<Empty, ApiError> {
        check::check(&input)?;
        self.managed_only("DescribeFleetPortSettings", &input.fleet_id)
    }

    /// # Errors
    /// InvalidRequest always: nobody else's firewall is GameLift's business. NotFound for an unknown fleet.
    pub fn update_fleet_port_settings(
        &mut self,
        _now: Timestamp,
        input: UpdateFleetPortSettingsInput,
    ) -> Result<Empty, ApiError> {
        check::check(&input)?;
        self.managed_only("UpdateFleetPortSettings", &input.fleet_id)
    }

    fn refuse_fleets(&self, operation: &str, input: &DescribeFleetsInput) -> Result<(), ApiError> {
        // Unknown fleets are left out, as everywhere in operations with lists of ids.
        let mut known = input.fleet_ids.iter().flatten().filter_map(|id| self.fleet(id).ok());
        known.next().map_or(Ok(()), |fleet| Err(not_for_anywhere(operation, &fleet.id)))
    }

    /// Refuses what Anywhere fleets do not have (AWS API reference: "works with the following fleet types").
    pub(in crate::engine) fn managed_only(
        &self,
        operation: &str,
        fleet_id: &Option<String>,
    ) -> Result<Empty, ApiError> {
        let fleet = self.fleet(rule::required("fleetId", fleet_id)?)?;
        Err(not_for_anywhere(operation, &fleet.id))
    }
}

fn not_for_anywhere(operation: &str, fleet: &str) -> ApiError {
    let instead = match operation {
        "DescribeFleetUtilization" => "; use DescribeFleetLocationUtilization",
        "GetComputeAccess" => "; you have your own access to your own computers",
        _ => "",
    };
    ApiError::invalid(format!(
        "{operation} is not supported for fleet {fleet} with ComputeType ANYWHERE{instead}"
    ))
}
