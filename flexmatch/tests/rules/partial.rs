//! Which failures on a match with room are for ever, and which may mend.

use flexmatch::compat::PartialMatches;
use flexmatch::{Compat, MatchView, Verdict};
use serde_json::{Value, json};

use crate::bench::{
    alike, fails, names, one_rule, parsed, player, rule_set, verdict_of, verdict_under, verdicts,
};

fn skill(value: f64) -> Value {
    json!({ "skill": value })
}

fn distance(measurement: &str, reference: Value, limit: Value) -> Value {
    let mut rule = json!({"type": "distance", "measurements": [measurement], "referenceValue": reference});
    rule.as_object_mut().unwrap().extend(limit.as_object().unwrap().clone());
    rule
}

fn comparison(measurement: &str, operation: &str, reference: Value) -> Value {
    json!({"type": "comparison", "measurements": [measurement], "operation": operation, "referenceValue": reference})
}

const ALL: &str = "flatten(teams[*].players.attributes[skill])";

#[test]
fn a_spread_that_is_too_large_never_shrinks() {
    let rule = distance(&format!("max({ALL})"), format!("min({ALL})").into(), json!({"maxDistance": 10}));
    assert_eq!(verdict_of(rule.clone(), &[skill(0.0)], &[skill(10.0)]), Verdict::Pass);
    assert_eq!(verdict_of(rule, &[skill(0.0)], &[skill(11.0)]), Verdict::Fail);
}

#[test]
fn two_values_too_far_apart_for_any_average_fail_for_ever() {
    let rule = distance(ALL, format!("avg({ALL})").into(), json!({"maxDistance": 10}));
    let verdict =
        |red: &[f64]| verdict_of(rule.clone(), &red.iter().copied().map(skill).collect::<Vec<_>>(), &[]);
    assert_eq!(verdict(&[0.0, 20.0]), Verdict::Pass);
    assert_eq!(verdict(&[0.0, 0.0, 20.0]), Verdict::NotYet, "one of 20 more, and both are near the average");
    assert_eq!(verdict(&[0.0, 21.0]), Verdict::Fail);
}

#[test]
fn a_spread_that_is_too_small_may_grow() {
    let rule = distance(&format!("max({ALL})"), format!("min({ALL})").into(), json!({"minDistance": 10}));
    assert_eq!(verdict_of(rule, &[skill(0.0)], &[skill(5.0)]), Verdict::NotYet);
}

#[test]
fn a_player_against_a_constant_is_decided_at_once() {
    let rule = comparison("teams[red].players.attributes[skill]", ">=", 5.into());
    assert_eq!(verdict_of(rule.clone(), &[skill(5.0)], &[]), Verdict::Pass);
    assert_eq!(verdict_of(rule, &[skill(5.0), skill(4.0)], &[]), Verdict::Fail);
}

#[test]
fn players_who_must_agree_or_differ_and_do_not_are_decided_at_once() {
    let rule = |operation: &str| {
        let guilds = "flatten(teams[*].players.attributes[clan])";
        json!({"type": "comparison", "measurements": [guilds], "operation": operation})
    };
    let clan = |name: &str| json!({ "clan": name });
    assert_eq!(verdict_of(rule("="), &[clan("a")], &[clan("b")]), Verdict::Fail);
    assert_eq!(verdict_of(rule("="), &[clan("a")], &[clan("a")]), Verdict::Pass);
    assert_eq!(verdict_of(rule("!="), &[clan("a")], &[clan("a")]), Verdict::Fail);
    assert_eq!(verdict_of(rule("!="), &[clan("a")], &[clan("b")]), Verdict::Pass);
    assert_eq!(verdict_of(rule("!="), &[clan("a")], &[]), Verdict::Pass, "alone, one differs from everybody");
}

#[test]
fn team_sizes_that_differ_may_even_out_but_a_full_match_is_what_it_is() {
    let rule = comparison("count(teams[red].players)", "=", "count(teams[blue].players)".into());
    let one = skill(1.0);
    assert_eq!(
        verdict_of(rule.clone(), std::slice::from_ref(&one), &[]),
        Verdict::NotYet,
        "or no ticket could ever be first"
    );
    let four = vec![one.clone(); 4];
    assert_eq!(verdict_of(rule.clone(), &four, &[one.clone(), one.clone()]), Verdict::NotYet);
    assert_eq!(verdict_of(rule, &four, &four), Verdict::Pass);
}

