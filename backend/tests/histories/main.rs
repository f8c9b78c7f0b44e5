//! Ten thousand lives of tickets, through the backend itself: events come twice, late, in another order and all at once, the
//! table fails in between, players read, cancel and start again, and processes die. In the end every player knows what
//! GameLift meant, and nobody knows another's seat.
#![cfg(test)]
#![cfg(feature = "local")]

mod condition;
#[allow(dead_code, reason = "shared with the tests of the use cases")]
#[path = "../service/fake.rs"]
mod fake;
mod life;
#[path = "../store/model.rs"]
mod model;
mod story;
mod table;

use std::time::Duration;

use backend::store::{Embedded, Store};

use crate::life::Life;
use crate::table::Table;

/// A build without optimizations takes ten times as long, so it lives through the first thousand:
/// `cargo test --release -p backend --test histories` through all.
const HISTORIES: u64 = if cfg!(debug_assertions) { 1_000 } else { 10_000 };
/// Tasks that live through them: one after the other, each over a table of its own.
const TASKS: u64 = 8;
/// Of those the first, on SQL as well.
const ON_SQL: u64 = 40;
/// What the test may take on a machine that is busy with others.
const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread")]
async fn histories_end_as_gamelift_meant_them() {
    let tasks = (0..TASKS).map(|task| {
        tokio::spawn(async move {
            let table = Table::default();
            let store = Store::new(table.client(), "backend");
            for seed in (task..HISTORIES).step_by(TASKS as usize) {
                table.clear();
                Life::new(seed, store.clone(), Some(table.clone())).run().await;
            }
        })
    });
    let all = futures_util::future::try_join_all(tasks);
    tokio::time::timeout(PATIENCE, all).await.unwrap().unwrap();
}

#[tokio::test]
async fn on_sql_histories_end_alike() {
    let embedded = Embedded::start(None).await.unwrap();
    let store = Store::new(embedded.client(), "backend");
    store.create_table_if_absent().await.unwrap();
    let run = async {
        for seed in 0..ON_SQL {
            Life::new(seed, store.clone(), None).run().await;
        }
    };
    tokio::time::timeout(PATIENCE, run).await.unwrap();
}
