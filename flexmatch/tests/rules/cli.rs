//! The `flexmatch` program, as a user meets it.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::bench::text;

fn flexmatch(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flexmatch")).args(arguments).output().unwrap()
}

fn fixture(name: &str) -> String {
    format!("{}/tests/rule_sets/{name}.json", env!("CARGO_MANIFEST_DIR"))
}

/// A file of this test's own.
fn file(name: &str, content: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn validate_shows_the_line_with_a_caret_and_exits_with_1() {
    let bad = file(
        "bad.json",
        "{\n  \"ruleLanguageVersion\": \"1.1\",\n  \"teams\": [{ \"name\": \"a\", \"minPlayers\": 1, \"maxPlayers\": 1 }]\n}\n",
    );
    let output = flexmatch(&["validate", &bad]);
    assert_eq!(output.status.code(), Some(1));
    let shown = stdout(&output);
    let expected = format!(
        "error[language-version]: `ruleLanguageVersion` must be \"1.0\"\n --> {bad}:2:26\n  |\n2 |   \"ruleLanguageVersion\": \"1.1\",\n  |                          ^^^^^\n  = at: /ruleLanguageVersion\n"
    );
    assert!(shown.starts_with(&expected), "{shown}");
    assert!(shown.ends_with("not valid (1 error)\n"), "{shown}");
}

#[test]
fn the_finding_in_the_readme_is_what_validate_prints() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let from = readme.find("error[unknown-team]").unwrap();
    let (shown, _) = readme[from..].split_once("```").unwrap();
    let line = shown.lines().find_map(|line| line.strip_prefix("9 | ")).unwrap();
    let rules = format!(
        "{{\n\"ruleLanguageVersion\": \"1.0\",\n\"teams\": [{{\"name\": \"red\", \"minPlayers\": 1, \"maxPlayers\": 1}}],\n\
         \"playerAttributes\": [{{\"name\": \"skill\", \"type\": \"number\"}}],\n\"rules\": [{{\n\"name\": \"A\",\n\
         \"type\": \"distance\",\n\"maxDistance\": 1,\n{line}\n\"referenceValue\": 1}}]}}"
    );
    let rules = file("my_rules.json", &rules);
    let printed = stdout(&flexmatch(&["validate", &rules])).replace(&rules, "my_rules.json");
    assert!(printed.starts_with(shown), "{printed}");
}

#[test]
fn validate_accepts_fixtures_and_speaks_json() {
    let output = flexmatch(&["validate", "--json", &fixture("minimal"), &fixture("comments")]);
    assert_eq!(output.status.code(), Some(0));
    let reports: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(reports[0]["valid"], true);
    assert_eq!(reports[1]["findings"][0]["code"], "comment");
    assert_eq!(reports[1]["findings"][0]["severity"], "warning");
}

#[test]
fn a_file_that_is_not_there_and_an_unknown_option_exit_with_2() {
    let output = flexmatch(&["validate", "no/such/file.json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: cannot read no/such/file.json"));
    assert_eq!(flexmatch(&["validate", "--fast"]).status.code(), Some(2));
}

#[test]
fn output_that_nobody_reads_is_no_success() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let validate = [&*fixture("minimal")];
    let output = Command::new(env!("CARGO_BIN_EXE_flexmatch"))
        .arg("validate")
        .args(validate)
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(141), "as a shell reports SIGPIPE");
    assert!(output.stderr.is_empty());
}

#[test]
fn fmt_checks_then_writes_then_is_content() {
    let loose = file("loose.json", &text("three_teams").replace('\n', " "));
    assert_eq!(flexmatch(&["fmt", "--check", &loose]).status.code(), Some(1));
    assert_eq!(flexmatch(&["fmt", "--write", &loose]).status.code(), Some(0));
    assert_eq!(flexmatch(&["fmt", "--check", &loose]).status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(&loose).unwrap(), text("three_teams"));
    assert_eq!(stdout(&flexmatch(&["fmt", &loose])), text("three_teams"));
}

#[test]
fn check_names_the_rules_that_fail_with_their_numbers() {
    let players = |skill: u32| {
        json!([{"id": "a", "a": {"skill": skill}}, {"id": "b", "a": {"skill": skill}},
        {"id": "c", "a": {"skill": skill}}, {"id": "d", "a": {"skill": skill}}])
    };
    let roster = json!({"teams": {"miners": players(10), "rovers": players(40)}});
    let roster_file = file("roster.json", &roster.to_string());
    let output = flexmatch(&["check", &fixture("rovers_against_miners"), &roster_file]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stdout(&output),
        "FAIL  EvenSides      distance       10 is 15 away from 25 (at most 10)\n\
         pass  SameHeadcount  comparison     4 = 4\n\
         this is not a match\n"
    );
    let later =
        flexmatch(&["check", &fixture("rovers_against_miners"), &roster_file, "--age", "5", "--json"]);
    assert_eq!(later.status.code(), Some(0));
    assert_eq!(stdout(&later), "{\"EvenSides\":true,\"SameHeadcount\":true}\n");
    let mut overridden = roster;
    overridden["overrides"] = json!({"EvenSides.maxDistance": 15});
    let overridden = file("overridden.json", &overridden.to_string());
    assert_eq!(flexmatch(&["check", &fixture("rovers_against_miners"), &overridden]).status.code(), Some(0));
}

