//! The pool: who waits, in order of age.

use std::sync::Arc;

use super::{
    bits::Bits,
    draft::{Draft, Seats},
    facts::{self, Dimensions, Facts, Impossible},
    index::Index,
    judge::Metrics,
    names::Names,
    order::Deal,
    sizes::Sizes,
};
use crate::{
    compat::{Compat, LargeMatchParties},
    matchmaker::{Engine, Settings},
    player::Player,
    rule_set::{BackfillPriority, RuleSet, Strategy},
    timestamp::Timestamp,
};

/// Places that may be gone before the pool is packed: below this, packing costs more than it saves.
const GONE_MIN: usize = 1_024;

/// A ticket that enters the pool.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) key: u32,
    pub(crate) start: Timestamp,
    pub(crate) party: Arc<[Player]>,
    /// Where its players must go, if that is fixed.
    pub(crate) seats: Option<Seats>,
    pub(crate) is_backfill: bool,
}

/// A place in the pool.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) key: u32,
    pub(super) start: Timestamp,
    pub(super) party: Arc<[Player]>,
    pub(super) seats: Option<Seats>,
    pub(super) is_backfill: bool,
    pub(super) facts: Facts,
    pub(super) impossible: Option<Impossible>,
    /// Whether the ticket left for good. A suspended ticket keeps its place.
    pub(super) gone: bool,
    /// Who joined when this ticket was last the anchor, in vain.
    pub(super) tried: Option<Box<[u32]>>,
    pub(super) metrics: Metrics,
    /// Position among all tickets ever, for seeded choices.
    pub(super) sequence: u64,
}

/// All waiting tickets of a matchmaker, and the search over them.
#[derive(Debug)]
pub(crate) struct Search {
    pub(super) rules: Arc<RuleSet>,
    pub(super) compat: Compat,
    pub(super) seed: u64,
    pub(super) batch_size: Option<usize>,
    pub(super) sizes: Sizes,
    pub(super) deal: Deal,
    pub(super) priority: BackfillPriority,
    pub(super) engine: Engine,
    pub(super) dimensions: Dimensions,
    pub(super) names: Names,
    pub(super) index: Index,
    pub(super) draft: Draft,
    /// In order of age.
    pub(super) slots: Vec<Slot>,
    /// Places by ticket key.
    places: Vec<u32>,
    /// Tickets that can be matched now.
    pub(super) alive: Bits,
    pub(super) backfills: Bits,
    /// Anchors whose last attempt may come out otherwise now.
    pub(super) awake: Bits,
    /// Places whose change has not yet woken others.
    pub(super) changed: Vec<u32>,
    gone: usize,
    /// Whether a pass could find something that the last one did not.
    pub(super) stale: bool,
    /// Seconds after which each later stage begins, and the first place that has not reached it.
    pub(super) steps: Vec<(u64, usize)>,
    next_sequence: u64,
    pub(super) passes: u64,
}

impl Search {
    pub(crate) fn new(rules: Arc<RuleSet>, settings: &Settings) -> Self {
        let large = rules.algorithm().strategy == Strategy::Balanced;
        let steps = std::iter::successors(rules.next_step_after(0), |age| rules.next_step_after(*age));
        Self {
            compat: settings.compat,
            seed: settings.seed,
            batch_size: settings.batch_size.map(|size| size as usize),
            sizes: Sizes::new(&rules, settings.additional_player_count, settings.compat.additional_players),
            deal: if large { Deal::Large } else { Deal::Choice(settings.compat.team_choice) },
            // Backfill goes first in large matches (FlexMatch guide, "Relax large-match rules").
            priority: if large { BackfillPriority::High } else { rules.algorithm().backfill_priority },
            engine: settings.engine,
            dimensions: Dimensions::new(&rules, &settings.compat),
            names: Names::default(),
            index: Index::default(),
            draft: Draft::default(),
            slots: Vec::new(),
            places: Vec::new(),
            alive: Bits::default(),
            backfills: Bits::default(),
            awake: Bits::default(),
            changed: Vec::new(),
            gone: 0,
            stale: false,
            steps: steps.map(|seconds| (seconds, 0)).collect(),
            next_sequence: 0,
            passes: 0,
            rules,
        }
    }

    /// Adds a ticket that is not older than any in the pool.
    pub(crate) fn add(&mut self, waiting: Waiting) {
        let Waiting { key, start, party, seats, is_backfill } = waiting;
        if self.gone > GONE_MIN && self.gone * 2 > self.slots.len() {
            self.pack();
        }
        let (facts, impossible) = self.learn(&party, is_backfill);
        let place = self.slots.len();
        self.slots.push(Slot {
            key,
            start,
            party,
            seats,
            is_backfill,
            facts,
            impossible,
            gone: false,
            tried: None,
            metrics: Metrics::new(),
            sequence: self.next_sequence,
        });
        self.next_sequence += 1;
        let key = key as usize;
        if key >= self.places.len() {
            self.places.resize(key + 1, u32::MAX);
        }
        self.places[key] = place as u32;
        if is_backfill {
            self.backfills.insert(place);
        }
        self.enter(place);
    }

    /// What the index knows of a ticket, and what keeps it from ever being matched.
    fn learn(&mut self, party: &[Player], is_backfill: bool) -> (Facts, Option<Impossible>) {
        let facts = Facts::new(&self.dimensions, &mut self.names, party);
        let room = self.room(is_backfill);
        let impossible = facts::impossible(&self.rules, &self.dimensions, &self.names, &facts, party, room);
        (facts, impossible)
    }

