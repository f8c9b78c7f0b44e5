//! Readings of a ticket's life.

use serde::{Deserialize, Serialize};

/// What a team in a StartMatchmaking request means. The API reference says not to send one; AWS's sample of 2019 did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RequestedTeam {
    /// The ticket goes to that team and to no other.
    #[default]
    Honour,
    /// Nothing.
    Ignore,
}

/// What becomes of a ticket whose player rejected a match or stayed silent. The pages of AWS contradict each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Rejecters {
    /// `CANCELLED`, with MatchmakingCancelled (API reference, AcceptMatch).
    #[default]
    Cancel,
    /// `FAILED`, with MatchmakingFailed (the guide's page on accepting matches says "FAILURE").
    Fail,
}

/// From when on a ticket ages that is back in the pool after a failed acceptance or placement. Undocumented. The
/// request's timeout runs on in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReturnedAge {
    /// From its `StartTime`, which the API goes on to show: it keeps its place and its expansion steps.
    #[default]
    Keep,
    /// From its return: it queues behind all others, and expansions begin anew.
    Restart,
}

/// When the request's timeout ends a ticket that is in a match already. Users saw tickets in PLACING time out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RequestTimeout {
    /// While the match is being placed. Players who are asked to accept have their own clock first.
    #[default]
    WhilePlacing,
    /// Never: only a ticket in SEARCHING times out.
    WhileSearching,
    /// While players are asked, too: then the match falls through.
    Always,
}

/// Whether a ticket can still be matched at the very moment of its timeout. Undocumented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LastMoment {
    /// It can: the pool is searched before tickets time out.
    #[default]
    Match,
    /// It cannot.
    TimeOut,
}
