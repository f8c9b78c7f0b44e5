//! One match against a rule set: what `flexmatch check` does, and what tests of a rule set want.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;
use thiserror::Error;

use crate::compat::{Compat, Dependence, Differences, sensitivity};
use crate::expansion::MatchView;
use crate::finding::Finding;
use crate::player::{AttributeType, AttributeValue, Player, PlayerData, PlayerError};
use crate::rule::Verdict;
use crate::rule_set::RuleSet;

/// A complete match, written by hand.
///
/// ```json
/// {"teams": {"red": [{"id": "ada", "a": {"skill": 10}, "l": {"us-east-1": 50}}], "blue": []},
///  "overrides": {"FairSkill.maxDistance": 20}}
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roster {
    /// Players by the name of their team in the match.
    pub teams: BTreeMap<String, Vec<RosterPlayer>>,
    /// Values to set in rules, as `RuleName.property`; they win over expansions.
    #[serde(default)]
    pub overrides: BTreeMap<String, Json>,
    /// What the match is called. Not used.
    #[serde(default)]
    pub label: Option<String>,
    /// Which rule set it is meant for. Not used.
    #[serde(default)]
    pub ruleset: Option<String>,
    /// Which rules are expected to pass. Not used.
    #[serde(default)]
    pub expected: Option<BTreeMap<String, bool>>,
}

/// A player of a [`Roster`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterPlayer {
    /// The player's id.
    pub id: String,
    /// Attributes by name, as plain JSON: a string, a number, a list of strings, or an object of numbers.
    #[serde(default, rename = "a")]
    pub attributes: BTreeMap<String, Json>,
    /// Latency in milliseconds, by location.
    #[serde(default, rename = "l")]
    pub latency_ms: BTreeMap<String, u32>,
    /// The ticket the player came with; players that name none came alone.
    #[serde(default)]
    pub party: Option<String>,
}

/// What the rules say of a roster.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// One entry for each rule, in order.
    pub rules: Vec<CheckedRule>,
    /// Teams that have too few or too many players, as sentences.
    pub sizes: Vec<String>,
    /// Players who can never be matched for want of an attribute, by id.
    pub incomplete: Vec<String>,
}

/// What one rule says.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedRule {
    /// The rule's name.
    pub name: String,
    /// The rule's type, as a rule set spells it.
    pub rule_type: &'static str,
    /// Whether the match must pass it.
    pub enforced: bool,
    /// Whether it passes.
    pub pass: bool,
    /// The numbers behind it, as a clause.
    pub numbers: String,
}

impl Checked {
    /// Whether this could be a match: every enforced rule passes, every team has its size, no player lacks an
    /// attribute.
    pub fn is_match(&self) -> bool {
        let rules = self.rules.iter().all(|rule| rule.pass || !rule.enforced);
        rules && self.sizes.is_empty() && self.incomplete.is_empty()
    }
}