    fn enter(&mut self, place: usize) {
        if self.slots[place].impossible.is_none() {
            self.alive.insert(place);
            self.changed.push(place as u32);
            self.stale = true;
        }
    }

    pub(crate) fn place(&self, key: u32) -> usize {
        self.places[key as usize] as usize
    }

    /// Takes a ticket out of the pool for a proposed match; it keeps its place.
    pub(super) fn suspend(&mut self, place: usize) {
        self.alive.remove(place);
        self.slots[place].tried = None;
        self.stale = true;
    }

    /// Puts a suspended ticket back.
    pub(crate) fn resume(&mut self, key: u32) {
        let place = self.place(key);
        self.enter(place);
    }

    /// Puts a suspended ticket back as if it had just come.
    pub(crate) fn restart(&mut self, key: u32, now: Timestamp) {
        let slot = &mut self.slots[self.places[key as usize] as usize];
        let metrics = std::mem::take(&mut slot.metrics);
        let (party, seats, is_backfill) = (slot.party.clone(), slot.seats.clone(), slot.is_backfill);
        self.remove(key);
        self.add(Waiting { key, start: now, party, seats, is_backfill });
        let place = self.place(key);
        self.slots[place].metrics = metrics;
    }

    /// Whether the players of a ticket of this size are dealt to teams one by one.
    pub(super) fn splits(&self, players: u32) -> bool {
        players > 1
            && matches!(self.deal, Deal::Large)
            && self.compat.large_match_parties == LargeMatchParties::EachPlayer
    }

    /// Most players that a ticket can have at any age; `None` for a backfill ticket, whose players have their seats.
    fn room(&self, is_backfill: bool) -> Option<u32> {
        let teams = self.rules.stages().iter().map(|stage| stage.teams().iter().map(|team| team.max_players));
        let splits = self.splits(u32::MAX);
        let room = teams.filter_map(|sizes| if splits { Some(sizes.sum()) } else { sizes.max() }).max();
        (!is_backfill).then_some(room.unwrap_or(0))
    }

    /// Forgets a ticket.
    pub(crate) fn remove(&mut self, key: u32) {
        let place = self.place(key);
        self.places[key as usize] = u32::MAX;
        let slot = &mut self.slots[place];
        slot.gone = true;
        slot.tried = None;
        self.gone += 1;
        if self.alive.contains(place) {
            self.alive.remove(place);
            self.stale = true;
        }
        self.backfills.remove(place);
    }

    /// What rule evaluations around the ticket said.
    pub(crate) fn metrics(&self, key: u32) -> &[(u64, u64)] {
        &self.slots[self.place(key)].metrics
    }

    /// Whether something changed since the last pass.
    pub(crate) const fn is_stale(&self) -> bool {
        self.stale
    }

    /// When a ticket reaches its next expansion step.
    pub(crate) fn next_step(&self) -> Option<Timestamp> {
        self.steps
            .iter()
            .filter_map(|(seconds, first)| {
                let slot = self.slots[*first..].iter().find(|slot| !slot.gone)?;
                Some(slot.start.plus_seconds(*seconds))
            })
            .min()
    }

    /// The stage of the rule set that a ticket's age brings.
    pub(crate) fn stage_of(&self, place: usize, now: Timestamp) -> usize {
        self.rules.stage_at(now.since(self.slots[place].start).as_secs())
    }

    /// Drops the places of tickets that are gone. Every attempt is forgotten with them, as it speaks of places.
    fn pack(&mut self) {
        let (alive, backfills) = (std::mem::take(&mut self.alive), std::mem::take(&mut self.backfills));
        let old = self.slots.len();
        let mut kept = 0;
        for place in 0..old {
            for (_, first) in self.steps.iter_mut().filter(|(_, first)| *first == place) {
                *first = kept;
            }
            if self.slots[place].gone {
                continue;
            }
            self.slots.swap(place, kept);
            self.slots[kept].tried = None;
            self.places[self.slots[kept].key as usize] = kept as u32;
            if alive.contains(place) {
                self.alive.insert(kept);
            }
            if backfills.contains(place) {
                self.backfills.insert(kept);
            }
            kept += 1;
        }
        for (_, first) in self.steps.iter_mut().filter(|(_, first)| *first == old) {
            *first = kept;
        }
        self.slots.truncate(kept);
        self.gone = 0;
        if self.names.are_many() {
            self.rename();
        }
        self.changed.clear();
        self.awake = self.alive.clone();
        self.index.clear();
    }

    /// Numbers the names of those who are left anew, and forgets the others. Must be followed by a new index.
    fn rename(&mut self) {
        self.names.forget();
        for place in 0..self.slots.len() {
            let (party, is_backfill) = (self.slots[place].party.clone(), self.slots[place].is_backfill);
            let (facts, impossible) = self.learn(&party, is_backfill);
            // Locations may have a bit again that had none when the ticket came.
            if impossible.is_some() {
                self.alive.remove(place);
            }
            let slot = &mut self.slots[place];
            slot.facts = facts;
            slot.impossible = slot.impossible.take().or(impossible);
        }
        self.names.settle();
    }
}

#[cfg(test)]
mod tests;
