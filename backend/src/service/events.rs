//! Events in, news for players out.

use futures_util::{StreamExt, stream};

use super::{HandleError, Handled, Inner};
use crate::event::{self, Event, Update};
use crate::store::{Applied, StoreError};

/// Players of one event who are written at once. A match has up to 200; this many keep a connection pool busy and no more.
const WRITES_AT_ONCE: usize = 16;

impl Inner {
    pub(super) async fn handle(&self, text: &str) -> Result<Handled, HandleError> {
        let event = event::parse(text).map_err(|error| HandleError::Malformed(error.to_string()))?;
        match event {
            Event::Tickets { updates, skipped } => Ok(Handled { skipped, ..self.apply(updates).await? }),
            Event::PlacementEnded { ticket_id, order, news } => {
                let players = self.store.placement_players(&ticket_id, self.now()).await;
                let players = players.map_err(HandleError::Store)?;
                let update = |player| Update {
                    player,
                    ticket_id: ticket_id.clone(),
                    order: order.clone(),
                    news: (*news).clone(),
                };
                self.apply(players.into_iter().map(update).collect()).await
            }
            Event::Ignored { kind } => {
                tracing::warn!(kind, "an event of a type that the backend does not know is ignored");
                Ok(Handled { ignored: true, ..Handled::default() })
            }
        }
    }

    /// Writes to all, even if some fail: the next delivery has less to do.
    async fn apply(&self, updates: Vec<Update>) -> Result<Handled, HandleError> {
        let mut writes = stream::iter(updates)
            .map(|update| async move { self.apply_one(&update).await })
            .buffer_unordered(WRITES_AT_ONCE);
        let mut handled = Handled::default();
        let mut failure = None;
        while let Some(write) = writes.next().await {
            match write {
                Ok(true) => handled.changed += 1,
                Ok(false) => handled.stale += 1,
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(handled), |error| Err(HandleError::Store(error)))
    }

    async fn apply_one(&self, update: &Update) -> Result<bool, StoreError> {
        match self.store.apply(update, self.now(), self.keep_until()).await? {
            Applied::Changed(row) => {
                self.tell(&update.player, &row).await;
                Ok(true)
            }
            Applied::Stale => Ok(false),
        }
    }
}
