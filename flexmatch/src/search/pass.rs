//! A pass: every anchor that could find a match tries to.

use super::{
    attempt::{Attempt, Turn, refs},
    balance::{Movable, balance},
    bits::{Bits, WORD, ones},
    draft::{Draft, Member, Seats},
    index::RANKS,
    judge::{Judge, Metrics, Plan},
    order,
    pool::{Search, Slot},
};
use std::borrow::Cow;

use crate::{
    compat::{Balancing, SearchDepth},
    expansion::MatchView,
    matchmaker::Engine,
    player::Player,
    random::Random,
    rule::Verdict,
    rule_set::{BackfillPriority, BatchingPreference},
    timestamp::Timestamp,
};

/// When more than one in this many waiting tickets changed, all anchors are tried again: finding out which ones could
/// be concerned would cost more.
const WAKE_ALL_SHARE: usize = 16;

/// A match.
#[derive(Debug)]
pub(crate) struct Found {
    /// Ticket keys with the teams of their players, the anchor first.
    pub(crate) members: Vec<(u32, Seats)>,
    pub(crate) metrics: Metrics,
}

/// What is the same for all attempts of a pass.
#[derive(Clone, Copy)]
pub(super) struct Pass<'a> {
    pub(super) now: Timestamp,
    /// The batch being searched; `None` for the whole pool.
    pub(super) batch: Option<&'a Bits>,
    pub(super) plan: &'a Plan,
    /// See [`Search::ages`].
    pub(super) ages: &'a [usize],
    /// Whether to give up at once where players are too few for any match.
    pub(super) prunes: bool,
}

impl Search {
    /// Searches the pool. The tickets of the matches are suspended.
    pub(crate) fn pass(&mut self, now: Timestamp) -> Vec<Found> {
        self.step(now);
        if !self.stale {
            return Vec::new();
        }
        self.stale = false;
        self.passes += 1;
        self.fill_index();
        let mut found = Vec::new();
        let prunes = self.engine == Engine::Compiled && self.compat.search_depth != SearchDepth::Backtracking;
        let plan = Plan::new(
            &self.rules,
            &self.dimensions,
            self.names.locations_fit(),
            self.engine == Engine::Reference,
        );
        let ages = self.ages(now);
        let pass = Pass { now, batch: None, plan: &plan, ages: &ages, prunes };
        match self.batches() {
            None => {
                self.wake(pass);
                self.search_batch(pass, &mut found);
            }
            // Batches differ from pass to pass, so every anchor is tried in each.
            Some(batches) => {
                self.changed.clear();
                for batch in &batches {
                    self.awake = self.alive.clone();
                    self.search_batch(Pass { batch: Some(batch), ..pass }, &mut found);
                }
                if self.rules.algorithm().batching_preference == BatchingPreference::Random {
                    self.stale = !self.alive.is_empty();
                }
            }
        }
        found
    }

    /// Notes the tickets that reached an expansion step.
    fn step(&mut self, now: Timestamp) {
        for step in 0..self.steps.len() {
            let (seconds, mut first) = self.steps[step];
            while let Some(slot) = self.slots.get(first)
                && slot.start.plus_seconds(seconds) <= now
            {
                if self.alive.contains(first) {
                    self.changed.push(first as u32);
                    self.stale = true;
                }
                first += 1;
            }
            self.steps[step].1 = first;
        }
    }

    /// By stage: where the places end of those whose age brings it or a later one. The older a ticket, the lower its
    /// place.
    pub(super) fn ages(&self, now: Timestamp) -> Vec<usize> {
        let stage_of = |slot: &Slot| self.rules.stage_at(now.since(slot.start).as_secs());
        let end = |stage| self.slots.partition_point(|slot| stage_of(slot) >= stage);
        (0..self.rules.stages().len()).map(end).collect()
    }

