//! What AWS does not say, as named switches.
//!
//! The FlexMatch guide leaves questions open, and its pages contradict each other in places. Every reading this crate
//! had to choose is a field of [`Compat`], with the choice as its default. [`Compat::alternatives`] lists every other
//! profile that is one switch away, and [`sensitivity()`] says which of them change a result.
//!
//! Some open questions are no switches, because there is nothing to choose, or nothing that would depend on it:
//!
//! | question | what holds, and why |
//! |---|---|
//! | In which order are `random` batches drawn? | As the seed and the number of the pass say. Any other source of chance would make results unrepeatable. |
//! | Who is older of two tickets of one millisecond? | The one submitted first. Another rule would be as arbitrary. |
//! | How large is a batch, how often is the pool searched? | [`Settings::batch_size`](crate::Settings) and `pass_interval_ms`: numbers that AWS does not publish are settings. |
//! | What do `ruleEvaluationMetrics` count? | Every rule once for each state of a match that has all its players. The sample event shows equal counts for all rules and no failure, which counting half-built matches or stopping at the first failure could not give. No match depends on it. |
//! | Can `sortByAttributes` name lists or maps? | An error: they have no order. |
//! | A value of another type than the attribute is declared? | An error, as the guide demands matching types. |
//! | A ticket id in use, or a player twice in one request? | An error: nothing sensible could follow. |

mod rules;
mod search;
mod sensitivity;
mod tickets;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use rules::*;
pub use search::*;
pub use sensitivity::{DIFFERENCES_MAX, Dependence, Differences, sensitivity};
pub use tickets::*;

/// The readings of everything that AWS leaves open.
///
/// [`Compat::default`] is what the evidence supports best. The profile goes through serde, with absent fields at
/// their defaults, so that it can be printed with every result and read back. It is a few bytes: copy it freely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Compat {
    /// What a key that the rule-set schema does not know is.
    pub unknown_keys: UnknownKeys,
    /// What the strategy `balanced` is for small matches.
    pub small_balanced: SmallBalanced,
    /// What `teams[x]` selects in a measurement when `x` has a quantity above one.
    pub base_team_name: BaseTeamName,
    /// What a `distance` rule does with a list of several reference values.
    pub distance_reference: DistanceReferenceList,
    /// What happens when an expansion leaves a team's `minPlayers` above its `maxPlayers`.
    pub crossed_team_sizes: CrossedTeamSizes,
    /// What a player attribute that the rule set does not declare is.
    pub undeclared_attributes: UndeclaredAttributes,
    /// Whether a value exactly at a limit is within it: distances, latencies, and the wait of an expansion step.
    pub boundary: Boundary,
    /// What rules see of a ticket with several players.
    pub party: PartyReading,
    /// What a rule with nothing to measure does.
    pub empty_measurement: EmptyMeasurement,
    /// Which standard deviation `stddev` is.
    pub stddev: Stddev,
    /// Which failing rules reject a match that still has room.
    pub partial_matches: PartialMatches,
    /// How far the search goes around a ticket.
    pub search_depth: SearchDepth,
    /// Which team a ticket tries first.
    pub team_choice: TeamChoice,
    /// What sort rules order.
    pub sort_rules: SortRules,
    /// Where a ticket whose map lacks the anchor's key goes in an `absoluteSort`.
    pub missing_sort_key: MissingSortKey,
    /// What `sortByAttributes` takes of a ticket with several players.
    pub party_sort_value: PartySortValue,
    /// What `AdditionalPlayerCount` leaves empty.
    pub additional_players: AdditionalPlayers,
    /// How a ticket with several players is dealt to the teams of a `balanced` match.
    pub large_match_parties: LargeMatchParties,
    /// How teams of a `balanced` match are balanced once it is found.
    pub balancing: Balancing,
    /// What a team in a StartMatchmaking request means.
    pub requested_team: RequestedTeam,
    /// What becomes of a ticket whose player rejected a match or stayed silent.
    pub rejecters: Rejecters,
    /// From when on a ticket ages that is back in the pool.
    pub returned_age: ReturnedAge,
    /// When the request's timeout ends a ticket that is in a match already.
    pub request_timeout: RequestTimeout,
    /// Whether a ticket can still be matched at the very moment of its timeout.
    pub last_moment: LastMoment,
}

