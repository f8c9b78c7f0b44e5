//! The index over the pool: rows of bits from which the candidates of a growing match are read, oldest first, 64 at a
//! time. It may let through a ticket that does not fit, never keep out one that does.

use super::{
    bits::{Bits, WORD, ones},
    draft::Draft,
    facts::{Dimensions, Facts},
    names::{LOCATIONS_MAX, MIXED},
};

/// Steps that the values of a number attribute are cut into. More steps cost memory and time on every new ticket;
/// with 64 one step is 1.6 % of the pool.
const STEPS: usize = 64;

/// Classes of text values. Texts share a class when there are more of them.
const CLASSES: usize = 64;

/// Sizes a row is kept for; the largest ticket of new players has 10 players.
const SIZES: usize = 10;

/// Ranks of a location in a ticket's latency order that are told apart (`fastestRegion`).
pub(super) const RANKS: usize = 4;

#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    /// Tickets with at most 1, 2, .. players.
    sizes: Vec<Bits>,
    spans: Vec<Steps>,
    /// Per text dimension and class.
    texts: Vec<Vec<Bits>>,
    /// Per list dimension and class.
    lists: Vec<Vec<Bits>>,
    /// Tickets for which a location is acceptable, by level of the latency limit, then location.
    locations: Vec<Vec<Bits>>,
    /// By rank, then location.
    ranks: Vec<Vec<Bits>>,
    /// Places below this are in the index.
    filled: usize,
}

/// One number attribute, cut at quantiles.
#[derive(Debug, Clone, Default)]
struct Steps {
    cuts: Vec<f64>,
    /// Row k: tickets whose smallest value is in step k or below.
    min_up_to: Vec<Bits>,
    /// Row k: tickets whose largest value is in step k or below.
    max_up_to: Vec<Bits>,
}

impl Steps {
    fn step(&self, value: f64) -> usize {
        self.cuts.partition_point(|cut| *cut <= value)
    }
}

/// What a candidate of a draft must look like, as rows.
pub(super) struct Query<'a> {
    /// First those that hold for all candidates, then those of each age.
    rows: Vec<(Row, &'a Bits)>,
    /// How many hold for all.
    shared: usize,
    /// Oldest first. Later places are of no interest.
    ages: Vec<Age>,
    /// Nobody fits.
    nobody: bool,
}

/// Candidates at whose age a match comes under the same limits: those at the places after the last age's, up to `end`.
struct Age {
    end: usize,
    /// Where its rows end.
    rows: usize,
    nobody: bool,
}

/// What a row says of a candidate.
#[derive(Clone, Copy)]
enum Row {
    /// It has the candidate.
    All,
    /// It has not.
    None,
    /// It or one before it since the last of its kind has.
    Any,
    /// The same, and the last of its group.
    LastAny,
}

impl<'a> Query<'a> {
    /// One of these rows has the candidate.
    fn any(&mut self, group: impl Iterator<Item = &'a Bits>) {
        let before = self.rows.len();
        self.rows.extend(group.map(|row| (Row::Any, row)));
        match self.rows[before..].last_mut() {
            Some((last, _)) => *last = Row::LastAny,
            None => self.nobody = true,
        }
    }

    /// Ends the rows of the places below `end`, which began after those of the last age.
    fn end_age(&mut self, end: usize) {
        let nobody = std::mem::take(&mut self.nobody);
        self.ages.push(Age { end, rows: self.rows.len(), nobody });
    }

    pub(super) fn word(&self, word: usize) -> u64 {
        if self.nobody {
            return 0;
        }
        let shared = Self::common(&self.rows[..self.shared], word);
        let (mut bits, mut rows) = (0, self.shared);
        // The places of this word that no age has had.
        let mut left = u64::MAX;
        for age in &self.ages {
            let begin = std::mem::replace(&mut rows, age.rows);
            if age.end <= word * WORD {
                continue;
            }
            let own =
                if age.end >= (word + 1) * WORD { left } else { left & !(u64::MAX << (age.end % WORD)) };
            left &= !own;
            if !age.nobody && own & shared != 0 {
                bits |= own & shared & Self::common(&self.rows[begin..age.rows], word);
            }
            if left == 0 {
                break;
            }
        }
        bits
    }

