//! Who the players of a swarm are, drawn from shares and a seed: the same seed makes the same players.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::Value;

/// Members of a party: GameLift takes up to ten players in one ticket.
pub const PARTY_MAX: usize = 10;
/// Milliseconds to the location that a player lives at, and to the others; each player's differ by up to a fifth.
const NEAR_MS: f64 = 20.0;
const FAR_MS: f64 = 120.0;
const SPREAD: f64 = 0.2;

/// Things and how often they are drawn, as in `custom-a=0.7,custom-b=0.3`. They need not add up to one.
#[derive(Clone, Debug, PartialEq)]
pub struct Shares<T>(Vec<(T, f64)>);

impl<T: Clone> Shares<T> {
    /// Only ever one thing.
    pub fn only(thing: T) -> Self {
        Self(vec![(thing, 1.0)])
    }

    /// The things.
    pub fn things(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(thing, _)| thing)
    }

    fn draw(&self, random: &mut fastrand::Rng) -> T {
        let mut left = random.f64() * self.0.iter().map(|(_, share)| share).sum::<f64>();
        for (thing, share) in &self.0 {
            left -= share;
            if left < 0.0 {
                return thing.clone();
            }
        }
        // Only rounding comes here.
        self.0.last().expect("shares are of at least one thing").0.clone()
    }
}

impl<T: FromStr> FromStr for Shares<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shares = text.split(',').map(|part| {
            let (thing, share) = part.split_once('=').ok_or(format!("{part:?} is not THING=SHARE"))?;
            let thing = thing.trim().parse().map_err(|_| format!("{thing:?} cannot be drawn"))?;
            let share: f64 = share.trim().parse().map_err(|_| format!("{share:?} is no number"))?;
            match share {
                _ if share.is_finite() && share > 0.0 => Ok((thing, share)),
                _ => Err(format!("a share has to be more than zero, and {share} is not")),
            }
        });
        shares.collect::<Result<_, _>>().map(Self)
    }
}

/// What an attribute of a player is drawn from: `10..20` is a number in between, other numbers and texts are themselves.
#[derive(Clone, Debug, PartialEq)]
pub enum Draw {
    /// A number from one to the other, with all the same chance.
    Between(f64, f64),
    /// Always this.
    Fixed(Value),
}

impl FromStr for Draw {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((low, high)) = text.split_once("..")
            && let (Ok(low), Ok(high)) = (low.parse::<f64>(), high.parse::<f64>())
        {
            return match (low, high) {
                _ if low.is_finite() && high.is_finite() && low <= high => Ok(Self::Between(low, high)),
                _ => Err(format!("{text:?} is not LOW..HIGH with LOW no more than HIGH")),
            };
        }
        Ok(Self::Fixed(value_of(text)))
    }
}

impl Draw {
    fn draw(&self, random: &mut fastrand::Rng) -> Value {
        match self {
            // In hundredths: nobody has use for more.
            Self::Between(low, high) => {
                Value::from((100.0 * (low + random.f64() * (high - low))).round() / 100.0)
            }
            Self::Fixed(value) => value.clone(),
        }
    }
}

/// An attribute as typed: JSON if it is (a number, a list, a quoted text), otherwise a text.
#[must_use]
pub fn value_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

/// What the players of a swarm are drawn from.
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    /// Sizes of parties, 1 to [`PARTY_MAX`].
    pub party_mix: Shares<usize>,
    /// Where players live. Without any, latencies are not sent.
    pub locations: Option<Shares<String>>,
    /// Attributes that are sent.
    pub attributes: BTreeMap<String, Draw>,
    /// Where the draws begin.
    pub seed: u64,
}

/// Players who come together. They live at the same location: friends from two sides of an ocean would find no match under a
/// rule of latency.
#[derive(Clone, Debug, PartialEq)]
pub struct Party {
    /// Who starts.
    pub leader: Member,
    /// The others, fewer than [`PARTY_MAX`].
    pub members: Vec<Member>,
}

