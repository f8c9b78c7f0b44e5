//! What can go wrong, and what the player sees then: every row of the table in the backend's design.

use backend::game_lift::{GameLiftError, Place};
use backend::problem::Code;
use backend::service::HandleError;
use backend::store::{Kind, NewTicket};
use backend::ticket::{Endpoint, Status};
use serde_json::json;

use crate::bench::{Bench, caller, code, event};
use crate::fake::report;

fn unclear() -> GameLiftError {
    GameLiftError::Unclear("no answer in time".to_owned())
}

#[tokio::test]
async fn an_event_that_is_lost_is_made_up_for_after_thirty_seconds_by_one_question() {
    let bench = Bench::new().await;
    let ticket = bench.ticket("ada").await;
    let mut done = report(Status::Succeeded);
    done.place = Some(Place {
        game_session_id: "arn:aws:gamelift:us-west-2::gamesession/fleet-1/eu-west-1/gsess-1".to_owned(),
        endpoint: Endpoint { ip: "10.0.0.1".to_owned(), dns_name: None, port: 7777 },
    });
    done.seats.insert(caller("ada").player, "psess-ada".to_owned());
    bench.game_lift.set(&ticket.ticket_id, done);

    bench.advance(29_999);
    assert_eq!(bench.current("ada").await.status, Status::Requested);
    assert_eq!(bench.game_lift.calls("describe_matchmaking"), 0);
    bench.advance(1);
    let now = bench.current("ada").await;
    let connection = now.connection.unwrap();
    assert_eq!((now.status, connection.player_session_id.as_str()), (Status::Succeeded, "psess-ada"));
    assert_eq!(connection.certificate_sha256.as_deref(), Some("abcd"));
    bench.current("ada").await;
    assert_eq!(bench.game_lift.calls("describe_matchmaking"), 1);
}

#[tokio::test]
async fn while_nothing_happens_gamelift_is_asked_every_thirty_seconds_however_often_players_ask() {
    let bench = Bench::new().await;
    bench.ticket("ada").await;
    for _ in 0..100 {
        bench.advance(1_000);
        assert!(!bench.current("ada").await.status.is_final());
    }
    assert_eq!(bench.game_lift.calls("describe_matchmaking"), 3);
}

#[tokio::test]
async fn an_event_that_comes_before_the_answer_to_the_start_is_not_lost() {
    // The row is there first, so it does not matter that GameLift's answer is late.
    let bench = Bench::new().await;
    bench.game_lift.state().works_all_the_same = true;
    bench.game_lift.fail("start_matchmaking", unclear());
    let ticket = bench.ticket("ada").await;
    bench.event(1, "MatchmakingSearching", &ticket.ticket_id, &["ada"]).await;
    assert_eq!(bench.current("ada").await.status, Status::Searching);
}

#[tokio::test]
async fn a_backend_that_dies_between_row_and_start_leaves_a_ticket_that_ends_as_lost_and_bars_nobody() {
    let mut bench = Bench::new().await;
    let new = NewTicket {
        ticket_id: "t-1".to_owned(),
        token: "one-key-1".to_owned(),
        kind: Kind::Match,
        configuration: "default".to_owned(),
        player: caller("ada").player,
        party: Vec::new(),
        expires: bench.now() + 3_600_000,
    };
    bench.store.create(&new, bench.now()).await.unwrap();
    bench.restart();
    assert_eq!(code(bench.start("ada", "two-key-2").await), Code::TicketActive);
    bench.advance(30_000);
    let ended = bench.current("ada").await;
    assert_eq!(ended.status, Status::Failed);
    assert!(ended.reason.unwrap().starts_with("LOST"));
    assert!(!bench.start("ada", "two-key-2").await.unwrap().replayed);
}

#[tokio::test]
async fn a_start_that_timed_out_is_tried_again_under_the_same_id_and_a_duplicate_is_a_success() {
    let bench = Bench::new().await;
    bench.game_lift.state().works_all_the_same = true;
    bench.game_lift.fail("start_matchmaking", unclear());
    let started = bench.start("ada", "one-key-1").await.unwrap();
    assert_eq!((started.replayed, started.ticket.status), (false, Status::Requested));
    assert_eq!(
        (bench.game_lift.calls("start_matchmaking"), bench.game_lift.calls("describe_matchmaking")),
        (2, 1)
    );
    assert_eq!(bench.game_lift.state().matches.len(), 1);
}

#[tokio::test]
async fn a_start_that_stays_unclear_stays_requested_until_gamelift_is_asked() {
    let bench = Bench::new().await;
    bench.game_lift.fail("start_matchmaking", unclear());
    bench.game_lift.fail("start_matchmaking", unclear());
    assert_eq!(bench.ticket("ada").await.status, Status::Requested);
    bench.advance(30_000);
    assert_eq!(bench.current("ada").await.status, Status::Failed);
}

#[tokio::test]
async fn a_gamelift_that_asks_for_patience_leaves_nothing_behind_and_the_same_key_starts_later() {
    let bench = Bench::new().await;
    bench.game_lift.fail("start_matchmaking", GameLiftError::Unavailable("ThrottlingException".to_owned()));
    let problem = bench.start("ada", "one-key-1").await.unwrap_err();
    assert_eq!(problem.code, Code::MatchmakerUnavailable);
    assert!(problem.code.is_retryable() && problem.retry_after.is_some());
    assert_eq!(code(bench.backend.current(&caller("ada")).await), Code::NotFound);
    assert!(!bench.start("ada", "one-key-1").await.unwrap().replayed);
}

