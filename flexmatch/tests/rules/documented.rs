//! What AWS's guide, its samples and its engineers promise of these rule sets, on complete matches.

use flexmatch::rule_set::{BackfillPriority, BatchingPreference, ExpansionAgeSelection, Strategy};
use flexmatch::{Compat, Player};
use serde_json::{Value, json};

use crate::bench::{alike, checked, fails, names, near, player, players, rule_set};

fn skills(values: &[f64]) -> Value {
    players(values.iter().map(|skill| json!({ "skill": skill })))
}

#[test]
fn rovers_and_miners_average_within_ten_of_the_match_and_are_equally_many() {
    let deal = |miners: &[f64], rovers: &[f64]| json!({"miners": skills(miners), "rovers": skills(rovers)});
    let halves = deal(&[10.0; 4], &[40.0; 4]);
    assert_eq!(
        fails("rovers_against_miners", 0, halves.clone()),
        names(["EvenSides"]),
        "15 from the average"
    );
    assert_eq!(fails("rovers_against_miners", 4, halves.clone()), names(["EvenSides"]));
    assert_eq!(fails("rovers_against_miners", 5, halves), names([]), "50 is allowed from 5 s on");
    let dealt = deal(&[10.0, 10.0, 40.0, 40.0], &[10.0, 10.0, 40.0, 40.0]);
    assert_eq!(fails("rovers_against_miners", 0, dealt), names([]));
    assert_eq!(fails("rovers_against_miners", 0, deal(&[10.0; 5], &[10.0; 4])), names(["SameHeadcount"]));
    assert_eq!(
        fails("rovers_against_miners", 0, deal(&[10.0; 4], &[30.0; 4])),
        names([]),
        "a gap of 20 is legal"
    );
    assert_eq!(fails("rovers_against_miners", 0, deal(&[10.0; 4], &[31.0; 4])), names(["EvenSides"]));
    assert_eq!(fails("rovers_against_miners", 5, deal(&[0.0; 4], &[102.0; 4])), names(["EvenSides"]));
    assert_eq!(
        fails("rovers_against_miners", 15, deal(&[0.0; 4], &[102.0; 4])),
        names([]),
        "100 from 15 s on"
    );
}

#[test]
fn team_sizes_are_checked_besides_the_rules() {
    let three = json!({"miners": skills(&[1.0; 3]), "rovers": skills(&[1.0; 3])});
    let outcome = checked("rovers_against_miners", 0, three);
    assert!(outcome.rules.iter().all(|rule| rule.pass) && !outcome.is_match());
    assert_eq!(outcome.sizes.len(), 2);
    let five_and_one = |divers: usize| {
        let diver = json!({"skill": 10, "wishedDepth": 5, "wouldBeKraken": 0});
        json!({"players": alike(divers, &diver), "kraken": alike(1, &json!({"wouldBeKraken": 1}))})
    };
    for (divers, age, fits) in [(5, 0, true), (4, 29, false), (4, 30, true), (3, 59, false), (3, 60, true)] {
        assert_eq!(
            checked("divers_against_kraken", age, five_and_one(divers)).is_match(),
            fits,
            "{divers} at {age}"
        );
    }
}

#[test]
fn the_kraken_asks_for_it_and_is_as_strong_as_the_boldest_diver_wishes() {
    let play = |kraken: f64, wants: f64, divers_want: f64| {
        let diver = |desired: f64| json!({"skill": 10, "wishedDepth": desired, "wouldBeKraken": 0});
        let mut divers: Vec<Value> = [5.0, 10.0, 15.0, 20.0, 25.0].map(diver).into();
        divers[0]["wouldBeKraken"] = divers_want.into();
        let kraken = json!({"skill": kraken, "wishedDepth": 10, "wouldBeKraken": wants});
        fails("divers_against_kraken", 0, json!({"players": players(divers), "kraken": players([kraken])}))
    };
    assert_eq!(play(25.0, 1.0, 0.0), names([]));
    assert_eq!(play(24.0, 1.0, 0.0), names(["KrakenDepth"]));
    assert_eq!(play(25.0, 0.0, 0.0), names(["KrakenVolunteers"]));
    assert_eq!(play(25.0, 1.0, 1.0), names(["DiversDoNot"]));
}

