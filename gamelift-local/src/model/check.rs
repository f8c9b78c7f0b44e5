//! The members of inputs and the rules they must keep: one line per member, where the input is declared.
//!
//! An operation begins with `check(&input)?`. From the same lines come the tests that break each rule on purpose and
//! `docs/api-coverage.md`.

use std::{collections::BTreeMap, fmt, ops::RangeInclusive};

use super::rule::Text;
use crate::ApiError;

/// Most violations that one answer lists; the others are counted.
const VIOLATIONS_SHOWN_MAX: usize = 10;
/// Most characters of a refused value that an error message repeats.
const VALUE_SHOWN_MAX: usize = 128;

/// An input, or a structure inside one, whose members have rules.
pub(crate) trait Checked {
    /// Looks at every member.
    fn check(&self, at: Option<&Path<'_>>, broken: &mut Broken);

    /// Its members and their rules.
    #[cfg(test)]
    fn members() -> Vec<Described>;
}

/// What a value must be.
pub(crate) trait Rule<T: ?Sized> {
    fn check(&self, at: &Path<'_>, value: &T, broken: &mut Broken);

    #[cfg(test)]
    fn describe(&self) -> Description;
}

/// A rule in words, with values that break it.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct Description {
    pub(crate) text: String,
    pub(crate) bad: Vec<serde_json::Value>,
    /// Of a structure.
    pub(crate) members: Vec<Described>,
    /// Of a list: most elements, if there is a limit.
    pub(crate) most: Option<usize>,
    pub(crate) is_list: bool,
}

/// A member in words.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) name: &'static str,
    pub(crate) is_required: bool,
    pub(crate) rule: Description,
}

/// Checks every member of an input.
///
/// # Errors
/// InvalidRequest that lists what is wrong, in the words of AWS.
pub(crate) fn check<T: Checked>(input: &T) -> Result<(), ApiError> {
    let mut broken = Broken::default();
    input.check(None, &mut broken);
    broken.result()
}

/// Checks one member; called by the code that `request!` writes.
pub(crate) fn member<T, R: Rule<T>>(
    at: &Path<'_>,
    is_required: bool,
    rule: &R,
    value: &Option<T>,
    broken: &mut Broken,
) {
    match value {
        Some(value) => rule.check(at, value, broken),
        None if is_required => broken.add(at, None, "Member must not be null"),
        None => {}
    }
}

/// Where a value is: a member, inside of another one perhaps.
pub(crate) struct Path<'a> {
    pub(crate) parent: Option<&'a Path<'a>>,
    /// As Rust writes it.
    pub(crate) member: &'static str,
}

impl fmt::Display for Path<'_> {
    /// As AWS writes it: `playerLatencies.regionIdentifier`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}.")?;
        }
        let mut words = self.member.trim_start_matches("r#").split('_');
        f.write_str(words.next().unwrap_or_default())?;
        for word in words {
            let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
            write!(f, "{}{rest}", first.to_ascii_uppercase())?;
        }
        Ok(())
    }
}

/// What was found wrong.
#[derive(Debug, Default)]
pub(crate) struct Broken {
    shown: Vec<String>,
    count: usize,
}

impl Broken {
    pub(crate) fn add(&mut self, at: &Path<'_>, value: Option<&str>, rule: &str) {
        self.count += 1;
        if self.shown.len() < VIOLATIONS_SHOWN_MAX {
            self.shown.push(violation(&at.to_string(), value, rule));
        }
    }

    fn result(self) -> Result<(), ApiError> {
        if self.count == 0 {
            return Ok(());
        }
        Err(ApiError::invalid(sentence(self.count, &self.shown)))
    }
}

