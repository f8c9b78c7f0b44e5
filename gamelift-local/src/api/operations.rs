//! The table of operations.

use serde::{Serialize, de::DeserializeOwned};

use super::Codec;
use crate::{ApiError, Timestamp, engine::Engine};

/// What is left of an operation once its input has been read.
pub(crate) type Job = Box<dyn FnOnce(&mut Engine, Timestamp) -> Result<Vec<u8>, ApiError> + Send>;

pub(crate) struct Operation {
    name: &'static str,
    /// Reads the input, away from the engine's task.
    pub(super) prepare: fn(Codec, &[u8]) -> Result<Job, ApiError>,
}

macro_rules! table {
    ($($name:literal => $method:path,)+) => {
        &[$(Operation { name: $name, prepare: |codec, body| prepare(codec, body, $method) },)+]
    };
}

const OPERATIONS: &[Operation] = table! {
    "AcceptMatch" => Engine::accept_match,
    "CreateFleet" => Engine::create_fleet,
    "CreateFleetLocations" => Engine::create_fleet_locations,
    "CreateGameSession" => Engine::create_game_session,
    "CreateGameSessionQueue" => Engine::create_game_session_queue,
    "CreateLocation" => Engine::create_location,
    "CreateMatchmakingConfiguration" => Engine::create_matchmaking_configuration,
    "CreateMatchmakingRuleSet" => Engine::create_matchmaking_rule_set,
    "CreatePlayerSession" => Engine::create_player_session,
    "CreatePlayerSessions" => Engine::create_player_sessions,
    "DeleteGameSessionQueue" => Engine::delete_game_session_queue,
    "DeleteLocation" => Engine::delete_location,
    "DeleteMatchmakingConfiguration" => Engine::delete_matchmaking_configuration,
    "DeleteMatchmakingRuleSet" => Engine::delete_matchmaking_rule_set,
    "DeregisterCompute" => Engine::deregister_compute,
    "DescribeCompute" => Engine::describe_compute,
    "DescribeFleetAttributes" => Engine::describe_fleet_attributes,
    "DescribeFleetLocationAttributes" => Engine::describe_fleet_location_attributes,
    "DescribeGameSessionPlacement" => Engine::describe_game_session_placement,
    "DescribeGameSessionQueues" => Engine::describe_game_session_queues,
    "DescribeGameSessions" => Engine::describe_game_sessions,
    "DescribeMatchmaking" => Engine::describe_matchmaking,
    "DescribeMatchmakingConfigurations" => Engine::describe_matchmaking_configurations,
    "DescribeMatchmakingRuleSets" => Engine::describe_matchmaking_rule_sets,
    "DescribePlayerSessions" => Engine::describe_player_sessions,
    "GetComputeAuthToken" => Engine::get_compute_auth_token,
    "ListCompute" => Engine::list_compute,
    "ListFleets" => Engine::list_fleets,
    "ListLocations" => Engine::list_locations,
    "RegisterCompute" => Engine::register_compute,
    "StartGameSessionPlacement" => Engine::start_game_session_placement,
    "StartMatchBackfill" => Engine::start_match_backfill,
    "StartMatchmaking" => Engine::start_matchmaking,
    "StopGameSessionPlacement" => Engine::stop_game_session_placement,
    "StopMatchmaking" => Engine::stop_matchmaking,
    "TerminateGameSession" => Engine::terminate_game_session,
    "UpdateGameSessionQueue" => Engine::update_game_session_queue,
    "UpdateMatchmakingConfiguration" => Engine::update_matchmaking_configuration,
    "ValidateMatchmakingRuleSet" => Engine::validate_matchmaking_rule_set,
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
