//! Events, in the shape in which Amazon EventBridge and Amazon SNS deliver them.

mod sample;

use std::fmt;

use serde::Serialize;

pub use self::sample::{EVENT_TYPES, SampleError, SampleRequest};
use super::{Effect, Engine};
use crate::{
    Timestamp,
    model::{GameSession, GameSessionPlacement, GameSessionPlacementState, GameSessionQueue},
};

/// One event that the service publishes.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Its id, a UUID.
    pub id: String,
    /// When it happened.
    pub time: Timestamp,
    /// ARN of the SNS topic it goes to, if the queue or matchmaking configuration names one.
    pub topic_arn: Option<String>,
    /// The event, as JSON on one line. It holds player session ids, which are proofs: not for logs.
    pub json: String,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("id", &self.id).field("time", &self.time).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Envelope<'a, D> {
    version: &'a str,
    id: &'a str,
    detail_type: &'a str,
    source: &'a str,
    account: &'a str,
    time: String,
    region: &'a str,
    resources: [String; 1],
    detail: D,
}

/// Members in the order of the developer guide's sample, "Game session placement events".
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlacementDetail {
    #[serde(rename = "type")]
    kind: &'static str,
    placement_id: String,
    #[serde(flatten)]
    placed: Option<Placed>,
    start_time: String,
    end_time: String,
    #[serde(flatten)]
    placed_where: Option<PlacedWhere>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_event_data: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Placed {
    /// A string here, a number in matchmaking events.
    port: String,
    game_session_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dns_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlacedWhere {
    game_session_region: Option<String>,
    game_session_location: String,
    compute_name: String,
    player_gateway_status: &'static str,
    placed_player_sessions: Vec<PlacedPlayer>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlacedPlayer {
    player_id: String,
    player_session_id: String,
}

/// The detail of a placement that is over.
pub(super) fn placement(
    placement: &GameSessionPlacement,
    queue: &GameSessionQueue,
    session: Option<&GameSession>,
) -> PlacementDetail {
    let kind = match placement.status {
        GameSessionPlacementState::Fulfilled => "PlacementFulfilled",
        GameSessionPlacementState::Cancelled => "PlacementCancelled",
        GameSessionPlacementState::TimedOut => "PlacementTimedOut",
        GameSessionPlacementState::Failed | GameSessionPlacementState::Pending => "PlacementFailed",
    };
    let session = session.filter(|_| placement.status == GameSessionPlacementState::Fulfilled);
    let players = placement.placed_player_sessions.iter().map(|placed| PlacedPlayer {
        player_id: placed.player_id.clone(),
        player_session_id: placed.player_session_id.clone(),
    });
    PlacementDetail {
        kind,
        placement_id: placement.placement_id.clone(),
        placed: session.map(|session| Placed {
            port: session.port.to_string(),
            game_session_arn: session.game_session_id.clone(),
            ip_address: session.ip_address.clone(),
            dns_name: session.dns_name.clone(),
        }),
        start_time: placement.start_time.to_iso_millis(),
        end_time: placement.end_time.unwrap_or(placement.start_time).to_iso_millis(),
        placed_where: session.map(|session| PlacedWhere {
            game_session_region: placement.game_session_region.clone(),
            game_session_location: session.location.clone(),
            compute_name: session.compute_name.clone(),
            player_gateway_status: "DISABLED",
            placed_player_sessions: players.collect(),
        }),
        custom_event_data: queue.custom_event_data.clone().filter(|data| !data.is_empty()),
    }
}

impl Engine {
    /// Publishes an event about the resource with this ARN, and gives its id; `None` if it cannot be written, which is
    /// logged.
    pub(super) fn publish<D: Serialize>(
        &mut self,
        now: Timestamp,
        detail_type: &str,
        resource: String,
        topic_arn: Option<String>,
        detail: D,
    ) -> Option<String> {
        let id = self.ids.uuid().to_string();
        let envelope = Envelope {
            version: "0",
            id: &id,
            detail_type,
            source: "aws.gamelift",
            account: &self.settings.account_id,
            time: now.to_iso_seconds(),
            region: &self.settings.region,
            resources: [resource],
            detail,
        };
        match serde_json::to_string(&envelope) {
            Ok(json) => {
                let topic_arn = topic_arn.filter(|topic| !topic.is_empty());
                self.counters.events_published += 1;
                self.effects.push_back(Effect::Publish(Event { id: id.clone(), time: now, topic_arn, json }));
                Some(id)
            }
            Err(error) => {
                tracing::error!(%error, "an event cannot be written as JSON");
                None
            }
        }
    }
}