#[test]
fn a_measured_team_that_is_full_does_not_change_any_more() {
    let rule = comparison("count(teams[red].players)", "=", 3.into());
    let one = skill(1.0);
    assert_eq!(verdict_of(rule.clone(), &vec![one.clone(); 2], &[]), Verdict::NotYet);
    assert_eq!(verdict_of(rule, &vec![one.clone(); 4], &[]), Verdict::Fail);
    let average = comparison("avg(teams[red].players.attributes[skill])", ">", 5.into());
    let optimal = Compat { partial_matches: PartialMatches::Optimal, ..Compat::default() };
    assert_eq!(verdict_under(average.clone(), &vec![one.clone(); 3], &[], &optimal), Verdict::NotYet);
    assert_eq!(verdict_under(average, &vec![one; 4], &[], &optimal), Verdict::Fail);
}

#[test]
fn a_count_that_is_too_high_stays_too_high_and_one_too_low_may_rise() {
    let rule = comparison("count(flatten(teams[*].players))", "<=", 1.into());
    assert_eq!(verdict_of(rule, &[skill(1.0)], &[skill(1.0)]), Verdict::Fail);
    let rule = comparison("count(flatten(teams[*].players))", ">=", 3.into());
    assert_eq!(verdict_of(rule, &[skill(1.0)], &[skill(1.0)]), Verdict::NotYet);
}

#[test]
fn averages_gate_as_the_guide_says_once_every_team_has_a_player_unless_the_search_backtracks() {
    let rule = distance(
        "avg(teams[*].players.attributes[skill])",
        format!("avg({ALL})").into(),
        json!({"maxDistance": 10}),
    );
    let (low, high) = ([skill(10.0)], [skill(40.0)]);
    assert_eq!(verdict_of(rule.clone(), &low, &[]), Verdict::Pass);
    assert_eq!(verdict_of(rule.clone(), &low, &high), Verdict::Fail);
    let optimal = Compat { partial_matches: PartialMatches::Optimal, ..Compat::default() };
    assert_eq!(verdict_under(rule, &low, &high, &optimal), Verdict::NotYet);
    let spread = distance(
        "teams[red].players.attributes[skill]",
        format!("avg({ALL})").into(),
        json!({"maxDistance": 1}),
    );
    assert_eq!(
        verdict_of(spread, &[skill(0.0), skill(9.0)], &[]),
        Verdict::NotYet,
        "the reference's team is empty"
    );
}

fn collection(operation: &str, measurement: &str, more: Value) -> Value {
    let mut rule = json!({"type": "collection", "operation": operation, "measurements": measurement});
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rule
}

const MODES: &str = "flatten(teams[*].players.attributes[modes])";

fn modes(values: &[&str]) -> Value {
    json!({ "modes": values })
}

#[test]
fn what_all_have_in_common_only_shrinks() {
    let least = collection("intersection", MODES, json!({"minCount": 1}));
    assert_eq!(verdict_of(least.clone(), &[modes(&["a", "b"])], &[modes(&["b"])]), Verdict::Pass);
    assert_eq!(verdict_of(least, &[modes(&["a"])], &[modes(&["b"])]), Verdict::Fail);
    let most = collection("intersection", MODES, json!({"maxCount": 1}));
    assert_eq!(verdict_of(most, &[modes(&["a", "b"])], &[]), Verdict::NotYet);
}

#[test]
fn lists_that_contain_a_value_only_become_more() {
    let most = collection("contains", MODES, json!({"referenceValue": "surgeon", "maxCount": 1}));
    assert_eq!(verdict_of(most, &[modes(&["surgeon"])], &[modes(&["surgeon"])]), Verdict::Fail);
    let least = collection("contains", MODES, json!({"referenceValue": "surgeon", "minCount": 1}));
    assert_eq!(verdict_of(least.clone(), &[modes(&["smith"])], &[]), Verdict::NotYet);
    assert_eq!(verdict_of(least, &[], &[]), Verdict::NotYet, "nobody there contains nothing");
}

