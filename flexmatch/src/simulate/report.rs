//! What a simulation found, as numbers, as a table, and as a promise to hold it to.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::Serialize;
use thiserror::Error;

use crate::{player::AttributeType, rule_set::RuleSet};

/// Segments that numbers are cut into.
const DECILES: usize = 10;

/// Raw measurements.
#[derive(Debug, Default)]
pub(super) struct Measured {
    tickets: u64,
    players: u64,
    pub(super) refused: u64,
    pub(super) cancelled: u64,
    waits: Vec<Wait>,
    /// Of tickets whose match is being placed: some time out before it is.
    placing: BTreeMap<String, Wait>,
    suspects: BTreeMap<String, String>,
    timeouts: BTreeMap<String, u64>,
    pub(super) rules: Vec<Vec<f64>>,
    steps: BTreeMap<u64, u64>,
    fills: Vec<f64>,
    /// The attribute that skill segments go by: the balanced one, or the first number.
    pub(super) skill: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Wait {
    pub(super) seconds: f64,
    pub(super) party: usize,
    pub(super) home: String,
    pub(super) skill: Option<f64>,
}

impl Measured {
    pub(super) fn new(rules: &RuleSet) -> Self {
        let number =
            || rules.attributes().iter().position(|known| known.attribute_type == AttributeType::Number);
        Self {
            rules: vec![Vec::new(); rules.stages()[0].rules().len()],
            skill: rules.algorithm().balanced_attribute.or_else(number),
            ..Self::default()
        }
    }

    pub(super) fn started(&mut self, players: u32) {
        self.tickets += 1;
        self.players += u64::from(players);
    }

    pub(super) fn suspect(&mut self, ticket: String, cause: String) {
        self.suspects.insert(ticket, cause);
    }

    pub(super) fn timed_out(&mut self, ticket: &str) {
        let unknown = if self.placing.remove(ticket).is_some() { "placement" } else { "not looked into" };
        let cause = self.suspects.remove(ticket).unwrap_or_else(|| unknown.to_owned());
        *self.timeouts.entry(cause).or_default() += 1;
    }

    pub(super) fn matched(&mut self, step: u64, players: usize, most: u32) {
        *self.steps.entry(step).or_default() += 1;
        self.fills.push(players as f64 / f64::from(most.max(1)));
    }

    pub(super) fn waited(&mut self, ticket: String, wait: Wait) {
        self.placing.insert(ticket, wait);
    }

    pub(super) fn succeeded(&mut self, ticket: &str) {
        self.waits.extend(self.placing.remove(ticket));
    }

