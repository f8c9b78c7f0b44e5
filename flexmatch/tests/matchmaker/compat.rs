//! Every switch of `Compat` that concerns the search or a ticket's life changes what it says it changes.

use std::collections::BTreeSet;

use flexmatch::{
    Compat, PlayerRequest, Settings, TicketRequest, TicketStatus, Timestamp,
    compat::{
        AdditionalPlayers, Balancing, LargeMatchParties, LastMoment, PartyReading, PartySortValue,
        RequestTimeout, RequestedTeam, ReturnedAge, SearchDepth, SortRules, TeamChoice,
    },
    event::EventType,
    matchmaker::AcceptanceType,
};

use crate::play::{DUEL, Play, list, number, player};

fn under(compat: Compat) -> Settings {
    Settings { compat, ..Settings::default() }
}

/// Puts a ticket in without a search.
pub(crate) fn put(play: &mut Play, millis: u64, id: &str, players: Vec<PlayerRequest>) {
    let request = TicketRequest { ticket_id: Some(id.into()), players };
    play.matchmaker.submit(Timestamp::from_millis(millis), request).unwrap();
}

/// Solo players of these skills, named t0, t1, .., a millisecond apart; then one search.
fn skills(play: &mut Play, skills: &[f64]) {
    for (index, skill) in skills.iter().enumerate() {
        let players = vec![player(&format!("p{index}"), &[("skill", number(*skill))])];
        put(play, index as u64, &format!("t{index}"), players);
    }
    play.at(1);
}

/// One team of exactly three that the rule must hold for.
fn trio(attribute: &str, rule: &str) -> String {
    format!(
        r#"{{"ruleLanguageVersion": "1.0", "playerAttributes": [{attribute}],
            "teams": [{{"name": "trio", "minPlayers": 3, "maxPlayers": 3}}], "rules": [{rule}]}}"#
    )
}

fn close_trio() -> String {
    trio(
        r#"{"name": "skill", "type": "number"}"#,
        r#"{"name": "Close", "type": "batchDistance", "batchAttribute": "skill", "maxDistance": 10}"#,
    )
}

fn at_depth(search_depth: SearchDepth) -> Settings {
    under(Compat { search_depth, ..Compat::default() })
}

#[test]
fn a_ticket_whose_own_attempt_took_the_wrong_others_joins_later_or_never() {
    let matched = |depth| {
        let mut play = Play::with(&close_trio(), at_depth(depth));
        skills(&mut play, &[10.0, 0.0, 20.0, 15.0]);
        play.matched()
    };
    assert!(matched(SearchDepth::Greedy).is_empty());
    assert_eq!(matched(SearchDepth::GreedyOverAll), [["t0", "t2", "t3"]]);
    assert_eq!(matched(SearchDepth::Backtracking), [["t0", "t2", "t3"]]);
}

#[test]
fn an_older_ticket_that_fits_each_but_not_all_is_in_the_way_or_not() {
    let text = trio(
        r#"{"name": "modes", "type": "string_list"}"#,
        r#"{"name": "Mode", "type": "collection", "operation": "intersection", "minCount": 1,
            "measurements": ["flatten(teams[*].players.attributes[modes])"]}"#,
    );
    let matched = |depth| {
        let mut play = Play::with(&text, at_depth(depth));
        for (at, modes) in [&["p", "q", "r"][..], &["p", "m"], &["q", "m"], &["r", "m"]].iter().enumerate() {
            put(&mut play, 0, &format!("t{at}"), vec![player(&format!("p{at}"), &[("modes", list(modes))])]);
        }
        play.at(1).matched()
    };
    assert_eq!(matched(SearchDepth::Greedy), [["t1", "t2", "t3"]]);
    assert!(matched(SearchDepth::GreedyOverAll).is_empty());
    assert_eq!(matched(SearchDepth::Backtracking), [["t1", "t2", "t3"]]);
}

#[test]
fn backtracking_over_a_pool_without_a_match_ends() {
    let mut play = Play::with(&close_trio(), at_depth(SearchDepth::Backtracking));
    let apart: Vec<f64> = (0..200).map(|index| f64::from(index / 2) * 100.0).collect();
    skills(&mut play, &apart);
    assert!(play.matches.is_empty());
}

/// The sizes of the guide's example 1.
const EVEN: &str = r#"{"ruleLanguageVersion": "1.0", "playerAttributes": [{"name": "skill", "type": "number"}],
    "teams": [{"name": "miners", "minPlayers": 4, "maxPlayers": 8}, {"name": "rovers", "minPlayers": 4, "maxPlayers": 8}],
    "rules": [{"name": "SameHeadcount", "type": "comparison", "operation": "=",
        "measurements": ["count(teams[miners].players)"], "referenceValue": "count(teams[rovers].players)"}]}"#;

