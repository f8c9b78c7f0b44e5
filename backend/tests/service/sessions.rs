//! Coming back.

use backend::game_lift::{GameLiftError, Seat, SeatStatus};
use backend::problem::Code;
use futures_util::future::join;

use crate::bench::{Bench, caller, code};

async fn playing(bench: &Bench, status: SeatStatus) {
    let id = bench.ticket("ada").await.ticket_id;
    bench.event(5, "MatchmakingSucceeded", &id, &["ada"]).await;
    let seat = Seat { player_session_id: "psess-ada".to_owned(), status, created_at: bench.now() };
    bench.game_lift.state().seats.insert("psess-ada".to_owned(), seat);
}

#[tokio::test]
async fn a_player_whose_seat_is_kept_gets_it_with_the_time_it_lapses() {
    let bench = Bench::new().await;
    playing(&bench, SeatStatus::Reserved).await;
    let connection = bench.backend.session(&caller("ada")).await.unwrap();
    assert_eq!(connection.player_session_id, "psess-ada");
    assert_eq!(connection.reserve_expires_at, Some(bench.now() + 60_000));
    assert_eq!(connection.certificate_sha256.as_deref(), Some("abcd"));
}

#[tokio::test]
async fn a_player_whose_seat_has_lapsed_gets_another_and_then_the_same() {
    let bench = Bench::new().await;
    playing(&bench, SeatStatus::Over).await;
    let first = bench.backend.session(&caller("ada")).await.unwrap();
    assert_ne!(first.player_session_id, "psess-ada");
    let again = bench.backend.session(&caller("ada")).await.unwrap();
    assert_eq!(again.player_session_id, first.player_session_id);
    assert_eq!(bench.game_lift.calls("take_seat"), 1);
    assert_eq!(bench.current("ada").await.connection.unwrap().player_session_id, first.player_session_id);
}

#[tokio::test]
async fn two_devices_that_come_back_at_once_get_one_seat() {
    let bench = Bench::new().await;
    playing(&bench, SeatStatus::Over).await;
    let ada = caller("ada");
    let (one, other) = join(bench.backend.session(&ada), bench.backend.session(&ada)).await;
    assert_eq!(one.unwrap().player_session_id, other.unwrap().player_session_id);
}

#[tokio::test]
async fn a_game_that_is_over_or_never_was_is_no_session() {
    let bench = Bench::new().await;
    assert_eq!(code(bench.backend.session(&caller("ada")).await), Code::NoSession);
    bench.ticket("bob").await;
    assert_eq!(code(bench.backend.session(&caller("bob")).await), Code::NoSession, "still waiting");
    playing(&bench, SeatStatus::Over).await;
    bench.game_lift.fail("take_seat", GameLiftError::Refused("InvalidGameSessionStatusException".to_owned()));
    assert_eq!(code(bench.backend.session(&caller("ada")).await), Code::NoSession);
    bench.game_lift.state().seats.clear();
    assert_eq!(code(bench.backend.session(&caller("ada")).await), Code::NoSession);
}
