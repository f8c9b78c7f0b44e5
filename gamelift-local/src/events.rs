//! Events on their way out: to a file, to whoever reads `GET /events` on the admin side, to programs.

pub(crate) mod file;
pub(crate) mod stream;

use std::sync::Arc;

use tokio::sync::broadcast::{self, error::RecvError};

use crate::engine::Event;

/// Events kept for readers that are behind: minutes of a busy service. A reader further behind is told how many it
/// has missed.
pub(crate) const EVENTS_KEPT: usize = 4096;

/// The service's events from now on, in order. It ends with the service.
#[derive(Debug)]
pub struct Events {
    receiver: broadcast::Receiver<Arc<Event>>,
}

/// The reader was so slow that events are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{count} events were missed: their reader was more than {EVENTS_KEPT} events behind")]
pub struct Missed {
    /// How many.
    pub count: u64,
}

impl Events {
    pub(crate) fn new(receiver: broadcast::Receiver<Arc<Event>>) -> Self {
        Self { receiver }
    }

    /// The next event; `None` after the service's end.
    ///
    /// # Errors
    /// [`Missed`], once, when the reader was too slow; reading goes on behind the gap.
    ///
    /// # Cancel safety
    /// No event is lost.
    pub async fn next(&mut self) -> Option<Result<Arc<Event>, Missed>> {
        match self.receiver.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(RecvError::Lagged(count)) => Some(Err(Missed { count })),
            Err(RecvError::Closed) => None,
        }
    }
}
