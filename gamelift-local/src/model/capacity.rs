//! Capacity, utilization, ports and whatever else only managed fleets have much of.

use serde::de::IgnoredAny;

use super::{answer, fleet::FLEET_IDS_MAX, request, structure};

request! {
    /// Input of DescribeFleetCapacity and DescribeFleetUtilization.
    DescribeFleetsInput {
        /// Ids or ARNs; all managed fleets when absent, of which there are none.
        fleet_ids: Vec<String> => optional List(1..=FLEET_IDS_MAX, &FLEET_ID_OR_ARN),
        /// Most fleets per page.
        limit: i64 => optional POSITIVE_INTEGER,
        /// Where the previous page ended.
        next_token: String => optional NON_ZERO_AND_MAX,
    }
}

answer! {
    /// Output of DescribeFleetCapacity.
    DescribeFleetCapacityOutput {
        /// Nothing: there are no managed fleets.
        fleet_capacity: Vec<FleetUtilization>,
    }
}

answer! {
    /// Output of DescribeFleetUtilization.
    DescribeFleetUtilizationOutput {
        /// Nothing: there are no managed fleets.
        fleet_utilization: Vec<FleetUtilization>,
    }
}

request! {
    /// Input of DescribeFleetLocationCapacity and DescribeFleetLocationUtilization.
    FleetLocationInput {
        /// Id or ARN of the fleet. Required.
        fleet_id: String => required FLEET_ID_OR_ARN,
        /// One of its locations. Required.
        location: String => required LOCATION,
    }
}

answer! {
    /// Output of DescribeFleetLocationUtilization.
    DescribeFleetLocationUtilizationOutput {
        /// What goes on there.
        fleet_utilization: FleetUtilization,
    }
}

answer! {
    /// What goes on in a location of a fleet.
    FleetUtilization {
        /// The fleet's id.
        fleet_id: String,
        /// Its ARN.
        fleet_arn: String,
        /// Server processes that are ready, or hosting a game session.
        active_server_process_count: u32,
        /// Game sessions that are ACTIVATING, ACTIVE or TERMINATING.
        active_game_session_count: u32,
        /// Slots taken in them.
        current_player_session_count: u32,
        /// All their slots.
        maximum_player_session_count: u32,
        /// The location.
        location: String,
    }
}

structure! {
    /// Who may connect to a managed fleet's instances.
    IpPermission {
        /// First port. Required.
        from_port: i64 => required Range(1..=60_000),
        /// Last port. Required.
        to_port: i64 => required Range(1..=60_000),
        /// From where, in CIDR notation. Required.
        ip_range: String => required IP_RANGE,
        /// `TCP` or `UDP`. Required.
        protocol: String => required OneOf(&["TCP", "UDP"]),
    }
}

request! {
    /// Input of UpdateFleetCapacity.
    UpdateFleetCapacityInput {
        /// Id or ARN of the fleet. Required.
        fleet_id: String => required FLEET_ID_OR_ARN,
        /// Instances wanted.
        desired_instances: i64 => optional WHOLE_NUMBER,
        /// Fewest instances.
        min_size: i64 => optional WHOLE_NUMBER,
        /// Most instances.
        max_size: i64 => optional WHOLE_NUMBER,
        /// Where.
        location: String => optional LOCATION,
        /// Who scales.
        managed_capacity_configuration: IgnoredAny => optional Any,
    }
}

request! {
    /// Input of DescribeFleetPortSettings.
    DescribeFleetPortSettingsInput {
        /// Id or ARN of the fleet. Required.
        fleet_id: String => required FLEET_ID_OR_ARN,
        /// Where.
        location: String => optional LOCATION,
    }
}

request! {
    /// Input of UpdateFleetPortSettings.
    UpdateFleetPortSettingsInput {
        /// Id or ARN of the fleet. Required.
        fleet_id: String => required FLEET_ID_OR_ARN,
        /// What is opened.
        inbound_permission_authorizations: Vec<IpPermission> => optional List(0..=50, Nested),
        /// What is closed.
        inbound_permission_revocations: Vec<IpPermission> => optional List(0..=50, Nested),
    }
}
