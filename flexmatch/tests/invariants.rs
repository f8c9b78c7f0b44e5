//! Random histories: whatever is asked in whatever order, tickets, matches and events stay consistent.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use flexmatch::{
    AttributeValue, BackfillRequest, Compat, MatchView, Matchmaker, MatchmakingEvent, Output, Player,
    PlayerRequest, RuleSet, Settings, TicketRequest, TicketStatus, Timestamp, Verdict,
    event::EventType,
    matchmaker::{AcceptanceType, BackfillMode, Engine, FlexMatchMode, Match},
    rule_set::ExpansionAgeSelection,
    ticket::{GameSession, PlayerId, Ticket},
};
use proptest::prelude::*;

/// Enough to meet rare orders of events.
const HISTORIES: u32 = 10_000;

/// Few players, so that they meet, repeat and collide.
const PLAYERS: u8 = 24;

/// Far more than the seconds, steps and timeouts of one wait.
const WAKES_MAX: u32 = 1_000;

const RULE_SETS: [&str; 5] = [
    r#"{"ruleLanguageVersion": "1.0",
        "playerAttributes": [{"name": "skill", "type": "number", "default": 10}, {"name": "mode", "type": "string_list", "default": ["a"]}],
        "teams": [{"name": "red", "minPlayers": 1, "maxPlayers": 3}, {"name": "blue", "minPlayers": 1, "maxPlayers": 3}],
        "rules": [
            {"name": "Close", "type": "distance", "maxDistance": 4, "measurements": ["max(flatten(teams[*].players.attributes[skill]))"],
             "referenceValue": "min(flatten(teams[*].players.attributes[skill]))"},
            {"name": "Mode", "type": "collection", "operation": "intersection", "minCount": 1,
             "measurements": ["flatten(teams[*].players.attributes[mode])"]},
            {"name": "Even", "type": "comparison", "operation": "=", "measurements": ["count(teams[red].players)"], "referenceValue": "count(teams[blue].players)"},
            {"name": "Near", "type": "latency", "maxLatency": 60}],
        "expansions": [{"target": "rules[Close].maxDistance", "steps": [{"waitTimeSeconds": 3, "value": 8}, {"waitTimeSeconds": 7, "value": 20}]},
                       {"target": "rules[Near].maxLatency", "steps": [{"waitTimeSeconds": 5, "value": 200}]}]}"#,
    r#"{"ruleLanguageVersion": "1.0",
        "playerAttributes": [{"name": "skill", "type": "number", "default": 10}],
        "algorithm": {"strategy": "exhaustiveSearch", "expansionAgeSelection": "oldest", "backfillPriority": "high"},
        "teams": [{"name": "duo", "minPlayers": 2, "maxPlayers": 3, "quantity": 3}],
        "rules": [{"name": "Fair", "type": "distance", "maxDistance": 3, "measurements": ["avg(teams[*].players.attributes[skill])"],
             "referenceValue": "avg(flatten(teams[*].players.attributes[skill]))"}],
        "expansions": [{"target": "teams[duo].minPlayers", "steps": [{"waitTimeSeconds": 4, "value": 1}]},
                       {"target": "rules[Fair].maxDistance", "steps": [{"waitTimeSeconds": 2, "value": 9}]}]}"#,
    r#"{"ruleLanguageVersion": "1.0",
        "playerAttributes": [{"name": "skill", "type": "number", "default": 10}, {"name": "map", "type": "string", "default": "m"}],
        "algorithm": {"strategy": "exhaustiveSearch", "backfillPriority": "low"},
        "teams": [{"name": "one", "minPlayers": 3, "maxPlayers": 4}],
        "rules": [{"name": "Sort", "type": "distanceSort", "sortDirection": "ascending", "sortAttribute": "skill"},
                  {"name": "Map", "type": "comparison", "operation": "=", "measurements": ["flatten(teams[*].players.attributes[map])"]},
                  {"name": "Around", "type": "distance", "maxDistance": 3, "measurements": ["flatten(teams[*].players.attributes[skill])"],
                   "referenceValue": "avg(flatten(teams[*].players.attributes[skill]))"}],
        "expansions": [{"target": "teams[one].minPlayers", "steps": [{"waitTimeSeconds": 3, "value": 2}, {"waitTimeSeconds": 9, "value": 1}]}]}"#,
    r#"{"ruleLanguageVersion": "1.0",
        "playerAttributes": [{"name": "skill", "type": "number", "default": 10}, {"name": "map", "type": "string", "default": "m"}],
        "algorithm": {"strategy": "balanced", "balancedAttribute": "skill", "batchingPreference": "largestPopulation"},
        "teams": [{"name": "big", "minPlayers": 2, "maxPlayers": 30}, {"name": "bad", "minPlayers": 1, "maxPlayers": 11}],
        "rules": [{"name": "Skill", "type": "batchDistance", "batchAttribute": "skill", "maxDistance": 6},
                  {"name": "Map", "type": "batchDistance", "batchAttribute": "map"}],
        "expansions": [{"target": "rules[Skill].maxDistance", "steps": [{"waitTimeSeconds": 4, "value": 12}]}]}"#,
    r#"{"ruleLanguageVersion": "1.0",
        "playerAttributes": [{"name": "skill", "type": "number", "default": 10}, {"name": "mode", "type": "string_list", "default": ["a"]}],
        "teams": [{"name": "red", "minPlayers": 1, "maxPlayers": 3}, {"name": "blue", "minPlayers": 1, "maxPlayers": 3}],
        "rules": [
            {"name": "Few", "type": "collection", "operation": "contains", "referenceValue": "b", "maxCount": 1, "measurements": ["flatten(teams[*].players.attributes[mode])"]},
            {"name": "Many", "type": "collection", "operation": "contains", "referenceValue": "c", "minCount": 2, "measurements": ["flatten(teams[*].players.attributes[mode])"]},
            {"name": "Either", "type": "compound", "statement": "or(Few, Many)"}]}"#,
];