fn trios(sizes: [usize; 3], skills: [f64; 3], surgeons: usize, latency: u32) -> Value {
    let mut surgeons = surgeons;
    let mut team = |size: usize, skill: f64| {
        let team = players((0..size).map(|_| {
            let character = if surgeons > 0 { "surgeon" } else { "recruit" };
            surgeons = surgeons.saturating_sub(1);
            json!({"skill": skill, "character": [character]})
        }));
        near(team, &json!({"us-east-1": latency, "eu-west-1": latency + 80}))
    };
    json!({
        "trio_1": team(sizes[0], skills[0]),
        "trio_2": team(sizes[1], skills[1]),
        "trio_3": team(sizes[2], skills[2]),
    })
}

#[test]
fn three_teams_are_about_equally_large_with_at_most_five_surgeons() {
    let size = |sizes| fails("three_teams", 0, trios(sizes, [10.0; 3], 0, 50));
    assert_eq!(size([3, 3, 4]), names([]));
    assert_eq!(size([3, 5, 5]), names(["NearHeadcount"]));
    assert_eq!(fails("three_teams", 0, trios([3; 3], [10.0; 3], 5, 50)), names([]));
    assert_eq!(fails("three_teams", 0, trios([3; 3], [10.0; 3], 6, 50)), names(["SurgeonCap"]));
    assert_eq!(fails("three_teams", 0, trios([3; 3], [0.0, 10.0, 20.0], 0, 50)), names([]));
    assert_eq!(fails("three_teams", 0, trios([3; 3], [0.0, 10.0, 26.0], 0, 50)), names(["EvenSides"]));
}

#[test]
fn fifty_milliseconds_or_less_to_one_location_suffice() {
    let at = |latency, age| fails("three_teams", age, trios([3; 3], [10.0; 3], 0, latency)).is_empty();
    for (latency, age, fits) in [
        (50, 0, true),
        (51, 0, false),
        (51, 9, false),
        (51, 10, true),
        (101, 19, false),
        (101, 20, true),
        (151, 99, false),
    ] {
        assert_eq!(at(latency, age), fits, "{latency} ms at {age} s");
    }
}

#[test]
fn a_player_without_latencies_never_passes_a_latency_rule() {
    let mut teams = trios([3; 3], [10.0; 3], 0, 50);
    teams["trio_2"][1]["l"] = json!({});
    assert_eq!(fails("three_teams", 10_000, teams.clone()), names(["ShortWire"]));
    teams["trio_2"][1]["l"] = json!({"ap-south-1": 10});
    assert_eq!(fails("three_teams", 10_000, teams), names(["ShortWire"]), "no location in common");
}

#[test]
fn modes_and_maps_must_be_shared_by_everybody_not_pair_by_pair() {
    let team = |modes: [&[&str]; 3]| {
        players(modes.map(|modes| json!({"experience": 50, "gameMode": modes, "arenasLiked": ["x"]})))
    };
    let shared = json!({"red": team([&["a", "b"], &["b"], &["b", "c"]]), "blue": team([&["b"], &["b", "a"], &["c", "b"]])});
    assert_eq!(fails("arena_votes", 0, shared), names([]));
    let pairs =
        json!({"red": team([&["a", "b"], &["b", "c"], &["a", "c"]]), "blue": team([&["a"], &["b"], &["c"]])});
    assert_eq!(fails("arena_votes", 0, pairs), names(["CommonRuleBook"]));
}

#[test]
fn candidates_are_ordered_by_the_anchors_favourite_map_then_by_experience() {
    let rule_set = rule_set("arena_votes");
    let compat = Compat::default();
    let ticket = |id: &str, experience: f64, maps: Value| {
        player(&rule_set, id, 0, &json!({"experience": experience, "arenaRanking": maps}), &[])
    };
    let anchor = ticket("anchor", 50.0, json!({"A": 100, "B": 20}));
    let mut candidates = [
        ticket("p1", 10.0, json!({"A": 80})),
        ticket("p2", 45.0, json!({"A": 80})),
        ticket("p3", 50.0, json!({"B": 90})),
        ticket("p4", 99.0, json!({"A": 100})),
    ];
    let effective = rule_set.effective(0);
    let rules: Vec<_> = effective.sorts().map(|sort| sort.keys(&[&anchor], &compat)).collect();
    candidates.sort_by_key(|ticket| rules.iter().map(|rule| rule.of(&[ticket])).collect::<Vec<_>>());
    let order: Vec<&str> = candidates.iter().map(Player::id).collect();
    assert_eq!(order, ["p4", "p2", "p1", "p3"], "who lacks the map comes last");
}

