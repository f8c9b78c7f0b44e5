//! News, one by one.

use backend::caller::PlayerId;
use backend::event::News;
use backend::store::Applied;
use backend::ticket::{Connection, Status};
use serde_json::json;

use crate::bench::{Bench, HOUR, NOW, event, updates};

fn changed(applied: Vec<Applied>) -> backend::store::Row {
    match applied.into_iter().next() {
        Some(Applied::Changed(row)) => *row,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_same_event_twice_changes_nothing_the_second_time() {
    let bench = Bench::new().await;
    bench.started("ada", "t-1").await;
    for kind in ["MatchmakingSearching", "PotentialMatchCreated", "MatchmakingFailed", "MatchmakingSucceeded"]
    {
        let event = event(kind, 5, kind, "t-1", "ada", json!({}));
        let row = changed(bench.handle(&event).await);
        assert_eq!(bench.handle(&event).await, [Applied::Stale], "{kind}");
        assert_eq!(bench.row("ada", NOW).await.unwrap(), row, "{kind}");
    }
}

#[tokio::test]
async fn an_event_for_another_ticket_or_for_nobody_changes_nothing() {
    let bench = Bench::new().await;
    bench.started("ada", "t-2").await;
    for (ticket, player) in [("t-1", "ada"), ("t-2", "bob")] {
        let event = event("e", 5, "MatchmakingSucceeded", ticket, player, json!({}));
        assert_eq!(bench.handle(&event).await, [Applied::Stale]);
    }
    assert_eq!(bench.row("bob", NOW).await, None);
}

#[tokio::test]
async fn a_match_that_fell_through_leads_back_to_searching_and_nothing_of_it_stays() {
    let bench = Bench::new().await;
    bench.started("ada", "t-1").await;
    let proposal = json!({"acceptanceRequired": true, "acceptanceTimeout": 60});
    let row = changed(bench.handle(&event("a", 5, "PotentialMatchCreated", "t-1", "ada", proposal)).await);
    assert_eq!((row.status, row.agreed, row.asked), (Status::RequiresAcceptance, Some(0), Some(1)));
    assert_eq!(row.deadline, Some(NOW + 65_000));
    let row = changed(bench.handle(&event("b", 7, "AcceptMatch", "t-1", "ada", json!({}))).await);
    assert_eq!((row.agreed, row.asked, row.deadline), (Some(1), Some(1), Some(NOW + 65_000)));
    let back = json!({"estimatedWaitMillis": "5000"});
    let row = changed(bench.handle(&event("c", 9, "MatchmakingSearching", "t-1", "ada", back)).await);
    assert_eq!((row.status, row.agreed, row.wait), (Status::Searching, None, Some(5_000)));
}

#[tokio::test]
async fn the_deadline_is_kept_even_if_the_proposal_comes_after_the_answers_to_it() {
    let bench = Bench::new().await;
    bench.started("ada", "t-1").await;
    let proposal = json!({"acceptanceRequired": true, "acceptanceTimeout": 60});
    bench.handle(&event("b", 7, "AcceptMatch", "t-1", "ada", json!({}))).await;
    let row = changed(bench.handle(&event("a", 5, "PotentialMatchCreated", "t-1", "ada", proposal)).await);
    assert_eq!((row.agreed, row.deadline), (Some(1), Some(NOW + 65_000)));
}

#[tokio::test]
async fn a_seat_is_kept_as_long_as_the_game_may_last() {
    let bench = Bench::new().await;
    bench.started("ada", "t-1").await;
    bench.handle(&event("a", 5, "MatchmakingSucceeded", "t-1", "ada", json!({}))).await;
    assert!(bench.row("ada", NOW + 2 * HOUR).await.is_some());
    assert!(bench.row("ada", NOW + 2 * HOUR + 1_000).await.is_none());
}

#[tokio::test]
async fn what_gamelift_answers_does_not_overwrite_an_event_that_came_meanwhile() {
    let bench = Bench::new().await;
    let ada = PlayerId::new("ada");
    let seen = bench.started("ada", "t-1").await;
    bench.handle(&event("a", 5, "PotentialMatchCreated", "t-1", "ada", json!({}))).await;
    let searching = News::of(Status::Searching);
    let applied = bench.store.report(&ada, &seen, &searching, NOW, NOW + HOUR).await.unwrap();
    assert_eq!(applied, Applied::Stale);
    // An end is an end, whatever came before it.
    let lost = News { reason: Some("lost".to_owned()), ..News::of(Status::Failed) };
    let Applied::Changed(row) = bench.store.report(&ada, &seen, &lost, NOW, NOW + HOUR).await.unwrap() else {
        panic!()
    };
    assert_eq!((row.status, row.reason.as_deref()), (Status::Failed, Some("lost")));
    assert_eq!(bench.store.report(&ada, &seen, &lost, NOW, NOW + HOUR).await.unwrap(), Applied::Stale);
    // GameLift's own word comes late, and counts.
    let row = changed(bench.handle(&event("b", 6, "MatchmakingTimedOut", "t-1", "ada", json!({}))).await);
    assert_eq!(row.status, Status::TimedOut);
}

#[tokio::test]
async fn of_two_new_seats_for_one_that_lapsed_the_first_is_kept() {
    let bench = Bench::new().await;
    let ada = PlayerId::new("ada");
    bench.started("ada", "t-1").await;
    let row = changed(bench.handle(&event("a", 5, "MatchmakingSucceeded", "t-1", "ada", json!({}))).await);
    let old = row.connection.unwrap();
    let seat = |id: &str| Connection { player_session_id: id.to_owned(), ..old.clone() };
    let first = bench.store.reseat(&ada, "t-1", "psess-ada", &seat("psess-2"), NOW).await.unwrap();
    assert!(matches!(first, Applied::Changed(_)));
    assert_eq!(
        bench.store.reseat(&ada, "t-1", "psess-ada", &seat("psess-3"), NOW).await.unwrap(),
        Applied::Stale
    );
    assert_eq!(bench.row("ada", NOW).await.unwrap().connection.unwrap().player_session_id, "psess-2");
}

#[tokio::test]
async fn a_match_that_is_made_before_its_place_is_known_gets_its_seat_later_and_keeps_it() {
    let bench = Bench::new().await;
    let ada = PlayerId::new("ada");
    let seen = bench.started("ada", "t-1").await;
    let made = News::of(Status::Succeeded);
    let applied = bench.store.report(&ada, &seen, &made, NOW, NOW + HOUR).await.unwrap();
    assert!(matches!(applied, Applied::Changed(row) if row.connection.is_none()));
    let row = changed(bench.handle(&event("a", 5, "MatchmakingSucceeded", "t-1", "ada", json!({}))).await);
    assert_eq!(row.connection.unwrap().player_session_id, "psess-ada");
    assert_eq!(bench.store.report(&ada, &seen, &made, NOW, NOW + HOUR).await.unwrap(), Applied::Stale);
    assert!(bench.row("ada", NOW).await.unwrap().connection.is_some());
}

#[tokio::test]
async fn news_of_a_ticket_that_is_forgotten_does_not_bring_it_back() {
    let bench = Bench::new().await;
    let ada = PlayerId::new("ada");
    let seen = bench.started("ada", "t-1").await;
    let later = NOW + HOUR + 1_000;
    let events = ["MatchmakingSearching", "MatchmakingFailed", "MatchmakingSucceeded"];
    for update in events.iter().flat_map(|kind| updates(&event(kind, 5, kind, "t-1", "ada", json!({})))) {
        assert_eq!(bench.store.apply(&update, later, later + HOUR).await.unwrap(), Applied::Stale);
    }
    let made = News::of(Status::Succeeded);
    assert_eq!(bench.store.report(&ada, &seen, &made, later, later + HOUR).await.unwrap(), Applied::Stale);
    assert_eq!(bench.store.cancelling(&ada, "t-1", later).await.unwrap(), Applied::Stale);
    assert!(!bench.store.take_turn(&ada, "t-1", later).await.unwrap());
    assert_eq!(bench.row("ada", later).await, None);
}
