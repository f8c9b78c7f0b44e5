//! Orders: of candidates around an anchor, of tickets before batching, of teams for a ticket.

use std::cmp::Ordering;

use crate::{
    compat::{PartySortValue, TeamChoice},
    player::{AttributeValue, Player},
    random::Random,
    rule::PartyAggregation,
    rule_set::Team,
};

/// A value of `sortByAttributes`. Tickets without one come last.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Key {
    Number(f64),
    Text(String),
    Missing,
}

impl Key {
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => self.kind().cmp(&other.kind()),
        }
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Text(_) => 1,
            Self::Missing => 2,
        }
    }
}

/// The values of `sortByAttributes` of a ticket: averages of numbers, the first player's texts.
pub(super) fn batch_keys(party: &[Player], attributes: &[usize], reading: PartySortValue) -> Vec<Key> {
    let party = match reading {
        PartySortValue::Average => party,
        PartySortValue::First => party.get(..1).unwrap_or_default(),
    };
    let key = |attribute: &usize| match party.first().and_then(|player| player.attribute(*attribute)) {
        Some(AttributeValue::String(text)) => Key::Text(text.clone()),
        _ => PartyAggregation::Average
            .of(party.iter().filter_map(|player| player.number(*attribute)))
            .map_or(Key::Missing, Key::Number),
    };
    attributes.iter().map(key).collect()
}

pub(super) fn by_keys(a: &[Key], b: &[Key]) -> Ordering {
    a.iter().zip(b).map(|(a, b)| a.order(b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// How tickets choose their teams.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deal {
    Choice(TeamChoice),
    /// As the guide deals players of large matches: among teams that lack players the one with most open slots, then
    /// the one with most open slots.
    Large,
}

/// Puts the teams with room for `players` into `order`, the first to try first. `seed` decides between equals.
pub(super) fn teams(
    deal: Deal,
    teams: &[Team],
    counts: &[u32],
    players: u32,
    seed: u64,
    order: &mut Vec<usize>,
) {
    order.clear();
    let open = |team: usize| teams[team].max_players.saturating_sub(counts[team]);
    order.extend((0..teams.len()).filter(|team| open(*team) >= players));
    if order.len() < 2 {
        return;
    }
    match deal {
        Deal::Choice(TeamChoice::Random) => Random::new(seed).shuffle(order),
        Deal::Choice(TeamChoice::MostOpen) => {
            if order.windows(2).any(|pair| open(pair[0]) == open(pair[1])) {
                Random::new(seed).shuffle(order);
            }
            order.sort_by_key(|team| std::cmp::Reverse(open(*team)));
        }
        Deal::Choice(TeamChoice::Declared) => order.sort_by_key(|team| std::cmp::Reverse(open(*team))),
        Deal::Large => order
            .sort_by_key(|team| (counts[*team] >= teams[*team].min_players, std::cmp::Reverse(open(*team)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn team(name: &str, min_players: u32, max_players: u32) -> Team {
        Team { name: name.into(), base_name: name.into(), min_players, max_players }
    }

    fn deal(all: &[Team], players: u32) -> Vec<u32> {
        let (mut counts, mut order) = (vec![0; all.len()], Vec::new());
        for _ in 0..players {
            teams(Deal::Large, all, &counts, 1, 0, &mut order);
            counts[order[0]] += 1;
        }
        counts
    }

    #[test]
    fn players_are_dealt_as_the_guide_counts() {
        let small = [team("Red", 5, 10), team("Blue", 5, 10), team("Green", 2, 3)];
        for (players, counts) in [(10, [5, 5, 0]), (12, [5, 5, 2]), (20, [9, 9, 2]), (23, [10, 10, 3])] {
            assert_eq!(deal(&small, players), counts);
        }
    }

    #[test]
    fn divers_are_dealt_before_krakens() {
        let mut all = vec![team("Krakens", 5, 5)];
        all.extend((1..=10).map(|number| team(&format!("Divers_{number}"), 12, 15)));
        for (players, krakens, divers) in [(100, 0, 10), (122, 2, 12), (125, 5, 12), (155, 5, 15)] {
            let counts = deal(&all, players);
            assert_eq!(counts[0], krakens);
            assert!(counts[1..].iter().all(|count| *count == divers), "{counts:?}");
        }
    }
}