#[test]
fn equal_teams_are_met_at_once_unless_teams_are_chosen_by_chance() {
    let runs = |team_choice| {
        (0..400).map(move |seed| {
            let settings = Settings { seed, ..under(Compat { team_choice, ..Compat::default() }) };
            let mut play = Play::with(EVEN, settings);
            skills(&mut play, &[1.0; 8]);
            let first = play.matches.first().and_then(|found| {
                let first = found.players.iter().find(|player| player.ticket_id.as_str() == "t0")?;
                Some(first.team.to_string())
            });
            (play.matches.len(), first)
        })
    };
    assert!(runs(TeamChoice::MostOpen).all(|(matches, _)| matches == 1));
    let firsts: BTreeSet<_> = runs(TeamChoice::MostOpen).map(|(_, first)| first).collect();
    assert_eq!(firsts.len(), 2, "chance decides between equals");
    assert!(runs(TeamChoice::Declared).all(|run| run == (1, Some("miners".to_owned()))));
    // Four of eight on each side: 70 of 256 deals.
    let by_chance = runs(TeamChoice::Random).filter(|(matches, _)| *matches == 1).count();
    assert!((80..=140).contains(&by_chance), "{by_chance} of 400");
}

#[test]
fn a_sort_rule_orders_everybody_or_only_tickets_of_one_age() {
    let text = r#"{"ruleLanguageVersion": "1.0", "playerAttributes": [{"name": "skill", "type": "number"}],
        "teams": [{"name": "pair", "minPlayers": 2, "maxPlayers": 2}],
        "rules": [{"name": "Near", "type": "distanceSort", "sortDirection": "ascending", "sortAttribute": "skill"}]}"#;
    let first = |sort_rules, skills_of: &[f64]| {
        let mut play = Play::with(text, under(Compat { sort_rules, ..Compat::default() }));
        skills(&mut play, skills_of);
        play.matched().swap_remove(0)
    };
    assert_eq!(first(SortRules::BeforeAge, &[10.0, 50.0, 11.0]), ["t0", "t2"]);
    assert_eq!(first(SortRules::AfterAge, &[10.0, 50.0, 11.0]), ["t0", "t1"]);
    let mut play = Play::with(text, under(Compat { sort_rules: SortRules::AfterAge, ..Compat::default() }));
    for (id, skill) in [("a", 10.0), ("b", 50.0), ("c", 11.0)] {
        put(&mut play, 0, id, vec![player(id, &[("skill", number(skill))])]);
    }
    assert_eq!(play.at(1).matched(), [["a", "c"]], "of one age, the sort rule decides");
}

#[test]
fn a_party_is_sorted_into_batches_by_its_average_or_its_first_player() {
    let text = r#"{"ruleLanguageVersion": "1.0", "playerAttributes": [{"name": "skill", "type": "number"}],
        "algorithm": {"batchingPreference": "sorted", "sortByAttributes": ["skill"]},
        "teams": [{"name": "all", "minPlayers": 3, "maxPlayers": 3}]}"#;
    let matched = |party_sort_value| {
        let compat = Compat { party_sort_value, ..Compat::default() };
        let mut play = Play::with(text, Settings { batch_size: Some(2), ..under(compat) });
        let players =
            [0.0, 100.0].map(|skill| player(&format!("party-{skill}"), &[("skill", number(skill))]));
        put(&mut play, 0, "party", players.into());
        for (id, skill) in [("ten", 10.0), ("forty", 40.0), ("sixty", 60.0)] {
            put(&mut play, 0, id, vec![player(id, &[("skill", number(skill))])]);
        }
        play.at(1).matched()
    };
    assert_eq!(matched(PartySortValue::Average), [["party", "sixty"]]);
    assert_eq!(matched(PartySortValue::First), [["party", "ten"]]);
}

#[test]
fn seats_stay_empty_in_the_match_or_in_each_team() {
    let text = r#"{"ruleLanguageVersion": "1.0", "playerAttributes": [{"name": "skill", "type": "number"}],
        "teams": [{"name": "a", "minPlayers": 3, "maxPlayers": 6}, {"name": "b", "minPlayers": 3, "maxPlayers": 6}]}"#;
    let players = |additional_players, additional_player_count| {
        let compat = Compat { additional_players, ..Compat::default() };
        let mut play = Play::with(text, Settings { additional_player_count, ..under(compat) });
        skills(&mut play, &[1.0; 12]);
        play.matches[0].players.len()
    };
    assert_eq!(players(AdditionalPlayers::OfTheMatch, 2), 10);
    assert_eq!(players(AdditionalPlayers::OfEachTeam, 2), 8);
    assert_eq!(players(AdditionalPlayers::OfTheMatch, 9), 6, "never below the minimum");
    assert_eq!(players(AdditionalPlayers::OfEachTeam, 9), 6, "never below the minimum");
}

