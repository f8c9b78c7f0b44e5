//! MatchmakerData: the JSON text in a game session that tells the game server whom it got.
//!
//! Order of keys, nulls and number format are those of captured game sessions: attributes in alphabetical order,
//! numbers always with a fraction, no latencies and no rule set name.

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    player::{AttributeValue, Player},
    rule_set::RuleSet,
    ticket::{MatchId, PlayerId, TeamName},
};

/// Most characters of MatchmakerData (API reference, MatchmakerData).
pub const MATCHMAKER_DATA_LENGTH_MAX: usize = 390_000;

/// What MatchmakerData says.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MatchmakerData<'a> {
    pub(crate) match_id: &'a MatchId,
    pub(crate) matchmaking_configuration_arn: &'a str,
    pub(crate) teams: Vec<TeamData<'a>>,
    pub(crate) auto_backfill_mode: Option<&'static str>,
    pub(crate) auto_backfill_ticket_id: Option<&'a str>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct TeamData<'a> {
    pub(crate) name: &'a TeamName,
    pub(crate) players: Vec<MatchedData<'a>>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MatchedData<'a> {
    pub(crate) player_id: &'a PlayerId,
    pub(crate) attributes: Attributes<'a>,
}

/// A player's attributes by name: what the rule set declares, defaults filled in.
#[derive(Debug, Clone)]
pub(crate) struct Attributes<'a> {
    pub(crate) order: &'a AttributeOrder,
    pub(crate) player: &'a Player,
}

/// The declared attributes in alphabetical order.
#[derive(Debug, Clone)]
pub(crate) struct AttributeOrder(Vec<(String, usize)>);

impl AttributeOrder {
    pub(crate) fn new(rules: &RuleSet) -> Self {
        let mut order: Vec<_> =
            rules.attributes().iter().enumerate().map(|(index, known)| (known.name.clone(), index)).collect();
        order.sort();
        Self(order)
    }
}

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, index) in &self.order.0 {
            if let Some(value) = self.player.attribute(*index) {
                map.serialize_entry(name, &Value::from(value))?;
            }
        }
        map.end()
    }
}

#[derive(Serialize)]
#[serde(tag = "attributeType", content = "valueAttribute", rename_all = "SCREAMING_SNAKE_CASE")]
enum Value<'a> {
    String(&'a str),
    Double(f64),
    StringList(&'a [String]),
    StringDoubleMap(&'a std::collections::BTreeMap<String, f64>),
}

impl<'a> From<&'a AttributeValue> for Value<'a> {
    fn from(value: &'a AttributeValue) -> Self {
        match value {
            AttributeValue::String(text) => Self::String(text),
            AttributeValue::Number(number) => Self::Double(*number),
            AttributeValue::StringList(list) => Self::StringList(list),
            AttributeValue::StringNumberMap(map) => Self::StringDoubleMap(map),
        }
    }
}

impl MatchmakerData<'_> {
    /// The text.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and string keys always serialize")
    }
}
