//! Doors that are held open.

use backend::caller::PlayerId;
use backend::service::{InviteRequest, StartRequest};
use backend::ticket::{Status, Ticket};
use tokio::sync::watch::Receiver;

use crate::bench::{Bench, caller, key};

fn news(door: &mut Receiver<Option<Ticket>>) -> Option<(Status, u64)> {
    if !door.has_changed().unwrap() {
        return None;
    }
    door.borrow_and_update().as_ref().map(|ticket| (ticket.status, ticket.version))
}

#[tokio::test]
async fn a_player_is_told_of_each_change_and_of_none_twice() {
    let bench = Bench::new().await;
    let mut door = bench.backend.watch(&PlayerId::new("ada"));
    let id = bench.ticket("ada").await.ticket_id;
    assert_eq!(news(&mut door), Some((Status::Requested, 1)));
    for _ in 0..2 {
        bench.event(1, "MatchmakingSearching", &id, &["ada"]).await;
    }
    assert_eq!(news(&mut door), Some((Status::Searching, 2)));
    assert_eq!(news(&mut door), None);
    bench.backend.cancel(&caller("ada"), &id).await.unwrap();
    assert_eq!(news(&mut door), Some((Status::Cancelling, 3)));
    bench.event(2, "MatchmakingCancelled", &id, &["ada"]).await;
    assert_eq!(news(&mut door), Some((Status::Cancelled, 4)));
}

#[tokio::test]
async fn a_member_of_a_party_is_told_that_it_has_started_and_others_are_not() {
    let bench = Bench::new().await;
    let mut doors = ["bob", "cyd"].map(|player| bench.backend.watch(&PlayerId::new(player)));
    let party = vec![bench.backend.invite(&caller("bob"), InviteRequest::default()).await.unwrap().token];
    let request = StartRequest { party, ..StartRequest::default() };
    bench.backend.start(&caller("ada"), &key("party-key"), request).await.unwrap();
    assert_eq!(doors.each_mut().map(news), [Some((Status::Requested, 1)), None]);
}

#[tokio::test]
async fn what_gamelift_says_when_asked_is_told_as_well() {
    let bench = Bench::new().await;
    let id = bench.ticket("ada").await.ticket_id;
    let mut door = bench.backend.watch(&PlayerId::new("ada"));
    bench.game_lift.set(&id, crate::fake::report(Status::Placing));
    bench.advance(30_000);
    bench.current("ada").await;
    assert!(matches!(news(&mut door), Some((Status::Placing, _))));
}
