//! `flexmatch simulate`, as a user meets it.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use flexmatch::simulate::Population;
use serde_json::Value;

use super::DUEL;

fn simulate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flexmatch")).arg("simulate").args(arguments).output().unwrap()
}

/// A file of this test's own.
fn file(name: &str, content: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("simulate_{name}"));
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn an_assertion_decides_the_exit_code() {
    let rules = file("exit.json", DUEL);
    let good = simulate(&[&rules, "--duration", "60", "--assert", "fill>=0.9"]);
    assert_eq!(good.status.code(), Some(0), "{}", stderr(&good));
    assert!(stdout(&good).contains("holds   fill>=90%  found 100.0%"), "{}", stdout(&good));
    let broken =
        simulate(&[&rules, "--duration", "60", "--assert", "fill>=0.9", "--assert", "p95_wait[party=1]<0s"]);
    assert_eq!(broken.status.code(), Some(1));
    assert!(stdout(&broken).contains("BROKEN  p95_wait[party=1]<0s  found "), "{}", stdout(&broken));
}

/// Runs with so many tickets that only what ends before the run ends within a minute.
fn before_a_long_run(arguments: &[&str]) -> Output {
    let long = ["--arrivals", "0.3", "--duration", "31000000"];
    let child = Command::new(env!("CARGO_BIN_EXE_flexmatch"))
        .arg("simulate")
        .args(arguments)
        .args(long)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (ended, wait) = mpsc::channel();
    let waiter = thread::spawn(move || ended.send(child.wait_with_output()));
    let output = wait.recv_timeout(Duration::from_secs(60)).expect("it ends before the long run").unwrap();
    waiter.join().unwrap().unwrap();
    output
}

