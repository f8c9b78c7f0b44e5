//! Raw measurements, and how they become a report.

use std::collections::BTreeMap;

use super::{
    cause::{Sample, TimeoutCause},
    quantiles::{Quantiles, at},
    report::{FILL_BINS, Input, Moment, Report, RuleReport, Segment, SegmentKind, StepShare},
};
use crate::{
    compat::Compat,
    expansion::Effective,
    player::AttributeType,
    rule::{Numbers, RuleKind},
    rule_set::RuleSet,
    timestamp::Timestamp,
};

/// Parts of the population by skill, equal in number.
const DECILES: usize = 10;

/// Moments at which waiting tickets are counted: as many as a plot can show.
const MOMENTS: u64 = 200;

/// What is known of a ticket.
#[derive(Debug)]
pub(super) struct TicketRecord {
    pub(super) start: Timestamp,
    /// When the match was proposed that it left with.
    pub(super) proposed: Option<Timestamp>,
    /// When it left the pool for good.
    pub(super) left: Option<Timestamp>,
    pub(super) outcome: Outcome,
    party: usize,
    home: Option<usize>,
    skill: Option<f64>,
}

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Waiting,
    Placing,
    Matched,
    TimedOut,
    Cancelled,
}

/// Raw measurements.
#[derive(Debug)]
pub(super) struct Measured {
    tickets: Vec<TicketRecord>,
    players: u64,
    pub(super) refused: u64,
    pub(super) sample: Sample,
    /// Causes of those who may be about to time out.
    suspects: BTreeMap<usize, TimeoutCause>,
    rules: Vec<Vec<f64>>,
    steps: BTreeMap<u64, u64>,
    fills: Vec<f64>,
    /// The attribute that skill segments go by: the balanced one, or the first number.
    skill: Option<usize>,
    homes: Vec<String>,
    parties: Vec<usize>,
}

impl Measured {
    pub(super) fn new(rules: &RuleSet, homes: Vec<String>, parties: Vec<usize>) -> Self {
        let number =
            || rules.attributes().iter().position(|known| known.attribute_type == AttributeType::Number);
        Self {
            tickets: Vec::new(),
            players: 0,
            refused: 0,
            sample: Sample::default(),
            suspects: BTreeMap::new(),
            rules: vec![Vec::new(); rules.stages()[0].rules().len()],
            steps: rules.stages().iter().map(|stage| (stage.from_seconds(), 0)).collect(),
            fills: Vec::new(),
            skill: rules.algorithm().balanced_attribute.or_else(number),
            homes,
            parties,
        }
    }

    /// A ticket came; the number it has here.
    pub(super) fn started(
        &mut self,
        start: Timestamp,
        party: &[crate::player::Player],
        home: Option<usize>,
    ) -> usize {
        let skills: Vec<f64> = self
            .skill
            .map(|index| party.iter().filter_map(|player| player.number(index)).collect())
            .unwrap_or_default();
        let skill = (!skills.is_empty()).then(|| skills.iter().sum::<f64>() / skills.len() as f64);
        self.players += party.len() as u64;
        let outcome = Outcome::Waiting;
        let party = party.len();
        self.tickets.push(TicketRecord { start, proposed: None, left: None, outcome, party, home, skill });
        self.tickets.len() - 1
    }

    pub(super) fn ticket(&self, number: usize) -> Option<&TicketRecord> {
        self.tickets.get(number)
    }

    pub(super) fn suspect(&mut self, ticket: usize, cause: TimeoutCause) {
        self.suspects.insert(ticket, cause);
    }

    pub(super) fn ended(&mut self, ticket: usize, at: Timestamp, outcome: Outcome) {
        let suspect = self.suspects.remove(&ticket);
        let Some(record) = self.tickets.get_mut(ticket) else { return };
        if outcome == Outcome::TimedOut {
            match (record.outcome, suspect) {
                (Outcome::Placing, _) => self.sample.certain(TimeoutCause::Placement),
                (_, Some(TimeoutCause::Acceptance)) => self.sample.certain(TimeoutCause::Acceptance),
                (_, Some(cause)) => self.sample.add(cause),
                (_, None) => {}
            }
        }
        // The wait of a ticket ends with its match, not with its game session.
        if outcome != Outcome::Matched {
            record.left = Some(at);
        }
        record.outcome = outcome;
    }

