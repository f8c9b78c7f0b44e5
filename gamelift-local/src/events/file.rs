//! Events as lines of JSON in a file.

use std::{io, path::Path};

use tokio::{
    fs::{File, OpenOptions},
    io::AsyncWriteExt,
};

use super::Events;

/// Opens the file for appending.
pub(crate) async fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path).await
}

/// Writes until the service ends and everything is written.
pub(crate) async fn write(mut file: File, mut events: Events) {
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                if let Err(error) = line(&mut file, &event.json).await {
                    tracing::error!(event = event.id, %error, "an event could not be written to the file (--events)");
                }
            }
            Err(missed) => tracing::error!(%missed, "the file (--events) is incomplete"),
        }
    }
}

async fn line(file: &mut File, json: &str) -> io::Result<()> {
    // One write, so that a reader of the file sees whole lines.
    file.write_all(format!("{json}\n").as_bytes()).await?;
    file.flush().await
}
