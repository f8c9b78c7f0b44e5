//! What a simulation found, as numbers with names.

use serde::Serialize;

use super::{cause::TimeoutCause, quantiles::Quantiles, replay::Replay};
use crate::compat::Compat;

/// Bars of the plot of match fill: up to 10 %, up to 20 % and so on.
pub(super) const FILL_BINS: usize = 10;

/// What a simulation found. Waits are in seconds, from the request to the match: accepted by all, if they are asked,
/// but without the placement of the game session.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Who came.
    pub input: Input,
    /// The readings of what AWS leaves open, under which matches were made.
    pub compat: Compat,
    /// The rule set's own name, if it has one.
    pub rule_set: Option<String>,
    /// Tickets that were accepted.
    pub tickets: u64,
    /// Their players.
    pub players: u64,
    /// Requests that were refused.
    pub refused: u64,
    /// What was wrong with the first of them.
    pub first_refusal: Option<String>,
    /// Tickets that found a match.
    pub matched: u64,
    /// Tickets that timed out.
    pub timed_out: u64,
    /// Tickets that were cancelled: somebody rejected, did not answer, came again with a newer ticket, or stopped
    /// matchmaking in the recording. Under the reading `rejecters: fail`, those that failed are among them.
    pub cancelled: u64,
    /// Matches made.
    pub matches: u64,
    /// Waits of the tickets that were matched.
    pub wait: Quantiles,
    /// The longest wait of the quickest 0 %, 1 %, ... 100 % of the tickets that were matched; empty if none was.
    pub wait_percentiles: Vec<f64>,
    /// Tickets that waited for a match, at even moments.
    pub waiting: Vec<Moment>,
    /// Tickets by party size, home and decile of skill.
    pub segments: Vec<Segment>,
    /// Share of a match's seats that were taken.
    pub fill: Quantiles,
    /// Matches that were up to 10 %, 20 %, ... 100 % full.
    pub fill_bins: Vec<u64>,
    /// What each rule measured in the matches.
    pub rules: Vec<RuleReport>,
    /// The expansion steps at which matches were made.
    pub steps: Vec<StepShare>,
    /// Why tickets timed out.
    pub timeouts: Timeouts,
}

/// Who came.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Input {
    /// A population that was drawn.
    #[serde(rename_all = "camelCase")]
    Population {
        /// Average arrivals of tickets per second.
        arrivals_per_second: f64,
        /// How long tickets arrived.
        duration_seconds: u64,
        /// Seed of everything random.
        seed: u64,
    },
    /// A recording that was replayed, and how the replay compares with it.
    Replay(Box<Replay>),
}

/// How many tickets waited at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Moment {
    /// Seconds from the beginning.
    pub seconds: f64,
    /// Tickets without a match.
    pub tickets: u64,
}

/// What a segment goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SegmentKind {
    /// The number of players on the ticket.
    Party,
    /// Where they live; in a recording, the location with their lowest latency.
    Home,
    /// Tenths of the tickets by the balanced attribute, or else the first number attribute.
    Decile,
}

impl SegmentKind {
    /// As assertions write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Party => "party",
            Self::Home => "home",
            Self::Decile => "decile",
        }
    }
}

/// A part of the tickets.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Segment {
    /// What it goes by.
    pub kind: SegmentKind,
    /// Which one: `2`, `europe`, or `1` to `10`.
    pub value: String,
    /// The same for people.
    pub label: String,
    /// Tickets in it.
    pub tickets: u64,
    /// Of them, those that found a match.
    pub matched: u64,
    /// Those that timed out.
    pub timed_out: u64,
    /// Those that were cancelled.
    pub cancelled: u64,
    /// Waits of those that were matched.
    pub wait: Quantiles,
}

/// What a rule measured in the matches.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleReport {
    /// Its name.
    pub rule: String,
    /// What was measured, with its unit if it has one.
    pub measures: String,
    /// The measured numbers.
    pub spread: Quantiles,
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

/// Why tickets timed out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Timeouts {
    /// Tickets that timed out.
    pub tickets: u64,
    /// How many of them were looked into. The others are taken to be like them.
    pub explained: u64,
    /// The causes, the most frequent first.
    pub causes: Vec<CauseShare>,
    /// The rules that can be a cause, whether or not they were.
    #[serde(skip)]
    pub(super) rules: Vec<String>,
}

/// Timeouts of one cause.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CauseShare {
    /// The cause.
    #[serde(flatten)]
    pub cause: TimeoutCause,
    /// Tickets; an estimate if not all timeouts were looked into.
    pub tickets: f64,
    /// Their share of all timeouts.
    pub share: f64,
}

/// A number of a report, by the name that an [`Assertion`](super::Assertion) gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Its name: `p95_wait`, `timeouts[party=2]`, `spread[EvenTeams].p90`.
    pub name: String,
    /// Its value; `None` if nothing was measured.
    pub value: Option<f64>,
    /// Its unit.
    pub unit: Unit,
}

/// The unit of a [`Figure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// A share of 1, shown in percent.
    Share,
    /// Seconds.
    Seconds,
    /// Whatever the rule measures.
    Plain,
}