#[derive(Debug, Clone)]
enum Step {
    Submit { players: Vec<u8>, skill: u8, mode: u8, near: u8 },
    Cancel(u8),
    Answer(u8, bool),
    Backfill { session: u8, players: Vec<u8> },
    Place(u8, u8),
    Wait(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (prop::collection::vec(0..PLAYERS, 1..4), 0..24_u8, 0..4_u8, 0..4_u8)
            .prop_map(|(players, skill, mode, near)| Step::Submit { players, skill, mode, near }),
        1 => any::<u8>().prop_map(Step::Cancel),
        5 => (any::<u8>(), prop::bool::weighted(0.85)).prop_map(|(ticket, yes)| Step::Answer(ticket, yes)),
        1 => (0..3_u8, prop::collection::vec(0..PLAYERS, 1..4)).prop_map(|(session, players)| Step::Backfill { session, players }),
        3 => (any::<u8>(), any::<u8>()).prop_map(|(found, how)| Step::Place(found, how)),
        4 => (0..4_000_u16).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..40)
}

fn settings(variant: u8, seed: u64, engine: Engine) -> Settings {
    Settings {
        request_timeout_seconds: 15,
        acceptance_required: variant & 1 == 1,
        acceptance_timeout_seconds: 4,
        backfill_mode: if variant & 2 == 2 { BackfillMode::Automatic } else { BackfillMode::Manual },
        flex_match_mode: if variant & 6 == 4 { FlexMatchMode::Standalone } else { FlexMatchMode::WithQueue },
        pass_interval_ms: if variant & 8 == 8 { 0 } else { 1_000 },
        seed,
        engine,
        ..Settings::default()
    }
}

/// A matchmaker, and an observer who knows only what it is told.
struct World {
    rules: Arc<RuleSet>,
    matchmaker: Matchmaker,
    now: u64,
    number: usize,
    placing: Vec<Match>,
    /// What the events said of each ticket last.
    told: BTreeMap<String, TicketStatus>,
    outputs: Vec<String>,
}

