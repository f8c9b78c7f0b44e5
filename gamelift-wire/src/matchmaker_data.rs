//! The JSON inside a game session's `MatchmakerData`: who was matched, in which teams, with which attributes.
//!
//! The shape is that of data captured from real game sessions (two independent games): keys in this order, `null` for
//! what is not set, `{}` for a player without attributes, attributes in alphabetical order, doubles with a fraction.
//! It carries no latencies. It is not updated when players leave (AWS FlexMatch guide, "Backfill").

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::attribute_value::AttributeValue;
use crate::lenient::null_as_default;
use crate::open_enum::open_enum;

open_enum! {
    /// Who asks for backfill: the game server or FlexMatch.
    AutoBackfillMode {
        /// The game server does.
        Manual = "MANUAL",
        /// FlexMatch does, by itself.
        Automatic = "AUTOMATIC",
    }
}

/// A match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MatchmakerData {
    /// The match's id, a UUID.
    #[serde(default, deserialize_with = "null_as_default")]
    pub match_id: String,
    /// The ARN that `StartMatchBackfill` wants.
    #[serde(default, deserialize_with = "null_as_default")]
    pub matchmaking_configuration_arn: String,
    /// The teams in the order of the rule set.
    #[serde(default, deserialize_with = "null_as_default")]
    pub teams: Vec<Team>,
    /// Who asks for backfill; `None` where the matchmaker does not say.
    #[serde(default)]
    pub auto_backfill_mode: Option<AutoBackfillMode>,
    /// The ticket of a running automatic backfill: what `StopMatchBackfill` wants.
    #[serde(default)]
    pub auto_backfill_ticket_id: Option<String>,
}

/// One team of a match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Team {
    /// Its name; a team of quantity n becomes `name_1` to `name_n`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// Its players.
    #[serde(default, deserialize_with = "null_as_default")]
    pub players: Vec<MatchedPlayer>,
}

/// One player of a match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MatchedPlayer {
    /// The player, by the game's own id.
    #[serde(default, deserialize_with = "null_as_default")]
    pub player_id: String,
    /// Attributes by name. Those of a type this version does not know are left out, as in AWS's own parser.
    #[serde(default, serialize_with = "write_attributes", deserialize_with = "read_attributes")]
    pub attributes: BTreeMap<String, AttributeValue>,
}

impl MatchmakerData {
    /// Reads what a game session carries.
    ///
    /// # Errors
    /// If the text is no JSON object of this shape; the error names line and column.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The text that a game session carries, at most 390,000 characters for the service (AWS API reference).
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("string keys and plain values always serialise")
    }

    /// Every player with the name of their team, in team order: what a backfill request lists.
    pub fn players(&self) -> impl Iterator<Item = (&str, &MatchedPlayer)> {
        self.teams.iter().flat_map(|team| team.players.iter().map(|player| (team.name.as_str(), player)))
    }
}

fn write_attributes<S: Serializer>(
    attributes: &BTreeMap<String, AttributeValue>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(attributes.len()))?;
    for (name, value) in attributes {
        map.serialize_entry(
            name,
            &Written { attribute_type: value.type_name(), value_attribute: Value(value) },
        )?;
    }
    map.end()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    attribute_type: &'static str,
    value_attribute: Value<'a>,
}

struct Value<'a>(&'a AttributeValue);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            AttributeValue::None => serializer.serialize_none(),
            AttributeValue::String(s) => serializer.serialize_str(s),
            AttributeValue::Double(n) => serializer.serialize_f64(*n),
            AttributeValue::StringList(list) => list.serialize(serializer),
            AttributeValue::StringDoubleMap(map) => map.serialize(serializer),
        }
    }
}

/// The type is taken from the JSON value, not from `attributeType`: so do the Go and C# SDKs.
fn read_attributes<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, AttributeValue>, D::Error> {
    #[derive(Deserialize)]
    struct Read {
        #[serde(default, rename = "valueAttribute")]
        value_attribute: serde_json::Value,
    }
    let read: BTreeMap<String, Read> = null_as_default(deserializer)?;
    Ok(read.into_iter().filter_map(|(name, read)| Some((name, from_json(read.value_attribute)?))).collect())
}

fn from_json(value: serde_json::Value) -> Option<AttributeValue> {
    match value {
        serde_json::Value::Null => Some(AttributeValue::None),
        serde_json::Value::String(s) => Some(AttributeValue::String(s)),
        serde_json::Value::Number(n) => n.as_f64().map(AttributeValue::Double),
        list @ serde_json::Value::Array(_) => {
            serde_json::from_value(list).ok().map(AttributeValue::StringList)
        }
        map @ serde_json::Value::Object(_) => {
            serde_json::from_value(map).ok().map(AttributeValue::StringDoubleMap)
        }
        serde_json::Value::Bool(_) => None,
    }
}
