//! Who comes, how often, with which attributes.

mod draw;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    matchmaker::{REQUEST_TIMEOUT_SECONDS_MAX, SettingsError},
    player::{AttributeType, AttributeValue},
    rule_set::RuleSet,
    ticket::TICKET_PLAYERS_MAX,
};
use draw::presumed;

/// Most tickets of a simulation: two days of 50 arrivals a second. It bounds the time of a run, and its memory to some
/// gigabytes, as every ticket is remembered for the report.
pub const TICKETS_MAX: f64 = 10_000_000.0;

/// Longest time in which tickets arrive: 366 days. Nobody plans for more, and no sum of moments overflows.
pub const DURATION_SECONDS_MAX: u64 = 366 * 86_400;

/// Largest number that is drawn: far beyond every skill, and neither a difference nor a sum of many overflows.
const NUMBER_MAX: f64 = 1e300;

/// How far shares that add up to 1 may seem to exceed it: 0.7 + 0.2 + 0.1 is not 1 in floating point.
const SHARE_DUST: f64 = 1e-6;

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
    /// The population for each of two rule sets that are compared, so that both meet the same players: each has the
    /// attributes that its rule set declares, and what nobody describes is drawn as for the first.
    ///
    /// What neither rule set declares stays in both, to be refused.
    pub fn for_both(&self, first: &RuleSet, second: &RuleSet) -> [Self; 2] {
        let mut sides = [self.clone(), self.clone()];
        for (side, [own, other]) in sides.iter_mut().zip([[first, second], [second, first]]) {
            side.attributes.retain(|name, _| {
                own.attribute_index(name).is_some() || other.attribute_index(name).is_none()
            });
        }
        for known in first.attributes().iter().filter(|known| !self.attributes.contains_key(&known.name)) {
            let other = second.attribute_index(&known.name).map(|index| &second.attributes()[index]);
            if other.is_some_and(|other| other.attribute_type == known.attribute_type)
                && let Some(distribution) = presumed(known)
            {
                sides[1].attributes.insert(known.name.clone(), distribution);
            }
        }
        sides
    }

    /// What the matchmaker's settings do not check.
    pub(super) fn check(&self, rules: &RuleSet) -> Result<(), PopulationError> {
        self.check_arrivals()?;
        self.check_manners()?;
        for (name, home) in &self.homes {
            let weight = home.weight;
            let good = (0.0..=NUMBER_MAX).contains(&weight);
            field(&format!("homes.{name}.weight"), weight, good, "it must not be negative")?;
            for (location, [low, high]) in &home.latency_ms {
                let name = format!("homes.{name}.latencyMs.{location}");
                field(&name, f64::from(*low), low <= high, "it must not exceed the second value")?;
            }
        }
        for (name, distribution) in &self.attributes {
            let Some(index) = rules.attribute_index(name) else {
                return Err(PopulationError::UnknownAttribute(name.clone()));
            };
            let declared = rules.attributes()[index].attribute_type;
            if !distribution.fits(declared) {
                return Err(PopulationError::WrongDistribution { attribute: name.clone(), declared });
            }
            let (value, good, expected) = distribution.sanity();
            field(&format!("attributes.{name}"), value, good, expected)?;
        }
        Ok(())
    }

    fn check_arrivals(&self) -> Result<(), PopulationError> {
        let rate = self.arrivals_per_second;
        field("arrivalsPerSecond", rate, rate.is_finite() && rate > 0.0, "it must be above 0")?;
        let (seconds, most) = (self.duration_seconds, DURATION_SECONDS_MAX);
        let expected = "it must be 1 to 31,622,400, which is a year";
        field("durationSeconds", seconds as f64, (1..=most).contains(&seconds), expected)?;
        let tickets = rate * seconds as f64;
        let expected = "at most 10,000,000 tickets are simulated";
        field("arrivalsPerSecond * durationSeconds", tickets, tickets <= TICKETS_MAX, expected)?;
        let sum: f64 = self.parties.values().sum();
        field("parties", sum, are_shares(&self.parties), SHARES)?;
        for size in self.parties.keys() {
            let good = (1..=TICKET_PLAYERS_MAX).contains(&(*size as usize));
            field("parties", f64::from(*size), good, "a ticket has 1 to 10 players")?;
        }
        Ok(())
    }

    fn check_manners(&self) -> Result<(), PopulationError> {
        let both = self.accept + self.reject;
        for (name, share) in [("accept", self.accept), ("reject", self.reject), ("accept + reject", both)] {
            field(name, share, (0.0..=1.0 + SHARE_DUST).contains(&share), "it must be 0 to 1")?;
        }
        for (name, seconds) in
            [("answerSeconds", self.answer_seconds), ("placementSeconds", self.placement_seconds)]
        {
            let expected = "it must be at most 43,200: no request lasts longer";
            field(name, seconds as f64, seconds <= REQUEST_TIMEOUT_SECONDS_MAX, expected)?;
        }
        Ok(())
    }
}

const SHARES: &str = "the frequencies must not be negative, and must add up to more than 0";

fn are_shares<K>(shares: &BTreeMap<K, f64>) -> bool {
    shares.values().all(|share| (0.0..=NUMBER_MAX).contains(share)) && shares.values().sum::<f64>() > 0.0
}

fn field(field: &str, value: f64, good: bool, expected: &'static str) -> Result<(), PopulationError> {
    if good { Ok(()) } else { Err(PopulationError::Field { field: field.to_owned(), value, expected }) }
}

impl Distribution {
    fn fits(&self, declared: AttributeType) -> bool {
        match self {
            Self::Uniform { .. } | Self::Normal { .. } => declared == AttributeType::Number,
            Self::OneOf(_) => matches!(declared, AttributeType::String | AttributeType::StringList),
            Self::AnyOf(_) => declared == AttributeType::StringList,
            Self::Always(value) => value.attribute_type() == declared,
        }
    }

    /// A number of it, whether it makes sense, and what would.
    fn sanity(&self) -> (f64, bool, &'static str) {
        let small = |value: f64| value.abs() <= NUMBER_MAX;
        match self {
            Self::Uniform { min, max } => {
                let good = small(*min) && small(*max) && min <= max;
                (*min, good, "min must not exceed max, and both must lie within 1e300 of 0")
            }
            Self::Normal { mean, deviation } => {
                let good = small(*mean) && small(*deviation) && *deviation >= 0.0;
                (*deviation, good, "deviation must not be negative, nor it or mean be beyond 1e300")
            }
            Self::OneOf(shares) | Self::AnyOf(shares) => (shares.values().sum(), are_shares(shares), SHARES),
            Self::Always(_) => (0.0, true, ""),
        }
    }
}
