//! What keeps a waiting ticket from its match: the search, asked for its reasons.

use super::{
    draft::{Draft, Seats},
    facts::Impossible,
    judge::{Metrics, Plan},
    pass::Pass,
    pool::{Search, Slot},
};
use crate::{
    expansion::MatchView, matchmaker::Engine, player::Player, rule::Verdict, rule_set::ExpansionAgeSelection,
    timestamp::Timestamp,
};

/// Most tickets that are compared with the explained one, oldest first. An explanation is for people, not for speed,
/// but it must end.
const COMPARED_MAX: usize = 1_000;

/// The nearest match and everybody who is not in it.
#[derive(Debug, Default)]
pub(crate) struct Reasons {
    /// Ticket keys, the explained one first.
    pub(crate) members: Vec<u32>,
    /// Players per team, and the stage of the rule set.
    pub(crate) counts: Vec<u32>,
    pub(crate) stage: usize,
    /// Rules that the nearest match fails, with their numbers.
    pub(crate) unmet: Vec<(String, String)>,
    pub(crate) apart: Vec<Separated>,
}

/// A ticket outside the nearest match.
#[derive(Debug)]
pub(crate) struct Separated {
    pub(crate) key: u32,
    /// Rule and numbers; `None` if there is no room.
    pub(crate) unmet: Option<(String, String)>,
    pub(crate) pair_fits: bool,
    /// The stage that mends it, and when the match reaches it.
    pub(crate) free: Option<(usize, Timestamp)>,
}

impl Search {
    /// Looks for a match around a ticket and notes what is in the way.
    pub(crate) fn reasons(&self, key: u32, now: Timestamp) -> Reasons {
        let anchor = self.place(key);
        let plan = Plan::new(
            &self.rules,
            &self.dimensions,
            self.names.locations_fit(),
            self.engine == Engine::Reference,
        );
        let mut draft = Draft::default();
        self.build(
            Pass { now, batch: None, plan: &plan, ages: &self.ages(now), prunes: false },
            anchor,
            &mut draft,
            &mut Metrics::new(),
        );
        let place_of = |place: usize| &self.slots[place];
        let mut reasons = Reasons {
            members: draft.members.iter().map(|member| place_of(member.place).key).collect(),
            counts: draft.counts.clone(),
            stage: draft.stage,
            ..Reasons::default()
        };
        let members: Vec<(&Slot, Seats)> =
            draft.members.iter().map(|member| (place_of(member.place), member.seats.clone())).collect();
        let lists = self.lists(&members);
        let view = MatchView { teams: &lists, complete: true };
        let outcomes = self.rules.stages()[draft.stage].evaluate(&view, &self.compat);
        let unmet = outcomes.iter().filter(|outcome| outcome.enforced && outcome.verdict != Verdict::Pass);
        reasons.unmet = unmet.map(|outcome| (outcome.name.to_owned(), outcome.numbers.to_string())).collect();
        let others =
            self.alive.iter().filter(|place| draft.members.iter().all(|member| member.place != *place));
        for other in others.filter(|place| *place != anchor).take(COMPARED_MAX) {
            reasons.apart.extend(self.separated(&members, place_of(anchor), place_of(other), now));
        }
        // Soonest first; of equals the oldest.
        reasons.apart.sort_by_key(|apart| {
            (apart.free.map_or(Timestamp::from_millis(u64::MAX), |(_, at)| at), !apart.pair_fits)
        });
        reasons
    }

