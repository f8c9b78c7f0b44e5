//! Server-sent events, as far as the admin side sends them (WHATWG HTML, section 9.2).

use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt;

use super::ClientError;

/// Longest line: a frame of the log with some around it.
const LINE_MAX: usize = 4 * 1024 * 1024;
const DATA: &[u8] = b"data:";

/// What comes over a stream, a JSON object at a time.
#[derive(Debug)]
pub struct Lines {
    url: String,
    body: BodyDataStream,
    buffer: Vec<u8>,
}

impl Lines {
    pub(super) fn new(url: String, body: Body) -> Self {
        Self { url, body: body.into_data_stream(), buffer: Vec::new() }
    }

    /// The next one; `None` when the service has stopped.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] when the connection breaks, [`ClientError::Answer`] for what is no such stream.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn next(&mut self) -> Result<Option<String>, ClientError> {
        loop {
            while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                if let Some(data) = line.strip_prefix(DATA) {
                    let text = String::from_utf8(data.trim_ascii().to_vec());
                    return text.map(Some).map_err(|error| ClientError::Answer(error.to_string()));
                }
            }
            if self.buffer.len() > LINE_MAX {
                return Err(ClientError::Answer(format!("a line is longer than {LINE_MAX} bytes")));
            }
            match self.body.next().await {
                Some(Ok(bytes)) => self.buffer.extend_from_slice(&bytes),
                Some(Err(error)) => {
                    let (url, reason) = (self.url.clone(), error.to_string());
                    return Err(ClientError::Unreachable { url, reason });
                }
                None => return Ok(None),
            }
        }
    }
}
