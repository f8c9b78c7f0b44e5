//! What the backend knows of a player.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use serde::{Deserialize, Serialize};

use super::rate::Window;
use super::{Item, Read, Store, StoreError, keys, number};
use crate::caller::PlayerId;

/// Tries to write a profile that others write too. Each that fails is another's success, and of those the rate lets a few
/// through only.
const ATTEMPTS: u32 = 40;

/// What the backend knows of a player.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlayerProfile {
    /// The server's own estimate.
    pub skill: f64,
    /// When they first came, in milliseconds since 1970.
    pub created: u64,
    /// Grows with every write; 0 if it has not been written.
    #[serde(rename = "ver")]
    version: u64,
    /// Their starts.
    #[serde(default)]
    starts: Window,
}

/// Whether a start is let through.
#[derive(Clone, Debug, PartialEq)]
pub enum Admission {
    /// It is, and this is who starts.
    Granted(PlayerProfile),
    /// Not before so many milliseconds have passed.
    Wait(u64),
}

fn key(player: &PlayerId) -> Item {
    keys(format!("P#{}", player.as_str()), "PROFILE")
}

fn read(item: Item) -> Result<PlayerProfile, StoreError> {
    Ok(serde_dynamo::aws_sdk_dynamodb_1::from_item(item)?)
}

impl Store {
    /// What the backend knows of a player; of one who is new, what it would write.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn profile(
        &self,
        player: &PlayerId,
        initial_skill: f64,
        now: u64,
    ) -> Result<PlayerProfile, StoreError> {
        let item = self.get(key(player), Read::Eventual).await?;
        let fresh =
            || PlayerProfile { skill: initial_skill, created: now, version: 0, starts: Window::default() };
        item.map_or_else(|| Ok(fresh()), read)
    }

    /// Counts a start, unless it is one too many. The same key twice in a row counts once.
    ///
    /// # Errors
    ///
    /// The table did not answer, or too many write this profile.
    ///
    /// # Cancel safety
    ///
    /// It may have been counted.
    pub async fn admit(
        &self,
        player: &PlayerId,
        token: &str,
        initial_skill: f64,
        now: u64,
    ) -> Result<Admission, StoreError> {
        let mut profile = self.profile(player, initial_skill, now).await?;
        for _ in 0..ATTEMPTS {
            match profile.starts.admit(token, now) {
                Ok(None) => return Ok(Admission::Granted(profile)),
                Err(wait) => return Ok(Admission::Wait(wait)),
                Ok(Some(starts)) => {
                    let next = PlayerProfile { starts, version: profile.version + 1, ..profile.clone() };
                    match self.replace_profile(player, &profile, &next).await? {
                        None => return Ok(Admission::Granted(next)),
                        Some(other) => profile = other,
                    }
                }
            }
        }
        Err(StoreError::Unavailable("too many write one profile".to_owned()))
    }

    /// Sets what the server thinks of a player.
    ///
    /// # Errors
    ///
    /// The table did not answer, or too many write this profile.
    ///
    /// # Cancel safety
    ///
    /// It may have been set.
    pub async fn set_skill(&self, player: &PlayerId, skill: f64, now: u64) -> Result<(), StoreError> {
        let mut profile = self.profile(player, skill, now).await?;
        for _ in 0..ATTEMPTS {
            let next = PlayerProfile { skill, version: profile.version + 1, ..profile.clone() };
            match self.replace_profile(player, &profile, &next).await? {
                None => return Ok(()),
                Some(other) => profile = other,
            }
        }
        Err(StoreError::Unavailable("too many write one profile".to_owned()))
    }

    /// Writes a profile over the one that was read; otherwise what is there by now.
    async fn replace_profile(
        &self,
        player: &PlayerId,
        old: &PlayerProfile,
        new: &PlayerProfile,
    ) -> Result<Option<PlayerProfile>, StoreError> {
        let mut item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(new)?;
        item.extend(key(player));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = if old.version == 0 {
            put.condition_expression("attribute_not_exists(PK)")
        } else {
            put.condition_expression("ver = :old").expression_attribute_values(":old", number(old.version))
        };
        let answer = put
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(None),
            Err(SdkError::ServiceError(service)) => {
                let PutItemError::ConditionalCheckFailedException(failed) = service.err() else {
                    return Err(StoreError::of(&SdkError::ServiceError(service)));
                };
                match failed.item() {
                    Some(item) => read(item.clone()).map(Some),
                    // It has been deleted since it was read.
                    None => Ok(Some(PlayerProfile { version: 0, starts: Window::default(), ..old.clone() })),
                }
            }
            Err(error) => Err(StoreError::of(&error)),
        }
    }
}
