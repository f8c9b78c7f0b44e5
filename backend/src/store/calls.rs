//! How often a player may have something done that costs more than a look: counted in the table, for processes that share nothing
//! else.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

use super::{Item, Store, StoreError, keys, number, seconds};
use crate::caller::PlayerId;

/// Milliseconds in which one call is earned.
pub const CALL_INTERVAL_MS: u64 = 1_000;
/// Calls that may be saved up.
pub const CALL_BURST: u64 = 5;
/// Tries to write what others write too. Each that fails is another's success, and there are as many of those as are saved up.
const ATTEMPTS: u64 = CALL_BURST + 1;
/// Seconds that the count is kept beyond its use.
const REMEMBERED: u64 = 60;

fn key(player: &PlayerId) -> Item {
    keys(format!("P#{}", player.as_str()), "CALLS")
}

/// When all calls have been earned, in milliseconds since 1970 (the generic cell rate algorithm).
fn earned(item: &Item) -> Option<u64> {
    item.get("earned")?.as_n().ok()?.parse().ok()
}

impl Store {
    /// Counts a call of a player, unless it is one too many: then in how many milliseconds to try again. It costs a write.
    ///
    /// # Errors
    ///
    /// The table did not answer.
    ///
    /// # Cancel safety
    ///
    /// It may have been counted.
    pub async fn count_call(&self, player: &PlayerId, now: u64) -> Result<Result<(), u64>, StoreError> {
        let saved = now + CALL_BURST * CALL_INTERVAL_MS;
        // A guess that is right for whoever has not called for a while.
        let mut known: Option<u64> = None;
        for _ in 0..ATTEMPTS {
            let next = known.unwrap_or_default().max(now) + CALL_INTERVAL_MS;
            if next > saved {
                return Ok(Err(next - saved));
            }
            let mut item = key(player);
            item.insert("earned".to_owned(), number(next));
            item.insert("exp".to_owned(), number(seconds(next) + REMEMBERED));
            let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
            let put = match known {
                None => put
                    .condition_expression("attribute_not_exists(earned) OR earned <= :known")
                    .expression_attribute_values(":known", number(now)),
                Some(known) => put
                    .condition_expression("earned = :known")
                    .expression_attribute_values(":known", number(known)),
            };
            let put =
                put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            match put.send().await {
                Ok(_) => return Ok(Ok(())),
                Err(SdkError::ServiceError(service)) => {
                    let PutItemError::ConditionalCheckFailedException(failed) = service.err() else {
                        return Err(StoreError::of(&SdkError::ServiceError(service)));
                    };
                    known = failed.item().and_then(earned);
                }
                Err(error) => return Err(StoreError::of(&error)),
            }
        }
        // Others have taken what was saved up.
        Ok(Err(CALL_INTERVAL_MS))
    }
}
