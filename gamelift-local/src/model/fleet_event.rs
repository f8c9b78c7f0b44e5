//! Fleet events.

use super::{answer, request, wire_enum};
use crate::Timestamp;

wire_enum! {
    /// What happened, as far as it can happen to an Anywhere fleet.
    EventCode {
        /// What has no code of its own.
        GenericEvent = "GENERIC_EVENT",
        /// CreateFleet.
        FleetCreated = "FLEET_CREATED",
        /// The fleet is ready.
        FleetStateActive = "FLEET_STATE_ACTIVE",
        /// DeleteFleet, and everything has ended.
        FleetDeleted = "FLEET_DELETED",
        /// UpdateFleetAttributes.
        FleetNewGameSessionProtectionPolicyUpdated = "FLEET_NEW_GAME_SESSION_PROTECTION_POLICY_UPDATED",
        /// A location was added.
        LocationStateCreated = "LOCATION_STATE_CREATED",
        /// A location is ready.
        LocationStateActive = "LOCATION_STATE_ACTIVE",
        /// A location is about to go.
        LocationStateDeleting = "LOCATION_STATE_DELETING",
        /// A location is gone.
        LocationStateDeleted = "LOCATION_STATE_DELETED",
        /// A server process connected and did not call ProcessReady within five minutes.
        ServerProcessProcessReadyTimeout = "SERVER_PROCESS_PROCESS_READY_TIMEOUT",
        /// A server process ended without ProcessEnding.
        ServerProcessCrashed = "SERVER_PROCESS_CRASHED",
        /// A server process reported bad health three times, or did not report it.
        ServerProcessTerminatedUnhealthy = "SERVER_PROCESS_TERMINATED_UNHEALTHY",
        /// A server process was asked to end and did not.
        ServerProcessForceTerminated = "SERVER_PROCESS_FORCE_TERMINATED",
        /// A server process called ProcessEnding and was still there 30 seconds later.
        ServerProcessProcessExitTimeout = "SERVER_PROCESS_PROCESS_EXIT_TIMEOUT",
        /// A game session did not become ACTIVE in time.
        GameSessionActivationTimeout = "GAME_SESSION_ACTIVATION_TIMEOUT",
        /// A compute was taken away.
        InstanceInterrupted = "INSTANCE_INTERRUPTED",
    }
}

request! {
    /// Input of DescribeFleetEvents.
    DescribeFleetEventsInput {
        /// Id or ARN of the fleet. Required.
        fleet_id: String => required FLEET_ID_OR_ARN,
        /// Only events at this moment or later.
        start_time: Timestamp => optional Any,
        /// Only events before this moment.
        end_time: Timestamp => optional Any,
        /// Most events per page.
        limit: i64 => optional POSITIVE_INTEGER,
        /// Where the previous page ended.
        next_token: String => optional NON_ZERO_AND_MAX,
    }
}

answer! {
    /// Output of DescribeFleetEvents.
    DescribeFleetEventsOutput {
        /// One page, the newest first.
        events: Vec<FleetEvent>,
        ; optional:
        /// Present when more pages exist.
        next_token: String,
    }
}

answer! {
    /// Something that happened to a fleet.
    FleetEvent {
        /// Its id, a UUID.
        event_id: String,
        /// The fleet's id.
        resource_id: String,
        /// What happened.
        event_code: EventCode,
        /// The same in words.
        message: String,
        /// When.
        event_time: Timestamp,
        /// How often. Every event is recorded for itself: 1.
        count: u32,
    }
}
