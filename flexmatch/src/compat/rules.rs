//! Readings of the rule language.

use serde::{Deserialize, Serialize};

/// A key that the rule-set schema does not know. Undocumented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UnknownKeys {
    /// Accepted, with a warning that names the nearest known key.
    #[default]
    Warn,
    /// An error.
    Reject,
}

/// Which failing rules reject a match that still has room.
///
/// The guide's examples 1 and 5 drop a new player as soon as a rule fails, but the documented rule metrics, equal
/// team sizes and minimum counts make no sense if every rule did that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PartialMatches {
    /// Rules that more players cannot mend reject; so do averages, once every measured team has a player (example 1).
    /// Counts and lower bounds wait.
    #[default]
    AwsGreedy,
    /// Only rules that more players cannot mend reject. For a search that backtracks.
    Optimal,
}

/// What rules see of a ticket with several players.
///
/// The rule reference describes `partyAggregation` as collapsing a party; an AWS engineer later wrote on re:Post that
/// it only helps to find tickets and that the players themselves are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PartyReading {
    /// Every player counts by itself; `partyAggregation` matters to sort rules only.
    #[default]
    PerPlayer,
    /// A ticket is one value: numbers by the rule's `partyAggregation`, lists by their union or intersection. Player
    /// ids and team sizes stay per player.
    Collapsed,
}

/// What `teams[x]` selects in a measurement when `x` has a quantity above one. Undocumented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BaseTeamName {
    /// All its instances, `x_1` to `x_n`, with a warning.
    #[default]
    AllInstances,
    /// An error.
    Reject,
}

/// What a rule with nothing to measure does: a team that may stay empty, or a list without values. Undocumented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EmptyMeasurement {
    /// It passes.
    #[default]
    Pass,
    /// It fails once the match is complete.
    Fail,
}

/// Which standard deviation `stddev` is. Undocumented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stddev {
    /// Of the population: divided by n.
    #[default]
    Population,
    /// Of a sample: divided by n - 1, and undefined for one value.
    Sample,
}

/// Whether a value exactly at a limit is within it. The guide's example 3 says "50 ms or less".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Boundary {
    /// It is.
    #[default]
    Inclusive,
    /// It is not.
    Exclusive,
}

/// What a `distance` rule does with a list of several reference values. Undocumented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DistanceReferenceList {
    /// Measured values and reference values are compared pair by pair where both lists have one value per team.
    #[default]
    Pairwise,
    /// An error.
    Reject,
}

/// What happens when an expansion leaves a team's `minPlayers` above its `maxPlayers`. Undocumented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CrossedTeamSizes {
    /// `minPlayers` is lowered to `maxPlayers`, with a warning.
    #[default]
    ClampMin,
    /// An error.
    Reject,
}

/// Where a ticket whose map lacks the anchor's key goes in an `absoluteSort`. Undocumented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MissingSortKey {
    /// Last, in either direction.
    #[default]
    Last,
    /// As if its value were 0.
    Zero,
}

/// What a player attribute that the rule set does not declare is.
///
/// The guide says that declaring an attribute makes it travel to the game server, which implies that others do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UndeclaredAttributes {
    /// Left out.
    #[default]
    Drop,
    /// An error.
    Reject,
}
