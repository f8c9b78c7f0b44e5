//! Expression and match to value.

use super::{Expression, Function, Select, Source, Trends};
use crate::compat::{Compat, PartialMatches, PartyReading, Stddev};
use crate::player::{AttributeValue, Player};
use crate::rule::{PartyAggregation, PartyLists};
use crate::rule_set::Team;

/// The match that a rule is evaluated on.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a, 'c> {
    pub(crate) teams: &'a [Vec<&'a Player>],
    pub(crate) sizes: &'c [Team],
    pub(crate) compat: &'c Compat,
}

impl<'a> Scope<'a, '_> {
    pub(crate) fn team(&self, index: usize) -> &'a [&'a Player] {
        self.teams.get(index).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn players(&self) -> impl Iterator<Item = &'a Player> + use<'a> {
        self.teams.iter().flatten().copied()
    }

    /// Whether nobody can join the measured teams any more.
    fn is_full(&self, select: &Select) -> bool {
        select.teams.iter().all(|&team| {
            self.sizes.get(team).is_some_and(|size| self.team(team).len() >= size.max_players as usize)
        })
    }
}

/// A nested list, laid out flat.
#[derive(Debug)]
pub(crate) struct Values<'a> {
    pub(crate) leaves: Leaves<'a>,
    pub(crate) depth: u8,
    /// Where each innermost list ends among the leaves; empty below depth 2.
    pub(crate) inner: Vec<usize>,
    /// Where each list of lists ends among the innermost lists; empty below depth 3.
    pub(crate) outer: Vec<usize>,
}

#[derive(Debug)]
pub(crate) enum Leaves<'a> {
    /// A value that does not exist, such as the average of nobody, is NaN.
    Numbers(Vec<f64>),
    Texts(Vec<&'a str>),
    /// How many; only their number is ever used.
    Players(usize),
}

impl Leaves<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Texts(texts) => texts.len(),
            Self::Players(count) => *count,
        }
    }
}

impl<'a> Values<'a> {
    /// The innermost lists of numbers; none if these are texts.
    pub(crate) fn number_lists(&self) -> impl Iterator<Item = &[f64]> {
        let numbers: &[f64] = if let Leaves::Numbers(numbers) = &self.leaves { numbers } else { &[] };
        self.ranges().map(move |range| numbers.get(range).unwrap_or(&[]))
    }

    /// The innermost lists of texts; none if these are numbers.
    pub(crate) fn text_lists(&self) -> impl Iterator<Item = &[&'a str]> {
        let texts: &[&'a str] = if let Leaves::Texts(texts) = &self.leaves { texts } else { &[] };
        self.ranges().map(move |range| texts.get(range).unwrap_or(&[]))
    }

    /// Where the innermost lists lie among the leaves; below depth 2 that is one list of everything.
    fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> + use<'_, 'a> {
        let whole = (self.depth < 2).then(|| 0..self.leaves.len());
        let mut start = 0;
        whole.into_iter().chain(self.inner.iter().map(move |&end| std::mem::replace(&mut start, end)..end))
    }
}

impl Expression {
    /// How the value moves: not at all once the measured teams are full.
    pub(crate) fn trends_in(&self, scope: &Scope<'_, '_>) -> Trends {
        let [all, some, none] = self.trends;
        if scope.is_full(&self.select) {
            return all.settled();
        }
        // Only what lists have in common begins when the first player comes.
        if !self.functions.contains(&Function::SetIntersection) {
            return all;
        }
        let mut teams = self.select.teams.iter().map(|&team| scope.team(team).is_empty());
        match (teams.clone().any(|vacant| vacant), teams.any(|vacant| !vacant)) {
            (false, _) => all,
            (true, true) => some,
            (true, false) => none,
        }
    }

    /// Whether averages count as they stand: in AWS's way, once every measured team has a player.
    pub(crate) fn is_strict(&self, scope: &Scope<'_, '_>) -> bool {
        scope.compat.partial_matches == PartialMatches::AwsGreedy
            && self.select.teams.iter().all(|&team| !scope.team(team).is_empty())
    }

