//! A player's WebSockets at API Gateway: under the player, to be pushed to, and by themselves, because a message does not say whose
//! it is.

use futures_util::future::{try_join, try_join_all};
use serde::{Deserialize, Serialize};

use super::{Item, Read, Store, StoreError, expires, keys, number, seconds, text};
use crate::caller::PlayerId;

/// How long a connection is remembered, in seconds: the two hours that API Gateway gives it, and ten minutes for clocks.
const REMEMBERED: u64 = (2 * 60 + 10) * 60;
/// Connections of one player. Somebody has a computer, a telephone, and some that were lost without a word.
pub const CONNECTIONS_MAX: usize = 8;
/// Items that are read of one player: more than are kept, as `$disconnect` may be missed and several may be made at once.
const READ_MAX: i32 = 50;

/// How a connection is written under its player. Both items have `exp`.
#[derive(Debug, Serialize, Deserialize)]
struct Open {
    #[serde(rename = "SK")]
    sort: String,
    /// When it was made, in milliseconds since 1970.
    since: u64,
    #[serde(rename = "exp")]
    expires: u64,
}

const PREFIX: &str = "CONN#";

fn partition(player: &PlayerId) -> String {
    format!("P#{}", player.as_str())
}

fn of_player(player: &PlayerId, connection_id: &str) -> Item {
    keys(partition(player), format!("{PREFIX}{connection_id}"))
}

fn alone(connection_id: &str) -> Item {
    keys(format!("C#{connection_id}"), "C")
}

impl Store {
    /// Remembers a player's connection. If they have too many, the oldest is forgotten: nothing is pushed to it any more.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// It may be remembered in part; that expires.
    pub async fn connect(&self, player: &PlayerId, connection_id: &str, now: u64) -> Result<(), StoreError> {
        let expires = number(seconds(now) + REMEMBERED);
        let mut by_player = of_player(player, connection_id);
        by_player.insert("since".to_owned(), number(now));
        by_player.insert("exp".to_owned(), expires.clone());
        let mut by_itself = alone(connection_id);
        by_itself.insert("player".to_owned(), text(player.as_str()));
        by_itself.insert("exp".to_owned(), expires);
        try_join(self.put(by_player), self.put(by_itself)).await?;
        let mut open = self.open(player, now).await?;
        open.sort_by_key(|open| std::cmp::Reverse(open.since));
        let surplus = open.iter().skip(CONNECTIONS_MAX).filter_map(|open| open.sort.strip_prefix(PREFIX));
        try_join_all(surplus.map(|old| self.forget(player, old))).await.map(drop)
    }

    /// Whose connection it is, if it is remembered.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn connected(&self, connection_id: &str, now: u64) -> Result<Option<PlayerId>, StoreError> {
        // Strong: the first message may come right after the connection.
        let Some(item) = self.get(alone(connection_id), Read::Strong).await? else {
            return Ok(None);
        };
        let player = item.get("player").and_then(|player| player.as_s().ok());
        let (Some(expires), Some(player)) = (expires(&item), player) else {
            return Err(StoreError::Unreadable("a connection without exp or player".to_owned()));
        };
        Ok((expires >= seconds(now)).then(|| PlayerId::new(player)))
    }

    /// The ids of a player's connections.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn connections(&self, player: &PlayerId, now: u64) -> Result<Vec<String>, StoreError> {
        let open = self.open(player, now).await?;
        Ok(open.into_iter().filter_map(|open| open.sort.strip_prefix(PREFIX).map(str::to_owned)).collect())
    }

    /// Forgets a connection, whoever has it.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// It may be forgotten in part; the rest expires.
    pub async fn disconnect(&self, connection_id: &str, now: u64) -> Result<(), StoreError> {
        match self.connected(connection_id, now).await? {
            Some(player) => self.forget(&player, connection_id).await,
            None => Ok(()),
        }
    }

    /// Forgets a player's connection.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// As [`Self::disconnect`].
    pub async fn forget(&self, player: &PlayerId, connection_id: &str) -> Result<(), StoreError> {
        try_join(self.delete(of_player(player, connection_id)), self.delete(alone(connection_id)))
            .await
            .map(drop)
    }

    async fn open(&self, player: &PlayerId, now: u64) -> Result<Vec<Open>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("PK = :player AND begins_with(SK, :prefix)")
            .expression_attribute_values(":player", text(partition(player)))
            .expression_attribute_values(":prefix", text(PREFIX))
            .limit(READ_MAX);
        let answer = query.send().await.map_err(|error| StoreError::of(&error))?;
        if answer.last_evaluated_key.is_some() {
            tracing::warn!(?player, READ_MAX, "a player has more connections than are read");
        }
        let open: Vec<Open> = serde_dynamo::aws_sdk_dynamodb_1::from_items(answer.items.unwrap_or_default())?;
        Ok(open.into_iter().filter(|open| open.expires >= seconds(now)).collect())
    }

    async fn put(&self, item: Item) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(drop).map_err(|error| StoreError::of(&error))
    }

    async fn delete(&self, key: Item) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key));
        delete.send().await.map(drop).map_err(|error| StoreError::of(&error))
    }
}
