//! Recordings, replayed.

use std::{fmt::Write as _, sync::Arc};

use flexmatch::{
    Compat, Envelope, Matchmaker, Output, PlayerRequest, Settings, TicketRequest, Timestamp,
    simulate::{Input, Players, Population, Recording, Replay, Report, replay},
    ticket::GameSession,
};
use serde_json::{Value, json};

use super::{DUEL, population, rules};

/// 2026-11-22T17:00:00Z
const START: u64 = 1_795_366_800_000;

fn event(time: &str, detail: Value) -> Value {
    json!({"version": "0", "id": "1", "detail-type": "GameLift Matchmaking Event", "source": "aws.gamelift",
        "account": "1", "time": format!("2026-11-22T17:{time}Z"), "region": "us-west-2",
        "resources": ["arn:aws:gamelift:us-west-2:1:matchmakingconfiguration/duels"], "detail": detail})
}

fn tickets(tickets: &[(&str, &str)]) -> Value {
    tickets
        .iter()
        .map(|(id, start)| {
            json!({"ticketId": id, "startTime": format!("2026-11-22T17:{start}Z"), "players": [{"playerId": format!("p-{id}")}]})
        })
        .collect()
}

fn searching(id: &str, start: &str) -> Value {
    event(start, json!({"type": "MatchmakingSearching", "tickets": tickets(&[(id, start)])}))
}

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

fn skills(of: &[(&str, f64)]) -> Players {
    let request = |(id, skill): &(&str, f64)| {
        json!({"TicketId": id, "Players": [{"PlayerId": format!("p-{id}"),
            "PlayerAttributes": {"skill": {"N": skill}}, "LatencyInMs": {"us-east-1": 50}}]})
    };
    Players::parse(&lines(&of.iter().map(request).collect::<Vec<_>>())).unwrap()
}

fn replayed(text: &str, players: &Players) -> (Report, Replay) {
    let recording = Arc::new(Recording::parse(text, None).unwrap());
    let population = Population { placement_seconds: 0, ..population() };
    let report =
        replay(rules(DUEL), &population, &recording, players, &Compat::default(), &mut |_| {}).unwrap();
    let Input::Replay(replay) = &report.input else { panic!("a replay") };
    let replay = replay.as_ref().clone();
    (report, replay)
}

fn error(text: &str) -> String {
    Recording::parse(text, None).unwrap_err().to_string()
}

/// A night at the matchmaker itself: its events, and the requests that made them.
fn recorded(population_skills: &[f64]) -> (String, String) {
    let settings = Settings { request_timeout_seconds: 20, ..Settings::default() };
    let mut matchmaker = Matchmaker::new(rules(DUEL), settings).unwrap();
    let (mut events, mut requests) = (String::new(), String::new());
    let mut hear = |matchmaker: &mut Matchmaker, now: Timestamp| {
        while let Some(output) = matchmaker.poll_output() {
            match output {
                Output::Place(found) => {
                    matchmaker.placement_succeeded(now, found.id.as_str(), GameSession::default()).unwrap();
                }
                Output::Event(detail) => {
                    let envelope: Envelope = matchmaker.envelope(now, detail);
                    writeln!(events, "{}", serde_json::to_string(&envelope).unwrap()).unwrap();
                }
            }
        }
    };
    let last = START + population_skills.len() as u64 * 700;
    for (number, skill) in population_skills.iter().enumerate() {
        let at = Timestamp::from_millis(START + number as u64 * 700);
        while let Some(due) = matchmaker.poll_timeout().filter(|due| *due < at) {
            matchmaker.tick(due);
            hear(&mut matchmaker, due);
        }
        let player: PlayerRequest = serde_json::from_value(json!({
            "PlayerId": format!("p-{number}"), "PlayerAttributes": {"skill": {"N": skill}}}))
        .unwrap();
        writeln!(
            requests,
            "{}",
            json!({"TicketId": format!("t-{number}"), "Players": [{"PlayerId": format!("p-{number}"),
                "PlayerAttributes": {"skill": {"N": skill}}}]})
        )
        .unwrap();
        let request = TicketRequest { ticket_id: Some(format!("t-{number}")), players: vec![player] };
        matchmaker.submit(at, request).unwrap();
        matchmaker.tick(at);
        hear(&mut matchmaker, at);
    }
    let end = Timestamp::from_millis(last).plus_seconds(60);
    while let Some(due) = matchmaker.poll_timeout().filter(|due| *due <= end) {
        matchmaker.tick(due);
        hear(&mut matchmaker, due);
    }
    (events, requests)
}