    pub(crate) fn evaluate<'a>(
        &self,
        scope: &Scope<'a, '_>,
        party: (PartyAggregation, PartyLists),
    ) -> Values<'a> {
        if let Some(values) = self.reduce_at_once(scope) {
            return values;
        }
        let mut values = select(&self.select, scope, party);
        for function in &self.functions {
            values = apply(*function, values, scope.compat.stddev);
        }
        values
    }

    /// The number of each team, or of all, where a function reduces players' numbers: `avg(teams[*]...)` or
    /// `avg(flatten(teams[*]...))`. The search evaluates little else, so the numbers are not laid out first.
    fn reduce_at_once<'a>(&self, scope: &Scope<'a, '_>) -> Option<Values<'a>> {
        use Function::{Average, Flatten, Max, Min, Sum};
        let Source::Numbers(index) = self.select.source else { return None };
        if scope.compat.party == PartyReading::Collapsed {
            return None;
        }
        let of = |team: &usize| scope.team(*team).iter().filter_map(move |player| player.number(index));
        let teams = &self.select.teams;
        let stddev = scope.compat.stddev;
        let numbers = match self.functions[..] {
            [function @ (Average | Max | Min | Sum)] => {
                teams.iter().map(|team| reduce(function, of(team), stddev)).collect()
            }
            [Flatten, function @ (Average | Max | Min | Sum)] => {
                vec![reduce(function, teams.iter().flat_map(of), stddev)]
            }
            _ => return None,
        };
        let depth = self.value_type.depth;
        Some(Values { leaves: Leaves::Numbers(numbers), depth, inner: Vec::new(), outer: Vec::new() })
    }
}

fn select<'a>(
    select: &Select,
    scope: &Scope<'a, '_>,
    (numbers, lists): (PartyAggregation, PartyLists),
) -> Values<'a> {
    let total = select.teams.iter().map(|&team| scope.team(team).len()).sum();
    let mut leaves = match select.source {
        Source::Players => Leaves::Players(0),
        Source::Numbers(_) => Leaves::Numbers(Vec::with_capacity(total)),
        Source::PlayerIds | Source::Texts(_) | Source::TextLists(_) => {
            Leaves::Texts(Vec::with_capacity(total))
        }
    };
    // The ends of each player's list, for string lists; else of each team's.
    let mut inner = Vec::new();
    let mut outer = Vec::new();
    let collapsed = scope.compat.party == PartyReading::Collapsed && select.source != Source::PlayerIds;
    for &team in &select.teams {
        let players = scope.team(team);
        for (at, player) in players.iter().enumerate() {
            if !collapsed {
                add(&mut leaves, &mut inner, select.source, player);
                continue;
            }
            if players[..at].iter().any(|earlier| earlier.party() == player.party()) {
                continue;
            }
            let members = players[at..].iter().copied().filter(|other| other.party() == player.party());
            add_party(&mut leaves, &mut inner, select.source, members, numbers, lists);
        }
        if select.grouped {
            if matches!(select.source, Source::TextLists(_)) {
                outer.push(inner.len());
            } else {
                inner.push(leaves.len());
            }
        }
    }
    Values { leaves, depth: Expression::selected(select).depth, inner, outer }
}

fn add<'a>(leaves: &mut Leaves<'a>, inner: &mut Vec<usize>, source: Source, player: &'a Player) {
    match (leaves, source) {
        (Leaves::Players(count), _) => *count += 1,
        (Leaves::Numbers(numbers), Source::Numbers(index)) => numbers.extend(player.number(index)),
        (Leaves::Texts(texts), Source::PlayerIds) => texts.push(player.id()),
        (Leaves::Texts(texts), Source::Texts(index)) => texts.extend(text(player, index)),
        (Leaves::Texts(texts), Source::TextLists(index)) => {
            if let Some(list) = text_list(player, index) {
                texts.extend(list.iter().map(String::as_str));
                inner.push(texts.len());
            }
        }
        _ => {}
    }
}

