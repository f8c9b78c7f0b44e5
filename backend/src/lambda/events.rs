//! `lambda-events`: GameLift's events as SNS hands them to a function.
//!
//! Whoever may invoke the function is AWS's business, so no signature is looked at; the topic is, because any topic of the account can
//! be subscribed to it. An old event is as good as a new one: it may come out of a dead-letter queue, and changes nothing that is newer.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Deserialize;

use super::clients::{Clients, clock};
use super::config::{self, Config};
use super::push::{Outbox, Poster};
use super::{Failure, Lookup};
use crate::push::Push;
use crate::service::{Backend, HandleError};
use crate::sns::envelope::Envelope;

/// What SNS hands to a function (Lambda developer guide, "Invoking Lambda functions with Amazon SNS notifications"). In practice it has
/// one record.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Notification {
    records: Vec<Record>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    sns: Envelope,
}

/// An event that was not handled. Lambda tries again, and then puts it among the dead letters, from where it can be replayed.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not ours.
    #[error("the topic {0:.256} is none of ours: add it to BACKEND_TOPICS if it should be")]
    Topic(String),
    /// The backend did not take it.
    #[error(transparent)]
    Unhandled(#[from] HandleError),
}

impl From<EventError> for Diagnostic {
    fn from(error: EventError) -> Self {
        let kind = match &error {
            EventError::Topic(_) => "ForeignTopic",
            EventError::Unhandled(HandleError::Malformed(_)) => "MalformedEvent",
            EventError::Unhandled(HandleError::Store(_)) => "StoreError",
        };
        Self { error_type: kind.to_owned(), error_message: error.to_string() }
    }
}

/// The door for events. Clones are one and the same.
#[derive(Clone)]
pub struct Events {
    backend: Backend,
    topics: BTreeSet<String>,
    poster: Option<Poster>,
}

impl fmt::Debug for Events {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Events").field("topics", &self.topics).finish_non_exhaustive()
    }
}

impl Events {
    /// Takes events of these topics. The poster has the outbox that the backend pushes to.
    pub fn new(backend: Backend, topics: BTreeSet<String>, poster: Option<Poster>) -> Self {
        Self { backend, topics, poster }
    }

    /// Handles all records, even if one fails, and then tells the players.
    ///
    /// # Errors
    ///
    /// [`EventError`] of the last record that failed: have all delivered again, as what is handled does no harm twice.
    ///
    /// # Cancel safety
    ///
    /// As [`Backend::handle`].
    pub async fn handle(&self, notification: Notification) -> Result<(), EventError> {
        let mut outcome = Ok(());
        for Record { sns } in notification.records {
            if let Err(error) = self.handle_one(&sns).await {
                tracing::error!(id = sns.message_id, %error, "an event was not handled");
                outcome = Err(error);
            }
        }
        // In any case: the next delivery has no news of what is written now.
        if let Some(poster) = &self.poster {
            poster.post().await;
        }
        outcome
    }

    async fn handle_one(&self, sns: &Envelope) -> Result<(), EventError> {
        if !self.topics.contains(&sns.topic_arn) {
            return Err(EventError::Topic(sns.topic_arn.clone()));
        }
        let handled = self.backend.handle(&sns.message).await?;
        tracing::info!(id = sns.message_id, ?handled, "an event was handled");
        Ok(())
    }
}

/// Runs the function.
///
/// # Errors
///
/// A variable is wrong, or Lambda cannot be reached.
///
/// # Cancel safety
///
/// The event under way is delivered again.
pub async fn serve(environment: Lookup<'_>) -> Result<(), Failure> {
    let Config { aws, table, settings } = Config::events(environment)?;
    let sockets = config::websocket_url(environment)?;
    let clients = Clients::new(&aws);
    let store = clients.store(&table);
    let topics = settings.topics.clone();
    let outbox = Outbox::default();
    let poster =
        sockets.map(|url| Poster::new(outbox.clone(), store.clone(), clients.sockets(&url), clock()));
    let push = poster.is_some().then(|| Arc::new(outbox) as Arc<dyn Push>);
    let backend = Backend::with_push(settings, store, clients.game_lift(), clock(), push);
    let events = Events::new(backend, topics, poster);
    // Boxed: the compiler gives up on a type as deep as all that is inside.
    let handle = |event: LambdaEvent<Notification>| Box::pin(events.handle(event.payload));
    lambda_runtime::run(service_fn(handle)).await
}