#[test]
fn check_says_what_is_wrong_with_the_match() {
    for (name, roster, wanted) in [
        ("team.json", json!({"teams": {"crowboys": []}}), "there is no team \"crowboys\""),
        (
            "type.json",
            json!({"teams": {"rovers": [{"id": "a", "a": {"skill": "x"}}]}}),
            "\"skill\" must be a number",
        ),
        ("shape.json", json!({"team": {}}), "is not a match"),
        (
            "rule.json",
            json!({"teams": {}, "overrides": {"NoRule.maxDistance": 1}}),
            "the rule set is not valid",
        ),
    ] {
        let output =
            flexmatch(&["check", &fixture("rovers_against_miners"), &file(name, &roster.to_string())]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains(wanted), "{error}");
    }
}

/// Two parties of `two_on_two`: one ticket of two players against two tickets.
fn parties() -> Value {
    json!({"teams": {
        "A": [{"id": "a", "party": "x"}, {"id": "b", "party": "x"}],
        "B": [{"id": "c"}, {"id": "d"}]}})
}

#[test]
fn check_takes_a_profile_and_says_which_it_was() {
    let roster = file("parties.json", &parties().to_string());
    let compat = file("collapsed.json", r#"{"party": "collapsed"}"#);
    let output = flexmatch(&["check", &fixture("two_on_two"), &roster, "--compat", &compat]);
    assert_eq!(output.status.code(), Some(1), "one ticket against two");
    assert!(
        stdout(&output).ends_with("this is not a match\nread with party: collapsed\n"),
        "{}",
        stdout(&output)
    );
    let output = flexmatch(&["check", &fixture("two_on_two"), &roster, "--compat", &compat, "--json"]);
    let said: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(said["compat"]["party"], "collapsed");
    assert_eq!(said["compat"]["boundary"], "inclusive", "the whole profile");
    assert!(said["rules"].is_object() && said.get("dependsOn").is_none());
    let typo = file("typo.json", r#"{"partty": "collapsed"}"#);
    let output = flexmatch(&["check", &fixture("two_on_two"), &roster, "--compat", &typo]);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("is not a profile of readings: unknown field `partty`"), "{error}");
}

#[test]
fn check_names_the_readings_that_a_match_depends_on() {
    let roster = file("sensitive.json", &parties().to_string());
    let output = flexmatch(&["check", &fixture("two_on_two"), &roster, "--sensitivity"]);
    assert_eq!(output.status.code(), Some(0));
    let shown = stdout(&output);
    assert!(shown.contains("this result depends on party; with collapsed:\n"), "{shown}");
    assert!(shown.contains("  this is: a match -> not a match\n"), "{shown}");
    assert_eq!(shown.matches("this result depends on").count(), 1, "{shown}");
    let json = flexmatch(&["check", &fixture("two_on_two"), &roster, "--sensitivity", "--json"]);
    let said: Value = serde_json::from_str(&stdout(&json)).unwrap();
    assert_eq!(said["dependsOn"][0]["switch"], "party");
    assert_eq!(said["dependsOn"][0]["value"], "collapsed");
    let plain = file("plain.json", &json!({"teams": {"red": [], "blue": []}}).to_string());
    let output = flexmatch(&["check", &fixture("minimal"), &plain, "--sensitivity"]);
    assert_eq!(output.status.code(), Some(2), "the roster fits another rule set: an error as ever");
}

#[test]
fn explain_names_the_readings_that_a_wait_depends_on() {
    let rules = file(
        "pair.json",
        &json!({"ruleLanguageVersion": "1.0", "teams": [{"name": "red", "minPlayers": 2, "maxPlayers": 2}],
            "playerAttributes": [{"name": "skill", "type": "number"}],
            "rules": [{"name": "Close", "type": "batchDistance", "batchAttribute": "skill", "maxDistance": 10}],
            "expansions": [{"target": "rules[Close].maxDistance", "steps": [{"waitTimeSeconds": 30, "value": 20}]}]})
        .to_string(),
    );
    let ticket = |id: &str, at: u32, skill: u32| {
        json!({"TicketId": id, "ArrivalSeconds": at,
            "Players": [{"PlayerId": id, "PlayerAttributes": {"skill": {"N": skill}}}]})
    };
    let tickets = json!([ticket("a", 0, 10), ticket("b", 0, 20), ticket("c", 5, 50), ticket("d", 6, 65)]);
    let tickets = file("tickets.json", &tickets.to_string());
    let output = flexmatch(&["explain", &rules, &tickets, "--sensitivity"]);
    let shown = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(shown.starts_with("0 s: a match of a, b\n"), "{shown}");
    assert!(
        shown.contains("this result depends on boundary; with exclusive:\n  lost: 0 s: a match of a, b\n"),
        "{shown}"
    );
    assert!(shown.contains("  ticket a: still SEARCHING (Close)\n"), "{shown}");
    assert_eq!(shown.matches("this result depends on").count(), 1, "{shown}");
    // A list, as long as nobody asks about readings.
    let list: Value =
        serde_json::from_str(&stdout(&flexmatch(&["explain", &rules, &tickets, "--json"]))).unwrap();
    assert_eq!(list.as_array().map(Vec::len), Some(2));
    let compat = file("exclusive.json", r#"{"boundary": "exclusive"}"#);
    let output = flexmatch(&["explain", &rules, &tickets, "--json", "--sensitivity", "--compat", &compat]);
    let said: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(said["explanations"].as_array().map(Vec::len), Some(4));
    assert_eq!(said["dependsOn"][0]["value"], "inclusive");
}
