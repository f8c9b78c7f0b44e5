//! The search against a second one that shares nothing with it but the evaluation of rules: on thousands of random small
//! pools both make the same matches, ticket for ticket and team for team.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod naive;
mod random;

use std::sync::Arc;

use flexmatch::{
    BackfillRequest, Compat, Matchmaker, Output, PlayerRequest, RuleSet, Settings, TicketRequest,
    TicketStatus, Timestamp,
    compat::{Boundary, PartialMatches, SearchDepth, TeamChoice},
    matchmaker::{Engine, Match},
};
use naive::{Oracle, Waiting};
use random::{Random, Taste, player, rule_set};
use serde_json::json;

/// A few seconds in a debug build.
const POOLS: u64 = 6_000;

/// Pools of many tickets, few of which change at a time: the search then wakes only those that a change concerns.
const CROWDS: u64 = 600;

/// Pools of which everything is tried.
const SMALL_POOLS: u64 = 1_500;

/// A matchmaker and what a naive observer knows of its pool.
struct Case {
    random: Random,
    rules: Arc<RuleSet>,
    settings: Settings,
    matchmaker: Matchmaker,
    pool: Vec<Waiting>,
    number: usize,
    now_ms: u64,
    seed: u64,
    text: String,
}

impl Case {
    /// `None` if the dice gave no valid rule set.
    fn new(seed: u64, taste: Taste, teams: Option<serde_json::Value>, settings: Settings) -> Option<Self> {
        let mut random = Random(seed);
        let text = rule_set(&mut random, taste, teams).to_string();
        let rules = Arc::new(RuleSet::parse(&text).ok()?.rule_set);
        let compat = Compat { team_choice: TeamChoice::Declared, ..settings.compat };
        let settings = Settings { compat, request_timeout_seconds: 43_200, pass_interval_ms: 0, ..settings };
        let matchmaker = Matchmaker::new(rules.clone(), settings.clone()).unwrap();
        Some(Self { random, rules, settings, matchmaker, pool: Vec::new(), number: 0, now_ms: 0, seed, text })
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now_ms)
    }

    fn arrive(&mut self, most_players: u64, may_backfill: bool) {
        let players = 1 + self.random.below(most_players);
        let mut requests = Vec::new();
        for _ in 0..players {
            self.number += 1;
            requests.push(player(&mut self.random, format!("p{}", self.number)));
        }
        let id = format!("t{}", self.number);
        let is_backfill = may_backfill && self.random.one_in(5);
        if is_backfill {
            let teams = self.rules.stages()[0].teams();
            for request in &mut requests {
                let team = self.random.below(teams.len() as u64) as usize;
                request.team = Some(teams[team].name.clone());
            }
            let request = BackfillRequest {
                ticket_id: Some(id.clone()),
                game_session_arn: Some(format!("arn:{id}")),
                players: requests.clone(),
            };
            self.matchmaker.backfill(self.now(), request).unwrap();
        } else {
            let request = TicketRequest { ticket_id: Some(id.clone()), players: requests.clone() };
            self.matchmaker.submit(self.now(), request).unwrap();
        }
        let read = |request: PlayerRequest| {
            self.rules.player(request.into(), self.number as u64, &self.settings.compat).unwrap()
        };
        let party = requests.into_iter().map(read).collect();
        self.pool.push(Waiting { id, start_ms: self.now_ms, party, is_backfill });
    }

    /// One pass of the matchmaker: each match as its tickets with the teams of their players, in order of the pool.
    fn search(&mut self) -> Vec<Vec<(String, Vec<String>)>> {
        self.matchmaker.tick(self.now());
        let mut matches = Vec::new();
        while let Some(output) = self.matchmaker.poll_output() {
            if let Output::Place(found) = output {
                matches.push(self.in_pool_order(&found));
            }
        }
        matches
    }

    fn in_pool_order(&self, found: &Match) -> Vec<(String, Vec<String>)> {
        let teams = |ticket: &Waiting| -> Vec<String> {
            let seat = |id: &str| found.players.iter().find(|player| player.player_id.as_str() == id);
            let seats = ticket.party.iter().filter_map(|player| Some(seat(player.id())?.team.to_string()));
            seats.collect()
        };
        let tickets = self.pool.iter().map(|ticket| (ticket.id.clone(), teams(ticket)));
        tickets.filter(|(_, teams)| !teams.is_empty()).collect()
    }

    fn oracle(&self) -> Oracle<'_> {
        Oracle {
            rules: &self.rules,
            compat: self.settings.compat,
            additional: self.settings.additional_player_count,
            now_ms: self.now_ms,
            pool: &self.pool,
        }
    }

    /// What the naive search finds, in the shape of [`Case::search`].
    fn expected(&self) -> Vec<Vec<(String, Vec<String>)>> {
        let names = self.rules.stages()[0].teams();
        let in_words = |mut seated: naive::Seated| {
            seated.sort();
            let teams = |seats: Vec<usize>| seats.into_iter().map(|team| names[team].name.clone()).collect();
            seated.into_iter().map(|(place, seats)| (self.pool[place].id.clone(), teams(seats))).collect()
        };
        self.oracle().pass().into_iter().map(in_words).collect()
    }

    fn is_legal(&self, found: &[(String, Vec<String>)]) -> bool {
        let place = |id: &str| self.pool.iter().position(|ticket| ticket.id == id).unwrap();
        let teams = &self.rules.stages()[0];
        let seated = found.iter().map(|(id, seats)| {
            (place(id), seats.iter().map(|team| teams.team_index(team).unwrap()).collect())
        });
        self.oracle().is_match(&seated.collect())
    }

    fn forget_matched(&mut self) {
        let matchmaker = &self.matchmaker;
        self.pool.retain(|ticket| matchmaker.ticket(&ticket.id).unwrap().status() == TicketStatus::Searching);
    }

    fn told(&self) -> String {
        let pool = self.pool.iter().map(|ticket| format!("\n  {ticket:?}")).collect::<String>();
        format!("seed {}, {} ms\n{}\n{:?}{pool}", self.seed, self.now_ms, self.text, self.settings.compat)
    }
}

