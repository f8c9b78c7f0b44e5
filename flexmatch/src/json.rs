//! JSON with positions, order, duplicates and comments: what a validator and a formatter need and `serde_json` drops.

mod parse;

pub(crate) use parse::parse;

/// Deepest nesting accepted. A rule set nests five deep; the bound keeps the parser's recursion off the stack's end.
pub(crate) const DEPTH_MAX: usize = 64;

/// A range of bytes in the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool,
    Number(f64),
    String(String),
    Array(Vec<Node>),
    /// In the order of the text, duplicates included.
    Object(Vec<Member>),
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Node,
}

impl Node {
    /// What it is, with an article, for messages.
    pub(crate) const fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        }
    }

    /// A value that is not in the text; findings about it point at the start.
    pub(crate) fn from_serde(value: &serde_json::Value) -> Self {
        let span = Span::default();
        let value = match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(_) => Value::Bool,
            serde_json::Value::Number(number) => number.as_f64().map_or(Value::Null, Value::Number),
            serde_json::Value::String(text) => Value::String(text.clone()),
            serde_json::Value::Array(items) => Value::Array(items.iter().map(Self::from_serde).collect()),
            serde_json::Value::Object(members) => {
                let member = |(key, value): (&String, &serde_json::Value)| Member {
                    key: key.clone(),
                    key_span: span,
                    value: Self::from_serde(value),
                };
                Value::Object(members.iter().map(member).collect())
            }
        };
        Self { span, value }
    }

    /// The JSON pointer (RFC 6901) of the deepest value or key that `span` lies in.
    pub(crate) fn pointer_to(&self, span: Span) -> String {
        let mut pointer = String::new();
        let mut node = self;
        loop {
            let next = match &node.value {
                Value::Array(items) => items
                    .iter()
                    .enumerate()
                    .find(|(_, item)| item.span.contains(span))
                    .map(|(index, item)| (index.to_string(), item)),
                Value::Object(members) => members
                    .iter()
                    .find(|member| {
                        Span { start: member.key_span.start, end: member.value.span.end }.contains(span)
                    })
                    .map(|member| (member.key.replace('~', "~0").replace('/', "~1"), &member.value)),
                _ => None,
            };
            let Some((step, child)) = next else { return pointer };
            pointer.push('/');
            pointer.push_str(&step);
            node = child;
        }
    }
}

/// What the parser made of a text.
#[derive(Debug)]
pub(crate) struct Document {
    /// `None` if the text is not JSON even with recovery.
    pub(crate) root: Option<Node>,
    /// Comments, in order.
    pub(crate) comments: Vec<Span>,
    pub(crate) errors: Vec<SyntaxError>,
}

#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: Option<&'static str>,
}
