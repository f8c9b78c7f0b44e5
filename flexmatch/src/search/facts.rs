//! What the index knows of a waiting ticket: the few numbers that rule out most others.

use super::names::{LOCATIONS_MAX, MIXED, Names};
use crate::{
    compat::{Boundary, Compat, PartyReading},
    expansion::Effective,
    expr::{Expression, Function, Source},
    player::{AttributeValue, Player},
    rule::{APART_AROUND_AVERAGE, CollectionOperation, Comparison, Distance, Operation, Reference, RuleKind},
    rule_set::{ExpansionAgeSelection, RuleSet},
};

/// A latency that was not reported.
const MISSING: u32 = u32::MAX;

/// What can be told of a rule set without evaluating rules: conditions on the whole match that more players only make
/// worse. Where they say all that a rule says, the rule need not be evaluated.
#[derive(Debug, Clone, Default)]
pub(super) struct Dimensions {
    /// Number attributes whose spread over a match is limited.
    pub(super) spreads: Vec<Spread>,
    /// String attributes that are equal in a match, by index.
    pub(super) texts: Vec<usize>,
    /// String list attributes of which a match must have values in common.
    pub(super) lists: Vec<Common>,
    /// The latency limit by stage, if there is one.
    pub(super) latency: Option<Limits>,
    /// Whether a ticket needs latencies to be matched.
    pub(super) needs_latency: bool,
    /// By rule: whether the above says all that it says.
    covered: Vec<Covered>,
    /// Of latency limits.
    boundary: Boundary,
    newest: bool,
}

/// Whether a rule need not be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Covered {
    No,
    Yes,
    /// While every location has a bit.
    IfLocationsFit,
}

/// A limit by stage.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    /// At each stage.
    pub(super) at: Vec<f64>,
    /// The loosest up to each stage.
    pub(super) up_to: Vec<f64>,
    /// The different values of `up_to`, ascending.
    pub(super) levels: Vec<f64>,
}

impl Limits {
    fn new(at: impl Iterator<Item = f64>) -> Self {
        let at: Vec<f64> = at.collect();
        let loosest = |sofar: &mut f64, limit: &f64| {
            *sofar = f64::max(*sofar, *limit);
            Some(*sofar)
        };
        let up_to: Vec<f64> = at.iter().scan(f64::NEG_INFINITY, loosest).collect();
        let mut levels = up_to.clone();
        levels.dedup();
        Self { at, up_to, levels }
    }

    /// Where the loosest limit up to a stage is among the levels.
    pub(super) fn level(&self, stage: usize) -> usize {
        self.levels.partition_point(|limit| *limit < self.up_to[stage])
    }

    /// The loosest of all stages.
    pub(super) fn loosest(&self) -> f64 {
        self.up_to.last().copied().unwrap_or(f64::INFINITY)
    }
}

/// A number attribute whose largest and smallest value in a match may be only so far apart.
#[derive(Debug, Clone)]
pub(super) struct Spread {
    pub(super) attribute: usize,
    pub(super) limits: Limits,
    boundary: Boundary,
}

impl Spread {
    pub(super) fn allows(&self, min: f64, max: f64, stage: usize) -> bool {
        self.boundary.at_most(max - min, self.limits.at[stage])
    }
}

/// A string list attribute of which all players of a match must share so many values.
#[derive(Debug, Clone)]
pub(super) struct Common {
    pub(super) attribute: usize,
    /// At each stage.
    pub(super) least: Vec<f64>,
}

impl Dimensions {
    pub(super) fn new(rules: &RuleSet, compat: &Compat) -> Self {
        let stages = rules.stages();
        let mut dimensions = Self {
            boundary: compat.boundary,
            newest: rules.algorithm().expansion_age_selection == ExpansionAgeSelection::Newest,
            needs_latency: stages.iter().all(|stage| stage.latencies().next().is_some()),
            covered: vec![Covered::No; stages[0].rules().len()],
            ..Self::default()
        };
        // A collapsed party is one value that none of its players may have: leave it all to the rules.
        if compat.party == PartyReading::Collapsed {
            return dimensions;
        }
        for index in 0..dimensions.covered.len() {
            let by_stage: Vec<&RuleKind> =
                stages.iter().filter_map(|stage| stage.rules().nth(index)).map(|rule| &rule.kind).collect();
            if stages[0].is_enforced(index) {
                dimensions.covered[index] = dimensions.cover(&by_stage, stages[0].teams().len());
            }
        }
        let limit = |stage: &Effective| {
            stage.latencies().filter_map(|rule| rule.max_latency).fold(f64::INFINITY, f64::min)
        };
        let limits = Limits::new(stages.iter().map(limit));
        dimensions.latency = limits.at.iter().any(|limit| limit.is_finite()).then_some(limits);
        dimensions
    }