    fn fill_index(&mut self) {
        if self.engine == Engine::Reference {
            return;
        }
        // The quantiles of the index were cut for the tickets of then.
        if self.slots.len() > self.index.filled() * 2 + WORD {
            self.index.clear();
        }
        let from = self.index.filled();
        let new = self.slots[from..].iter().map(|slot| (!slot.gone).then_some(&slot.facts));
        let ranks = self.rules.algorithm().batching_preference == BatchingPreference::FastestRegion;
        self.index.extend(&self.dimensions, ranks, new);
    }

    /// Whether the index knows the whole pool: during a pass always, and in an explanation unless tickets came or the
    /// pool was packed since the last pass.
    pub(super) fn is_indexed(&self) -> bool {
        self.engine == Engine::Compiled && self.index.filled() == self.slots.len()
    }

    /// Wakes the anchors that a change could concern: the changed tickets, and all that could be in one match with
    /// them.
    fn wake(&mut self, pass: Pass<'_>) {
        // Taken and put back, so that it keeps its memory: it grows to the arrivals of a pass each time.
        let mut changed = std::mem::take(&mut self.changed);
        if self.engine == Engine::Reference || changed.len() * WAKE_ALL_SHARE > self.slots.len() {
            self.awake.union(&self.alive);
            changed.clear();
            self.changed = changed;
            return;
        }
        let mut draft = std::mem::take(&mut self.draft);
        for place in changed.drain(..).map(|place| place as usize) {
            if !self.alive.contains(place) {
                continue;
            }
            self.awake.insert(place);
            let stage = self.stage_of(place, pass.now);
            let slot = &self.slots[place];
            draft.reset(self.rules.stages()[0].teams().len(), &self.dimensions);
            let seats = slot.seats.clone().unwrap_or(Seats::Together(0));
            draft.push(Member { place, seats, players: slot.facts.players }, &slot.facts, stage, false);
            let fit = self.names.locations_fit();
            let query = self.index.query(&self.dimensions, &draft, (0, pass.ages), u32::MAX, fit);
            for word in 0..self.index.words() {
                self.awake.or_word(word, query.word(word) & self.alive.word(word));
            }
        }
        self.changed = changed;
        self.draft = draft;
    }

    fn search_batch(&mut self, pass: Pass<'_>, found: &mut Vec<Found>) {
        let classes: &[Option<bool>] = match self.priority {
            BackfillPriority::Normal => &[None],
            BackfillPriority::High => &[Some(true), Some(false)],
            BackfillPriority::Low => &[Some(false), Some(true)],
        };
        for class in classes {
            for word in 0..self.alive.words() {
                let mut bits = self.alive.word(word);
                if let Some(batch) = pass.batch {
                    bits &= batch.word(word);
                }
                match class {
                    Some(true) => bits &= self.backfills.word(word),
                    Some(false) => bits &= !self.backfills.word(word),
                    None => {}
                }
                for bit in ones(bits) {
                    let anchor = word * WORD + bit;
                    if self.alive.contains(anchor) && self.should_try(anchor) {
                        found.extend(self.try_anchor(pass, anchor));
                    }
                }
            }
        }
    }

    /// Whether an attempt could end otherwise than the last one.
    fn should_try(&self, anchor: usize) -> bool {
        self.awake.contains(anchor)
            || match &self.slots[anchor].tried {
                Some(tried) => tried.iter().any(|place| !self.alive.contains(*place as usize)),
                None => true,
            }
    }

    fn try_anchor(&mut self, pass: Pass<'_>, anchor: usize) -> Option<Found> {
        self.awake.remove(anchor);
        let mut draft = std::mem::take(&mut self.draft);
        let mut metrics = std::mem::take(&mut self.slots[anchor].metrics);
        let best = self.build(pass, anchor, &mut draft, &mut metrics);
        let found = best.map(|(members, stage)| {
            let mut members: Vec<_> = draft.members.drain(..members).collect();
            self.balance(&mut members, stage);
            for member in &members {
                self.suspend(member.place);
            }
            let members =
                members.into_iter().map(|member| (self.slots[member.place].key, member.seats)).collect();
            Found { members, metrics: metrics.clone() }
        });
        self.slots[anchor].metrics = metrics;
        // Which tickets a search that backtracks has seen is not known: it is tried again whenever anything changed.
        if found.is_none() && self.compat.search_depth != SearchDepth::Backtracking {
            let tried = draft.members.iter().skip(1).map(|member| member.place as u32).collect();
            self.slots[anchor].tried = Some(tried);
        }
        self.draft = draft;
        found
    }

