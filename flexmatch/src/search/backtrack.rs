//! What [`SearchDepth::Backtracking`](crate::compat::SearchDepth) adds: combinations of tickets and teams, depth first.

use super::{
    attempt::Attempt,
    draft::{Draft, Seats},
};
use crate::compat::BACKTRACKING_JOINS_MAX;

/// How far the combinations have come.
#[derive(Default)]
struct Progress {
    joins: u32,
    best: Option<Draft>,
    /// Whether the best one is full: nothing can be larger.
    full: bool,
}

impl Progress {
    const fn is_over(&self) -> bool {
        self.full || self.joins >= BACKTRACKING_JOINS_MAX
    }
}

impl Attempt<'_, '_> {
    /// Looks for the largest match of the anchor and some of `candidates`, which are in the order of their turns. Of
    /// several the first. Only joins count against the bound, so that an index that spares trials changes nothing.
    pub(super) fn backtrack(&mut self, candidates: &[usize]) {
        self.judge.clear();
        self.draft.reset(self.search.sizes.teams(0).len(), &self.search.dimensions);
        let mut progress = Progress::default();
        self.branch(self.anchor, candidates, &mut progress);
        if let Some(best) = progress.best {
            self.best = Some((best.members.len(), best.stage));
            *self.draft = best;
        }
    }

    fn branch(&mut self, place: usize, later: &[usize], progress: &mut Progress) {
        let Some(stage) = self.stage_if_possible(place) else { return };
        let slot = &self.search.slots[place];
        for seats in self.choices(place, stage) {
            if progress.is_over() {
                return;
            }
            if !self.admits(place, &seats, stage) {
                continue;
            }
            progress.joins += 1;
            let before = self.draft.clone();
            let was_best = self.best.take();
            self.joined(place, seats.clone(), stage);
            let players = progress.best.as_ref().map_or(0, |best| best.total);
            if self.best.is_some() && self.draft.total > players {
                progress.best = Some(self.draft.clone());
                progress.full = self.is_full();
            }
            if !self.is_full() {
                for (at, next) in later.iter().enumerate() {
                    if progress.is_over() {
                        break;
                    }
                    self.branch(*next, &later[at + 1..], progress);
                }
            }
            self.best = was_best;
            *self.draft = before;
            self.judge.withdraw(slot, &seats);
        }
    }

    /// Every way to seat a ticket, the first to try first.
    fn choices(&mut self, place: usize, stage: usize) -> Vec<Seats> {
        let slot = &self.search.slots[place];
        if let Some(seats) = &slot.seats {
            return vec![seats.clone()];
        }
        if self.search.splits(slot.facts.players) {
            return self.split(slot, stage).into_iter().collect();
        }
        self.order_teams(slot, stage);
        self.order.iter().map(|team| Seats::Together(*team)).collect()
    }
}
