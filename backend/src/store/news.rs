//! News of a ticket, written under the condition that it is news.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::row::{self, Row};
use super::{Store, StoreError, number, seconds, text};
use crate::caller::PlayerId;
use crate::event::{News, Update};
use crate::ticket::{Connection, RANK_ENDED, RANK_SUCCEEDED, Status};

/// Milliseconds without news after which GameLift is asked. AWS advises against asking earlier (developer guide, "Track
/// matchmaking requests").
pub const RECONCILE_AFTER_MS: u64 = 30_000;

/// Nothing of a later time has been heard, and nobody has cancelled.
const NEWER: &str = "ticketId = :ticket AND rk < :cancelling AND et < :order";
/// The ticket is open, or has ended without a seat by an earlier event. Equal times do not happen: an order has the event's id.
const ENDS: &str = "ticketId = :ticket AND (rk < :ended OR (rk = :ended AND et < :order))";
/// The match was made, and where to play is not told. A cancel that raced with it has lost.
const SUCCEEDS: &str = "ticketId = :ticket AND rk < :succeeded";
/// There is no seat yet, although the match may be known to be made.
const SEATS: &str = "ticketId = :ticket AND (rk < :succeeded OR attribute_not_exists(conn))";
/// No event has come since the row was read. Times of GameLift's and ours are not compared.
const UNCHANGED: &str = "ticketId = :ticket AND rk < :cancelling AND et = :order";
/// The ticket is open.
const OPEN: &str = "ticketId = :ticket AND rk < :ended";
/// The ticket is open and not being cancelled.
const NOT_CANCELLING: &str = "ticketId = :ticket AND rk < :cancelling";
/// Nobody has asked GameLift lately.
const UNASKED: &str =
    "ticketId = :ticket AND rk < :ended AND (attribute_not_exists(reconcileAt) OR reconcileAt <= :before)";
/// The deadline is later than the one that is known, whichever came first.
const LATER_DEADLINE: &str =
    "ticketId = :ticket AND rk < :ended AND (attribute_not_exists(deadline) OR deadline < :deadline)";
/// The seat is still the one that was read.
const SAME_SEAT: &str = "ticketId = :ticket AND conn.playerSessionId = :seat";

/// Everything above holds only while the ticket is not forgotten: DynamoDB may not have got round to deleting it.
const KEPT: &str = "exp >= :now";

fn succeeds(news: &News) -> &'static str {
    if news.connection.is_some() { SEATS } else { SUCCEEDS }
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    /// The row as it is now.
    Changed(Box<Row>),
    /// The row knows as much or more, or is of another ticket.
    Stale,
}

/// `SET` and `REMOVE`, with names by alias: some are reserved words.
#[derive(Default)]
struct Change {
    set: Vec<String>,
    remove: Vec<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Change {
    fn set(mut self, name: &str, value: AttributeValue) -> Self {
        self.set.push(format!("#{name} = :{name}"));
        self.names.insert(format!("#{name}"), name.to_owned());
        self.values.insert(format!(":{name}"), value);
        self
    }

    /// What news does not tell is not so any more.
    fn set_or_remove(mut self, name: &str, value: Option<AttributeValue>) -> Self {
        if let Some(value) = value {
            return self.set(name, value);
        }
        self.remove.push(format!("#{name}"));
        self.names.insert(format!("#{name}"), name.to_owned());
        self
    }

    fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    fn status(self, status: Status, now: u64) -> Self {
        let st = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(status);
        self.set("st", st.expect("a status is a text"))
            .set("rk", number(status.rank()))
            .set("heard", number(now))
    }

    fn news(self, news: &News, now: u64, keep_until: u64) -> Result<Self, StoreError> {
        let connection = news.connection.as_ref().map(serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value);
        let mut change = self
            .status(news.status, now)
            .set_or_remove("team", news.team.as_ref().map(text))
            .set_or_remove("wait", news.estimated_wait_ms.map(number))
            .set_or_remove("agreed", news.accepted.map(|(yes, _)| number(yes)))
            .set_or_remove("asked", news.accepted.map(|(_, total)| number(total)))
            .set_or_remove("reason", news.reason.as_ref().map(text))
            .set_or_remove("conn", connection.transpose()?);
        if news.status == Status::Succeeded {
            // The way back into the game is kept as long as the game.
            change = change.set("exp", number(seconds(keep_until)));
        }
        Ok(change)
    }
}

impl Store {
    /// Writes what an event says about one player. The same event twice changes nothing the second time, and any order of the
    /// same events ends alike. A seat is kept until `keep_until`, in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// The table did not answer: do it again.
    ///
    /// # Cancel safety
    ///
    /// It may have been written.
    pub async fn apply(&self, update: &Update, now: u64, keep_until: u64) -> Result<Applied, StoreError> {
        let Update { player, ticket_id, order, news } = update;
        let condition = match news.status.rank() {
            RANK_SUCCEEDED => succeeds(news),
            RANK_ENDED => ENDS,
            _ => NEWER,
        };
        let change = Change::default().news(news, now, keep_until)?.set("et", text(order.as_str()));
        let change = change.value(":order", text(order.as_str()));
        let applied = self.write(player, ticket_id, condition, change, now).await?;
        let Some(deadline) = news.deadline else {
            return Ok(applied);
        };
        // Only a proposal tells of the deadline, and answers to it may have come before it.
        let change = Change::default().set("deadline", number(deadline));
        match self.write(player, ticket_id, LATER_DEADLINE, change, now).await? {
            Applied::Stale => Ok(applied),
            changed => Ok(changed),
        }
    }