#[test]
fn references_that_grow_or_shrink_decide_which_bound_is_final() {
    let blocked = collection(
        "reference_intersection_count",
        MODES,
        json!({"referenceValue": "flatten(teams[*].players[playerId])", "maxCount": 0}),
    );
    assert_eq!(verdict_of(blocked.clone(), &[modes(&["p2"])], &[modes(&[])]), Verdict::Fail);
    assert_eq!(verdict_of(blocked, &[modes(&["p3"])], &[modes(&[])]), Verdict::Pass);
    let wished = collection(
        "reference_intersection_count",
        MODES,
        json!({"referenceValue": format!("set_intersection({MODES})"), "minCount": 1}),
    );
    assert_eq!(verdict_of(wished, &[modes(&["a"])], &[modes(&["b"])]), Verdict::Fail);
    let named = collection(
        "reference_intersection_count",
        MODES,
        json!({"referenceValue": ["a", "b"], "minCount": 2}),
    );
    assert_eq!(verdict_of(named.clone(), &[modes(&["b", "a", "c"])], &[]), Verdict::Pass);
    assert_eq!(verdict_of(named, &[modes(&["a"])], &[]), Verdict::Fail, "a player's list does not grow");
}

#[test]
fn what_a_team_has_in_common_begins_with_its_first_player() {
    let by_team = "set_intersection(teams[*].players.attributes[modes])";
    let blue = "set_intersection(teams[blue].players.attributes[modes])";
    let all = format!("set_intersection({MODES})");
    let named = json!({"referenceValue": ["a"], "minCount": 1});
    for measured in [by_team, blue] {
        for rule in [
            collection("intersection", measured, json!({"minCount": 1})),
            collection("reference_intersection_count", measured, named.clone()),
            comparison(&format!("count({measured})"), ">", 0.into()),
        ] {
            assert_eq!(verdict_of(rule.clone(), &[modes(&["a"])], &[]), Verdict::NotYet, "{rule}");
            assert_eq!(verdict_of(rule.clone(), &[modes(&["a"])], &[modes(&["a"])]), Verdict::Pass, "{rule}");
            assert_eq!(verdict_of(rule.clone(), &[modes(&["a"])], &[modes(&[])]), Verdict::Fail, "{rule}");
        }
    }
    let together = collection("reference_intersection_count", &all, named);
    assert_eq!(verdict_of(together.clone(), &[], &[]), Verdict::NotYet);
    assert_eq!(verdict_of(together, &[modes(&["b"])], &[]), Verdict::Fail, "one list of all players");
}

#[test]
fn batches_that_are_too_far_apart_stay_so() {
    let numbers = json!({"type": "batchDistance", "batchAttribute": "skill", "maxDistance": 2});
    assert_eq!(verdict_of(numbers.clone(), &[skill(1.0)], &[skill(3.0)]), Verdict::Pass);
    assert_eq!(verdict_of(numbers, &[skill(1.0)], &[skill(4.0)]), Verdict::Fail);
    let strings = json!({"type": "batchDistance", "batchAttribute": "clan"});
    assert_eq!(verdict_of(strings, &[json!({"clan": "a"})], &[json!({"clan": "b"})]), Verdict::Fail);
}

#[test]
fn sort_rules_reject_nobody() {
    let rule = json!({"type": "distanceSort", "sortAttribute": "skill", "sortDirection": "ascending"});
    assert_eq!(verdict_of(rule, &[skill(1.0)], &[skill(1e9)]), Verdict::Pass);
}

#[test]
fn a_compound_rule_is_hopeless_only_if_no_way_is_left() {
    let rule_set = rule_set("compound");
    let one = |league: f64, skill: f64, map: &str| json!({"league": league, "skill": skill, "map": map, "mode": "d"});
    let compound = |blue: Value| {
        verdicts(&rule_set, &[vec![one(1.0, 10.0, "m")], vec![blue]], &Compat::default())["EitherOr"]
    };
    assert_eq!(compound(one(1.0, 90.0, "m")), Verdict::Pass, "the maps agree");
    assert_eq!(compound(one(1.0, 10.0, "n")), Verdict::Pass, "the skills are close");
    assert_eq!(compound(one(1.0, 90.0, "n")), Verdict::Fail);
}