/// A party as one value.
fn add_party<'a>(
    leaves: &mut Leaves<'a>,
    inner: &mut Vec<usize>,
    source: Source,
    mut members: impl Iterator<Item = &'a Player>,
    numbers: PartyAggregation,
    lists: PartyLists,
) {
    match (leaves, source) {
        (Leaves::Players(count), _) => *count += 1,
        (Leaves::Numbers(all), Source::Numbers(index)) => {
            all.extend(numbers.of(members.filter_map(|member| member.number(index))));
        }
        (Leaves::Texts(texts), Source::Texts(index)) => {
            let start = texts.len();
            for value in members.filter_map(|member| text(member, index)) {
                if !texts[start..].contains(&value) {
                    texts.push(value);
                }
            }
        }
        (Leaves::Texts(texts), Source::TextLists(index)) => {
            let start = texts.len();
            let Some(first) = members.by_ref().find_map(|member| text_list(member, index)) else { return };
            texts.extend(first.iter().map(String::as_str));
            for list in members.filter_map(|member| text_list(member, index)) {
                match lists {
                    PartyLists::Union => {
                        for value in list {
                            if !texts[start..].contains(&value.as_str()) {
                                texts.push(value);
                            }
                        }
                    }
                    PartyLists::Intersection => {
                        let mut at = start;
                        while at < texts.len() {
                            if list.iter().any(|value| value == texts[at]) {
                                at += 1;
                            } else {
                                texts.remove(at);
                            }
                        }
                    }
                }
            }
            inner.push(texts.len());
        }
        _ => {}
    }
}

fn text(player: &Player, index: usize) -> Option<&str> {
    match player.attribute(index)? {
        AttributeValue::String(text) => Some(text),
        _ => None,
    }
}

fn text_list(player: &Player, index: usize) -> Option<&[String]> {
    match player.attribute(index)? {
        AttributeValue::StringList(list) => Some(list),
        _ => None,
    }
}

fn apply<'a>(function: Function, mut values: Values<'a>, stddev: Stddev) -> Values<'a> {
    match function {
        Function::Flatten => {
            if values.depth == 3 {
                values.outer = Vec::new();
            } else {
                values.inner = Vec::new();
            }
            values.depth -= 1;
            values
        }
        Function::SetIntersection => set_intersection(&values),
        Function::Count => {
            let counts = values.ranges().map(|range| range.len() as f64).collect();
            reduced(counts, values)
        }
        _ => {
            let numbers = values.number_lists().map(|list| reduce(function, list.iter().copied(), stddev));
            let numbers = numbers.collect();
            reduced(numbers, values)
        }
    }
}

/// The values of the innermost lists in their stead.
fn reduced(numbers: Vec<f64>, values: Values<'_>) -> Values<'_> {
    Values {
        leaves: Leaves::Numbers(numbers),
        depth: values.depth - 1,
        inner: values.outer,
        outer: Vec::new(),
    }
}

/// One number of a list; NaN if it has none.
fn reduce(function: Function, list: impl Iterator<Item = f64> + Clone, stddev: Stddev) -> f64 {
    let there = || list.clone().filter(|number| !number.is_nan());
    let count = there().count() as f64;
    if function == Function::Sum {
        return there().sum();
    }
    if count == 0.0 {
        return f64::NAN;
    }
    match function {
        Function::Min => there().fold(f64::INFINITY, f64::min),
        Function::Max => there().fold(f64::NEG_INFINITY, f64::max),
        Function::Median => median(there().collect()),
        Function::Stddev => {
            let mean = there().sum::<f64>() / count;
            let squares: f64 = there().map(|number| (number - mean) * (number - mean)).sum();
            let divisor = match stddev {
                Stddev::Population => count,
                // 0 / 0 for a single value: not a number, as it should be.
                Stddev::Sample => count - 1.0,
            };
            (squares / divisor).sqrt()
        }
        // `Average`; the others are handled by the callers.
        _ => there().sum::<f64>() / count,
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    if numbers.len() % 2 == 1 { numbers[middle] } else { f64::midpoint(numbers[middle - 1], numbers[middle]) }
}

fn set_intersection<'a>(values: &Values<'a>) -> Values<'a> {
    let lists: Vec<&[&'a str]> = values.text_lists().collect();
    let mut texts = Vec::new();
    let mut inner = Vec::new();
    if values.depth == 2 {
        texts = common(&lists);
    } else {
        let mut start = 0;
        for &end in &values.outer {
            texts.extend(common(&lists[start..end]));
            inner.push(texts.len());
            start = end;
        }
    }
    Values { leaves: Leaves::Texts(texts), depth: values.depth - 1, inner, outer: Vec::new() }
}

/// The distinct texts that all lists contain, in the order of the first; none of no lists.
pub(crate) fn common<'a>(lists: &[&[&'a str]]) -> Vec<&'a str> {
    let Some((first, others)) = lists.split_first() else { return Vec::new() };
    let mut found = Vec::new();
    for text in *first {
        if !found.contains(text) && others.iter().all(|list| list.contains(text)) {
            found.push(*text);
        }
    }
    found
}
