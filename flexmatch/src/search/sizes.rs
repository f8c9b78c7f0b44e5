//! Team sizes at every stage, without the seats that `AdditionalPlayerCount` leaves empty.

use std::sync::Arc;

use crate::{
    compat::AdditionalPlayers,
    rule_set::{RuleSet, Team},
};

/// Team sizes by stage.
#[derive(Debug)]
pub(super) struct Sizes {
    teams: Vec<Arc<[Team]>>,
    capacity: Vec<u32>,
    /// The most players that each team may have at a stage or an earlier one.
    widest: Vec<Box<[u32]>>,
    /// The fewest players of a match at a stage or an earlier one.
    least: Vec<u32>,
}

impl Sizes {
    pub(super) fn new(rules: &RuleSet, additional: u32, reading: AdditionalPlayers) -> Self {
        let (of_match, of_team) = match reading {
            AdditionalPlayers::OfTheMatch => (additional, 0),
            AdditionalPlayers::OfEachTeam => (0, additional),
        };
        let mut sizes =
            Self { teams: Vec::new(), capacity: Vec::new(), widest: Vec::new(), least: Vec::new() };
        for stage in rules.stages() {
            let teams: Arc<[Team]> = if of_team == 0 {
                stage.teams.clone()
            } else {
                let lowered = |team: &Team| Team {
                    max_players: team.max_players.saturating_sub(of_team).max(team.min_players),
                    ..team.clone()
                };
                stage.teams().iter().map(lowered).collect()
            };
            let largest: u32 = teams.iter().map(|team| team.max_players).sum();
            sizes.capacity.push(largest.saturating_sub(of_match).max(stage.min_players()));
            let before = sizes.widest.last();
            let widest = teams
                .iter()
                .enumerate()
                .map(|(index, team)| before.map_or(0, |before| before[index]).max(team.max_players));
            let widest = widest.collect();
            sizes.widest.push(widest);
            let least = sizes.least.last().copied().unwrap_or(u32::MAX).min(stage.min_players());
            sizes.least.push(least);
            sizes.teams.push(teams);
        }
        sizes
    }

    pub(super) fn teams(&self, stage: usize) -> &[Team] {
        &self.teams[stage]
    }

    /// Most players of a match.
    pub(super) fn capacity(&self, stage: usize) -> u32 {
        self.capacity[stage]
    }

    pub(super) fn least(&self, stage: usize) -> u32 {
        self.least[stage]
    }

    pub(super) fn widest(&self, stage: usize) -> &[u32] {
        &self.widest[stage]
    }
}
