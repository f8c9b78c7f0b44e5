//! One open ticket per player, and one per key.

use std::collections::BTreeSet;

use backend::caller::PlayerId;
use backend::store::{Applied, Created};
use backend::ticket::Status;
use futures_util::future::join_all;
use serde_json::json;

use crate::bench::{Bench, HOUR, NOW, PATIENCE, event, new};

#[tokio::test]
async fn a_second_ticket_waits_for_the_first_to_end_and_the_same_key_is_the_same_ticket() {
    let bench = Bench::new().await;
    let first = bench.started("ada", "t-1").await;
    assert_eq!((first.status, first.version, first.party.len()), (Status::Requested, 1, 0));

    let other = bench.store.create(&new("ada", "t-2", "another-key"), NOW).await.unwrap();
    assert_eq!(other, Created::Active { ticket_id: "t-1".to_owned() });
    let again = bench.store.create(&new("ada", "t-3", "key-of-t-1"), NOW).await.unwrap();
    assert_eq!(again, Created::Replay(first));

    bench.handle(&event("e", 1, "MatchmakingTimedOut", "t-1", "ada", json!({}))).await;
    assert!(matches!(
        bench.store.create(&new("ada", "t-4", "another-key"), NOW).await.unwrap(),
        Created::New(_)
    ));
    assert_eq!(bench.row("ada", NOW).await.unwrap().ticket_id, "t-4");
}

#[tokio::test]
async fn a_ticket_that_is_forgotten_is_in_nobodys_way_even_before_it_is_deleted() {
    let bench = Bench::new().await;
    bench.started("ada", "t-1").await;
    let later = NOW + HOUR + 1_000;
    assert_eq!(bench.row("ada", later).await, None);
    assert!(matches!(
        bench.store.create(&new("ada", "t-2", "a-new-key"), later).await.unwrap(),
        Created::New(_)
    ));
}

#[tokio::test]
async fn a_start_whose_first_writing_was_not_heard_of_is_new_all_the_same() {
    // The SDK tries again by itself. As a replay nobody would ask GameLift for the match.
    let bench = Bench::new().await;
    let ticket = new("ada", "t-1", "one-key");
    let Created::New(row) = bench.store.create(&ticket, NOW).await.unwrap() else { panic!() };
    assert_eq!(bench.store.create(&ticket, NOW).await.unwrap(), Created::New(row));
}

#[tokio::test]
async fn thirty_two_starts_at_once_with_one_key_are_one_ticket() {
    let bench = Bench::new().await;
    let starts = (0..32).map(|index| {
        let store = bench.store.clone();
        async move { store.create(&new("ada", &format!("t-{index}"), "one-key"), NOW).await.unwrap() }
    });
    let all = tokio::time::timeout(PATIENCE, join_all(starts)).await.unwrap();
    let fresh = all.iter().filter(|created| matches!(created, Created::New(_))).count();
    let tickets: BTreeSet<String> = all
        .into_iter()
        .map(|created| match created {
            Created::New(row) | Created::Replay(row) => row.ticket_id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((fresh, tickets.len()), (1, 1));
    assert!(tickets.contains(&bench.row("ada", NOW).await.unwrap().ticket_id));
}

#[tokio::test]
async fn thirty_two_starts_at_once_with_different_keys_are_one_ticket_too() {
    let bench = Bench::new().await;
    let starts = (0..32).map(|index| {
        let store = bench.store.clone();
        async move {
            store.create(&new("ada", &format!("t-{index}"), &format!("key-{index}")), NOW).await.unwrap()
        }
    });
    let all = tokio::time::timeout(PATIENCE, join_all(starts)).await.unwrap();
    assert_eq!(all.iter().filter(|created| matches!(created, Created::New(_))).count(), 1);
    assert_eq!(all.iter().filter(|created| matches!(created, Created::Active { .. })).count(), 31);
}

#[tokio::test]
async fn a_ticket_that_nothing_is_known_of_can_be_taken_back_and_the_key_used_again() {
    let bench = Bench::new().await;
    let ticket = new("ada", "t-1", "one-key");
    assert!(matches!(bench.store.create(&ticket, NOW).await.unwrap(), Created::New(_)));
    assert!(bench.store.undo(&ticket, NOW).await.unwrap());
    assert_eq!(bench.row("ada", NOW).await, None);
    assert!(matches!(bench.store.create(&ticket, NOW).await.unwrap(), Created::New(_)));

    bench.handle(&event("e", 1, "MatchmakingSearching", "t-1", "ada", json!({}))).await;
    assert!(!bench.store.undo(&ticket, NOW).await.unwrap(), "GameLift has it after all");
    assert_eq!(bench.row("ada", NOW).await.unwrap().status, Status::Searching);
}

#[tokio::test]
async fn of_all_readers_one_asks_gamelift_every_thirty_seconds() {
    let bench = Bench::new().await;
    bench.started("ada", "t-1").await;
    let ada = PlayerId::new("ada");
    let turns = |now| {
        let (store, ada) = (bench.store.clone(), ada.clone());
        async move {
            let all = (0..16).map(|_| store.take_turn(&ada, "t-1", now));
            join_all(all).await.into_iter().filter(|turn| *turn.as_ref().unwrap()).count()
        }
    };
    assert_eq!(turns(NOW).await, 1);
    assert_eq!(turns(NOW + 29_999).await, 0);
    assert_eq!(turns(NOW + 30_000).await, 1);
    assert!(!bench.store.take_turn(&ada, "t-2", NOW + 90_000).await.unwrap(), "that is no ticket of hers");
}

#[tokio::test]
async fn a_cancel_is_remembered_until_the_end_and_a_seat_beats_it() {
    let bench = Bench::new().await;
    let ada = PlayerId::new("ada");
    bench.started("ada", "t-1").await;
    let Applied::Changed(row) = bench.store.cancelling(&ada, "t-1", NOW).await.unwrap() else { panic!() };
    assert_eq!(row.status, Status::Cancelling);
    assert_eq!(bench.store.cancelling(&ada, "t-1", NOW).await.unwrap(), Applied::Stale);
    let late = bench.handle(&event("a", 5, "MatchmakingSearching", "t-1", "ada", json!({}))).await;
    assert_eq!(late, [Applied::Stale]);
    bench.handle(&event("b", 6, "MatchmakingCancelled", "t-1", "ada", json!({}))).await;
    assert_eq!(bench.row("ada", NOW).await.unwrap().status, Status::Cancelled);
    bench.handle(&event("c", 4, "MatchmakingSucceeded", "t-1", "ada", json!({}))).await;
    let row = bench.row("ada", NOW).await.unwrap();
    assert_eq!((row.status, row.reason), (Status::Succeeded, None));
    assert_eq!(row.connection.unwrap().player_session_id, "psess-ada");
}