impl World {
    fn new(rules: &Arc<RuleSet>, settings: Settings) -> Self {
        let matchmaker = Matchmaker::new(rules.clone(), settings).unwrap();
        Self {
            rules: rules.clone(),
            matchmaker,
            now: 0,
            number: 0,
            placing: Vec::new(),
            told: BTreeMap::new(),
            outputs: Vec::new(),
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    fn request(player: u8, skill: u8, mode: u8, near: u8) -> PlayerRequest {
        let modes = ["a", "b", "c"].into_iter().enumerate().filter(|(bit, _)| (mode + 1) >> bit & 1 == 1);
        let modes = modes.map(|(_, mode)| mode.to_owned()).collect();
        let (map, far) = (if mode == 0 { "n" } else { "m" }, u32::from(near) * 40 + 1);
        PlayerRequest {
            player_id: format!("p{player}"),
            player_attributes: BTreeMap::from([
                ("skill".into(), AttributeValue::Number(f64::from(skill))),
                ("mode".into(), AttributeValue::StringList(modes)),
                ("map".into(), AttributeValue::String(map.into())),
            ]),
            latency_in_ms: BTreeMap::from([("east".into(), far), ("west".into(), 161 - far)]),
            team: None,
        }
    }

    fn run(&mut self, step: &Step) {
        let now = self.now();
        match step {
            Step::Submit { players, skill, mode, near } => {
                let unique: BTreeSet<u8> = players.iter().copied().collect();
                let players =
                    unique.into_iter().map(|player| Self::request(player, *skill, *mode, *near)).collect();
                self.number += 1;
                // Refusals are part of history.
                let _ = self
                    .matchmaker
                    .submit(now, TicketRequest { ticket_id: Some(format!("t{}", self.number)), players });
            }
            Step::Cancel(which) => {
                if let Some(id) = self.pick(*which, |_| true) {
                    let _ = self.matchmaker.cancel(now, &id);
                }
            }
            Step::Answer(which, yes) => {
                if let Some(id) =
                    self.pick(*which, |ticket| ticket.status() == TicketStatus::RequiresAcceptance)
                {
                    let players: Vec<PlayerId> = self
                        .matchmaker
                        .ticket(&id)
                        .unwrap()
                        .players()
                        .iter()
                        .map(|player| player.id().clone())
                        .collect();
                    let answer = if *yes { AcceptanceType::Accept } else { AcceptanceType::Reject };
                    let _ = self.matchmaker.accept(now, &id, &players, answer);
                }
            }
            Step::Backfill { session, players } => {
                let teams = self.rules.stages()[0].teams();
                let unique: BTreeSet<u8> = players.iter().copied().collect();
                let players = unique
                    .into_iter()
                    .map(|player| PlayerRequest {
                        team: Some(teams[usize::from(player) % teams.len()].name.clone()),
                        ..Self::request(player, 10, 3, 1)
                    })
                    .collect();
                self.number += 1;
                let request = BackfillRequest {
                    ticket_id: Some(format!("b{}", self.number)),
                    game_session_arn: Some(format!("arn:{session}")),
                    players,
                };
                let _ = self.matchmaker.backfill(now, request);
            }
            Step::Place(which, how) => {
                if !self.placing.is_empty() {
                    let found = self.placing.remove(usize::from(*which) % self.placing.len());
                    let arn = found
                        .backfill
                        .as_ref()
                        .map_or_else(|| format!("arn:{}", found.id), |arn| arn.to_string());
                    let session = GameSession { game_session_arn: arn, ..GameSession::default() };
                    let id = found.id.as_str();
                    let done = match how % 8 {
                        0 => self.matchmaker.placement_failed(now, id),
                        1 => {
                            for player in &found.players {
                                let id = player.ticket_id.as_str();
                                if self.matchmaker.ticket(id).unwrap().status() == TicketStatus::Placing {
                                    self.told.insert(id.to_owned(), TicketStatus::Searching);
                                }
                            }
                            self.matchmaker.placement_timed_out(now, id)
                        }
                        _ => self.matchmaker.placement_succeeded(now, id, session),
                    };
                    done.unwrap();
                }
            }
            Step::Wait(millis) => {
                let end = self.now + u64::from(*millis);
                let mut wakes = 0;
                while let Some(due) =
                    self.matchmaker.poll_timeout().map(Timestamp::as_millis).filter(|due| *due <= end)
                {
                    wakes += 1;
                    assert!(wakes <= WAKES_MAX, "it asks again and again to be woken at {due}");
                    self.now = self.now.max(due);
                    self.matchmaker.tick(self.now());
                    self.listen();
                    self.check();
                }
                self.now = end;
            }
        }
        self.listen();
        self.check();
    }

    fn pick(&self, which: u8, wanted: impl Fn(&Ticket) -> bool) -> Option<String> {
        let ids: Vec<_> =
            self.matchmaker.tickets().filter(|ticket| wanted(ticket)).map(|ticket| ticket.id()).collect();
        (!ids.is_empty()).then(|| ids[usize::from(which) % ids.len()].to_string())
    }

    fn listen(&mut self) {
        while let Some(output) = self.matchmaker.poll_output() {
            match output {
                Output::Event(event) => {
                    self.hear(&event);
                    let mut json = serde_json::to_value(&event).unwrap();
                    // An index evaluates fewer candidates.
                    json.as_object_mut().unwrap().remove("ruleEvaluationMetrics");
                    self.outputs.push(format!("{} {json}", self.now));
                }
                Output::Place(found) => {
                    self.outputs.push(format!("{} {}", self.now, found.matchmaker_data));
                    self.placing.push(found);
                }
            }
        }
    }

    fn hear(&mut self, event: &MatchmakingEvent) {
        if let MatchmakingEvent::PotentialMatchCreated(event) = event {
            self.check_match(
                event
                    .game_session_info
                    .players
                    .iter()
                    .map(|player| (player.player_id.as_str(), player.team.as_deref())),
                event.tickets.iter().map(|ticket| ticket.ticket_id.as_str()),
            );
        }
        let accepting = self.matchmaker.settings().acceptance_required;
        for ticket in event.tickets() {
            let status = match event.event_type() {
                EventType::MatchmakingSearching => TicketStatus::Searching,
                EventType::PotentialMatchCreated if accepting => TicketStatus::RequiresAcceptance,
                EventType::PotentialMatchCreated => TicketStatus::Placing,
                EventType::AcceptMatch => TicketStatus::RequiresAcceptance,
                EventType::AcceptMatchCompleted => TicketStatus::Placing,
                EventType::MatchmakingSucceeded => TicketStatus::Completed,
                EventType::MatchmakingTimedOut => TicketStatus::TimedOut,
                EventType::MatchmakingCancelled => TicketStatus::Cancelled,
                EventType::MatchmakingFailed => TicketStatus::Failed,
            };
            let before = self.told.insert(ticket.ticket_id.to_string(), status);
            assert!(!before.is_some_and(TicketStatus::is_final), "{event:?} after {before:?}");
        }
    }

    /// Every rule in force holds, every team is filled as it should be.
    fn check_match<'a>(
        &self,
        players: impl Iterator<Item = (&'a str, Option<&'a str>)>,
        tickets: impl Iterator<Item = &'a str>,
    ) {
        let tickets: Vec<&Ticket> = tickets.map(|id| self.matchmaker.ticket(id).unwrap()).collect();
        let ages = tickets.iter().map(|ticket| self.now().since(ticket.start_time()).as_secs());
        let age = match self.rules.algorithm().expansion_age_selection {
            ExpansionAgeSelection::Newest => ages.min(),
            ExpansionAgeSelection::Oldest => ages.max(),
        };
        let effective = self.rules.effective(age.unwrap());
        let mut teams: Vec<Vec<&Player>> = vec![Vec::new(); effective.teams().len()];
        let mut seen = BTreeSet::new();
        for (id, team) in players {
            assert!(seen.insert(id), "{id} is in the match twice");
            let data =
                tickets.iter().flat_map(|ticket| ticket.party()).find(|player| player.id() == id).unwrap();
            teams[effective.team_index(team.unwrap()).unwrap()].push(data);
        }
        for (team, players) in effective.teams().iter().zip(&teams) {
            let count = players.len() as u32;
            assert!((team.min_players..=team.max_players).contains(&count), "{} has {count}", team.name);
        }
        let verdict = effective.verdict(&MatchView { teams: &teams, complete: true }, &Compat::default());
        assert_eq!(verdict, Verdict::Pass, "{teams:?}");
        for ticket in &tickets {
            if ticket.backfill().is_none() {
                let teams: BTreeSet<_> = ticket.players().iter().map(|player| player.team()).collect();
                assert_eq!(teams.len(), 1, "a party is split");
            }
        }
        let fills = tickets.iter().filter(|ticket| ticket.backfill().is_some()).count();
        assert!(fills <= 1 && fills < tickets.len());
    }

    /// Every ticket is in one place, no player in two, and events told the state.
    fn check(&self) {
        let mut active = BTreeSet::new();
        for ticket in self.matchmaker.tickets() {
            let (id, status) = (ticket.id().as_str(), ticket.status());
            if !status.is_final() {
                for player in ticket.players() {
                    assert!(
                        active.insert(player.id().as_str().to_owned()),
                        "{} is on two active tickets",
                        player.id()
                    );
                }
            }
            assert_eq!(status.is_final(), ticket.end_time().is_some());
            let is_silent = ticket.status_reason() == Some("Cancelled due to duplicate player");
            match self.told.get(id) {
                None => assert!(status == TicketStatus::Queued || is_silent, "{id} is {status:?} in silence"),
                Some(told) => {
                    assert!(*told == status || is_silent, "{id} is {status:?}, events said {told:?}")
                }
            }
        }
        let mut placed = BTreeSet::new();
        for found in &self.placing {
            for player in &found.players {
                let placing = self.matchmaker.ticket(player.ticket_id.as_str()).unwrap();
                if placing.status() == TicketStatus::Placing {
                    assert!(
                        placed.insert(player.player_id.to_string()),
                        "{} is in two matches",
                        player.player_id
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: HISTORIES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_is_consistent_and_the_same_with_and_without_an_index(
        which in 0..RULE_SETS.len(),
        variant in 0..16_u8,
        seed in any::<u64>(),
        steps in steps(),
    ) {
        let rules = Arc::new(RuleSet::parse(RULE_SETS[which]).unwrap().rule_set);
        let mut indexed = World::new(&rules, settings(variant, seed, Engine::Compiled));
        let mut plain = World::new(&rules, settings(variant, seed, Engine::Reference));
        for step in &steps {
            indexed.run(step);
            plain.run(step);
            prop_assert_eq!(&indexed.outputs, &plain.outputs);
            indexed.outputs.clear();
            plain.outputs.clear();
        }
    }
}

#[test]
fn the_same_history_gives_the_same_bytes() {
    let steps = || {
        (0..200_u16).map(|index| match index % 4 {
            0 | 1 => {
                Step::Submit { players: vec![(index % 24) as u8], skill: (index % 7) as u8, mode: 3, near: 0 }
            }
            2 => Step::Place(0, 7),
            _ => Step::Wait(700),
        })
    };
    let run = || {
        let rules = Arc::new(RuleSet::parse(RULE_SETS[0]).unwrap().rule_set);
        let mut world = World::new(&rules, settings(0, 42, Engine::Compiled));
        steps().for_each(|step| world.run(&step));
        world.outputs
    };
    let first = run();
    assert!(first.iter().any(|line| line.contains("matchId")));
    assert_eq!(first, run());
}
