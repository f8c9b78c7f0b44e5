//! Thousands of lives of tickets, through the backend itself: events come twice, late, in another order and all at once, the
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

/// How many, unless variable `HISTORIES` says otherwise: CI lives through ten thousand, which takes minutes.
const HISTORIES: u64 = 1_000;
/// Tasks that live through them: one after the other, each over a table of its own.
const TASKS: u64 = 8;
/// Of those the first, on SQL as well.
const ON_SQL: u64 = 40;
/// What a thousand may take on a machine that is busy with others.
const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread")]
async fn histories_end_as_gamelift_meant_them() {
    let histories = match std::env::var("HISTORIES") {
        Ok(count) => count.parse().expect("HISTORIES is a number"),
        Err(_) => HISTORIES,
    };
    let tasks = (0..TASKS).map(|task| {
        tokio::spawn(async move {
            let table = Table::default();
            let store = Store::new(table.client(), "backend");
            for seed in (task..histories).step_by(TASKS as usize) {
                table.clear();
                Life::new(seed, store.clone(), Some(table.clone())).run().await;
            }
        })
    });
    let all = futures_util::future::try_join_all(tasks);
    let patience = PATIENCE * u32::try_from(histories.div_ceil(HISTORIES)).unwrap();
    tokio::time::timeout(patience, all).await.unwrap().unwrap();
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
