//! Property expressions: `avg(teams[red].players.attributes[skill])`, parsed once and typed.
//!
//! An expression is one selection and the functions around it; every function takes one argument, so there is no
//! tree. Values are nested lists: players grouped by team where several teams are selected, and a string list adds a
//! level. On a nested list a function works on each innermost list it fits (FlexMatch guide, "Property expressions").

mod eval;
mod parse;
mod trend;

pub(crate) use eval::{Leaves, Scope, Values, common};
pub(crate) use parse::{ExprError, Names, looks_like_expression, parse};
pub(crate) use trend::{Trend, Trends, Vacant, intersection};

/// A property expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expression {
    pub(crate) select: Select,
    /// Innermost first.
    pub(crate) functions: Vec<Function>,
    pub(crate) value_type: ValueType,
    /// With players in every measured team, in some, and in none.
    pub(crate) trends: [Trends; 3],
}

/// What an expression selects from a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Select {
    /// Indices of teams.
    pub(crate) teams: Box<[usize]>,
    /// Whether values are grouped by team: always, unless exactly one team is named.
    pub(crate) grouped: bool,
    pub(crate) source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Players,
    PlayerIds,
    /// By index.
    Numbers(usize),
    Texts(usize),
    TextLists(usize),
}

/// A function of the expression language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Min,
    Max,
    Average,
    Median,
    Sum,
    Count,
    Stddev,
    Flatten,
    SetIntersection,
}

impl Function {
    pub(crate) const ALL: [(&'static str, Self); 9] = [
        ("min", Self::Min),
        ("max", Self::Max),
        ("avg", Self::Average),
        ("median", Self::Median),
        ("sum", Self::Sum),
        ("count", Self::Count),
        ("stddev", Self::Stddev),
        ("flatten", Self::Flatten),
        ("set_intersection", Self::SetIntersection),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, function)| *function == self).map_or("", |(name, _)| name)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaf {
    Number,
    Text,
    Player,
}

/// How deep the lists of a value are nested, and what is inside. Depth 0 is a single value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValueType {
    pub(crate) leaf: Leaf,
    pub(crate) depth: u8,
}

impl ValueType {
    /// "a list of numbers", for messages.
    pub(crate) fn describe(self) -> &'static str {
        match (self.leaf, self.depth) {
            (Leaf::Number, 0) => "one number",
            (Leaf::Number, 1) => "a list of numbers",
            (Leaf::Number, _) => "a list of number lists",
            (Leaf::Text, 0) => "one string",
            (Leaf::Text, 1) => "a list of strings",
            (Leaf::Text, 2) => "a list of string lists",
            (Leaf::Text, _) => "a list of lists of string lists",
            (Leaf::Player, 0 | 1) => "a list of players",
            (Leaf::Player, _) => "a list of player lists",
        }
    }
}

impl Expression {
    /// Whether players are counted or averaged, which a party that counts as one would change.
    pub(crate) fn depends_on_party(&self) -> bool {
        let ids = self.select.source == Source::PlayerIds;
        !ids && self.functions.iter().any(|function| {
            matches!(
                function,
                Function::Count | Function::Average | Function::Median | Function::Sum | Function::Stddev
            )
        })
    }

    /// The type of a value, before any function.
    fn selected(select: &Select) -> ValueType {
        let grouped = u8::from(select.grouped);
        match select.source {
            Source::Players => ValueType { leaf: Leaf::Player, depth: 1 + grouped },
            Source::Numbers(_) => ValueType { leaf: Leaf::Number, depth: 1 + grouped },
            Source::PlayerIds | Source::Texts(_) => ValueType { leaf: Leaf::Text, depth: 1 + grouped },
            Source::TextLists(_) => ValueType { leaf: Leaf::Text, depth: 2 + grouped },
        }
    }
}