    /// The ticket's match is made, and gets its game session.
    pub(super) fn placing(&mut self, ticket: usize, proposed: Timestamp, at: Timestamp) {
        if let Some(record) = self.tickets.get_mut(ticket) {
            record.proposed = Some(proposed);
            record.left = Some(at);
            record.outcome = Outcome::Placing;
        }
    }

    /// A match was made.
    pub(super) fn matched(&mut self, step: u64, players: usize, most: u32) {
        *self.steps.entry(step).or_default() += 1;
        self.fills.push(players as f64 / f64::from(most.max(1)));
    }

    pub(super) fn rule(&mut self, index: usize, numbers: Numbers<'_>) {
        if let Some(value) = measured(numbers).filter(|value| value.is_finite()) {
            self.rules[index].push(value);
        }
    }

    pub(super) fn report(self, rules: &RuleSet, input: Input) -> Report {
        let count = |outcome| self.tickets.iter().filter(|ticket| ticket.outcome == outcome).count() as u64;
        let (matched, timed_out, cancelled) =
            (count(Outcome::Matched), count(Outcome::TimedOut), count(Outcome::Cancelled));
        let mut waits: Vec<f64> =
            self.tickets.iter().filter(|ticket| ticket.outcome == Outcome::Matched).map(seconds).collect();
        waits.sort_by(f64::total_cmp);
        let matches = self.fills.len() as u64;
        let mut fill_bins = vec![0; FILL_BINS];
        for fill in &self.fills {
            // A match of exactly 20 % belongs to "up to 20 %".
            let bin = (fill * FILL_BINS as f64 - 1e-9).ceil() as usize;
            fill_bins[bin.clamp(1, FILL_BINS) - 1] += 1;
        }
        let rule_report = |(rule, values): (&crate::rule::Rule, Vec<f64>)| RuleReport {
            rule: rule.name.clone(),
            measures: measures(&rule.kind).to_owned(),
            spread: Quantiles::of(values),
        };
        let stage = &rules.stages()[0];
        Report {
            input,
            compat: Compat::default(),
            rule_set: rules.name().filter(|name| !name.is_empty()).map(str::to_owned),
            tickets: self.tickets.len() as u64,
            players: self.players,
            refused: self.refused,
            first_refusal: None,
            matched,
            timed_out,
            cancelled,
            matches,
            segments: self.segments(rules),
            waiting: waiting(&self.tickets),
            wait_percentiles: if waits.is_empty() {
                Vec::new()
            } else {
                (0..=100).map(|percent| at(&waits, percent)).collect()
            },
            wait: Quantiles::of(waits),
            fill: Quantiles::of(self.fills),
            fill_bins,
            rules: stage
                .rules()
                .zip(self.rules)
                .filter(|(rule, _)| !matches!(rule.kind, RuleKind::Sort(_) | RuleKind::Compound(_)))
                .map(rule_report)
                .collect(),
            steps: self
                .steps
                .into_iter()
                .map(|(step_seconds, count)| StepShare {
                    step_seconds,
                    matches: count,
                    share: count as f64 / matches.max(1) as f64,
                })
                .collect(),
            timeouts: self.sample.report(timed_out, kept_apart_by(stage)),
        }
    }

    fn segments(&self, rules: &RuleSet) -> Vec<Segment> {
        let mut segments = Vec::new();
        for party in &self.parties {
            let of = self.tickets.iter().filter(|ticket| ticket.party == *party);
            segments.push(segment(SegmentKind::Party, party.to_string(), format!("party of {party}"), of));
        }
        for (index, home) in self.homes.iter().enumerate() {
            let of = self.tickets.iter().filter(|ticket| ticket.home == Some(index));
            segments.push(segment(SegmentKind::Home, home.clone(), home.clone(), of));
        }
        if let Some(name) = self.skill.map(|index| &rules.attributes()[index].name) {
            let mut skilled: Vec<_> =
                self.tickets.iter().filter_map(|ticket| Some((ticket.skill?, ticket))).collect();
            skilled.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            for decile in 1..=DECILES {
                let bound = |decile: usize| decile * skilled.len() / DECILES;
                let of = &skilled[bound(decile - 1)..bound(decile)];
                let label = match (of.first(), of.last()) {
                    (Some((low, _)), Some((high, _))) => format!("{name} {low:.0} to {high:.0}"),
                    _ => format!("{name}, decile {decile}"),
                };
                let of = of.iter().map(|(_, ticket)| *ticket);
                segments.push(segment(SegmentKind::Decile, decile.to_string(), label, of));
            }
        }
        segments
    }
}

