//! Text to typed expression.

use std::ops::Range;

use super::{Expression, Function, Leaf, Select, Source, Trends, Vacant, ValueType};
use crate::finding::nearest;
use crate::player::AttributeType;
use crate::rule_set::{AttributeDefinition, Team};

/// What an expression may refer to.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) teams: &'a [Team],
    pub(crate) attributes: &'a [AttributeDefinition],
    /// Whether the name of a multiplied team stands for all its instances.
    pub(crate) base_names: bool,
}

/// What is wrong in an expression, or odd if `warning`, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ExprError {
    pub(crate) range: Range<usize>,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) warning: bool,
}

/// Whether a string is meant as an expression and not as a literal: it starts with `teams[` or a function.
pub(crate) fn looks_like_expression(text: &str) -> bool {
    let text = text.trim_start();
    let word_end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let (word, rest) = text.split_at(word_end);
    match rest.trim_start().chars().next() {
        Some('[') => matches!(word, "teams" | "team"),
        Some('(') => Function::ALL.iter().any(|(name, _)| *name == word),
        _ => false,
    }
}

/// Parses and types an expression. With an expression, all findings are warnings.
pub(crate) fn parse(text: &str, names: Names<'_>) -> (Option<Expression>, Vec<ExprError>) {
    let mut parser = Parser { text, at: 0, names, found: Vec::new() };
    let expression = parser.expression();
    (expression, parser.found)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    names: Names<'a>,
    found: Vec<ExprError>,
}

impl<'a> Parser<'a> {
    fn error(&mut self, range: Range<usize>, code: &'static str, message: String, help: Option<String>) {
        self.found.push(ExprError { range, code, message, help, warning: false });
    }

