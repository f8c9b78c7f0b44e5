//! How often a player may call the functions.
//!
//! API Gateway throttles a stage as a whole, and WAF addresses; neither knows players. Each instance of a function has measures of
//! its own, which cost nothing and hold for as many calls as one instance answers. What asks GameLift or writes is counted in the
//! table besides, at the price of a write, so that it holds however many instances there are: the rates of GameLift's API are the
//! account's, and one player must not use them up. A look at a ticket costs less than counting it would.

use std::fmt;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use crate::caller::PlayerId;
use crate::limits::{self, Cost, Rates, too_many};
use crate::problem::Problem;
use crate::service::Clock;
use crate::store::Store;

/// The limits. Clones are one and the same.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    instance: limits::Limits,
    store: Store,
    clock: Clock,
}

impl fmt::Debug for Limits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Limits").finish_non_exhaustive()
    }
}

impl Limits {
    /// Full measures for all of whom the table says nothing else.
    pub fn new(store: Store, clock: Clock) -> Self {
        let instance = limits::Limits::new(&clock, Rates::default());
        Self(Arc::new(Inner { instance, store, clock }))
    }

    /// Takes a call from the player's measure.
    ///
    /// # Errors
    ///
    /// `RATE_LIMITED` with the time to wait; `STORE_UNAVAILABLE`.
    ///
    /// # Cancel safety
    ///
    /// It may have been counted.
    pub async fn admit(&self, player: &PlayerId, cost: Cost) -> Result<(), Problem> {
        let Inner { instance, store, clock } = &*self.0;
        match cost {
            // The use case counts it in the table, and knows a repeated one.
            Cost::Start => instance.start(player),
            Cost::Look => instance.call(player),
            Cost::Act => {
                instance.call(player)?;
                let since = clock().duration_since(UNIX_EPOCH).unwrap_or_default();
                let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
                let counted = store.count_call(player, now).await?;
                counted.map_err(|wait| too_many("calls", wait))
            }
        }
    }
}