#[test]
fn every_character_in_play_is_on_every_players_list_for_fifteen_seconds() {
    let all = ["a", "b", "c", "d", "e"];
    let team = |first_list: &[&str]| {
        let one = |(at, character): (usize, &str)| {
            let list: &[&str] = if at == 0 { first_list } else { &all };
            json!({"ownClass": [character], "wantedRivals": list})
        };
        json!({"red": players(all.into_iter().enumerate().map(one))})
    };
    assert_eq!(fails("chosen_rivals", 0, team(&all)), names([]));
    assert_eq!(fails("chosen_rivals", 14, team(&all[..4])), names(["RivalsAgree"]));
    assert_eq!(fails("chosen_rivals", 15, team(&all[..4])), names([]));
}

#[test]
fn two_players_share_mode_and_map_and_differ_in_character() {
    let play = |mode: &str, map: u32, character: u32| {
        let one = |mode: &str, map: u32, character: u32| {
            players([json!({"gameMode": mode, "gameMap": map, "character": character})])
        };
        let teams = json!({"player_1": one("chess-clock", 1, 1), "player_2": one(mode, map, character)});
        fails("across_players", 0, teams)
    };
    assert_eq!(play("chess-clock", 1, 2), names([]));
    assert_eq!(play("chess-clock", 1, 1), names(["AnotherClass"]));
    assert_eq!(play("real-time", 2, 2), names(["ThatRuleBook", "ThatArena"]));
}

#[test]
fn a_player_without_an_attribute_that_has_no_default_is_never_part_of_a_match() {
    let nameless = json!({"player_1": players([json!({})]), "player_2": players([json!({"character": 1})])});
    let outcome = checked("across_players", 0, nameless);
    assert_eq!(outcome.incomplete, ["p0"]);
    assert!(!outcome.is_match());
    let each_for_self = rule_set("each_for_self");
    assert!(player(&each_for_self, "p", 0, &json!({}), &[]).lacks_an_attribute(), "skill has no default");
}

fn sizes(name: &str, age: u64) -> Vec<(u32, u32)> {
    let rule_set = rule_set(name);
    rule_set.effective(age).teams().iter().map(|team| (team.min_players, team.max_players)).collect()
}

#[test]
fn large_matches_shrink_at_their_steps() {
    let smallest = |name: &str, age| {
        let rule_set = rule_set(name);
        assert!(rule_set.is_large());
        rule_set.effective(age).min_players()
    };
    for (age, least) in [(0, 175), (9, 175), (10, 150), (14, 150), (15, 100), (43_200, 100)] {
        assert_eq!(smallest("each_for_self", age), least, "at {age} s");
    }
    for (age, least) in [(0, 125), (14, 125), (15, 105), (19, 105), (20, 85)] {
        assert_eq!(smallest("deep_divers", age), least, "at {age} s: all ten teams of divers change");
    }
    for (age, least) in [(0, 50), (10, 40), (15, 25), (20, 10), (24, 10), (25, 3)] {
        assert_eq!(smallest("shrinking_royale", age), least, "at {age} s");
    }
    let latency = |age| rule_set("each_for_self").effective(age).latencies().next().unwrap().max_latency;
    assert_eq!([latency(11), latency(12)], [Some(150.0), Some(200.0)]);
    assert_eq!(rule_set("deep_divers").effective(0).max_players(), 155);
}

