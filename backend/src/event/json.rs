//! Events as GameLift writes them (developer guide, "FlexMatch matchmaking events" and "Game session placement events").

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[derive(Deserialize)]
pub(super) struct Envelope {
    pub(super) id: String,
    pub(super) time: String,
    pub(super) detail: Detail,
}

/// Whatever its type; new members are none of our business.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Detail {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) tickets: Vec<Ticket>,
    #[serde(default)]
    pub(super) game_session_info: Option<Place>,
    #[serde(default)]
    pub(super) acceptance_required: Option<bool>,
    /// Seconds.
    #[serde(default, deserialize_with = "number")]
    pub(super) acceptance_timeout: Option<u64>,
    #[serde(default)]
    pub(super) acceptance: Option<String>,
    #[serde(default, deserialize_with = "number")]
    pub(super) estimated_wait_millis: Option<u64>,
    #[serde(default)]
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default)]
    pub(super) placement_id: Option<String>,
    #[serde(default)]
    pub(super) placed_player_sessions: Vec<Player>,
    #[serde(flatten)]
    pub(super) place: Place,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ticket {
    pub(super) ticket_id: String,
    #[serde(default)]
    pub(super) players: Vec<Player>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Player {
    pub(super) player_id: String,
    #[serde(default)]
    pub(super) team: Option<String>,
    #[serde(default)]
    pub(super) player_session_id: Option<String>,
    #[serde(default)]
    pub(super) accepted: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
    #[serde(default)]
    pub(super) game_session_arn: Option<String>,
    #[serde(default)]
    pub(super) ip_address: Option<String>,
    #[serde(default)]
    pub(super) dns_name: Option<String>,
    #[serde(default, deserialize_with = "port")]
    pub(super) port: Option<u16>,
}

/// A number, or a string of one; `NOT_AVAILABLE` and the like are none. GameLift writes `estimatedWaitMillis` as a string, and
/// `port` as a string in placement events and as a number in matchmaking events.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    })
}

fn port<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    Ok(number(deserializer)?.and_then(|port| u16::try_from(port).ok()))
}

/// Milliseconds since 1970.
pub(super) fn millis(text: &str) -> Option<u64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()
}
