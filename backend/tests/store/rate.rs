//! Starts are counted in the table, whichever process takes them.

use backend::caller::PlayerId;
use backend::store::Admission;
use futures_util::future::join_all;

use crate::bench::{Bench, NOW, PATIENCE};

#[tokio::test]
async fn of_many_starts_at_once_three_are_let_through() {
    let bench = Bench::new().await;
    let ada = PlayerId::new("ada");
    let keys: Vec<String> = (0..16).map(|index| format!("key-{index}")).collect();
    let all = join_all(keys.iter().map(|key| bench.store.admit(&ada, key, 10.0, NOW)));
    let all = tokio::time::timeout(PATIENCE, all).await.unwrap();
    let granted = all.iter().filter(|admission| matches!(admission, Ok(Admission::Granted(_)))).count();
    let refused = all.iter().filter(|admission| matches!(admission, Ok(Admission::Wait(2_000)))).count();
    assert_eq!((granted, refused), (3, 13));
    let later = bench.store.admit(&ada, "later", 10.0, NOW + 2_000).await.unwrap();
    assert!(matches!(later, Admission::Granted(_)));
}

#[tokio::test]
async fn one_start_repeated_at_once_counts_as_one() {
    let bench = Bench::new().await;
    let ada = PlayerId::new("ada");
    let all = join_all((0..16).map(|_| bench.store.admit(&ada, "one-key", 10.0, NOW)));
    let all = tokio::time::timeout(PATIENCE, all).await.unwrap();
    assert!(all.iter().all(|admission| matches!(admission, Ok(Admission::Granted(_)))), "{all:?}");
}

#[tokio::test]
async fn a_profile_is_made_at_the_first_start_and_kept() {
    let bench = Bench::new().await;
    let ada = PlayerId::new("ada");
    assert_eq!(bench.store.profile(&ada, 10.0, NOW).await.unwrap().skill, 10.0);
    bench.store.admit(&ada, "one-key", 10.0, NOW).await.unwrap();
    let profile = bench.store.profile(&ada, 99.0, NOW + 5).await.unwrap();
    assert_eq!((profile.skill, profile.created), (10.0, NOW));
}