    /// Balances the teams of a match by the rule set's attribute, if it has one and the rules hold afterwards.
    fn balance(&self, members: &mut [Member], stage: usize) {
        let Some(attribute) = self.rules.algorithm().balanced_attribute else { return };
        if self.compat.balancing == Balancing::AsDealt {
            return;
        }
        let effective = &self.rules.stages()[stage];
        let value = |player: &Player| player.number(attribute).unwrap_or(0.0);
        let mut fixed = vec![0.0; effective.teams().len()];
        let mut movable = Vec::new();
        let mut moving = Vec::new();
        for (index, member) in members.iter().enumerate() {
            let slot = &self.slots[member.place];
            match member.seats {
                Seats::Together(team) if slot.seats.is_none() => {
                    let sum = slot.party.iter().map(value).sum();
                    movable.push(Movable { team, players: member.players, sum });
                    moving.push(index);
                }
                _ => {
                    for (at, player) in slot.party.iter().enumerate() {
                        fixed[member.seats.team_of(at)] += value(player);
                    }
                }
            }
        }
        if !balance(&mut movable, &fixed) {
            return;
        }
        let seats = |index: usize| match moving.binary_search(&index) {
            Ok(at) => Seats::Together(movable[at].team),
            Err(_) => members[index].seats.clone(),
        };
        let seats: Vec<Seats> = (0..members.len()).map(seats).collect();
        // Team limits are equal before and after, as only equals swap; other rules may look at who is where.
        let mut lists = vec![Vec::new(); effective.teams().len()];
        for (member, seats) in members.iter().zip(&seats) {
            for (at, player) in self.slots[member.place].party.iter().enumerate() {
                lists[seats.team_of(at)].push(player);
            }
        }
        let view = MatchView { teams: &lists, complete: true };
        if effective.verdict(&view, &self.compat) == Verdict::Pass {
            members.iter_mut().zip(seats).for_each(|(member, seats)| member.seats = seats);
        }
    }