/// Plays one pool through several passes, and compares each. Gives how many matches were made.
fn compare(seed: u64, engine: Engine, search_depth: SearchDepth) -> Option<usize> {
    let boundary = if seed.is_multiple_of(4) { Boundary::Exclusive } else { Boundary::Inclusive };
    let compat = Compat { search_depth, boundary, ..Compat::default() };
    let settings = Settings {
        engine,
        compat,
        additional_player_count: [0, 0, 1][seed as usize % 3],
        ..Settings::default()
    };
    let taste = Taste { monotone: false, expansions: true };
    let mut case = Case::new(seed, taste, None, settings)?;
    let mut made = 0;
    for round in 0..4 {
        let arrivals = if round == 0 { 2 + case.random.below(5) } else { case.random.below(3) };
        for _ in 0..arrivals {
            case.now_ms += case.random.pick(&[0, 0, 400, 1_000, 2_000]);
            case.arrive(2, true);
        }
        case.now_ms += case.random.pick(&[0, 0, 500, 1_000, 3_000]);
        let expected = case.expected();
        let found = case.search();
        assert_eq!(found, expected, "the search left, the description right: {}", case.told());
        for one in &found {
            assert!(case.is_legal(one), "{one:?} is no match: {}", case.told());
        }
        made += found.len();
        case.forget_matched();
    }
    Some(made)
}

#[test]
fn the_search_makes_the_matches_that_its_description_makes() {
    for depth in [SearchDepth::Greedy, SearchDepth::GreedyOverAll] {
        for engine in [Engine::Compiled, Engine::Reference] {
            let made: Vec<usize> = (0..POOLS).filter_map(|seed| compare(seed, engine, depth)).collect();
            let some = made.iter().filter(|made| **made > 0).count();
            assert!(made.len() as u64 > POOLS / 2, "too few rule sets are valid: {}", made.len());
            assert!(some > made.len() / 4, "too few pools have a match: {some} of {}", made.len());
        }
    }
}

