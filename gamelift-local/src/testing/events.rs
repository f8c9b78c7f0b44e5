//! What the service has said about tickets and placements.

use std::{panic::Location, sync::PoisonError};

use futures_util::FutureExt;
use serde_json::Value;

use super::{
    Emulator,
    wait::{fail, text},
};
use crate::Events;

/// Most events kept for a test, far more than one can mean to look at.
const HEARD_MAX: usize = 100_000;

/// Everything heard so far.
#[derive(Debug)]
pub(super) struct Heard {
    /// What has not been taken yet. `None` after a shutdown.
    events: Option<Events>,
    details: Vec<Value>,
}

impl Heard {
    pub(super) fn new(events: Option<Events>) -> Self {
        Self { events, details: Vec::new() }
    }

    /// Takes what is there.
    fn listen(&mut self) -> Result<(), String> {
        let Some(events) = &mut self.events else { return Ok(()) };
        while let Some(Some(event)) = events.next().now_or_never() {
            if self.details.len() >= HEARD_MAX {
                return Err(format!("more than {HEARD_MAX} events"));
            }
            let event = event.map_err(|missed| format!("{missed}; look at them more often"))?;
            let event: Value = serde_json::from_str(&event.json).map_err(|error| error.to_string())?;
            self.details.push(event["detail"].clone());
        }
        Ok(())
    }
}

/// Whether an event is about this ticket or placement.
fn concerns(detail: &Value, id: &str) -> bool {
    let mut tickets = detail["tickets"].as_array().into_iter().flatten();
    detail["placementId"] == id || tickets.any(|ticket| ticket["ticketId"] == id)
}

impl Emulator {
    /// The events that name this ticket or placement so far, in order: the `detail` of each.
    ///
    /// # Panics
    /// If so many events were published since the last look that some are gone.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn events_of(&self, id: &str) -> impl Future<Output = Vec<Value>> + Send {
        let at = Location::caller();
        async move {
            // Events are out when the service answers the next question.
            self.local.snapshot().await;
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = heard.listen() {
                fail(at, &error);
            }
            heard.details.iter().filter(|detail| concerns(detail, id)).cloned().collect()
        }
    }

    /// The types of the events that name this ticket or placement so far are these, in order, and no others: such as
    /// MatchmakingSearching, MatchmakingTimedOut.
    ///
    /// # Panics
    /// If they are not, with what they are.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn assert_events<const N: usize>(
        &self,
        id: &str,
        expected: [&str; N],
    ) -> impl Future<Output = ()> + Send {
        let (at, events) = (Location::caller(), self.events_of(id));
        async move {
            let events = events.await;
            let seen: Vec<_> = events.iter().map(|detail| text(detail, "type")).collect();
            if seen != expected {
                let expected = expected.join(", ");
                let seen = seen.join(", ");
                fail(at, &format!("expected these events of {id}: {expected}\nbut there are: {seen}"));
            }
        }
    }
}