    pub(super) fn report(mut self, rules: &RuleSet) -> Report {
        let matches = self.fills.len() as u64;
        let mut segments = BTreeMap::<String, Vec<f64>>::new();
        for wait in &self.waits {
            segments.entry(format!("party of {}", wait.party)).or_default().push(wait.seconds);
            segments.entry(format!("home {}", wait.home)).or_default().push(wait.seconds);
        }
        if let Some(name) = self.skill.map(|index| &rules.attributes()[index].name) {
            self.waits.sort_by(|a, b| a.skill.unwrap_or(0.0).total_cmp(&b.skill.unwrap_or(0.0)));
            for (index, wait) in self.waits.iter().enumerate() {
                let decile = index * DECILES / self.waits.len() + 1;
                segments.entry(format!("{name} decile {decile:02}")).or_default().push(wait.seconds);
            }
        }
        let name = |index: usize| {
            rules.stages()[0].rules().nth(index).map(|rule| rule.name.clone()).unwrap_or_default()
        };
        let rules = self.rules.into_iter().enumerate().filter(|(_, values)| !values.is_empty()).map(
            |(index, values)| {
                let sorted = sorted(values);
                RuleReport {
                    rule: name(index),
                    mean: mean(&sorted),
                    p50: at(&sorted, 0.5),
                    p90: at(&sorted, 0.9),
                    max: at(&sorted, 1.0),
                }
            },
        );
        Report {
            tickets: self.tickets,
            players: self.players,
            refused: self.refused,
            matched: self.waits.len() as u64,
            timed_out: self.timeouts.values().sum(),
            cancelled: self.cancelled,
            matches,
            fill: mean(&self.fills),
            wait: Waits::of(self.waits.iter().map(|wait| wait.seconds).collect()),
            segments: segments
                .into_iter()
                .map(|(segment, waits)| Segment { segment, wait: Waits::of(waits) })
                .collect(),
            rules: rules.collect(),
            steps: self
                .steps
                .into_iter()
                .map(|(step_seconds, count)| StepShare {
                    step_seconds,
                    matches: count,
                    share: count as f64 / matches.max(1) as f64,
                })
                .collect(),
            timeouts: self.timeouts,
        }
    }
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The value below which a share of the others lies (nearest rank).
fn at(sorted: &[f64], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// What a simulation found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Tickets that were accepted.
    pub tickets: u64,
    /// Their players.
    pub players: u64,
    /// Requests that were refused.
    pub refused: u64,
    /// Tickets that found a match.
    pub matched: u64,
    /// Tickets that timed out.
    pub timed_out: u64,
    /// Tickets that were cancelled: somebody rejected, or did not answer.
    pub cancelled: u64,
    /// Matches made.
    pub matches: u64,
    /// Average share of a match's seats that were taken.
    pub fill: f64,
    /// Waits from request to match.
    pub wait: Waits,
    /// Waits by party size, home and decile of skill.
    pub segments: Vec<Segment>,
    /// What each rule measured in the matches.
    pub rules: Vec<RuleReport>,
    /// The expansion steps at which matches were made.
    pub steps: Vec<StepShare>,
    /// Timeouts by what kept the ticket from a match: a rule's name, `too few players`, `never`, `placement`.
    pub timeouts: BTreeMap<String, u64>,
}

/// Waits in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waits {
    /// Tickets.
    pub tickets: u64,
    /// Average.
    pub mean: f64,
    /// Half waited no longer.
    pub p50: f64,
    /// 90 % waited no longer.
    pub p90: f64,
    /// 95 % waited no longer.
    pub p95: f64,
    /// 99 % waited no longer.
    pub p99: f64,
    /// Nobody waited longer.
    pub max: f64,
}

impl Waits {
    fn of(values: Vec<f64>) -> Self {
        let values = sorted(values);
        Self {
            tickets: values.len() as u64,
            mean: mean(&values),
            p50: at(&values, 0.5),
            p90: at(&values, 0.9),
            p95: at(&values, 0.95),
            p99: at(&values, 0.99),
            max: at(&values, 1.0),
        }
    }
}

/// The waits of a part of the population.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Segment {
    /// Which part.
    pub segment: String,
    /// Its waits.
    #[serde(flatten)]
    pub wait: Waits,
}

/// What a rule measured in the matches.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "as in `Waits`")]
pub struct RuleReport {
    /// Its name.
    pub rule: String,
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub max: f64,
}

/// Matches made at an expansion step.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepShare {
    /// The wait of the step; 0 for the rule set as written.
    pub step_seconds: u64,
    /// How many matches.
    pub matches: u64,
    /// Their share of all.
    pub share: f64,
}

impl Report {
    /// The numbers that a table shows and an [`Assertion`] can name.
    pub fn figures(&self) -> Vec<(&'static str, f64)> {
        let share = |count: u64| count as f64 / self.tickets.max(1) as f64;
        vec![
            ("tickets", self.tickets as f64),
            ("matches", self.matches as f64),
            ("matched", share(self.matched)),
            ("timeouts", share(self.timed_out)),
            ("cancelled", share(self.cancelled)),
            ("fill", self.fill),
            ("mean_wait", self.wait.mean),
            ("p50_wait", self.wait.p50),
            ("p90_wait", self.wait.p90),
            ("p95_wait", self.wait.p95),
            ("p99_wait", self.wait.p99),
            ("max_wait", self.wait.max),
        ]
    }
}

