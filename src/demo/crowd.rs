//! Who plays: players with a skill and a home, the same ones in every round.

use std::collections::BTreeMap;

use super::fleet::{AMERICA, EUROPE};

/// The skill of somebody who has never played, as in the rule set.
pub(super) const SKILL_OF_NEWCOMERS: f64 = 1000.0;

/// Skills of the players here are around it.
const SKILL_MIN: u32 = 800;
const SKILLS: u32 = 400;

/// Round trips to the location on one's own side of the ocean, and to the other, in milliseconds. The rule set takes no
/// match over 80.
const NEAR_MS: u32 = 20;
const FAR_MS: u32 = 110;
/// Round trips differ by less than this.
const SPREAD_MS: u32 = 40;

/// A player of the demo.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    /// What the reader knows them by. GameLift knows them by their identity.
    pub(super) name: String,
    /// What the table says of them.
    pub(super) skill: f64,
    /// Round trip by location.
    pub(super) latency_ms: BTreeMap<String, u32>,
    /// The location nearest to them.
    pub(super) home: &'static str,
}

/// This many players, every other one in America.
pub(super) fn crowd(players: usize) -> Vec<Member> {
    (1..=players).zip(0..).map(|(number, index)| member(number, index)).collect()
}

fn member(number: usize, index: u32) -> Member {
    // Multiples of a number that shares no factor with the range go everywhere in it: spread out, and no chance involved.
    let skill = SKILL_MIN + index * 137 % SKILLS;
    let extra = index * 23 % SPREAD_MS;
    let (home, away) = if index.is_multiple_of(2) { (EUROPE, AMERICA) } else { (AMERICA, EUROPE) };
    let latency_ms = [(home, NEAR_MS + extra), (away, FAR_MS + extra)];
    Member {
        name: format!("player-{number}"),
        skill: skill.into(),
        latency_ms: latency_ms.map(|(location, ms)| (location.to_owned(), ms)).into(),
        home,
    }
}
