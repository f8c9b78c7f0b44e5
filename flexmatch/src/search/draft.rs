//! A match in the making.

use super::{
    facts::{Dimensions, Facts, intersection, join_latencies, locations},
    names::MIXED,
};

/// The teams of a ticket's players.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seats {
    /// All on one team: every ticket of new players.
    Together(usize),
    /// Each player's own: backfill tickets.
    Each(Box<[usize]>),
}

impl Seats {
    pub(crate) fn team_of(&self, player: usize) -> usize {
        match self {
            Self::Together(team) => *team,
            Self::Each(teams) => teams[player],
        }
    }
}

/// A ticket in a draft.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) place: usize,
    pub(super) seats: Seats,
    pub(super) players: u32,
}

/// The members so far, and what the index asks of further ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) members: Vec<Member>,
    /// Players per team.
    pub(super) counts: Vec<u32>,
    pub(super) total: u32,
    pub(super) stage: usize,
    pub(super) has_backfill: bool,
    pub(super) spans: Vec<(f64, f64)>,
    pub(super) texts: Vec<Option<u32>>,
    pub(super) lists: Vec<Option<Vec<u32>>>,
    pub(super) worst: Option<Vec<u32>>,
}

impl Draft {
    /// Empties the draft for a new anchor, keeping its memory.
    pub(super) fn reset(&mut self, teams: usize, dimensions: &Dimensions) {
        self.members.clear();
        self.counts.clear();
        self.counts.resize(teams, 0);
        self.total = 0;
        self.stage = 0;
        self.has_backfill = false;
        self.spans.clear();
        self.spans.resize(dimensions.spreads.len(), (f64::INFINITY, f64::NEG_INFINITY));
        self.texts.clear();
        self.texts.resize(dimensions.texts.len(), None);
        self.lists.clear();
        self.lists.resize(dimensions.lists.len(), None);
        self.worst = None;
    }

    pub(super) fn push(&mut self, member: Member, facts: &Facts, stage: usize, is_backfill: bool) {
        self.occupy(&member.seats, member.players);
        self.total += member.players;
        self.stage = stage;
        self.has_backfill |= is_backfill;
        for (span, (min, max)) in self.spans.iter_mut().zip(&facts.spans) {
            *span = (span.0.min(*min), span.1.max(*max));
        }
        for (text, other) in self.texts.iter_mut().zip(&facts.texts) {
            *text = match *text {
                None => Some(*other),
                Some(same) if same == *other => Some(same),
                Some(_) => Some(MIXED),
            };
        }
        for (list, other) in self.lists.iter_mut().zip(&facts.lists) {
            *list = Some(match list.take() {
                None => other.to_vec(),
                Some(list) => intersection(&list, other).collect(),
            });
        }
        if member.players > 0 {
            match &mut self.worst {
                Some(worst) => join_latencies(worst, &facts.worst),
                None => self.worst = Some(facts.worst.to_vec()),
            }
        }
        self.members.push(member);
    }

    /// Counts players on their teams.
    pub(super) fn occupy(&mut self, seats: &Seats, players: u32) {
        match seats {
            Seats::Together(team) => self.counts[*team] += players,
            Seats::Each(teams) => teams.iter().for_each(|team| self.counts[*team] += 1),
        }
    }

    /// Takes back [`Draft::occupy`].
    pub(super) fn vacate(&mut self, seats: &Seats, players: u32) {
        match seats {
            Seats::Together(team) => self.counts[*team] -= players,
            Seats::Each(teams) => teams.iter().for_each(|team| self.counts[*team] -= 1),
        }
    }

    /// Whether everything that needs no rule holds with one more ticket.
    pub(super) fn allows(
        &self,
        dimensions: &Dimensions,
        facts: &Facts,
        stage: usize,
        locations_fit: bool,
    ) -> bool {
        let spans = dimensions.spreads.iter().zip(self.spans.iter().zip(&facts.spans));
        for (spread, (span, other)) in spans {
            let (min, max) = (span.0.min(other.0), span.1.max(other.1));
            if min <= max && !spread.allows(min, max, stage) {
                return false;
            }
        }
        for (text, other) in self.texts.iter().zip(&facts.texts) {
            if *other == MIXED || text.is_some_and(|text| text != *other) {
                return false;
            }
        }
        for (common, (list, other)) in dimensions.lists.iter().zip(self.lists.iter().zip(&facts.lists)) {
            let shared = match list {
                None => other.len(),
                Some(list) => intersection(list, other).count(),
            };
            if (shared as f64) < common.least[stage] {
                return false;
            }
        }
        let Some(limits) = dimensions.latency.as_ref().filter(|_| locations_fit) else { return true };
        let limit = limits.at[stage];
        let own = locations(dimensions, &facts.worst, limit);
        let all = self.worst.as_ref().map_or(u64::MAX, |worst| locations(dimensions, worst, limit));
        !limit.is_finite() || own & all != 0
    }
}
