//! Who decides whether a ticket may join, and whether a draft is a match: the rules, as far as the facts do not.

use super::{draft::Seats, facts::Dimensions, pool::Slot};
use crate::{
    compat::Compat,
    expansion::MatchView,
    player::Player,
    rule::{RuleKind, RuleOutcome, Verdict},
    rule_set::RuleSet,
};

/// How often each rule passed and failed.
pub(crate) type Metrics = Vec<(u64, u64)>;

/// Judges one draft.
pub(super) struct Judge<'a> {
    rules: &'a RuleSet,
    compat: &'a Compat,
    plan: &'a Plan,
    /// The players of the draft by team.
    teams: Vec<Vec<&'a Player>>,
}

/// What about the rules is left to evaluate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// The rules that the facts do not cover; `None` if all are evaluated together, as compound rules need.
    uncovered: Option<Vec<usize>>,
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
        let has_compounds = first.rules().any(|rule| matches!(rule.kind, RuleKind::Compound(_)));
        let open = |index: &usize| !dimensions.covers(*index, locations_fit);
        let uncovered: Vec<usize> = (0..first.rules().len()).filter(open).collect();
        let is_blind = |kind: &RuleKind| {
            matches!(kind, RuleKind::Latency(_) | RuleKind::BatchDistance(_) | RuleKind::Sort(_))
        };
        let team_matters =
            first.rules().enumerate().any(|(index, rule)| open(&index) && !is_blind(&rule.kind));
        Self { uncovered: (!has_compounds && !is_reference).then_some(uncovered), team_matters }
    }
}

impl<'a> Judge<'a> {
    pub(super) fn new(rules: &'a RuleSet, compat: &'a Compat, plan: &'a Plan) -> Self {
        Self { rules, compat, plan, teams: vec![Vec::new(); rules.stages()[0].teams().len()] }
    }

    /// Adds a ticket unless that breaks a rule for good.
    pub(super) fn admit(&mut self, slot: &'a Slot, seats: &Seats, stage: usize) -> bool {
        for (index, player) in slot.party.iter().enumerate() {
            self.teams[seats.team_of(index)].push(player);
        }
        let view = MatchView { teams: &self.teams, complete: false };
        let effective = &self.rules.stages()[stage];
        let fails = match &self.plan.uncovered {
            None => effective.verdict(&view, self.compat) == Verdict::Fail,
            Some(rules) => rules.iter().any(|rule| {
                effective
                    .evaluate_rule(*rule, &view, self.compat)
                    .is_some_and(|outcome| outcome.enforced && outcome.verdict == Verdict::Fail)
            }),
        };
        if fails {
            self.withdraw(slot, seats);
        }
        !fails
    }

    /// Whether all rules hold with the players that are in. Counts what each rule says.
    pub(super) fn holds(&self, stage: usize, metrics: &mut Metrics) -> bool {
        let effective = &self.rules.stages()[stage];
        metrics.resize(effective.rules().len(), (0, 0));
        let view = MatchView { teams: &self.teams, complete: true };
        let mut holds = true;
        let mut count = |outcome: RuleOutcome<'_>| {
            let passed = outcome.verdict == Verdict::Pass;
            let (pass, fail) = &mut metrics[outcome.index];
            *if passed { pass } else { fail } += 1;
            holds &= passed || !outcome.enforced;
        };
        match &self.plan.uncovered {
            None => effective.evaluate(&view, self.compat).into_iter().for_each(count),
            Some(rules) => {
                rules
                    .iter()
                    .filter_map(|rule| effective.evaluate_rule(*rule, &view, self.compat))
                    .for_each(&mut count);
                // What the facts cover has passed, or the tickets would not be here.
                for (rule, (passed, _)) in metrics.iter_mut().enumerate() {
                    *passed += u64::from(rules.binary_search(&rule).is_err());
                }
            }
        }
        holds
    }

    /// Takes a ticket out again, the last that was admitted.
    pub(super) fn withdraw(&mut self, slot: &Slot, seats: &Seats) {
        for index in 0..slot.party.len() {
            self.teams[seats.team_of(index)].pop();
        }
    }

    /// Takes all tickets out.
    pub(super) fn clear(&mut self) {
        self.teams.iter_mut().for_each(Vec::clear);
    }

    pub(super) const fn team_matters(&self) -> bool {
        self.plan.team_matters
    }
}
