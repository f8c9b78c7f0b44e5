//! Expansions: the rule set as it stands after a wait.

mod build;

pub(crate) use build::{Sources, build};

use std::sync::Arc;

use crate::compat::Compat;
use crate::expr::Scope;
use crate::player::Player;
use crate::rule::{BatchDistance, Latency, Rule, RuleKind, RuleOutcome, Sort, Verdict};
use crate::rule_set::Team;

/// A rule set as it stands from some age on: teams and rules with the values of the expansion steps that apply.
#[derive(Clone, Debug)]
pub struct Effective {
    pub(crate) from_seconds: u64,
    pub(crate) teams: Arc<[Team]>,
    pub(crate) rules: Vec<Arc<Rule>>,
    /// Whether the rule of this index must hold by itself.
    pub(crate) enforced: Arc<[bool]>,
    pub(crate) has_compounds: bool,
}

/// A match, complete or not: the players of each team in the order of [`Effective::teams`].
#[derive(Clone, Copy, Debug)]
pub struct MatchView<'a> {
    /// One list of players per team, in the order of [`Effective::teams`]. Missing lists count as empty.
    pub teams: &'a [Vec<&'a Player>],
    /// Whether nobody else will join. Then no verdict is [`Verdict::NotYet`].
    pub complete: bool,
}

impl Effective {
    /// The wait of the expansion step that led here; 0 for the rule set as written.
    pub const fn from_seconds(&self) -> u64 {
        self.from_seconds
    }

    /// The teams, those with a quantity expanded.
    pub fn teams(&self) -> &[Team] {
        &self.teams
    }

    /// The index of a team by its name in the match.
    pub fn team_index(&self, name: &str) -> Option<usize> {
        self.teams.iter().position(|team| team.name == name)
    }

    /// Most players of a match.
    pub fn max_players(&self) -> u32 {
        self.teams.iter().fold(0, |sum, team| sum.saturating_add(team.max_players))
    }

    /// Fewest players of a match.
    pub fn min_players(&self) -> u32 {
        self.teams.iter().fold(0, |sum, team| sum.saturating_add(team.min_players))
    }

    /// The rules, in order.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.rules.iter().map(|rule| &**rule)
    }

    /// Whether the rule at `index` must hold for a match: not if it is a member of a compound rule, or a sort rule.
    pub fn is_enforced(&self, index: usize) -> bool {
        self.enforced.get(index).copied().unwrap_or(false)
    }

    /// The sort rules, in order: later ones break the ties of earlier ones.
    pub fn sorts(&self) -> impl Iterator<Item = &Sort> {
        self.rules().filter_map(Rule::as_sort)
    }

    /// The batchDistance rules, in order.
    pub fn batch_distances(&self) -> impl Iterator<Item = &BatchDistance> {
        self.rules().filter_map(Rule::as_batch_distance)
    }

    /// The latency rules that every match must keep, in order.
    pub fn latencies(&self) -> impl Iterator<Item = &Latency> {
        self.rules()
            .enumerate()
            .filter(|(index, _)| self.is_enforced(*index))
            .filter_map(|(_, rule)| rule.as_latency())
    }

    /// The rule at `index`.
    pub fn rule(&self, index: usize) -> Option<&Rule> {
        self.rules.get(index).map(|rule| &**rule)
    }

    /// What every rule says of a match, in the order of the rules.
    pub fn evaluate<'a>(&'a self, view: &MatchView<'a>, compat: &Compat) -> Vec<RuleOutcome<'a>> {
        let scope = self.scope(view, compat);
        let mut judged = Vec::with_capacity(self.rules.len());
        let outcome = |(index, rule): (usize, &'a Arc<Rule>)| {
            let judgement = rule.judge(&scope, &judged);
            judged.push((judgement.pass, judgement.settled || view.complete));
            RuleOutcome {
                index,
                name: &rule.name,
                enforced: self.is_enforced(index),
                verdict: judgement.verdict(view.complete),
                numbers: judgement.numbers,
            }
        };
        self.rules.iter().enumerate().map(outcome).collect()
    }

    /// The worst verdict of the rules that must hold, without the numbers: stops at the first [`Verdict::Fail`].
    pub fn verdict(&self, view: &MatchView<'_>, compat: &Compat) -> Verdict {
        let scope = self.scope(view, compat);
        let mut judged = Vec::new();
        let mut worst = Verdict::Pass;
        for (index, rule) in self.rules.iter().enumerate() {
            let judgement = rule.judge(&scope, &judged);
            if self.has_compounds {
                judged.push((judgement.pass, judgement.settled || view.complete));
            }
            if self.is_enforced(index) {
                worst = worst.max(judgement.verdict(view.complete));
                if worst == Verdict::Fail {
                    break;
                }
            }
        }
        worst
    }

    /// What the rule at `index` says of a match; `None` if there is no such rule. Of a compound rule, its members are
    /// evaluated too.
    pub fn evaluate_rule<'a>(
        &'a self,
        index: usize,
        view: &MatchView<'a>,
        compat: &Compat,
    ) -> Option<RuleOutcome<'a>> {
        let rule = self.rules.get(index)?;
        if matches!(rule.kind, RuleKind::Compound(_)) {
            return self.evaluate(view, compat).into_iter().nth(index);
        }
        let judgement = rule.judge(&self.scope(view, compat), &[]);
        Some(RuleOutcome {
            index,
            name: &rule.name,
            enforced: self.is_enforced(index),
            verdict: judgement.verdict(view.complete),
            numbers: judgement.numbers,
        })
    }

    /// The locations that every player reported and every latency rule that must hold accepts, in alphabetical order.
    ///
    /// With several latency rules a match can pass each of them and still have no location left here.
    pub fn acceptable_locations<'a>(&self, view: &MatchView<'a>, compat: &Compat) -> Vec<&'a str> {
        let scope = self.scope(view, compat);
        let Some(first) = scope.players().next() else { return Vec::new() };
        let mut locations: Vec<&'a str> = first
            .latency_ms()
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| scope.players().all(|player| player.latency_to(name).is_some()))
            .collect();
        for latency in self.latencies() {
            let acceptable = latency.acceptable(&scope);
            locations.retain(|location| acceptable.contains(location));
        }
        locations
    }

    fn scope<'a, 'c>(&'c self, view: &MatchView<'a>, compat: &'c Compat) -> Scope<'a, 'c> {
        Scope { teams: view.teams, sizes: &self.teams, compat }
    }
}
