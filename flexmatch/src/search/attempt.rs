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
use crate::{
    compat::SortRules,
    player::Player,
    rule::SortKeys,
    rule_set::{ExpansionAgeSelection, Team},
    timestamp::Timestamp,
};

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
    /// Takes candidates in the pool's order. Whether nobody else is wanted: the match is full, or cannot be filled.
    pub(super) fn take_by_age(&mut self, pass: Pass<'_>, turn: &Turn<'_>) -> bool {
        let search = self.search;
        let first = turn.from / WORD;
        let mut query = search.is_indexed().then(|| self.query(turn.from, pass));
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
                        let (rest, missing) = (word * WORD + bit + 1, self.missing());
                        let next = self.query(rest, pass);
                        if pass.prunes && self.players_from(rest, pass, turn, &next, missing) < missing {
                            return true;
                        }
                        query = Some(next);
                    }
                }
            }
        }
        false
    }

    /// Takes candidates in the order of the sort rules. Whether the match is full.
    pub(super) fn take_sorted(&mut self, pass: Pass<'_>, turn: &Turn<'_>, sorts: &[SortKeys<'_>]) -> bool {
        let query = self.search.is_indexed().then(|| self.query(turn.from, pass));
        let places = self.in_order(pass, turn, sorts, query.as_ref());
        places.into_iter().any(|place| self.add(place) && self.is_full())
    }

    /// What a further ticket, at `from` or later, must look like to the index.
    fn query(&self, from: usize, pass: Pass<'_>) -> Query<'a> {
        let search = self.search;
        let stage = search.dimensions.loosest_stage(self.draft.stage, search.rules.stages().len() - 1);
        // A younger or older ticket may bring a stage at which teams are wider.
        let open = search.sizes.widest(stage).iter().zip(&self.draft.counts);
        let open = open.map(|(most, count)| most.saturating_sub(*count));
        let open = if search.splits(u32::MAX) { open.sum() } else { open.max().unwrap_or(0) };
        // A backfill ticket brings seats of its own, on several teams.
        let open = if search.backfills.is_empty() { open } else { u32::MAX };
        let fit = search.names.locations_fit();
        search.index.query(&search.dimensions, self.draft, (from, pass.ages), open, fit)
    }

    /// Whether the turns have players enough for the smallest match.
    pub(super) fn could_fill(&self, pass: Pass<'_>, turns: &[Turn<'_>]) -> bool {
        let from = turns.iter().map(|turn| turn.from).min().unwrap_or(0);
        let query = self.query(from, pass);
        let mut missing = self.missing();
        for turn in turns {
            missing = missing.saturating_sub(self.players_from(turn.from, pass, turn, &query, missing));
        }
        missing == 0
    }

    /// Players that the smallest match of any further ticket's age lacks.
    fn missing(&self) -> u32 {
        let search = self.search;
        let stage = search.dimensions.loosest_stage(self.draft.stage, search.rules.stages().len() - 1);
        search.sizes.least(stage).saturating_sub(self.draft.total)
    }

    /// Players of the candidates at `from` and later, counted until there are `enough`.
    fn players_from(
        &self,
        from: usize,
        pass: Pass<'_>,
        turn: &Turn<'_>,
        query: &Query<'_>,
        enough: u32,
    ) -> u32 {
        let search = self.search;
        let mut players = 0;
        for word in from / WORD..search.alive.words() {
            if players >= enough {
                break;
            }
            let before = if word == from / WORD { !(u64::MAX << (from % WORD)) } else { 0 };
            let bits = self.candidates(pass, turn, word) & query.word(word) & !before;
            players += ones(bits).map(|bit| search.slots[word * WORD + bit].facts.players).sum::<u32>();
        }
        players
    }

    /// All tickets of the turns that could be in a match with the anchor, which is the only member so far.
    pub(super) fn all_candidates(
        &self,
        pass: Pass<'_>,
        turns: &[Turn<'_>],
        sorts: &[SortKeys<'_>],
    ) -> Vec<usize> {
        let search = self.search;
        let fit = search.names.locations_fit();
        let query = search
            .is_indexed()
            .then(|| search.index.query(&search.dimensions, self.draft, (0, pass.ages), u32::MAX, fit));
        turns.iter().flat_map(|turn| self.in_order(pass, turn, sorts, query.as_ref())).collect()
    }

    /// The candidates of a turn, in the order of the sort rules and by age.
    fn in_order(
        &self,
        pass: Pass<'_>,
        turn: &Turn<'_>,
        sorts: &[SortKeys<'_>],
        query: Option<&Query<'_>>,
    ) -> Vec<usize> {
        let search = self.search;
        let by_age_first = search.compat.sort_rules == SortRules::AfterAge;
        let mut keyed = Vec::new();
        for word in turn.from / WORD..search.alive.words() {
            let bits = self.candidates(pass, turn, word) & query.map_or(u64::MAX, |query| query.word(word));
            for place in ones(bits).map(|bit| word * WORD + bit).filter(|place| *place >= turn.from) {
                let slot = &search.slots[place];
                let party = refs(&slot.party);
                let keys: Vec<_> = sorts.iter().map(|sort| sort.of(&party)).collect();
                keyed.push((by_age_first.then_some(slot.start), keys, place));
            }
        }
        keyed.sort();
        keyed.into_iter().map(|(.., place)| place).collect()
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
        let Some(stage) = self.stage_if_possible(place) else { return false };
        let slot = &self.search.slots[place];
        if let Some(seats) = &slot.seats {
            return self.admits(place, seats, stage) && self.joined(place, seats.clone(), stage);
        }
        if self.search.splits(slot.facts.players) {
            let seats = self.split(slot, stage).filter(|seats| self.admits(place, seats, stage));
            return seats.is_some_and(|seats| self.joined(place, seats, stage));
        }
        self.order_teams(slot, stage);
        let tries = if self.judge.team_matters() { self.order.len() } else { self.order.len().min(1) };
        let seats = self.order[..tries]
            .iter()
            .map(|team| Seats::Together(*team))
            .find(|seats| self.judge.admit(slot, seats, stage));
        seats.is_some_and(|seats| self.joined(place, seats, stage))
    }

    /// The stage that the draft has with the ticket at `place`; `None` if the ticket cannot join wherever it sits.
    pub(super) fn stage_if_possible(&self, place: usize) -> Option<usize> {
        let search = self.search;
        let slot = &search.slots[place];
        if slot.is_backfill && self.draft.has_backfill {
            return None;
        }
        let stage = self.stage_with(place);
        let has_room = self.draft.total + slot.facts.players <= search.sizes.capacity(stage);
        // Where expansions widen teams, a ticket of another age can make them narrow again.
        let still_fits = stage == self.draft.stage || self.fits(search.sizes.teams(stage));
        let fit = search.names.locations_fit();
        let possible =
            has_room && still_fits && self.draft.allows(&search.dimensions, &slot.facts, stage, fit);
        possible.then_some(stage)
    }

    /// Lets the ticket in on these seats if there is room and no rule breaks for good.
    pub(super) fn admits(&mut self, place: usize, seats: &Seats, stage: usize) -> bool {
        let slot = &self.search.slots[place];
        self.draft.occupy(seats, slot.facts.players);
        let fits = self.fits(self.search.sizes.teams(stage));
        self.draft.vacate(seats, slot.facts.players);
        fits && self.judge.admit(slot, seats, stage)
    }

    /// Puts the teams with room for the ticket into `order`.
    pub(super) fn order_teams(&mut self, slot: &Slot, stage: usize) {
        let (teams, seed) = (self.search.sizes.teams(stage), self.seed(slot));
        let players = slot.facts.players;
        order::teams(self.search.deal, teams, &self.draft.counts, players, seed, &mut self.order);
    }

    /// Seats for each player of the ticket by itself; `None` if there is not enough room.
    pub(super) fn split(&mut self, slot: &Slot, stage: usize) -> Option<Seats> {
        let (teams, seed) = (self.search.sizes.teams(stage), self.seed(slot));
        let mut counts = self.draft.counts.clone();
        let mut seats = Vec::new();
        for _ in 0..slot.facts.players {
            order::teams(self.search.deal, teams, &counts, 1, seed, &mut self.order);
            let team = *self.order.first()?;
            counts[team] += 1;
            seats.push(team);
        }
        Some(Seats::Each(seats.into()))
    }

    /// Enters an admitted ticket into the draft and notes whether the draft is a match now. Always true.
    pub(super) fn joined(&mut self, place: usize, seats: Seats, stage: usize) -> bool {
        let slot = &self.search.slots[place];
        let member = Member { place, seats, players: slot.facts.players };
        self.draft.push(member, &slot.facts, stage, slot.is_backfill);
        if self.is_valid() {
            self.best = Some((self.draft.members.len(), stage));
        }
        true
    }

    fn is_valid(&mut self) -> bool {
        let draft = &*self.draft;
        // A backfill ticket only makes sense with somebody new.
        if draft.has_backfill && draft.members.len() < 2 {
            return false;
        }
        let teams = self.search.sizes.teams(draft.stage);
        teams.iter().zip(&draft.counts).all(|(team, count)| *count >= team.min_players)
            && self.judge.holds(draft.stage, self.metrics)
    }

    pub(super) fn is_full(&self) -> bool {
        self.draft.total >= self.search.sizes.capacity(self.draft.stage)
    }

    /// Whether no team has more players than it may have.
    fn fits(&self, teams: &[Team]) -> bool {
        self.draft.counts.iter().zip(teams).all(|(count, team)| *count <= team.max_players)
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
