//! SearchGameSessions.

use gamelift_local::{
    ApiError,
    ErrorKind::{InvalidRequest, NotFound},
};
use serde_json::{Value, json};

use crate::bench::{Bench, input, kind};

/// Four game sessions, in the order of their creation.
fn four() -> (Bench, Vec<String>) {
    let mut bench = Bench::new();
    let mut arns = Vec::new();
    for (name, slots, map) in [
        (Some("Matt's Awesome Game 1"), 4, Some("dust")),
        (Some("beta"), 2, Some("aztec")),
        (None, 4, None),
        (Some("alpha"), 3, Some("italy")),
    ] {
        let connection = bench.ready(&format!("p{}", arns.len()));
        let properties: Vec<_> = map.into_iter().map(|map| json!({ "Key": "map", "Value": map })).collect();
        let body = json!({
            "Name": name, "MaximumPlayerSessionCount": slots, "GameProperties": properties,
            "Location": crate::bench::LOCATION, "FleetId": bench.fleet,
        });
        let session = bench.engine.create_game_session(bench.now, input(body)).unwrap().game_session;
        bench.ok(connection, "ActivateGameSession", json!({ "GameSessionId": session.game_session_id }));
        arns.push(session.game_session_id);
        bench.wait_s(1);
    }
    bench.join(&arns[1], "ada");
    bench.join(&arns[1], "bob");
    bench.join(&arns[3], "eve");
    (bench, arns)
}

fn try_search(bench: &mut Bench, more: Value) -> Result<(Vec<String>, Option<String>), ApiError> {
    let mut body = json!({ "FleetId": bench.fleet });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let output = bench.engine.search_game_sessions(bench.now, input(body))?;
    Ok((output.game_sessions.into_iter().map(|it| it.game_session_id).collect(), output.next_token))
}

/// Which of the four, by number.
fn found(bench: &mut Bench, arns: &[String], more: Value) -> Vec<usize> {
    let found = try_search(bench, more).unwrap().0;
    found.iter().map(|arn| arns.iter().position(|known| known == arn).unwrap()).collect()
}

#[test]
fn filters_choose_what_they_say() {
    let (mut bench, arns) = four();
    let created = bench.session(&arns[1]).creation_time.as_millis();
    for (filter, expected) in [
        ("maximumSessions>=4".to_owned(), vec![0, 2]),
        ("maximumSessions<4 AND hasAvailablePlayerSessions=true".to_owned(), vec![3]),
        ("hasAvailablePlayerSessions <> true".to_owned(), vec![1]),
        ("hasAvailablePlayerSessions=false".to_owned(), vec![1]),
        ("playerSessionCount = 0".to_owned(), vec![0, 2]),
        ("playerSessionCount>0 AND playerSessionCount<2".to_owned(), vec![3]),
        ("playerSessionCount<=1".to_owned(), vec![0, 2, 3]),
        (r"gameSessionName = 'Matt\'s Awesome Game 1'".to_owned(), vec![0]),
        ("gameSessionName='Beta'".to_owned(), vec![]),
        // A game session without a name is neither equal nor unequal.
        ("gameSessionName<>'beta'".to_owned(), vec![0, 3]),
        ("NOT gameSessionName='beta'".to_owned(), vec![0, 2, 3]),
        ("gameSessionProperties.map = \"dust\"".to_owned(), vec![0]),
        ("gameSessionProperties.map<>'dust'".to_owned(), vec![1, 3]),
        ("gameSessionProperties.nothing='dust'".to_owned(), vec![]),
        // Keys with a dot cannot be searched.
        ("gameSessionProperties.map.name<>'dust'".to_owned(), vec![]),
        (format!("gameSessionId='{}'", arns[2]), vec![2]),
        (format!("creationTimeMillis>{created}"), vec![2, 3]),
        (format!("creationTimeMillis={created}"), vec![1]),
        (
            "gameSessionProperties.map='dust' AND maximumSessions=4 OR gameSessionProperties.map='aztec'"
                .to_owned(),
            vec![0, 1],
        ),
        (
            "maximumSessions=4 AND (gameSessionProperties.map='dust' OR gameSessionProperties.map='aztec')"
                .to_owned(),
            vec![0],
        ),
    ] {
        assert_eq!(found(&mut bench, &arns, json!({ "FilterExpression": filter })), expected, "{filter}");
    }
}

