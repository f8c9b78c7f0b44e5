//! StartMatchmaking and StopMatchmaking.

use flexmatch::{
    PlayerRequest, TicketRequest, TicketStatus, Timestamp,
    event::EventType,
    matchmaker::{CancelError, SubmitError},
};

use crate::play::{DUEL, Play, number, player};

fn request(id: &str, players: &[&str]) -> TicketRequest {
    TicketRequest { ticket_id: Some(id.into()), players: players.iter().map(|id| player(id, &[])).collect() }
}

#[test]
fn a_ticket_is_queued_then_searching_then_placed_then_completed() {
    let mut play = Play::new(DUEL);
    play.matchmaker.submit(Timestamp::from_millis(0), request("a", &["one"])).unwrap();
    assert_eq!(play.status("a"), TicketStatus::Queued);
    play.at(0);
    assert_eq!(play.status("a"), TicketStatus::Searching);
    play.solo("b", &[]).at(1);
    assert_eq!(play.status("a"), TicketStatus::Placing);
    play.placed();
    assert_eq!(play.status("a"), TicketStatus::Completed);
    let ticket = play.matchmaker.ticket("a").unwrap();
    assert_eq!(ticket.players()[0].player_session_id(), Some("psess-one"));
    assert_eq!(ticket.end_time(), Some(Timestamp::from_millis(1_000)));
    assert_eq!(
        play.story("a"),
        [EventType::MatchmakingSearching, EventType::PotentialMatchCreated, EventType::MatchmakingSucceeded]
    );
}

#[test]
fn a_newer_ticket_of_a_player_cancels_the_older_one_without_an_event() {
    let mut play = Play::new(DUEL);
    play.submit("old", vec![player("one", &[])]).at(1);
    play.submit("new", vec![player("one", &[])]);
    assert_eq!(play.status("old"), TicketStatus::Cancelled);
    assert_eq!(
        play.matchmaker.ticket("old").unwrap().status_reason(),
        Some("Cancelled due to duplicate player")
    );
    assert_eq!(play.story("old"), [EventType::MatchmakingSearching]);
    assert!(play.at(5).matches.is_empty(), "nobody plays against themselves");
}

#[test]
fn a_newer_ticket_with_another_matchmaker_cancels_the_older_one_without_an_event() {
    let mut play = Play::new(DUEL);
    play.submit("old", vec![player("one", &[])]).at(1);
    assert_eq!(play.matchmaker.ticket_of("one").unwrap().id().as_str(), "old");
    play.matchmaker.cancel_duplicate(play.now(), "one").unwrap();
    play.drain();
    assert_eq!(
        play.matchmaker.ticket("old").unwrap().status_reason(),
        Some("Cancelled due to duplicate player")
    );
    assert_eq!(play.story("old"), [EventType::MatchmakingSearching]);
    assert_eq!(play.matchmaker.ticket_of("one"), None);
    play.matchmaker.cancel_duplicate(play.now(), "one").expect("there is nothing to cancel");
    play.solo("a", &[]).solo("b", &[]).at(3);
    assert_eq!(play.matchmaker.cancel_duplicate(play.now(), "player-a"), Err(CancelError::Placing));
    assert_eq!(play.status("a"), TicketStatus::Placing);
}

#[test]
fn a_player_whose_match_is_being_placed_cannot_ask_again() {
    let mut play = Play::new(DUEL);
    play.solo("a", &[]).solo("b", &[]).at(1);
    let again = play.matchmaker.submit(play.now(), request("c", &["player-a"]));
    assert_eq!(again, Err(SubmitError::Placing));
    assert_eq!(
        play.matchmaker.cancel(play.now(), "a").unwrap_err().to_string(),
        "Matchmaking ticket is in PLACING status and cannot be canceled."
    );
}