/// Why a roster could not be checked.
#[derive(Debug, Error)]
pub enum CheckError {
    /// The rule set, or the rule set with the overrides, is wrong.
    #[error("the rule set has {} errors", .0.iter().filter(|finding| finding.severity == crate::Severity::Error).count())]
    RuleSet(Vec<Finding>),
    /// The roster names a team that does not exist.
    #[error("there is no team {0:?} in the rule set; its teams are {1}")]
    UnknownTeam(String, String),
    /// An attribute cannot be read as its declared type.
    #[error("player {player:?}: attribute {attribute:?} must be a {declared}")]
    Attribute {
        /// Whose.
        player: String,
        /// Which attribute.
        attribute: String,
        /// The type in the rule set.
        declared: AttributeType,
    },
    /// Other trouble with a player.
    #[error(transparent)]
    Player(#[from] PlayerError),
}

/// Evaluates the rule set in `text` on a complete match, as it stands at an age.
///
/// # Errors
/// If the rule set is wrong or the roster does not fit it.
pub fn check(text: &str, roster: &Roster, age_seconds: u64, compat: &Compat) -> Result<Checked, CheckError> {
    let parsed = RuleSet::parse_overridden(text, compat, &roster.overrides).map_err(CheckError::RuleSet)?;
    let rule_set = parsed.rule_set;
    let effective = rule_set.effective(age_seconds);
    let mut teams: Vec<Vec<Player>> = vec![Vec::new(); effective.teams().len()];
    let mut parties: BTreeMap<&str, u64> = BTreeMap::new();
    let mut next_party = 0;
    for (name, players) in &roster.teams {
        let Some(index) = effective.team_index(name) else {
            let names: Vec<_> = effective.teams().iter().map(|team| team.name.as_str()).collect();
            return Err(CheckError::UnknownTeam(name.clone(), names.join(", ")));
        };
        for player in players {
            next_party += 1;
            let party = match &player.party {
                Some(party) => *parties.entry(party).or_insert(next_party),
                None => next_party,
            };
            teams[index].push(rule_set.player(data(player, &rule_set)?, party, compat)?);
        }
    }
    let sizes = effective.teams().iter().zip(&teams).filter_map(|(team, players)| {
        let (min, max, count) = (team.min_players, team.max_players, players.len());
        let fits = (min as usize..=max as usize).contains(&count);
        (!fits).then(|| format!("team {:?} has {count} players, {min} to {max} are allowed", team.name))
    });
    let sizes = sizes.collect();
    let everybody = teams.iter().flatten();
    let incomplete =
        everybody.filter(|player| player.lacks_an_attribute()).map(|player| player.id().to_owned());
    let incomplete = incomplete.collect();
    let seats: Vec<Vec<&Player>> = teams.iter().map(|players| players.iter().collect()).collect();
    let outcomes = effective.evaluate(&MatchView { teams: &seats, complete: true }, compat);
    let rules = outcomes.iter().zip(effective.rules()).map(|(outcome, rule)| CheckedRule {
        name: rule.name.clone(),
        rule_type: rule.kind.type_name(),
        enforced: outcome.enforced,
        pass: outcome.verdict == Verdict::Pass,
        numbers: outcome.numbers.to_string(),
    });
    Ok(Checked { rules: rules.collect(), sizes, incomplete })
}

/// On which readings it depends what [`check()`] says: which rules pass, and whether this is a match.
pub fn check_sensitivity(text: &str, roster: &Roster, age_seconds: u64, compat: &Compat) -> Vec<Dependence> {
    sensitivity(compat, |compat| check(text, roster, age_seconds, compat), differences)
}

fn differences(before: &Result<Checked, CheckError>, after: &Result<Checked, CheckError>) -> Differences {
    let mut differences = Differences::default();
    match (before, after) {
        (Ok(before), Ok(after)) => {
            for (before, after) in before.rules.iter().zip(&after.rules) {
                if before.pass != after.pass {
                    let said = |rule: &CheckedRule| {
                        format!("{} ({})", if rule.pass { "passes" } else { "fails" }, rule.numbers)
                    };
                    differences.compare(&before.name, said(before), said(after));
                }
            }
            differences.compare("sizes", before.sizes.join("; "), after.sizes.join("; "));
            let said = |checked: &Checked| if checked.is_match() { "a match" } else { "not a match" };
            differences.compare("this is", said(before), said(after));
        }
        (before, after) => {
            let said = |outcome: &Result<Checked, CheckError>| match outcome {
                Ok(_) => "a result".to_owned(),
                Err(error) => error.to_string(),
            };
            differences.compare("outcome", said(before), said(after));
        }
    }
    differences
}

fn data(player: &RosterPlayer, rule_set: &RuleSet) -> Result<PlayerData, CheckError> {
    let mut attributes = BTreeMap::new();
    for (name, value) in &player.attributes {
        let declared =
            rule_set.attribute_index(name).map(|index| rule_set.attributes()[index].attribute_type);
        let Some(value) = attribute(value, declared) else {
            return Err(CheckError::Attribute {
                player: player.id.clone(),
                attribute: name.clone(),
                // Without a declaration nothing is demanded but that it is some attribute.
                declared: declared.unwrap_or(AttributeType::String),
            });
        };
        attributes.insert(name.clone(), value);
    }
    Ok(PlayerData { id: player.id.clone(), attributes, latency_ms: player.latency_ms.clone(), team: None })
}

/// Plain JSON as an attribute. The declared type only matters to what several types could be.
fn attribute(value: &Json, declared: Option<AttributeType>) -> Option<AttributeValue> {
    let value = match value {
        Json::String(text) => AttributeValue::String(text.clone()),
        Json::Number(number) => AttributeValue::Number(number.as_f64()?),
        Json::Array(items) => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
            AttributeValue::StringList(texts.collect::<Option<_>>()?)
        }
        Json::Object(members) => {
            let entries = members.iter().map(|(key, number)| Some((key.clone(), number.as_f64()?)));
            AttributeValue::StringNumberMap(entries.collect::<Option<_>>()?)
        }
        Json::Null | Json::Bool(_) => return None,
    };
    declared.is_none_or(|declared| declared == value.attribute_type()).then_some(value)
}
