//! Players, drawn from a population.

use std::{borrow::Cow, collections::BTreeMap};

use super::{Distribution, Population};
use crate::{
    player::{AttributeType, AttributeValue},
    random::Random,
    rule_set::{AttributeDefinition, RuleSet},
    ticket::PlayerRequest,
};

impl Population {
    /// Milliseconds until the next arrival.
    pub(in crate::simulate) fn pause_millis(&self, random: &mut Random) -> f64 {
        -(1.0 - random.unit()).ln() / self.arrivals_per_second * 1_000.0
    }

    /// The party of the ticket with this number. It does not depend on the tickets before, and each attribute has its
    /// own randomness: two rule sets that declare different attributes meet the same players.
    pub(in crate::simulate) fn party(
        &self,
        number: u64,
        rules: &RuleSet,
        id: impl Fn(u32) -> String,
    ) -> Party {
        let mut random = self.random(&number.to_string());
        let size = *pick(self.parties.iter().map(|(size, share)| (size, *share)), &mut random).unwrap_or(&1);
        let home = self.pick_home(&mut random);
        let players = (0..size)
            .map(|member| {
                let mut player = PlayerRequest { player_id: id(member), ..PlayerRequest::default() };
                self.fill(&mut player, home, &format!("{number}/{member}"), rules);
                player
            })
            .collect();
        Party { players, home }
    }

    /// Index into [`Population::homes`], drawn for a ticket of a recording.
    pub(in crate::simulate) fn home_of(&self, ticket: &str) -> Option<usize> {
        self.pick_home(&mut self.random(ticket))
    }

    fn pick_home(&self, random: &mut Random) -> Option<usize> {
        pick(self.homes.values().map(|home| home.weight).enumerate(), random)
    }

    /// Draws attributes and latencies of a player who lives at `home`; `who` is the seed besides [`Population::seed`].
    pub(in crate::simulate) fn fill(
        &self,
        player: &mut PlayerRequest,
        home: Option<usize>,
        who: &str,
        rules: &RuleSet,
    ) {
        for known in rules.attributes() {
            let mut random = self.random(&format!("{who}/{}", known.name));
            let described = self.attributes.get(&known.name).map(Cow::Borrowed);
            // A default comes by itself; a player carries few attributes.
            if described.is_none() && known.default.is_some() && known.attribute_type != AttributeType::Number
            {
                continue;
            }
            let value = match described.or_else(|| presumed(known).map(Cow::Owned)) {
                Some(distribution) => distribution.draw(known.attribute_type, &mut random),
                None => AttributeValue::StringNumberMap(BTreeMap::from([(
                    "any".to_owned(),
                    f64::from(random.below(100)),
                )])),
            };
            player.player_attributes.insert(known.name.clone(), value);
        }
        let mut random = self.random(who);
        let home = home.and_then(|index| self.homes.values().nth(index));
        for (location, [low, high]) in home.into_iter().flat_map(|home| &home.latency_ms) {
            let latency = low + random.below(high.saturating_sub(*low).saturating_add(1));
            player.latency_in_ms.insert(location.clone(), latency.max(1));
        }
    }

    /// Randomness that depends on the seed and a name (FNV-1a).
    fn random(&self, name: &str) -> Random {
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Random::new(Random::new(self.seed).next() ^ hash)
    }
}

/// The players of a ticket.
#[derive(Debug)]
pub(in crate::simulate) struct Party {
    pub(in crate::simulate) players: Vec<PlayerRequest>,
    /// Index into [`Population::homes`].
    pub(in crate::simulate) home: Option<usize>,
}

/// How an attribute is drawn that nobody described: numbers around the default, else the default, else one text for
/// all. `None` for maps without default, whose one number varies.
pub(super) fn presumed(attribute: &AttributeDefinition) -> Option<Distribution> {
    Some(match (attribute.attribute_type, &attribute.default) {
        (AttributeType::Number, Some(AttributeValue::Number(mean))) => {
            Distribution::Normal { mean: *mean, deviation: mean.abs() / 4.0 }
        }
        (AttributeType::Number, _) => Distribution::Normal { mean: 50.0, deviation: 15.0 },
        (_, Some(default)) => Distribution::Always(default.clone()),
        (AttributeType::String, None) => Distribution::Always(AttributeValue::String("any".to_owned())),
        (AttributeType::StringList, None) => {
            Distribution::Always(AttributeValue::StringList(vec!["any".to_owned()]))
        }
        (AttributeType::StringNumberMap, None) => return None,
    })
}

impl Distribution {
    fn draw(&self, kind: AttributeType, random: &mut Random) -> AttributeValue {
        match self {
            Self::Uniform { min, max } => AttributeValue::Number((min + random.unit() * (max - min)).round()),
            Self::Normal { mean, deviation } => {
                AttributeValue::Number((mean + normal(random) * deviation).round())
            }
            Self::OneOf(shares) => {
                let text = pick(shares.iter().map(|(text, share)| (text, *share)), random)
                    .cloned()
                    .unwrap_or_default();
                if kind == AttributeType::StringList {
                    AttributeValue::StringList(vec![text])
                } else {
                    AttributeValue::String(text)
                }
            }
            Self::AnyOf(shares) => {
                let mut list: Vec<String> = shares
                    .iter()
                    .filter(|(_, share)| random.unit() < **share)
                    .map(|(text, _)| text.clone())
                    .collect();
                if list.is_empty() {
                    list.extend(pick(shares.iter().map(|(text, share)| (text, *share)), random).cloned());
                }
                AttributeValue::StringList(list)
            }
            Self::Always(value) => value.clone(),
        }
    }
}

fn normal(random: &mut Random) -> f64 {
    (0..12).map(|_| random.unit()).sum::<f64>() - 6.0
}

fn pick<T>(shares: impl Iterator<Item = (T, f64)> + Clone, random: &mut Random) -> Option<T> {
    let total: f64 = shares.clone().map(|(_, share)| share).sum();
    let mut left = random.unit() * total;
    let mut last = None;
    for (item, share) in shares {
        left -= share;
        last = Some(item);
        if left < 0.0 {
            break;
        }
    }
    last
}
