//! Who plays: players with a skill and a home, the same ones in every round.

use std::collections::HashMap;

use super::fleet::{AMERICA, EUROPE};

/// Skills of players, as the rule set's default is 1000.
const SKILL_MIN: u32 = 800;
const SKILLS: u32 = 400;

/// Round trips to the location on one's own side of the ocean, and to the other, in milliseconds. The rule set takes no
/// match over 80.
const NEAR_MS: i32 = 20;
const FAR_MS: i32 = 110;
/// Round trips differ by less than this.
const SPREAD_MS: u32 = 40;

/// A player, as the matchmaker hears of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) player_id: String,
    pub(super) skill: f64,
    /// Round trip by location.
    pub(super) latency_ms: HashMap<String, i32>,
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
    let extra = (index * 23 % SPREAD_MS) as i32;
    let (home, away) = if index.is_multiple_of(2) { (EUROPE, AMERICA) } else { (AMERICA, EUROPE) };
    let latency_ms = [(home, NEAR_MS + extra), (away, FAR_MS + extra)];
    Member {
        player_id: format!("player-{number}"),
        skill: skill.into(),
        latency_ms: latency_ms.map(|(location, ms)| (location.to_owned(), ms)).into(),
        home,
    }
}
