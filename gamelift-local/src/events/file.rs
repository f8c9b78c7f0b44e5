//! Events as lines of JSON in a file.

use std::{io, path::Path, sync::Arc};

use tokio::{
    fs::{File, OpenOptions},
    io::AsyncWriteExt,
    sync::mpsc,
};

use crate::engine::Event;

/// Opens the file for appending.
pub(crate) async fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path).await
}

/// Most events in one write.
const BATCH_MAX: usize = 256;

/// Writes until the service ends and everything is written: all that is there at once, in one write, so that a reader
/// of the file sees whole lines.
pub(crate) async fn write(mut file: File, mut events: mpsc::Receiver<Arc<Event>>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while events.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let lines: String = batch.iter().flat_map(|event| [&event.json, "\n"]).collect();
        let written = async {
            file.write_all(lines.as_bytes()).await?;
            file.flush().await
        };
        if let Err(error) = written.await {
            tracing::error!(events = batch.len(), %error, "events could not be written to the file (--events)");
        }
        batch.clear();
    }
}
