//! A socket that is a pair of Tokio channels: memory.

use futures_util::{StreamExt, sink, stream};
use tokio::sync::mpsc;

use super::{Incoming, Outgoing, Socket, SocketError};

impl Socket {
    /// Makes a socket of two channels, for a service in the same program, such as a local GameLift under test. `read` says what
    /// a frame of the service's is; behind [`Incoming::Close`] and an error, which is a socket that broke, nothing follows.
    ///
    /// Dropping the socket, or saying goodbye on it, drops `to_service`.
    pub fn from_channels<T: Send + 'static>(
        to_service: mpsc::Sender<String>,
        from_service: mpsc::Receiver<T>,
        read: fn(T) -> Result<Incoming, SocketError>,
    ) -> Self {
        let closed = || SocketError("the service has closed the channel".into());
        let sink = sink::unfold(Some(to_service), move |to_service, frame| async move {
            match (to_service, frame) {
                (Some(to_service), Outgoing::Text(text)) => match to_service.send(text).await {
                    Ok(()) => Ok(Some(to_service)),
                    Err(_) => Err(closed()),
                },
                (_, Outgoing::Close(_)) => Ok(None),
                (None, Outgoing::Text(_)) => Err(closed()),
            }
        });
        let stream = stream::unfold(from_service, move |mut from_service| async move {
            let frame = read(from_service.recv().await?);
            Some((frame, from_service))
        });
        Self { sink: Box::pin(sink), stream: Box::pin(stream.fuse()) }
    }
}