/// Sixty players, of whom two find nobody near.
fn skills_of_a_night() -> Vec<f64> {
    (0..60_u32)
        .map(|number| f64::from(number * 37 % 101 + if number % 30 == 7 { 300 * number } else { 0 }))
        .collect()
}

#[test]
fn the_same_rule_set_reproduces_its_own_recording() {
    let skills = skills_of_a_night();
    let (events, requests) = recorded(&skills);
    let (report, replay) = replayed(&events, &Players::parse(&requests).unwrap());
    assert_eq!((replay.tickets, replay.players, replay.players_drawn), (60, 60, 0));
    assert!(replay.recorded_matches > 20 && replay.recorded_timed_out > 0, "{replay}");
    assert_eq!(replay.reproduced_share, Some(1.0), "{replay}");
    assert_eq!(replay.same_outcome_share, Some(1.0), "{replay}");
    assert_eq!((replay.wait_difference.min, replay.wait_difference.max), (0.0, 0.0), "{replay}");
    assert_eq!(replay.recorded_wait, report.wait);
}

#[test]
fn a_stricter_rule_set_reproduces_less() {
    let skills = skills_of_a_night();
    let (events, requests) = recorded(&skills);
    let recording = Arc::new(Recording::parse(&events, None).unwrap());
    let players = Players::parse(&requests).unwrap();
    let strict = rules(&DUEL.replace("\"value\": 50", "\"value\": 6"));
    let report =
        replay(strict, &population(), &recording, &players, &Compat::default(), &mut |_| {}).unwrap();
    let Input::Replay(replay) = &report.input else { panic!("a replay") };
    assert!(replay.reproduced_share < Some(1.0) && replay.same_outcome_share < Some(1.0), "{replay}");
}

#[test]
fn waits_and_matches_are_compared_as_counted_by_hand() {
    // a and b are matched here at once, as soon as b is there; the recording took until second 9.
    let text = lines(&[
        searching("a", "00:00.000"),
        searching("b", "00:04.000"),
        searching("c", "00:05.000"),
        event(
            "00:09",
            json!({"type": "MatchmakingSucceeded", "matchId": "m", "tickets": tickets(&[("b", "00:04.000"), ("a", "00:00.000")])}),
        ),
        event("00:25", json!({"type": "MatchmakingTimedOut", "tickets": tickets(&[("c", "00:05.000")])})),
    ]);
    let (report, replay) = replayed(&text, &skills(&[("a", 1.0), ("b", 2.0), ("c", 900.0)]));
    assert_eq!((replay.recorded_matched, replay.recorded_timed_out, replay.recorded_cancelled), (2, 1, 0));
    assert_eq!((replay.recorded_matches, replay.reproduced_matches), (1, 1));
    assert_eq!((replay.recorded_wait.min, replay.recorded_wait.max), (5.0, 9.0));
    assert_eq!((report.wait.min, report.wait.max), (0.0, 4.0));
    assert_eq!((replay.wait_difference.min, replay.wait_difference.max), (-5.0, -5.0));
    assert_eq!(replay.same_outcome_share, Some(1.0));
}

#[test]
fn a_proposal_in_the_recording_ends_the_wait_before_the_placement() {
    let pair = [("a", "00:00.000"), ("b", "00:01.000")];
    let text = lines(&[
        searching("a", "00:00.000"),
        searching("b", "00:01.000"),
        event("00:02", json!({"type": "PotentialMatchCreated", "matchId": "m", "tickets": tickets(&pair)})),
        event("00:15", json!({"type": "MatchmakingSucceeded", "matchId": "m", "tickets": tickets(&pair)})),
    ]);
    let (_, replay) = replayed(&text, &Players::default());
    assert_eq!((replay.recorded_wait.min, replay.recorded_wait.max), (1.0, 2.0));
}

