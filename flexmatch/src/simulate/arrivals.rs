//! Who comes next: drawn from a population, or read from a recording.

use std::collections::VecDeque;

use super::population::Population;
use crate::{random::Random, rule_set::RuleSet, ticket::PlayerRequest, timestamp::Timestamp};

/// A ticket on its way.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    pub(super) at: Timestamp,
    pub(super) id: String,
    pub(super) players: Vec<PlayerRequest>,
    /// Index of the home that its players have.
    pub(super) home: Option<usize>,
}

/// Where tickets come from.
#[derive(Debug)]
pub(super) enum Arrivals {
    Drawn(Drawn),
    Recorded(VecDeque<Arrival>),
}

impl Arrivals {
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        match self {
            Self::Drawn(drawn) => drawn.next,
            Self::Recorded(queue) => queue.front().map(|arrival| arrival.at),
        }
    }

    pub(super) fn take(&mut self, population: &Population, rules: &RuleSet) -> Option<Arrival> {
        match self {
            Self::Drawn(drawn) => drawn.take(population, rules),
            Self::Recorded(queue) => queue.pop_front(),
        }
    }
}

/// A Poisson process.
#[derive(Debug)]
pub(super) struct Drawn {
    random: Random,
    /// Milliseconds with their fraction: whole ones would make many arrivals too frequent.
    clock: f64,
    next: Option<Timestamp>,
    number: u64,
}

impl Drawn {
    pub(super) fn new(population: &Population) -> Self {
        let mut drawn = Self { random: Random::new(population.seed), clock: 0.0, next: None, number: 0 };
        drawn.advance(population);
        drawn
    }

    fn advance(&mut self, population: &Population) {
        self.clock += population.pause_millis(&mut self.random);
        let at = Timestamp::from_millis(self.clock as u64);
        self.next = (at < Timestamp::default().plus_seconds(population.duration_seconds)).then_some(at);
    }

    fn take(&mut self, population: &Population, rules: &RuleSet) -> Option<Arrival> {
        let at = self.next?;
        self.advance(population);
        self.number += 1;
        let number = self.number;
        let party = population.party(number, rules, |member| format!("p{number}-{member}"));
        Some(Arrival { at, id: format!("t{number}"), players: party.players, home: party.home })
    }
}
