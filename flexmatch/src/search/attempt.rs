//! One anchor's attempt: candidates join one by one, and the largest valid state is remembered.

use super::{
    bits::{Bits, WORD, ones},
    draft::{Draft, Member, Seats},
    index::Query,
    judge::{Judge, Metrics},
    order,
    pass::Pass,
    pool::{Search, Slot},
};
use crate::{player::Player, rule::SortKeys, rule_set::ExpansionAgeSelection, timestamp::Timestamp};

/// Which tickets may follow an anchor, in the order of their turns.
pub(super) struct Turn<'a> {
    pub(super) backfills: bool,
    pub(super) others: bool,
    pub(super) from: usize,
    /// Only tickets in this row.
    pub(super) row: Option<&'a Bits>,
}

pub(super) fn refs(party: &[Player]) -> Vec<&Player> {
    party.iter().collect()
}

/// One anchor's attempt.
pub(super) struct Attempt<'a, 'd> {
    pub(super) search: &'a Search,
    pub(super) judge: Judge<'a>,
    pub(super) draft: &'d mut Draft,
    pub(super) metrics: &'d mut Metrics,
    pub(super) anchor: usize,
    pub(super) now: Timestamp,
    pub(super) order: Vec<usize>,
    pub(super) best: Option<(usize, usize)>,
}

