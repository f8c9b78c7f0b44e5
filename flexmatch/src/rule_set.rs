//! A rule set: what [`RuleSet::parse`] makes of the JSON.

pub(crate) mod fields;
mod format;
mod lint;
mod parse;
pub(crate) mod report;

pub use format::format;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::compat::{Boundary, Compat};
use crate::expansion::Effective;
use crate::finding::Finding;
use crate::player::{AttributeType, AttributeValue};

/// Most characters of a rule set (AWS API reference, RuleSetBody).
pub const BODY_CHARACTERS_MAX: usize = 65_535;

/// Most players of a match that is searched exhaustively; a larger match must be `balanced` (FlexMatch guide, "Design a
/// large-match rule set").
pub const SMALL_MATCH_PLAYERS_MAX: u32 = 40;

/// Most players of any match: a game session holds no more (AWS general reference, GameLift quotas).
pub const MATCH_PLAYERS_MAX: u32 = 200;

/// A checked rule set.
#[derive(Clone, Debug)]
pub struct RuleSet {
    pub(crate) name: Option<String>,
    pub(crate) attributes: Vec<AttributeDefinition>,
    pub(crate) algorithm: Algorithm,
    /// By age, the first from age 0. Never empty.
    pub(crate) stages: Vec<Effective>,
    pub(crate) boundary: Boundary,
}

/// What [`RuleSet::parse`] gives.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The rule set.
    pub rule_set: RuleSet,
    /// What is odd about it, in the order of the text.
    pub warnings: Vec<Finding>,
}

/// An entry of `playerAttributes`.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeDefinition {
    /// Its unique name.
    pub name: String,
    /// The type every value must have.
    pub attribute_type: AttributeType,
    /// The value of players that bring none.
    pub default: Option<AttributeValue>,
}

/// A team of a match. A team of quantity n in the rule set is n of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Its name in the match: `red`, or `red_1` for the first of several.
    pub name: String,
    /// Its name in the rule set.
    pub base_name: String,
    /// Fewest players a match needs here.
    pub min_players: u32,
    /// Most players.
    pub max_players: u32,
}

/// `algorithm`: how matches are searched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Algorithm {
    /// How a match is put together.
    pub strategy: Strategy,
    /// How tickets are put into batches.
    pub batching_preference: BatchingPreference,
    /// Attributes to sort by before batching, as indices into [`RuleSet::attributes`], the first with priority.
    pub sort_by_attributes: Vec<usize>,
    /// The number attribute whose sum is balanced between teams, as an index into [`RuleSet::attributes`].
    pub balanced_attribute: Option<usize>,
    /// Which ticket's age counts for expansions.
    pub expansion_age_selection: ExpansionAgeSelection,
    /// When backfill tickets have their turn.
    pub backfill_priority: BackfillPriority,
}

/// `algorithm.strategy`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Strategy {
    /// Tries tickets one by one around the oldest. For matches of at most [`SMALL_MATCH_PLAYERS_MAX`].
    #[default]
    ExhaustiveSearch,
    /// Fills a match quickly, then balances the teams.
    Balanced,
}

/// `algorithm.batchingPreference`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BatchingPreference {
    /// No order; the default of [`Strategy::ExhaustiveSearch`].
    #[default]
    Random,
    /// By `sortByAttributes`.
    Sorted,
    /// All tickets with a location in common; the default of [`Strategy::Balanced`].
    LargestPopulation,
    /// Tickets grouped by the location of their lowest latency.
    FastestRegion,
}

/// `algorithm.expansionAgeSelection`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ExpansionAgeSelection {
    /// The age of the newest ticket in the match: every newcomer sets the clock back.
    #[default]
    Newest,
    /// The age of the oldest.
    Oldest,
}

/// `algorithm.backfillPriority`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BackfillPriority {
    /// By age, as every ticket.
    #[default]
    Normal,
    /// Before all other tickets.
    High,
    /// After all other tickets.
    Low,
}

impl RuleSet {
    /// Reads a rule set and checks everything about it, with the default readings of [`Compat`].
    ///
    /// # Errors
    /// All errors and warnings, in the order of the text, if there is at least one error.
    pub fn parse(text: &str) -> Result<Parsed, Vec<Finding>> {
        Self::parse_with(text, &Compat::default())
    }

    /// Reads a rule set under other readings. `unknown_keys`, `small_balanced`, `base_team_name`, `distance_reference`,
    /// `crossed_team_sizes` and the `boundary` of expansion steps take effect here, all others in evaluation and search.
    ///
    /// # Errors
    /// As [`RuleSet::parse`].
    pub fn parse_with(text: &str, compat: &Compat) -> Result<Parsed, Vec<Finding>> {
        parse::parse(text, compat, &BTreeMap::new())
    }

    /// Reads a rule set with some rule properties (`RuleName.property`) set to other values, at every age.
    pub(crate) fn parse_overridden(
        text: &str,
        compat: &Compat,
        overrides: &BTreeMap<String, serde_json::Value>,
    ) -> Result<Parsed, Vec<Finding>> {
        parse::parse(text, compat, overrides)
    }

    /// The rule set's own label, which is not the name of the resource.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The declared player attributes, in order. Attributes are referred to by their index here.
    pub fn attributes(&self) -> &[AttributeDefinition] {
        &self.attributes
    }

    /// The index of a declared attribute.
    pub fn attribute_index(&self, name: &str) -> Option<usize> {
        self.attributes.iter().position(|attribute| attribute.name == name)
    }

    /// How matches are searched.
    pub const fn algorithm(&self) -> &Algorithm {
        &self.algorithm
    }

    /// The rule set as it stands after a wait. Constant time in the number of rules; nothing is computed.
    pub fn effective(&self, age_seconds: u64) -> &Effective {
        &self.stages[self.stage_at(age_seconds)]
    }

    /// The rule set at every age at which it changes, the first from age 0.
    pub fn stages(&self) -> &[Effective] {
        &self.stages
    }

    /// How long after `age_seconds` the rule set changes next, as an age; `None` if it never does again.
    pub fn next_step_after(&self, age_seconds: u64) -> Option<u64> {
        self.stages.get(self.stage_at(age_seconds) + 1).map(|stage| self.starts_at(stage))
    }

    /// The index into [`RuleSet::stages`] of what holds at an age.
    pub fn stage_at(&self, age_seconds: u64) -> usize {
        self.stages.partition_point(|stage| self.starts_at(stage) <= age_seconds).saturating_sub(1)
    }

    /// The first whole second at which a stage holds.
    fn starts_at(&self, stage: &Effective) -> u64 {
        match (self.boundary, stage.from_seconds) {
            (Boundary::Exclusive, from @ 1..) => from.saturating_add(1),
            (_, from) => from,
        }
    }

    /// Whether a match may have more than [`SMALL_MATCH_PLAYERS_MAX`] players at any age.
    pub fn is_large(&self) -> bool {
        self.stages.iter().any(|stage| stage.max_players() > SMALL_MATCH_PLAYERS_MAX)
    }
}