/// Small, for a test; dealt and balanced as a large match is.
const BALANCED: &str = r#"{"ruleLanguageVersion": "1.0", "playerAttributes": [{"name": "skill", "type": "number"}],
    "algorithm": {"strategy": "balanced", "balancedAttribute": "skill"},
    "teams": [{"name": "a", "minPlayers": 2, "maxPlayers": 2}, {"name": "b", "minPlayers": 2, "maxPlayers": 2}]}"#;

#[test]
fn a_party_is_dealt_as_one_or_player_by_player() {
    let teams_of_a_party = |large_match_parties, sizes: [usize; 2]| {
        let mut play = Play::with(BALANCED, under(Compat { large_match_parties, ..Compat::default() }));
        for (ticket, size) in ["one", "two"].into_iter().zip(sizes) {
            let players = (0..size).map(|at| player(&format!("{ticket}-{at}"), &[("skill", number(1.0))]));
            put(&mut play, 0, ticket, players.collect());
        }
        let found = play.at(1).matches.pop()?;
        let of_one = found.players.iter().filter(|player| player.ticket_id.as_str() == "one");
        Some(of_one.map(|player| player.team.to_string()).collect::<BTreeSet<_>>().len())
    };
    assert_eq!(teams_of_a_party(LargeMatchParties::Together, [2, 2]), Some(1));
    assert_eq!(teams_of_a_party(LargeMatchParties::EachPlayer, [2, 2]), Some(2));
    assert_eq!(teams_of_a_party(LargeMatchParties::Together, [3, 1]), None, "three fit no team");
    assert_eq!(teams_of_a_party(LargeMatchParties::EachPlayer, [3, 1]), Some(2));
}

#[test]
fn teams_are_balanced_or_stay_as_dealt() {
    let gap = |balancing| {
        let mut play = Play::with(BALANCED, under(Compat { balancing, ..Compat::default() }));
        skills(&mut play, &[10.0, 1.0, 9.0, 2.0]);
        let of_a = play.matches[0].players.iter().filter(|player| player.team.as_str() == "a");
        let sum: f64 = of_a.filter_map(|player| player.player().number(0)).sum();
        (22.0 - 2.0 * sum).abs()
    };
    assert_eq!(gap(Balancing::Swap), 0.0);
    assert_eq!(gap(Balancing::AsDealt), 16.0);
}

#[test]
fn a_team_in_a_request_counts_or_is_ignored() {
    let matches = |requested_team| {
        let mut play = Play::with(DUEL, under(Compat { requested_team, ..Compat::default() }));
        for id in ["a", "b"] {
            play.submit(id, vec![PlayerRequest { team: Some("red".into()), ..player(id, &[]) }]);
        }
        play.at(1).matches.len()
    };
    assert_eq!(matches(RequestedTeam::Honour), 0);
    assert_eq!(matches(RequestedTeam::Ignore), 1);
}

#[test]
fn a_returned_ticket_keeps_its_age_or_starts_anew() {
    let text = r#"{"ruleLanguageVersion": "1.0",
        "teams": [{"name": "all", "minPlayers": 2, "maxPlayers": 2}],
        "expansions": [{"target": "teams[all].minPlayers", "steps": [{"waitTimeSeconds": 10, "value": 1}]}]}"#;
    let alone_at = |returned_age| {
        let settings =
            Settings { acceptance_required: true, ..under(Compat { returned_age, ..Compat::default() }) };
        let mut play = Play::with(text, settings);
        play.solo("a", &[]).solo("b", &[]).at(8).accept("b", AcceptanceType::Reject);
        (8..30).find(|second| play.at(*second).status("a") == TicketStatus::RequiresAcceptance)
    };
    assert_eq!(alone_at(ReturnedAge::Keep), Some(10));
    assert_eq!(alone_at(ReturnedAge::Restart), Some(18));
}

