//! `absoluteSort` and `distanceSort`: whom to try first around the oldest ticket.

use std::cmp::Ordering;

use super::PartyAggregation;
use crate::compat::{Compat, MissingSortKey};
use crate::player::{AttributeValue, Player};

/// A sort rule. It orders tickets and rejects nobody.
#[derive(Clone, Debug, PartialEq)]
pub struct Sort {
    /// What is compared.
    pub kind: SortKind,
    /// Which end comes first.
    pub direction: SortDirection,
    /// The attribute, as an index into [`RuleSet::attributes`](crate::RuleSet::attributes).
    pub attribute: usize,
    /// Which key of a map attribute counts.
    pub map_key: Option<MapKey>,
    /// How the players of one ticket become one value.
    pub party_aggregation: PartyAggregation,
}

/// What a sort rule compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKind {
    /// The value itself (`absoluteSort`).
    Absolute,
    /// Its distance from the oldest ticket's value (`distanceSort`).
    Distance,
}

/// `sortDirection`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortDirection {
    /// Small values first.
    Ascending,
    /// Large values first.
    Descending,
}

/// `mapKey`: which entry of the oldest ticket's map names the key to sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKey {
    /// The entry with the smallest value.
    MinValue,
    /// The entry with the largest value.
    MaxValue,
}

/// Where a ticket comes in the order of one sort rule: smaller keys first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SortKey(Option<f64>);

impl Eq for SortKey {}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SortKey {
    /// No value comes last.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.0, other.0) {
            (Some(one), Some(other)) => one.total_cmp(&other),
            (one, other) => other.is_some().cmp(&one.is_some()),
        }
    }
}

impl Sort {
    /// Where a ticket comes, relative to the oldest one (the anchor). Tickets are given by their players.
    ///
    /// A ticket without a value, or whose map lacks the anchor's key, comes last (but see
    /// [`Compat::missing_sort_key`]).
    pub fn key(&self, anchor: &[&Player], ticket: &[&Player], compat: &Compat) -> SortKey {
        self.keys(anchor, compat).of(ticket)
    }

    /// The same for many tickets: what depends on the anchor is found once.
    pub fn keys<'a>(&'a self, anchor: &[&'a Player], compat: &Compat) -> SortKeys<'a> {
        let missing = match compat.missing_sort_key {
            MissingSortKey::Last => None,
            MissingSortKey::Zero => Some(0.0),
        };
        let mut keys = SortKeys { sort: self, map_key: self.anchor_key(anchor), missing, from: None };
        if self.kind == SortKind::Distance {
            keys.from = keys.value(anchor);
        }
        keys
    }

    /// The key with the extreme value in the anchor's maps; the first in alphabetical order of several.
    fn anchor_key<'a>(&self, anchor: &[&'a Player]) -> Option<&'a str> {
        let wanted = self.map_key?;
        let mut best: Option<(&'a str, f64)> = None;
        for player in anchor {
            let Some(AttributeValue::StringNumberMap(map)) = player.attribute(self.attribute) else {
                continue;
            };
            for (key, &value) in map {
                let better = best.is_none_or(|(_, best)| match wanted {
                    MapKey::MaxValue => value > best,
                    MapKey::MinValue => value < best,
                });
                if better {
                    best = Some((key, value));
                }
            }
        }
        best.map(|(key, _)| key)
    }
}

/// A sort rule with its anchor.
#[derive(Clone, Copy, Debug)]
pub struct SortKeys<'a> {
    sort: &'a Sort,
    map_key: Option<&'a str>,
    missing: Option<f64>,
    from: Option<f64>,
}

impl SortKeys<'_> {
    /// Where a ticket comes.
    pub fn of(&self, ticket: &[&Player]) -> SortKey {
        let value = match self.sort.kind {
            SortKind::Absolute => self.value(ticket),
            SortKind::Distance => self.value(ticket).zip(self.from).map(|(value, from)| (value - from).abs()),
        };
        SortKey(value.map(|value| match self.sort.direction {
            SortDirection::Ascending => value,
            SortDirection::Descending => -value,
        }))
    }

    fn value(&self, ticket: &[&Player]) -> Option<f64> {
        let numbers = ticket.iter().filter_map(|player| match player.attribute(self.sort.attribute)? {
            AttributeValue::Number(number) => Some(*number),
            AttributeValue::StringNumberMap(map) => map.get(self.map_key?).copied().or(self.missing),
            _ => None,
        });
        self.sort.party_aggregation.of(numbers)
    }
}
