//! One event of each type, as the developer guide shows them.

use serde_json::{Value, json};

use super::*;

fn event(detail: Value) -> Result<Event, Malformed> {
    parse(&json!({"version": "0", "id": "e-1", "time": "2026-11-22T20:00:00Z", "source": "aws.gamelift", "detail": detail}).to_string())
}

fn updates(detail: Value) -> Vec<Update> {
    match event(detail).unwrap() {
        Event::Tickets { updates, .. } => updates,
        other => panic!("{other:?}"),
    }
}

fn tickets() -> Value {
    json!([
        {"ticketId": "t-1", "startTime": "x", "players": [
            {"playerId": "ada", "team": "red", "playerSessionId": "psess-a", "accepted": true},
            {"playerId": "bob", "team": "red", "playerSessionId": "psess-b"},
        ]},
        {"ticketId": "t-2", "players": [{"playerId": "cyd", "team": "blue", "playerSessionId": "psess-c"}]},
        {"ticketId": "auto-backfill-1", "players": [{"playerId": "dan", "team": "blue"}]},
    ])
}

#[test]
fn every_player_of_every_ticket_gets_their_own_seat() {
    let info = json!({"gameSessionArn": "arn:s", "ipAddress": "10.0.0.1", "port": 7777, "players": []});
    let updates = updates(
        json!({"type": "MatchmakingSucceeded", "tickets": tickets(), "gameSessionInfo": info, "matchId": "m"}),
    );
    let seats: Vec<_> = updates
        .iter()
        .map(|update| {
            let connection = update.news.connection.as_ref().unwrap();
            assert_eq!(connection.endpoints[0].port, 7777);
            let team = update.news.team.as_deref().unwrap();
            (update.player.as_str(), update.ticket_id.as_str(), team, connection.player_session_id.as_str())
        })
        .collect();
    let wanted = [
        ("ada", "t-1", "red", "psess-a"),
        ("bob", "t-1", "red", "psess-b"),
        ("cyd", "t-2", "blue", "psess-c"),
    ];
    assert_eq!(seats, wanted);
}

#[test]
fn tickets_of_automatic_backfill_are_skipped_and_counted() {
    let Event::Tickets { updates, skipped } =
        event(json!({"type": "MatchmakingSearching", "tickets": tickets()})).unwrap()
    else {
        panic!()
    };
    assert_eq!((updates.len(), skipped), (3, 1));
}

#[test]
fn acceptance_is_counted_over_the_whole_match() {
    let news = &updates(json!({"type": "AcceptMatch", "tickets": tickets(), "matchId": "m"}))[2].news;
    assert_eq!((news.status, news.accepted), (Status::RequiresAcceptance, Some((1, 4))));
}

#[test]
fn a_proposal_tells_until_when_to_accept_only_if_players_are_asked() {
    let detail = |required: bool| json!({"type": "PotentialMatchCreated", "tickets": tickets(), "acceptanceTimeout": 600, "acceptanceRequired": required});
    let asked = &updates(detail(true))[0].news;
    assert_eq!(
        (asked.status, asked.deadline),
        (Status::RequiresAcceptance, Some(1_795_377_600_000 + 600_000))
    );
    let not_asked = &updates(detail(false))[0].news;
    assert_eq!((not_asked.status, not_asked.deadline), (Status::Placing, None));
}

#[test]
fn a_refused_match_sends_players_back_to_searching_and_beats_what_led_to_it_in_the_same_second() {
    let after =
        updates(json!({"type": "AcceptMatchCompleted", "acceptance": "Rejected", "tickets": tickets()}));
    let before = updates(json!({"type": "AcceptMatch", "tickets": tickets()}));
    assert_eq!(after[0].news.status, Status::Searching);
    assert!(after[0].order > before[0].order);
    let accepted =
        updates(json!({"type": "AcceptMatchCompleted", "acceptance": "Accepted", "tickets": tickets()}));
    assert_eq!(accepted[0].news.status, Status::Placing);
}

