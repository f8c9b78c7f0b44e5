//! A new ticket, written before GameLift is asked, so that no event can come before the row that it is for.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};

use super::invite::Consent;
use super::row::{self, Kind, Row};
use super::{Item, Read, Store, StoreError, expires, invite, keys, number, seconds, text};
use crate::caller::PlayerId;
use crate::ticket::{RANK_ENDED, Status};

/// A row may be written where none is, or one that has ended or is forgotten.
const FREE: &str = "attribute_not_exists(PK) OR rk >= :ended OR exp < :now";
/// An invite that still holds, of this member.
const INVITED: &str = "exp >= :now AND #member = :member";
/// A ticket that nothing has been heard of.
const UNHEARD: &str = "ticketId = :ticket AND rk = :requested";

/// A ticket to be.
#[derive(Clone, Debug)]
pub struct NewTicket {
    /// Its id, with GameLift as well.
    pub ticket_id: String,
    /// The idempotency key.
    pub token: String,
    /// What it stands for.
    pub kind: Kind,
    /// The matchmaking configuration or queue.
    pub configuration: String,
    /// Who starts it.
    pub player: PlayerId,
    /// The other members of their party, who have all consented.
    pub party: Vec<Consent>,
    /// When it is forgotten, in milliseconds since 1970.
    pub expires: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Created {
    /// It is there.
    New(Row),
    /// It was there already: the same key has started it.
    Replay(Row),
    /// The player has another one.
    Active {
        /// Its id.
        ticket_id: String,
    },
    /// This member of the party, counted from 0, has another one.
    MemberActive(usize),
    /// This invite, counted from 0, holds no more.
    InviteGone(usize),
}

impl NewTicket {
    fn row(&self, now: u64) -> Row {
        let members = self.party.iter().map(|consent| consent.member.as_str().to_owned());
        let players = std::iter::once(self.player.as_str().to_owned()).chain(members);
        Row {
            ticket_id: self.ticket_id.clone(),
            token: self.token.clone(),
            kind: self.kind,
            configuration: self.configuration.clone(),
            status: Status::Requested,
            order: String::new(),
            version: 1,
            created: now,
            expires: seconds(self.expires),
            heard: now,
            inquired: None,
            party: if self.party.is_empty() { Vec::new() } else { players.collect() },
            team: None,
            wait: None,
            agreed: None,
            asked: None,
            deadline: None,
            reason: None,
            connection: None,
        }
    }

    /// The other players' rows are theirs: the key that replays this one is the leader's alone.
    fn members_row(&self, row: &Row) -> Row {
        Row { token: String::new(), ..row.clone() }
    }
}

impl Store {
    /// Writes a ticket for all its players, or for none.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// It may have been written; the same key finds it.
    pub async fn create(&self, new: &NewTicket, now: u64) -> Result<Created, StoreError> {
        let row = new.row(now);
        // A placement's failure names no players, so they are kept beside it.
        if new.party.is_empty() && new.kind == Kind::Match {
            return self.create_one(new, row, now).await;
        }
        let request = self.client.transact_write_items().client_request_token(&new.ticket_id);
        match request.set_transact_items(Some(self.creation(new, &row, now)?)).send().await {
            Ok(_) => Ok(Created::New(row)),
            Err(SdkError::ServiceError(service)) => {
                let TransactWriteItemsError::TransactionCanceledException(cancelled) = service.err() else {
                    return Err(StoreError::of(&SdkError::ServiceError(service)));
                };
                refusal(new, cancelled.cancellation_reasons())
            }
            Err(error) => Err(StoreError::of(&error)),
        }
    }

    async fn create_one(&self, new: &NewTicket, row: Row, now: u64) -> Result<Created, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(row::write(&new.player, &row)?))
            .condition_expression(FREE)
            .expression_attribute_values(":ended", number(RANK_ENDED))
            .expression_attribute_values(":now", number(seconds(now)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put.send().await {
            Ok(_) => Ok(Created::New(row)),
            Err(SdkError::ServiceError(service)) => {
                let PutItemError::ConditionalCheckFailedException(failed) = service.err() else {
                    return Err(StoreError::of(&SdkError::ServiceError(service)));
                };
                occupied(new, failed.item())
            }
            Err(error) => Err(StoreError::of(&error)),
        }
    }

    fn creation(&self, new: &NewTicket, row: &Row, now: u64) -> Result<Vec<TransactWriteItem>, StoreError> {
        let put = |player: &PlayerId, row: &Row| -> Result<TransactWriteItem, StoreError> {
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(row::write(player, row)?))
                .condition_expression(FREE)
                .expression_attribute_values(":ended", number(RANK_ENDED))
                .expression_attribute_values(":now", number(seconds(now)))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            Ok(TransactWriteItem::builder().put(put.build()?).build())
        };
        let mut items = vec![put(&new.player, row)?];
        let members_row = new.members_row(row);
        for Consent { member, .. } in &new.party {
            items.push(put(member, &members_row)?);
        }
        for Consent { member, token, .. } in &new.party {
            let delete = Delete::builder()
                .table_name(&self.table)
                .set_key(Some(invite::key(token)))
                .condition_expression(INVITED)
                .expression_attribute_names("#member", "member")
                .expression_attribute_values(":member", text(member.as_str()))
                .expression_attribute_values(":now", number(seconds(now)));
            items.push(TransactWriteItem::builder().delete(delete.build()?).build());
        }
        if new.kind == Kind::Placement {
            let put = Put::builder().table_name(&self.table).set_item(Some(placement_item(new)));
            items.push(TransactWriteItem::builder().put(put.build()?).build());
        }
        Ok(items)
    }

