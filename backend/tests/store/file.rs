//! The embedded table on a file.

use std::path::PathBuf;

use backend::caller::PlayerId;
use backend::store::{Created, Embedded, EmbeddedError, Read, Store};

use crate::bench::{NOW, new};

/// A folder that goes away.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("backend-table-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn a_table_on_a_file_survives_a_restart() {
    let folder = Folder::new();
    let file = folder.0.join("table.sqlite");
    for life in 0..3 {
        let embedded = Embedded::start(Some(&file)).await.unwrap();
        let store = Store::new(embedded.client(), "backend");
        store.create_table_if_absent().await.unwrap();
        let created = store.create(&new("ada", &format!("t-{life}"), "one-key"), NOW).await.unwrap();
        match created {
            Created::New(row) => assert_eq!((life, row.ticket_id.as_str()), (0, "t-0")),
            Created::Replay(row) => assert_eq!((life > 0, row.ticket_id.as_str()), (true, "t-0")),
            other => panic!("{other:?}"),
        }
        drop(store);
        embedded.shutdown().await;
    }
}

#[tokio::test]
async fn a_table_that_was_dropped_without_a_word_has_lost_nothing() {
    let folder = Folder::new();
    let file = folder.0.join("table.sqlite");
    let embedded = Embedded::start(Some(&file)).await.unwrap();
    let store = Store::new(embedded.client(), "backend");
    store.create_table_if_absent().await.unwrap();
    store.create(&new("ada", "t-1", "one-key"), NOW).await.unwrap();
    drop((store, embedded));

    let embedded = Embedded::start(Some(&file)).await.unwrap();
    let store = Store::new(embedded.client(), "backend");
    let row = store.ticket(&PlayerId::new("ada"), Read::Strong, NOW).await.unwrap().unwrap();
    assert_eq!(row.ticket_id, "t-1");
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named() {
    let folder = Folder::new();
    let error = Embedded::start(Some(&folder.0)).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::Open { .. }));
    assert!(error.to_string().contains(&folder.0.display().to_string()), "{error}");
}
