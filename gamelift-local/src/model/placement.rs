//! Game session placements.

use super::{GameProperty, answer, request, structure, wire_enum};
use crate::Timestamp;

request! {
    /// Input of StartGameSessionPlacement.
    StartGameSessionPlacementInput {
        /// The caller's own id, 1 to 48 letters, digits and hyphens, never used before. Required.
        placement_id: String => required ID_STRING,
        /// Name or ARN of a queue. Required.
        game_session_queue_name: String => required QUEUE_NAME_OR_ARN,
        /// Key-value pairs, 16 at most.
        game_properties: Vec<GameProperty> => optional List(0..=16, Nested),
        /// Player slots: 0 to 200. Required.
        maximum_player_session_count: i64 => required PLAYER_SESSION_COUNT,
        /// The game session's label.
        game_session_name: String => optional NON_ZERO_AND_MAX,
        /// What latency players have to locations.
        player_latencies: Vec<PlayerLatency> => optional List(0..=usize::MAX, Nested),
        /// Players who get a slot as soon as the game session is ACTIVE.
        desired_player_sessions: Vec<DesiredPlayerSession> => optional List(0..=usize::MAX, Nested),
        /// Anything, up to 262,144 characters, passed to the server process.
        game_session_data: String => optional GAME_SESSION_DATA,
        /// Another order of locations, for a queue that looks at locations first.
        priority_configuration_override: PriorityConfigurationOverride => optional Nested,
    }
}

request! {
    /// Input of DescribeGameSessionPlacement and StopGameSessionPlacement.
    GameSessionPlacementInput {
        /// The placement's id. Required.
        placement_id: String => required ID_STRING,
    }
}

answer! {
    /// Output of operations that answer with one placement.
    GameSessionPlacementOutput {
        /// The placement.
        game_session_placement: GameSessionPlacement,
    }
}

wire_enum! {
    /// Where a placement is in its life.
    GameSessionPlacementState {
        /// Waiting for a server process, or for one to activate the game session.
        Pending = "PENDING",
        /// The game session is ACTIVE.
        Fulfilled = "FULFILLED",
        /// StopGameSessionPlacement ended it.
        Cancelled = "CANCELLED",
        /// The queue's timeout passed.
        TimedOut = "TIMED_OUT",
        /// The game session ended before it was ACTIVE, or the queue was deleted.
        Failed = "FAILED",
    }
}

answer! {
    /// A request for a game session, and what has become of it.
    GameSessionPlacement {
        /// The caller's id.
        placement_id: String,
        /// The queue's name.
        game_session_queue_name: String,
        /// Its status.
        status: GameSessionPlacementState,
        /// Key-value pairs.
        game_properties: Vec<GameProperty>,
        /// Player slots.
        maximum_player_session_count: u32,
        /// What latency players have to locations.
        player_latencies: Vec<PlayerLatency>,
        /// When it was asked for.
        start_time: Timestamp,
        /// The slots of the desired players, once it is FULFILLED.
        placed_player_sessions: Vec<PlacedPlayerSession>,
        ; optional:
        /// The game session's label.
        game_session_name: String,
        /// ARN of the game session. While PENDING, another may follow.
        game_session_id: String,
        /// The same.
        game_session_arn: String,
        /// The Region of the game session's fleet.
        game_session_region: String,
        /// When it ended.
        end_time: Timestamp,
        /// The IP address players connect to.
        ip_address: String,
        /// The DNS name players connect to.
        dns_name: String,
        /// The port players connect to.
        port: u16,
        /// What the server process is given.
        game_session_data: String,
        /// Who was matched, as JSON in a string.
        matchmaker_data: String,
        /// The order of locations that was asked for.
        priority_configuration_override: PriorityConfigurationOverride,
        /// `DISABLED`, once there is a game session: Anywhere fleets have no player gateway.
        player_gateway_status: &'static str,
    }
}

answer! {
    /// A slot that a placement reserved.
    PlacedPlayerSession {
        /// The game's own id of the player.
        player_id: String,
        /// The player's proof.
        player_session_id: String,
    }
}

structure! {
    /// One player's latency to one location.
    PlayerLatency {
        /// The game's own id of the player.
        player_id: String => optional PLAYER_ID,
        /// The location.
        region_identifier: String => optional NON_ZERO_AND_MAX,
        /// Milliseconds.
        latency_in_milliseconds: f64 => optional Any,
    }
}

structure! {
    /// A player who gets a slot.
    DesiredPlayerSession {
        /// The game's own id of the player.
        player_id: String => optional PLAYER_ID,
        /// Anything, up to 2048 characters.
        player_data: String => optional PLAYER_DATA,
    }
}

structure! {
    /// Another order of locations than the queue's, for one placement.
    PriorityConfigurationOverride {
        /// Whether other locations follow: `DEFAULT_AFTER_SINGLE_PASS`, as when absent, or `NONE`.
        placement_fallback_strategy: String => optional OneOf(&["DEFAULT_AFTER_SINGLE_PASS", "NONE"]),
        /// Locations, the best first: 1 to 10. Required.
        location_order: Vec<String> => required List(1..=10, &LOCATION),
    }
}