    /// Builds around `anchor`. Gives the length of the largest valid prefix of the draft, and its stage.
    pub(super) fn build<'a>(
        &'a self,
        pass: Pass<'a>,
        anchor: usize,
        draft: &mut Draft,
        metrics: &mut Metrics,
    ) -> Option<(usize, usize)> {
        let teams = self.rules.stages()[0].teams().len();
        draft.reset(teams, &self.dimensions);
        let judge = Judge::new(&self.rules, &self.compat, pass.plan);
        let mut attempt = Attempt {
            search: self,
            judge,
            draft,
            metrics,
            anchor,
            now: pass.now,
            order: Vec::new(),
            best: None,
        };
        let backtracks = self.compat.search_depth == SearchDepth::Backtracking;
        if !attempt.add(anchor) || attempt.is_full() && (attempt.best.is_some() || !backtracks) {
            return attempt.best;
        }
        let mut turns = self.turns(anchor);
        // `fastestRegion`: first those whose fastest location is the anchor's, then those whose second fastest is.
        let mut rows = Vec::new();
        if let (BatchingPreference::FastestRegion, Some(location)) =
            (self.rules.algorithm().batching_preference, self.slots[anchor].facts.by_latency.first())
        {
            rows.extend((0..RANKS).map(|rank| self.ranked(rank, *location)));
            turns = rows
                .iter()
                .flat_map(|row| turns.iter().map(|turn| Turn { row: Some(row), ..*turn }))
                .collect();
        }
        if pass.prunes && !attempt.could_fill(pass, &turns) {
            return attempt.best;
        }
        // On the way only what is left of one turn is counted.
        let pass = Pass { prunes: pass.prunes && turns.len() == 1, ..pass };
        let sorts: Vec<_> = self.rules.stages()[0]
            .sorts()
            .map(|rule| rule.keys(&refs(&self.slots[anchor].party), &self.compat))
            .collect();
        let candidates = if backtracks { attempt.all_candidates(pass, &turns, &sorts) } else { Vec::new() };
        for turn in &turns {
            let done = if sorts.is_empty() {
                attempt.take_by_age(pass, turn)
            } else {
                attempt.take_sorted(pass, turn, &sorts)
            };
            if done {
                break;
            }
        }
        if backtracks && attempt.best.is_none() {
            attempt.backtrack(&candidates);
        }
        attempt.best
    }

    /// Who may follow an anchor: those after it in the order of the batch, backfill tickets where their priority puts
    /// them.
    fn turns(&self, anchor: usize) -> Vec<Turn<'static>> {
        let over_all = self.compat.search_depth == SearchDepth::GreedyOverAll;
        // The players of a game session have their seats. A ticket that came before may have sat down on one of them in its
        // own turn, so it may join in the session's.
        let from = if over_all || self.slots[anchor].is_backfill { 0 } else { anchor + 1 };
        let turn = |backfills, others, from| Turn { backfills, others, from, row: None };
        match (self.priority, self.slots[anchor].is_backfill) {
            (BackfillPriority::Normal, is_backfill) => vec![turn(!is_backfill, true, from)],
            (BackfillPriority::High | BackfillPriority::Low, true) => vec![turn(false, true, 0)],
            (BackfillPriority::High, false) if over_all => vec![turn(true, false, 0), turn(false, true, 0)],
            (BackfillPriority::High, false) => vec![turn(false, true, from)],
            (BackfillPriority::Low, false) => vec![turn(false, true, from), turn(true, false, 0)],
        }
    }

    /// The tickets for which `location` has this rank in their order of latency.
    fn ranked(&self, rank: usize, location: u8) -> Cow<'_, Bits> {
        if self.is_indexed() {
            return self.index.rank(rank, location).map_or_else(Cow::default, Cow::Borrowed);
        }
        let mut row = Bits::default();
        for place in self.alive.iter() {
            let by_latency = &self.slots[place].facts.by_latency;
            let own = by_latency.iter().position(|known| *known == location);
            if own.is_some_and(|own| own.min(RANKS - 1) == rank) {
                row.insert(place);
            }
        }
        Cow::Owned(row)
    }

    /// The batches of this pass, or `None` if the pool is one batch.
    fn batches(&self) -> Option<Vec<Bits>> {
        let size = self.batch_size?;
        let mut waiting: Vec<usize> = self.alive.iter().collect();
        if waiting.len() <= size {
            return None;
        }
        match self.rules.algorithm().batching_preference {
            BatchingPreference::Random => {
                Random::new(self.seed ^ self.passes.wrapping_mul(0x9e37_79b9_7f4a_7c15))
                    .shuffle(&mut waiting);
            }
            BatchingPreference::Sorted => {
                let attributes = &self.rules.algorithm().sort_by_attributes;
                let reading = self.compat.party_sort_value;
                let mut keyed: Vec<_> = waiting
                    .into_iter()
                    .map(|place| (order::batch_keys(&self.slots[place].party, attributes, reading), place))
                    .collect();
                keyed.sort_by(|(a, old), (b, young)| order::by_keys(a, b).then(old.cmp(young)));
                waiting = keyed.into_iter().map(|(_, place)| place).collect();
            }
            BatchingPreference::LargestPopulation | BatchingPreference::FastestRegion => {}
        }
        let batch = |places: &[usize]| {
            let mut bits = Bits::default();
            places.iter().for_each(|place| bits.insert(*place));
            bits
        };
        Some(waiting.chunks(size).map(batch).collect())
    }
}
