//! Who decides whether a ticket may join, and whether a draft is a match.

use std::sync::Arc;

use super::{draft::Seats, pool::Slot};
use crate::{
    compat::Compat,
    expansion::MatchView,
    player::Player,
    rule::Verdict,
    rule_set::RuleSet,
};

/// How often each rule passed and failed.
pub(crate) type Metrics = Vec<(u64, u64)>;

/// Decides by the rules. One value judges one draft at a time.
pub(super) trait Judge {
    /// Forgets the draft.
    fn reset(&mut self);

    /// Adds a ticket to the draft unless that breaks a rule for good.
    fn admit(&mut self, rules: &RuleSet, slot: &Slot, seats: &Seats, stage: usize) -> bool;

    /// Whether all rules hold with the players that are in. Counts what each rule says.
    fn holds(&mut self, rules: &RuleSet, stage: usize, metrics: &mut Metrics) -> bool;

    /// Whether the team can make a difference to [`Judge::admit`].
    fn team_matters(&self) -> bool;
}

/// Evaluates every rule on all players each time.
#[derive(Debug, Default)]
pub(super) struct Reference {
    compat: Compat,
    team_matters: bool,
    members: Vec<(Arc<[Player]>, Seats)>,
}

impl Reference {
    pub(super) fn new(rules: &RuleSet, compat: &Compat) -> Self {
        let blind = |rule: &crate::rule::Rule| {
            rule.as_latency().is_some() || rule.as_batch_distance().is_some() || rule.as_sort().is_some()
        };
        let team_matters = !rules.stages().iter().all(|stage| stage.rules().all(blind));
        Self { compat: compat.clone(), team_matters, members: Vec::new() }
    }
}

/// The players by team.
pub(super) fn by_team<'a>(
    members: impl Iterator<Item = (&'a [Player], &'a Seats)>,
    teams: usize,
) -> Vec<Vec<&'a Player>> {
    let mut lists = vec![Vec::new(); teams];
    for (party, seats) in members {
        for (index, player) in party.iter().enumerate() {
            lists[seats.team_of(index)].push(player);
        }
    }
    lists
}

impl Judge for Reference {
    fn reset(&mut self) {
        self.members.clear();
    }

    fn admit(&mut self, rules: &RuleSet, slot: &Slot, seats: &Seats, stage: usize) -> bool {
        self.members.push((slot.party.clone(), seats.clone()));
        let effective = &rules.stages()[stage];
        let lists = by_team(
            self.members.iter().map(|(party, seats)| (&**party, seats)),
            effective.teams().len(),
        );
        let view = MatchView { teams: &lists, complete: false };
        let kept = effective.verdict(&view, &self.compat) != Verdict::Fail;
        if !kept {
            self.members.pop();
        }
        kept
    }

    fn holds(&mut self, rules: &RuleSet, stage: usize, metrics: &mut Metrics) -> bool {
        let effective = &rules.stages()[stage];
        let lists = by_team(
            self.members.iter().map(|(party, seats)| (&**party, seats)),
            effective.teams().len(),
        );
        let view = MatchView { teams: &lists, complete: true };
        metrics.resize(effective.rules().len(), (0, 0));
        let mut holds = true;
        for outcome in effective.evaluate(&view, &self.compat) {
            let passed = outcome.verdict == Verdict::Pass;
            let (pass, fail) = &mut metrics[outcome.index];
            *if passed { pass } else { fail } += 1;
            holds &= passed || !outcome.enforced;
        }
        holds
    }

    fn team_matters(&self) -> bool {
        self.team_matters
    }
}