    /// The candidates of a word that are in all these rows.
    fn common(rows: &[(Row, &Bits)], word: usize) -> u64 {
        let (mut bits, mut group) = (u64::MAX, 0);
        for (kind, row) in rows {
            match kind {
                Row::All => bits &= row.word(word),
                Row::None => bits &= !row.word(word),
                Row::Any => group |= row.word(word),
                Row::LastAny => bits &= std::mem::take(&mut group) | row.word(word),
            }
        }
        bits
    }
}

/// Rows that a query has room for without growing.
const QUERY_ROWS: usize = 16;

/// Makes so many empty rows, with the memory of those that were there.
fn empty(rows: &mut Vec<Bits>, count: usize) {
    rows.iter_mut().for_each(Bits::clear);
    rows.resize(count, Bits::default());
}

/// The same of several attributes.
fn empty_each(all: &mut Vec<Vec<Bits>>, attributes: usize, count: usize) {
    all.resize(attributes, Vec::new());
    all.iter_mut().for_each(|rows| empty(rows, count));
}

impl Index {
    /// Forgets all places, and keeps the memory for those that come.
    pub(super) fn clear(&mut self) {
        self.filled = 0;
    }

    pub(super) const fn filled(&self) -> usize {
        self.filled
    }

    /// Takes in the places from [`Index::filled`] on.
    pub(super) fn extend<'a>(
        &mut self,
        dimensions: &Dimensions,
        ranks: bool,
        new: impl Iterator<Item = Option<&'a Facts>> + Clone,
    ) {
        if self.filled == 0 {
            self.lay_out(dimensions, ranks, new.clone().flatten());
        }
        let limits = dimensions.latency.as_ref().map_or(&[][..], |limits| &limits.levels);
        for facts in new {
            let place = self.filled;
            self.filled += 1;
            let Some(facts) = facts else { continue };
            for size in facts.players as usize..=SIZES {
                if let Some(row) = self.sizes.get_mut(size.saturating_sub(1)) {
                    row.insert(place);
                }
            }
            for (steps, (min, max)) in self.spans.iter_mut().zip(&facts.spans) {
                let (min, max) = (steps.step(*min), steps.step(*max));
                steps.min_up_to[min..].iter_mut().for_each(|row| row.insert(place));
                steps.max_up_to[max..].iter_mut().for_each(|row| row.insert(place));
            }
            for (classes, text) in self.texts.iter_mut().zip(&facts.texts) {
                classes[*text as usize % CLASSES].insert(place);
            }
            for (classes, list) in self.lists.iter_mut().zip(&facts.lists) {
                for text in list {
                    classes[*text as usize % CLASSES].insert(place);
                }
            }
            for (locations, limit) in self.locations.iter_mut().zip(limits) {
                ones(facts.locations(dimensions, *limit)).for_each(|known| locations[known].insert(place));
            }
            if ranks {
                for (rank, known) in facts.by_latency.iter().enumerate() {
                    self.ranks[rank.min(RANKS - 1)][usize::from(*known)].insert(place);
                }
            }
        }
    }

    fn lay_out<'a>(
        &mut self,
        dimensions: &Dimensions,
        ranks: bool,
        all: impl Iterator<Item = &'a Facts> + Clone,
    ) {
        empty(&mut self.sizes, SIZES);
        empty_each(&mut self.texts, dimensions.texts.len(), CLASSES);
        empty_each(&mut self.lists, dimensions.lists.len(), CLASSES);
        let levels = dimensions.latency.as_ref().map_or(0, |limits| limits.levels.len());
        empty_each(&mut self.locations, levels, LOCATIONS_MAX);
        empty_each(&mut self.ranks, if ranks { RANKS } else { 0 }, LOCATIONS_MAX);
        self.spans.resize(dimensions.spreads.len(), Steps::default());
        let mut values: Vec<f64> = Vec::new();
        for (spread, steps) in self.spans.iter_mut().enumerate() {
            values.clear();
            values.extend(all.clone().map(|facts| facts.spans[spread].0));
            values.sort_by(f64::total_cmp);
            steps.cuts.clear();
            let cuts = (1..STEPS).filter_map(|step| values.get(step * values.len() / STEPS));
            steps.cuts.extend(cuts.copied());
            steps.cuts.dedup();
            empty(&mut steps.min_up_to, steps.cuts.len() + 1);
            empty(&mut steps.max_up_to, steps.cuts.len() + 1);
        }
    }

    /// The rows that a candidate of `draft` at place `from` or later must be in. `ages` says by stage where the places
    /// end that are in it or a later one, `open` is the largest number of open slots of a team.
    pub(super) fn query(
        &self,
        dimensions: &Dimensions,
        draft: &Draft,
        (from, ages): (usize, &[usize]),
        open: u32,
        fit: bool,
    ) -> Query<'_> {
        let mut query = Query {
            rows: Vec::with_capacity(QUERY_ROWS),
            shared: 0,
            ages: Vec::with_capacity(ages.len()),
            nobody: open == 0,
        };
        if (open as usize) < SIZES && open > 0 {
            query.rows.push((Row::All, &self.sizes[open as usize - 1]));
        }
        for (classes, text) in self.texts.iter().zip(&draft.texts) {
            match text {
                Some(MIXED) => query.nobody = true,
                Some(text) => query.rows.push((Row::All, &classes[*text as usize % CLASSES])),
                None => {}
            }
        }
        if query.nobody {
            return query;
        }
        query.shared = query.rows.len();
        // With the newest ticket's age, a match with a younger candidate comes under the limits of its stage.
        let last = ages.len() - 1;
        let oldest = dimensions.loosest_stage(draft.stage, last);
        let youngest = dimensions.loosest_stage(0, last);
        let mut begin = from;
        for stage in (youngest..=oldest).rev() {
            let end = if stage == youngest { usize::MAX } else { ages[stage] };
            if end > begin {
                self.limit(&mut query, dimensions, draft, stage, fit);
                query.end_age(end);
                begin = end;
            }
        }
        query
    }

    /// The rows of candidates that bring a match to `stage`.
    fn limit<'a>(
        &'a self,
        query: &mut Query<'a>,
        dimensions: &Dimensions,
        draft: &Draft,
        stage: usize,
        fit: bool,
    ) {
        for ((spread, steps), (min, max)) in dimensions.spreads.iter().zip(&self.spans).zip(&draft.spans) {
            let limit = spread.limits.up_to[stage];
            if !limit.is_finite() || max < min {
                continue;
            }
            // Rounding must not keep out a ticket exactly at the limit.
            let slack = f64::EPSILON * 4.0 * (min.abs() + max.abs() + limit);
            let (lowest, highest) = (steps.step(max - limit - slack), steps.step(min + limit + slack));
            if highest + 1 < steps.max_up_to.len() {
                query.rows.push((Row::All, &steps.max_up_to[highest]));
            }
            if lowest > 0 {
                query.rows.push((Row::None, &steps.min_up_to[lowest - 1]));
            }
        }
        for ((common, classes), list) in dimensions.lists.iter().zip(&self.lists).zip(&draft.lists) {
            let Some(list) = list else { continue };
            let needed = common.least[..=stage].iter().copied().fold(f64::INFINITY, f64::min);
            if needed <= 0.0 || list.len() >= CLASSES {
                continue;
            }
            query.nobody |= (list.len() as f64) < needed;
            let seen = list.iter().fold(0_u64, |seen, text| seen | 1 << (*text as usize % CLASSES));
            query.any(ones(seen).map(|class| &classes[class]));
        }
        if let Some(limits) = &dimensions.latency
            && let Some(worst) = &draft.worst
            && fit
            && limits.up_to[stage].is_finite()
        {
            let bits = super::facts::locations(dimensions, worst, limits.up_to[stage]);
            let locations = &self.locations[limits.level(stage)];
            query.any(ones(bits).map(|location| &locations[location]));
        }
    }

    /// Tickets for which `location` has this rank in their order of latency.
    pub(super) fn rank(&self, rank: usize, location: u8) -> Option<&Bits> {
        self.ranks.get(rank)?.get(usize::from(location))
    }

    /// Words in use.
    pub(super) const fn words(&self) -> usize {
        self.filled.div_ceil(WORD)
    }
}