    /// Takes over what can be said of one rule. Expansions change its numbers, not its shape.
    fn cover(&mut self, by_stage: &[&RuleKind], teams: usize) -> Covered {
        match by_stage[0] {
            RuleKind::BatchDistance(rule) if rule.max_distance.is_none() => {
                self.texts.push(rule.attribute);
                Covered::Yes
            }
            RuleKind::BatchDistance(rule) => {
                let limits = Limits::new(by_stage.iter().map(|kind| match kind {
                    RuleKind::BatchDistance(rule) => rule.max_distance.unwrap_or(f64::INFINITY),
                    _ => f64::INFINITY,
                }));
                self.spreads.push(Spread { attribute: rule.attribute, limits, boundary: self.boundary });
                Covered::Yes
            }
            // Several latency rules may each be content with another location.
            RuleKind::Latency(_) => {
                let simple = by_stage.iter().all(|kind| {
                    matches!(kind, RuleKind::Latency(rule) if rule.max_distance.is_none() && rule.max_latency.is_some())
                });
                if simple { Covered::IfLocationsFit } else { Covered::No }
            }
            RuleKind::Comparison(rule) => self.cover_comparison(rule, by_stage.len(), teams),
            RuleKind::Distance(rule) => self.cover_distance(rule, by_stage, teams),
            RuleKind::Collection(rule) => {
                let [measured] = &rule.measurements[..] else { return Covered::No };
                let Some((Source::TextLists(attribute), [Function::Flatten])) = whole(measured, teams) else {
                    return Covered::No;
                };
                if rule.operation != CollectionOperation::Intersection || rule.max_count.is_some() {
                    return Covered::No;
                }
                let least = by_stage.iter().map(|kind| match kind {
                    RuleKind::Collection(rule) => rule.min_count.unwrap_or(0.0),
                    _ => 0.0,
                });
                self.lists.push(Common { attribute, least: least.collect() });
                Covered::Yes
            }
            RuleKind::Sort(_) => Covered::Yes,
            RuleKind::Compound(_) => Covered::No,
        }
    }

    /// All players equal: of numbers, a spread of 0, which "equal" allows under either reading of limits.
    fn cover_comparison(&mut self, rule: &Comparison, stages: usize, teams: usize) -> Covered {
        let ([measured], None, Operation::Equal) = (&rule.measurements[..], &rule.reference, rule.operation)
        else {
            return Covered::No;
        };
        match whole(measured, teams) {
            Some((Source::Texts(attribute), [Function::Flatten])) => self.texts.push(attribute),
            Some((Source::Numbers(attribute), [Function::Flatten])) => {
                let limits = Limits::new(std::iter::repeat_n(0.0, stages));
                self.spreads.push(Spread { attribute, limits, boundary: Boundary::Inclusive });
            }
            _ => return Covered::No,
        }
        Covered::Yes
    }

    /// Largest against smallest value of all players is a spread; every value against the average of all bounds the
    /// spread to twice the distance.
    fn cover_distance(&mut self, rule: &Distance, by_stage: &[&RuleKind], teams: usize) -> Covered {
        let [measured] = &rule.measurements[..] else { return Covered::No };
        let Reference::Expression(reference) = &rule.reference else { return Covered::No };
        let (Some((measured, measure)), Some((referred, refer))) =
            (whole(measured, teams), whole(reference, teams))
        else {
            return Covered::No;
        };
        let (Source::Numbers(attribute), true) = (measured, measured == referred) else { return Covered::No };
        use Function::{Average, Flatten, Max, Min};
        let (factor, covered) = match (measure, refer) {
            ([Flatten, Max], [Flatten, Min]) | ([Flatten, Min], [Flatten, Max]) => {
                (1.0, if rule.min_distance.is_none() { Covered::Yes } else { Covered::No })
            }
            ([Flatten], [Flatten, Average]) => (APART_AROUND_AVERAGE, Covered::No),
            _ => return Covered::No,
        };
        let limits = Limits::new(by_stage.iter().map(|kind| match kind {
            RuleKind::Distance(rule) => rule.max_distance.map_or(f64::INFINITY, |max| max * factor),
            _ => f64::INFINITY,
        }));
        self.spreads.push(Spread { attribute, limits, boundary: self.boundary });
        covered
    }

