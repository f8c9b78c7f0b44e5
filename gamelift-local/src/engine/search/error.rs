//! What can be wrong with an expression.

use std::fmt;

/// Most characters of the expression that a message repeats.
const FOUND_SHOWN_MAX: usize = 40;

/// An expression that cannot be read: where, what was expected there, and what was found instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchError {
    /// Which character, counted from 1.
    pub position: usize,
    /// What would have been right there.
    pub expected: String,
    /// What is there; `None` at the end of the expression.
    pub found: Option<String>,
}

impl SearchError {
    pub(super) fn new(position: usize, expected: impl Into<String>, found: Option<&str>) -> Self {
        let found = found.map(|found| {
            let shown: String = found.chars().take(FOUND_SHOWN_MAX).collect();
            if shown.len() < found.len() { shown + "..." } else { shown }
        });
        Self { position, expected: expected.into(), found }
    }
}

impl fmt::Display for SearchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "character {}: expected {}, found ", self.position, self.expected)?;
        match &self.found {
            Some(found) => write!(f, "{found}"),
            None => f.write_str("the end"),
        }
    }
}

impl std::error::Error for SearchError {}