    /// Takes a ticket back that GameLift has certainly not seen, with the invites that it has used up, so that the same request
    /// can be made again. If there is news of it after all, it stays; says whether it is gone.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// It may be gone.
    pub async fn undo(&self, new: &NewTicket, now: u64) -> Result<bool, StoreError> {
        let mut items = Vec::new();
        let members = new.party.iter().map(|consent| &consent.member);
        for player in std::iter::once(&new.player).chain(members) {
            let delete = Delete::builder()
                .table_name(&self.table)
                .set_key(Some(row::key(player)))
                .condition_expression(UNHEARD)
                .expression_attribute_values(":ticket", text(&new.ticket_id))
                .expression_attribute_values(":requested", number(Status::Requested.rank()));
            items.push(TransactWriteItem::builder().delete(delete.build()?).build());
        }
        for consent in &new.party {
            let item = invite::item(consent, seconds(now + invite::INVITE_MS))?;
            let put = Put::builder().table_name(&self.table).set_item(Some(item));
            items.push(TransactWriteItem::builder().put(put.build()?).build());
        }
        if new.kind == Kind::Placement {
            let delete = Delete::builder()
                .table_name(&self.table)
                .set_key(Some(placement_key(&new.ticket_id)))
                .build()?;
            items.push(TransactWriteItem::builder().delete(delete).build());
        }
        match self.client.transact_write_items().set_transact_items(Some(items)).send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(service)) => match service.err() {
                TransactWriteItemsError::TransactionCanceledException(cancelled)
                    if cancelled.cancellation_reasons().iter().any(failed) =>
                {
                    Ok(false)
                }
                _ => Err(StoreError::of(&SdkError::ServiceError(service))),
            },
            Err(error) => Err(StoreError::of(&error)),
        }
    }

    /// The players of a placement; none if it is not ours, or forgotten.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn placement_players(&self, ticket_id: &str, now: u64) -> Result<Vec<PlayerId>, StoreError> {
        let item = self.get(placement_key(ticket_id), Read::Strong).await?;
        let item = item.filter(|item| expires(item).is_some_and(|expires| expires >= seconds(now)));
        let players = item.and_then(|mut item| item.remove("players"));
        let Some(AttributeValue::L(players)) = players else {
            return Ok(Vec::new());
        };
        Ok(players.iter().filter_map(|player| player.as_s().ok()).map(PlayerId::new).collect())
    }
}

fn placement_key(ticket_id: &str) -> Item {
    keys(format!("T#{ticket_id}"), "T")
}

fn placement_item(new: &NewTicket) -> Item {
    let members = new.party.iter().map(|consent| &consent.member);
    let players = std::iter::once(&new.player).chain(members).map(|player| text(player.as_str()));
    let mut item = placement_key(&new.ticket_id);
    item.insert("players".to_owned(), AttributeValue::L(players.collect()));
    item.insert("exp".to_owned(), number(seconds(new.expires)));
    item
}

/// Whether a part of a transaction failed on its condition.
fn failed(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}

/// What is in a new ticket's place.
fn occupied(new: &NewTicket, old: Option<&Item>) -> Result<Created, StoreError> {
    let old = old.ok_or_else(|| StoreError::Unreadable("the row in the way was not shown".to_owned()))?;
    let old = row::read(old.clone())?;
    // Nobody else knows the id, so it was this very put: its answer got lost, and the SDK has tried again.
    if old.ticket_id == new.ticket_id {
        return Ok(Created::New(old));
    }
    if old.token == new.token {
        return Ok(Created::Replay(old));
    }
    Ok(Created::Active { ticket_id: old.ticket_id })
}

/// Why a transaction was cancelled. Its reasons are in the order of its parts: rows, then invites.
fn refusal(new: &NewTicket, reasons: &[CancellationReason]) -> Result<Created, StoreError> {
    let Some(index) = reasons.iter().position(failed) else {
        // Another transaction on the same rows, or throttling.
        let codes: Vec<&str> =
            reasons.iter().filter_map(CancellationReason::code).filter(|code| *code != "None").collect();
        return Err(StoreError::Unavailable(codes.join(", ")));
    };
    match index.checked_sub(1) {
        None => occupied(new, reasons[0].item()),
        Some(member) if member < new.party.len() => Ok(Created::MemberActive(member)),
        Some(invite) => Ok(Created::InviteGone(invite - new.party.len())),
    }
}
