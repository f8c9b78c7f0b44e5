//! Where a value can go when players join: what makes a failed rule fail for ever.

use super::{Function, Leaf, Select, Source};

/// How a value changes as players are added and nobody leaves. Of a list: its set of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trend {
    /// It stays.
    Fixed,
    /// It only grows.
    Up,
    /// It only shrinks.
    Down,
    /// An average: it can go either way, by less the more players there are.
    Average,
    /// It can go anywhere.
    Free,
}

impl Trend {
    /// `strict` holds averages still, as AWS does on partial matches.
    pub(crate) const fn can_rise(self, strict: bool) -> bool {
        match self {
            Self::Up | Self::Free => true,
            Self::Average => !strict,
            Self::Fixed | Self::Down => false,
        }
    }

    pub(crate) const fn can_fall(self, strict: bool) -> bool {
        match self {
            Self::Down | Self::Free => true,
            Self::Average => !strict,
            Self::Fixed | Self::Up => false,
        }
    }

    /// Of something that moves with both.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (one, Self::Fixed) => one,
            (Self::Fixed, other) => other,
            (one, other) if one == other => one,
            _ => Self::Free,
        }
    }
}

/// Which of the measured teams nobody has joined yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vacant {
    None,
    Some,
    All,
}

/// The trends of a nested list, level by level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trends {
    /// Of the lists, outermost first; as many as the value is deep.
    levels: [Trend; 3],
    depth: usize,
    /// Of the values inside.
    pub(crate) leaf: Trend,
    /// Whether the values are counts, which are never negative.
    counts: bool,
    /// Whether lists of players may be empty.
    vacant: Vacant,
}

impl Trends {
    pub(crate) const fn of_selected(select: &Select, vacant: Vacant) -> Self {
        // Teams stay, each team gets more players, and what a player brought stays.
        let mut levels = [Trend::Fixed; 3];
        let players = select.grouped as usize;
        levels[players] = Trend::Up;
        let lists = matches!(select.source, Source::TextLists(_)) as usize;
        Self { levels, depth: players + 1 + lists, leaf: Trend::Fixed, counts: false, vacant }
    }

    /// Of the list at `level`, 0 being the outermost.
    pub(crate) const fn level(&self, level: usize) -> Trend {
        self.levels[level]
    }

    /// With every measured team full, nothing moves.
    pub(crate) const fn settled(mut self) -> Self {
        self.levels = [Trend::Fixed; 3];
        self.leaf = Trend::Fixed;
        self
    }

    /// After a function, which must fit the value's type.
    pub(crate) fn after(mut self, function: Function, leaf: Leaf) -> Self {
        match function {
            Function::Flatten if self.depth >= 2 => {
                self.levels = [self.levels[0].and(self.levels[1]), self.levels[2], Trend::Fixed];
                self.depth -= 1;
                if self.vacant == Vacant::Some {
                    // One list of all players now.
                    self.vacant = Vacant::None;
                }
            }
            Function::Flatten => {}
            Function::SetIntersection => {
                let (lists, inside) = (self.levels[self.depth - 2], self.levels[self.depth - 1]);
                // No lists have nothing in common; the first brings all that it has.
                let begins = lists != Trend::Fixed && self.vacant != Vacant::None;
                self.levels[self.depth - 2] = if begins { Trend::Free } else { intersection(lists, inside) };
                self.levels[self.depth - 1] = Trend::Fixed;
                self.depth -= 1;
            }
            Function::Count => {
                self.leaf = self.innermost();
                self.counts = true;
                self.pop();
            }
            _ => {
                debug_assert_eq!(leaf, Leaf::Number);
                self.leaf = reduced(function, self.innermost(), self.leaf, self.counts);
                self.pop();
                // An empty list has no average: the value is not there yet, and appears later.
                if self.depth > 0
                    && function != Function::Sum
                    && !matches!(self.levels[self.depth - 1], Trend::Free)
                {
                    self.levels[self.depth - 1] = self.levels[self.depth - 1].and(Trend::Up);
                }
            }
        }
        self
    }

    const fn innermost(&self) -> Trend {
        self.levels[self.depth - 1]
    }

