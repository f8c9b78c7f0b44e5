//! A queue over the fleet, a rule set, and the matchmaking configuration that joins them, made with the AWS SDK.

use aws_sdk_gamelift::Client;
use aws_sdk_gamelift::types::GameSessionQueueDestination;

use super::fleet::Fleet;
use super::{DemoError, Narrator, missing};

/// The name of the queue, the rule set and the configuration.
pub(super) const NAME: &str = "arena";

/// Teams of four, fair and near; who waits longer gets a smaller match. Ready to be used on AWS as it is.
pub(super) const RULE_SET: &str = include_str!("arena.json");

/// Where events of matchmaking go: to the backend.
pub(super) const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:matchmaking";

/// Players in a full match.
pub(super) const MATCH_SIZE: usize = 8;

/// The last expansion lets a player play alone after 6 s, so nobody waits this long.
const REQUEST_TIMEOUT_SECONDS: i32 = 25;

pub(super) async fn make(aws: &Client, fleet: &Fleet, narrator: &Narrator) -> Result<(), DemoError> {
    let destination = GameSessionQueueDestination::builder().destination_arn(&fleet.arn).build();
    let queue = aws
        .create_game_session_queue()
        .name(NAME)
        .destinations(destination)
        .send()
        .await
        .map_err(|error| DemoError::new("CreateGameSessionQueue", error))?;
    let queue =
        queue.game_session_queue.ok_or_else(|| missing("CreateGameSessionQueue", "GameSessionQueue"))?;
    let queue_arn = queue
        .game_session_queue_arn
        .ok_or_else(|| missing("CreateGameSessionQueue", "GameSessionQueueArn"))?;
    narrator.fact("queue", format!("{NAME}: by the players' latency, over the fleet's locations"));

    let rule_set = aws.create_matchmaking_rule_set().name(NAME).rule_set_body(RULE_SET).send().await;
    rule_set.map_err(|error| DemoError::new("CreateMatchmakingRuleSet", error))?;
    narrator.fact("rule set", format!("{NAME}: 4 against 4, fair by skill, at most 80 ms"));
    narrator.fact("", "fewer players after 2, 4 and 6 s (src/demo/arena.json)");

    aws.create_matchmaking_configuration()
        .name(NAME)
        .rule_set_name(NAME)
        .game_session_queue_arns(queue_arn)
        .request_timeout_seconds(REQUEST_TIMEOUT_SECONDS)
        .acceptance_required(false)
        .notification_target(TOPIC)
        .send()
        .await
        .map_err(|error| DemoError::new("CreateMatchmakingConfiguration", error))?;
    narrator.fact("matchmaker", NAME);
    Ok(())
}
