//! The consent of a party's member.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Item, Read, Store, StoreError, expires, keys, number, seconds, text};
use crate::caller::PlayerId;

/// Milliseconds that an invite holds: long enough to hand it over, too short to be forgotten.
pub(super) const INVITE_MS: u64 = 10 * 60 * 1000;

/// A member's consent to be started with somebody else's party.
#[derive(Clone, PartialEq)]
pub struct Consent {
    /// What it is known by: a secret.
    pub token: String,
    /// Whose it is.
    pub member: PlayerId,
    /// What they bring.
    pub own: Own,
}

/// What is a member's own. Nothing of it is checked here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Own {
    /// Milliseconds to locations.
    #[serde(rename = "lat", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub latencies: BTreeMap<String, u32>,
    /// Player attributes.
    #[serde(rename = "attr", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Value>,
}

/// Without the token.
impl fmt::Debug for Consent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Consent").field("member", &self.member).finish_non_exhaustive()
    }
}

pub(super) fn key(token: &str) -> Item {
    keys(format!("I#{token}"), "I")
}

/// `expires` is in seconds since 1970.
pub(super) fn item(consent: &Consent, expires: u64) -> Result<Item, StoreError> {
    let mut item = key(&consent.token);
    item.insert("member".to_owned(), text(consent.member.as_str()));
    item.insert("exp".to_owned(), number(expires));
    if consent.own != Own::default() {
        // As JSON: DynamoDB's numbers end at 1e126, before those of an attribute do.
        let own = serde_json::to_string(&consent.own);
        item.insert("own".to_owned(), text(own.map_err(|error| StoreError::Unreadable(error.to_string()))?));
    }
    Ok(item)
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
    pub async fn invite(&self, consent: &Consent, now: u64) -> Result<u64, StoreError> {
        let expires = seconds(now + INVITE_MS);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item(consent, expires)?));
        put.send().await.map_err(|error| StoreError::of(&error))?;
        Ok(expires * 1000)
    }

    /// The invite of that token, if it still holds.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn invited(&self, token: &str, now: u64) -> Result<Option<Consent>, StoreError> {
        let Some(item) = self.get(key(token), Read::Strong).await? else {
            return Ok(None);
        };
        let string = |name: &str| item.get(name).and_then(|value: &AttributeValue| value.as_s().ok());
        let (Some(expires), Some(member)) = (expires(&item), string("member")) else {
            return Err(StoreError::Unreadable("an invite without exp or member".to_owned()));
        };
        let own = match string("own") {
            Some(own) => {
                serde_json::from_str(own).map_err(|error| StoreError::Unreadable(error.to_string()))?
            }
            None => Own::default(),
        };
        let consent = Consent { token: token.to_owned(), member: PlayerId::new(member), own };
        Ok((expires >= seconds(now)).then_some(consent))
    }
}
