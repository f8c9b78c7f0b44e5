//! From text to words, comparators, quoted texts and parentheses.

use super::SearchError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// An operand, a keyword or a number.
    Word(String),
    /// What stood between quotes.
    Text(String),
    Comparator(Comparator),
    Open,
    Close,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparator {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// A token and where it begins: which character, counted from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) position: usize,
}

impl Placed {
    /// As the expression had it, more or less.
    pub(super) fn shown(&self) -> String {
        match &self.token {
            Token::Word(word) => word.clone(),
            Token::Text(text) => format!("'{text}'"),
            Token::Comparator(comparator) => comparator.as_str().to_owned(),
            Token::Open => "(".to_owned(),
            Token::Close => ")".to_owned(),
        }
    }
}

/// Takes an expression apart. It has 1,024 characters at most, so there is no bound on tokens.
pub(super) fn tokens(expression: &str) -> Result<Vec<Placed>, SearchError> {
    let characters: Vec<char> = expression.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let start = at;
        let next = characters.get(at + 1).copied();
        at += 1;
        let token = match (character, next) {
            (space, _) if space.is_whitespace() => continue,
            ('(', _) => Token::Open,
            (')', _) => Token::Close,
            ('=', _) => Token::Comparator(Comparator::Equal),
            ('<' | '>', Some('=')) | ('<', Some('>')) => {
                at += 1;
                Token::Comparator(match (character, next) {
                    ('<', Some('>')) => Comparator::NotEqual,
                    ('<', _) => Comparator::LessOrEqual,
                    _ => Comparator::GreaterOrEqual,
                })
            }
            ('<', _) => Token::Comparator(Comparator::Less),
            ('>', _) => Token::Comparator(Comparator::Greater),
            // One text of the API reference has double quotes; all its samples have single ones.
            ('\'' | '"', _) => {
                let (text, end) = quoted(&characters, start)?;
                at = end;
                Token::Text(text)
            }
            ('!', _) => {
                return Err(SearchError::new(start + 1, "<> for \"not equal\", NOT for \"not\"", Some("!")));
            }
            _ => {
                let is_end = |character: &char| character.is_whitespace() || "()=<>'\"!".contains(*character);
                let rest = characters.get(start..).unwrap_or_default();
                let word: String = rest.iter().take_while(|character| !is_end(character)).collect();
                at = start + word.chars().count();
                Token::Word(word)
            }
        };
        tokens.push(Placed { token, position: start + 1 });
    }
    Ok(tokens)
}

/// Reads what stands between quotes, where a backslash takes the meaning from what follows.
fn quoted(characters: &[char], start: usize) -> Result<(String, usize), SearchError> {
    let quote = characters.get(start).copied().unwrap_or('\'');
    let mut text = String::new();
    let mut at = start + 1;
    while let Some(&character) = characters.get(at) {
        at += 1;
        match character {
            '\\' => match characters.get(at) {
                Some(escaped) => {
                    text.push(*escaped);
                    at += 1;
                }
                None => return Err(SearchError::new(at + 1, "a character after the backslash", None)),
            },
            end if end == quote => return Ok((text, at)),
            other => text.push(other),
        }
    }
    let expected = format!("a closing {quote} for the text that begins at character {}", start + 1);
    Err(SearchError::new(characters.len() + 1, expected, None))
}
