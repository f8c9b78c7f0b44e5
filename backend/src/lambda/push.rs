//! News to players' sockets at API Gateway.
//!
//! News is gathered while an event is written and posted afterwards: a slow or throttled API Gateway must not keep an event from
//! being written to all of its players. What is not posted costs its player nothing but a moment: they poll.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_apigatewaymanagement::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use tokio::time::timeout;

use crate::caller::PlayerId;
use crate::message::news;
use crate::push::Push;
use crate::service::Clock;
use crate::store::Store;
use crate::ticket::Ticket;

/// News that is kept until it is posted. A match has 200 players at most; SNS hands over one event at a time.
const NEWS_MAX: usize = 1_024;
/// Players who are posted to at once: as many as are written at once.
const PLAYERS_AT_ONCE: usize = 16;
/// What all posts of an event may take. It is a third of the function's time, and by then they are hardly news.
pub const POST_WAIT: Duration = Duration::from_secs(10);

/// News that waits to be posted. Clones are one and the same.
#[derive(Clone, Debug, Default)]
pub struct Outbox(Arc<Mutex<Vec<(PlayerId, Ticket)>>>);

impl Outbox {
    fn take(&self) -> Vec<(PlayerId, Ticket)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Push for Outbox {
    fn tell<'a>(&'a self, player: &'a PlayerId, ticket: &'a Ticket) -> BoxFuture<'a, ()> {
        let mut news = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if news.len() < NEWS_MAX {
            news.push((player.clone(), ticket.clone()));
        } else {
            tracing::warn!(NEWS_MAX, "too much news at once: a player has to ask for it");
        }
        Box::pin(std::future::ready(()))
    }
}

/// What became of news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Posted {
    /// Sockets that got it.
    pub sent: usize,
    /// Sockets that were gone; they are forgotten.
    pub gone: usize,
    /// Sockets that may not have got it.
    pub failed: usize,
}

/// Posts what is in an outbox.
#[derive(Clone)]
pub struct Poster {
    outbox: Outbox,
    store: Store,
    client: aws_sdk_apigatewaymanagement::Client,
    clock: Clock,
    wait: Duration,
}

impl fmt::Debug for Poster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Poster").finish_non_exhaustive()
    }
}

/// What became of one post.
enum Outcome {
    Sent,
    Gone,
    Failed,
}

impl Poster {
    /// Posts with a client whose endpoint is the stage of a WebSocket API, to the connections in a table.
    pub fn new(
        outbox: Outbox,
        store: Store,
        client: aws_sdk_apigatewaymanagement::Client,
        clock: Clock,
    ) -> Self {
        Self { outbox, store, client, clock, wait: POST_WAIT }
    }

    /// With another time for all posts of an event than [`POST_WAIT`].
    #[must_use]
    pub fn within(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    /// Posts all news, or as much as there is time for. It logs what goes wrong: nobody else needs to care.
    ///
    /// # Cancel safety
    ///
    /// News that has not been posted is lost.
    pub async fn post(&self) -> Posted {
        let news = self.outbox.take();
        let players = news.len();
        let mut posted = Posted::default();
        let mut told = 0;
        let posting = async {
            let mut each = stream::iter(news)
                .map(|(player, ticket)| async move { self.post_to(&player, &ticket).await })
                .buffer_unordered(PLAYERS_AT_ONCE);
            while let Some(one) = each.next().await {
                told += 1;
                posted.sent += one.sent;
                posted.gone += one.gone;
                posted.failed += one.failed;
            }
        };
        if timeout(self.wait, posting).await.is_err() {
            tracing::warn!(
                players,
                told,
                "API Gateway is slow: the other players have to ask for their news"
            );
        }
        if players > 0 {
            tracing::info!(players, ?posted, "news was posted");
        }
        posted
    }

    async fn post_to(&self, player: &PlayerId, ticket: &Ticket) -> Posted {
        let mut posted = Posted::default();
        let since = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let connections = match self.store.connections(player, now).await {
            Ok(connections) => connections,
            Err(error) => {
                tracing::warn!(?player, %error, "cannot find a player's sockets");
                posted.failed = 1;
                return posted;
            }
        };
        let text = news(ticket);
        for connection in connections {
            match self.post_one(player, &connection, &text).await {
                Outcome::Sent => posted.sent += 1,
                Outcome::Gone => posted.gone += 1,
                Outcome::Failed => posted.failed += 1,
            }
        }
        posted
    }

    async fn post_one(&self, player: &PlayerId, connection: &str, text: &str) -> Outcome {
        let post = self.client.post_to_connection().connection_id(connection).data(Blob::new(text));
        let Err(error) = post.send().await else {
            return Outcome::Sent;
        };
        if !is_gone(&error) {
            tracing::warn!(?player, status = status(&error), code = error.code(), "a post failed");
            return Outcome::Failed;
        }
        // `$disconnect` is best effort (API Gateway developer guide, "Managing connected users and client apps"): this is the other way
        // to learn of it.
        if let Err(error) = self.store.forget(player, connection).await {
            tracing::warn!(?player, %error, "a socket that is gone is not forgotten: it expires");
        }
        Outcome::Gone
    }
}

fn status(error: &SdkError<PostToConnectionError>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

fn is_gone(error: &SdkError<PostToConnectionError>) -> bool {
    error.as_service_error().is_some_and(PostToConnectionError::is_gone_exception)
        || status(error) == Some(410)
}
