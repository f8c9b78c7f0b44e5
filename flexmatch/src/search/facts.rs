//! What the index knows of a waiting ticket: the few numbers that rule out most others.

use std::collections::BTreeMap;

use crate::{
    compat::{Boundary, Compat, PartyReading},
    player::{AttributeValue, Player},
    rule_set::{ExpansionAgeSelection, RuleSet},
};

/// Most locations the index tells apart; of further ones it knows nothing, and rules nobody out by them.
pub(super) const LOCATIONS_MAX: usize = 64;

/// A latency that was not reported.
const MISSING: u32 = u32::MAX;

/// Values that never equal any other: players of one ticket with different texts.
pub(super) const MIXED: u32 = u32::MAX;

/// What a rule set allows the index to conclude. Everything here is necessary for a match, never sufficient.
#[derive(Debug, Clone, Default)]
pub(super) struct Dimensions {
    /// Number attributes whose spread over a match is limited.
    pub(super) spreads: Vec<Spread>,
    /// String attributes that are equal in a match, by index.
    pub(super) texts: Vec<usize>,
    /// The latency limit, if there is one: the loosest up to each stage.
    pub(super) latency: Option<Vec<f64>>,
    /// Whether a ticket needs latencies to be matched.
    pub(super) needs_latency: bool,
    /// Latencies and distances exactly at the limit are within it.
    inclusive: bool,
    newest: bool,
}

/// A number attribute whose largest and smallest value in a match may be only so far apart.
#[derive(Debug, Clone)]
pub(super) struct Spread {
    pub(super) attribute: usize,
    /// The loosest limit of the stages up to each stage; infinite where there is none.
    pub(super) up_to: Vec<f64>,
}

impl Dimensions {
    pub(super) fn new(rules: &RuleSet, compat: &Compat) -> Self {
        let stages = rules.stages();
        let mut dimensions = Self {
            inclusive: compat.boundary == Boundary::Inclusive,
            newest: rules.algorithm().expansion_age_selection == ExpansionAgeSelection::Newest,
            needs_latency: stages.iter().all(|stage| stage.latencies().next().is_some()),
            ..Self::default()
        };
        // A collapsed party is one value that none of its players may have: leave it all to the rules.
        if compat.party == PartyReading::Collapsed {
            return dimensions;
        }
        for (index, rule) in stages[0].rules().enumerate() {
            if !stages[0].is_enforced(index) {
                continue;
            }
            if let Some(batch) = rule.as_batch_distance() {
                if batch.max_distance.is_none() {
                    dimensions.texts.push(batch.attribute);
                    continue;
                }
                let limits = stages.iter().map(|stage| {
                    let now = stage.rules().nth(index).and_then(|rule| rule.as_batch_distance());
                    now.and_then(|rule| rule.max_distance).unwrap_or(f64::INFINITY)
                });
                dimensions.spreads.push(Spread { attribute: batch.attribute, up_to: loosest(limits) });
            }
        }
        let limits: Vec<f64> = stages
            .iter()
            .map(|stage| stage.latencies().filter_map(|rule| rule.max_latency).fold(f64::INFINITY, f64::min))
            .collect();
        if limits.iter().any(|limit| limit.is_finite()) {
            dimensions.latency = Some(loosest(limits.into_iter()));
        }
        dimensions
    }

    /// The stage whose limits are the loosest a match with `stage` can come under by adding tickets.
    pub(super) const fn loosest_stage(&self, stage: usize, last: usize) -> usize {
        if self.newest { stage } else { last }
    }

    pub(super) fn within(&self, value: f64, limit: f64) -> bool {
        if self.inclusive { value <= limit } else { value < limit }
    }
}

fn loosest(limits: impl Iterator<Item = f64>) -> Vec<f64> {
    limits
        .scan(f64::NEG_INFINITY, |sofar, limit| {
            *sofar = f64::max(*sofar, limit);
            Some(*sofar)
        })
        .collect()
}

/// Texts and locations by number.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    texts: BTreeMap<String, u32>,
    locations: BTreeMap<String, usize>,
}

impl Names {
    pub(super) fn text(&mut self, text: &str) -> u32 {
        if let Some(known) = self.texts.get(text) {
            return *known;
        }
        let next = u32::try_from(self.texts.len()).unwrap_or(MIXED - 1);
        self.texts.insert(text.to_owned(), next);
        next
    }

    fn location(&mut self, name: &str) -> usize {
        if let Some(known) = self.locations.get(name) {
            return *known;
        }
        let next = self.locations.len();
        self.locations.insert(name.to_owned(), next);
        next
    }

    /// Whether every location has a bit.
    pub(super) fn locations_fit(&self) -> bool {
        self.locations.len() <= LOCATIONS_MAX
    }
}

