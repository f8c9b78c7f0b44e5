//! The documented procedure once more, written from its description and not from the search: over everybody, without an
//! index, without running totals, without a memory. Only rules are asked of the crate, through `Effective::verdict`.
//!
//! The description: tickets take turns as anchor, by age, backfill tickets first or last as their priority says. Those
//! after the anchor (for a backfill ticket, all others) are tried in the same order, or as the sort rules order them around it. A ticket joins on the first
//! team, the emptiest first, where no rule fails for good, under the expansion steps of the match's age with it. Every
//! state in which all teams have their minimum and all rules hold is a match; the largest one is made. A full match ends
//! the turn.

use flexmatch::compat::SearchDepth;
use flexmatch::rule::{MapKey, SortDirection, SortKind};
use flexmatch::rule_set::{BackfillPriority, ExpansionAgeSelection};
use flexmatch::{AttributeValue, Compat, Effective, MatchView, Player, RuleSet, Verdict};

/// A ticket in the pool.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) id: String,
    pub(crate) start_ms: u64,
    pub(crate) party: Vec<Player>,
    pub(crate) is_backfill: bool,
}

/// Who is on which team, by place in the pool: the order in which they joined.
pub(crate) type Seated = Vec<(usize, Vec<usize>)>;

pub(crate) struct Oracle<'a> {
    pub(crate) rules: &'a RuleSet,
    pub(crate) compat: Compat,
    pub(crate) additional: u32,
    pub(crate) now_ms: u64,
    /// Oldest first.
    pub(crate) pool: &'a [Waiting],
}