#[test]
fn small_matches_change_their_sizes_at_their_steps() {
    let hub: Vec<u32> = [0, 1, 2, 4, 6].map(|age| sizes("hub", age)[0].0).into();
    assert_eq!(hub, [4, 4, 3, 2, 1]);
    let min: Vec<u32> = [0, 29, 30, 39, 40, 44, 45].map(|age| sizes("shrinking_min", age)[0].0).into();
    assert_eq!(min, [4, 4, 3, 3, 2, 2, 1]);
    assert_eq!(sizes("shrinking_min", 35)[0].0, 3, "AWS's worked example: the pair is judged by age 35");
    let early: Vec<u32> = [4, 5, 14, 15, 44, 45].map(|age| sizes("shrinking_min_early", age)[0].0).into();
    assert_eq!(early, [4, 3, 3, 2, 2, 1]);
    assert_eq!(sizes("shrinking_teams", 20), [(0, 5), (0, 5)]);
    assert_eq!(sizes("mixed_quantities", 29), [(3, 3); 3]);
    assert_eq!(sizes("mixed_quantities", 30), [(3, 3), (3, 3), (0, 3)]);
    assert_eq!(sizes("empty_teams", 0), [(0, 1); 4]);
    assert_eq!(sizes("survival", 0), [(6, 25)]);
}

#[test]
fn teams_with_a_quantity_are_numbered_and_a_quantity_of_one_is_not() {
    let names = |name: &str| -> Vec<String> {
        rule_set(name).effective(0).teams().iter().map(|team| team.name.clone()).collect()
    };
    assert_eq!(names("three_teams"), ["trio_1", "trio_2", "trio_3"]);
    assert_eq!(names("across_players"), ["player_1", "player_2"]);
    assert_eq!(names("mixed_quantities"), ["LoneTeam_1", "LoneTeam_2", "Team1"]);
    assert_eq!(names("hub"), ["climbers"]);
    assert_eq!(names("team_with_space"), ["Team 1"]);
}

#[test]
fn a_hundred_on_a_hundred_are_close_in_league_and_skill_and_agree_on_map_and_mode() {
    let play = |age, leagues: f64, skills: f64, map: &str| {
        let plain = json!({"league": 1, "skill": 10, "map": "m", "mode": "d"});
        let mut blue = alike(100, &plain);
        blue[99]["a"] = json!({"league": 1.0 + leagues, "skill": 10.0 + skills, "map": map, "mode": "d"});
        fails("batch_distance", age, json!({"red": alike(100, &plain), "blue": blue}))
    };
    assert_eq!(play(0, 2.0, 10.0, "m"), names([]));
    assert_eq!(play(0, 3.0, 11.0, "n"), names(["CloseDivision", "CloseRank", "SameArena"]));
    assert_eq!(play(9, 0.0, 20.0, "m"), names(["CloseRank"]));
    assert_eq!(play(10, 0.0, 20.0, "m"), names([]));
    assert_eq!(play(19, 0.0, 40.0, "m"), names(["CloseRank"]));
    assert_eq!(play(20, 0.0, 40.0, "m"), names([]));
}

#[test]
fn members_of_a_compound_rule_need_not_hold_by_themselves() {
    let play = |age, skill: &dyn Fn(usize) -> f64, map: &dyn Fn(usize) -> &'static str| {
        let one = |at: usize| json!({"league": 1 + at % 3, "skill": skill(at), "map": map(at), "mode": "d"});
        let teams = json!({"red": players((0..10).map(one)), "blue": players((10..20).map(one))});
        checked("compound", age, teams)
    };
    let mixed = |at: usize| if at.is_multiple_of(2) { "m" } else { "n" };
    let wild = play(0, &|at| 20.0 * at as f64, &|_| "m");
    let failed: Vec<_> = wild.rules.iter().filter(|rule| !rule.pass).map(|rule| rule.name.as_str()).collect();
    assert_eq!(failed, ["NearRank"], "same map and mode");
    assert!(wild.is_match());
    assert!(play(0, &|_| 10.0, &mixed).is_match(), "close in skill and league");
    let spread = |at: usize| if at == 0 { 30.0 } else { 10.0 };
    let neither = play(0, &spread, &mixed);
    assert!(!neither.is_match() && !neither.rules[4].pass);
    assert!(!play(9, &spread, &mixed).is_match());
    assert!(play(10, &spread, &mixed).is_match(), "20 from 10 s on");
}

