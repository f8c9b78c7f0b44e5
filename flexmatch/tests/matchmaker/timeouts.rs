//! Requests whose time is over.

use flexmatch::{Settings, TicketStatus, Timestamp, event::EventType, matchmaker::AcceptanceType};

use crate::play::{DUEL, Play};

fn ten_seconds() -> Settings {
    Settings { request_timeout_seconds: 10, acceptance_timeout_seconds: 5, ..Settings::default() }
}

#[test]
fn a_ticket_times_out_when_its_time_is_over() {
    let mut play = Play::with(DUEL, ten_seconds());
    play.solo("a", &[]).at(9);
    assert_eq!(play.status("a"), TicketStatus::Searching);
    play.at(10);
    let ticket = play.matchmaker.ticket("a").unwrap();
    assert_eq!((ticket.status(), ticket.status_reason()), (TicketStatus::TimedOut, Some("TimedOut")));
    assert_eq!(ticket.end_time(), Some(Timestamp::from_millis(10_000)));
    assert_eq!(play.story("a"), [EventType::MatchmakingSearching, EventType::MatchmakingTimedOut]);
    assert_eq!(play.matchmaker.poll_timeout(), None);
}

#[test]
fn a_ticket_that_can_be_matched_at_the_moment_of_its_timeout_is() {
    let mut play = Play::with(DUEL, ten_seconds());
    play.solo("a", &[]).at(9);
    play.matchmaker
        .submit(
            Timestamp::from_millis(10_000),
            flexmatch::TicketRequest { ticket_id: None, players: vec![crate::play::player("late", &[])] },
        )
        .unwrap();
    play.at(10);
    assert_eq!(play.status("a"), TicketStatus::Placing);
}

#[test]
fn a_request_that_times_out_while_players_are_asked_gets_its_answer_first() {
    let mut play = Play::with(DUEL, Settings { acceptance_required: true, ..ten_seconds() });
    play.solo("a", &[]).at(8).solo("b", &[]);
    play.at(12);
    assert_eq!(play.status("a"), TicketStatus::RequiresAcceptance);
    play.accept("a", AcceptanceType::Accept);
    play.at(14);
    assert_eq!(play.status("a"), TicketStatus::TimedOut, "back in the pool, its time was over");
    assert_eq!(play.status("b"), TicketStatus::Cancelled, "it stayed silent");
}

#[test]
fn a_request_times_out_while_its_match_is_being_placed() {
    let mut play = Play::with(DUEL, ten_seconds());
    play.solo("a", &[]).at(5).solo("b", &[]).at(10);
    assert_eq!(play.status("a"), TicketStatus::TimedOut);
    assert_eq!(play.status("b"), TicketStatus::Placing);
    play.placed();
    assert_eq!(play.status("b"), TicketStatus::Completed);
}

#[test]
fn a_placement_that_times_out_returns_the_tickets_without_an_event() {
    let mut play = Play::with(DUEL, Settings { pass_interval_ms: 5_000, ..ten_seconds() });
    play.solo("a", &[]).solo("b", &[]).at(5);
    let id = play.matches.remove(0).id;
    let told = play.events.len();
    play.matchmaker.placement_timed_out(play.now(), id.as_str()).unwrap();
    play.drain();
    assert_eq!(play.status("a"), TicketStatus::Searching);
    assert_eq!(play.events.len(), told);
    assert!(play.matchmaker.placement_failed(play.now(), id.as_str()).is_err());
    play.at(10);
    assert_eq!(play.matched(), [["a", "b"]], "they find each other again, in time");
}

#[test]
fn a_placement_that_fails_ends_the_tickets() {
    let mut play = Play::new(DUEL);
    play.solo("a", &[]).solo("b", &[]).at(1);
    let id = play.matches.remove(0).id;
    play.matchmaker.placement_failed(play.now(), id.as_str()).unwrap();
    play.drain();
    assert_eq!(play.status("a"), TicketStatus::Failed);
    assert_eq!(play.story("a").last(), Some(&EventType::MatchmakingFailed));
    play.solo("a2", &[]);
}

#[test]
fn the_clock_does_not_run_backwards() {
    let mut play = Play::with(DUEL, ten_seconds());
    play.at(5).solo("a", &[]);
    play.matchmaker.tick(Timestamp::from_millis(0));
    assert_eq!(play.matchmaker.ticket("a").unwrap().start_time(), Timestamp::from_millis(5_000));
    play.at(15);
    assert_eq!(play.status("a"), TicketStatus::TimedOut);
}