    const fn pop(&mut self) {
        self.levels[self.depth - 1] = Trend::Fixed;
        self.depth -= 1;
    }
}

/// Of what all lists have in common: more lists leave less, longer lists leave more.
pub(crate) fn intersection(lists: Trend, inside: Trend) -> Trend {
    match (lists, inside) {
        (Trend::Fixed, inside) => inside,
        (Trend::Up, Trend::Fixed | Trend::Down) => Trend::Down,
        _ => Trend::Free,
    }
}

fn reduced(function: Function, list: Trend, value: Trend, counts: bool) -> Trend {
    let still = list == Trend::Fixed;
    let grows = matches!(list, Trend::Fixed | Trend::Up);
    match (function, value) {
        (Function::Max, Trend::Up) | (Function::Max, Trend::Fixed) if grows => {
            if still {
                value
            } else {
                Trend::Up
            }
        }
        (Function::Min, Trend::Down) | (Function::Min, Trend::Fixed) if grows => {
            if still {
                value
            } else {
                Trend::Down
            }
        }
        (Function::Max | Function::Min, _) if still => value,
        (Function::Sum, Trend::Fixed | Trend::Up) if counts && grows => {
            if still {
                value
            } else {
                Trend::Up
            }
        }
        (Function::Sum, _) => {
            if still {
                value
            } else {
                Trend::Free
            }
        }
        (Function::Average | Function::Median, _) if still => value,
        (Function::Stddev, Trend::Fixed) if still => Trend::Fixed,
        (_, Trend::Fixed | Trend::Average) if grows => Trend::Average,
        _ => Trend::Free,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(grouped: bool, source: Source, functions: &[Function]) -> Trends {
        let select = Select { teams: Box::new([0, 1]), grouped, source };
        let leaf = if matches!(source, Source::Numbers(_)) { Leaf::Number } else { Leaf::Text };
        functions.iter().fold(Trends::of_selected(&select, Vacant::None), |trends, function| {
            let leaf = if trends.counts { Leaf::Number } else { leaf };
            trends.after(*function, leaf)
        })
    }

    #[test]
    fn the_highest_value_of_a_growing_match_only_rises_and_the_lowest_only_falls() {
        let numbers = Source::Numbers(0);
        assert_eq!(of(true, numbers, &[Function::Flatten, Function::Max]).leaf, Trend::Up);
        assert_eq!(of(true, numbers, &[Function::Flatten, Function::Min]).leaf, Trend::Down);
    }

    #[test]
    fn the_smallest_team_only_grows_because_teams_do_not_appear() {
        assert_eq!(of(true, Source::Players, &[Function::Count, Function::Min]).leaf, Trend::Up);
        assert_eq!(of(true, Source::Players, &[Function::Count, Function::Max]).leaf, Trend::Up);
    }

    #[test]
    fn the_lowest_of_the_highest_can_go_anywhere_because_an_empty_team_has_none() {
        let both = of(true, Source::Numbers(0), &[Function::Max, Function::Min]);
        assert_eq!(both.leaf, Trend::Free);
    }

    #[test]
    fn what_all_players_have_in_common_only_shrinks_and_what_all_teams_have_only_grows() {
        let lists = of(true, Source::TextLists(0), &[Function::Flatten, Function::SetIntersection]);
        assert_eq!((lists.level(0), lists.depth), (Trend::Down, 1));
        let clans = of(true, Source::Texts(0), &[Function::SetIntersection, Function::Count]);
        assert_eq!(clans.leaf, Trend::Up);
    }

    #[test]
    fn averages_are_averages_and_sums_of_values_go_anywhere() {
        for function in [Function::Average, Function::Median, Function::Stddev] {
            assert_eq!(of(true, Source::Numbers(0), &[function]).leaf, Trend::Average);
            assert_eq!(of(true, Source::Numbers(0), &[function]).level(0), Trend::Up);
        }
        assert_eq!(of(true, Source::Numbers(0), &[Function::Flatten, Function::Sum]).leaf, Trend::Free);
        assert_eq!(of(true, Source::Players, &[Function::Count, Function::Sum]).leaf, Trend::Up);
    }
}
