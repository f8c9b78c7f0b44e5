//! The table of operations.

use serde::{Serialize, de::DeserializeOwned};

use super::Codec;
#[cfg(test)]
use crate::model::check::{Checked, Described};
use crate::{
    ApiError,
    ErrorKind::{self, *},
    Timestamp,
    engine::Engine,
};

/// What is left of an operation once its input has been read.
pub(crate) type Job = Box<dyn FnOnce(&mut Engine, Timestamp) -> Result<Vec<u8>, ApiError> + Send>;

pub(crate) struct Operation {
    pub(super) name: &'static str,
    /// What it may refuse with, besides what every operation may: the service's own failure, a body that cannot be
    /// read, throttling.
    pub(super) errors: &'static [ErrorKind],
    /// Reads the input, away from the engine's task.
    pub(super) prepare: fn(Codec, &[u8]) -> Result<Job, ApiError>,
    /// The members of its input.
    #[cfg(test)]
    pub(super) members: fn() -> Vec<Described>,
}

impl Operation {
    /// Whether clients of the AWS API know that this operation may refuse so.
    pub(super) fn may_refuse_with(&self, kind: ErrorKind) -> bool {
        let always = matches!(kind, InternalService | RequestEntityTooLarge | Serialization | Throttling);
        always || self.errors.contains(&kind)
    }
}

macro_rules! table {
    ($($name:literal => $method:path, [$($error:ident),*];)+) => {
        &[$(Operation {
            name: $name,
            errors: &[$($error),*],
            prepare: |codec, body| prepare(codec, body, $method),
            #[cfg(test)]
            members: || members($method),
        },)+]
    };
}

