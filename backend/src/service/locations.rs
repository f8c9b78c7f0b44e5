//! Where games may be hosted, remembered for a while.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::{Inner, Location};
use crate::problem::Problem;

/// Milliseconds that locations are remembered: they change by an operator's hand.
const FRESH_MS: u64 = 60_000;

/// The locations, and when they were read. Whoever finds them too old reads them, and the others wait for that.
#[derive(Default)]
pub(super) struct Cache(Mutex<Option<(u64, Arc<[Location]>)>>);

impl Inner {
    pub(super) async fn locations(&self) -> Result<Arc<[Location]>, Problem> {
        let now = self.now();
        let mut known = self.locations.0.lock().await;
        if let Some((read, locations)) = &*known
            && now.saturating_sub(*read) < FRESH_MS
        {
            return Ok(Arc::clone(locations));
        }
        match self.game_lift.locations().await {
            Ok(locations) => {
                let locations: Arc<[Location]> = locations.into();
                *known = Some((now, Arc::clone(&locations)));
                Ok(locations)
            }
            Err(error) => match &*known {
                // Old locations are better than none.
                Some((_, locations)) => {
                    tracing::warn!(%error, "the locations cannot be read again");
                    Ok(Arc::clone(locations))
                }
                None => Err(error.into()),
            },
        }
    }
}