/// Violations in the words of AWS.
pub(super) fn sentence(count: usize, shown: &[String]) -> String {
    let errors = if count == 1 { "error" } else { "errors" };
    let more = match count - shown.len() {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("{count} validation {errors} detected: {}{more}", shown.join("; "))
}

pub(super) fn violation(at: &str, value: Option<&str>, rule: &str) -> String {
    let value = match value {
        None => "null".to_owned(),
        Some(value) => {
            let shown: String = value.chars().take(VALUE_SHOWN_MAX).collect();
            let dots = if shown.len() < value.len() { "..." } else { "" };
            format!("'{shown}{dots}'")
        }
    };
    format!("Value {value} at '{at}' failed to satisfy constraint: {rule}")
}

/// No rule: whatever can be read is fine.
pub(crate) struct Any;

impl<T> Rule<T> for Any {
    fn check(&self, _: &Path<'_>, _: &T, _: &mut Broken) {}

    #[cfg(test)]
    fn describe(&self) -> Description {
        Description::default()
    }
}

impl Rule<String> for Text {
    fn check(&self, at: &Path<'_>, value: &String, broken: &mut Broken) {
        if let Some(rule) = self.broken_by(value) {
            broken.add(at, Some(self.shown(value)), &rule);
        }
    }

    #[cfg(test)]
    fn describe(&self) -> Description {
        Text::describe(self)
    }
}

/// A whole number within bounds.
pub(crate) struct Range(pub(crate) RangeInclusive<i64>);

/// AWS API reference, WholeNumber: an integer of 32 bits.
pub(crate) const WHOLE_NUMBER: Range = Range(0..=i32::MAX as i64);
/// AWS API reference, PositiveInteger.
pub(crate) const POSITIVE_INTEGER: Range = Range(1..=i32::MAX as i64);

/// AWS quota "Player sessions per game session".
pub(crate) const PLAYER_SESSION_COUNT: Range = Range(0..=200);
/// AWS API reference, TagList.
pub(crate) const TAGS: List<Nested> = List(0..=200, Nested);

impl Rule<i64> for Range {
    fn check(&self, at: &Path<'_>, value: &i64, broken: &mut Broken) {
        let (low, high) = (self.0.start(), self.0.end());
        if value < low {
            let rule = format!("Member must have value greater than or equal to {low}");
            broken.add(at, Some(&value.to_string()), &rule);
        } else if value > high {
            let rule = format!("Member must have value less than or equal to {high}");
            broken.add(at, Some(&value.to_string()), &rule);
        }
    }

    #[cfg(test)]
    fn describe(&self) -> Description {
        let (low, high) = (*self.0.start(), *self.0.end());
        let text = if high == i64::from(i32::MAX) { format!("from {low}") } else { format!("{low}..{high}") };
        Description { text, bad: vec![(low - 1).into(), (high + 1).into()], ..Description::default() }
    }
}

/// One of an enumeration's names.
pub(crate) struct OneOf(pub(crate) &'static [&'static str]);

impl Rule<String> for OneOf {
    fn check(&self, at: &Path<'_>, value: &String, broken: &mut Broken) {
        if !self.0.contains(&value.as_str()) {
            let rule = format!("Member must satisfy enum value set: [{}]", self.0.join(", "));
            broken.add(at, Some(value), &rule);
        }
    }

    #[cfg(test)]
    fn describe(&self) -> Description {
        let bad = vec!["NO_SUCH_VALUE".into(), "".into()];
        Description { text: self.0.join(" \\| "), bad, ..Description::default() }
    }
}

/// A list of so many elements, each with a rule.
pub(crate) struct List<R>(pub(crate) RangeInclusive<usize>, pub(crate) R);

impl<T, R: Rule<T>> Rule<Vec<T>> for List<R> {
    fn check(&self, at: &Path<'_>, list: &Vec<T>, broken: &mut Broken) {
        let (count, low, high) = (list.len(), self.0.start(), self.0.end());
        if count < *low {
            let rule = format!("Member must have length greater than or equal to {low}");
            broken.add(at, Some(&format!("{count} elements")), &rule);
        } else if count > *high {
            let rule = format!("Member must have length less than or equal to {high}");
            broken.add(at, Some(&format!("{count} elements")), &rule);
        } else {
            list.iter().for_each(|element| self.1.check(at, element, broken));
        }
    }

    #[cfg(test)]
    fn describe(&self) -> Description {
        let each = self.1.describe();
        let (low, high) = (*self.0.start(), *self.0.end());
        let size = match (low, high) {
            (0, usize::MAX) => "list".to_owned(),
            (low, usize::MAX) => format!("list of {low} and more"),
            (low, high) => format!("list of {low}..{high}"),
        };
        let text = if each.text.is_empty() { size } else { format!("{size}, each {}", each.text) };
        let mut bad: Vec<_> = each.bad.into_iter().map(|element| vec![element].into()).collect();
        if low > 0 {
            bad.push(serde_json::Value::Array(Vec::new()));
        }
        let most = (high != usize::MAX).then_some(high);
        Description { text, bad, members: each.members, most, is_list: true }
    }
}

/// A map whose keys and values have rules.
pub(crate) struct Map<K, V>(pub(crate) K, pub(crate) V);

impl<T, K: Rule<String>, V: Rule<T>> Rule<BTreeMap<String, T>> for Map<K, V> {
    fn check(&self, at: &Path<'_>, map: &BTreeMap<String, T>, broken: &mut Broken) {
        for (key, value) in map {
            self.0.check(at, key, broken);
            self.1.check(at, value, broken);
        }
    }

    #[cfg(test)]
    fn describe(&self) -> Description {
        let (key, value) = (self.0.describe(), self.1.describe());
        let text = format!("map of {} to {}", key.text, value.text);
        let good_key = "key";
        let bad = value.bad.into_iter().map(|value| serde_json::json!({ good_key: value })).collect();
        Description { text, bad, ..Description::default() }
    }
}

/// A structure, whose members have rules of their own.
pub(crate) struct Nested;

impl<T: Checked> Rule<T> for Nested {
    fn check(&self, at: &Path<'_>, value: &T, broken: &mut Broken) {
        value.check(Some(at), broken);
    }

    #[cfg(test)]
    fn describe(&self) -> Description {
        Description { members: T::members(), ..Description::default() }
    }
}

impl<T, R: Rule<T>> Rule<T> for &R {
    fn check(&self, at: &Path<'_>, value: &T, broken: &mut Broken) {
        (**self).check(at, value, broken);
    }

    #[cfg(test)]
    fn describe(&self) -> Description {
        (**self).describe()
    }
}
