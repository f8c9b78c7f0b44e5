//! Players, as rules see them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::compat::{Compat, UndeclaredAttributes};
use crate::rule_set::RuleSet;

/// Most attributes that one player may carry (AWS API reference, Player).
pub const PLAYER_ATTRIBUTES_MAX: usize = 10;

/// The type of a player attribute, as `playerAttributes[].type` spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeType {
    /// Text.
    String,
    /// A double.
    Number,
    /// Several texts; a repeated one counts once.
    StringList,
    /// Numbers under names. Only sort rules can use it.
    StringNumberMap,
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Number => "number",
            Self::StringList => "string_list",
            Self::StringNumberMap => "string_number_map",
        })
    }
}

/// The value of a player attribute. Its JSON is that of the API: `{"S": ..}`, `{"N": ..}`, `{"SL": ..}`, `{"SDM": ..}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AttributeValue {
    /// `S`, a text.
    #[serde(rename = "S")]
    String(String),
    /// `N`, a double.
    #[serde(rename = "N")]
    Number(f64),
    /// `SL`, a list of texts.
    #[serde(rename = "SL")]
    StringList(Vec<String>),
    /// `SDM`, numbers under names.
    #[serde(rename = "SDM")]
    StringNumberMap(BTreeMap<String, f64>),
}

impl AttributeValue {
    /// The type it has.
    pub const fn attribute_type(&self) -> AttributeType {
        match self {
            Self::String(_) => AttributeType::String,
            Self::Number(_) => AttributeType::Number,
            Self::StringList(_) => AttributeType::StringList,
            Self::StringNumberMap(_) => AttributeType::StringNumberMap,
        }
    }
}

/// A player as a matchmaking request describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlayerData {
    /// The player's id.
    pub id: String,
    /// Attribute values by name.
    pub attributes: BTreeMap<String, AttributeValue>,
    /// Latency in milliseconds, by location.
    pub latency_ms: BTreeMap<String, u32>,
    /// The team the player is on already, in backfill.
    pub team: Option<String>,
}

/// A player with its attributes in the rule set's order, ready to be evaluated many times.
///
/// Made by [`RuleSet::player`], which fills in defaults; only meaningful with that rule set.
#[derive(Clone, Debug, PartialEq)]
pub struct Player {
    pub(crate) id: String,
    pub(crate) attributes: Box<[Option<AttributeValue>]>,
    pub(crate) latency_ms: Box<[(String, u32)]>,
    pub(crate) team: Option<String>,
    pub(crate) party: u64,
}

impl Player {
    /// The player's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The value of the attribute at `index` in [`RuleSet::attributes`], or its default; `None` if it has neither.
    pub fn attribute(&self, index: usize) -> Option<&AttributeValue> {
        self.attributes.get(index)?.as_ref()
    }

