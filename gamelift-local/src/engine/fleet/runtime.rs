//! Runtime configurations, and changes of a fleet's attributes.

use std::time::Duration;

use super::Fleet;
use crate::{
    ApiError, ErrorKind, Timestamp,
    engine::{Engine, process::ProcessKey},
    model::*,
};

/// What DescribeRuntimeConfiguration shows when nothing special is set (AWS developer guide).
const ACTIVATION_TIMEOUT_SECONDS: i64 = 300;
/// The same.
const CONCURRENT_ACTIVATIONS: i64 = i32::MAX as i64;

/// Fills in what is not said.
pub(super) fn with_defaults(configuration: RuntimeConfiguration) -> RuntimeConfiguration {
    RuntimeConfiguration {
        max_concurrent_game_session_activations: configuration
            .max_concurrent_game_session_activations
            .or(Some(CONCURRENT_ACTIVATIONS)),
        game_session_activation_timeout_seconds: configuration
            .game_session_activation_timeout_seconds
            .or(Some(ACTIVATION_TIMEOUT_SECONDS)),
        ..configuration
    }
}

impl Fleet {
    /// How long a game session may stay in ACTIVATING.
    pub(in crate::engine) fn activation_timeout(&self) -> Duration {
        let seconds = self.runtime.game_session_activation_timeout_seconds;
        Duration::from_secs(seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0))
    }

    /// Most game sessions of a compute that are ACTIVATING at a time, if there is a limit.
    pub(in crate::engine) fn activations_max(&self) -> Option<usize> {
        let most = self.runtime.max_concurrent_game_session_activations;
        most.filter(|most| *most < CONCURRENT_ACTIVATIONS).and_then(|most| usize::try_from(most).ok())
    }
}

impl Engine {
    /// Describes how a fleet's server processes run.
    ///
    /// # Errors
    /// InvalidRequest for a bad id, NotFound for an unknown one.
    pub fn describe_runtime_configuration(
        &mut self,
        _now: Timestamp,
        input: FleetInput,
    ) -> Result<RuntimeConfigurationOutput, ApiError> {
        check::check(&input)?;
        let fleet = self.fleet(rule::required("fleetId", &input.fleet_id)?)?;
        let deleted = fleet.attributes.status == FleetStatus::Terminated;
        // AWS API reference: nothing for a deleted fleet.
        let runtime_configuration =
            if deleted { RuntimeConfiguration::default() } else { fleet.runtime.clone() };
        Ok(RuntimeConfigurationOutput { runtime_configuration })
    }

    /// Changes how a fleet's server processes run. Game sessions that are ACTIVATING keep their timeout.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, NotFound for an unknown fleet, InvalidFleetStatus for one that is deleted.
    pub fn update_runtime_configuration(
        &mut self,
        now: Timestamp,
        input: UpdateRuntimeConfigurationInput,
    ) -> Result<RuntimeConfigurationOutput, ApiError> {
        check::check(&input)?;
        let fleet = self.fleet(rule::required("fleetId", &input.fleet_id)?)?;
        fleet.check_active()?;
        let id = fleet.id.clone();
        let runtime = with_defaults(input.runtime_configuration.unwrap_or_default());
        if let Some(fleet) = self.fleets.get_mut(&id) {
            fleet.runtime = runtime.clone();
        }
        let of_fleet = self.processes.iter().filter(|(_, process)| process.fleet == id);
        let keys: Vec<ProcessKey> = of_fleet.map(|(key, _)| *key).collect();
        for key in keys {
            self.update_idle(key);
        }
        self.serve_lines(now);
        Ok(RuntimeConfigurationOutput { runtime_configuration: runtime })
    }

    /// Changes a fleet's attributes. Game sessions that exist keep their protection.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, NotFound for an unknown fleet, InvalidFleetStatus for one that is deleted.
    pub fn update_fleet_attributes(
        &mut self,
        now: Timestamp,
        input: UpdateFleetAttributesInput,
    ) -> Result<FleetOutput, ApiError> {
        check::check(&input)?;
        let fleet = self.fleet(rule::required("fleetId", &input.fleet_id)?)?;
        fleet.check_active()?;
        let output = FleetOutput { fleet_id: fleet.id.clone(), fleet_arn: fleet.arn.clone() };
        let protection =
            input.new_game_session_protection_policy.as_deref().and_then(ProtectionPolicy::parse);
        let before = fleet.attributes.new_game_session_protection_policy;
        if let Some(fleet) = self.fleets.get_mut(&output.fleet_id) {
            let attributes = &mut fleet.attributes;
            attributes.name = input.name.unwrap_or(std::mem::take(&mut attributes.name));
            attributes.description = input.description.or(attributes.description.take());
            attributes.metric_groups =
                input.metric_groups.unwrap_or(std::mem::take(&mut attributes.metric_groups));
            attributes.anywhere_configuration =
                input.anywhere_configuration.or(attributes.anywhere_configuration.take());
            attributes.resource_creation_limit_policy =
                input.resource_creation_limit_policy.or(attributes.resource_creation_limit_policy.take());
            attributes.new_game_session_protection_policy = protection.unwrap_or(before);
        }
        if let Some(protection) = protection.filter(|protection| *protection != before) {
            let message = format!(
                "New game session protection policy changed from {} to {}",
                before.as_str(),
                protection.as_str()
            );
            let code = EventCode::FleetNewGameSessionProtectionPolicyUpdated;
            self.record(now, &output.fleet_id, code, message);
        }
        Ok(output)
    }
}

impl Fleet {
    /// Whether the fleet can still be worked with.
    ///
    /// # Errors
    /// InvalidFleetStatus.
    pub(in crate::engine) fn check_active(&self) -> Result<(), ApiError> {
        match self.attributes.status {
            FleetStatus::Active | FleetStatus::New => Ok(()),
            status => Err(ApiError::new(
                ErrorKind::InvalidFleetStatus,
                format!("Fleet {} is in status {} instead of ACTIVE", self.id, status.as_str()),
            )),
        }
    }
}