    fn warn(&mut self, range: Range<usize>, code: &'static str, message: String, help: Option<String>) {
        self.found.push(ExprError { range, code, message, help, warning: true });
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn here(&self) -> Range<usize> {
        self.at..self.at + self.text[self.at..].chars().next().map_or(0, char::len_utf8)
    }

    fn take(&mut self, wanted: &str) -> bool {
        self.space();
        let found = self.text[self.at..].starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    fn expect(&mut self, wanted: &str) -> Option<()> {
        if self.take(wanted) {
            return Some(());
        }
        let message = match self.text[self.at..].chars().next() {
            Some(found) => format!("expected `{wanted}`, found `{found}`"),
            None => format!("expected `{wanted}` at the end of the expression"),
        };
        self.error(self.here(), "expression-syntax", message, None);
        None
    }

    fn word(&mut self) -> (&'a str, Range<usize>) {
        self.space();
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let range = self.at..self.at + end;
        self.at += end;
        (&rest[..end], range)
    }

    fn expression(&mut self) -> Option<Expression> {
        // Outermost first while reading.
        let mut functions = Vec::new();
        let select = loop {
            let (word, range) = self.word();
            if matches!(word, "teams" | "team") {
                break self.select(word, range)?;
            }
            self.space();
            if !self.text[self.at..].starts_with('(') {
                self.not_a_selection(word, range);
                return None;
            }
            let Some((_, function)) = Function::ALL.iter().find(|(name, _)| *name == word) else {
                let help = nearest(word, Function::ALL.iter().map(|(name, _)| *name))
                    .map(|name| format!("did you mean `{name}`?"));
                let help = help.or_else(|| {
                    let all: Vec<_> = Function::ALL.iter().map(|(name, _)| *name).collect();
                    Some(format!("the functions are {}", all.join(", ")))
                });
                self.error(range, "unknown-function", format!("there is no function `{word}`"), help);
                return None;
            };
            self.at += 1;
            functions.push((*function, range));
        };
        for _ in &functions {
            self.expect(")")?;
        }
        self.space();
        if self.at < self.text.len() {
            let help = match self.text[self.at..].chars().next() {
                Some('+' | '-' | '*' | '/') => Some("property expressions have no arithmetic".to_owned()),
                Some('[') => Some("lists and maps cannot be indexed".to_owned()),
                _ => None,
            };
            let range = self.at..self.text.len();
            let message = format!("`{}` does not belong here", &self.text[range.clone()]);
            self.error(range, "expression-syntax", message, help);
            return None;
        }
        self.typed(select, functions)
    }

    fn not_a_selection(&mut self, word: &str, range: Range<usize>) {
        if word.is_empty() {
            let message = "expected `teams[..]` or a function".to_owned();
            self.error(self.here(), "expression-syntax", message, None);
            return;
        }
        let help = match word {
            "rules" | "playerAttributes" => Some("measurements start from `teams[..]`".to_owned()),
            _ => nearest(word, ["teams"].into_iter().chain(Function::ALL.iter().map(|(name, _)| *name)))
                .map(|name| format!("did you mean `{name}`?"))
                .or_else(|| Some("for example `teams[red].players.attributes[skill]`".to_owned())),
        };
        self.error(range, "expression-syntax", format!("`{word}` starts no property expression"), help);
    }

    /// After `teams`.
    fn select(&mut self, word: &str, range: Range<usize>) -> Option<Select> {
        if word == "team" {
            let message = "`team[..]` is a slip of the AWS documentation".to_owned();
            self.warn(range, "team-for-teams", message, Some("write `teams[..]`".to_owned()));
        }
        self.expect("[")?;
        let (teams, grouped) = self.team_list()?;
        if !self.take(".") {
            let message = "a selection of teams is no complete expression".to_owned();
            self.error(self.here(), "expression-syntax", message, Some("add `.players`".to_owned()));
            return None;
        }
        let (word, range) = self.word();
        if word != "players" {
            let help = Some("teams have `.players`".to_owned());
            self.error(range, "expression-syntax", format!("teams have no `{word}`"), help);
            return None;
        }
        let source = self.source()?;
        Some(Select { teams: teams?, grouped, source })
    }

    /// Up to and with `]`. The inner `None` is a team that does not exist, which does not stop the parser.
    fn team_list(&mut self) -> Option<(Option<Box<[usize]>>, bool)> {
        let start = self.at;
        let Some(length) = self.text[start..].find(']') else {
            self.error(start..self.text.len(), "expression-syntax", "expected `]`".to_owned(), None);
            return None;
        };
        let list = &self.text[start..start + length];
        self.at = start + length + 1;
        if list.trim() == "*" {
            return Some((Some((0..self.names.teams.len()).collect()), true));
        }
        let mut teams = Vec::new();
        let mut grouped = list.contains(',');
        let mut known = true;
        let mut at = start;
        for part in list.split(',') {
            let name = part.trim();
            let begin = at + (part.len() - part.trim_start().len());
            let range = begin..begin + name.len();
            at += part.len() + 1;
            match self.team(name, range) {
                Some((found, several)) => {
                    grouped |= several;
                    teams.extend(found);
                }
                None => known = false,
            }
        }
        Some((known.then(|| teams.into_boxed_slice()), grouped))
    }

    /// The teams a name stands for, and whether that is a list even if it is one.
    fn team(&mut self, name: &str, range: Range<usize>) -> Option<(Vec<usize>, bool)> {
        let teams = self.names.teams;
        if let Some(index) = teams.iter().position(|team| team.name == name) {
            return Some((vec![index], false));
        }
        let instances: Vec<usize> = teams
            .iter()
            .enumerate()
            .filter(|(_, team)| team.base_name == name)
            .map(|(index, _)| index)
            .collect();
        if instances.is_empty() {
            let help = if name.is_empty() {
                Some("name a team, or write `*` for all".to_owned())
            } else if name == "*" {
                Some("`*` stands alone: it selects all teams".to_owned())
            } else {
                nearest(name, teams.iter().map(|team| team.name.as_str()))
                    .map(|name| format!("did you mean `{name}`?"))
            };
            self.error(range, "unknown-team", format!("there is no team {name:?}"), help);
            return None;
        }
        let (first, last) = (&teams[instances[0]].name, &teams[instances[instances.len() - 1]].name);
        let message = format!("{name:?} has a quantity: its teams are called {first:?} to {last:?}");
        if !self.names.base_names {
            self.error(
                range,
                "unknown-team",
                message,
                Some("name them, or write `*` for all teams".to_owned()),
            );
            return None;
        }
        let help = "AWS does not say what this means here; it is read as all of them".to_owned();
        self.warn(range, "base-team-name", message, Some(help));
        Some((instances, true))
    }

    /// After `.players`.
    fn source(&mut self) -> Option<Source> {
        if self.take("[") {
            let (word, range) = self.word();
            if word != "playerId" {
                let message = "players can only be followed by `[playerId]` or `.attributes[..]`".to_owned();
                let help = Some("a single player cannot be selected".to_owned());
                self.error(range, "expression-syntax", message, help);
                return None;
            }
            self.expect("]")?;
            return Some(Source::PlayerIds);
        }
        if !self.take(".") {
            return Some(Source::Players);
        }
        let (word, range) = self.word();
        if word != "attributes" {
            let message = format!("players have no `{word}`");
            let help = Some("players have `.attributes[..]` and `[playerId]`".to_owned());
            self.error(range, "expression-syntax", message, help);
            return None;
        }
        self.expect("[")?;
        let start = self.at;
        let Some(length) = self.text[start..].find(']') else {
            self.error(start..self.text.len(), "expression-syntax", "expected `]`".to_owned(), None);
            return None;
        };
        self.at = start + length + 1;
        self.attribute(self.text[start..start + length].trim(), start..start + length)
    }

    fn attribute(&mut self, name: &str, range: Range<usize>) -> Option<Source> {
        let attributes = self.names.attributes;
        let Some(index) = attributes.iter().position(|attribute| attribute.name == name) else {
            let help = nearest(name, attributes.iter().map(|attribute| attribute.name.as_str())).map_or_else(
                || "declare it in `playerAttributes`".to_owned(),
                |name| format!("did you mean `{name}`?"),
            );
            let message = format!("there is no player attribute {name:?}");
            self.error(range, "unknown-attribute", message, Some(help));
            return None;
        };
        match attributes[index].attribute_type {
            AttributeType::Number => Some(Source::Numbers(index)),
            AttributeType::String => Some(Source::Texts(index)),
            AttributeType::StringList => Some(Source::TextLists(index)),
            AttributeType::StringNumberMap => {
                let message =
                    format!("{name:?} is a string_number_map, which no property expression can use");
                let help = "only sort rules can use maps".to_owned();
                self.error(range, "map-in-expression", message, Some(help));
                None
            }
        }
    }

    /// Checks that each function fits what it is applied to.
    fn typed(&mut self, select: Select, functions: Vec<(Function, Range<usize>)>) -> Option<Expression> {
        let mut value = Expression::selected(&select);
        let mut trends =
            [Vacant::None, Vacant::Some, Vacant::All].map(|vacant| Trends::of_selected(&select, vacant));
        let mut kept = Vec::with_capacity(functions.len());
        for (function, range) in functions.into_iter().rev() {
            let name = function.name();
            let fits = match function {
                Function::Count | Function::Flatten => value.depth >= 1,
                Function::SetIntersection => value.leaf == Leaf::Text && value.depth >= 2,
                _ => value.leaf == Leaf::Number && value.depth >= 1,
            };
            if !fits {
                let needs = match function {
                    Function::Count => "a list",
                    Function::Flatten => "a list of lists",
                    Function::SetIntersection => "a list of string lists",
                    _ => "a list of numbers",
                };
                let message = format!("`{name}` needs {needs}, but is given {}", value.describe());
                self.error(range, "expression-type", message, None);
                return None;
            }
            if function == Function::Flatten && value.depth == 1 {
                let message = "`flatten` does nothing here: the list has no lists in it".to_owned();
                self.warn(range, "flat-flatten", message, Some("remove it".to_owned()));
                continue;
            }
            trends = trends.map(|trends| trends.after(function, value.leaf));
            value = match function {
                Function::Flatten | Function::SetIntersection => {
                    ValueType { depth: value.depth - 1, ..value }
                }
                _ => ValueType { leaf: Leaf::Number, depth: value.depth - 1 },
            };
            kept.push(function);
        }
        if value.leaf == Leaf::Player {
            let message = "players themselves cannot be compared".to_owned();
            let help = "count them, or select `[playerId]` or `.attributes[..]`".to_owned();
            self.error(0..self.text.len(), "expression-type", message, Some(help));
            return None;
        }
        Some(Expression { select, functions: kept, value_type: value, trends })
    }
}
