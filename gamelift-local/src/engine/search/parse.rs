//! The grammar.
//!
//! ```text
//! filter     = and { "OR" and }
//! and        = not { "AND" not }
//! not        = "NOT" not | "(" filter ")" | condition
//! condition  = operand comparator value
//! comparator = "=" | "<>" | "<" | ">" | "<=" | ">="
//! value      = number | "true" | "false" | quoted text
//! sort       = operand ( "ASC" | "DESC" )
//! ```

use super::{
    SearchError,
    lex::{Comparator, Placed, Token, tokens},
};

/// Deepest nesting of parentheses and NOT. Nobody writes more by hand, and reading recurses.
const DEPTH_MAX: usize = 100;

const OPERANDS: &str = "an operand: gameSessionId, gameSessionName, gameSessionProperties.KEY, maximumSessions, creationTimeMillis, playerSessionCount or hasAvailablePlayerSessions";
const CONDITION: &str = "a condition, such as maximumSessions>=4";
const PROPERTIES: &str = "gameSessionProperties.";

/// Which game sessions are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(pub(super) Node);

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Any(Vec<Node>),
    All(Vec<Node>),
    Not(Box<Node>),
    Text(TextField, bool, String),
    Number(NumberField, Comparator, f64),
    HasRoom(bool),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TextField {
    Id,
    Name,
    Property(String),
    /// A property whose key has a dot: it cannot be searched (AWS API reference), so no game session has it.
    Unsearchable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberField {
    MaximumSessions,
    CreationTime,
    PlayerCount,
}

/// What can be compared and sorted by.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Text(TextField),
    Number(NumberField),
    HasRoom,
}

/// In which order game sessions are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    pub(super) by: Operand,
    pub(super) is_descending: bool,
}

impl Filter {
    /// Reads a FilterExpression.
    ///
    /// # Errors
    /// The first place that cannot be read, and what was expected there.
    pub fn parse(expression: &str) -> Result<Self, SearchError> {
        let mut parser = Parser::new(expression)?;
        let filter = parser.any(0)?;
        parser.end("AND, OR or the end")?;
        Ok(Self(filter))
    }
}

impl Sort {
    /// Reads a SortExpression.
    ///
    /// # Errors
    /// The first place that cannot be read, and what was expected there.
    pub fn parse(expression: &str) -> Result<Self, SearchError> {
        let mut parser = Parser::new(expression)?;
        let by = parser.operand(OPERANDS)?;
        let is_descending = if parser.keyword("ASC") {
            false
        } else if parser.keyword("DESC") {
            true
        } else {
            return Err(parser.expected("ASC or DESC"));
        };
        parser.end("the end: game sessions are sorted by one operand")?;
        Ok(Self { by, is_descending })
    }
}

struct Parser {
    tokens: Vec<Placed>,
    at: usize,
    /// The position behind the last character.
    end: usize,
}

impl Parser {
    fn new(expression: &str) -> Result<Self, SearchError> {
        Ok(Self { tokens: tokens(expression)?, at: 0, end: expression.chars().count() + 1 })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|placed| &placed.token)
    }

    fn expected(&self, what: &str) -> SearchError {
        match self.tokens.get(self.at) {
            Some(placed) => SearchError::new(placed.position, what, Some(&placed.shown())),
            None => SearchError::new(self.end, what, None),
        }
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Word(word)) if word == keyword);
        self.at += usize::from(is_next);
        is_next
    }

    fn end(&self, expected: &str) -> Result<(), SearchError> {
        if self.peek().is_some() { Err(self.expected(expected)) } else { Ok(()) }
    }

    fn any(&mut self, depth: usize) -> Result<Node, SearchError> {
        let mut nodes = vec![self.all(depth)?];
        while self.keyword("OR") {
            nodes.push(self.all(depth)?);
        }
        Ok(one_or(nodes, Node::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Node, SearchError> {
        let mut nodes = vec![self.not(depth)?];
        while self.keyword("AND") {
            nodes.push(self.not(depth)?);
        }
        Ok(one_or(nodes, Node::All))
    }

    fn not(&mut self, depth: usize) -> Result<Node, SearchError> {
        if depth > DEPTH_MAX {
            return Err(self.expected(&format!("at most {DEPTH_MAX} levels of parentheses and NOT")));
        }
        if self.keyword("NOT") {
            return Ok(Node::Not(Box::new(self.not(depth + 1)?)));
        }
        if self.peek() == Some(&Token::Open) {
            self.at += 1;
            let inner = self.any(depth + 1)?;
            if self.peek() != Some(&Token::Close) {
                return Err(self.expected("AND, OR or )"));
            }
            self.at += 1;
            return Ok(inner);
        }
        self.condition()
    }

    fn condition(&mut self) -> Result<Node, SearchError> {
        let operand = match self.peek() {
            Some(Token::Word(_)) => self.operand(OPERANDS)?,
            _ => return Err(self.expected(CONDITION)),
        };
        let before = self.at;
        let Some(Token::Comparator(comparator)) = self.peek().cloned() else {
            return Err(self.expected("a comparator: =, <>, <, >, <= or >="));
        };
        self.at += 1;
        let is_equality = matches!(comparator, Comparator::Equal | Comparator::NotEqual);
        if !is_equality && !matches!(operand, Operand::Number(_)) {
            self.at = before;
            return Err(self.expected("= or <>, because only numbers have an order"));
        }
        let is_equal = comparator == Comparator::Equal;
        let node = match (operand, self.peek()) {
            (Operand::Text(field), Some(Token::Text(text))) => Node::Text(field, is_equal, text.clone()),
            (Operand::Text(_), _) => return Err(self.expected("a text in single quotes")),
            (Operand::Number(field), Some(Token::Word(word))) => match word.parse::<f64>() {
                Ok(number) if number.is_finite() => Node::Number(field, comparator, number),
                _ => return Err(self.expected("a number")),
            },
            (Operand::Number(_), _) => return Err(self.expected("a number")),
            (Operand::HasRoom, Some(Token::Word(word))) if word == "true" => Node::HasRoom(is_equal),
            (Operand::HasRoom, Some(Token::Word(word))) if word == "false" => Node::HasRoom(!is_equal),
            (Operand::HasRoom, _) => return Err(self.expected("true or false, without quotes")),
        };
        self.at += 1;
        Ok(node)
    }

    fn operand(&mut self, expected: &str) -> Result<Operand, SearchError> {
        let Some(Token::Word(word)) = self.peek() else { return Err(self.expected(expected)) };
        let operand = match word.as_str() {
            "gameSessionId" => Operand::Text(TextField::Id),
            "gameSessionName" => Operand::Text(TextField::Name),
            "maximumSessions" => Operand::Number(NumberField::MaximumSessions),
            "creationTimeMillis" => Operand::Number(NumberField::CreationTime),
            "playerSessionCount" => Operand::Number(NumberField::PlayerCount),
            "hasAvailablePlayerSessions" => Operand::HasRoom,
            other => match other.strip_prefix(PROPERTIES) {
                Some(key) if key.contains('.') => Operand::Text(TextField::Unsearchable),
                Some(key) if !key.is_empty() => Operand::Text(TextField::Property(key.to_owned())),
                _ => return Err(self.expected(expected)),
            },
        };
        self.at += 1;
        Ok(operand)
    }
}

fn one_or(mut nodes: Vec<Node>, many: fn(Vec<Node>) -> Node) -> Node {
    match nodes.pop() {
        Some(only) if nodes.is_empty() => only,
        last => {
            nodes.extend(last);
            many(nodes)
        }
    }
}

#[cfg(test)]
mod tests;
