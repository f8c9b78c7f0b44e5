//! `flexmatch simulate`, as a user meets it.

use std::path::PathBuf;
use std::process::{Command, Output};

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

#[test]
fn a_wrong_argument_exits_with_2_before_the_long_run() {
    let rules = file("usage.json", DUEL);
    let forever = ["--duration", "1000000"];
    let unknown = simulate(&[&[&*rules, "--assert", "p96_wait<1s"], &forever[..]].concat());
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("there is no figure \"p96_wait\"; there are tickets"));
    for wrong in [
        vec!["--assert", "fill"],
        vec!["--players", "x.jsonl"],
        vec!["--replay", "x.jsonl", "--arrivals", "3"],
        vec!["--replay", "x.jsonl", "--duration", "3"],
        vec!["--replay", "no/such/file.jsonl"],
        vec!["--population", "no/such/file.json"],
    ] {
        let output = simulate(&[&[&*rules], &wrong[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(stderr(&output).starts_with("error: "), "{}", stderr(&output));
    }
}

#[test]
fn json_has_both_reports_and_the_assertions() {
    let rules = file("json.json", DUEL);
    let strict = file("json_strict.json", &DUEL.replace("\"value\": 50", "\"value\": 6"));
    let arguments = [&*rules, "--against", &strict, "--duration", "60", "--json", "--assert", "matches>1"];
    let output = simulate(&arguments);
    let all: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(all["report"]["tickets"], all["against"]["tickets"]);
    assert!(all["report"]["wait"]["p95"].is_number() && all["report"]["timeouts"]["causes"].is_array());
    assert_eq!(all["assertions"][0]["holds"], true);
    assert_eq!(stdout(&simulate(&arguments)), stdout(&output), "the same input gives the same bytes");
    assert!(stderr(&output).is_empty(), "no progress bar without a terminal");
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
fn the_help_teaches_assertions_and_replays() {
    let help = stdout(&simulate(&["--help"]));
    for taught in ["timeouts[party=2]", "spread[Close].p90", "--replay", "LatencyInMs", "Exit codes: 0, 1 if"]
    {
        assert!(help.contains(taught), "{taught}");
    }
}
