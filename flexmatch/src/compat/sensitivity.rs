//! "This result depends on ..": the same computation under every profile that is one switch away.

use serde::Serialize;

use super::{Alternative, Compat};

/// Most differences that are listed per alternative. More would not be read; they are counted.
pub const DIFFERENCES_MAX: usize = 10;

/// A reading on which a result depends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dependence {
    /// The switch of [`Compat`], as its JSON spells it.
    pub switch: String,
    /// The value under which the result is another.
    pub value: String,
    /// What is different then, as sentences; at most [`DIFFERENCES_MAX`].
    pub differences: Vec<String>,
    /// How many more differences there are.
    pub more: usize,
}

/// What is different between two results, found line by line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences(Vec<String>);

impl Differences {
    /// Notes a difference.
    pub fn add(&mut self, difference: String) {
        self.0.push(difference);
    }

    /// Notes two values of the same thing, if they differ.
    pub fn compare<T: PartialEq + std::fmt::Display>(&mut self, what: &str, before: T, after: T) {
        if before != after {
            self.add(format!("{what}: {before} -> {after}"));
        }
    }
}

/// Computes `result` under every alternative to `compat`, and lists those under which `differences` finds any.
pub fn sensitivity<T>(
    compat: &Compat,
    mut result: impl FnMut(&Compat) -> T,
    differences: impl Fn(&T, &T) -> Differences,
) -> Vec<Dependence> {
    let before = result(compat);
    let mut depends = Vec::new();
    for Alternative { switch, value, compat } in compat.alternatives() {
        let Differences(mut differences) = differences(&before, &result(&compat));
        if !differences.is_empty() {
            let more = differences.len().saturating_sub(DIFFERENCES_MAX);
            differences.truncate(DIFFERENCES_MAX);
            depends.push(Dependence { switch, value, differences, more });
        }
    }
    depends
}