#[test]
fn a_ticket_that_came_back_counts_once_and_a_backfill_ticket_not_at_all() {
    let backfill = json!([{"ticketId": "fill", "startTime": "2026-11-22T17:00:01Z", "players": [{"playerId": "x", "team": "red"}]}]);
    let text = lines(&[
        searching("a", "00:00.000"),
        searching("a", "00:00.000"),
        event("00:01", json!({"type": "MatchmakingSearching", "tickets": backfill})),
        json!({"detail-type": "GameLift Queue Placement Event", "detail": {}}),
    ]);
    let (report, replay) = replayed(&text, &Players::default());
    assert_eq!((report.tickets, replay.tickets, replay.repeated_events), (1, 1, 1));
    assert_eq!((replay.backfill_tickets, replay.other_events), (1, 1));
    assert_eq!((replay.reproduced_share, replay.same_outcome_share), (None, None));
}

#[test]
fn a_recorded_cancellation_takes_the_ticket_out() {
    // The event's time has whole seconds: it lies before the ticket's start.
    let text = lines(&[
        searching("a", "00:00.900"),
        event("00:00", json!({"type": "MatchmakingCancelled", "tickets": tickets(&[("a", "00:00.900")])})),
        searching("b", "00:02.000"),
    ]);
    let (report, replay) = replayed(&text, &skills(&[("a", 1.0), ("b", 1.0)]));
    assert_eq!((report.cancelled, report.matched, report.timed_out), (1, 0, 1));
    assert_eq!((replay.recorded_cancelled, replay.same_outcome_share), (1, Some(1.0)));
}

#[test]
fn a_ticket_whose_player_comes_again_ends_with_the_newer_ticket() {
    let again = |id: &str, start: &str| {
        let mut event = searching(id, start);
        event["detail"]["tickets"][0]["players"][0]["playerId"] = "p".into();
        event
    };
    let text = lines(&[again("a", "00:00.000"), again("b", "00:03.000"), searching("c", "00:50.000")]);
    let (report, _) = replayed(&text, &Players::default());
    assert_eq!((report.tickets, report.cancelled, report.timed_out, report.matched), (3, 1, 2, 0));
    let waiting = |seconds: f64| {
        let mut moments = report.waiting.iter().filter(|moment| moment.seconds <= seconds);
        moments.next_back().map(|moment| moment.tickets)
    };
    // The first left at second 3, the second at second 23.
    assert_eq!((waiting(2.9), waiting(3.5), waiting(24.0)), (Some(1), Some(1), Some(0)), "{report}");
}

#[test]
fn waits_are_compared_up_to_the_proposal_however_long_players_take_to_accept() {
    let pair = [("a", "00:00.000"), ("b", "00:01.000")];
    let text = lines(&[
        searching("a", "00:00.000"),
        searching("b", "00:01.000"),
        event("00:01", json!({"type": "PotentialMatchCreated", "matchId": "m", "tickets": tickets(&pair)})),
        event("00:09", json!({"type": "MatchmakingSucceeded", "matchId": "m", "tickets": tickets(&pair)})),
    ]);
    let recording = Arc::new(Recording::parse(&text, None).unwrap());
    let slow = Population { acceptance_required: true, answer_seconds: 7, ..population() };
    let players = skills(&[("a", 1.0), ("b", 1.0)]);
    let report = replay(rules(DUEL), &slow, &recording, &players, &Compat::default(), &mut |_| {}).unwrap();
    let Input::Replay(replay) = &report.input else { panic!("a replay") };
    assert_eq!((report.wait.min, report.wait.max), (7.0, 8.0), "the report's wait ends with the acceptance");
    let difference = replay.wait_difference;
    assert_eq!((difference.count, difference.min, difference.max), (2, 0.0, 0.0), "{replay}");
}

#[test]
fn players_who_are_not_told_of_are_drawn_by_seed_and_counted() {
    let text = lines(&[searching("a", "00:00.000"), searching("b", "00:00.000")]);
    let (one, replay) = replayed(&text, &skills(&[("a", 1.0), ("stranger", 1.0)]));
    assert_eq!((replay.players, replay.players_drawn, replay.requests_unused), (2, 1, 1));
    assert!(one.to_string().contains("1 of 2 players were drawn from the population"), "{one}");
    assert_eq!(one, replayed(&text, &skills(&[("a", 1.0), ("stranger", 1.0)])).0);
}