    /// What keeps a ticket apart from the anchor, or from the rest of its nearest match; `None` if nothing does. The
    /// anchor's turn may still have passed it by: one that is older has its own turn first.
    fn separated(
        &self,
        members: &[(&Slot, Seats)],
        anchor: &Slot,
        other: &Slot,
        now: Timestamp,
    ) -> Option<Separated> {
        let alone = [(anchor, anchor.seats.clone().unwrap_or(Seats::Together(0)))];
        let pair = self.first_failure(&alone, other, self.stage_of_all(&alone, other, now));
        let (base, unmet, pair_fits) = match pair {
            Err(failure) => (&alone[..], failure, false),
            // The two get along: ask the rest.
            Ok(()) => match self.first_failure(members, other, self.stage_of_all(members, other, now)) {
                Err(failure) => (members, failure, true),
                Ok(()) => return None,
            },
        };
        let stage = self.stage_of_all(base, other, now);
        let later = (stage + 1..self.rules.stages().len())
            .find(|stage| self.first_failure(base, other, *stage).is_ok());
        let starts = base.iter().map(|(slot, _)| slot.start).chain([other.start]);
        let clock = match self.rules.algorithm().expansion_age_selection {
            ExpansionAgeSelection::Newest => starts.max(),
            ExpansionAgeSelection::Oldest => starts.min(),
        };
        let free = later
            .zip(clock)
            .map(|(stage, clock)| (stage, clock.plus_seconds(self.rules.stages()[stage].from_seconds())));
        Some(Separated { key: other.key, unmet, pair_fits, free })
    }

    /// The stage of a match of all these tickets.
    fn stage_of_all(&self, members: &[(&Slot, Seats)], other: &Slot, now: Timestamp) -> usize {
        let slots = members.iter().map(|(slot, _)| *slot).chain([other]);
        let stages = slots.map(|slot| self.rules.stage_at(now.since(slot.start).as_secs()));
        match self.rules.algorithm().expansion_age_selection {
            ExpansionAgeSelection::Newest => stages.min(),
            ExpansionAgeSelection::Oldest => stages.max(),
        }
        .unwrap_or(0)
    }

    /// Whether the ticket can join on some team; else what the first team with room fails, or `None` without room.
    fn first_failure(
        &self,
        members: &[(&Slot, Seats)],
        other: &Slot,
        stage: usize,
    ) -> Result<(), Option<(String, String)>> {
        let effective = &self.rules.stages()[stage];
        let mut first = None;
        let choices = match &other.seats {
            Some(seats) => vec![seats.clone()],
            None => (0..effective.teams().len()).map(Seats::Together).collect(),
        };
        for seats in choices {
            let mut all = members.to_vec();
            all.push((other, seats));
            let lists = self.lists(&all);
            if lists
                .iter()
                .zip(self.sizes.teams(stage))
                .any(|(list, team)| list.len() > team.max_players as usize)
            {
                continue;
            }
            let view = MatchView { teams: &lists, complete: false };
            let outcomes = effective.evaluate(&view, &self.compat);
            let failed = outcomes.iter().find(|outcome| outcome.enforced && outcome.verdict == Verdict::Fail);
            match failed {
                None => return Ok(()),
                Some(failed) => {
                    first.get_or_insert_with(|| (failed.name.to_owned(), failed.numbers.to_string()));
                }
            }
        }
        Err(first)
    }

    fn lists<'a>(&self, members: &[(&'a Slot, Seats)]) -> Vec<Vec<&'a Player>> {
        let mut lists = vec![Vec::new(); self.rules.stages()[0].teams().len()];
        for (slot, seats) in members {
            for (at, player) in slot.party.iter().enumerate() {
                lists[seats.team_of(at)].push(player);
            }
        }
        lists
    }

    /// Why the ticket can never be matched, in words.
    pub(crate) fn never(&self, key: u32) -> Option<String> {
        Some(match self.slots[self.place(key)].impossible.as_ref()? {
            Impossible::TooLarge { players, largest_team } => {
                format!("it has {players} players, and no team ever has more than {largest_team}")
            }
            Impossible::LacksAttribute { player, attribute } => {
                format!("player {player:?} has no value for {attribute:?}, which has no default")
            }
            Impossible::LacksLatency { player } => {
                format!("player {player:?} has no latencies, and there is a latency rule")
            }
            Impossible::NoLocation { best_ms: Some(best), loosest_ms } => {
                format!(
                    "its best location has {best} ms, and no expansion ever allows more than {loosest_ms} ms"
                )
            }
            Impossible::NoLocation { best_ms: None, .. } => {
                "its players reported no location in common".to_owned()
            }
        })
    }
}