#[test]
fn a_game_session_that_takes_nobody_has_no_available_player_sessions() {
    let (mut bench, arns) = four();
    let body = json!({ "GameSessionId": arns[0], "PlayerSessionCreationPolicy": "DENY_ALL" });
    bench.engine.update_game_session(bench.now, input(body)).unwrap();
    let filter = json!({ "FilterExpression": "hasAvailablePlayerSessions=true" });
    assert_eq!(found(&mut bench, &arns, filter), [2, 3]);
}

#[test]
fn sorting_puts_what_has_no_value_last_in_both_directions() {
    let (mut bench, arns) = four();
    for (sort, expected) in [
        ("gameSessionName ASC", [0, 3, 1, 2]),
        ("gameSessionName DESC", [1, 3, 0, 2]),
        ("gameSessionProperties.map ASC", [1, 0, 3, 2]),
        ("gameSessionProperties.map DESC", [3, 0, 1, 2]),
        ("maximumSessions ASC", [1, 3, 0, 2]),
        ("maximumSessions DESC", [0, 2, 3, 1]),
        ("creationTimeMillis DESC", [3, 2, 1, 0]),
        ("playerSessionCount DESC", [1, 3, 0, 2]),
        ("hasAvailablePlayerSessions ASC", [1, 0, 2, 3]),
    ] {
        assert_eq!(found(&mut bench, &arns, json!({ "SortExpression": sort })), expected, "{sort}");
    }
}

#[test]
fn only_active_game_sessions_are_found() {
    let (mut bench, arns) = four();
    bench.terminate(&arns[0]).unwrap();
    bench.ready("activating");
    bench.create();
    assert_eq!(found(&mut bench, &arns, json!({})), [1, 2, 3]);
}

#[test]
fn errors_name_the_expression_the_place_and_what_was_expected() {
    let (mut bench, _) = four();
    for (field, text, message) in [
        (
            "FilterExpression",
            "maximumSessions=>4",
            "FilterExpression, character 17: expected a number, found >",
        ),
        (
            "SortExpression",
            "maximumSessions",
            "SortExpression, character 16: expected ASC or DESC, found the end",
        ),
    ] {
        let error = try_search(&mut bench, json!({ field: text })).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (InvalidRequest, message));
    }
    assert_eq!(kind(try_search(&mut bench, json!({ "FleetId": "fleet-none" }))), Some(NotFound));
    assert_eq!(kind(try_search(&mut bench, json!({ "FleetId": null }))), Some(InvalidRequest));
    assert_eq!(kind(try_search(&mut bench, json!({ "Location": "custom-none" }))), Some(InvalidRequest));
    assert_eq!(kind(try_search(&mut bench, json!({ "NextToken": "abc" }))), Some(InvalidRequest));
}

#[test]
fn pages_have_twenty_results_at_most_and_go_on_where_they_ended_even_if_that_one_is_gone() {
    let mut bench = Bench::new();
    let mut arns = Vec::new();
    for n in 0..50 {
        arns.push(bench.hosting(&format!("p{n:02}")).1);
        bench.wait_s(1);
    }
    let sorted = |token: Option<String>, limit: u32| json!({ "SortExpression": "creationTimeMillis DESC", "NextToken": token, "Limit": limit });
    let (first, token) = try_search(&mut bench, sorted(None, 500)).unwrap();
    assert_eq!(first, arns.iter().rev().take(20).cloned().collect::<Vec<_>>());
    // The last one of the page ends: the next page begins behind its place.
    bench.terminate(&first[19]).unwrap();
    let (second, token) = try_search(&mut bench, sorted(token, 20)).unwrap();
    assert_eq!(second[0], arns[28], "one is skipped, none comes twice");
    let (third, end) = try_search(&mut bench, sorted(token, 20)).unwrap();
    assert_eq!((third.len(), end), (9, None));
    let (few, token) = try_search(&mut bench, json!({ "Limit": 3 })).unwrap();
    assert_eq!((few.len(), token.is_some()), (3, true));
}