impl Party {
    /// How many they are.
    #[must_use]
    pub fn size(&self) -> usize {
        1 + self.members.len()
    }
}

/// What a player says of themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Milliseconds to each location.
    pub latencies: BTreeMap<String, u32>,
    /// Attributes.
    pub attributes: BTreeMap<String, Value>,
}

impl Population {
    /// `players` in all; the last party may be smaller than drawn.
    #[must_use]
    pub fn parties(&self, players: usize) -> Vec<Party> {
        let mut random = fastrand::Rng::with_seed(self.seed);
        let (mut parties, mut left) = (Vec::new(), players);
        while left > 0 {
            let size = self.party_mix.draw(&mut random).clamp(1, PARTY_MAX).min(left);
            left -= size;
            let home = self.locations.as_ref().map(|it| it.draw(&mut random));
            let leader = self.member(home.as_ref(), &mut random);
            let members = (1..size).map(|_| self.member(home.as_ref(), &mut random)).collect();
            parties.push(Party { leader, members });
        }
        parties
    }

    fn member(&self, home: Option<&String>, random: &mut fastrand::Rng) -> Member {
        let everywhere = self.locations.iter().flat_map(Shares::things);
        let latencies = everywhere
            .map(|location| {
                let middle = if home == Some(location) { NEAR_MS } else { FAR_MS };
                let spread = 1.0 + SPREAD * (2.0 * random.f64() - 1.0);
                (location.clone(), (middle * spread).round() as u32)
            })
            .collect();
        let attributes =
            self.attributes.iter().map(|(name, draw)| (name.clone(), draw.draw(random))).collect();
        Member { latencies, attributes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn population() -> Population {
        Population {
            party_mix: "1=0.8,2=0.2".parse().unwrap(),
            locations: Some("custom-a=3,custom-b=1".parse().unwrap()),
            attributes: [("skill".to_owned(), "10..20".parse().unwrap())].into(),
            seed: 7,
        }
    }

    #[test]
    fn players_come_in_the_shares_asked_for() {
        let parties = population().parties(10_000);
        assert_eq!(parties.iter().map(Party::size).sum::<usize>(), 10_000);
        let pairs = parties.iter().filter(|it| it.size() == 2).count() as f64 / parties.len() as f64;
        assert!((0.18..0.22).contains(&pairs), "{pairs}");
        let is_at_a = |it: &Member| it.latencies["custom-a"] < it.latencies["custom-b"];
        let at_a = parties.iter().filter(|it| is_at_a(&it.leader)).count() as f64 / parties.len() as f64;
        assert!((0.73..0.77).contains(&at_a), "{at_a}");
        let mut everybody = parties.iter().flat_map(|it| it.members.iter().chain([&it.leader]));
        assert!(everybody.all(|it| (10.0..=20.0).contains(&it.attributes["skill"].as_f64().unwrap())));
        let pair = parties.iter().find(|it| it.size() == 2).unwrap();
        assert_eq!(is_at_a(&pair.leader), is_at_a(&pair.members[0]), "friends live at the same place");
        assert_ne!(pair.leader, pair.members[0], "and are not the same");
    }

    #[test]
    fn same_seed_makes_the_same_players() {
        assert_eq!(population().parties(50), population().parties(50));
        assert_ne!(population().parties(50), Population { seed: 8, ..population() }.parties(50));
    }

    #[test]
    fn shares_and_draws_that_make_no_sense_are_named() {
        for bad in ["", "1", "1=x", "x=1", "1=0", "1=-1", "1=NaN", "1=0.5,"] {
            assert!(bad.parse::<Shares<usize>>().is_err(), "{bad}");
        }
        assert!("2..1".parse::<Draw>().is_err());
        assert_eq!("a..b".parse(), Ok(Draw::Fixed(Value::from("a..b"))));
        assert_eq!("7".parse(), Ok(Draw::Fixed(Value::from(7))));
    }
}