#[test]
fn a_cancelled_ticket_leaves_the_pool_and_frees_its_players() {
    let mut play = Play::new(DUEL);
    play.solo("a", &[]);
    play.matchmaker.cancel(play.now(), "a").unwrap();
    play.drain();
    assert_eq!(play.story("a"), [EventType::MatchmakingSearching, EventType::MatchmakingCancelled]);
    assert_eq!(play.matchmaker.ticket("a").unwrap().status_message(), Some("Cancelled by request."));
    assert_eq!(play.matchmaker.cancel(play.now(), "a"), Err(CancelError::Ended(TicketStatus::Cancelled)));
    play.solo("b", &[]);
    assert!(play.at(2).matches.is_empty());
}

#[test]
fn a_ticket_can_be_cancelled_before_it_enters_the_pool() {
    let mut play = Play::new(DUEL);
    play.matchmaker.submit(play.now(), request("a", &["one"])).unwrap();
    play.matchmaker.cancel(play.now(), "a").unwrap();
    play.at(1);
    assert_eq!(play.story("a"), [EventType::MatchmakingCancelled]);
}

#[test]
fn wrong_requests_are_refused_and_change_nothing() {
    let mut play = Play::new(DUEL);
    play.solo("a", &[]);
    let crowd: Vec<String> = (0..11).map(|index| format!("p{index}")).collect();
    let crowd: Vec<&str> = crowd.iter().map(String::as_str).collect();
    let now = play.now();
    for (request, says) in [
        (request("b", &[]), "the request has 0 players"),
        (request("b", &crowd), "the request has 11 players"),
        (request("b", &["one", "one"]), "is in the request twice"),
        (request("a", &["one"]), "exists already"),
        (request("b c", &["one"]), "contains ' '"),
        (request("b", &[""]), "PlayerId has 0 characters"),
    ] {
        let error = play.matchmaker.submit(now, request).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    assert_eq!(play.matchmaker.tickets().count(), 1);
    assert_eq!(play.matchmaker.poll_output(), None);
}

#[test]
fn a_value_of_the_wrong_type_is_refused() {
    let rules = DUEL.replace(
        r#""teams""#,
        r#""playerAttributes": [{"name": "mode", "type": "string", "default": "x"}], "teams""#,
    );
    let mut play = Play::new(&rules);
    let wrong = TicketRequest { ticket_id: None, players: vec![player("one", &[("mode", number(1.0))])] };
    let error = play.matchmaker.submit(play.now(), wrong).unwrap_err().to_string();
    assert!(error.contains("\"mode\" is declared string"), "{error}");
}

#[test]
fn a_ticket_without_an_id_gets_a_uuid() {
    let mut play = Play::new(DUEL);
    let id = play
        .matchmaker
        .submit(play.now(), TicketRequest { ticket_id: None, players: vec![player("one", &[])] })
        .unwrap();
    assert_eq!(id.as_str().len(), 36);
}

#[test]
fn a_party_stays_together() {
    let rules = r#"{"ruleLanguageVersion": "1.0",
        "teams": [{"name": "red", "minPlayers": 2, "maxPlayers": 2}, {"name": "blue", "minPlayers": 2, "maxPlayers": 2}]}"#;
    let mut play = Play::new(rules);
    play.solo("one", &[]).submit("pair", vec![player("x", &[]), player("y", &[])]).solo("two", &[]).at(1);
    assert_eq!(play.matched(), [["one", "pair", "two"]]);
    let team = |id: &str| {
        play.matches[0].players.iter().find(|player| player.player_id.as_str() == id).unwrap().team.clone()
    };
    assert_eq!(team("x"), team("y"));
    assert_ne!(team("x"), team("player-one"));
}

#[test]
fn a_ticket_without_a_needed_attribute_waits_for_ever() {
    let rules = r#"{"ruleLanguageVersion": "1.0", "playerAttributes": [{"name": "level", "type": "number"}],
        "teams": [{"name": "any", "minPlayers": 1, "maxPlayers": 2}]}"#;
    let mut play = Play::new(rules);
    play.submit("without", vec![PlayerRequest { player_id: "p".into(), ..PlayerRequest::default() }]);
    play.solo("with", &[("level", number(1.0))]).at(5);
    assert_eq!(play.matched(), [["with"]]);
    assert_eq!(play.status("without"), TicketStatus::Searching);
}