#[test]
fn an_estimated_wait_may_be_a_number_a_text_or_not_available() {
    for (written, read) in
        [(json!("12000"), Some(12_000)), (json!(12_000), Some(12_000)), (json!("NOT_AVAILABLE"), None)]
    {
        let updates = updates(
            json!({"type": "MatchmakingSearching", "tickets": tickets(), "estimatedWaitMillis": written}),
        );
        assert_eq!(updates[0].news.estimated_wait_ms, read);
    }
}

#[test]
fn an_end_without_a_seat_says_why() {
    for (kind, status) in [
        ("MatchmakingTimedOut", Status::TimedOut),
        ("MatchmakingCancelled", Status::Cancelled),
        ("MatchmakingFailed", Status::Failed),
    ] {
        let updates = updates(json!({"type": kind, "tickets": tickets(), "reason": "R", "message": "M."}));
        assert_eq!((updates[0].news.status, updates[0].news.reason.as_deref()), (status, Some("M.")));
    }
}

#[test]
fn a_fulfilled_placement_seats_its_players_and_its_port_is_a_text() {
    let updates = updates(json!({
        "type": "PlacementFulfilled", "placementId": "p-1", "port": "6262", "gameSessionArn": "arn:s", "ipAddress": "10.0.0.1",
        "dnsName": "a.example", "placedPlayerSessions": [{"playerId": "ada", "playerSessionId": "psess-a"}],
    }));
    let connection = updates[0].news.connection.as_ref().unwrap();
    assert_eq!((connection.endpoints[0].port, connection.player_session_id.as_str()), (6262, "psess-a"));
    assert_eq!(connection.endpoints[0].dns_name.as_deref(), Some("a.example"));
    assert_eq!((updates[0].ticket_id.as_str(), updates[0].news.status), ("p-1", Status::Succeeded));
}

#[test]
fn a_placement_that_ended_otherwise_names_no_players() {
    let ended = event(json!({"type": "PlacementTimedOut", "placementId": "p-1"})).unwrap();
    let Event::PlacementEnded { ticket_id, news, .. } = ended else { panic!("{ended:?}") };
    assert_eq!((ticket_id.as_str(), news.status), ("p-1", Status::TimedOut));
}

#[test]
fn an_unknown_type_is_ignored_and_named() {
    let kind = "MatchmakingDreaming".to_owned();
    assert_eq!(event(json!({"type": kind, "tickets": tickets()})), Ok(Event::Ignored { kind }));
}

#[test]
fn a_text_that_is_no_event_says_what_it_lacks() {
    assert!(parse("nonsense").unwrap_err().to_string().contains("line 1"));
    assert!(event(json!({"tickets": []})).unwrap_err().to_string().contains("type"));
    assert!(event(json!({"type": "PlacementFailed"})).unwrap_err().to_string().contains("placementId"));
    assert!(
        event(json!({"type": "AcceptMatch", "tickets": [{"players": []}]}))
            .unwrap_err()
            .to_string()
            .contains("ticketId")
    );
}

#[test]
fn without_a_place_to_go_a_match_succeeds_all_the_same() {
    // A matchmaker in STANDALONE mode.
    let updates = updates(
        json!({"type": "MatchmakingSucceeded", "tickets": tickets(), "gameSessionInfo": {"players": []}}),
    );
    assert_eq!((updates[0].news.status, &updates[0].news.connection), (Status::Succeeded, &None));
}

#[test]
fn of_two_answers_in_one_second_the_one_that_counts_more_is_the_later() {
    // Its id would say otherwise.
    let one = Order::new(1, Status::RequiresAcceptance.rank(), 9, "z");
    let more = Order::new(1, Status::RequiresAcceptance.rank(), 10, "a");
    assert!(one < more && one.as_str() < more.as_str());
}

#[test]
fn the_order_of_news_is_by_time_first() {
    let early = Order::new(1, 100, 9, "z");
    let late = Order::new(2, 0, 0, "a");
    assert!(early < late && early.as_str() < late.as_str());
    assert_eq!(time_of(late.as_str()), Some(2));
    assert_eq!(time_of(""), None);
}
