//! As much of DynamoDB's expressions as the store writes. Anything else panics, so that a new expression does not pass unread.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

/// An item as the API spells it: `{"PK": {"S": ".."}, ..}`.
pub(crate) type Item = Map<String, Value>;

/// Whether a condition holds for an item, or for none. Names and values by alias are in the request.
pub(crate) fn holds(text: &str, request: &Value, item: Option<&Item>) -> bool {
    let mut reader = Reader { words: words(text), at: 0, request, item };
    let holds = reader.any();
    assert_eq!(reader.at, reader.words.len(), "the rest of {text} is not understood");
    holds
}

/// Carries out `SET .. REMOVE ..`.
pub(crate) fn update(text: &str, request: &Value, item: &mut Item) {
    let (set, remove) = text.split_once(" REMOVE ").unwrap_or((text, ""));
    let old = item.clone();
    let reader = Reader { words: Vec::new(), at: 0, request, item: Some(&old) };
    for assignment in set.strip_prefix("SET ").unwrap().split(", ") {
        let (name, value) = assignment.split_once(" = ").unwrap();
        let value = match value.split_once(" + ") {
            Some((left, right)) => {
                let sum = number(&reader.value(left).unwrap()) + number(&reader.value(right).unwrap());
                json!({"N": sum.to_string()})
            }
            None => reader.value(value).unwrap(),
        };
        item.insert(reader.name(name).to_owned(), value);
    }
    for name in remove.split(", ").filter(|name| !name.is_empty()) {
        item.remove(reader.name(name));
    }
}

/// Words, with parentheses by themselves.
fn words(text: &str) -> Vec<String> {
    text.replace('(', " ( ").replace(')', " ) ").split_whitespace().map(str::to_owned).collect()
}

struct Reader<'a> {
    words: Vec<String>,
    at: usize,
    request: &'a Value,
    item: Option<&'a Item>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> String {
        self.at += 1;
        self.words[self.at - 1].clone()
    }

    fn takes(&mut self, word: &str) -> bool {
        let is_next = self.words.get(self.at).is_some_and(|next| next == word);
        self.at += usize::from(is_next);
        is_next
    }

    /// `.. OR ..`
    fn any(&mut self) -> bool {
        let mut holds = self.all();
        while self.takes("OR") {
            holds |= self.all();
        }
        holds
    }

    /// `.. AND ..`
    fn all(&mut self) -> bool {
        let mut holds = self.one();
        while self.takes("AND") {
            holds &= self.one();
        }
        holds
    }

    fn one(&mut self) -> bool {
        if self.takes("(") {
            let holds = self.any();
            assert!(self.takes(")"));
            return holds;
        }
        let left = self.next();
        if left == "attribute_not_exists" {
            assert!(self.takes("("));
            let path = self.next();
            assert!(self.takes(")"));
            return self.value(&path).is_none();
        }
        let (operator, right) = (self.next(), self.next());
        let (Some(left), Some(right)) = (self.value(&left), self.value(&right)) else {
            return false;
        };
        let Some(order) = compare(&left, &right) else {
            return false;
        };
        match operator.as_str() {
            "=" => order == Ordering::Equal,
            "<" => order == Ordering::Less,
            "<=" => order != Ordering::Greater,
            ">=" => order != Ordering::Less,
            other => panic!("{other} is not understood"),
        }
    }

    fn name<'b>(&'b self, name: &'b str) -> &'b str {
        if name.starts_with('#') {
            return self.request["ExpressionAttributeNames"][name].as_str().unwrap();
        }
        name
    }

    /// `:value`, or what is at a path in the item.
    fn value(&self, path: &str) -> Option<Value> {
        if path.starts_with(':') {
            return Some(self.request["ExpressionAttributeValues"][path].clone())
                .filter(|value| !value.is_null());
        }
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let value = self.item?.get(self.name(first))?;
        let value = if rest.is_empty() { value } else { &value["M"][rest] };
        Some(value.clone()).filter(|value| !value.is_null())
    }
}

fn number(value: &Value) -> u64 {
    value["N"].as_str().unwrap().parse().unwrap()
}

/// Values of different types have no order.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    if left["N"].is_string() && right["N"].is_string() {
        return Some(number(left).cmp(&number(right)));
    }
    Some(left["S"].as_str()?.cmp(right["S"].as_str()?))
}
