//! Giving up and answering, and who wins a race.

use backend::game_lift::GameLiftError;
use backend::problem::Code;
use backend::ticket::Status;
use serde_json::json;

use crate::bench::{Bench, caller, code};
use crate::fake::report;

#[tokio::test]
async fn a_cancel_is_under_way_until_gamelift_says_so_and_twice_is_once() {
    let bench = Bench::new().await;
    let id = bench.ticket("ada").await.ticket_id;
    for _ in 0..2 {
        assert_eq!(bench.backend.cancel(&caller("ada"), &id).await.unwrap().status, Status::Cancelling);
    }
    assert_eq!(bench.game_lift.calls("stop_matchmaking"), 1);
    bench.event(4, "MatchmakingCancelled", &id, &["ada"]).await;
    let ended = bench.backend.cancel(&caller("ada"), &id).await.unwrap();
    assert_eq!((ended.status, ended.poll_after_ms), (Status::Cancelled, None));
}

#[tokio::test]
async fn a_seat_beats_a_cancel() {
    let bench = Bench::new().await;
    let id = bench.ticket("ada").await.ticket_id;
    bench.backend.cancel(&caller("ada"), &id).await.unwrap();
    bench.event(4, "MatchmakingCancelled", &id, &["ada"]).await;
    bench.event(3, "MatchmakingSucceeded", &id, &["ada"]).await;
    let problem = bench.backend.cancel(&caller("ada"), &id).await.unwrap_err();
    assert_eq!(problem.code, Code::TicketPlaced);
    let ticket = &problem.details.unwrap()["ticket"];
    assert_eq!(
        (&ticket["status"], &ticket["connection"]["playerSessionId"]),
        (&json!("SUCCEEDED"), &json!("psess-ada"))
    );
}

#[tokio::test]
async fn a_ticket_whose_match_is_being_placed_cannot_be_cancelled_even_if_the_event_is_late() {
    let bench = Bench::new().await;
    let id = bench.ticket("ada").await.ticket_id;
    bench.game_lift.set(&id, report(Status::Placing));
    let problem = bench.backend.cancel(&caller("ada"), &id).await.unwrap_err();
    assert_eq!(
        (problem.code, &problem.details.unwrap()["ticket"]["status"]),
        (Code::TicketPlaced, &json!("PLACING"))
    );
    assert_eq!(bench.current("ada").await.status, Status::Placing);
}

#[tokio::test]
async fn a_cancel_that_comes_after_the_end_tells_how_it_ended() {
    let bench = Bench::new().await;
    let id = bench.ticket("ada").await.ticket_id;
    bench.game_lift.set(&id, report(Status::TimedOut));
    assert_eq!(bench.backend.cancel(&caller("ada"), &id).await.unwrap().status, Status::TimedOut);
}

#[tokio::test]
async fn a_cancel_that_gamelift_does_not_answer_can_be_tried_again() {
    let bench = Bench::new().await;
    let id = bench.ticket("ada").await.ticket_id;
    bench.game_lift.fail("stop_matchmaking", GameLiftError::Unclear("timeout".to_owned()));
    assert_eq!(code(bench.backend.cancel(&caller("ada"), &id).await), Code::MatchmakerUnavailable);
    assert_eq!(bench.backend.cancel(&caller("ada"), &id).await.unwrap().status, Status::Cancelling);
}

#[tokio::test]
async fn a_ticket_that_gamelift_does_not_know_is_cancelled_once_its_start_cannot_be_under_way() {
    let bench = Bench::new().await;
    let id = bench.ticket("ada").await.ticket_id;
    bench.game_lift.state().reports.clear();
    assert_eq!(code(bench.backend.cancel(&caller("ada"), &id).await), Code::MatchmakerUnavailable);
    bench.advance(30_000);
    assert_eq!(bench.backend.cancel(&caller("ada"), &id).await.unwrap().status, Status::Failed);
}

#[tokio::test]
async fn an_answer_reaches_gamelift_under_the_callers_own_name() {
    let bench = Bench::new().await;
    let id = bench.ticket("ada").await.ticket_id;
    let proposal = json!({"acceptanceRequired": true, "acceptanceTimeout": 60});
    bench.event_with(3, "PotentialMatchCreated", &id, &["ada"], proposal).await;
    let answered = bench.backend.answer(&caller("ada"), &id, true).await.unwrap();
    assert_eq!(answered.status, Status::RequiresAcceptance);
    assert_eq!(bench.game_lift.state().answers, [(id, caller("ada").player, true)]);
}

#[tokio::test]
async fn an_answer_nobody_waits_for_is_not_sent_and_one_that_is_late_is_told_so() {
    let bench = Bench::new().await;
    let id = bench.ticket("ada").await.ticket_id;
    assert_eq!(code(bench.backend.answer(&caller("ada"), &id, true).await), Code::NotInAcceptance);
    assert_eq!(bench.game_lift.calls("accept_match"), 0);

    let proposal = json!({"acceptanceRequired": true, "acceptanceTimeout": 60});
    bench.event_with(3, "PotentialMatchCreated", &id, &["ada"], proposal).await;
    bench.game_lift.set(&id, report(Status::Cancelled));
    bench.game_lift.fail("accept_match", GameLiftError::Refused("too late".to_owned()));
    assert_eq!(code(bench.backend.answer(&caller("ada"), &id, true).await), Code::NotInAcceptance);
    assert_eq!(bench.current("ada").await.status, Status::Cancelled);
}