    /// The number at `index`, if that attribute is a number and has a value.
    pub fn number(&self, index: usize) -> Option<f64> {
        match self.attribute(index)? {
            AttributeValue::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// All attribute values in the order of [`RuleSet::attributes`], defaults filled in.
    pub fn attributes(&self) -> &[Option<AttributeValue>] {
        &self.attributes
    }

    /// Latency in milliseconds by location, in alphabetical order of locations.
    pub fn latency_ms(&self) -> &[(String, u32)] {
        &self.latency_ms
    }

    /// The latency to `location`, if it was reported.
    pub fn latency_to(&self, location: &str) -> Option<u32> {
        let found = self.latency_ms.binary_search_by(|(name, _)| name.as_str().cmp(location)).ok()?;
        Some(self.latency_ms[found].1)
    }

    /// As [`latency_to`](Self::latency_to), for a location that the players' lists usually have at the same place.
    pub(crate) fn latency_near(&self, hint: usize, location: &str) -> Option<u32> {
        match self.latency_ms.get(hint) {
            Some((name, latency)) if name == location => Some(*latency),
            _ => self.latency_to(location),
        }
    }

    /// The team the request put the player on: backfill's roster.
    pub fn team(&self) -> Option<&str> {
        self.team.as_deref()
    }

    /// The ticket the player came with. Players of one party have the same number.
    pub const fn party(&self) -> u64 {
        self.party
    }

    /// Whether some declared attribute has neither value nor default: such a request can never be matched
    /// (FlexMatch guide, "Design a rule set", player attributes).
    pub fn lacks_an_attribute(&self) -> bool {
        self.attributes.iter().any(Option::is_none)
    }
}

/// Why a player's data does not fit the rule set.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum PlayerError {
    /// The value's type is not the declared one.
    #[error("player {player:?}: attribute {attribute:?} is declared {declared}, but its value is a {given}")]
    WrongType {
        /// Whose.
        player: String,
        /// Which attribute.
        attribute: String,
        /// The type in the rule set.
        declared: AttributeType,
        /// The type of the value.
        given: AttributeType,
    },
    /// A number that is no number. JSON cannot carry one.
    #[error("player {player:?}: attribute {attribute:?} is not a finite number")]
    NotFinite {
        /// Whose.
        player: String,
        /// Which attribute.
        attribute: String,
    },
    /// The rule set does not declare the attribute, and [`Compat::undeclared_attributes`] says to reject that.
    #[error("player {player:?}: the rule set declares no attribute {attribute:?}")]
    Undeclared {
        /// Whose.
        player: String,
        /// Which attribute.
        attribute: String,
    },
    /// The team is none of the rule set's.
    #[error("player {player:?}: the rule set has no team {team:?}")]
    UnknownTeam {
        /// Whose.
        player: String,
        /// Which team.
        team: String,
    },
    /// More than [`PLAYER_ATTRIBUTES_MAX`] attributes.
    #[error("player {player:?} carries {given} attributes; at most {PLAYER_ATTRIBUTES_MAX} are allowed")]
    TooManyAttributes {
        /// Whose.
        player: String,
        /// How many.
        given: usize,
    },
}

impl RuleSet {
    /// Reads a player against this rule set: attributes in its order, defaults filled in, undeclared ones left out.
    ///
    /// `party` is any number that the players of one ticket share.
    ///
    /// # Errors
    /// On the first thing that does not fit the rule set.
    pub fn player(&self, data: PlayerData, party: u64, compat: &Compat) -> Result<Player, PlayerError> {
        let PlayerData { id, attributes: given, latency_ms, team } = data;
        if given.len() > PLAYER_ATTRIBUTES_MAX {
            return Err(PlayerError::TooManyAttributes { player: id, given: given.len() });
        }
        if let Some(team) = &team
            && self.effective(0).team_index(team).is_none()
        {
            return Err(PlayerError::UnknownTeam { player: id, team: team.clone() });
        }
        let mut attributes: Box<[_]> = self.attributes().iter().map(|known| known.default.clone()).collect();
        for (name, value) in given {
            let Some(index) = self.attribute_index(&name) else {
                match compat.undeclared_attributes {
                    UndeclaredAttributes::Drop => continue,
                    UndeclaredAttributes::Reject => {
                        return Err(PlayerError::Undeclared { player: id, attribute: name });
                    }
                }
            };
            let declared = self.attributes()[index].attribute_type;
            if value.attribute_type() != declared {
                return Err(PlayerError::WrongType {
                    player: id,
                    attribute: name,
                    declared,
                    given: value.attribute_type(),
                });
            }
            attributes[index] = Some(match value {
                AttributeValue::StringList(list) => AttributeValue::StringList(without_repeats(list)),
                AttributeValue::Number(number) if !number.is_finite() => {
                    return Err(PlayerError::NotFinite { player: id, attribute: name });
                }
                AttributeValue::StringNumberMap(map) if map.values().any(|number| !number.is_finite()) => {
                    return Err(PlayerError::NotFinite { player: id, attribute: name });
                }
                value => value,
            });
        }
        let latency_ms = latency_ms.into_iter().collect();
        Ok(Player { id, attributes, latency_ms, team, party })
    }
}

/// A repeated string is ignored after its first appearance (AWS API reference, AttributeValue).
pub(crate) fn without_repeats(list: Vec<String>) -> Vec<String> {
    let mut kept = Vec::with_capacity(list.len());
    for text in list {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}