#[tokio::test]
async fn a_configuration_that_gamelift_does_not_know_is_the_operators_fault_and_ends_the_ticket() {
    for error in [GameLiftError::NotFound("x".to_owned()), GameLiftError::Forbidden("x".to_owned())] {
        let bench = Bench::new().await;
        bench.game_lift.fail("start_matchmaking", error);
        assert_eq!(code(bench.start("ada", "one-key-1").await), Code::Configuration);
        assert_eq!(bench.current("ada").await.status, Status::Failed);
        assert!(bench.start("ada", "two-key-2").await.is_ok());
    }
}

#[tokio::test]
async fn what_gamelift_refuses_is_told_without_identities() {
    let bench = Bench::new().await;
    bench
        .game_lift
        .fail("start_matchmaking", GameLiftError::Refused("PlayerId us-west-2:ada is odd".to_owned()));
    let problem = bench.start("us-west-2:ada", "one-key-1").await.unwrap_err();
    assert_eq!(problem.code, Code::BadRequest);
    assert!(problem.message.contains("(a player) is odd"), "{}", problem.message);
    let reason = bench.current("us-west-2:ada").await.reason.unwrap();
    assert!(!reason.contains("us-west-2:ada"), "{reason}");
}

#[tokio::test]
async fn an_event_that_cannot_be_stored_is_an_error_so_that_it_comes_again() {
    let mut bench = Bench::new().await;
    let ticket = bench.ticket("ada").await;
    let event = event(5, "MatchmakingSucceeded", &ticket.ticket_id, &["ada"], json!({}));
    bench.embedded.take().unwrap().shutdown().await;
    let error = bench.backend.handle(&event).await.unwrap_err();
    assert!(matches!(error, HandleError::Store(_)), "{error}");
    assert_eq!(code(bench.backend.ready().await), Code::StoreUnavailable);
    assert_eq!(code(bench.backend.current(&caller("ada")).await), Code::StoreUnavailable);
}

#[tokio::test]
async fn an_event_that_comes_again_changes_nothing() {
    let bench = Bench::new().await;
    let ticket = bench.ticket("ada").await;
    let event = event(5, "MatchmakingSucceeded", &ticket.ticket_id, &["ada"], json!({}));
    let first = bench.backend.handle(&event).await.unwrap();
    let second = bench.backend.handle(&event).await.unwrap();
    assert_eq!((first.changed, first.stale, second.changed, second.stale), (1, 0, 0, 1));
    assert_eq!(bench.current("ada").await.version, 2);
}

#[tokio::test]
async fn a_match_that_another_player_refused_goes_back_to_searching() {
    let bench = Bench::new().await;
    let ticket = bench.ticket("ada").await;
    let proposal = json!({"acceptanceRequired": true, "acceptanceTimeout": 60});
    bench.event_with(3, "PotentialMatchCreated", &ticket.ticket_id, &["ada"], proposal).await;
    let asked = bench.current("ada").await;
    assert_eq!((asked.status, asked.acceptance.unwrap().total), (Status::RequiresAcceptance, 1));
    let refused = json!({"acceptance": "Rejected"});
    bench.event_with(5, "AcceptMatchCompleted", &ticket.ticket_id, &["ada"], refused).await;
    bench.event(5, "MatchmakingSearching", &ticket.ticket_id, &["ada"]).await;
    let back = bench.current("ada").await;
    assert_eq!((back.status, back.acceptance), (Status::Searching, None));
}

#[tokio::test]
async fn with_no_events_at_all_players_still_learn_how_far_they_are() {
    let bench = Bench::new().await;
    let ticket = bench.ticket("ada").await;
    for status in [Status::Searching, Status::Placing, Status::TimedOut] {
        bench.game_lift.set(&ticket.ticket_id, report(status));
        bench.advance(30_000);
        assert_eq!(bench.current("ada").await.status, status);
    }
}

#[tokio::test]
async fn if_gamelift_cannot_be_asked_what_is_known_is_the_answer() {
    let bench = Bench::new().await;
    bench.ticket("ada").await;
    bench.advance(30_000);
    bench.game_lift.fail("describe_matchmaking", unclear());
    assert_eq!(bench.current("ada").await.status, Status::Requested);
}

#[tokio::test]
async fn a_client_or_a_backend_that_starts_again_finds_the_ticket_and_the_game() {
    let mut bench = Bench::new().await;
    let ticket = bench.ticket("ada").await;
    bench.event(5, "MatchmakingSucceeded", &ticket.ticket_id, &["ada"]).await;
    bench.restart();
    let found = bench.current("ada").await;
    assert_eq!((found.ticket_id, found.team.as_deref()), (ticket.ticket_id, Some("red")));
    assert_eq!(found.connection.unwrap().player_session_id, "psess-ada");
}

#[tokio::test]
async fn what_is_no_event_is_an_error_and_what_is_of_no_interest_is_counted() {
    let bench = Bench::new().await;
    assert!(matches!(bench.backend.handle("{}").await, Err(HandleError::Malformed(_))));
    let unknown =
        bench.backend.handle(&event(1, "MatchmakingDreaming", "t", &["ada"], json!({}))).await.unwrap();
    assert!(unknown.ignored);
    let automatic = event(1, "MatchmakingSearching", "auto-backfill-1", &["ada"], json!({}));
    assert_eq!(bench.backend.handle(&automatic).await.unwrap().skipped, 1);
    let foreign =
        bench.backend.handle(&event(1, "MatchmakingSearching", "t", &["ada"], json!({}))).await.unwrap();
    assert_eq!((foreign.changed, foreign.stale), (0, 1));
}
