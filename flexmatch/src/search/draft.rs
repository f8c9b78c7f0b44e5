//! A match in the making.

use super::facts::{Facts, MIXED, join_latencies};

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
    pub(super) worst: Option<Vec<u32>>,
}

impl Draft {
    /// Empties the draft for a new anchor, keeping its memory.
    pub(super) fn reset(&mut self, teams: usize, spans: usize, texts: usize) {
        self.members.clear();
        self.counts.clear();
        self.counts.resize(teams, 0);
        self.total = 0;
        self.stage = 0;
        self.has_backfill = false;
        self.spans.clear();
        self.spans.resize(spans, (f64::INFINITY, f64::NEG_INFINITY));
        self.texts.clear();
        self.texts.resize(texts, None);
        self.worst = None;
    }

    pub(super) fn push(&mut self, member: Member, facts: &Facts, stage: usize, is_backfill: bool) {
        match &member.seats {
            Seats::Together(team) => self.counts[*team] += member.players,
            Seats::Each(teams) => teams.iter().for_each(|team| self.counts[*team] += 1),
        }
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
        if member.players > 0 {
            match &mut self.worst {
                Some(worst) => join_latencies(worst, &facts.worst),
                None => self.worst = Some(facts.worst.to_vec()),
            }
        }
        self.members.push(member);
    }
}
