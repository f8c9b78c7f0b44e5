//! Matches that players must accept.

use flexmatch::{
    Compat, MatchmakingEvent, Settings, TicketStatus,
    compat::Rejecters,
    event::{Acceptance, EventType},
    matchmaker::{AcceptError, AcceptanceType},
    ticket::PlayerId,
};

use crate::play::{DUEL, Play, player};

fn asking() -> Settings {
    Settings { acceptance_required: true, acceptance_timeout_seconds: 10, ..Settings::default() }
}

fn asked() -> Play {
    let mut play = Play::with(DUEL, asking());
    play.solo("a", &[]).solo("b", &[]).at(1);
    assert_eq!(play.status("a"), TicketStatus::RequiresAcceptance);
    play
}

fn how_it_ended(play: &Play) -> Vec<Acceptance> {
    play.events
        .iter()
        .filter_map(|event| match event {
            MatchmakingEvent::AcceptMatchCompleted(event) => Some(event.acceptance),
            _ => None,
        })
        .collect()
}

#[test]
fn the_last_acceptance_sends_the_match_on() {
    let mut play = asked();
    play.accept("a", AcceptanceType::Accept);
    assert!(play.matches.is_empty());
    play.accept("b", AcceptanceType::Accept);
    assert_eq!(play.status("a"), TicketStatus::Placing);
    assert_eq!(how_it_ended(&play), [Acceptance::Accepted]);
    assert_eq!(
        play.story("a"),
        [
            EventType::MatchmakingSearching,
            EventType::PotentialMatchCreated,
            EventType::AcceptMatch,
            EventType::AcceptMatch,
            EventType::AcceptMatchCompleted
        ]
    );
}

#[test]
fn one_rejection_ends_the_match_and_the_others_search_on_with_their_age() {
    let mut play = asked();
    play.accept("a", AcceptanceType::Accept).accept("b", AcceptanceType::Reject);
    assert_eq!((play.status("a"), play.status("b")), (TicketStatus::Searching, TicketStatus::Cancelled));
    assert_eq!(how_it_ended(&play), [Acceptance::Rejected]);
    assert_eq!(play.story("b").last(), Some(&EventType::MatchmakingCancelled));
    assert_eq!(play.story("a").last(), Some(&EventType::MatchmakingSearching));
    assert_eq!(play.matchmaker.ticket("a").unwrap().start_time().as_millis(), 0);
    play.solo("c", &[]).at(3);
    assert_eq!(play.status("a"), TicketStatus::RequiresAcceptance);
}

#[test]
fn silence_until_the_timeout_ends_the_ticket() {
    let mut play = asked();
    play.accept("a", AcceptanceType::Accept).at(10);
    assert_eq!(play.status("b"), TicketStatus::RequiresAcceptance, "it was asked at 1 s and has 10 s");
    play.at(11);
    assert_eq!(play.status("b"), TicketStatus::Cancelled);
    assert_eq!(play.status("a"), TicketStatus::Searching);
    assert_eq!(how_it_ended(&play), [Acceptance::TimedOut]);
}

#[test]
fn rejecters_can_be_read_as_failed() {
    let compat = Compat { rejecters: Rejecters::Fail, ..Compat::default() };
    let mut play = Play::with(DUEL, Settings { compat, ..asking() });
    play.solo("a", &[]).solo("b", &[]).at(1).accept("b", AcceptanceType::Reject);
    assert_eq!(play.status("b"), TicketStatus::Failed);
    assert_eq!(play.story("b").last(), Some(&EventType::MatchmakingFailed));
}

#[test]
fn cancelling_a_ticket_of_a_proposed_match_ends_the_match() {
    let mut play = asked();
    play.matchmaker.cancel(play.now(), "b").unwrap();
    play.drain();
    assert_eq!((play.status("a"), play.status("b")), (TicketStatus::Searching, TicketStatus::Cancelled));
    assert_eq!(play.story("a").last(), Some(&EventType::MatchmakingSearching));
}

#[test]
fn a_player_who_asks_again_while_asked_ends_the_match() {
    let mut play = asked();
    play.submit("b2", vec![player("player-b", &[])]);
    assert_eq!(play.status("b"), TicketStatus::Cancelled);
    play.at(3);
    assert_eq!(play.status("a"), TicketStatus::RequiresAcceptance);
    assert_eq!(play.status("b2"), TicketStatus::RequiresAcceptance);
}

#[test]
fn answers_that_nobody_asked_for_are_refused() {
    let mut play = asked();
    let now = play.now();
    let accept = AcceptanceType::Accept;
    let stranger = PlayerId::new("stranger").unwrap();
    assert!(matches!(play.matchmaker.accept(now, "x", &[], accept), Err(AcceptError::NotFound(_))));
    assert_eq!(play.matchmaker.accept(now, "a", &[], accept), Err(AcceptError::NoPlayers));
    assert_eq!(
        play.matchmaker.accept(now, "a", &[stranger], accept),
        Err(AcceptError::NotOnTicket("stranger".into()))
    );
    play.accept("a", accept).accept("b", accept);
    let one = PlayerId::new("player-a").unwrap();
    assert_eq!(
        play.matchmaker.accept(now, "a", &[one], accept),
        Err(AcceptError::NotAsked(TicketStatus::Placing))
    );
}

#[test]
fn an_answer_event_shows_only_answers_that_were_given() {
    let mut play = asked();
    play.accept("b", AcceptanceType::Accept);
    let MatchmakingEvent::AcceptMatch(event) = play.events.last().unwrap() else { panic!("no AcceptMatch") };
    let answers: Vec<_> = event.tickets.iter().map(|ticket| ticket.players[0].accepted).collect();
    assert_eq!(answers, [None, Some(true)]);
}
