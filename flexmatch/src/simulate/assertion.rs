//! A promise to hold a report to.

use std::{fmt, str::FromStr};

use thiserror::Error;

use super::report::{Figure, Report, Unit};

/// Most names that an error lists; the rest follow their pattern.
const NAMES_MAX: usize = 60;

/// A condition on a report, such as `p95_wait<30s`, `timeouts[party=2]<=1%` or `spread[EvenTeams].p90<100`.
#[derive(Debug, Clone, PartialEq)]
pub struct Assertion {
    name: String,
    operation: &'static str,
    limit: f64,
    /// The unit that the text gives the limit.
    unit: Option<Unit>,
}

/// Why a text is no assertion.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no assertion; write FIGURE, one of < <= > >=, and a limit: p95_wait<30s, timeouts<=1%, fill>=0.9"
)]
pub struct AssertError(String);

/// The assertion does not fit the report.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnknownFigure {
    /// The report has no such figure.
    #[error("there is no figure {name:?}; there are {}", .known.join(", "))]
    Name {
        /// The name in the assertion.
        name: String,
        /// Names that the report has: those alike, or one of each kind.
        known: Vec<String>,
    },
    /// The limit has a unit that the figure has not.
    #[error("{assertion}: {name} is {unit}")]
    Unit {
        /// The assertion.
        assertion: String,
        /// The figure.
        name: String,
        /// How to write its limit.
        unit: &'static str,
    },
}

/// What came of an assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The assertion.
    pub assertion: String,
    /// Whether the report keeps it. A figure without data keeps nothing.
    pub holds: bool,
    /// The figure that the report has.
    pub found: String,
}

impl FromStr for Assertion {
    type Err = AssertError;

    fn from_str(text: &str) -> Result<Self, AssertError> {
        let wrong = || AssertError(text.to_owned());
        // The last sign counts: names of rules and homes may have one, limits never.
        let (at, operation) = ["<=", ">=", "<", ">"]
            .into_iter()
            .filter_map(|sign| text.rfind(sign).map(|at| (at, sign)))
            .max_by_key(|(at, sign)| (at + sign.len(), sign.len()))
            .ok_or_else(wrong)?;
        let (name, limit) = (text[..at].trim(), text[at + operation.len()..].trim());
        let (digits, unit) = match (limit.strip_suffix('%'), limit.strip_suffix('s')) {
            (Some(digits), _) => (digits, Some(Unit::Share)),
            (None, Some(digits)) => (digits, Some(Unit::Seconds)),
            (None, None) => (limit, None),
        };
        let limit: f64 = digits.trim().parse().map_err(|_| wrong())?;
        if name.is_empty() || !limit.is_finite() {
            return Err(wrong());
        }
        let limit = if unit == Some(Unit::Share) { limit / 100.0 } else { limit };
        Ok(Self { name: name.to_owned(), operation, limit, unit })
    }
}

impl Assertion {
    /// Holds the report to it.
    ///
    /// # Errors
    /// If the report has no such figure, or the limit has another unit.
    pub fn check(&self, report: &Report) -> Result<Checked, UnknownFigure> {
        let figures = report.figures();
        let fits =
            |figure: &&Figure| figure.name == self.name && self.unit.is_none_or(|unit| unit == figure.unit);
        let Some(figure) = figures.iter().find(fits) else { return Err(self.unknown(&figures)) };
        let holds = figure.value.is_some_and(|value| match self.operation {
            "<" => value < self.limit,
            "<=" => value <= self.limit,
            ">" => value > self.limit,
            _ => value >= self.limit,
        });
        let limit = match figure.unit {
            Unit::Share => format!("{}%", rounded(self.limit * 100.0)),
            Unit::Seconds => format!("{}s", rounded(self.limit)),
            Unit::Count | Unit::Plain => rounded(self.limit).to_string(),
        };
        let assertion = format!("{}{}{limit}", self.name, self.operation);
        Ok(Checked { assertion, holds, found: figure.shown() })
    }

    fn unknown(&self, figures: &[Figure]) -> UnknownFigure {
        if let Some(figure) = figures.iter().find(|figure| figure.name == self.name) {
            let unit = match figure.unit {
                Unit::Share => "a share: write 5% or 0.05",
                Unit::Seconds => "in seconds: write 30s or 30",
                Unit::Count | Unit::Plain => "a plain number: write no unit",
            };
            return UnknownFigure::Unit { assertion: self.to_string(), name: self.name.clone(), unit };
        }
        // Those that begin alike are what was meant, if there are any; else one of each kind shows what there is.
        let stem = |name: &str| name.split(['[', '.']).next().unwrap_or_default().to_owned();
        let names = || figures.iter().map(|figure| figure.name.as_str());
        let mut known: Vec<&str> = names().filter(|name| stem(name) == stem(&self.name)).collect();
        if known.is_empty() {
            let is_kind = |name: &&str| match name.split_once('[') {
                None => !name.contains('.'),
                Some((stem, key)) => {
                    stem == "p95_wait" || stem == "step" || key.ends_with("].p90") || !key.contains('=')
                }
            };
            let is_other_statistic = |name: &&str| name.starts_with("spread[") && !name.ends_with(".p90");
            known = names().filter(is_kind).filter(|name| !is_other_statistic(name)).collect();
        }
        let more = known.len().saturating_sub(NAMES_MAX);
        let mut known: Vec<String> = known.into_iter().take(NAMES_MAX).map(str::to_owned).collect();
        if more > 0 {
            known.push(format!("and {more} more"));
        }
        UnknownFigure::Name { name: self.name.clone(), known }
    }
}

impl fmt::Display for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (limit, unit) = match self.unit {
            Some(Unit::Share) => (self.limit * 100.0, "%"),
            Some(Unit::Seconds) => (self.limit, "s"),
            _ => (self.limit, ""),
        };
        write!(f, "{}{}{}{unit}", self.name, self.operation, rounded(limit))
    }
}

/// Without the dust that percent leave: 0.07 is written as 7 %, not as 7.000000000000001 %.
fn rounded(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}
