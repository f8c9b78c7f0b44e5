//! Events made to order, for those who write a consumer and cannot wait for a real one.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Timestamp, engine::Engine};

/// Every event type, in the order in which a ticket or placement may have them.
pub const EVENT_TYPES: &[&str] = &[
    "MatchmakingSearching",
    "PotentialMatchCreated",
    "AcceptMatch",
    "AcceptMatchCompleted",
    "MatchmakingSucceeded",
    "MatchmakingTimedOut",
    "MatchmakingCancelled",
    "MatchmakingFailed",
    "PlacementFulfilled",
    "PlacementCancelled",
    "PlacementTimedOut",
    "PlacementFailed",
];

/// The resource that a sample is about, if nobody says.
const DEFAULT_NAME: &str = "default";
/// Longest name of a resource (AWS API reference, MatchmakingIdStringModel and GameSessionQueueName).
const NAME_LENGTH_MAX: usize = 128;

/// What a sample is asked for with.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SampleRequest {
    /// One of [`EVENT_TYPES`].
    pub r#type: String,
    /// Name of the matchmaking configuration that a matchmaking event is about. It need not exist; one that does gives
    /// the event its topic and its custom data.
    pub configuration: Option<String>,
    /// The same for placement events: name of the queue.
    pub queue: Option<String>,
    /// Members of `detail` that replace the sample's. Objects are merged, `null` removes.
    pub overrides: serde_json::Map<String, Value>,
}