fn seconds(ticket: &TicketRecord) -> f64 {
    ticket.left.map_or(0.0, |left| left.since(ticket.start).as_secs_f64())
}

fn segment<'a>(
    kind: SegmentKind,
    value: String,
    label: String,
    tickets: impl Iterator<Item = &'a TicketRecord>,
) -> Segment {
    let mut waits = Vec::new();
    let (mut all, mut timed_out, mut cancelled) = (0, 0, 0);
    for ticket in tickets {
        all += 1;
        match ticket.outcome {
            Outcome::Matched => waits.push(seconds(ticket)),
            Outcome::TimedOut => timed_out += 1,
            Outcome::Cancelled => cancelled += 1,
            Outcome::Waiting | Outcome::Placing => {}
        }
    }
    let wait = Quantiles::of(waits);
    Segment { kind, value, label, tickets: all, matched: wait.count, timed_out, cancelled, wait }
}

/// The rules that can keep tickets apart: members of compound rules do not by themselves, and sort rules never do.
fn kept_apart_by(stage: &Effective) -> Vec<String> {
    let rules = stage.rules().enumerate().filter(|(index, _)| stage.is_enforced(*index));
    rules.map(|(_, rule)| rule.name.clone()).collect()
}

/// How many tickets wait, over time.
fn waiting(tickets: &[TicketRecord]) -> Vec<Moment> {
    let mut starts: Vec<u64> = tickets.iter().map(|ticket| ticket.start.as_millis()).collect();
    let mut ends: Vec<u64> = tickets.iter().filter_map(|ticket| Some(ticket.left?.as_millis())).collect();
    starts.sort_unstable();
    ends.sort_unstable();
    let Some(end) = ends.last().copied() else { return Vec::new() };
    (0..=MOMENTS)
        .map(|moment| {
            let at = end * moment / MOMENTS;
            let up_to = |sorted: &[u64]| sorted.partition_point(|time| *time <= at) as u64;
            Moment { seconds: at as f64 / 1_000.0, tickets: up_to(&starts).saturating_sub(up_to(&ends)) }
        })
        .collect()
}

/// The number of a rule that says how good a match is: a distance, a spread, a count, a latency.
const fn measured(numbers: Numbers<'_>) -> Option<f64> {
    match numbers {
        Numbers::Number { measured, .. } => Some(measured),
        Numbers::Distance { measured, reference, .. } => Some((measured - reference).abs()),
        Numbers::Count { count, .. } => Some(count as f64),
        Numbers::Latency { worst_ms, .. } => Some(worst_ms),
        Numbers::Spread { min, max, .. } => Some(max - min),
        _ => None,
    }
}

/// What [`measured`] is, for people.
const fn measures(kind: &RuleKind) -> &'static str {
    match kind {
        RuleKind::Comparison(_) => "value",
        RuleKind::Distance(_) => "distance from the reference",
        RuleKind::Collection(_) => "count",
        RuleKind::Latency(_) => "highest latency in ms",
        RuleKind::BatchDistance(_) => "highest less lowest value",
        RuleKind::Sort(_) | RuleKind::Compound(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_tickets_are_counted_at_even_moments() {
        let ticket = |start: u64, left: u64| TicketRecord {
            start: Timestamp::from_millis(start),
            proposed: Some(Timestamp::from_millis(left)),
            left: Some(Timestamp::from_millis(left)),
            outcome: Outcome::Matched,
            party: 1,
            home: None,
            skill: None,
        };
        let moments = waiting(&[ticket(0, 1_000), ticket(500, 2_000)]);
        let at = |seconds: f64| moments.iter().find(|moment| moment.seconds == seconds).map(|m| m.tickets);
        assert_eq!((at(0.0), at(0.5), at(1.0), at(2.0)), (Some(1), Some(2), Some(1), Some(0)));
        assert_eq!(moments.len() as u64, MOMENTS + 1);
        assert_eq!(waiting(&[]), Vec::new());
    }
}
