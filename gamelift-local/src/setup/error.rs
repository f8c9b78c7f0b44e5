//! Why a setup is refused.

use std::{fmt, io, path::PathBuf};

use super::{FILE_MAX, Setup};
use crate::ApiError;

/// Why a setup cannot be read or made. Every text says where, which rule, and which value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is too large.
    #[error("{} is larger than {FILE_MAX} bytes, the most that is read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It is unclear which format a file has.
    #[error("the name of {} must end in .toml or .json, which says how to read it", path.display())]
    Extension {
        /// The file.
        path: PathBuf,
    },
    /// The text is not TOML or JSON, or not a setup.
    #[error("{place}: {message}")]
    Parse {
        /// Where.
        place: Place,
        /// What is wrong, with line and column.
        message: String,
    },
    /// A value breaks a rule.
    #[error("{place}: {message}")]
    Invalid {
        /// Where.
        place: Place,
        /// Rule and value.
        message: String,
    },
    /// A name is used that nothing has.
    #[error("{place}: there is no {kind} {name:?}{}", hint(.nearest))]
    Unknown {
        /// Where the name is used.
        place: Place,
        /// What should have the name.
        kind: &'static str,
        /// The name.
        name: String,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// A rule set is not valid.
    #[error("{place}: the rule set is not valid:\n{findings}")]
    RuleSet {
        /// Where it is declared.
        place: Place,
        /// What is wrong with it, a line each: `FILE:LINE:COLUMN: what`.
        findings: String,
    },
    /// The API refuses a declared resource.
    #[error("{place}: {source}")]
    Refused {
        /// Where it is declared.
        place: Place,
        /// What the operation says.
        source: ApiError,
    },
}

/// A place in a setup, such as `local.toml: queues[1].destinations[0]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, if the setup was read from one.
    pub file: Option<PathBuf>,
    /// The member; empty for the whole setup.
    pub member: String,
}

impl Place {
    pub(super) fn new(setup: &Setup, member: impl Into<String>) -> Self {
        Self { file: setup.file.clone(), member: member.into() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let member = if self.member.is_empty() { "the setup" } else { &self.member };
        match &self.file {
            Some(file) if self.member.is_empty() => write!(f, "{}", file.display()),
            Some(file) => write!(f, "{}: {member}", file.display()),
            None => f.write_str(member),
        }
    }
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}

/// The candidate most like `name`, if it is like enough to be meant.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    /// Longer names are not compared: it takes quadratic time, and no name here may be longer.
    const NAME_MAX: usize = 128;
    let tolerance = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| name.len() <= NAME_MAX && candidate.len() <= NAME_MAX)
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}