/// What the index knows of one ticket.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) players: u32,
    /// Smallest and largest value, per [`Dimensions::spreads`].
    pub(super) spans: Box<[(f64, f64)]>,
    /// Text numbers, per [`Dimensions::texts`].
    pub(super) texts: Box<[u32]>,
    /// The worst latency of the ticket's players per location.
    pub(super) worst: Box<[u32]>,
    /// The locations by worst latency, best first.
    pub(super) by_latency: Box<[u8]>,
}

impl Facts {
    pub(super) fn new(dimensions: &Dimensions, names: &mut Names, party: &[Player]) -> Self {
        let spans = dimensions.spreads.iter().map(|spread| {
            party.iter().filter_map(|player| player.number(spread.attribute)).fold(
                (f64::INFINITY, f64::NEG_INFINITY),
                |(min, max), value| (min.min(value), max.max(value)),
            )
        });
        let spans = spans.collect();
        let texts = dimensions.texts.iter().map(|attribute| {
            let mut values = party.iter().filter_map(|player| match player.attribute(*attribute) {
                Some(AttributeValue::String(text)) => Some(text.as_str()),
                _ => None,
            });
            match values.next() {
                Some(first) if values.all(|other| other == first) => names.text(first),
                _ => MIXED,
            }
        });
        let texts = texts.collect();
        let mut worst: Vec<u32> = Vec::new();
        if let Some((first, rest)) = party.split_first() {
            for (location, latency) in first.latency_ms() {
                let known = names.location(location);
                if known >= LOCATIONS_MAX {
                    continue;
                }
                let others = rest.iter().map(|player| player.latency_to(location).unwrap_or(MISSING));
                if worst.len() <= known {
                    worst.resize(known + 1, MISSING);
                }
                worst[known] = others.fold(*latency, u32::max);
            }
        }
        let mut by_latency: Vec<u8> =
            (0..worst.len()).filter(|known| worst[*known] != MISSING).map(|known| known as u8).collect();
        by_latency.sort_by_key(|known| worst[usize::from(*known)]);
        Self {
            players: u32::try_from(party.len()).unwrap_or(u32::MAX),
            spans,
            texts,
            worst: worst.into(),
            by_latency: by_latency.into(),
        }
    }

    /// The locations that are acceptable under `limit`, as bits.
    pub(super) fn locations(&self, dimensions: &Dimensions, limit: f64) -> u64 {
        locations(dimensions, &self.worst, limit)
    }
}

/// The locations that are acceptable under `limit`, as bits.
pub(super) fn locations(dimensions: &Dimensions, worst: &[u32], limit: f64) -> u64 {
    let acceptable =
        |latency: u32| latency != MISSING && dimensions.within(f64::from(latency), limit);
    worst.iter().enumerate().fold(0, |bits, (known, latency)| bits | u64::from(acceptable(*latency)) << known)
}

/// Joins the worst latencies of two: a location that one lacks is lacking.
pub(super) fn join_latencies(all: &mut Vec<u32>, more: &[u32]) {
    all.truncate(more.len());
    for (worst, other) in all.iter_mut().zip(more) {
        *worst = (*worst).max(*other);
    }
}

/// Why a ticket can never be matched, whatever else waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Impossible {
    /// More players than any team ever holds.
    TooLarge { players: u32, largest_team: u32 },
    /// A player has neither a value nor a default for a declared attribute.
    LacksAttribute { player: String, attribute: String },
    /// A player has no latencies, and there is a latency rule.
    LacksLatency { player: String },
    /// No location is ever acceptable to all of its players.
    NoLocation { best_ms: Option<u32>, loosest_ms: String },
    /// The team asked for does not exist, or the players of the ticket ask for different ones.
    Team,
}

/// What keeps a ticket of new players from ever being matched.
pub(super) fn impossible(
    rules: &RuleSet,
    dimensions: &Dimensions,
    names: &Names,
    facts: &Facts,
    party: &[Player],
    is_backfill: bool,
) -> Option<Impossible> {
    let largest = rules.stages().iter().flat_map(|stage| stage.teams()).map(|team| team.max_players).max();
    let largest_team = largest.unwrap_or(0);
    if !is_backfill && facts.players > largest_team {
        return Some(Impossible::TooLarge { players: facts.players, largest_team });
    }
    for player in party {
        if let Some(missing) = player.attributes().iter().position(Option::is_none) {
            return Some(Impossible::LacksAttribute {
                player: player.id().to_owned(),
                attribute: rules.attributes()[missing].name.clone(),
            });
        }
        if dimensions.needs_latency && player.latency_ms().is_empty() {
            return Some(Impossible::LacksLatency { player: player.id().to_owned() });
        }
    }
    if let Some(limits) = &dimensions.latency
        && let Some(limit) = limits.last()
        && limit.is_finite()
        && names.locations_fit()
        && facts.locations(dimensions, *limit) == 0
        && !party.is_empty()
    {
        let best_ms = facts.by_latency.first().map(|best| facts.worst[usize::from(*best)]);
        return Some(Impossible::NoLocation { best_ms, loosest_ms: limit.to_string() });
    }
    None
}
