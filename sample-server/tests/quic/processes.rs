//! Several server processes behind one port.

use std::collections::BTreeSet;
use std::time::Duration;

use game_proto::{Hello, RefusalReason, close};
use sample_server::directory::Found;
use sample_server::gate::AcceptAnswer;
use sample_server::service::Notice;

use crate::arena::{ADA, BOB, Game, Port, TIMES, close_code, hello, patient};

fn hello_to(game_session_id: &str, player: &str) -> Hello {
    Hello { game_session_id: game_session_id.to_owned(), ..hello(player) }
}

async fn two_games() -> (Port, Game, Game) {
    let port = Port::open();
    let (first, second) = (port.game("gsess-1", 2, TIMES).await, port.game("gsess-2", 2, TIMES).await);
    (port, first, second)
}

#[tokio::test]
async fn game_session_named_in_hello_is_the_one_that_is_asked() {
    let (port, mut first, mut second) = two_games().await;
    let ada = port.say(&hello_to("gsess-2", ADA)).await;
    let ada = second.welcome(ada, ADA).await;
    let bob = port.say(&hello_to("gsess-1", BOB)).await;
    let bob = first.welcome(bob, BOB).await;
    // Each is alone: player number 1, and never anybody else in a snapshot.
    for peer in [&ada, &bob] {
        assert_eq!(peer.welcome.player_number, 1);
        let mut seen = BTreeSet::new();
        for _ in 0..20 {
            seen.extend(peer.snapshot().await.player_number);
        }
        assert_eq!(seen, [1].into(), "a player of the other game session is seen");
    }
    assert_eq!((first.stop().await.joins, second.stop().await.joins), (1, 1));
}

#[tokio::test]
async fn seat_without_a_game_session_is_looked_up_once() {
    let (port, mut first, mut second) = two_games().await;
    let ada = port.hello(ADA).await;
    let find = patient(first.seam.finds.recv()).await.unwrap();
    assert_eq!(find.id.as_str(), ADA);
    find.answer.send(Found::In("gsess-2".to_owned())).unwrap();
    second.welcome(ada, ADA).await;

    let stranger = port.hello("psess-eve").await;
    let find = patient(first.seam.finds.recv()).await.unwrap();
    find.answer.send(Found::Nowhere).unwrap();
    stranger.assert_refused(RefusalReason::RefusedByService).await;

    let unlucky = port.hello(BOB).await;
    drop(patient(first.seam.finds.recv()).await.unwrap()); // GameLift does not answer.
    unlucky.assert_refused(RefusalReason::ServiceUnavailable).await;
    let refusals = port.front.close().await.refusals;
    assert_eq!(refusals, [("refused_by_service", 1), ("service_unavailable", 1)].into());
}

#[tokio::test]
async fn old_clients_that_name_nothing_play_where_only_one_game_session_is_active() {
    let port = Port::open();
    let (_idle, _game) = port.front.host(TIMES, std::sync::Arc::new(|_| {}));
    port.hello(ADA).await.assert_refused(RefusalReason::NoGameSession).await;
    let mut game = port.game("gsess-1", 2, TIMES).await;
    game.join(&port, ADA).await;
}

#[tokio::test]
async fn seat_of_another_process_is_refused_by_gamelift_and_an_unknown_game_session_before_it() {
    let (port, mut first, _second) = two_games().await;
    port.say(&hello_to("gsess-3", ADA)).await.assert_refused(RefusalReason::NoGameSession).await;
    // Names the first game session, but the seat is in the second: the first must not let it in, and asks.
    let ada = port.say(&hello_to("gsess-1", ADA)).await;
    first.answer_accept(ADA, AcceptAnswer::No).await;
    ada.assert_refused(RefusalReason::RefusedByService).await;
}

#[tokio::test]
async fn token_of_one_process_opens_no_seat_in_another() {
    let (port, mut first, mut second) = two_games().await;
    let ada = port.say(&hello_to("gsess-1", ADA)).await;
    let ada = first.welcome(ada, ADA).await;
    let bob = port.say(&hello_to("gsess-2", BOB)).await;
    second.welcome(bob, BOB).await;
    for (game_session_id, player) in [("gsess-2", ADA), ("gsess-2", BOB), ("gsess-1", BOB)] {
        let token = ada.welcome.resume_token.clone();
        let hello = Hello { resume_token: token, ..hello_to(game_session_id, player) };
        port.say(&hello).await.assert_refused(RefusalReason::ResumeRefused).await;
    }
    ada.snapshot().await;
}

#[tokio::test]
async fn end_of_one_game_session_leaves_the_others_alone() {
    let (port, mut first, mut second) = two_games().await;
    let ada = port.say(&hello_to("gsess-1", ADA)).await;
    let ada = first.welcome(ada, ADA).await;
    let bob = port.say(&hello_to("gsess-2", BOB)).await;
    let bob = second.welcome(bob, BOB).await;
    first.tell(Notice::Drain(Duration::ZERO)).await;
    assert_eq!(close_code(&ada.connection).await, u64::from(close::SERVER_CLOSED));
    first.stop().await;
    bob.snapshot().await;
    port.say(&hello_to("gsess-1", "psess-eve")).await.assert_refused(RefusalReason::NoGameSession).await;
    bob.snapshot().await;
}
