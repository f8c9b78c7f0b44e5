//! The backend's one table, through the DynamoDB API.
//!
//! | item | PK | SK |
//! |---|---|---|
//! | a player's latest ticket | `P#<player>` | `TICKET` |
//! | a player's profile | `P#<player>` | `PROFILE` |
//! | how often a player of a function has called | `P#<player>` | `CALLS` |
//! | a member's consent to be in a party | `I#<token>` | `I` |
//! | the players of a placement | `T#<ticket>` | `T` |
//! | a player's WebSocket at API Gateway | `P#<player>` | `CONN#<connection>` |
//! | whose WebSocket it is | `C#<connection>` | `C` |
//!
//! Whoever writes says under which condition: a ticket only where none is open, news only over older news, a seat over
//! everything. So two writers, a repeated event or an old one do no harm, and nobody needs a lock. A row is found by its
//! player, so a caller cannot even ask for somebody else's.
//!
//! Rows past their `exp` are as good as deleted: DynamoDB removes them within days, not at once (developer guide, "Time to
//! Live"), so every read and every condition looks at it.

#[cfg(feature = "lambda")]
mod calls;
#[cfg(feature = "lambda")]
mod connection;
mod create;
#[cfg(feature = "local")]
mod embedded;
mod error;
mod invite;
mod news;
mod profile;
mod rate;
mod row;
mod table;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

#[cfg(feature = "lambda")]
pub use self::calls::{CALL_BURST, CALL_INTERVAL_MS};
#[cfg(feature = "lambda")]
pub use self::connection::CONNECTIONS_MAX;
pub use self::create::{Created, NewTicket};
#[cfg(feature = "local")]
pub use self::embedded::{Embedded, EmbeddedError, local_client};
pub use self::error::StoreError;
pub use self::invite::{Consent, Own};
pub use self::news::{Applied, RECONCILE_AFTER_MS};
pub use self::profile::{Admission, PlayerProfile};
pub use self::rate::{START_BURST, START_INTERVAL_MS, STARTS_PER_HOUR};
pub use self::row::{Kind, Row};
use crate::caller::PlayerId;

/// An item as the SDK has it.
type Item = HashMap<String, AttributeValue>;

/// The table. Clones are one and the same.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: String,
}

/// How sure a read must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// What was so a moment ago: half the price.
    Eventual,
    /// What is so.
    Strong,
}

impl Store {
    /// A table by its name.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// A player's latest ticket, unless it is forgotten.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn ticket(&self, player: &PlayerId, read: Read, now: u64) -> Result<Option<Row>, StoreError> {
        let item = self.get(row::key(player), read).await?;
        let row = item.map(row::read).transpose()?;
        Ok(row.filter(|row| row.expires >= seconds(now)))
    }

    /// Whether the table answers.
    ///
    /// # Errors
    ///
    /// It does not.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.get(keys("H#", "H"), Read::Eventual).await.map(drop)
    }

    async fn get(&self, key: Item, read: Read) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key));
        let answer = request
            .consistent_read(read == Read::Strong)
            .send()
            .await
            .map_err(|error| StoreError::of(&error))?;
        Ok(answer.item)
    }
}

/// A primary key.
fn keys(partition: impl Into<String>, sort: impl Into<String>) -> Item {
    Item::from([("PK".to_owned(), text(partition)), ("SK".to_owned(), text(sort))])
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// When an item is forgotten, in seconds since 1970.
fn expires(item: &Item) -> Option<u64> {
    item.get("exp")?.as_n().ok()?.parse().ok()
}

/// TTL counts in seconds.
fn seconds(millis: u64) -> u64 {
    millis / 1000
}