/// The report as a table.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.figures() {
            writeln!(f, "{name:12} {}", figure(name, value))?;
        }
        writeln!(
            f,
            "\n{:28} {:>8} {:>8} {:>8} {:>8} {:>8}",
            "wait in seconds", "tickets", "p50", "p90", "p99", "max"
        )?;
        for Segment { segment, wait } in &self.segments {
            writeln!(
                f,
                "{segment:28} {:>8} {:>8.1} {:>8.1} {:>8.1} {:>8.1}",
                wait.tickets, wait.p50, wait.p90, wait.p99, wait.max
            )?;
        }
        if !self.rules.is_empty() {
            writeln!(f, "\n{:28} {:>8} {:>8} {:>8} {:>8}", "measured by rule", "mean", "p50", "p90", "max")?;
        }
        for RuleReport { rule, mean, p50, p90, max } in &self.rules {
            writeln!(f, "{rule:28} {mean:>8.1} {p50:>8.1} {p90:>8.1} {max:>8.1}")?;
        }
        writeln!(f, "\n{:28} {:>8}", "expansion step", "matches")?;
        for StepShare { step_seconds, matches, share } in &self.steps {
            writeln!(f, "{:28} {matches:>8} {:>7.1}%", format!("{step_seconds} s"), share * 100.0)?;
        }
        if !self.timeouts.is_empty() {
            writeln!(f, "\n{:28} {:>8}", "timed out because of", "tickets")?;
        }
        for (cause, count) in &self.timeouts {
            writeln!(f, "{cause:28} {count:>8}")?;
        }
        Ok(())
    }
}

/// A figure of [`Report::figures`] with its unit.
pub fn figure(name: &str, value: f64) -> String {
    match name {
        "tickets" | "matches" => format!("{value:.0}"),
        "matched" | "timeouts" | "cancelled" | "fill" => format!("{:.1}%", value * 100.0),
        _ => format!("{value:.1}s"),
    }
}

/// A condition on a report, such as `p95_wait<30s` or `timeouts<=1%`.
#[derive(Debug, Clone, PartialEq)]
pub struct Assertion {
    name: String,
    operation: &'static str,
    limit: f64,
}

/// Why a text is no assertion.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no assertion; write one like p95_wait<30s, timeouts<=1% or fill>=0.9, with one of: tickets, matches, matched, timeouts, cancelled, fill, mean_wait, p50_wait, p90_wait, p95_wait, p99_wait, max_wait"
)]
pub struct AssertError(String);

impl FromStr for Assertion {
    type Err = AssertError;

    fn from_str(text: &str) -> Result<Self, AssertError> {
        let wrong = || AssertError(text.to_owned());
        let operation =
            ["<=", ">=", "<", ">"].into_iter().find(|sign| text.contains(sign)).ok_or_else(wrong)?;
        let (name, limit) = text.split_once(operation).ok_or_else(wrong)?;
        let (name, limit) = (name.trim(), limit.trim());
        let known = Report::empty().figures().iter().any(|(figure, _)| *figure == name);
        let (digits, factor) = match limit.strip_suffix('%') {
            Some(digits) => (digits, 0.01),
            None => (limit.strip_suffix('s').unwrap_or(limit), 1.0),
        };
        let limit: f64 = digits.trim().parse().map_err(|_| wrong())?;
        if known && limit.is_finite() {
            Ok(Self { name: name.to_owned(), operation, limit: limit * factor })
        } else {
            Err(wrong())
        }
    }
}

impl Assertion {
    /// Whether the report keeps it, and the figure it has.
    pub fn check(&self, report: &Report) -> (bool, String) {
        let found = report
            .figures()
            .into_iter()
            .find(|(name, _)| *name == self.name)
            .map_or(f64::NAN, |(_, value)| value);
        let holds = match self.operation {
            "<" => found < self.limit,
            "<=" => found <= self.limit,
            ">" => found > self.limit,
            _ => found >= self.limit,
        };
        (holds, figure(&self.name, found))
    }
}

impl fmt::Display for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.name, self.operation, figure(&self.name, self.limit))
    }
}

impl Report {
    fn empty() -> Self {
        Self {
            tickets: 0,
            players: 0,
            refused: 0,
            matched: 0,
            timed_out: 0,
            cancelled: 0,
            matches: 0,
            fill: 0.0,
            wait: Waits::default(),
            segments: Vec::new(),
            rules: Vec::new(),
            steps: Vec::new(),
            timeouts: BTreeMap::new(),
        }
    }
}