#[test]
fn nobody_may_block_anybody_in_the_match() {
    let play = |blocked: &str| {
        let red = players((0..5).map(|at| json!({"Shunned": if at == 0 { vec![blocked] } else { vec![] }})));
        let mut blue = alike(5, &json!({}));
        for (at, player) in blue.as_array_mut().unwrap().iter_mut().enumerate() {
            player["id"] = format!("b{at}").into();
        }
        fails("shun_list", 0, json!({"red": red, "blue": blue}))
    };
    assert_eq!(play("stranger"), names([]));
    assert_eq!(play("b4"), names(["NobodyShunned"]), "an opponent");
    assert_eq!(play("p3"), names(["NobodyShunned"]), "a team mate");
}

#[test]
fn everybody_is_within_ten_of_the_average_and_one_player_is_a_match() {
    let play = |age, values: &[f64], latency: u32| {
        checked("one_team", age, json!({"solecrew": near(skills(values), &json!({"us-east-1": latency}))}))
    };
    assert!(play(0, &[5.0, 15.0, 25.0], 60).is_match());
    assert!(!play(0, &[0.0, 15.0, 30.0], 60).rules[0].pass);
    assert!(play(0, &[42.0], 80).is_match());
    assert!(!play(4, &[42.0], 81).is_match());
    assert!(play(5, &[42.0], 1000).is_match());
}

#[test]
fn amber_and_dire_play_the_mode_whose_size_they_have() {
    let play = |age, mode: &str, size: usize, far: f64| {
        let team = |skill: f64| {
            near(alike(size, &json!({"skill": skill, "GameMode": [mode]})), &json!({"us-east-1": 70}))
        };
        checked("amber_jade_all", age, json!({"Amber": team(10.0), "Jade": team(10.0 + far)})).is_match()
    };
    let sizes = |mode: &str| -> Vec<usize> { (1..=8).filter(|size| play(0, mode, *size, 0.0)).collect() };
    assert_eq!(sizes("Siege"), [1, 2, 3]);
    assert_eq!(sizes("League"), [4, 5, 6]);
    assert_eq!(sizes("Drill"), [2, 3, 4, 5, 6, 7, 8]);
    for (age, far, fits) in
        [(0, 40.0, true), (0, 41.0, false), (20, 400.0, true), (39, 401.0, false), (40, 2000.0, true)]
    {
        assert_eq!(play(age, "League", 4, far), fits, "{far} apart at {age} s");
    }
}

#[test]
fn compound_members_that_fail_are_still_reported() {
    let team =
        |size| near(alike(size, &json!({"skill": 10, "GameMode": ["Siege"]})), &json!({"us-east-1": 70}));
    let survival = json!({"Amber": team(2), "Jade": team(2)});
    assert_eq!(fails("amber_jade_all", 0, survival), names(["League-Book", "Drill-Book"]));
}

#[test]
fn each_amber_and_dire_rule_set_has_its_own_window() {
    let play = |name: &str, mode: &str, size: usize, latency: u32, age| {
        let team = || near(alike(size, &json!({"GameMode": [mode]})), &json!({"us-east-1": latency}));
        checked(name, age, json!({"Amber": team(), "Jade": team()})).is_match()
    };
    assert!(!play("amber_jade_classic", "League", 3, 70, 0));
    assert!(play("amber_jade_classic", "League", 4, 70, 0));
    assert!(play("amber_jade_survival", "Siege", 1, 70, 0));
    assert!(!play("amber_jade_practice", "Drill", 1, 70, 0));
    for (latency, age, fits) in
        [(80, 0, true), (81, 29, false), (120, 30, true), (2000, 119, false), (2000, 120, true)]
    {
        assert_eq!(play("amber_jade_practice", "Drill", 2, latency, age), fits, "{latency} ms at {age} s");
    }
}

#[test]
fn guilds_play_against_each_other() {
    let play = |guilds: [&str; 4]| {
        let team = |guilds: &[&str]| players(guilds.iter().map(|clan| json!({ "guildTag": clan })));
        fails("guilds", 0, json!({"team_1": team(&guilds[..2]), "team_2": team(&guilds[2..])}))
    };
    assert_eq!(play(["A", "A", "B", "B"]), names([]));
    assert_eq!(play(["A", "A", "A", "A"]), names(["AnotherGuildEach"]));
    assert_eq!(play(["A", "B", "C", "C"]), names(["OneGuild_team_1"]));
}

