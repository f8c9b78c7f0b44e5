//! What is wrong, or odd, in a rule set, and where.

use std::fmt;

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// AWS leaves open what this means, or it works and could work better.
    Note,
    /// The rule set works, but perhaps not as meant, or not everywhere.
    Warning,
    /// The service would refuse the rule set.
    Error,
}

/// One thing found in a rule set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A short stable name, such as `unknown-team`, to search for or to filter by.
    pub code: &'static str,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do about it, if that can be said.
    pub help: Option<String>,
    /// The place in the document as a JSON pointer (RFC 6901); empty for the whole document.
    pub pointer: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// How many characters the finding covers on its line, at least 1.
    pub length: usize,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{severity} at {}:{}", self.line, self.column)?;
        if !self.pointer.is_empty() {
            write!(f, " ({})", self.pointer)?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(help) = &self.help {
            write!(f, "; {help}")?;
        }
        Ok(())
    }
}

/// The candidate most like `word`, if it is like enough to be meant.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Longer words are not compared: the distance takes quadratic time, and nobody mistypes a novel.
    const WORD_MAX: usize = 64;
    if word.is_empty() || word.len() > WORD_MAX {
        return None;
    }
    let lower = word.to_lowercase();
    let tolerance = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| !candidate.is_empty() && candidate.len() <= WORD_MAX && *candidate != word)
        .map(|candidate| (edits(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many characters must be inserted, removed, replaced or swapped with their neighbour to get from one text to
/// the other.
fn edits(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows: [Vec<usize>; 3] = [Vec::new(), Vec::new(), (0..=to.len()).collect()];
    for (i, &c) in from.iter().enumerate() {
        rows.rotate_left(1);
        let mut row = vec![i + 1];
        for (j, &d) in to.iter().enumerate() {
            let replace = rows[1][j] + usize::from(c != d);
            let mut best = replace.min(rows[1][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && c == to[j - 1] && d == from[i - 1] {
                best = best.min(rows[0][j - 1] + 1);
            }
            row.push(best);
        }
        rows[2] = row;
    }
    rows[2][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_word_and_nonsense_finds_none() {
        assert_eq!(nearest("maxDistence", ["minDistance", "maxDistance"]), Some("maxDistance"));
        assert_eq!(nearest("Skill", ["skill", "level"]), Some("skill"));
        assert_eq!(nearest("zebra", ["skill", "level"]), None);
        assert_eq!(nearest("rde", ["blue", "red"]), Some("red"), "two letters swapped");
        assert_eq!(nearest("", ["a"]), None);
    }
}
