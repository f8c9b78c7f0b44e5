//! Fleets.

use serde::de::IgnoredAny;

use super::{IpPermission, Tag, answer, request, structure, wire_enum};
use crate::Timestamp;

/// Most fleets that one request may name. AWS documents that there is such a limit, not which.
pub(crate) const FLEET_IDS_MAX: usize = 100;

request! {
    /// Input of CreateFleet.
    CreateFleetInput {
        /// A label, 1 to 1024 characters. Required.
        name: String => required NON_ZERO_AND_MAX,
        /// What the fleet is for.
        description: String => optional NON_ZERO_AND_MAX,
        /// Must be `ANYWHERE`.
        compute_type: String => optional OneOf(&["EC2", "ANYWHERE"]),
        /// Where its computes may be. Required for an Anywhere fleet.
        locations: Vec<LocationConfiguration> => optional List(1..=100, Nested),
        /// What an hour of it costs, for cost-based queues.
        anywhere_configuration: AnywhereConfiguration => optional Nested,
        /// Metric group, one at most.
        metric_groups: Vec<String> => optional List(0..=1, &METRIC_GROUP),
        /// What new game sessions are protected from: `NoProtection`, as when absent, or `FullProtection`.
        new_game_session_protection_policy: String => optional OneOf(ProtectionPolicy::NAMES),
        /// How many game sessions one creator may make.
        resource_creation_limit_policy: ResourceCreationLimitPolicy => optional Nested,
        /// How long a game session may take to activate, and how many may at a time.
        runtime_configuration: RuntimeConfiguration => optional Nested,
        /// Labels, 200 at most.
        tags: Vec<Tag> => optional TAGS,
        /// Refused: needs a managed fleet.
        build_id: String => optional BUILD_ID_OR_ARN,
        /// Refused: needs a managed fleet.
        script_id: String => optional SCRIPT_ID_OR_ARN,
        /// Refused: needs a managed fleet.
        server_launch_path: String => optional LAUNCH_PATH,
        /// Refused: needs a managed fleet.
        server_launch_parameters: String => optional LAUNCH_PARAMETERS,
        /// Refused: needs a managed fleet.
        log_paths: Vec<String> => optional List(0..=usize::MAX, &NON_ZERO_AND_MAX),
        /// Refused: needs a managed fleet.
        #[serde(rename = "EC2InstanceType")]
        ec2_instance_type: String => optional Any,
        /// Refused: needs a managed fleet.
        #[serde(rename = "EC2InboundPermissions")]
        ec2_inbound_permissions: Vec<IpPermission> => optional List(0..=50, Nested),
        /// Refused: needs a managed fleet.
        peer_vpc_aws_account_id: String => optional NON_ZERO_AND_MAX,
        /// Refused: needs a managed fleet.
        peer_vpc_id: String => optional NON_ZERO_AND_MAX,
        /// Refused: needs a managed fleet.
        fleet_type: String => optional OneOf(&["ON_DEMAND", "SPOT"]),
        /// Refused: needs a managed fleet.
        instance_role_arn: String => optional NON_EMPTY,
        /// Refused unless it is `DISABLED`: GameLift makes no certificates for Anywhere fleets.
        certificate_configuration: CertificateConfigurationInput => optional Nested,
        /// Refused: needs a managed fleet.
        instance_role_credentials_provider: String => optional OneOf(&["SHARED_CREDENTIAL_FILE"]),
        /// Refused unless it is `DISABLED`: needs a managed fleet.
        player_gateway_mode: String => optional OneOf(&["DISABLED", "ENABLED", "REQUIRED"]),
        /// Refused: needs a managed fleet.
        player_gateway_configuration: IgnoredAny => optional Any,
    }
}

structure! {
    /// One of a fleet's locations.
    LocationConfiguration {
        /// The location's name. Required.
        location: String => required LOCATION,
    }
}

structure! {
    /// What an Anywhere fleet costs.
    AnywhereConfiguration {
        /// A decimal number as text, such as `1.5`. Required.
        cost: String => required COST,
    }
}

structure! {
    /// Whether GameLift shall make a TLS certificate.
    CertificateConfigurationInput {
        /// `DISABLED` or `GENERATED`. Required.
        certificate_type: String => required OneOf(&["DISABLED", "GENERATED"]),
    }
}

structure! {
    /// How many game sessions one creator may make with CreateGameSession, in how much time.
    ResourceCreationLimitPolicy {
        /// So many game sessions: 0 to 10 (AWS quota "Game sessions per creator", adjustable).
        new_game_sessions_per_creator: i64 => optional Range(0..=10),
        /// In so many minutes: 0 to 60 (AWS quota "Policy period", adjustable).
        policy_period_in_minutes: i64 => optional Range(0..=60),
    }
}

structure! {
    /// How server processes run. Starting them is the GameLift Agent's work.
    RuntimeConfiguration {
        /// What the Agent starts. Stored, and without effect here.
        server_processes: Vec<ServerProcess> => optional List(1..=50, Nested),
        /// Most game sessions of one compute that are ACTIVATING at a time; 2,147,483,647 when absent.
        max_concurrent_game_session_activations: i64 => optional POSITIVE_INTEGER,
        /// Seconds a game session may stay in ACTIVATING: 1 to 600, 300 when absent.
        game_session_activation_timeout_seconds: i64 => optional Range(1..=600),
    }
}