#[test]
fn counting_rules_relax_with_their_reference_value() {
    let play = |age, crew: usize, patrol: usize| {
        let team = |size| alike(size, &json!({"rating": 1}));
        fails("count_rule", age, json!({"crew": team(crew), "patrol": team(patrol)})).is_empty()
    };
    assert!(play(0, 5, 5) && !play(29, 5, 4) && play(30, 4, 4) && !play(38, 4, 3) && play(39, 6, 0));
}

#[test]
fn equal_scores_and_short_ways_are_what_the_house_asks_for() {
    let play = |scores: [u32; 2]| {
        let one = |score: u32| players([json!({ "score": score })]);
        fails("house_strict", 0, json!({"player_1": one(scores[0]), "player_2": one(scores[1])}))
    };
    assert_eq!(play([1000, 1000]), names([]));
    assert_eq!(play([1000, 1001]), names(["OneScore"]));
    let fast = |age, latency: u32| {
        let one = || near(alike(1, &json!({})), &json!({"us-east-1": latency}));
        fails("house_fast", age, json!({"blue": one(), "red": one()})).is_empty()
    };
    assert!(fast(0, 50) && !fast(0, 51) && fast(10, 100) && fast(20, 150));
    let social = |age, latency: u32| {
        let one = near(alike(1, &json!({})), &json!({"us-east-1": latency}));
        fails("social_backfill", age, json!({ "Red": one })).is_empty()
    };
    assert!(social(0, 50) && !social(9, 100) && social(10, 100) && social(20, 300) && social(30, 10_000));
}

#[test]
fn teams_of_equal_size_are_counted_by_players() {
    let play = |name: &str, sizes: [usize; 2]| {
        checked(name, 0, json!({"A": alike(sizes[0], &json!({})), "B": alike(sizes[1], &json!({}))}))
    };
    assert!(play("two_on_two", [2, 2]).is_match() && play("seven_on_seven", [7, 7]).is_match());
    assert!(!play("two_on_two", [2, 1]).rules[0].pass);
}

#[test]
fn algorithms_read_as_written_and_default_as_documented() {
    let presort = rule_set("presort");
    assert_eq!(presort.algorithm().batching_preference, BatchingPreference::Sorted);
    assert_eq!(presort.algorithm().sort_by_attributes, [0, 1], "map, then skill");
    let all = rule_set("amber_jade_all");
    assert_eq!(all.algorithm().expansion_age_selection, ExpansionAgeSelection::Oldest);
    assert_eq!(all.algorithm().backfill_priority, BackfillPriority::High);
    let royale = rule_set("deep_divers");
    assert_eq!(royale.algorithm().strategy, Strategy::Balanced);
    assert_eq!(royale.algorithm().batching_preference, BatchingPreference::FastestRegion);
    assert_eq!(royale.algorithm().balanced_attribute, Some(0));
    let plain = rule_set("minimal");
    assert_eq!(plain.algorithm().strategy, Strategy::ExhaustiveSearch);
    assert_eq!(plain.algorithm().batching_preference, BatchingPreference::Random);
    assert_eq!(plain.algorithm().expansion_age_selection, ExpansionAgeSelection::Newest);
    assert_eq!(plain.effective(0).rules().len(), 0);
}

#[test]
fn the_next_step_is_known_in_advance() {
    let rule_set = rule_set("three_teams");
    assert_eq!(rule_set.next_step_after(0), Some(10));
    assert_eq!(rule_set.next_step_after(9), Some(10));
    assert_eq!(rule_set.next_step_after(10), Some(20));
    assert_eq!(rule_set.next_step_after(20), None);
}

#[test]
fn a_rule_set_of_every_rule_type_reads() {
    let rule_set = rule_set("rule_types");
    let batch: Vec<_> = rule_set.effective(0).batch_distances().map(|rule| rule.max_distance).collect();
    assert_eq!(batch, [Some(500.0), None], "a number in a string, and a string attribute");
    assert_eq!(rule_set.effective(0).sorts().count(), 1);
}