impl Unit {
    /// A value in this unit, for people.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Count => format!("{value:.0}"),
            Self::Share => format!("{:.1}%", value * 100.0),
            Self::Seconds => format!("{value:.1}s"),
            Self::Plain => format!("{value:.1}"),
        }
    }
}

impl Figure {
    fn new(name: impl Into<String>, value: Option<f64>, unit: Unit) -> Self {
        Self { name: name.into(), value, unit }
    }

    /// The value with its unit.
    pub fn shown(&self) -> String {
        self.value.map_or_else(|| "no data".to_owned(), |value| self.unit.show(value))
    }
}

impl Report {
    /// The numbers that everybody wants, first in a table.
    pub fn summary(&self) -> Vec<Figure> {
        let mut figures = vec![Figure::new("tickets", Some(self.tickets as f64), Unit::Count)];
        figures.push(Figure::new("matches", Some(self.matches as f64), Unit::Count));
        figures.extend(shares("", self.tickets, self.matched, self.timed_out, self.cancelled));
        figures.push(Figure::new("fill", (self.matches > 0).then_some(self.fill.mean), Unit::Share));
        figures.extend(waits(&self.wait, "").filter(|figure| {
            ["mean_wait", "p50_wait", "p90_wait", "p95_wait", "p99_wait", "max_wait"]
                .contains(&figure.name.as_str())
        }));
        if let Input::Replay(replay) = &self.input {
            figures.push(Figure::new("reproduced", replay.reproduced_share, Unit::Share));
            figures.push(Figure::new("same_outcome", replay.same_outcome_share, Unit::Share));
        }
        figures
    }

    /// Every number of the report. Which there are depends on the rule set and on who comes, not on what happens.
    pub fn figures(&self) -> Vec<Figure> {
        let mut figures = self.summary();
        figures.push(Figure::new("players", Some(self.players as f64), Unit::Count));
        figures.push(Figure::new("refused", Some(self.refused as f64), Unit::Count));
        figures.extend(
            waits(&self.wait, "")
                .filter(|figure| ["min_wait", "p10_wait", "p25_wait", "p75_wait"].contains(&&*figure.name)),
        );
        figures.extend(of("fill", &self.fill, Unit::Share));
        for segment in &self.segments {
            let key = format!("[{}={}]", segment.kind.name(), segment.value);
            figures.push(Figure::new(format!("tickets{key}"), Some(segment.tickets as f64), Unit::Count));
            let Segment { tickets, matched, timed_out, cancelled, .. } = *segment;
            figures.extend(shares(&key, tickets, matched, timed_out, cancelled));
            figures.extend(waits(&segment.wait, &key));
        }
        for RuleReport { rule, spread, .. } in &self.rules {
            figures.extend(of(&format!("spread[{rule}]"), spread, Unit::Plain));
        }
        for step in &self.steps {
            let share = (self.matches > 0).then_some(step.share);
            figures.push(Figure::new(format!("step[{}]", step.step_seconds), share, Unit::Share));
        }
        for cause in self.causes() {
            let found = self.timeouts.causes.iter().find(|share| share.cause == cause);
            let tickets = found.map_or(0.0, |share| share.tickets);
            let share = (self.tickets > 0).then(|| tickets / self.tickets as f64);
            figures.push(Figure::new(format!("timeouts[{cause}]"), share, Unit::Share));
        }
        figures
    }

    /// Every cause a timeout can have here.
    fn causes(&self) -> impl Iterator<Item = TimeoutCause> {
        self.timeouts.rules.iter().cloned().map(TimeoutCause::Rule).chain([
            TimeoutCause::TooFewPlayers,
            TimeoutCause::NoRoom,
            TimeoutCause::MissingAttribute,
            TimeoutCause::PartyTooLarge,
            TimeoutCause::NoCommonLocation,
            TimeoutCause::Acceptance,
            TimeoutCause::Placement,
        ])
    }
}

fn shares(key: &str, tickets: u64, matched: u64, timed_out: u64, cancelled: u64) -> [Figure; 3] {
    [("matched", matched), ("timeouts", timed_out), ("cancelled", cancelled)].map(|(name, count)| {
        let share = (tickets > 0).then(|| count as f64 / tickets as f64);
        Figure::new(format!("{name}{key}"), share, Unit::Share)
    })
}

fn waits<'a>(wait: &'a Quantiles, key: &'a str) -> impl Iterator<Item = Figure> + 'a {
    wait.named().into_iter().map(move |(statistic, value)| {
        let value = (wait.count > 0).then_some(value);
        Figure::new(format!("{statistic}_wait{key}"), value, Unit::Seconds)
    })
}

fn of<'a>(name: &'a str, quantiles: &'a Quantiles, unit: Unit) -> impl Iterator<Item = Figure> + 'a {
    quantiles.named().into_iter().map(move |(statistic, value)| {
        Figure::new(format!("{name}.{statistic}"), (quantiles.count > 0).then_some(value), unit)
    })
}
