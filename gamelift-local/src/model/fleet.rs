//! Fleets.

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{answer, request, wire_enum};
use crate::Timestamp;

/// Input of CreateFleet.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct CreateFleetInput {
    /// A label, 1 to 1024 characters. Required.
    pub name: Option<String>,
    /// What the fleet is for.
    pub description: Option<String>,
    /// Must be `ANYWHERE`.
    pub compute_type: Option<String>,
    /// Where its computes may be. Required for an Anywhere fleet.
    pub locations: Option<Vec<LocationConfiguration>>,
    /// What an hour of it costs, for cost-based queues.
    pub anywhere_configuration: Option<AnywhereConfiguration>,
    /// Metric group, one at most.
    pub metric_groups: Option<Vec<String>>,
    /// `NoProtection` or `FullProtection`; stored, without effect on Anywhere fleets.
    pub new_game_session_protection_policy: Option<String>,
    /// How long a game session may take to activate.
    pub runtime_configuration: Option<RuntimeConfiguration>,
    /// Refused: needs a managed fleet.
    pub build_id: Option<IgnoredAny>,
    /// Refused: needs a managed fleet.
    pub script_id: Option<IgnoredAny>,
    /// Refused: needs a managed fleet.
    #[serde(rename = "EC2InstanceType")]
    pub ec2_instance_type: Option<IgnoredAny>,
    /// Refused: not enforced here, and a limit that does not limit would be a lie.
    pub resource_creation_limit_policy: Option<IgnoredAny>,
}

/// One of a fleet's locations.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LocationConfiguration {
    /// The location's name.
    pub location: Option<String>,
}

/// What an Anywhere fleet costs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AnywhereConfiguration {
    /// A decimal number as text, such as `1.5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<String>,
}

/// How server processes run. Without the GameLift Agent, only the activation timeout has an effect.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RuntimeConfiguration {
    /// Seconds a game session may stay in ACTIVATING: 1 to 600, 300 when absent.
    pub game_session_activation_timeout_seconds: Option<i64>,
    /// Refused: starting processes is the Agent's work.
    pub server_processes: Option<IgnoredAny>,
    /// Refused: not enforced here.
    pub max_concurrent_game_session_activations: Option<IgnoredAny>,
}

answer! {
    /// Output of CreateFleet.
    CreateFleetOutput {
        /// The new fleet.
        fleet_attributes: FleetAttributes,
        /// Its locations.
        location_states: Vec<LocationState>,
    }
}

answer! {
    /// A location of a fleet.
    LocationState {
        /// The location's name.
        location: String,
        /// Its status in the fleet.
        status: FleetStatus,
    }
}

wire_enum! {
    /// Where a fleet is in its life. An Anywhere fleet becomes ACTIVE at once.
    FleetStatus {
        /// Just made: what CreateFleetLocations answers.
        New = "NEW",
        /// Ready for computes and game sessions.
        Active = "ACTIVE",
    }
}

answer! {
    /// A fleet.
    FleetAttributes {
        /// Its id, `fleet-` and a UUID.
        fleet_id: String,
        /// Its ARN, with the account id.
        fleet_arn: String,
        /// Its label.
        name: String,
        /// When it was created.
        creation_time: Timestamp,
        /// Its status.
        status: FleetStatus,
        /// `NoProtection` or `FullProtection`.
        new_game_session_protection_policy: String,
        /// Its metric groups.
        metric_groups: Vec<String>,
        /// Whether the fleet has a TLS certificate.
        certificate_configuration: CertificateConfiguration,
        /// `ANYWHERE`.
        compute_type: &'static str,
        ; optional:
        /// What it is for.
        description: String,
        /// What it costs.
        anywhere_configuration: AnywhereConfiguration,
    }
}

answer! {
    /// Whether GameLift makes a TLS certificate for the fleet. Never, for Anywhere fleets.
    CertificateConfiguration {
        /// `DISABLED`.
        certificate_type: &'static str,
    }
}

request! {
    /// Input of CreateFleetLocations.
    CreateFleetLocationsInput {
        /// Id or ARN of the fleet. Required.
        fleet_id: String,
        /// Custom locations that the fleet does not have yet. Required.
        locations: Vec<LocationConfiguration>,
    }
}

answer! {
    /// Output of CreateFleetLocations.
    CreateFleetLocationsOutput {
        /// The fleet's id.
        fleet_id: String,
        /// Its ARN.
        fleet_arn: String,
        /// The new locations.
        location_states: Vec<LocationState>,
    }
}

request! {
    /// Input of DescribeFleetLocationAttributes.
    DescribeFleetLocationAttributesInput {
        /// Id or ARN of the fleet. Required.
        fleet_id: String,
        /// Only these locations; all of the fleet's when absent.
        locations: Vec<String>,
        /// Without effect, as on AWS.
        limit: i64,
        /// Without effect: there is only one page.
        next_token: String,
    }
}

answer! {
    /// Output of DescribeFleetLocationAttributes.
    DescribeFleetLocationAttributesOutput {
        /// The fleet's id.
        fleet_id: String,
        /// Its ARN.
        fleet_arn: String,
        /// Those locations that the fleet has.
        location_attributes: Vec<LocationAttributes>,
    }
}

answer! {
    /// A location of a fleet, and what goes on there.
    LocationAttributes {
        /// The location and its status.
        location_state: LocationState,
    }
}

request! {
    /// Input of DescribeFleetAttributes.
    DescribeFleetAttributesInput {
        /// Ids or ARNs; all fleets when absent.
        fleet_ids: Vec<String>,
        /// Most fleets per page; ignored when ids are given.
        limit: i64,
        /// Where the previous page ended; ignored when ids are given.
        next_token: String,
    }
}

answer! {
    /// Output of DescribeFleetAttributes.
    DescribeFleetAttributesOutput {
        /// Those fleets that exist.
        fleet_attributes: Vec<FleetAttributes>,
        ; optional:
        /// Present when more pages exist.
        next_token: String,
    }
}

request! {
    /// Input of ListFleets.
    ListFleetsInput {
        /// Only fleets with this build: none, here.
        build_id: String,
        /// Only fleets with this script: none, here.
        script_id: String,
        /// Most fleets per page.
        limit: i64,
        /// Where the previous page ended.
        next_token: String,
    }
}

answer! {
    /// Output of ListFleets.
    ListFleetsOutput {
        /// One page of ids.
        fleet_ids: Vec<String>,
        ; optional:
        /// Present when more pages exist.
        next_token: String,
    }
}
