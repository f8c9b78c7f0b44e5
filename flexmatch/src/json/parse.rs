//! A recursive-descent parser for JSON with comments. It goes on after a missing or superfluous comma, so that one
//! slip does not hide what follows.

use super::{DEPTH_MAX, Document, Member, Node, Span, SyntaxError, Value};

/// Parses a whole text.
pub(crate) fn parse(text: &str) -> Document {
    let mut parser = Parser { text, at: 0, comments: Vec::new(), errors: Vec::new() };
    if text.starts_with('\u{feff}') {
        parser.at = '\u{feff}'.len_utf8();
        let span = Span { start: 0, end: parser.at };
        parser.error(span, "the text starts with a byte order mark", Some("save it as UTF-8 without one"));
    }
    let root = parser.value(0);
    if root.is_some() {
        parser.space();
        if parser.at < text.len() {
            let span = parser.here();
            parser.error(span, "there is text after the end of the rule set", None);
        }
    }
    Document { root, comments: parser.comments, errors: parser.errors }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    comments: Vec<Span>,
    errors: Vec<SyntaxError>,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The next character, or an empty span at the end.
    fn here(&self) -> Span {
        Span { start: self.at, end: self.at + self.peek().map_or(0, char::len_utf8) }
    }

    fn error(&mut self, span: Span, message: impl Into<String>, help: Option<&'static str>) {
        self.errors.push(SyntaxError { span, message: message.into(), help });
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    /// Skips white space and comments.
    fn space(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            let rest = self.rest();
            let length = if rest.starts_with("//") {
                rest.find('\n').map_or(rest.len(), |end| rest[..end].trim_end_matches('\r').len())
            } else if let Some(inside) = rest.strip_prefix("/*") {
                inside.find("*/").map_or_else(
                    || {
                        let span = Span { start: self.at, end: self.at + 2 };
                        self.error(span, "this comment is never closed", Some("add `*/`"));
                        rest.len()
                    },
                    |end| end + 4,
                )
            } else {
                return;
            };
            self.comments.push(Span { start: self.at, end: self.at + length });
            self.at += length;
        }
    }

    /// `None` means that parsing cannot go on; the reason is among the errors.
    fn value(&mut self, depth: usize) -> Option<Node> {
        self.space();
        let start = self.at;
        if depth > DEPTH_MAX {
            self.error(self.here(), format!("values are nested more than {DEPTH_MAX} deep"), None);
            return None;
        }
        let value = match self.peek() {
            None => {
                self.error(self.here(), "the text ends where a value should be", None);
                return None;
            }
            Some('{') => self.object(depth)?,
            Some('[') => self.array(depth)?,
            Some('"') => Value::String(self.string()?),
            Some('-' | '0'..='9') => Value::Number(self.number()?),
            Some(_) => self.word()?,
        };
        Some(Node { span: Span { start, end: self.at }, value })
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut members = Vec::new();
        loop {
            self.space();
            if self.take('}') {
                return Some(Value::Object(members));
            }
            let key_start = self.at;
            if self.peek() != Some('"') {
                let help = match self.peek() {
                    Some('\'') => Some("JSON strings take double quotes"),
                    Some(c) if c.is_alphabetic() => Some("keys take double quotes"),
                    _ => None,
                };
                let message = match self.peek() {
                    Some(c) => format!("expected a key or `}}`, found `{c}`"),
                    None => "the text ends inside an object".to_owned(),
                };
                self.error(self.here(), message, help);
                return None;
            }
            let key = self.string()?;
            let key_span = Span { start: key_start, end: self.at };
            self.space();
            if !self.take(':') {
                self.error(self.here(), format!("expected `:` after the key {key:?}"), None);
                return None;
            }
            let value = self.value(depth + 1)?;
            members.push(Member { key, key_span, value });
            self.separator('}', "object")?;
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.space();
            if self.take(']') {
                return Some(Value::Array(items));
            }
            items.push(self.value(depth + 1)?);
            self.separator(']', "list")?;
        }
    }

    /// After an element: a comma, or nothing if the container closes next. Mends what it can.
    fn separator(&mut self, close: char, container: &str) -> Option<()> {
        let after_value = self.at;
        self.space();
        let comma = self.here();
        if self.take(',') {
            self.space();
            if self.peek() == Some(close) {
                let message = format!("there is nothing after this comma in the {container}");
                self.error(comma, message, Some("remove the comma"));
            }
            return Some(());
        }
        match self.peek() {
            Some(c) if c == close => Some(()),
            Some('"' | '{' | '[') => {
                // Every value ends in one byte: a quote, a bracket, a digit or a letter of a word.
                let span = Span { start: after_value - 1, end: after_value };
                self.error(span, "a comma is missing after this", Some("add `,`"));
                Some(())
            }
            Some(c) => {
                let message = format!("expected `,` or `{close}`, found `{c}`");
                self.error(self.here(), message, None);
                None
            }
            None => {
                let message = format!("the text ends inside a {container}");
                self.error(self.here(), message, None);
                None
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.at += 1;
        let mut value = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ').unwrap_or(rest.len());
            value.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some('"') => {
                    self.at += 1;
                    return Some(value);
                }
                Some('\\') => value.push(self.escape()?),
                Some(c) => {
                    let help = (c == '\n').then_some("is a closing quote missing?");
                    self.error(self.here(), "a string cannot contain a raw control character", help);
                    return None;
                }
                None => {
                    let span = Span { start, end: start + 1 };
                    self.error(span, "this string is never closed", Some("add `\"`"));
                    return None;
                }
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let start = self.at;
        self.at += 1;
        let escaped = match self.peek() {
            Some('u') => {
                self.at += 1;
                return self.unicode_escape(start);
            }
            Some('"') => '"',
            Some('\\') => '\\',
            Some('/') => '/',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            _ => {
                let span = Span { start, end: self.here().end };
                self.error(span, "this is no escape that JSON knows", None);
                return None;
            }
        };
        self.at += 1;
        Some(escaped)
    }

    fn unicode_escape(&mut self, start: usize) -> Option<char> {
        let first = self.hex4();
        let code = match first {
            Some(high @ 0xd800..=0xdbff) if self.rest().starts_with("\\u") => {
                self.at += 2;
                self.hex4()
                    .filter(|low| (0xdc00..=0xdfff).contains(low))
                    .map(|low| 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
            }
            other => other,
        };
        let character = code.and_then(char::from_u32);
        if character.is_none() {
            let span = Span { start, end: self.at };
            self.error(span, "this escape is not a character", Some("write \\u and four hexadecimal digits"));
        }
        character
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn number(&mut self) -> Option<f64> {
        let start = self.at;
        let rest = self.rest();
        let end =
            rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        self.at += end;
        // serde_json is the judge of what a JSON number is.
        let number = serde_json::from_str::<f64>(&rest[..end]).ok().filter(|number| number.is_finite());
        if number.is_none() {
            let span = Span { start, end: self.at };
            self.error(span, format!("`{}` is not a number in JSON", &rest[..end]), None);
        }
        number
    }

    fn word(&mut self) -> Option<Value> {
        let start = self.at;
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let word = &rest[..end];
        self.at += end;
        match word {
            "true" | "false" => return Some(Value::Bool),
            "null" => return Some(Value::Null),
            _ => {}
        }
        if word.is_empty() {
            let help = (self.peek() == Some('\'')).then_some("JSON strings take double quotes");
            let found = self.peek().unwrap_or(' ');
            self.error(self.here(), format!("expected a value, found `{found}`"), help);
        } else {
            let span = Span { start, end: self.at };
            self.error(span, format!("`{word}` is not a value in JSON"), Some("strings take double quotes"));
        }
        None
    }
}
