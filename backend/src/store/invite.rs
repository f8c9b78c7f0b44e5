//! The consent of a party's member.

use super::{Item, Read, Store, StoreError, expires, keys, number, seconds, text};
use crate::caller::PlayerId;
use aws_sdk_dynamodb::types::AttributeValue;

/// Milliseconds that an invite holds: long enough to hand it over, too short to be forgotten.
pub(super) const INVITE_MS: u64 = 10 * 60 * 1000;

pub(super) fn key(token: &str) -> Item {
    keys(format!("I#{token}"), "I")
}

pub(super) fn item(token: &str, member: &PlayerId, expires: u64) -> Item {
    let mut item = key(token);
    item.insert("member".to_owned(), text(member.as_str()));
    item.insert("exp".to_owned(), number(expires));
    item
}

impl Store {
    /// Writes an invite; when it expires, in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// It may have been written.
    pub async fn invite(&self, token: &str, member: &PlayerId, now: u64) -> Result<u64, StoreError> {
        let expires = seconds(now + INVITE_MS);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item(token, member, expires)));
        put.send().await.map_err(|error| StoreError::of(&error))?;
        Ok(expires * 1000)
    }

    /// Whose invite this is, if it still holds.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn invited(&self, token: &str, now: u64) -> Result<Option<PlayerId>, StoreError> {
        let Some(item) = self.get(key(token), Read::Strong).await? else {
            return Ok(None);
        };
        let member = item.get("member").and_then(|member: &AttributeValue| member.as_s().ok());
        let (Some(expires), Some(member)) = (expires(&item), member) else {
            return Err(StoreError::Unreadable("an invite without exp or member".to_owned()));
        };
        Ok((expires >= seconds(now)).then(|| PlayerId::new(member)))
    }
}
