//! Rule sets by name, rosters in short, verdicts as sets of names.

use std::collections::{BTreeMap, BTreeSet};

use flexmatch::check::{Checked, Roster, check};
use flexmatch::{AttributeValue, Compat, Finding, MatchView, Player, PlayerData, RuleSet, Severity, Verdict};
use serde_json::{Value, json};

/// The text of a fixture.
pub(crate) fn text(name: &str) -> String {
    let path = format!("{}/tests/rule_sets/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn rule_set(name: &str) -> RuleSet {
    parsed(&text(name)).0
}

/// A rule set and its warnings and notes.
pub(crate) fn parsed(text: &str) -> (RuleSet, Vec<Finding>) {
    match RuleSet::parse(text) {
        Ok(parsed) => (parsed.rule_set, parsed.warnings),
        Err(findings) => panic!("{}", findings.iter().map(|f| format!("{f}\n")).collect::<String>()),
    }
}

/// The codes of all errors of a text.
pub(crate) fn errors(text: &str) -> Vec<Finding> {
    let findings = RuleSet::parse(text).expect_err("this must not parse");
    findings.into_iter().filter(|finding| finding.severity == Severity::Error).collect()
}

/// Players with these attributes, one for each.
pub(crate) fn players(attributes: impl IntoIterator<Item = Value>) -> Value {
    let player = |(at, attributes): (usize, Value)| json!({"id": format!("p{at}"), "a": attributes});
    attributes.into_iter().enumerate().map(player).collect()
}

/// So many players with the same attributes.
pub(crate) fn alike(count: usize, attributes: &Value) -> Value {
    players(std::iter::repeat_n(attributes.clone(), count))
}

/// Gives every player of a team this latency.
pub(crate) fn near(mut team: Value, latency: &Value) -> Value {
    for player in team.as_array_mut().unwrap() {
        player["l"] = latency.clone();
    }
    team
}

/// Checks a complete match of a fixture.
pub(crate) fn checked(name: &str, age: u64, teams: Value) -> Checked {
    let roster: Roster = serde_json::from_value(json!({ "teams": teams })).unwrap();
    check(&text(name), &roster, age, &Compat::default()).unwrap()
}

/// The rules that a complete match fails.
pub(crate) fn fails(name: &str, age: u64, teams: Value) -> BTreeSet<String> {
    let failed = checked(name, age, teams).rules.into_iter().filter(|rule| !rule.pass);
    failed.map(|rule| rule.name).collect()
}

pub(crate) fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

pub(crate) fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::String(text) => AttributeValue::String(text.clone()),
        Value::Number(number) => AttributeValue::Number(number.as_f64().unwrap()),
        Value::Array(items) => {
            AttributeValue::StringList(items.iter().map(|item| item.as_str().unwrap().to_owned()).collect())
        }
        Value::Object(map) => AttributeValue::StringNumberMap(
            map.iter().map(|(key, value)| (key.clone(), value.as_f64().unwrap())).collect(),
        ),
        other => panic!("{other} is no attribute"),
    }
}

/// One player of a ticket.
pub(crate) fn player(
    rule_set: &RuleSet,
    id: &str,
    party: u64,
    attributes: &Value,
    latency: &[(&str, u32)],
) -> Player {
    let attributes = attributes.as_object().unwrap();
    let data = PlayerData {
        id: id.to_owned(),
        attributes: attributes.iter().map(|(name, value)| (name.clone(), attribute(value))).collect(),
        latency_ms: latency.iter().map(|(name, ms)| ((*name).to_owned(), *ms)).collect(),
        team: None,
    };
    rule_set.player(data, party, &Compat::default()).unwrap()
}

/// A growing match: solo players with attributes, team by team.
pub(crate) fn verdicts(
    rule_set: &RuleSet,
    teams: &[Vec<Value>],
    compat: &Compat,
) -> BTreeMap<String, Verdict> {
    let mut party = 0;
    let mut seat = |attributes: &Value| {
        party += 1;
        player(rule_set, &format!("p{party}"), party, attributes, &[])
    };
    let teams: Vec<Vec<Player>> = teams.iter().map(|team| team.iter().map(&mut seat).collect()).collect();
    let seats: Vec<Vec<&Player>> = teams.iter().map(|team| team.iter().collect()).collect();
    let effective = rule_set.effective(0);
    let view = MatchView { teams: &seats, complete: false };
    let outcomes = effective.evaluate(&view, compat);
    let worst = outcomes.iter().filter(|outcome| outcome.enforced).map(|outcome| outcome.verdict).max();
    assert_eq!(effective.verdict(&view, compat), worst.unwrap_or(Verdict::Pass), "both ways agree");
    outcomes.into_iter().map(|outcome| (outcome.name.to_owned(), outcome.verdict)).collect()
}

/// The verdict of the only rule, for a rule set made of it, over teams `red` and `blue` of up to four with number
/// `skill`, string `clan` and list `modes`.
pub(crate) fn verdict_of(rule: Value, red: &[Value], blue: &[Value]) -> Verdict {
    verdict_under(rule, red, blue, &Compat::default())
}

pub(crate) fn verdict_under(rule: Value, red: &[Value], blue: &[Value], compat: &Compat) -> Verdict {
    let (rule_set, _) = parsed(&one_rule(rule).to_string());
    verdicts(&rule_set, &[red.to_vec(), blue.to_vec()], compat)["rule"]
}

pub(crate) fn one_rule(mut rule: Value) -> Value {
    rule["name"] = "rule".into();
    json!({
        "ruleLanguageVersion": "1.0",
        "playerAttributes": [
            {"name": "skill", "type": "number"},
            {"name": "clan", "type": "string"},
            {"name": "modes", "type": "string_list"},
            {"name": "maps", "type": "string_number_map"},
        ],
        "teams": [
            {"name": "red", "minPlayers": 1, "maxPlayers": 4},
            {"name": "blue", "minPlayers": 1, "maxPlayers": 4},
        ],
        "rules": [rule],
    })
}