impl Oracle<'_> {
    /// All matches of one pass.
    pub(crate) fn pass(&self) -> Vec<Seated> {
        let order = self.order();
        let mut taken = vec![false; self.pool.len()];
        let mut matches = Vec::new();
        for (turn, &anchor) in order.iter().enumerate() {
            if taken[anchor] || self.is_hopeless(anchor) {
                continue;
            }
            let over_all = self.compat.search_depth == SearchDepth::GreedyOverAll;
            let others =
                if over_all || self.pool[anchor].is_backfill { &order[..] } else { &order[turn + 1..] };
            let free = |place: &usize| *place != anchor && !taken[*place] && !self.is_hopeless(*place);
            let mut candidates: Vec<usize> = others.iter().copied().filter(free).collect();
            candidates.sort_by(|one, two| self.compare(anchor, *one, *two));
            if let Some(found) = self.around(anchor, &candidates) {
                found.iter().for_each(|(place, _)| taken[*place] = true);
                matches.push(found);
            }
        }
        matches
    }

    fn around(&self, anchor: usize, candidates: &[usize]) -> Option<Seated> {
        let mut seated = Seated::new();
        let mut best = None;
        for place in [anchor].iter().chain(candidates) {
            let Some(seats) = self.first_seats(&seated, *place) else {
                if *place == anchor {
                    return None;
                }
                continue;
            };
            seated.push((*place, seats));
            if self.is_match(&seated) {
                best = Some(seated.clone());
            }
            if self.players(&seated) >= self.capacity(self.effective(&seated)) {
                break;
            }
        }
        best
    }

    /// The first seats for a ticket on which nothing fails for good.
    fn first_seats(&self, seated: &Seated, place: usize) -> Option<Vec<usize>> {
        let ticket = &self.pool[place];
        let count = self.counts(seated);
        let with = |seats: &[usize]| {
            let mut with = seated.clone();
            with.push((place, seats.to_vec()));
            with
        };
        // The age of a match does not depend on where its tickets sit.
        let effective = self.effective(&with(&vec![0; ticket.party.len()]));
        let mut choices: Vec<Vec<usize>> = Vec::new();
        if ticket.is_backfill {
            if seated.iter().any(|(other, _)| self.pool[*other].is_backfill) {
                return None;
            }
            choices.push(ticket.party.iter().map(|player| self.wished(player)).collect());
        } else {
            let mut teams: Vec<usize> = (0..effective.teams().len()).collect();
            let open = |team: &usize| effective.teams()[*team].max_players as i64 - count[*team] as i64;
            teams.sort_by_key(|team| -open(team));
            choices.extend(teams.into_iter().map(|team| vec![team; ticket.party.len()]));
        }
        choices.into_iter().find(|seats| {
            let with = with(seats);
            let sizes = self.counts(&with);
            let fits =
                effective.teams().iter().zip(&sizes).all(|(team, count)| *count <= team.max_players as usize);
            fits && self.players(&with) <= self.capacity(effective)
                && self.verdict(&with, false) != Verdict::Fail
        })
    }

    /// Whether these make a match: sizes, rules, and somebody new if it fills a game session.
    pub(crate) fn is_match(&self, seated: &Seated) -> bool {
        let effective = self.effective(seated);
        let backfills = seated.iter().filter(|(place, _)| self.pool[*place].is_backfill).count();
        let sizes =
            effective.teams().iter().zip(self.counts(seated)).all(|(team, count)| {
                (team.min_players as usize..=team.max_players as usize).contains(&count)
            });
        sizes
            && backfills <= 1
            && backfills < seated.len()
            && self.players(seated) <= self.capacity(effective)
            && self.verdict(seated, true) == Verdict::Pass
    }

    /// Whether any tickets of the pool, on any teams, make a match. Tries everything.
    pub(crate) fn any_match(&self) -> Option<Seated> {
        self.any_match_with(&mut Seated::new(), 0)
    }

    fn any_match_with(&self, seated: &mut Seated, from: usize) -> Option<Seated> {
        if !seated.is_empty() && self.is_match(seated) {
            return Some(seated.clone());
        }
        for place in (from..self.pool.len()).filter(|place| !self.is_hopeless(*place)) {
            let ticket = &self.pool[place];
            let choices: Vec<Vec<usize>> = if ticket.is_backfill {
                vec![ticket.party.iter().map(|player| self.wished(player)).collect()]
            } else {
                let teams = 0..self.rules.stages()[0].teams().len();
                teams.map(|team| vec![team; ticket.party.len()]).collect()
            };
            for seats in choices {
                seated.push((place, seats));
                let found = self.any_match_with(seated, place + 1);
                seated.pop();
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// What can never be matched: a value or the latencies that a rule needs are not there, or no team is large enough.
    fn is_hopeless(&self, place: usize) -> bool {
        let ticket = &self.pool[place];
        let needs_latency = self.rules.stages()[0].latencies().next().is_some();
        let teams = self.rules.stages().iter().flat_map(Effective::teams);
        let largest = teams.map(|team| team.max_players as usize).max().unwrap_or(0);
        !ticket.is_backfill && ticket.party.len() > largest
            || ticket
                .party
                .iter()
                .any(|player| player.lacks_an_attribute() || needs_latency && player.latency_ms().is_empty())
    }

    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.pool.len()).collect();
        order.sort_by_key(|place| (self.class(*place), *place));
        order
    }

    /// Who comes before whom by the kind of request.
    fn class(&self, place: usize) -> u8 {
        match (self.rules.algorithm().backfill_priority, self.pool[place].is_backfill) {
            (BackfillPriority::Normal, _) => 0,
            (BackfillPriority::High, is_backfill) => u8::from(!is_backfill),
            (BackfillPriority::Low, is_backfill) => u8::from(is_backfill),
        }
    }

    /// By request type, then the sort rules in order; no value comes last.
    fn compare(&self, anchor: usize, one: usize, two: usize) -> std::cmp::Ordering {
        let keys = |place: usize| -> Vec<(bool, f64)> {
            let sorts = self.rules.stages()[0].sorts();
            let key = |sort: &flexmatch::rule::Sort| {
                let value = self.sort_value(sort, anchor, place);
                let value = match sort.kind {
                    SortKind::Absolute => value,
                    SortKind::Distance => value
                        .zip(self.sort_value(sort, anchor, anchor))
                        .map(|(value, from)| (value - from).abs()),
                };
                match (value, sort.direction) {
                    (None, _) => (true, 0.0),
                    (Some(value), SortDirection::Ascending) => (false, value),
                    (Some(value), SortDirection::Descending) => (false, -value),
                }
            };
            sorts.map(key).collect()
        };
        let order = self.class(one).cmp(&self.class(two));
        order.then_with(|| keys(one).partial_cmp(&keys(two)).expect("skills are numbers"))
    }

    /// The average of the party's numbers, or of its maps under the anchor's extreme key.
    fn sort_value(&self, sort: &flexmatch::rule::Sort, anchor: usize, place: usize) -> Option<f64> {
        let map = |player: &Player| match player.attribute(sort.attribute) {
            Some(AttributeValue::StringNumberMap(map)) => map.clone(),
            _ => Default::default(),
        };
        let entries = self.pool[anchor].party.iter().flat_map(map).collect::<Vec<_>>();
        let extreme = entries.iter().map(|(_, value)| *value);
        let extreme = match sort.map_key {
            Some(MapKey::MinValue) => extreme.reduce(f64::min),
            _ => extreme.reduce(f64::max),
        };
        let key = entries.iter().find(|(_, value)| Some(*value) == extreme).map(|(key, _)| key);
        let numbers: Vec<f64> = (self.pool[place].party.iter())
            .filter_map(|player| player.number(sort.attribute).or_else(|| map(player).get(key?).copied()))
            .collect();
        (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
    }

    fn wished(&self, player: &Player) -> usize {
        self.rules.stages()[0]
            .team_index(player.team().expect("in backfill everybody has a team"))
            .expect("known")
    }

    fn effective(&self, seated: &Seated) -> &Effective {
        let ages = seated.iter().map(|(place, _)| (self.now_ms - self.pool[*place].start_ms) / 1_000);
        self.rules.effective(match self.rules.algorithm().expansion_age_selection {
            ExpansionAgeSelection::Newest => ages.min().unwrap_or(0),
            ExpansionAgeSelection::Oldest => ages.max().unwrap_or(0),
        })
    }

    fn capacity(&self, effective: &Effective) -> usize {
        let (least, most) = (effective.min_players(), effective.max_players());
        most.saturating_sub(self.additional).max(least) as usize
    }

    fn players(&self, seated: &Seated) -> usize {
        seated.iter().map(|(_, seats)| seats.len()).sum()
    }

    fn counts(&self, seated: &Seated) -> Vec<usize> {
        let mut counts = vec![0; self.rules.stages()[0].teams().len()];
        seated.iter().flat_map(|(_, seats)| seats).for_each(|team| counts[*team] += 1);
        counts
    }

    fn verdict(&self, seated: &Seated, complete: bool) -> Verdict {
        let mut teams = vec![Vec::new(); self.rules.stages()[0].teams().len()];
        for (place, seats) in seated {
            for (player, team) in self.pool[*place].party.iter().zip(seats) {
                teams[*team].push(player);
            }
        }
        self.effective(seated).verdict(&MatchView { teams: &teams, complete }, &self.compat)
    }
}
