//! Readings of how matches are searched.

use serde::{Deserialize, Serialize};

/// Tickets that [`SearchDepth::Backtracking`] puts into tentative matches around one ticket before it gives up. A match
/// of ten out of a dozen near tickets is found within it; an unmatchable pool of thousands costs no more than this per
/// ticket.
pub const BACKTRACKING_JOINS_MAX: u32 = 1_000;

/// How far the search goes around a ticket. AWS calls it "exhaustive".
///
/// AWS staff wrote on the GameLift forum that the oldest ticket is tried against all others until the match is full,
/// which is one pass and nothing taken back. The guide says that a match is built around the oldest ticket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SearchDepth {
    /// One pass over the tickets that come after it: those before it had their turn, and a match is built around its
    /// oldest ticket.
    #[default]
    Greedy,
    /// One pass over all other tickets. An older ticket whose own attempt took the wrong others can still join.
    GreedyOverAll,
    /// As `greedy`; where that finds no match, combinations of tickets and teams in the same order, the largest match
    /// within [`BACKTRACKING_JOINS_MAX`] joins.
    Backtracking,
}

/// Which team a ticket tries first; it tries the others if rules refuse it there. Matches that are `balanced` are always
/// dealt as the guide's page on large teams describes.
///
/// The guide's page on requesting matches says that teams are assigned at random, and nothing more. Read literally, eight solo
/// tickets and two teams of 4 to 8 that must be of equal size make a match in 27 % of all passes, while the guide's
/// example of just that promises one whenever eight players are there. So the default takes "random" as the order of
/// teams that are equally empty: equal sizes are met as soon as they can be, and the page on large teams deals likewise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TeamChoice {
    /// The team with most open slots; equals in seeded order.
    #[default]
    MostOpen,
    /// Seeded order.
    Random,
    /// The team with most open slots; equals in the rule set's order. Without chance, for tests.
    Declared,
}

/// What sort rules order. The guide sorts a batch by age, and then speaks of sort rules that order it around the oldest
/// ticket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SortRules {
    /// All tickets after the oldest; age breaks ties.
    #[default]
    BeforeAge,
    /// Tickets of the same age only.
    AfterAge,
}

/// What `sortByAttributes` takes of a ticket with several players. Undocumented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PartySortValue {
    /// The average of numbers, as the default `partyAggregation` of rules; the first player's text.
    #[default]
    Average,
    /// The first player's value.
    First,
}

/// What `AdditionalPlayerCount` leaves empty. The API reference has one example, with one team: of 12 seats and a count
/// of 2, ten players are selected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AdditionalPlayers {
    /// So many seats of the match, on whichever teams, but never so many that a team lacks its minimum.
    #[default]
    OfTheMatch,
    /// So many seats of each team, down to its minimum.
    OfEachTeam,
}

/// How a ticket with several players is dealt to the teams of a `balanced` match. The guide describes the dealing
/// player by player; elsewhere it says that a ticket stays together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LargeMatchParties {
    /// All its players to the team whose turn it is and that has room for them.
    #[default]
    Together,
    /// Each player to the team whose turn it is.
    EachPlayer,
}

/// How teams of a `balanced` match are balanced once it is found. The guide speaks of additional checks after the match
/// is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Balancing {
    /// Tickets of equal size change places while that brings two teams' sums of the attribute closer.
    #[default]
    Swap,
    /// Not at all: teams stay as they were dealt.
    AsDealt,
}

/// What the strategy `balanced` is for matches of at most
/// [`SMALL_MATCH_PLAYERS_MAX`](crate::rule_set::SMALL_MATCH_PLAYERS_MAX) players. The guide's pages reserve it for larger
/// ones, and its example 10 uses it with 40 and with rules that large matches cannot have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SmallBalanced {
    /// Accepted, with a warning: all rules hold, and the teams are balanced if they still do afterwards.
    #[default]
    Accept,
    /// An error.
    Reject,
}