#[test]
fn a_returned_ticket_keeps_its_place_or_queues_behind_the_others() {
    let text =
        r#"{"ruleLanguageVersion": "1.0", "teams": [{"name": "all", "minPlayers": 3, "maxPlayers": 3}]}"#;
    let second_match = |returned_age| {
        let settings = Settings {
            acceptance_required: true,
            pass_interval_ms: 5_000,
            ..under(Compat { returned_age, ..Compat::default() })
        };
        let mut play = Play::with(text, settings);
        play.solo("a", &[]).solo("b", &[]).solo("c", &[]).at(5);
        for id in ["d", "e"] {
            put(&mut play, 5_000, id, vec![player(id, &[])]);
        }
        // Still in line when the rejection sends others back.
        put(&mut play, 5_500, "f", vec![player("f", &[])]);
        play.accept("c", AcceptanceType::Reject).at(10);
        let asked = |id: &&str| play.status(id) == TicketStatus::RequiresAcceptance;
        ["a", "b", "d", "e", "f"].into_iter().filter(asked).collect::<Vec<_>>()
    };
    assert_eq!(second_match(ReturnedAge::Keep), ["a", "b", "d"]);
    assert_eq!(second_match(ReturnedAge::Restart), ["d", "e", "f"]);
}

fn ten_seconds(compat: Compat) -> Settings {
    Settings { request_timeout_seconds: 10, ..under(compat) }
}

#[test]
fn a_request_times_out_in_placing_while_asked_or_neither() {
    let at_ten = |request_timeout, acceptance_required| {
        let settings =
            Settings { acceptance_required, ..ten_seconds(Compat { request_timeout, ..Compat::default() }) };
        let mut play = Play::with(DUEL, settings);
        play.solo("a", &[]).at(5).solo("b", &[]).at(10);
        let told = play.story("a").last() == Some(&EventType::MatchmakingTimedOut);
        assert_eq!(told, play.status("a") == TicketStatus::TimedOut);
        (play.status("a"), play.status("b"))
    };
    use TicketStatus::{Placing, RequiresAcceptance, Searching, TimedOut};
    assert_eq!(at_ten(RequestTimeout::WhilePlacing, false), (TimedOut, Placing));
    assert_eq!(at_ten(RequestTimeout::WhileSearching, false), (Placing, Placing));
    assert_eq!(at_ten(RequestTimeout::Always, false), (TimedOut, Placing));
    assert_eq!(at_ten(RequestTimeout::WhilePlacing, true), (RequiresAcceptance, RequiresAcceptance));
    assert_eq!(at_ten(RequestTimeout::WhileSearching, true), (RequiresAcceptance, RequiresAcceptance));
    assert_eq!(at_ten(RequestTimeout::Always, true), (TimedOut, Searching));
}

#[test]
fn the_moment_of_the_timeout_is_still_good_for_a_match_or_not() {
    let at_ten = |last_moment| {
        let mut play = Play::with(DUEL, ten_seconds(Compat { last_moment, ..Compat::default() }));
        play.solo("a", &[]).at(9);
        put(&mut play, 10_000, "late", vec![player("late", &[])]);
        play.at(10).status("a")
    };
    assert_eq!(at_ten(LastMoment::Match), TicketStatus::Placing);
    assert_eq!(at_ten(LastMoment::TimeOut), TicketStatus::TimedOut);
}

#[test]
fn a_party_that_counts_once_is_matched_as_one() {
    let text = r#"{"ruleLanguageVersion": "1.0",
        "playerAttributes": [{"name": "skill", "type": "number"}, {"name": "map", "type": "string"}],
        "teams": [{"name": "a", "minPlayers": 2, "maxPlayers": 2}, {"name": "b", "minPlayers": 2, "maxPlayers": 2}],
        "rules": [
            {"name": "Close", "type": "distance", "maxDistance": 10,
             "measurements": ["max(flatten(teams[*].players.attributes[skill]))"],
             "referenceValue": "min(flatten(teams[*].players.attributes[skill]))"},
            {"name": "Map", "type": "comparison", "operation": "=",
             "measurements": ["flatten(teams[*].players.attributes[map])"]}]}"#;
    let matched = |party, engine| {
        let mut play = Play::with(text, Settings { engine, ..under(Compat { party, ..Compat::default() }) });
        let ticket = |id: &str, skills: [f64; 2]| {
            let one = |skill: f64| {
                let attributes = [("skill", number(skill)), ("map", crate::play::text("x"))];
                player(&format!("{id}{skill}"), &attributes)
            };
            skills.map(one).to_vec()
        };
        put(&mut play, 0, "mixed", ticket("mixed", [0.0, 100.0]));
        put(&mut play, 0, "strong", ticket("strong", [95.0, 98.0]));
        put(&mut play, 0, "fifty", ticket("fifty", [48.0, 49.0]));
        play.at(1).matched()
    };
    for engine in [flexmatch::matchmaker::Engine::Compiled, flexmatch::matchmaker::Engine::Reference] {
        assert!(matched(PartyReading::PerPlayer, engine).is_empty());
        assert_eq!(matched(PartyReading::Collapsed, engine), [["fifty", "mixed"]], "50 and 48.5 are close");
    }
}
