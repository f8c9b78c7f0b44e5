//! Events on their way out: to a file, to whoever reads `GET /events` on the admin side, to programs, and over HTTP.
//!
//! Over HTTP, every endpoint has a [`delivery`] of its own: [`outlets`] keeps them and counts, [`faults`] makes them go
//! wrong on purpose, [`mod@line`] is what waits, [`retry`] says when to try again, and [`dead_letters`] keeps what was given
//! up. The endpoints are Amazon SNS's (`sns`) and Amazon EventBridge's ([`targets`]).

pub(crate) mod client;
pub(crate) mod dead_letters;
pub(crate) mod delivery;
pub(crate) mod faults;
pub(crate) mod file;
mod line;
pub(crate) mod outlets;
mod retry;
pub(crate) mod stream;
pub(crate) mod targets;

use std::sync::Arc;

use tokio::sync::broadcast::{self, error::RecvError};

pub use self::faults::{FaultRates, FaultRatesError};
use crate::engine::Event;

/// Events kept for readers that are behind: minutes of a busy service. A reader further behind is told how many it
/// has missed.
pub(crate) const EVENTS_KEPT: usize = 4096;

/// An endpoint cannot be given events.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The URL is none.
    #[error("an endpoint must be a URL that begins with http:// or https://")]
    Url,
    /// The topic's ARN is none.
    #[error("a topic must be an ARN such as arn:aws:sns:us-west-2:123456789012:matches")]
    Topic,
    /// There are too many already.
    #[error("there are {} endpoints of this kind already; remove one first", outlets::ENDPOINTS_MAX)]
    Full,
    /// Nobody could confirm the subscription.
    #[error("confirming a subscription needs the admin listener, and there are no listeners")]
    NoListeners,
    /// Nobody is trusted.
    #[error("this system has no certificates to trust; name some with --sns-ca{}", because(causes))]
    NoRoots {
        /// What the system said, if anything.
        causes: String,
    },
    /// TLS is not to be had.
    #[error("no TLS to https endpoints: {0}")]
    Tls(#[source] rustls::Error),
    /// There is no key to sign messages with.
    #[error("messages cannot be signed: {0}")]
    Signer(String),
    /// The endpoint has not visited the SubscribeURL that it was sent.
    #[error("the endpoint did not confirm its subscription; the log says what it answered")]
    Unconfirmed,
    /// There is no service any more.
    #[error("this local GameLift has been shut down")]
    Stopped,
}

fn because(causes: &str) -> String {
    if causes.is_empty() { String::new() } else { format!(" ({causes})") }
}

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
