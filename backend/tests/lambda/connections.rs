//! Sockets in the table.

use backend::caller::PlayerId;
use backend::store::CONNECTIONS_MAX;

use crate::bench::{Bench, NOW};

#[tokio::test]
async fn a_connection_is_found_by_its_player_and_by_itself() {
    let bench = Bench::new().await;
    let store = &bench.store;
    let (ada, bob) = (PlayerId::new("ada"), PlayerId::new("bob"));
    store.connect(&ada, "one=", NOW).await.unwrap();
    store.connect(&ada, "two=", NOW).await.unwrap();
    store.connect(&bob, "three=", NOW).await.unwrap();
    assert_eq!(store.connections(&ada, NOW).await.unwrap(), ["one=", "two="]);
    assert_eq!(store.connected("three=", NOW).await.unwrap(), Some(bob.clone()));
    store.disconnect("one=", NOW).await.unwrap();
    store.disconnect("never-there", NOW).await.unwrap();
    assert_eq!(store.connections(&ada, NOW).await.unwrap(), ["two="]);
    assert_eq!(store.connected("one=", NOW).await.unwrap(), None);
    assert_eq!(store.connections(&bob, NOW).await.unwrap(), ["three="]);
}

#[tokio::test]
async fn a_connection_is_forgotten_after_two_hours_and_ten_minutes() {
    let bench = Bench::new().await;
    let store = &bench.store;
    let ada = PlayerId::new("ada");
    store.connect(&ada, "one", NOW).await.unwrap();
    let end = NOW + 130 * 60_000;
    assert!(store.connected("one", end).await.unwrap().is_some());
    assert!(store.connected("one", end + 1_000).await.unwrap().is_none());
    assert!(store.connections(&ada, end + 1_000).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_oldest_of_too_many_connections_gives_way() {
    let bench = Bench::new().await;
    let store = &bench.store;
    let ada = PlayerId::new("ada");
    for index in 0..=CONNECTIONS_MAX {
        // Names in the other order than times.
        let name = format!("socket-{}", CONNECTIONS_MAX - index);
        store.connect(&ada, &name, NOW + u64::try_from(index).unwrap()).await.unwrap();
    }
    let left = store.connections(&ada, NOW).await.unwrap();
    assert_eq!(left.len(), CONNECTIONS_MAX);
    let oldest = format!("socket-{CONNECTIONS_MAX}");
    assert!(!left.contains(&oldest), "{left:?}");
    assert_eq!(store.connected(&oldest, NOW).await.unwrap(), None);
}