#[test]
fn a_window_inside_a_compound_rule_waits_for_more_players() {
    let rule_set = rule_set("amber_jade_all");
    let classic = json!({"GameMode": ["League"]});
    let said = verdicts(&rule_set, &[vec![classic.clone()], vec![classic]], &Compat::default());
    assert_eq!(said["League-Book"], Verdict::NotYet);
    assert_eq!(said["RuleBookRule"], Verdict::NotYet);
    assert_eq!(said["ShortWire"], Verdict::Fail, "nobody sent latencies");
}

#[test]
fn a_rule_without_anything_to_measure_passes_and_says_so() {
    use serde_json::json as j;
    let empty = crate::bench::checked("guilds", 0, j!({"team_1": [], "team_2": []}));
    assert!(empty.rules.iter().take(2).all(|rule| rule.pass && rule.numbers == "nothing to measure"));
}

#[test]
fn complete_matches_are_judged_as_they_stand() {
    assert_eq!(
        fails("two_on_two", 0, json!({"A": alike(2, &json!({})), "B": alike(1, &json!({}))})),
        names(["SameHeadcount"])
    );
}

#[test]
fn a_location_far_from_the_lowest_latency_is_lost_and_far_from_the_average_may_come_back() {
    let verdict = |reference: &str, partial_matches| {
        let rule = json!({"type": "latency", "maxDistance": 20, "distanceReference": reference});
        let (rule_set, _) = parsed(&one_rule(rule).to_string());
        let at = |latency| player(&rule_set, "p", u64::from(latency), &json!({}), &[("us-east-1", latency)]);
        let (near, far) = (at(10), at(90));
        let compat = Compat { partial_matches, ..Compat::default() };
        let teams = [vec![&near], vec![&far]];
        rule_set.effective(0).verdict(&MatchView { teams: &teams, complete: false }, &compat)
    };
    assert_eq!(verdict("min", PartialMatches::Optimal), Verdict::Fail);
    assert_eq!(verdict("avg", PartialMatches::Optimal), Verdict::NotYet);
    assert_eq!(verdict("avg", PartialMatches::AwsGreedy), Verdict::Fail, "as all averages");
}

#[test]
fn a_value_that_fails_but_may_vanish_is_not_held_against_the_match() {
    let common = format!("set_intersection({MODES})");
    let rule = comparison(&common, "=", "a".into());
    assert_eq!(verdict_of(rule.clone(), &[modes(&["a", "b"])], &[]), Verdict::NotYet, "the next may lack b");
    assert_eq!(verdict_of(rule, &[modes(&["a", "b"])], &[modes(&["a"])]), Verdict::Pass);
}

#[test]
fn the_numbers_are_those_of_the_value_furthest_from_passing() {
    let told = |rule: Value, skills: &[f64]| {
        let (rule_set, _) = parsed(&one_rule(rule).to_string());
        let team: Vec<_> =
            skills.iter().map(|value| player(&rule_set, "p", 0, &skill(*value), &[])).collect();
        let teams = [team.iter().collect()];
        let view = MatchView { teams: &teams, complete: true };
        rule_set.effective(0).evaluate(&view, &Compat::default())[0].numbers.to_string()
    };
    let each = "teams[red].players.attributes[skill]";
    assert_eq!(told(comparison(each, "<", 5.into()), &[7.0, 9.0, 1.0]), "9 < 5");
    assert_eq!(
        told(comparison(each, ">=", 5.into()), &[7.0, 6.0, 8.0]),
        "6 >= 5",
        "or of the one nearest to failing"
    );
    assert_eq!(told(comparison(each, "=", 5.into()), &[5.0, 2.0, 6.0]), "2 = 5");
    let rule = distance(each, 5.into(), json!({"maxDistance": 1}));
    assert_eq!(told(rule, &[7.0, 1.0, 5.0]), "1 is 4 away from 5 (at most 1)");
}
