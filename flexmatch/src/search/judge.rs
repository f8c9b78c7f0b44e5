//! Who decides whether a ticket may join, and whether a draft is a match: the rules, as far as the facts do not.

use super::{draft::Seats, facts::Dimensions, pool::Slot};
use crate::{
    compat::Compat,
    expansion::MatchView,
    player::Player,
    rule::{RuleKind, Verdict},
    rule_set::RuleSet,
};

/// How often each rule passed and failed.
pub(crate) type Metrics = Vec<(u64, u64)>;

/// Judges one draft.
pub(super) struct Judge<'a> {
    rules: &'a RuleSet,
    compat: &'a Compat,
    plan: Plan,
    /// The players of the draft by team.
    teams: Vec<Vec<&'a Player>>,
}

/// What about the rules is left to evaluate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    /// Some rule must be evaluated.
    pub(super) evaluates: bool,
    /// The team can make a difference.
    pub(super) team_matters: bool,
}

impl Plan {
    pub(super) fn new(
        rules: &RuleSet,
        dimensions: &Dimensions,
        locations_fit: bool,
        is_reference: bool,
    ) -> Self {
        let first = &rules.stages()[0];
        let evaluates = is_reference
            || first
                .rules()
                .enumerate()
                .any(|(index, _)| first.is_enforced(index) && !dimensions.covers(index, locations_fit));
        let blind = |kind: &RuleKind| {
            matches!(kind, RuleKind::Latency(_) | RuleKind::BatchDistance(_) | RuleKind::Sort(_))
        };
        let team_matters = first
            .rules()
            .enumerate()
            .any(|(index, rule)| !blind(&rule.kind) && !dimensions.covers(index, locations_fit));
        Self { evaluates, team_matters }
    }
}

impl<'a> Judge<'a> {
    pub(super) fn new(rules: &'a RuleSet, compat: &'a Compat, plan: Plan) -> Self {
        Self { rules, compat, plan, teams: vec![Vec::new(); rules.stages()[0].teams().len()] }
    }

    /// Adds a ticket unless that breaks a rule for good.
    pub(super) fn admit(&mut self, slot: &'a Slot, seats: &Seats, stage: usize) -> bool {
        for (index, player) in slot.party.iter().enumerate() {
            self.teams[seats.team_of(index)].push(player);
        }
        let view = MatchView { teams: &self.teams, complete: false };
        if !self.plan.evaluates || self.rules.stages()[stage].verdict(&view, self.compat) != Verdict::Fail {
            return true;
        }
        for index in 0..slot.party.len() {
            self.teams[seats.team_of(index)].pop();
        }
        false
    }

    /// Whether all rules hold with the players that are in. Counts what each rule says.
    pub(super) fn holds(&self, stage: usize, metrics: &mut Metrics) -> bool {
        let effective = &self.rules.stages()[stage];
        metrics.resize(effective.rules().len(), (0, 0));
        if !self.plan.evaluates {
            metrics.iter_mut().for_each(|(passed, _)| *passed += 1);
            return true;
        }
        let view = MatchView { teams: &self.teams, complete: true };
        let mut holds = true;
        for outcome in effective.evaluate(&view, self.compat) {
            let passed = outcome.verdict == Verdict::Pass;
            let (pass, fail) = &mut metrics[outcome.index];
            *if passed { pass } else { fail } += 1;
            holds &= passed || !outcome.enforced;
        }
        holds
    }

    pub(super) const fn team_matters(&self) -> bool {
        self.plan.team_matters
    }
}