// The errors are those that the AWS API reference lists for each operation, without the ones that every operation has.
const OPERATIONS: &[Operation] = table! {
    "AcceptMatch" => Engine::accept_match, [InvalidRequest, NotFound];
    "CreateAlias" => Engine::create_alias, [Conflict, InvalidRequest, LimitExceeded, TaggingFailed];
    "CreateFleet" => Engine::create_fleet, [Conflict, InvalidRequest, LimitExceeded, NotFound, TaggingFailed];
    "CreateFleetLocations" => Engine::create_fleet_locations, [Conflict, InvalidFleetStatus, InvalidRequest, LimitExceeded, NotFound];
    "CreateGameSession" => Engine::create_game_session, [Conflict, FleetCapacityExceeded, IdempotentParameterMismatch, InvalidFleetStatus, InvalidRequest, LimitExceeded, NotFound, TerminalRoutingStrategy];
    "CreateGameSessionQueue" => Engine::create_game_session_queue, [InvalidRequest, LimitExceeded, NotFound, TaggingFailed];
    "CreateLocation" => Engine::create_location, [Conflict, InvalidRequest, LimitExceeded, TaggingFailed];
    "CreateMatchmakingConfiguration" => Engine::create_matchmaking_configuration, [InvalidRequest, LimitExceeded, NotFound, TaggingFailed];
    "CreateMatchmakingRuleSet" => Engine::create_matchmaking_rule_set, [InvalidRequest, LimitExceeded, TaggingFailed];
    "CreatePlayerSession" => Engine::create_player_session, [GameSessionFull, InvalidGameSessionStatus, InvalidRequest, NotFound, TerminalRoutingStrategy];
    "CreatePlayerSessions" => Engine::create_player_sessions, [GameSessionFull, InvalidGameSessionStatus, InvalidRequest, NotFound, TerminalRoutingStrategy];
    "DeleteAlias" => Engine::delete_alias, [InvalidRequest, NotFound, TaggingFailed];
    "DeleteFleet" => Engine::delete_fleet, [InvalidFleetStatus, InvalidRequest, NotFound, TaggingFailed];
    "DeleteFleetLocations" => Engine::delete_fleet_locations, [InvalidRequest, NotFound];
    "DeleteGameSessionQueue" => Engine::delete_game_session_queue, [InvalidRequest, NotFound, TaggingFailed];
    "DeleteLocation" => Engine::delete_location, [InvalidRequest, NotFound];
    "DeleteMatchmakingConfiguration" => Engine::delete_matchmaking_configuration, [InvalidRequest, NotFound, TaggingFailed];
    "DeleteMatchmakingRuleSet" => Engine::delete_matchmaking_rule_set, [InvalidRequest, NotFound, TaggingFailed];
    "DeregisterCompute" => Engine::deregister_compute, [InvalidRequest, NotFound];
    "DescribeAlias" => Engine::describe_alias, [InvalidRequest, NotFound];
    "DescribeCompute" => Engine::describe_compute, [InvalidRequest, NotFound];
    "DescribeFleetAttributes" => Engine::describe_fleet_attributes, [InvalidRequest, NotFound];
    "DescribeFleetCapacity" => Engine::describe_fleet_capacity, [InvalidRequest, NotFound];
    "DescribeFleetEvents" => Engine::describe_fleet_events, [InvalidRequest, NotFound];
    "DescribeFleetLocationAttributes" => Engine::describe_fleet_location_attributes, [InvalidRequest, NotFound];
    "DescribeFleetLocationCapacity" => Engine::describe_fleet_location_capacity, [InvalidRequest, NotFound];
    "DescribeFleetLocationUtilization" => Engine::describe_fleet_location_utilization, [InvalidRequest, NotFound];
    "DescribeFleetPortSettings" => Engine::describe_fleet_port_settings, [InvalidRequest, NotFound];
    "DescribeFleetUtilization" => Engine::describe_fleet_utilization, [InvalidRequest, NotFound];
    "DescribeGameSessionDetails" => Engine::describe_game_session_details, [InvalidRequest, NotFound, TerminalRoutingStrategy];
    "DescribeGameSessionPlacement" => Engine::describe_game_session_placement, [InvalidRequest, NotFound];
    "DescribeGameSessionQueues" => Engine::describe_game_session_queues, [InvalidRequest, NotFound];
    "DescribeGameSessions" => Engine::describe_game_sessions, [InvalidRequest, NotFound, TerminalRoutingStrategy];
    "DescribeMatchmaking" => Engine::describe_matchmaking, [InvalidRequest];
    "DescribeMatchmakingConfigurations" => Engine::describe_matchmaking_configurations, [InvalidRequest];
    "DescribeMatchmakingRuleSets" => Engine::describe_matchmaking_rule_sets, [InvalidRequest, NotFound];
    "DescribePlayerSessions" => Engine::describe_player_sessions, [InvalidRequest, NotFound];
    "DescribeRuntimeConfiguration" => Engine::describe_runtime_configuration, [InvalidRequest, NotFound];
    "GetComputeAccess" => Engine::get_compute_access, [InvalidRequest, NotFound];
    "GetComputeAuthToken" => Engine::get_compute_auth_token, [InvalidRequest, NotFound];
    "GetGameSessionLogUrl" => Engine::get_game_session_log_url, [InvalidRequest, NotFound];
    "ListAliases" => Engine::list_aliases, [InvalidRequest];
    "ListCompute" => Engine::list_compute, [InvalidRequest];
    "ListFleets" => Engine::list_fleets, [InvalidRequest, NotFound];
    "ListLocations" => Engine::list_locations, [InvalidRequest];
    "ListTagsForResource" => Engine::list_tags_for_resource, [InvalidRequest, NotFound, TaggingFailed];
    "RegisterCompute" => Engine::register_compute, [Conflict, InvalidRequest, LimitExceeded];
    "ResolveAlias" => Engine::resolve_alias, [InvalidRequest, NotFound, TerminalRoutingStrategy];
    "SearchGameSessions" => Engine::search_game_sessions, [InvalidRequest, NotFound, TerminalRoutingStrategy];
    "StartGameSessionPlacement" => Engine::start_game_session_placement, [InvalidRequest, NotFound];
    "StartMatchBackfill" => Engine::start_match_backfill, [InvalidRequest, NotFound];
    "StartMatchmaking" => Engine::start_matchmaking, [InvalidRequest, NotFound];
    "StopGameSessionPlacement" => Engine::stop_game_session_placement, [InvalidRequest, NotFound];
    "StopMatchmaking" => Engine::stop_matchmaking, [InvalidRequest, NotFound];
    "TagResource" => Engine::tag_resource, [InvalidRequest, NotFound, TaggingFailed];
    "TerminateGameSession" => Engine::terminate_game_session, [InvalidGameSessionStatus, InvalidRequest, NotFound];
    "UntagResource" => Engine::untag_resource, [InvalidRequest, NotFound, TaggingFailed];
    "UpdateAlias" => Engine::update_alias, [InvalidRequest, NotFound];
    "UpdateFleetAttributes" => Engine::update_fleet_attributes, [Conflict, InvalidFleetStatus, InvalidRequest, LimitExceeded, NotFound];
    "UpdateFleetCapacity" => Engine::update_fleet_capacity, [Conflict, InvalidFleetStatus, InvalidRequest, LimitExceeded, NotFound];
    "UpdateFleetPortSettings" => Engine::update_fleet_port_settings, [Conflict, InvalidFleetStatus, InvalidRequest, LimitExceeded, NotFound];
    "UpdateGameSession" => Engine::update_game_session, [Conflict, InvalidGameSessionStatus, InvalidRequest, NotFound];
    "UpdateGameSessionQueue" => Engine::update_game_session_queue, [InvalidRequest, NotFound];
    "UpdateMatchmakingConfiguration" => Engine::update_matchmaking_configuration, [InvalidRequest, NotFound];
    "UpdateRuntimeConfiguration" => Engine::update_runtime_configuration, [InvalidFleetStatus, InvalidRequest, LimitExceeded, NotFound];
    "ValidateMatchmakingRuleSet" => Engine::validate_matchmaking_rule_set, [InvalidRequest];
};

pub(super) fn find(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.name == name)
}

fn prepare<I, O>(
    codec: Codec,
    body: &[u8],
    operation: fn(&mut Engine, Timestamp, I) -> Result<O, ApiError>,
) -> Result<Job, ApiError>
where
    I: DeserializeOwned + Send + 'static,
    O: Serialize + 'static,
{
    let input: I = codec.decode(body)?;
    Ok(Box::new(move |engine, now| codec.encode(&operation(engine, now, input)?)))
}

#[cfg(test)]
fn members<I: Checked, O>(_: fn(&mut Engine, Timestamp, I) -> Result<O, ApiError>) -> Vec<Described> {
    I::members()
}

#[cfg(test)]
pub(super) fn all() -> &'static [Operation] {
    OPERATIONS
}
