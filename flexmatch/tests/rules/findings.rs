//! What the validator says, and where.

use std::collections::BTreeSet;

use flexmatch::{RuleSet, Severity};
use serde_json::{Value, json};

use crate::bench::{errors, one_rule, parsed, text};

#[test]
fn every_fixture_is_valid_and_warned_about_where_it_should_be() {
    let expected: &[(&str, &[&str])] = &[
        ("comments", &["comment"]),
        ("duplicate_keys", &["duplicate-key", "newest-shrinking"]),
        ("compound", &["balanced-small"]),
        ("rule_types", &["numeric-string"]),
        ("each_for_self", &["newest-shrinking"]),
        ("hub", &["newest-shrinking"]),
        ("mixed_quantities", &["newest-shrinking"]),
        ("deep_divers", &["newest-shrinking"]),
        ("divers_against_kraken", &["newest-shrinking"]),
        ("shrinking_min", &["newest-shrinking"]),
        ("shrinking_min_early", &["newest-shrinking"]),
        ("shrinking_royale", &["newest-shrinking"]),
        ("shrinking_teams", &["newest-shrinking"]),
    ];
    let folder = format!("{}/tests/rule_sets", env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        let (_, findings) = parsed(&text(&name));
        let warnings: BTreeSet<_> = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Warning)
            .map(|finding| finding.code)
            .collect();
        let wanted =
            expected.iter().find(|(fixture, _)| *fixture == name).map_or(&[][..], |(_, codes)| codes);
        assert_eq!(warnings, wanted.iter().copied().collect(), "{name}");
        seen += 1;
    }
    assert_eq!(seen, 41);
}

#[test]
fn the_lost_half_of_a_doubled_expansion_is_pointed_at() {
    let (rule_set, findings) = parsed(&text("duplicate_keys"));
    assert_eq!(
        rule_set.effective(12).latencies().next().unwrap().max_latency,
        Some(150.0),
        "the last one wins"
    );
    let lost: Vec<_> = findings
        .iter()
        .filter(|finding| finding.code == "duplicate-key")
        .map(|finding| {
            (
                text("duplicate_keys").lines().nth(finding.line - 1).unwrap().trim().to_owned(),
                finding.pointer.as_str(),
            )
        })
        .collect();
    let (target, steps) = ("\"target\": \"rules[short-wire].maxLatency\",", "\"steps\": [");
    assert_eq!(
        lost,
        [(target.to_owned(), "/expansions/0/target"), (steps.to_owned(), "/expansions/0/steps")]
    );
}

/// A whole rule set: one team of two to four, an attribute of each type, and `more`.
fn with(more: &str) -> String {
    format!(
        r#"{{"ruleLanguageVersion": "1.0",
"playerAttributes": [{{"name": "skill", "type": "number"}}, {{"name": "mode", "type": "string"}},
{{"name": "modes", "type": "string_list"}}, {{"name": "maps", "type": "string_number_map"}}],
"teams": [{{"name": "red", "minPlayers": 2, "maxPlayers": 4}}],
{more}}}"#
    )
}