#[test]
fn what_is_wrong_exits_with_2_before_the_long_run() {
    let rules = file("usage.json", DUEL);
    let text =
        DUEL.replace("\"type\": \"number\", \"default\": 100", "\"type\": \"string\", \"default\": \"a\"");
    let text = file(
        "usage_text.json",
        &text.replace(", \"maxDistance\": 5", "").replace(",\n    \"expansions\"", ", \"x\""),
    );
    let no_rules = file("usage_empty.json", "{}");
    let skilled =
        file("usage_skilled.json", r#"{"attributes": {"skill": {"uniform": {"min": 0, "max": 9}}}}"#);
    let unskilled =
        file("usage_unskilled.json", r#"{"attributes": {"skil": {"uniform": {"min": 0, "max": 9}}}}"#);
    let typo = file("usage_typo.json", r#"{"boundry": "exclusive"}"#);
    for (wrong, message) in [
        (vec!["--assert", "p96_wait<1s"], "there is no figure \"p96_wait\"; there are tickets"),
        (vec!["--assert", "fill<1s"], "fill is a share"),
        (vec!["--html", "no/such/folder/page.html"], "cannot write no/such/folder/page.html"),
        (vec!["--against", "no/such/file.json"], "cannot read no/such/file.json"),
        (vec!["--against", &no_rules], "the rule set is not valid"),
        (vec!["--against", &text, "--population", &skilled], "attribute \"skill\" is a string"),
        (vec!["--population", &unskilled], "the rule set declares no attribute \"skil\""),
        (vec!["--population", "no/such/file.json"], "cannot read no/such/file.json"),
        (vec!["--compat", &typo], "is not a profile of readings: unknown field `boundry`"),
    ] {
        let output = before_a_long_run(&[&[&*rules], &wrong[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        let error = stderr(&output);
        assert!(error.starts_with("error: ") && error.contains(message), "{wrong:?}: {error}");
    }
}

#[test]
fn arguments_that_do_not_go_together_exit_with_2() {
    let rules = file("together.json", DUEL);
    for (wrong, message) in [
        (vec!["--assert", "fill"], "\"fill\" is no assertion; write FIGURE"),
        (vec!["--players", "x.jsonl"], "--replay <EVENTS.jsonl>"),
        (vec!["--configuration", "duels"], "--replay <EVENTS.jsonl>"),
        (vec!["--replay", "x.jsonl", "--arrivals", "3"], "cannot be used with"),
        (vec!["--replay", "x.jsonl", "--duration", "3"], "cannot be used with"),
        (vec!["--replay", "no/such/file.jsonl"], "cannot read no/such/file.jsonl"),
    ] {
        let output = simulate(&[&[&*rules], &wrong[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        let error = stderr(&output);
        assert!(error.starts_with("error: ") && error.contains(message), "{wrong:?}: {error}");
    }
}

#[test]
fn json_has_both_reports_and_the_assertions() {
    let rules = file("json.json", DUEL);
    let strict = file("json_strict.json", &DUEL.replace("\"value\": 50", "\"value\": 6"));
    let arguments = [&*rules, "--against", &strict, "--duration", "60", "--json", "--assert", "matches>1"];
    let output = simulate(&arguments);
    let all: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let (ours, theirs) = (&all["report"], &all["against"]);
    assert!(ours["tickets"].as_u64() > Some(200) && ours["tickets"] == theirs["tickets"], "{all}");
    assert!(ours["matched"].as_u64() > theirs["matched"].as_u64(), "the second rule set is stricter");
    assert!(ours["wait"]["p95"].as_f64() > Some(0.0));
    // A fifth comes as a party of two, and the teams are of one.
    assert_eq!(theirs["timeouts"]["causes"][0]["cause"], "partyTooLarge");
    let assertion = &all["assertions"][0];
    assert_eq!((&assertion["assertion"], &assertion["holds"]), (&"matches>1".into(), &true.into()));
    assert_eq!(assertion["found"], ours["matches"].to_string());
    assert_eq!(stdout(&simulate(&arguments)), stdout(&output), "the same input gives the same bytes");
    assert!(stderr(&output).is_empty(), "no progress bar without a terminal");
}

#[test]
fn rule_sets_are_compared_though_only_one_declares_an_attribute() {
    let level = DUEL.replace(
        "\"playerAttributes\": [",
        "\"playerAttributes\": [{\"name\": \"level\", \"type\": \"number\"},",
    );
    let (rules, level) = (file("union.json", DUEL), file("union_level.json", &level));
    let both = r#"{"attributes": {"level": {"uniform": {"min": 1, "max": 9}}, "skill": {"uniform": {"min": 1, "max": 9}}}}"#;
    let both = file("union_population.json", both);
    let output =
        simulate(&[&rules, "--against", &level, "--population", &both, "--duration", "60", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let all: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert!(all["report"]["matched"].as_u64() > Some(200), "{all}");
    assert_eq!(all["report"]["rules"], all["against"]["rules"]);
}

#[test]
fn a_profile_of_readings_changes_matches_and_is_told() {
    let rules =
        file("compat.json", &DUEL.replace("50", "0").replace("\"maxDistance\": 5", "\"maxDistance\": 0"));
    let same = file("compat_population.json", r#"{"attributes": {"skill": {"always": {"N": 1}}}}"#);
    let exclusive = file("compat_exclusive.json", r#"{"boundary": "exclusive"}"#);
    let arguments = [&*rules, "--population", &same, "--duration", "30", "--assert", "matched>=70%"];
    assert_eq!(
        simulate(&arguments).status.code(),
        Some(0),
        "0 is within a distance of 0; a fifth are parties of two"
    );
    let output = simulate(&[&arguments[..], &["--compat", &exclusive]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains("read with boundary: exclusive\n"), "{}", stdout(&output));
    let output = simulate(&[&arguments[..], &["--compat", &exclusive, "--json"]].concat());
    let all: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(all["report"]["compat"]["boundary"], "exclusive");
}

#[test]
fn a_longer_page_that_was_there_is_replaced_and_a_pipe_is_written() {
    let rules = file("html.json", DUEL);
    let page = file("html_page.html", &"old".repeat(1_000_000));
    assert_eq!(simulate(&[&rules, "--duration", "30", "--html", &page]).status.code(), Some(0));
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    #[cfg(target_os = "linux")]
    {
        let output = simulate(&[&rules, "--duration", "30", "--html", "/dev/stdout"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stdout(&output).contains("</html>\n"));
    }
}

#[test]
fn a_replay_is_read_from_files_and_written_as_a_page() {
    let rules = file("replay.json", DUEL);
    let event = |id: &str| {
        format!(
            r#"{{"detail-type": "GameLift Matchmaking Event", "time": "2026-11-22T17:00:00Z", "detail": {{"type": "MatchmakingSearching", "tickets": [{{"ticketId": "{id}", "startTime": "2026-11-22T17:00:00.5Z", "players": [{{"playerId": "{id}"}}]}}]}}}}"#
        )
    };
    let events = file("events.jsonl", &format!("{}\n{}\n", event("a"), event("b")));
    let players = file(
        "players.jsonl",
        r#"{"TicketId": "a", "Players": [{"PlayerId": "a", "PlayerAttributes": {"skill": {"N": 1}}}]}"#,
    );
    let page = file("page.html", "");
    let output = simulate(&[&rules, "--replay", &events, "--players", &players, "--html", &page]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("replay of 2 recorded tickets, 2 players\n"), "{}", stdout(&output));
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("of 1 of 2 players were drawn"));
    assert!(page.contains("<title>FlexMatch simulation: simulate_replay.json</title>"));
    let broken = file("broken.jsonl", &format!("{}\n{{\n", event("a")));
    let output = simulate(&[&rules, "--replay", &broken]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("broken.jsonl: line 2: is no JSON"), "{}", stderr(&output));
}

#[test]
fn the_help_shows_a_population_that_is_read_and_has_the_defaults_it_claims() {
    let help = stdout(&simulate(&["--help"]));
    let from = help.find("\n  {\n").unwrap();
    let example = help[from..].split_inclusive("\n  }\n").next().unwrap();
    let mut population: Population = serde_json::from_str(example).unwrap();
    assert!(!population.attributes.is_empty());
    population.attributes.clear();
    assert_eq!(population, Population::default());
}

#[test]
fn every_figure_in_the_help_can_be_asserted() {
    let rules = file("help.json", &DUEL.replace("\"waitTimeSeconds\": 10", "\"waitTimeSeconds\": 30"));
    let help = stdout(&simulate(&["--help"]));
    let (_, figures) = help.split_once("The figures:\n").unwrap();
    let (figures, _) = figures.split_once("\n\n").unwrap();
    let figures: Vec<&str> = figures
        .lines()
        .filter_map(|line| line.trim().split_once("   "))
        .map(|(figure, _)| figure.trim())
        .chain(["tickets", "players", "matches", "refused", "timeouts[too few players]", "fill.p10"])
        .collect();
    assert!(figures.len() > 10, "{help}");
    for figure in figures {
        let output = simulate(&[&rules, "--duration", "10", "--assert", &format!("{figure}>=0")]);
        assert!(output.status.code() != Some(2), "{}", stderr(&output));
    }
}