impl<'a> Attempt<'a, '_> {
    /// Takes candidates in the pool's order. Whether the match is full.
    pub(super) fn take_by_age(&mut self, pass: Pass<'_>, turn: &Turn<'_>) -> bool {
        let search = self.search;
        let first = turn.from / WORD;
        let mut query = search.is_indexed().then(|| self.query());
        for word in first..search.alive.words() {
            let mut seen = if word == first { !(u64::MAX << (turn.from % WORD)) } else { 0 };
            loop {
                let mut bits = self.candidates(pass, turn, word) & !seen;
                if let Some(query) = &query {
                    bits &= query.word(word);
                }
                if bits == 0 {
                    break;
                }
                let bit = bits.trailing_zeros() as usize;
                seen |= u64::MAX >> (WORD - 1 - bit);
                if self.add(word * WORD + bit) {
                    if self.is_full() {
                        return true;
                    }
                    if query.is_some() {
                        query = Some(self.query());
                    }
                }
            }
        }
        false
    }

    /// Takes candidates in the order of the sort rules, then by age. Whether the match is full.
    pub(super) fn take_sorted(&mut self, pass: Pass<'_>, turn: &Turn<'_>, sorts: &[SortKeys<'_>]) -> bool {
        let search = self.search;
        let mut keyed = Vec::new();
        {
            let query = search.is_indexed().then(|| self.query());
            for word in turn.from / WORD..search.alive.words() {
                let bits = self.candidates(pass, turn, word)
                    & query.as_ref().map_or(u64::MAX, |query| query.word(word));
                for place in ones(bits).map(|bit| word * WORD + bit).filter(|place| *place >= turn.from) {
                    let party = refs(&search.slots[place].party);
                    let keys: Vec<_> = sorts.iter().map(|sort| sort.of(&party)).collect();
                    keyed.push((keys, place));
                }
            }
        }
        keyed.sort();
        for (_, place) in keyed {
            if self.add(place) && self.is_full() {
                return true;
            }
        }
        false
    }

    /// What a further ticket must look like to the index.
    fn query(&self) -> Query<'a> {
        let search = self.search;
        let stage = search.dimensions.loosest_stage(self.draft.stage, search.rules.stages().len() - 1);
        let effective = &search.rules.stages()[stage];
        let teams = effective.teams().iter().zip(&self.draft.counts);
        // Where team sizes grow with age, a younger ticket could only find smaller teams.
        let open = teams.map(|(team, count)| team.max_players.saturating_sub(*count)).max().unwrap_or(0);
        // A backfill ticket brings seats of its own, on several teams.
        let open = if search.backfills.is_empty() { open } else { u32::MAX };
        search.index.query(&search.dimensions, self.draft, stage, open, search.names.locations_fit())
    }

    fn candidates(&self, pass: Pass<'_>, turn: &Turn<'_>, word: usize) -> u64 {
        let search = self.search;
        let mut bits = search.alive.word(word);
        if let Some(batch) = pass.batch {
            bits &= batch.word(word);
        }
        if !turn.backfills || self.draft.has_backfill {
            bits &= !search.backfills.word(word);
        }
        if !turn.others {
            bits &= search.backfills.word(word);
        }
        if let Some(row) = turn.row {
            bits &= row.word(word);
        }
        if self.anchor / WORD == word {
            bits &= !(1 << (self.anchor % WORD));
        }
        bits
    }

    /// Adds the ticket at `place` on the first team where it breaks no rule for good.
    pub(super) fn add(&mut self, place: usize) -> bool {
        let search = self.search;
        let slot = &search.slots[place];
        if slot.is_backfill && self.draft.has_backfill {
            return false;
        }
        let stage = self.stage_with(place);
        let effective = &search.rules.stages()[stage];
        let players = slot.facts.players;
        if !self.draft.allows(&search.dimensions, &slot.facts, stage, search.names.locations_fit()) {
            return false;
        }
        if self.draft.total + players > self.capacity(stage) {
            return false;
        }
        if let Some(seats) = &slot.seats {
            return self.fits(seats, effective.teams(), players)
                && self.judge.admit(slot, seats, stage)
                && self.joined(place, seats.clone(), stage);
        }
        let mut teams = std::mem::take(&mut self.order);
        let seed = self.seed(slot);
        order::teams(search.deal, effective.teams(), &self.draft.counts, players, seed, &mut teams);
        let tries = if self.judge.team_matters() { teams.len() } else { 1 };
        let seats = teams
            .iter()
            .take(tries)
            .map(|team| Seats::Together(*team))
            .find(|seats| self.judge.admit(slot, seats, stage));
        self.order = teams;
        seats.is_some_and(|seats| self.joined(place, seats, stage))
    }

    /// Enters an admitted ticket into the draft and notes whether the draft is a match now. Always true.
    fn joined(&mut self, place: usize, seats: Seats, stage: usize) -> bool {
        let slot = &self.search.slots[place];
        let member = Member { place, seats, players: slot.facts.players };
        self.draft.push(member, &slot.facts, stage, slot.is_backfill);
        if self.is_valid() {
            self.best = Some((self.draft.members.len(), stage));
        }
        true
    }

    fn is_valid(&mut self) -> bool {
        let (rules, draft) = (&self.search.rules, &*self.draft);
        // A backfill ticket only makes sense with somebody new.
        if draft.has_backfill && draft.members.len() < 2 {
            return false;
        }
        let teams = rules.stages()[draft.stage].teams();
        teams.iter().zip(&draft.counts).all(|(team, count)| *count >= team.min_players)
            && self.judge.holds(draft.stage, self.metrics)
    }

    pub(super) fn is_full(&self) -> bool {
        let teams = self.search.rules.stages()[self.draft.stage].teams();
        self.draft.total >= self.capacity(self.draft.stage)
            || teams.iter().zip(&self.draft.counts).all(|(team, count)| *count >= team.max_players)
    }

    /// Most players of a match at `stage`: `AdditionalPlayerCount` seats stay empty, but not below the minimum.
    fn capacity(&self, stage: usize) -> u32 {
        let effective = &self.search.rules.stages()[stage];
        effective.max_players().saturating_sub(self.search.additional).max(effective.min_players())
    }

    fn fits(&self, seats: &Seats, teams: &[crate::rule_set::Team], players: u32) -> bool {
        let mut counts = self.draft.counts.clone();
        for player in 0..players as usize {
            counts[seats.team_of(player)] += 1;
        }
        counts.iter().zip(teams).all(|(count, team)| *count <= team.max_players)
    }

    /// The stage that the draft has with the ticket at `place`.
    fn stage_with(&self, place: usize) -> usize {
        let own = self.search.stage_of(place, self.now);
        if self.draft.members.is_empty() {
            return own;
        }
        match self.search.rules.algorithm().expansion_age_selection {
            ExpansionAgeSelection::Newest => own.min(self.draft.stage),
            ExpansionAgeSelection::Oldest => own.max(self.draft.stage),
        }
    }

    /// A number that depends on the anchor and the ticket alone, so that an attempt can be repeated.
    fn seed(&self, slot: &Slot) -> u64 {
        let anchor = self.search.slots[self.anchor].sequence;
        self.search.seed ^ anchor.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ slot.sequence.rotate_left(32)
    }
}
