//! Matchmaking configurations: matchmakers, as people say.

use crate::{
    Timestamp,
    model::{GameProperty, Tag, answer, request, wire_enum},
};

request! {
    /// Input of CreateMatchmakingConfiguration and UpdateMatchmakingConfiguration. In an update, absent members stay as
    /// they are, and only the name is required.
    MatchmakingConfigurationInput {
        /// 1 to 128 letters, digits, hyphens and dots; an update takes an ARN, too. Required.
        name: String => required MATCHMAKING_CONFIGURATION_NAME,
        /// A description.
        description: String => optional NON_ZERO_AND_MAX,
        /// Exactly one queue ARN for `WITH_QUEUE`, none for `STANDALONE`.
        game_session_queue_arns: Vec<String> => optional List(0..=usize::MAX, &ARN),
        /// Seconds after which a ticket times out: 1 to 43,200. Required.
        request_timeout_seconds: i64 => optional Range(1..=43_200),
        /// Seconds that players have to accept a match: 1 to 600.
        acceptance_timeout_seconds: i64 => optional Range(1..=600),
        /// Whether players must accept a match. Required.
        acceptance_required: bool => optional Any,
        /// Name or ARN of the rule set. Required.
        rule_set_name: String => optional MATCHMAKING_RULE_SET_NAME,
        /// ARN of the SNS topic that events go to.
        notification_target: String => optional SNS_ARN,
        /// Seats that a new match leaves empty.
        additional_player_count: i64 => optional WHOLE_NUMBER,
        /// Text that goes with every event, up to 256 characters.
        custom_event_data: String => optional MATCHMAKING_CUSTOM_EVENT_DATA,
        /// Key-value pairs for the game sessions, 16 at most.
        game_properties: Vec<GameProperty> => optional List(0..=16, Nested),
        /// Anything for the game sessions, up to 4,096 characters.
        game_session_data: String => optional MATCHED_GAME_SESSION_DATA,
        /// `AUTOMATIC` or `MANUAL`, which is the default.
        backfill_mode: String => optional OneOf(BackfillMode::NAMES),
        /// `STANDALONE` or `WITH_QUEUE`, which is the default.
        flex_match_mode: String => optional OneOf(FlexMatchMode::NAMES),
        /// Labels, 200 at most.
        tags: Vec<Tag> => optional TAGS,
    }
}

request! {
    /// Input of DescribeMatchmakingConfigurations.
    DescribeMatchmakingConfigurationsInput {
        /// Names or ARNs; all configurations when absent.
        names: Vec<String> => optional List(0..=300, &MATCHMAKING_CONFIGURATION_NAME),
        /// Only those with this rule set: name or ARN.
        rule_set_name: String => optional MATCHMAKING_RULE_SET_NAME,
        /// Most configurations per page, up to 10.
        limit: i64 => optional POSITIVE_INTEGER,
        /// Where the previous page ended.
        next_token: String => optional NON_ZERO_AND_MAX,
    }
}

request! {
    /// Input of DeleteMatchmakingConfiguration.
    DeleteMatchmakingConfigurationInput {
        /// Name or ARN. Required.
        name: String => required MATCHMAKING_CONFIGURATION_NAME,
    }
}

answer! {
    /// Output of CreateMatchmakingConfiguration and UpdateMatchmakingConfiguration.
    MatchmakingConfigurationOutput {
        /// The configuration.
        configuration: MatchmakingConfiguration,
    }
}

answer! {
    /// Output of DescribeMatchmakingConfigurations.
    DescribeMatchmakingConfigurationsOutput {
        /// Those that exist.
        configurations: Vec<MatchmakingConfiguration>,
        ; optional:
        /// Present when more pages exist.
        next_token: String,
    }
}

wire_enum! {
    /// Who asks for players for game sessions with room.
    BackfillMode {
        /// The matchmaker itself.
        Automatic = "AUTOMATIC",
        /// StartMatchBackfill.
        Manual = "MANUAL",
    }
}

wire_enum! {
    /// What becomes of a match.
    FlexMatchMode {
        /// Only an event.
        Standalone = "STANDALONE",
        /// A game session, through a queue.
        WithQueue = "WITH_QUEUE",
    }
}

answer! {
    /// A matchmaking configuration.
    MatchmakingConfiguration {
        /// Its name.
        name: String,
        /// Its ARN, with the account id.
        configuration_arn: String,
        /// The queue; none for `STANDALONE`.
        game_session_queue_arns: Vec<String>,
        /// Seconds after which a ticket times out.
        request_timeout_seconds: u64,
        /// Whether players must accept a match.
        acceptance_required: bool,
        /// Its rule set's name.
        rule_set_name: String,
        /// Its rule set's ARN.
        rule_set_arn: String,
        /// When it was created.
        creation_time: Timestamp,
        /// Key-value pairs for the game sessions.
        game_properties: Vec<GameProperty>,
        /// Who asks for players for game sessions with room.
        backfill_mode: BackfillMode,
        /// What becomes of a match.
        flex_match_mode: FlexMatchMode,
        ; optional:
        /// A description.
        description: String,
        /// Seconds that players have to accept a match.
        acceptance_timeout_seconds: u64,
        /// ARN of the SNS topic that events go to.
        notification_target: String,
        /// Seats that a new match leaves empty.
        additional_player_count: u32,
        /// Text that goes with every event.
        custom_event_data: String,
        /// What game sessions are given.
        game_session_data: String,
    }
}