    /// Writes what GameLift answered when asked about a ticket whose row was as `seen`.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// It may have been written.
    pub async fn report(
        &self,
        player: &PlayerId,
        seen: &Row,
        news: &News,
        now: u64,
        keep_until: u64,
    ) -> Result<Applied, StoreError> {
        let change = Change::default().news(news, now, keep_until)?;
        let (condition, change) = match news.status.rank() {
            RANK_SUCCEEDED => (succeeds(news), change),
            RANK_ENDED => (OPEN, change),
            _ => (UNCHANGED, change.value(":order", text(&seen.order))),
        };
        self.write(player, &seen.ticket_id, condition, change, now).await
    }

    /// Writes that a cancel is under way.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// It may have been written.
    pub async fn cancelling(
        &self,
        player: &PlayerId,
        ticket_id: &str,
        now: u64,
    ) -> Result<Applied, StoreError> {
        let change = Change::default().status(Status::Cancelling, now);
        self.write(player, ticket_id, NOT_CANCELLING, change, now).await
    }

    /// Whether the caller is the one to ask GameLift about this ticket: of all who read it, one every 30 seconds.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// It may be this caller's turn without their knowing; then the next is in 30 seconds.
    pub async fn take_turn(&self, player: &PlayerId, ticket_id: &str, now: u64) -> Result<bool, StoreError> {
        let before = number(now.saturating_sub(RECONCILE_AFTER_MS));
        let change = Change::default().set("reconcileAt", number(now)).value(":before", before);
        Ok(self.write(player, ticket_id, UNASKED, change, now).await? != Applied::Stale)
    }

    /// Writes a new seat in the same game session over one that has lapsed.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// It may have been written.
    pub async fn reseat(
        &self,
        player: &PlayerId,
        ticket_id: &str,
        lapsed: &str,
        seat: &Connection,
        now: u64,
    ) -> Result<Applied, StoreError> {
        let connection = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(seat)?;
        let change = Change::default().set("conn", connection).value(":seat", text(lapsed));
        self.write(player, ticket_id, SAME_SEAT, change, now).await
    }

    async fn write(
        &self,
        player: &PlayerId,
        ticket_id: &str,
        condition: &str,
        change: Change,
        now: u64,
    ) -> Result<Applied, StoreError> {
        let Change { set, remove, names, mut values } = change;
        let mut update = format!("SET {}, ver = ver + :one", set.join(", "));
        if !remove.is_empty() {
            update.push_str(" REMOVE ");
            update.push_str(&remove.join(", "));
        }
        values.insert(":one".to_owned(), number(1));
        values.insert(":ticket".to_owned(), text(ticket_id));
        values.insert(":now".to_owned(), number(seconds(now)));
        // DynamoDB refuses a value that no expression mentions.
        let ranks = [
            (":cancelling", Status::Cancelling.rank()),
            (":ended", RANK_ENDED),
            (":succeeded", RANK_SUCCEEDED),
        ];
        for (name, rank) in ranks.into_iter().filter(|(name, _)| condition.contains(name)) {
            values.insert(name.to_owned(), number(rank));
        }
        values.retain(|name, _| name != ":order" || condition.contains(":order"));
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(row::key(player)))
            .update_expression(update)
            .condition_expression(format!("{KEPT} AND {condition}"))
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .return_values(ReturnValue::AllNew);
        match request.send().await {
            Ok(answer) => {
                let item = answer
                    .attributes
                    .ok_or_else(|| StoreError::Unreadable("no row in the answer".to_owned()))?;
                Ok(Applied::Changed(Box::new(row::read(item)?)))
            }
            Err(SdkError::ServiceError(service))
                if matches!(service.err(), UpdateItemError::ConditionalCheckFailedException(_)) =>
            {
                Ok(Applied::Stale)
            }
            Err(error) => Err(StoreError::of(&error)),
        }
    }
}