/// There is no such sample.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The type is none.
    #[error("type {0:?} is none of {types}", types = EVENT_TYPES.join(", "))]
    UnknownType(String),
    /// A member that does not go with the type.
    #[error("{0} does not go with an event of type {1}")]
    WrongResource(&'static str, String),
    /// The name is none.
    #[error("{0} must have 1 to {NAME_LENGTH_MAX} letters, digits, hyphens, dots or underscores")]
    Name(&'static str),
    /// The event cannot be written as JSON.
    #[error("the event cannot be written as JSON; the log says why")]
    NotWritten,
}

/// What the ids of one sample are.
struct Ids {
    ticket: [Uuid; 2],
    subject: Uuid,
    player_session: [Uuid; 2],
}

impl Engine {
    /// Publishes a sample of an event, and gives its id. On the wire nothing tells it from a real one.
    ///
    /// # Errors
    /// [`SampleError`] names the member that is wrong, or says that the event is not published.
    pub fn publish_sample(&mut self, now: Timestamp, request: SampleRequest) -> Result<String, SampleError> {
        let SampleRequest { r#type, configuration, queue, overrides } = request;
        if !EVENT_TYPES.contains(&r#type.as_str()) {
            return Err(SampleError::UnknownType(r#type));
        }
        let placement = r#type.starts_with("Placement");
        let (field, name, other) = match placement {
            true => ("queue", queue, configuration.map(|_| "configuration")),
            false => ("configuration", configuration, queue.map(|_| "queue")),
        };
        if let Some(other) = other {
            return Err(SampleError::WrongResource(other, r#type));
        }
        let name = name.unwrap_or_else(|| DEFAULT_NAME.to_owned());
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if !(1..=NAME_LENGTH_MAX).contains(&name.len()) || !name.chars().all(plain) {
            return Err(SampleError::Name(field));
        }
        let mut uuid = || self.ids.uuid();
        let ids = Ids { ticket: [uuid(), uuid()], subject: uuid(), player_session: [uuid(), uuid()] };
        let (detail_type, kind, known) = if placement {
            let model = self.queue(&name).ok().map(|queue| &queue.model);
            let known =
                model.map(|model| (model.notification_target.clone(), model.custom_event_data.clone()));
            ("GameLift Queue Placement Event", "gamesessionqueue", known)
        } else {
            ("GameLift Matchmaking Event", "matchmakingconfiguration", self.targets_of_configuration(&name))
        };
        let (topic, custom) = known.unwrap_or_default();
        let mut detail = match placement {
            true => self.placement_sample(now, &r#type, &ids),
            false => self.matchmaking_sample(now, &r#type, &ids),
        };
        if let Some(custom) = custom.filter(|custom| !custom.is_empty()) {
            detail["customEventData"] = custom.into();
        }
        merge(&mut detail, Value::Object(overrides));
        let arn = self.settings.arn(kind, &name);
        let id = self.publish(now, detail_type, arn, topic, detail).ok_or(SampleError::NotWritten)?;
        tracing::info!(event = id, r#type, "a sample is published");
        Ok(id)
    }

    fn sample_game_session_arn(&self, id: Uuid) -> String {
        let fleet = self.fleets.keys().next().map_or("fleet-00000000-0000-0000-0000-000000000000", |id| id);
        let location = self.locations.keys().next().map_or("custom-here", |name| name);
        self.settings.game_session_arn(fleet, location, &id.to_string())
    }

    fn placement_sample(&self, now: Timestamp, kind: &str, ids: &Ids) -> Value {
        let time = now.to_iso_millis();
        let mut detail = json!({
            "type": kind,
            "placementId": ids.subject.to_string(),
            "startTime": time,
            "endTime": time,
        });
        if kind == "PlacementFulfilled" {
            let location = self.locations.keys().next().map_or("custom-here", |name| name);
            let fulfilled = json!({
                "port": "7777",
                "gameSessionArn": self.sample_game_session_arn(ids.subject),
                "ipAddress": "127.0.0.1",
                "gameSessionRegion": self.settings.region,
                "gameSessionLocation": location,
                "computeName": "laptop",
                "playerGatewayStatus": "DISABLED",
                "placedPlayerSessions": [
                    { "playerId": "player-1", "playerSessionId": format!("psess-{}", ids.player_session[0]) },
                    { "playerId": "player-2", "playerSessionId": format!("psess-{}", ids.player_session[1]) },
                ],
            });
            merge(&mut detail, fulfilled);
        }
        detail
    }

    fn matchmaking_sample(&self, now: Timestamp, kind: &str, ids: &Ids) -> Value {
        // From MatchmakingSearching on, players gain members; tickets that end without a match have none of them.
        let (teams, accepted, sessions) = match kind {
            "PotentialMatchCreated" | "AcceptMatchCompleted" | "MatchmakingFailed" => (true, false, false),
            "AcceptMatch" => (true, true, false),
            "MatchmakingSucceeded" => (true, false, true),
            _ => (false, false, false),
        };
        let player = |n: usize| {
            let mut player = json!({ "playerId": format!("player-{}", n + 1) });
            if sessions {
                player["playerSessionId"] = format!("psess-{}", ids.player_session[n]).into();
            }
            if teams {
                player["team"] = ["red", "blue"][n].into();
            }
            if accepted {
                player["accepted"] = true.into();
            }
            player
        };
        // Events about a match have its tickets, others are about one.
        let players: Vec<_> = (0..if teams { 2 } else { 1 }).map(player).collect();
        let tickets = players.iter().zip(ids.ticket).map(|(player, id)| {
            json!({ "ticketId": id.to_string(), "startTime": now.to_iso_millis(), "players": [player] })
        });
        let tickets: Vec<_> = tickets.collect();
        let mut detail =
            json!({ "type": kind, "tickets": tickets, "gameSessionInfo": { "players": players } });
        let metrics = json!([{ "ruleName": "FairSkill", "passedCount": 3, "failedCount": 0 }]);
        let more = match kind {
            "MatchmakingSearching" => json!({ "estimatedWaitMillis": "NOT_AVAILABLE" }),
            "PotentialMatchCreated" => json!({
                "acceptanceTimeout": 60, "acceptanceRequired": true, "ruleEvaluationMetrics": metrics,
            }),
            "AcceptMatchCompleted" => json!({ "acceptance": "Accepted" }),
            "MatchmakingSucceeded" => json!({ "gameSessionInfo": {
                "gameSessionArn": self.sample_game_session_arn(ids.subject),
                "ipAddress": "127.0.0.1",
                "port": 7777,
                "playerGatewayStatus": "DISABLED",
            }}),
            "MatchmakingTimedOut" => json!({
                "reason": "TimedOut", "message": "Removed from matchmaking due to timing out.",
                "ruleEvaluationMetrics": metrics,
            }),
            "MatchmakingCancelled" => json!({
                "reason": "Cancelled", "message": "Cancelled by request.", "ruleEvaluationMetrics": metrics,
            }),
            "MatchmakingFailed" => json!({
                "reason": "UNEXPECTED_ERROR",
                "message": "An unexpected error was encountered during match placing.",
            }),
            _ => json!({}),
        };
        merge(&mut detail, more);
        if teams {
            detail["matchId"] = ids.subject.to_string().into();
        }
        detail
    }
}

/// RFC 7396, JSON Merge Patch.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(&key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}
