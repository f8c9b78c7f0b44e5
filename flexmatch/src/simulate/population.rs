//! Who comes, how often, with which attributes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    matchmaker::{ACCEPTANCE_TIMEOUT_SECONDS_MAX, REQUEST_TIMEOUT_SECONDS_MAX, SettingsError},
    player::{AttributeType, AttributeValue},
    random::Random,
    rule_set::RuleSet,
    ticket::PlayerRequest,
};

/// Most tickets of a simulation: two days of 50 arrivals a second. It bounds time, not memory.
pub const TICKETS_MAX: f64 = 10_000_000.0;

/// A population: arrivals, parties, attributes, latencies and manners. Its JSON has the fields in camel case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Population {
    /// Seed of everything random.
    pub seed: u64,
    /// Average arrivals of tickets per second (a Poisson process).
    pub arrivals_per_second: f64,
    /// How long tickets arrive.
    pub duration_seconds: u64,
    /// Relative frequency of party sizes.
    pub parties: BTreeMap<u32, f64>,
    /// How attribute values are drawn, by name. What is missing here gets the rule set's default, or a guess.
    pub attributes: BTreeMap<String, Distribution>,
    /// Where players live, with the latencies they have there.
    pub homes: BTreeMap<String, Home>,
    /// Share of players who accept a match.
    pub accept: f64,
    /// Share of players who reject it; the rest stays silent.
    pub reject: f64,
    /// Seconds until players answer.
    pub answer_seconds: u64,
    /// Seconds until a match has its game session.
    pub placement_seconds: u64,
    /// Seconds after which a request times out.
    pub request_timeout_seconds: u64,
    /// Whether players must accept.
    pub acceptance_required: bool,
    /// Seconds that players have to accept.
    pub acceptance_timeout_seconds: u64,
}

impl Default for Population {
    fn default() -> Self {
        let home = |latency_ms: [(&str, [u32; 2]); 3]| Home {
            weight: 1.0,
            latency_ms: latency_ms.into_iter().map(|(name, range)| (name.to_owned(), range)).collect(),
        };
        Self {
            seed: 1,
            arrivals_per_second: 5.0,
            duration_seconds: 600,
            parties: BTreeMap::from([(1, 0.8), (2, 0.2)]),
            attributes: BTreeMap::new(),
            homes: BTreeMap::from([
                (
                    "america".into(),
                    home([("us-east-1", [15, 70]), ("eu-west-1", [80, 130]), ("ap-northeast-1", [150, 220])]),
                ),
                (
                    "europe".into(),
                    home([("us-east-1", [80, 130]), ("eu-west-1", [15, 70]), ("ap-northeast-1", [200, 280])]),
                ),
            ]),
            accept: 1.0,
            reject: 0.0,
            answer_seconds: 3,
            placement_seconds: 2,
            request_timeout_seconds: 120,
            acceptance_required: false,
            acceptance_timeout_seconds: 30,
        }
    }
}

/// A place where players live.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Home {
    /// Relative number of players.
    pub weight: f64,
    /// Lowest and highest latency in milliseconds to each location.
    pub latency_ms: BTreeMap<String, [u32; 2]>,
}

/// How a value is drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Distribution {
    /// A number between two bounds.
    Uniform {
        /// Lowest.
        min: f64,
        /// Highest.
        max: f64,
    },
    /// A number around a mean (the sum of twelve uniform ones, so that every platform draws the same).
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        deviation: f64,
    },
    /// One of several texts, by relative frequency; of a string list, a list of that one.
    OneOf(BTreeMap<String, f64>),
    /// Each of several texts with its own probability, at least one of them; for string lists.
    AnyOf(BTreeMap<String, f64>),
    /// Always the same, in the API's JSON: `{"N": 1}`.
    Always(AttributeValue),
}

/// What is wrong with a population.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum PopulationError {
    /// A number makes no sense.
    #[error("{field} is {value}; {expected}")]
    Field {
        /// Which.
        field: String,
        /// Its value.
        value: f64,
        /// What it should be.
        expected: &'static str,
    },
    /// The matchmaker refuses the settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The rule set declares no such attribute.
    #[error("the rule set declares no attribute {0:?}")]
    UnknownAttribute(String),
    /// The distribution does not fit the attribute's type.
    #[error("attribute {attribute:?} is a {declared}, which this distribution cannot draw")]
    WrongDistribution {
        /// Which attribute.
        attribute: String,
        /// Its type.
        declared: AttributeType,
    },
}

