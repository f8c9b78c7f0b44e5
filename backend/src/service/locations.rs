//! Where games may be hosted, remembered for a while.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::{Inner, Location};
use crate::game_lift::GameLiftError;
use crate::problem::Problem;

/// Milliseconds that locations are remembered: they change by an operator's hand.
const FRESH_MS: u64 = 60_000;

/// Milliseconds after which GameLift is asked again if it did not answer. It may take seconds not to, and everybody who starts
/// with latencies waits for it: once, not one after the other.
const RETRY_MS: u64 = 1_000;

/// What is known of the locations. Whoever finds it too old asks, and the others wait for that.
#[derive(Default)]
pub(super) struct Cache(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// The latest answer.
    locations: Option<Arc<[Location]>>,
    /// Why there is none, or none that is newer.
    trouble: Option<GameLiftError>,
    /// From when on to ask, in milliseconds since 1970.
    ask_at: u64,
}

impl Known {
    /// Old locations are better than none.
    fn answer(&self) -> Result<Arc<[Location]>, Problem> {
        let trouble =
            || self.trouble.clone().unwrap_or_else(|| GameLiftError::Unavailable("not asked yet".to_owned()));
        self.locations.clone().ok_or_else(|| trouble().into())
    }
}

impl Inner {
    pub(super) async fn locations(&self) -> Result<Arc<[Location]>, Problem> {
        let mut known = self.locations.0.lock().await;
        if self.now() < known.ask_at {
            return known.answer();
        }
        let wait = match self.game_lift.locations().await {
            Ok(locations) => {
                *known = Known { locations: Some(locations.into()), ..Known::default() };
                FRESH_MS
            }
            Err(error) => {
                tracing::warn!(%error, "the locations cannot be read");
                known.trouble = Some(error);
                RETRY_MS
            }
        };
        known.ask_at = self.now().saturating_add(wait);
        known.answer()
    }
}