#[test]
fn each_mistake_has_its_code_its_place_and_where_possible_its_cure() {
    let rule = |body: &str| with(&format!(r#""rules": [{{"name": "R", {body}}}]"#));
    let measured = |expression: &str| {
        rule(&format!(r#""type": "comparison", "operation": "=", "measurements": ["{expression}"]"#))
    };
    let expansion = |target: &str, steps: &str| {
        with(&format!(
            r#""rules": [{{"name": "R", "type": "latency", "maxLatency": 50}}, {{"name": "C", "type": "compound", "statement": "not(R)"}}],
"expansions": [{{"target": "{target}", "steps": {steps}}}]"#
        ))
    };
    let step = r#"[{"waitTimeSeconds": 5, "value": 9}]"#;
    let compound = |statement: &str| {
        with(&format!(
            r#""rules": [{{"name": "C", "type": "compound", "statement": "{statement}"}}, {{"name": "R", "type": "latency", "maxLatency": 50}}]"#
        ))
    };
    // Text, code, pointer, and a part of the help.
    let table: Vec<(String, &str, &str, &str)> = vec![
        (rule(r#""type": "comparision""#), "unknown-value", "/rules/0/type", "\"comparison\""),
        (rule(r#""type": "latency""#), "missing-key", "/rules/0", "maxLatency"),
        (rule(r#""type": "latency", "maxLatency": true"#), "wrong-type", "/rules/0/maxLatency", ""),
        (rule(r#""type": "latency", "maxLatency": -1"#), "out-of-range", "/rules/0/maxLatency", ""),
        (rule(r#""type": "comparison", "measurements": ["count(teams[red].players)"], "operation": "<""#), "missing-key", "/rules/0/operation", "`!=`"),
        (rule(r#""type": "distance", "measurements": ["avg(teams[red].players.attributes[skill])"], "referenceValue": 1"#), "missing-key", "/rules/0", "maxDistance"),
        (rule(r#""type": "batchDistance", "batchAttribute": "skil", "maxDistance": 1"#), "unknown-attribute", "/rules/0/batchAttribute", "\"skill\""),
        (rule(r#""type": "batchDistance", "batchAttribute": "modes""#), "attribute-type", "/rules/0/batchAttribute", ""),
        (rule(r#""type": "batchDistance", "batchAttribute": "skill""#), "missing-key", "/rules/0", "maxDistance"),
        (rule(r#""type": "absoluteSort", "sortAttribute": "maps", "sortDirection": "descending""#), "missing-key", "/rules/0", "mapKey"),
        (rule(r#""type": "distanceSort", "sortAttribute": "mode", "sortDirection": "up""#), "unknown-value", "/rules/0/sortDirection", "ascending"),
        (measured("teams[rde].players.attributes[skill]"), "unknown-team", "/rules/0/measurements/0", "`red`"),
        (measured("teams[red].players.attributes[skil]"), "unknown-attribute", "/rules/0/measurements/0", "`skill`"),
        (measured("avgg(teams[red].players.attributes[skill])"), "unknown-function", "/rules/0/measurements/0", "`avg`"),
        (measured("avg(teams[red].players.attributes[mode])"), "expression-type", "/rules/0/measurements/0", ""),
        (measured("avg(avg(teams[red].players.attributes[skill]))"), "expression-type", "/rules/0/measurements/0", ""),
        (measured("teams[red].players"), "expression-type", "/rules/0/measurements/0", "count"),
        (measured("teams[red]"), "expression-syntax", "/rules/0/measurements/0", "`.players`"),
        (measured("teams[red].players.attributes[maps]"), "map-in-expression", "/rules/0/measurements/0", "sort"),
        (measured("max(teams[red].players.attributes[skill]) - 1"), "expression-syntax", "/rules/0/measurements/0", "arithmetic"),
        (measured("count(teams[red].players"), "expression-syntax", "/rules/0/measurements/0", ""),
        (measured("rules[R].maxLatency"), "expression-syntax", "/rules/0/measurements/0", "teams"),
        (expansion("rules[Q].maxLatency", step), "unknown-rule", "/expansions/0/target", ""),
        (expansion("rules[r].maxLatency", step), "unknown-rule", "/expansions/0/target", "\"R\""),
        (expansion("rules[R].maxLatancy", step), "expansion-target", "/expansions/0/target", "\"maxLatency\""),
        (expansion("rules[C].statement", step), "expansion-target", "/expansions/0/target", "members"),
        (expansion("teams[rad].minPlayers", step), "unknown-team", "/expansions/0/target", "\"red\""),
        (expansion("rule[R].maxLatency", step), "expansion-target", "/expansions/0/target", "`rules`"),
        (expansion("R", step), "expansion-target", "/expansions/0/target", "rules[MyRule]"),
        (expansion("rules[R].maxLatency", "[]"), "missing-value", "/expansions/0/steps", ""),
        (expansion("rules[R].maxLatency", r#"[{"waitTimeSeconds": 5, "value": "far"}]"#), "wrong-type", "/expansions/0/steps/0/value", ""),
        (expansion("rules[R].maxLatency", r#"[{"waitTimeSeconds": 5, "value": 1}, {"waitTimeSeconds": 5, "value": 2}]"#), "steps-order", "/expansions/0/steps/1/waitTimeSeconds", "increase"),
        (compound("not(C)"), "cyclic-compound", "/rules/0/statement", ""),
        (compound("not(R)"), "rule-defined-later", "/rules/0/statement", "up"),
        (compound("not(Q)"), "unknown-rule", "/rules/0/statement", ""),
        (compound("nor(R, R)"), "unknown-operator", "/rules/0/statement", "`or`"),
        (compound("xor(R, R, R)"), "arity", "/rules/0/statement", ""),
        (compound("and(R, R"), "statement-syntax", "/rules/0/statement", ""),
        (with(r#""algorithm": {"batchingPreference": "sorted"}"#), "missing-key", "/algorithm", "sortByAttributes"),
        (with(r#""algorithm": {"batchingPreference": "sorted", "sortByAttributes": ["maps"]}"#), "attribute-type", "/algorithm/sortByAttributes/0", ""),
        (with(r#""algorithm": {"batchingPreference": "fastestRegion"}"#), "batching-strategy", "/algorithm/batchingPreference", "random"),
        (with(r#""algorithm": {"strategy": "balanced"}"#), "missing-key", "/algorithm", "balancedAttribute"),
        (with(r#""algorithm": {"strategy": "balanced", "balancedAttribute": "mode"}"#), "attribute-type", "/algorithm/balancedAttribute", ""),
        (with(r#""rules": [{"name": "R", "type": "latency", "maxLatency": 1}, {"name": "R", "type": "latency", "maxLatency": 1}]"#), "duplicate-name", "/rules/1/name", ""),
        (r#"{"ruleLanguageVersion": "1.1", "teams": [{"name": "a", "minPlayers": 1, "maxPlayers": 1}]}"#.into(), "language-version", "/ruleLanguageVersion", ""),
        (r#"{"ruleLanguageVersion": "1.0", "teams": []}"#.into(), "no-teams", "/teams", ""),
        (r#"{"ruleLanguageVersion": "1.0"}"#.into(), "missing-key", "", "teams"),
        (r#"{"ruleLanguageVersion": "1.0", "teams": [{"name": "a", "minPlayers": 2, "maxPlayers": 1}]}"#.into(), "team-size", "/teams/0/minPlayers", ""),
        (r#"{"ruleLanguageVersion": "1.0", "teams": [{"name": "a", "minPlayers": 0, "maxPlayers": 0}]}"#.into(), "out-of-range", "/teams/0/maxPlayers", ""),
        (r#"{"ruleLanguageVersion": "1.0", "teams": [{"name": "a", "minPlayers": 1, "maxPlayers": 41}]}"#.into(), "large-match", "/teams", "balanced"),
        (r#"{"ruleLanguageVersion": "1.0", "teams": [{"name": "a", "minPlayers": 1, "maxPlayers": 101, "quantity": 2}]}"#.into(), "too-many-players", "/teams", ""),
    ];
    for (text, code, pointer, help) in table {
        let found = errors(&text);
        let hit = found.iter().find(|finding| finding.code == code && finding.pointer == pointer);
        let hit = hit.unwrap_or_else(|| panic!("no {code} at {pointer:?} in {text}\n{found:#?}"));
        assert!(hit.help.clone().unwrap_or_default().contains(help), "{text}\n{hit}");
    }
}

#[test]
fn team_names_must_differ_after_numbering_too() {
    for (first, second) in [(2, 1), (1, 2)] {
        let names = if first == 2 { ["a", "a_1"] } else { ["a_1", "a"] };
        let text = json!({"ruleLanguageVersion": "1.0", "teams": [
            {"name": names[0], "minPlayers": 1, "maxPlayers": 1, "quantity": first},
            {"name": names[1], "minPlayers": 1, "maxPlayers": 1, "quantity": second},
        ]});
        assert_eq!(errors(&text.to_string())[0].code, "duplicate-name");
    }
}

#[test]
fn large_matches_take_latency_and_batch_distance_rules_only() {
    let text = json!({
        "ruleLanguageVersion": "1.0",
        "playerAttributes": [{"name": "skill", "type": "number"}],
        "algorithm": {"strategy": "balanced", "balancedAttribute": "skill"},
        "teams": [{"name": "all", "minPlayers": 1, "maxPlayers": 40}],
        "rules": [
            {"name": "a", "type": "latency", "maxLatency": 50},
            {"name": "b", "type": "batchDistance", "batchAttribute": "skill", "maxDistance": 5},
            {"name": "c", "type": "distanceSort", "sortAttribute": "skill", "sortDirection": "ascending"},
            {"name": "d", "type": "compound", "statement": "not(a)"},
            {"name": "e", "type": "latency", "maxDistance": 50},
        ],
        "expansions": [{"target": "teams[all].maxPlayers", "steps": [{"waitTimeSeconds": 9, "value": 41}]}],
    });
    let pointers: Vec<_> = errors(&text.to_string()).into_iter().map(|finding| finding.pointer).collect();
    assert_eq!(pointers, ["/rules/2", "/rules/3", "/rules/4"], "and that after an expansion too");
}

#[test]
fn a_mistake_inside_an_expression_is_pointed_at_to_the_character() {
    let text = "{\"ruleLanguageVersion\": \"1.0\",\n\"teams\": [{\"name\": \"röd\", \"minPlayers\": 1, \"maxPlayers\": 2}],\n\
                \"rules\": [{\"name\": \"é\", \"type\": \"comparison\", \"operation\": \"=\", \"measurements\": [\"count(teams[red].players)\"]}]}";
    let found = &errors(text)[0];
    assert_eq!((found.line, found.column, found.length), (3, 95, 3), "columns are characters");
    assert_eq!(found.pointer, "/rules/0/measurements/0");
    assert_eq!(found.help.as_deref(), Some("did you mean `röd`?"));
}

#[test]
fn all_mistakes_are_reported_at_once_in_the_order_of_the_text() {
    let text = r#"{
  "ruleLanguageVersion": "2.0",
  "teams": [{ "name": "red", "minPlayers": 3, "maxPlayers": 2, }],
  "rules": [
    { "name": "a", "type": "latency" }
    { "name": "b", "type": "distance", "measurements": ["avg(teams[blue].players)"], "referenceValue": "max(teams[green].players.attributes[x])" }
  ],
  "expansions": [{ "target": "rules[c].maxLatency", "steps": [] }]
}"#;
    let codes: Vec<_> = errors(text).into_iter().map(|finding| (finding.line, finding.code)).collect();
    assert_eq!(
        codes,
        [
            (2, "language-version"),
            (3, "team-size"),
            (3, "json-syntax"),
            (5, "missing-key"),
            (5, "json-syntax"),
            (6, "missing-key"),
            (6, "unknown-team"),
            (6, "unknown-team"),
            (6, "unknown-attribute"),
            (8, "unknown-rule"),
            (8, "missing-value"),
        ]
    );
}

#[test]
fn a_body_of_65_536_characters_is_too_long_and_one_less_is_not() {
    let body = r#"{"ruleLanguageVersion":"1.0","teams":[{"name":"é","minPlayers":1,"maxPlayers":1}]}"#;
    let padded = |length: usize| format!("{body}{}", " ".repeat(length - body.chars().count()));
    parsed(&padded(65_535));
    let found = errors(&padded(65_536));
    assert_eq!((found.len(), found[0].code), (1, "too-long"));
}

#[test]
fn what_is_not_json_is_said_to_be_so_at_its_place() {
    for (text, line, column) in [
        ("", 1, 1),
        ("{", 1, 2),
        ("{\n  'a': 1}", 2, 3),
        ("{\"a\": tru}", 1, 7),
        ("{\"a\": \"x", 1, 7),
        ("{\"a\": 01}", 1, 7),
        ("[1, 2", 1, 6),
        ("{\"a\" 1}", 1, 6),
        ("{} x", 1, 4),
        ("{\"a\": \"\\x\"}", 1, 8),
    ] {
        let found = errors(text);
        let syntax = found.iter().find(|finding| finding.code == "json-syntax");
        let syntax = syntax.unwrap_or_else(|| panic!("{text}: {found:?}"));
        assert_eq!((syntax.line, syntax.column), (line, column), "{text}");
    }
    let deep = "[".repeat(10_000);
    assert_eq!(errors(&deep)[0].code, "json-syntax");
}

#[test]
fn unknown_keys_are_warned_about_with_the_nearest_known_one() {
    let (_, findings) = parsed(&with(r#""expansion": []"#));
    let found = findings.iter().find(|finding| finding.code == "unknown-key").unwrap();
    assert_eq!((found.pointer.as_str(), found.severity), ("/expansion", Severity::Warning));
    assert_eq!(found.help.as_deref(), Some("did you mean \"expansions\"?"));
}

#[test]
fn odd_but_legal_things_are_warned_about() {
    let warned = |rule: Value| -> Vec<&'static str> {
        let (_, findings) = parsed(&one_rule(rule).to_string());
        findings
            .iter()
            .filter(|finding| finding.severity == Severity::Warning)
            .map(|finding| finding.code)
            .collect()
    };
    let modes = "flatten(teams[*].players.attributes[modes])";
    let all = "flatten(teams[*].players.attributes[skill])";
    assert_eq!(
        warned(
            json!({"type": "collection", "operation": "contains", "measurements": modes, "referenceValue": "x", "minCount": 3, "maxCount": 2})
        ),
        ["dead-rule"]
    );
    assert_eq!(
        warned(
            json!({"type": "comparison", "operation": "=", "measurements": ["team[red].players.attributes[clan]"]})
        ),
        ["team-for-teams"]
    );
    assert_eq!(
        warned(
            json!({"type": "comparison", "operation": "=", "measurements": ["count (teams[red].players)"], "referenceValue": "2"})
        ),
        ["numeric-string"]
    );
    assert_eq!(
        warned(
            json!({"type": "comparison", "operation": "=", "measurements": ["flatten(teams[red].players.attributes[skill])"]})
        ),
        ["flat-flatten"]
    );
    assert_eq!(warned(json!({"type": "comparison", "operation": "=", "measurements": [all]})), [""; 0]);
}

#[test]
fn an_empty_default_is_no_default_and_an_empty_list_is_one() {
    let text = json!({
        "ruleLanguageVersion": "1.0",
        "playerAttributes": [
            {"name": "a", "type": "string", "default": ""},
            {"name": "b", "type": "string_list", "default": []},
            {"name": "c", "type": "number", "default": "seven"},
        ],
        "teams": [{"name": "all", "minPlayers": 1, "maxPlayers": 1}],
    });
    let findings = RuleSet::parse(&text.to_string()).unwrap_err();
    let found: Vec<_> = findings.iter().map(|finding| (finding.code, finding.pointer.as_str())).collect();
    assert_eq!(
        found,
        [("empty-default", "/playerAttributes/0/default"), ("wrong-type", "/playerAttributes/2/default"),]
    );
}

#[test]
fn an_expansion_that_crosses_team_sizes_lowers_the_minimum_and_says_so() {
    let text = with(
        r#""expansions": [{"target": "teams[red].maxPlayers", "steps": [{"waitTimeSeconds": 5, "value": 1}]}]"#,
    );
    let (rule_set, findings) = parsed(&text);
    assert_eq!(rule_set.effective(5).teams()[0].min_players, 1);
    assert!(
        findings.iter().any(|finding| finding.code == "team-size" && finding.severity == Severity::Warning)
    );
}

#[test]
fn a_thousand_warnings_do_not_hide_an_error() {
    let keys: String = (0..1_200).map(|at| format!("\"key{at}\": 0, ")).collect();
    let text = format!(
        r#"{{{keys}"ruleLanguageVersion": "2.0", "teams": [{{"name": "a", "minPlayers": 1, "maxPlayers": 1}}]}}"#
    );
    assert_eq!(errors(&text).len(), 1);
    let findings = RuleSet::parse(&text).unwrap_err();
    assert_eq!(findings.len(), 1_002);
    assert_eq!(findings.last().unwrap().message, "more was found 200 times and is not listed");
}
