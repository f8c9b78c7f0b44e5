//! A player's latest ticket as an item.

use serde::{Deserialize, Serialize};

use super::{Item, StoreError, keys, number};
use crate::caller::PlayerId;
use crate::ticket::{Connection, Status};

/// Which of GameLift's operations a ticket stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// StartMatchmaking.
    Match,
    /// StartGameSessionPlacement.
    Placement,
}

/// A player's latest ticket. The names of the attributes are short: they are paid for by the byte.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The ticket's id, with GameLift as well.
    #[serde(rename = "ticketId")]
    pub ticket_id: String,
    /// The idempotency key that it was started with.
    #[serde(rename = "tok")]
    pub token: String,
    /// What it stands for.
    pub kind: Kind,
    /// The matchmaking configuration or queue.
    #[serde(rename = "cfg")]
    pub configuration: String,
    /// Where it is in its life. Its rank is beside it as `rk`, for conditions.
    #[serde(rename = "st")]
    pub status: Status,
    /// The order of the latest event, empty before the first.
    #[serde(rename = "et")]
    pub order: String,
    /// Grows with every write.
    #[serde(rename = "ver")]
    pub version: u64,
    /// When it was made, in milliseconds since 1970.
    pub created: u64,
    /// When it is forgotten, in seconds since 1970: the table's TTL.
    #[serde(rename = "exp")]
    pub expires: u64,
    /// When there was news, by our clock, in milliseconds since 1970.
    pub heard: u64,
    /// When GameLift was asked last, in milliseconds since 1970.
    #[serde(rename = "reconcileAt", default, skip_serializing_if = "Option::is_none")]
    pub inquired: Option<u64>,
    /// All players on it, if it is a party's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub party: Vec<String>,
    /// The player's team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// How long it may take, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<u64>,
    /// Players who have accepted the match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed: Option<u32>,
    /// Players of the match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<u32>,
    /// Until when to accept, in milliseconds since 1970: the latest that was told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<u64>,
    /// Why it ended without a seat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where to play.
    #[serde(rename = "conn", default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<Connection>,
}

impl Row {
    /// All players on the ticket, whose row this is among them.
    pub fn players(&self, own: &PlayerId) -> Vec<PlayerId> {
        if self.party.is_empty() {
            return vec![own.clone()];
        }
        self.party.iter().map(PlayerId::new).collect()
    }
}

pub(super) fn key(player: &PlayerId) -> Item {
    keys(format!("P#{}", player.as_str()), "TICKET")
}

pub(super) fn read(item: Item) -> Result<Row, StoreError> {
    Ok(serde_dynamo::aws_sdk_dynamodb_1::from_item(item)?)
}

pub(super) fn write(player: &PlayerId, row: &Row) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(row)?;
    item.extend(key(player));
    item.insert("rk".to_owned(), number(row.status.rank()));
    Ok(item)
}