#[test]
fn lists_and_sns_notifications_are_read_like_lines() {
    let events = [searching("a", "00:00.000"), searching("b", "00:01.000")];
    let plain = Recording::parse(&lines(&events), None).unwrap();
    let notifications =
        events.each_ref().map(|event| json!({"Type": "Notification", "Message": event.to_string()}));
    assert_eq!(Recording::parse(&lines(&notifications), None).unwrap(), plain);
    let list = serde_json::to_string_pretty(&events).unwrap();
    assert_eq!(Recording::parse(&list, None).unwrap(), plain);
}

#[test]
fn a_bad_line_is_named_by_its_number() {
    let good = lines(&[searching("a", "00:00.000")]);
    for (bad, message) in [
        ("{\"broken\"", "line 3: is no JSON"),
        ("{}", "line 3: is no event: it has neither detail-type nor Message"),
        ("7", "line 3: is no JSON object"),
        (r#"{"Type": "Notification", "Message": "hello"}"#, "line 3: Message is no JSON"),
        (r#"{"detail-type": "GameLift Matchmaking Event"}"#, "line 3: missing field `time`"),
        (r#"[{"detail-type": "x"}, {}]"#, "line 3: item 2: is no event"),
    ] {
        let found = error(&format!("{good}\n{bad}\n{good}"));
        assert!(found.starts_with(message), "{found}");
    }
    let wrong_time = lines(&[searching("a", "00:00.000")]).replace("00:00.000Z", "soon");
    assert!(error(&wrong_time).starts_with("line 1: time: \"2026-11-22T17:soon\" is no moment"));
    assert!(error("").contains("has no MatchmakingSearching event"));
    let players = "{\"TicketId\": \"a\", \"Players\": []}\n{\"Players\": []}";
    assert_eq!(Players::parse(players).unwrap_err().to_string(), "line 2: the request has no TicketId");
    let typo = r#"{"TicketId": "a", "Players": [{"PlayerId": "p", "LatencyInMS": {"us-east-1": 5}}]}"#;
    let typo = Players::parse(typo).unwrap_err().to_string();
    assert!(typo.starts_with("line 1: unknown field `LatencyInMS`, expected one of `PlayerId`"), "{typo}");
    let twice = "{\"TicketId\": \"a\", \"Players\": []}\n{\"TicketId\": \"a\", \"Players\": []}";
    assert_eq!(Players::parse(twice).unwrap_err().to_string(), "line 2: ticket \"a\" was there before");
}

#[test]
fn one_of_several_configurations_must_be_chosen() {
    let other = lines(&[searching("b", "00:01.000")]).replace("/duels", "/teams");
    let text = lines(&[searching("a", "00:00.000")]) + &other;
    assert!(error(&text).contains("several matchmaking configurations: duels, teams; choose one"));
    let chosen = Arc::new(Recording::parse(&text, Some("teams")).unwrap());
    let report =
        replay(rules(DUEL), &population(), &chosen, &Players::default(), &Compat::default(), &mut |_| {})
            .unwrap();
    assert_eq!(report.tickets, 1);
    let none = Recording::parse(&text, Some("team")).unwrap_err().to_string();
    assert!(none.contains("of the configuration \"team\""), "{none}");
}

#[test]
fn a_request_that_does_not_fit_the_rule_set_is_refused_and_told() {
    let text = lines(&[searching("a", "00:00.000"), searching("b", "00:01.000")]);
    let wrong =
        r#"{"TicketId": "a", "Players": [{"PlayerId": "p-a", "PlayerAttributes": {"skill": {"S": "x"}}}]}"#;
    let (report, _) = replayed(&text, &Players::parse(wrong).unwrap());
    assert_eq!((report.refused, report.tickets), (1, 1));
    assert!(report.first_refusal.as_ref().unwrap().contains("\"skill\" is declared number"), "{report}");
}