    /// Whether the rule need not be evaluated.
    pub(super) fn covers(&self, rule: usize, locations_fit: bool) -> bool {
        match self.covered[rule] {
            Covered::No => false,
            Covered::Yes => true,
            Covered::IfLocationsFit => locations_fit,
        }
    }

    /// The stage whose limits are the loosest a match at `stage` can come under by adding tickets.
    pub(super) const fn loosest_stage(&self, stage: usize, last: usize) -> usize {
        if self.newest { stage } else { last }
    }

    pub(super) fn within(&self, value: f64, limit: f64) -> bool {
        self.boundary.at_most(value, limit)
    }
}

/// What an expression selects and does to it, if it selects from all teams.
fn whole(expression: &Expression, teams: usize) -> Option<(Source, &[Function])> {
    let select = &expression.select;
    let flat_single = teams == 1 && !select.grouped;
    (select.grouped && select.teams.len() == teams && !flat_single)
        .then_some((select.source, expression.functions.as_slice()))
}

/// What the index knows of one ticket.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) players: u32,
    /// Smallest and largest value, per [`Dimensions::spreads`].
    pub(super) spans: Box<[(f64, f64)]>,
    /// Text numbers, per [`Dimensions::texts`].
    pub(super) texts: Box<[u32]>,
    /// The values all its players share, in order, per [`Dimensions::lists`].
    pub(super) lists: Box<[Box<[u32]>]>,
    /// The worst latency of the ticket's players per location.
    pub(super) worst: Box<[u32]>,
    /// The locations by worst latency, best first.
    pub(super) by_latency: Box<[u8]>,
}

impl Facts {
    pub(super) fn new(dimensions: &Dimensions, names: &mut Names, party: &[Player]) -> Self {
        let spans = dimensions.spreads.iter().map(|spread| {
            party
                .iter()
                .filter_map(|player| player.number(spread.attribute))
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), value| {
                    (min.min(value), max.max(value))
                })
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
        let lists = dimensions.lists.iter().map(|common| {
            let mut shared: Option<Vec<u32>> = None;
            for player in party {
                let Some(AttributeValue::StringList(list)) = player.attribute(common.attribute) else {
                    continue;
                };
                let mut own: Vec<u32> = list.iter().map(|text| names.text(text)).collect();
                own.sort_unstable();
                own.dedup();
                shared = Some(match shared {
                    None => own,
                    Some(shared) => intersection(&shared, &own).collect(),
                });
            }
            shared.unwrap_or_default().into()
        });
        let lists = lists.collect();
        let mut all = [MISSING; LOCATIONS_MAX];
        let mut last = 0;
        if let Some((first, rest)) = party.split_first() {
            for (at, (location, latency)) in first.latency_ms().iter().enumerate() {
                let known = names.location(location);
                if known >= LOCATIONS_MAX {
                    continue;
                }
                let others = rest.iter().map(|player| player.latency_near(at, location).unwrap_or(MISSING));
                all[known] = others.fold(*latency, u32::max);
                last = last.max(known + 1);
            }
        }
        let worst = &all[..last];
        let mut by_latency: Vec<u8> =
            (0..worst.len()).filter(|known| worst[*known] != MISSING).map(|known| known as u8).collect();
        by_latency.sort_by_key(|known| worst[usize::from(*known)]);
        Self {
            players: u32::try_from(party.len()).unwrap_or(u32::MAX),
            spans,
            texts,
            lists,
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
    let acceptable = |latency: u32| latency != MISSING && dimensions.within(f64::from(latency), limit);
    worst.iter().enumerate().fold(0, |bits, (known, latency)| bits | u64::from(acceptable(*latency)) << known)
}

/// What two ascending lists share.
pub(super) fn intersection<'a>(one: &'a [u32], other: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
    one.iter().copied().filter(|value| other.binary_search(value).is_ok())
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
}

/// What keeps a ticket from ever being matched, whatever else waits. `room` is how many players it may have.
pub(super) fn impossible(
    rules: &RuleSet,
    dimensions: &Dimensions,
    names: &Names,
    facts: &Facts,
    party: &[Player],
    room: Option<u32>,
) -> Option<Impossible> {
    if let Some(largest_team) = room.filter(|room| facts.players > *room) {
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
        && let limit = limits.loosest()
        && limit.is_finite()
        && names.locations_fit()
        && facts.locations(dimensions, limit) == 0
        && !party.is_empty()
    {
        let best_ms = facts.by_latency.first().map(|best| facts.worst[usize::from(*best)]);
        return Some(Impossible::NoLocation { best_ms, loosest_ms: limit.to_string() });
    }
    None
}