structure! {
    /// A kind of server process that the Agent starts.
    ServerProcess {
        /// The executable. Required.
        launch_path: String => required LAUNCH_PATH,
        /// Its arguments.
        parameters: String => optional LAUNCH_PARAMETERS,
        /// How many run at a time. Required.
        concurrent_executions: i64 => required POSITIVE_INTEGER,
    }
}

wire_enum! {
    /// What happens to a fleet's ACTIVE game sessions when it gets smaller.
    ProtectionPolicy {
        /// They may be ended.
        NoProtection = "NoProtection",
        /// They go on.
        FullProtection = "FullProtection",
    }
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
    /// Where a fleet, or one of its locations, is in its life. An Anywhere fleet becomes ACTIVE at once.
    FleetStatus {
        /// Just made: what CreateFleetLocations answers.
        New = "NEW",
        /// Ready for computes and game sessions.
        Active = "ACTIVE",
        /// Its processes have been asked to end.
        Deleting = "DELETING",
        /// Gone, and described for an hour more.
        Terminated = "TERMINATED",
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
        /// What new game sessions are protected from.
        new_game_session_protection_policy: ProtectionPolicy,
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
        /// How many game sessions one creator may make.
        resource_creation_limit_policy: ResourceCreationLimitPolicy,
        /// When it was deleted.
        termination_time: Timestamp,
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
        fleet_id: String => required FLEET_ID_OR_ARN,
        /// Custom locations that the fleet does not have yet. Required.
        locations: Vec<LocationConfiguration> => required List(1..=100, Nested),
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
        fleet_id: String => required FLEET_ID_OR_ARN,
        /// Only these locations; all of the fleet's when absent.
        locations: Vec<String> => optional List(1..=100, &LOCATION),
        /// Without effect, as on AWS.
        limit: i64 => optional POSITIVE_INTEGER,
        /// Without effect: there is only one page.
        next_token: String => optional NON_ZERO_AND_MAX,
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
        fleet_ids: Vec<String> => optional List(1..=FLEET_IDS_MAX, &FLEET_ID_OR_ARN),
        /// Most fleets per page; ignored when ids are given.
        limit: i64 => optional POSITIVE_INTEGER,
        /// Where the previous page ended; ignored when ids are given.
        next_token: String => optional NON_ZERO_AND_MAX,
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
        build_id: String => optional BUILD_ID_OR_ARN,
        /// Only fleets with this script: none, here.
        script_id: String => optional SCRIPT_ID_OR_ARN,
        /// Most fleets per page.
        limit: i64 => optional POSITIVE_INTEGER,
        /// Where the previous page ended.
        next_token: String => optional NON_ZERO_AND_MAX,
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

answer! {
    /// Output of operations that answer with a fleet's ids.
    FleetOutput {
        /// The fleet's id.
        fleet_id: String,
        /// Its ARN.
        fleet_arn: String,
    }
}

request! {
    /// Input of UpdateFleetAttributes. Absent members stay as they are.
    UpdateFleetAttributesInput {
        /// Id or ARN of the fleet. Required.
        fleet_id: String => required FLEET_ID_OR_ARN,
        /// A label.
        name: String => optional NON_ZERO_AND_MAX,
        /// What the fleet is for.
        description: String => optional NON_ZERO_AND_MAX,
        /// What new game sessions are protected from. Those that exist keep what they have.
        new_game_session_protection_policy: String => optional OneOf(ProtectionPolicy::NAMES),
        /// How many game sessions one creator may make.
        resource_creation_limit_policy: ResourceCreationLimitPolicy => optional Nested,
        /// Metric group, one at most.
        metric_groups: Vec<String> => optional List(0..=1, &METRIC_GROUP),
        /// What an hour of it costs.
        anywhere_configuration: AnywhereConfiguration => optional Nested,
    }
}

request! {
    /// Input of operations that are about one fleet: DeleteFleet, DescribeRuntimeConfiguration.
    FleetInput {
        /// Id or ARN of the fleet. Required.
        fleet_id: String => required FLEET_ID_OR_ARN,
    }
}

request! {
    /// Input of DeleteFleetLocations.
    DeleteFleetLocationsInput {
        /// Id or ARN of the fleet. Required.
        fleet_id: String => required FLEET_ID_OR_ARN,
        /// Names of the locations that go. Required.
        locations: Vec<String> => required List(1..=100, &LOCATION),
    }
}

request! {
    /// Input of UpdateRuntimeConfiguration.
    UpdateRuntimeConfigurationInput {
        /// Id or ARN of the fleet. Required.
        fleet_id: String => required FLEET_ID_OR_ARN,
        /// Replaces what the fleet has. Required.
        runtime_configuration: RuntimeConfiguration => required Nested,
    }
}

answer! {
    /// Output of DescribeRuntimeConfiguration and UpdateRuntimeConfiguration.
    RuntimeConfigurationOutput {
        /// How server processes run.
        runtime_configuration: RuntimeConfiguration,
    }
}