/// A profile that differs from another in one switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// The switch, as the profile's JSON spells it.
    pub switch: String,
    /// Its other value, likewise.
    pub value: String,
    /// The profile.
    pub compat: Compat,
}

/// Implements [`Compat::alternatives`] from the values of all switches. A switch or a value that is missing here does
/// not compile.
macro_rules! alternatives {
    ($($field:ident: $reading:ident { $($value:ident),+ })+) => {
        impl Compat {
            /// Every profile that differs from this one in one switch, in the order of the fields.
            pub fn alternatives(&self) -> Vec<Alternative> {
                let Self { $($field),+ } = *self;
                let mut all = Vec::new();
                $(
                    match $field { $($reading::$value)|+ => {} }
                    $(
                        if $field != $reading::$value {
                            all.push(self.alternative(Self { $field: $reading::$value, ..*self }));
                        }
                    )+
                )+
                all
            }
        }
    };
}

alternatives! {
    unknown_keys: UnknownKeys { Warn, Reject }
    small_balanced: SmallBalanced { Accept, Reject }
    base_team_name: BaseTeamName { AllInstances, Reject }
    distance_reference: DistanceReferenceList { Pairwise, Reject }
    crossed_team_sizes: CrossedTeamSizes { ClampMin, Reject }
    undeclared_attributes: UndeclaredAttributes { Drop, Reject }
    boundary: Boundary { Inclusive, Exclusive }
    party: PartyReading { PerPlayer, Collapsed }
    empty_measurement: EmptyMeasurement { Pass, Fail }
    stddev: Stddev { Population, Sample }
    partial_matches: PartialMatches { AwsGreedy, Optimal }
    search_depth: SearchDepth { Greedy, GreedyOverAll, Backtracking }
    team_choice: TeamChoice { MostOpen, Random, Declared }
    sort_rules: SortRules { BeforeAge, AfterAge }
    missing_sort_key: MissingSortKey { Last, Zero }
    party_sort_value: PartySortValue { Average, First }
    additional_players: AdditionalPlayers { OfTheMatch, OfEachTeam }
    large_match_parties: LargeMatchParties { Together, EachPlayer }
    balancing: Balancing { Swap, AsDealt }
    requested_team: RequestedTeam { Honour, Ignore }
    rejecters: Rejecters { Cancel, Fail }
    returned_age: ReturnedAge { Keep, Restart }
    request_timeout: RequestTimeout { WhilePlacing, WhileSearching, Always }
    last_moment: LastMoment { Match, TimeOut }
}

impl Compat {
    /// The switches that are not at their defaults, by name and value as the JSON spells them.
    pub fn changes(&self) -> Vec<(String, String)> {
        self.changes_from(&Self::default())
    }

    fn alternative(&self, compat: Self) -> Alternative {
        let (switch, value) = compat.changes_from(self).pop().unwrap_or_default();
        Alternative { switch, value, compat }
    }

    fn changes_from(&self, other: &Self) -> Vec<(String, String)> {
        let others = other.switches();
        let changed = self.switches().into_iter().filter(|(name, value)| others.get(name) != Some(value));
        changed.filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect()
    }

    fn switches(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(switches)) => switches,
            _ => Map::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_alternative_is_one_switch_away_and_named_as_the_json_spells_it() {
        let default = Compat::default();
        let all = default.alternatives();
        for Alternative { switch, value, compat } in &all {
            assert_eq!(compat.changes(), [(switch.clone(), value.clone())]);
            let json = format!("{{\"{switch}\": \"{value}\"}}");
            assert_eq!(serde_json::from_str::<Compat>(&json).unwrap(), *compat);
            let back = compat.alternatives();
            assert!(back.iter().any(|back| back.switch == *switch && back.compat == default));
        }
        let switches: BTreeSet<_> = all.iter().map(|alternative| &alternative.switch).collect();
        assert_eq!(switches.len(), default.switches().len());
    }
}