impl Population {
    pub(super) fn check(&self, rules: &RuleSet) -> Result<(), PopulationError> {
        let field = |field: &str, value: f64, good: bool, expected| {
            if good {
                Ok(())
            } else {
                Err(PopulationError::Field { field: field.to_owned(), value, expected })
            }
        };
        let rate = self.arrivals_per_second;
        field("arrivalsPerSecond", rate, rate.is_finite() && rate > 0.0, "it must be above 0")?;
        let tickets = rate * self.duration_seconds as f64;
        field(
            "arrivalsPerSecond * durationSeconds",
            tickets,
            tickets <= TICKETS_MAX,
            "at most 10,000,000 tickets are simulated",
        )?;
        let parties: f64 = self.parties.values().sum();
        field(
            "parties",
            parties,
            parties > 0.0 && self.parties.values().all(|share| *share >= 0.0),
            "the frequencies must add up to more than 0",
        )?;
        for size in self.parties.keys() {
            field("parties", f64::from(*size), (1..=10).contains(size), "a ticket has 1 to 10 players")?;
        }
        for (name, share) in
            [("accept", self.accept), ("reject", self.reject), ("accept + reject", self.accept + self.reject)]
        {
            field(name, share, (0.0..=1.000_001).contains(&share), "it must be 0 to 1")?;
        }
        let seconds = |name, value: u64, max: u64| {
            field(
                name,
                value as f64,
                (1..=max).contains(&value),
                "AWS allows 1 to 43,200, and 1 to 600 for acceptance",
            )
        };
        seconds("requestTimeoutSeconds", self.request_timeout_seconds, REQUEST_TIMEOUT_SECONDS_MAX)?;
        if self.acceptance_required {
            let max = ACCEPTANCE_TIMEOUT_SECONDS_MAX;
            seconds("acceptanceTimeoutSeconds", self.acceptance_timeout_seconds, max)?;
        }
        for (name, home) in &self.homes {
            field(
                &format!("homes.{name}.weight"),
                home.weight,
                home.weight >= 0.0,
                "it must not be negative",
            )?;
            for (location, [low, high]) in &home.latency_ms {
                field(
                    &format!("homes.{name}.latencyMs.{location}"),
                    f64::from(*low),
                    low <= high,
                    "it must not exceed the second value",
                )?;
            }
        }
        for (name, distribution) in &self.attributes {
            let Some(index) = rules.attribute_index(name) else {
                return Err(PopulationError::UnknownAttribute(name.clone()));
            };
            let declared = rules.attributes()[index].attribute_type;
            let fits = match distribution {
                Distribution::Uniform { .. } | Distribution::Normal { .. } => {
                    declared == AttributeType::Number
                }
                Distribution::OneOf(_) => {
                    matches!(declared, AttributeType::String | AttributeType::StringList)
                }
                Distribution::AnyOf(_) => declared == AttributeType::StringList,
                Distribution::Always(value) => value.attribute_type() == declared,
            };
            if !fits {
                return Err(PopulationError::WrongDistribution { attribute: name.clone(), declared });
            }
            let (value, good, expected) = distribution.sanity();
            field(&format!("attributes.{name}"), value, good, expected)?;
        }
        Ok(())
    }

    /// Milliseconds until the next arrival.
    pub(super) fn pause_millis(&self, random: &mut Random) -> f64 {
        -(1.0 - random.unit()).ln() / self.arrivals_per_second * 1_000.0
    }

    /// The party of the ticket with this number. It does not depend on the tickets before, and each attribute has its
    /// own randomness: two rule sets that declare different attributes meet the same players.
    pub(super) fn party(&self, number: u64, rules: &RuleSet, id: impl Fn(u32) -> String) -> Party {
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
    pub(super) fn home_of(&self, ticket: &str) -> Option<usize> {
        self.pick_home(&mut self.random(ticket))
    }

    fn pick_home(&self, random: &mut Random) -> Option<usize> {
        pick(self.homes.values().map(|home| home.weight).enumerate(), random)
    }

    /// Draws attributes and latencies of a player who lives at `home`; `who` is the seed besides [`Population::seed`].
    pub(super) fn fill(&self, player: &mut PlayerRequest, home: Option<usize>, who: &str, rules: &RuleSet) {
        for known in rules.attributes() {
            let mut random = self.random(&format!("{who}/{}", known.name));
            let value = match self.attributes.get(&known.name) {
                Some(distribution) => Some(distribution.draw(known.attribute_type, &mut random)),
                None if known.default.is_some() && known.attribute_type != AttributeType::Number => None,
                None => guess(known.attribute_type, known.default.as_ref(), &mut random),
            };
            if let Some(value) = value {
                player.player_attributes.insert(known.name.clone(), value);
            }
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
pub(super) struct Party {
    pub(super) players: Vec<PlayerRequest>,
    /// Index into [`Population::homes`].
    pub(super) home: Option<usize>,
}

/// Something for an attribute nobody described: numbers around the default, one text for all.
fn guess(
    kind: AttributeType,
    default: Option<&AttributeValue>,
    random: &mut Random,
) -> Option<AttributeValue> {
    Some(match (kind, default) {
        (AttributeType::Number, Some(AttributeValue::Number(mean))) => {
            AttributeValue::Number((mean + normal(random) * mean.abs() / 4.0).round())
        }
        (AttributeType::Number, _) => AttributeValue::Number((50.0 + normal(random) * 15.0).round()),
        (AttributeType::String, _) => AttributeValue::String("any".to_owned()),
        (AttributeType::StringList, _) => AttributeValue::StringList(vec!["any".to_owned()]),
        (AttributeType::StringNumberMap, _) => AttributeValue::StringNumberMap(BTreeMap::from([(
            "any".to_owned(),
            f64::from(random.below(100)),
        )])),
    })
}

impl Distribution {
    /// A number of it, whether it makes sense, and what would.
    fn sanity(&self) -> (f64, bool, &'static str) {
        match self {
            Self::Uniform { min, max } => (*min, min <= max, "min must not exceed max"),
            Self::Normal { deviation, .. } => {
                (*deviation, *deviation >= 0.0, "deviation must not be negative")
            }
            Self::OneOf(shares) | Self::AnyOf(shares) => {
                let sum: f64 = shares.values().sum();
                let good = sum > 0.0 && shares.values().all(|share| *share >= 0.0);
                (sum, good, "the frequencies must add up to more than 0")
            }
            Self::Always(_) => (0.0, true, ""),
        }
    }

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
