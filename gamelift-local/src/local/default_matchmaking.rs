//! What StartMatchmaking needs, so that it works as soon as a game server is there: a queue, a rule set and a
//! configuration.

use crate::{ApiError, Timestamp, engine::Engine, model::*};

/// The name of all three.
const NAME: &str = "default";
/// Two players of like skill; the longer they wait, the less alike.
const RULE_SET: &str = include_str!("default_rule_set.json");
/// How long a ticket waits.
const REQUEST_TIMEOUT_SECONDS: i64 = 60;

pub(super) fn create(engine: &mut Engine, now: Timestamp, fleet_arn: &str) -> Result<(), ApiError> {
    let destination = GameSessionQueueDestination { destination_arn: Some(fleet_arn.to_owned()) };
    let queue = CreateGameSessionQueueInput {
        name: Some(NAME.to_owned()),
        destinations: Some(vec![destination]),
        ..CreateGameSessionQueueInput::default()
    };
    let queue = engine.create_game_session_queue(now, queue)?.game_session_queue;
    let rule_set = CreateMatchmakingRuleSetInput {
        name: Some(NAME.to_owned()),
        rule_set_body: Some(RULE_SET.to_owned()),
        ..CreateMatchmakingRuleSetInput::default()
    };
    engine.create_matchmaking_rule_set(now, rule_set)?;
    let configuration = MatchmakingConfigurationInput {
        name: Some(NAME.to_owned()),
        game_session_queue_arns: Some(vec![queue.game_session_queue_arn]),
        rule_set_name: Some(NAME.to_owned()),
        request_timeout_seconds: Some(REQUEST_TIMEOUT_SECONDS),
        acceptance_required: Some(false),
        ..MatchmakingConfigurationInput::default()
    };
    engine.create_matchmaking_configuration(now, configuration)?;
    Ok(())
}
