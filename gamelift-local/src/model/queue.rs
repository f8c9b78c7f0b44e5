//! Game session queues.

use serde::de::IgnoredAny;

use super::{Tag, answer, request, structure, wire_enum};

request! {
    /// Input of CreateGameSessionQueue.
    CreateGameSessionQueueInput {
        /// 1 to 128 letters, digits and hyphens. Required.
        name: String => required QUEUE_NAME,
        /// How long a placement may take: 10 to 600 seconds, 600 when absent.
        timeout_in_seconds: i64 => optional Range(10..=600),
        /// Caps on player latency, for some time each.
        player_latency_policies: Vec<PlayerLatencyPolicy> => optional List(0..=LATENCY_POLICIES_MAX, Nested),
        /// Fleets, the preferred one first; 10 at most.
        destinations: Vec<GameSessionQueueDestination> => optional List(0..=usize::MAX, Nested),
        /// The only locations that may be used.
        filter_configuration: FilterConfiguration => optional Nested,
        /// What makes one place better than another.
        priority_configuration: PriorityConfiguration => optional Nested,
        /// Text that goes with every event of the queue, up to 256 characters.
        custom_event_data: String => optional QUEUE_CUSTOM_EVENT_DATA,
        /// ARN of the SNS topic that events go to.
        notification_target: String => optional QUEUE_SNS_ARN,
        /// Refused: no logs are delivered here.
        log_configuration: IgnoredAny => optional Any,
        /// Labels, 200 at most.
        tags: Vec<Tag> => optional TAGS,
    }
}

request! {
    /// Input of UpdateGameSessionQueue. Absent members stay as they are; lists are replaced whole.
    UpdateGameSessionQueueInput {
        /// Name or ARN. Required.
        name: String => required QUEUE_NAME_OR_ARN,
        /// How long a placement that is yet to start may take: 10 to 600 seconds.
        timeout_in_seconds: i64 => optional Range(10..=600),
        /// Caps on player latency, for some time each.
        player_latency_policies: Vec<PlayerLatencyPolicy> => optional List(0..=LATENCY_POLICIES_MAX, Nested),
        /// Fleets, the preferred one first; 10 at most.
        destinations: Vec<GameSessionQueueDestination> => optional List(0..=usize::MAX, Nested),
        /// The only locations that may be used; an empty structure removes the filter.
        filter_configuration: FilterConfiguration => optional Nested,
        /// What makes one place better than another; an empty structure brings the default back.
        priority_configuration: PriorityConfiguration => optional Nested,
        /// Text that goes with every event of the queue, up to 256 characters.
        custom_event_data: String => optional QUEUE_CUSTOM_EVENT_DATA,
        /// ARN of the SNS topic that events go to.
        notification_target: String => optional QUEUE_SNS_ARN,
        /// Refused: no logs are delivered here.
        add_log_delivery_destinations: IgnoredAny => optional Any,
        /// Refused: no logs are delivered here.
        remove_log_delivery_destinations: IgnoredAny => optional Any,
    }
}

request! {
    /// Input of DeleteGameSessionQueue.
    DeleteGameSessionQueueInput {
        /// Name or ARN. Required.
        name: String => required QUEUE_NAME_OR_ARN,
    }
}

request! {
    /// Input of DescribeGameSessionQueues.
    DescribeGameSessionQueuesInput {
        /// Names or ARNs; all queues when absent.
        names: Vec<String> => optional List(0..=100, &QUEUE_NAME_OR_ARN),
        /// Most queues per page, up to 50.
        limit: i64 => optional POSITIVE_INTEGER,
        /// Where the previous page ended.
        next_token: String => optional NON_ZERO_AND_MAX,
    }
}

answer! {
    /// Output of DescribeGameSessionQueues.
    DescribeGameSessionQueuesOutput {
        /// Those queues that exist.
        game_session_queues: Vec<GameSessionQueue>,
        ; optional:
        /// Present when more pages exist.
        next_token: String,
    }
}

answer! {
    /// Output of operations that answer with one queue.
    GameSessionQueueOutput {
        /// The queue.
        game_session_queue: GameSessionQueue,
    }
}

answer! {
    /// A queue: where placements may go, and in which order.
    GameSessionQueue {
        /// Its name.
        name: String,
        /// Its ARN, with the account id.
        game_session_queue_arn: String,
        /// How long a placement may take.
        timeout_in_seconds: u32,
        /// Caps on player latency, the lowest first.
        player_latency_policies: Vec<PlayerLatencyPolicy>,
        /// Fleets, the preferred one first.
        destinations: Vec<GameSessionQueueDestination>,
        ; optional:
        /// The only locations that may be used.
        filter_configuration: FilterConfiguration,
        /// What makes one place better than another.
        priority_configuration: PriorityConfiguration,
        /// Text that goes with every event.
        custom_event_data: String,
        /// ARN of the SNS topic that events go to.
        notification_target: String,
    }
}

/// Most latency policies of a queue. AWS documents no limit; each has a duration within ten minutes.
const LATENCY_POLICIES_MAX: usize = 600;

structure! {
    /// A cap on the latency of every single player.
    PlayerLatencyPolicy {
        /// The cap, in milliseconds. Required here, because a policy without one says nothing.
        maximum_individual_player_latency_milliseconds: i64 => required WHOLE_NUMBER,
        /// How long it holds; until the queue's timeout when absent.
        policy_duration_seconds: i64 => optional WHOLE_NUMBER,
    }
}

structure! {
    /// One destination of a queue.
    GameSessionQueueDestination {
        /// ARN of a fleet.
        destination_arn: String => optional ARN,
    }
}

structure! {
    /// Where placements may go.
    FilterConfiguration {
        /// The only locations that may be used.
        allowed_locations: Vec<String> => optional List(1..=100, &LOCATION),
    }
}

structure! {
    /// In which order places are tried.
    PriorityConfiguration {
        /// Criteria, the most important first; those that are missing follow in their usual order.
        priority_order: Vec<String> => optional List(1..=4, OneOf(PriorityType::NAMES)),
        /// Locations, the best first; the others follow by name.
        location_order: Vec<String> => optional List(1..=100, &LOCATION),
    }
}

wire_enum! {
    /// A criterion by which places are ordered. This is their usual order.
    PriorityType {
        /// The players' average latency, if the request tells it.
        Latency = "LATENCY",
        /// The fleet's hourly cost.
        Cost = "COST",
        /// The order of the queue's destinations.
        Destination = "DESTINATION",
        /// The order of locations.
        Location = "LOCATION",
    }
}