#[test]
fn in_a_crowd_whoever_could_match_with_a_newcomer_is_tried_again() {
    let (mut waited, mut made) = (0, 0);
    for seed in 0..CROWDS {
        let settings = Settings { additional_player_count: (seed % 2) as u32, ..Settings::default() };
        let taste = Taste { monotone: seed % 3 == 0, expansions: true };
        let Some(mut case) = Case::new(seed, taste, None, settings) else { continue };
        for _ in 0..40 {
            case.now_ms += case.random.pick(&[0, 50, 400]);
            case.arrive(2, true);
        }
        for _ in 0..8 {
            let expected = case.expected();
            assert_eq!(case.search(), expected, "the search left, the description right: {}", case.told());
            case.forget_matched();
            waited += usize::from(case.pool.len() >= 20);
            made += usize::from(!expected.is_empty());
            case.now_ms += case.random.pick(&[300, 1_000, 2_500]);
            case.arrive(2, true);
        }
    }
    assert!(waited > 100 && made > 100, "{waited} passes leave a crowd, {made} make a match");
}

/// Searches one small pool, and says whether a match is made and whether any is left.
fn left_over(case: &mut Case, tickets: u64, most_players: u64, may_backfill: bool) -> (bool, bool) {
    for _ in 0..tickets {
        case.arrive(most_players, may_backfill);
    }
    let found = case.search();
    for one in &found {
        assert!(case.is_legal(one), "{one:?} is no match: {}", case.told());
    }
    case.forget_matched();
    (!found.is_empty(), case.oracle().any_match().is_some())
}

#[test]
fn no_pair_that_could_be_a_match_is_left_waiting() {
    let mut pairs = 0;
    for seed in 0..SMALL_POOLS {
        let duel = json!([{"name": "red", "minPlayers": 1, "maxPlayers": 1}, {"name": "blue", "minPlayers": 1, "maxPlayers": 1}]);
        let duo = json!([{"name": "all", "minPlayers": 2, "maxPlayers": 2}]);
        let teams = if seed % 2 == 0 { duel } else { duo };
        let taste = Taste { monotone: true, expansions: true };
        let Some(mut case) = Case::new(seed, taste, Some(teams), Settings::default()) else { continue };
        case.now_ms = 5_000;
        let (made, left) = left_over(&mut case, 6, 1, true);
        assert!(!left, "{:?} could match: {}", case.oracle().any_match(), case.told());
        pairs += u64::from(made);
    }
    assert!(pairs > SMALL_POOLS / 2, "too few pools have a match: {pairs}");
}

/// Of so many pools: those where everything tried finds a match that is left, and those where any is made.
fn shares(compat: Compat, monotone: bool) -> (u64, u64, u64) {
    let (mut pools, mut missed, mut made) = (0, 0, 0);
    for seed in 0..SMALL_POOLS {
        let taste = Taste { monotone, expansions: false };
        let Some(mut case) = Case::new(seed, taste, None, Settings { compat, ..Settings::default() }) else {
            continue;
        };
        let (some, left) = left_over(&mut case, 5, 2, true);
        pools += 1;
        missed += u64::from(left);
        made += u64::from(some);
    }
    (pools, made, missed)
}

#[test]
fn what_one_pass_leaves_is_little_and_backtracking_leaves_nothing() {
    let optimal = PartialMatches::Optimal;
    for monotone in [true, false] {
        let (pools, made, missed) = shares(Compat::default(), monotone);
        assert!(missed > 0, "if one pass missed nothing, it would be called exhaustive rightly");
        // 7 % of the pools under monotone rules and 9 % under any, two in three of which have a match.
        assert!(missed * 10 < pools && made * 2 > pools, "{missed} missed, {made} made, of {pools}");
        let backtracking =
            Compat { search_depth: SearchDepth::Backtracking, partial_matches: optimal, ..Compat::default() };
        let (_, more, missed) = shares(backtracking, monotone);
        assert!(more > made);
        assert_eq!(missed, 0, "five tickets are fewer combinations than the bound");
    }
}
