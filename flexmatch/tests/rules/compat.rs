//! Every switch of `Compat` that concerns rules changes what it says it changes.

use flexmatch::compat::{
    BaseTeamName, Boundary, CrossedTeamSizes, DistanceReferenceList, EmptyMeasurement, MissingSortKey,
    PartyReading, SmallBalanced, Stddev, UndeclaredAttributes, UnknownKeys,
};
use flexmatch::{Compat, MatchView, PlayerData, PlayerError, RuleSet, Verdict};
use serde_json::{Value, json};

use crate::bench::{attribute, one_rule, parsed, player, rule_set, text, verdict_under};

#[test]
fn a_profile_goes_through_json_and_absent_switches_keep_their_defaults() {
    let compat =
        Compat { party: PartyReading::Collapsed, boundary: Boundary::Exclusive, ..Compat::default() };
    let text = serde_json::to_string(&compat).unwrap();
    assert_eq!(serde_json::from_str::<Compat>(&text).unwrap(), compat);
    let sparse: Compat = serde_json::from_str(r#"{"party": "collapsed", "boundary": "exclusive"}"#).unwrap();
    assert_eq!(sparse, compat);
    assert!(
        serde_json::from_str::<Compat>(r#"{"partty": "collapsed"}"#).is_err(),
        "a typo selects no default"
    );
}

/// Players of `two_on_two`: for each team the parties.
fn equal_sizes(parties: [&[u64]; 2], compat: &Compat) -> Verdict {
    let rule_set = rule_set("two_on_two");
    let team = |parties: &[u64]| -> Vec<_> {
        parties.iter().map(|party| player(&rule_set, "p", *party, &json!({}), &[])).collect()
    };
    let teams = parties.map(team);
    let seats: Vec<Vec<_>> = teams.iter().map(|team| team.iter().collect()).collect();
    rule_set.effective(0).verdict(&MatchView { teams: &seats, complete: true }, compat)
}

#[test]
fn a_party_counts_its_players_or_once() {
    let collapsed = Compat { party: PartyReading::Collapsed, ..Compat::default() };
    assert_eq!(equal_sizes([&[1, 1], &[2, 3]], &Compat::default()), Verdict::Pass);
    assert_eq!(equal_sizes([&[1, 1], &[2, 3]], &collapsed), Verdict::Fail, "one ticket against two");
    assert_eq!(equal_sizes([&[1, 1], &[2, 2]], &collapsed), Verdict::Pass);
}

#[test]
fn a_collapsed_party_is_its_average_its_extreme_or_its_lists_together() {
    let collapsed = Compat { party: PartyReading::Collapsed, ..Compat::default() };
    let verdict = |rule: Value, members: [Value; 2], compat: &Compat| {
        let (rule_set, _) = parsed(&one_rule(rule).to_string());
        let team = members.map(|attributes| player(&rule_set, "p", 1, &attributes, &[]));
        let seats = vec![team.iter().collect(), vec![]];
        rule_set.effective(0).verdict(&MatchView { teams: &seats, complete: true }, compat)
    };
    let within = |aggregation: &str| {
        json!({"type": "comparison", "measurements": ["teams[red].players.attributes[skill]"],
            "operation": "<=", "referenceValue": 10, "partyAggregation": aggregation})
    };
    let skills = [json!({"skill": 0}), json!({"skill": 20})];
    for (aggregation, said) in [("avg", Verdict::Pass), ("min", Verdict::Pass), ("max", Verdict::Fail)] {
        assert_eq!(verdict(within(aggregation), skills.clone(), &collapsed), said, "{aggregation}");
        assert_eq!(verdict(within(aggregation), skills.clone(), &Compat::default()), Verdict::Fail);
    }
    let two_modes = |aggregation: &str| {
        json!({"type": "collection", "measurements": ["teams[red].players.attributes[modes]"],
            "operation": "intersection", "minCount": 2, "partyAggregation": aggregation})
    };
    let lists = [json!({"modes": ["a"]}), json!({"modes": ["a", "b"]})];
    assert_eq!(verdict(two_modes("union"), lists.clone(), &collapsed), Verdict::Pass);
    assert_eq!(verdict(two_modes("intersection"), lists, &collapsed), Verdict::Fail);
}

#[test]
fn a_limit_includes_its_boundary_or_not() {
    let rule = json!({"type": "batchDistance", "batchAttribute": "skill", "maxDistance": 2});
    let exclusive = Compat { boundary: Boundary::Exclusive, ..Compat::default() };
    let (red, blue) = ([json!({"skill": 1})], [json!({"skill": 3})]);
    assert_eq!(verdict_under(rule.clone(), &red, &blue, &Compat::default()), Verdict::Pass);
    assert_eq!(verdict_under(rule, &red, &blue, &exclusive), Verdict::Fail);
    let parsed = RuleSet::parse_with(&text("three_teams"), &exclusive).unwrap().rule_set;
    assert_eq!(parsed.next_step_after(0), Some(11));
    assert_eq!(parsed.effective(10).latencies().next().unwrap().max_latency, Some(50.0));
    assert_eq!(parsed.effective(11).latencies().next().unwrap().max_latency, Some(100.0));
}

#[test]
fn a_deviation_is_of_the_population_or_of_a_sample() {
    // Of 0 and 2: 1 or the root of 2.
    let rule = json!({"type": "comparison", "measurements": ["stddev(teams[red].players.attributes[skill])"],
        "operation": "<=", "referenceValue": 1.2});
    let red = [json!({"skill": 0}), json!({"skill": 2}), json!({"skill": 1}), json!({"skill": 1})];
    let sample = Compat { stddev: Stddev::Sample, ..Compat::default() };
    assert_eq!(verdict_under(rule.clone(), &red[..2], &[], &Compat::default()), Verdict::Pass);
    assert_ne!(verdict_under(rule, &red[..2], &[], &sample), Verdict::Pass);
}

#[test]
fn nothing_to_measure_passes_or_fails() {
    let rule = json!({"type": "batchDistance", "batchAttribute": "skill", "maxDistance": 2});
    let fail = Compat { empty_measurement: EmptyMeasurement::Fail, ..Compat::default() };
    assert_eq!(verdict_under(rule.clone(), &[], &[], &Compat::default()), Verdict::Pass);
    assert_eq!(verdict_under(rule, &[], &[], &fail), Verdict::NotYet);
}

#[test]
fn what_is_read_with_a_warning_can_be_an_error() {
    let refused = |text: &str, compat: Compat, warning: &str, code: &str| {
        let accepted = RuleSet::parse(text).unwrap();
        assert!(accepted.warnings.iter().any(|finding| finding.code == warning));
        let findings = RuleSet::parse_with(text, &compat).unwrap_err();
        assert!(findings.iter().any(|finding| finding.code == code), "{findings:?}");
    };
    let team = |more: Value| {
        let mut rule_set = json!({"ruleLanguageVersion": "1.0",
            "teams": [{"name": "all", "minPlayers": 2, "maxPlayers": 3, "quantity": 2}]});
        rule_set.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rule_set.to_string()
    };
    let step = json!({"waitTimeSeconds": 5, "value": 1, "extra": 1});
    for extra in
        [json!({"extra": 1}), json!({"expansions": [{"target": "teams[all].minPlayers", "steps": [step]}]})]
    {
        refused(
            &team(extra),
            Compat { unknown_keys: UnknownKeys::Reject, ..Compat::default() },
            "unknown-key",
            "unknown-key",
        );
    }
    refused(
        &team(json!({"rules": [{"name": "r", "type": "comparison", "operation": ">", "referenceValue": 1,
            "measurements": ["count(teams[all].players)"]}]})),
        Compat { base_team_name: BaseTeamName::Reject, ..Compat::default() },
        "base-team-name",
        "unknown-team",
    );
    refused(
        &team(json!({"playerAttributes": [{"name": "skill", "type": "number"}],
            "algorithm": {"strategy": "balanced", "balancedAttribute": "skill"}})),
        Compat { small_balanced: SmallBalanced::Reject, ..Compat::default() },
        "balanced-small",
        "balanced-small",
    );
}

#[test]
fn a_list_of_references_pairs_up_or_is_refused() {
    let rule = json!({"type": "distance", "measurements": ["count(teams[red,blue].players)"],
        "referenceValue": "count(teams[blue,red].players)", "maxDistance": 1});
    let one = json!({"skill": 1});
    assert_eq!(
        verdict_under(rule.clone(), &[one.clone(), one.clone()], &[one], &Compat::default()),
        Verdict::Pass
    );
    let reject = Compat { distance_reference: DistanceReferenceList::Reject, ..Compat::default() };
    assert!(RuleSet::parse_with(&one_rule(rule).to_string(), &reject).is_err());
}

#[test]
fn crossed_team_sizes_are_mended_or_refused() {
    let text = json!({"ruleLanguageVersion": "1.0", "teams": [{"name": "a", "minPlayers": 2, "maxPlayers": 3}],
        "expansions": [{"target": "teams[a].minPlayers", "steps": [{"waitTimeSeconds": 1, "value": 4}]}]});
    let reject = Compat { crossed_team_sizes: CrossedTeamSizes::Reject, ..Compat::default() };
    assert!(RuleSet::parse_with(&text.to_string(), &reject).is_err());
    assert_eq!(parsed(&text.to_string()).0.effective(1).teams()[0].min_players, 3);
}

#[test]
fn a_missing_map_key_sorts_last_or_as_zero() {
    let rule_set = rule_set("arena_votes");
    let ticket = |maps: Value| player(&rule_set, "p", 0, &json!({ "arenaRanking": maps }), &[]);
    let (anchor, negative, lacks) =
        (ticket(json!({"A": 1})), ticket(json!({"A": -5})), ticket(json!({"B": 1})));
    let sort = rule_set.effective(0).sorts().next().unwrap();
    let before = |compat: &Compat| {
        sort.key(&[&anchor], &[&negative], compat) < sort.key(&[&anchor], &[&lacks], compat)
    };
    assert!(before(&Compat::default()));
    assert!(!before(&Compat { missing_sort_key: MissingSortKey::Zero, ..Compat::default() }));
}

#[test]
fn undeclared_attributes_are_left_out_or_refused_and_wrong_types_always_are() {
    let rule_set = rule_set("rovers_against_miners");
    let data = |name: &str, value: Value| PlayerData {
        id: "p".into(),
        attributes: [(name.to_owned(), attribute(&value))].into(),
        ..PlayerData::default()
    };
    let kept = rule_set.player(data("colour", json!("red")), 0, &Compat::default()).unwrap();
    assert_eq!((kept.attributes().len(), kept.number(0)), (1, Some(10.0)), "the default of skill");
    let reject = Compat { undeclared_attributes: UndeclaredAttributes::Reject, ..Compat::default() };
    assert!(matches!(
        rule_set.player(data("colour", json!("red")), 0, &reject),
        Err(PlayerError::Undeclared { .. })
    ));
    assert!(matches!(
        rule_set.player(data("skill", json!("high")), 0, &Compat::default()),
        Err(PlayerError::WrongType { .. })
    ));
}
