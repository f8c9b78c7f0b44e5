//! What callers are told when the table or GameLift does not do as asked.

use crate::game_lift::GameLiftError;
use crate::problem::{Code, Problem};
use crate::store::StoreError;

/// Seconds after which to try again when something is not available.
const RETRY_AFTER: u32 = 2;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(%error, "the table is not available");
                let message = "the backend's table does not answer at the moment; try again";
                Self::new(Code::StoreUnavailable, message).retry_after(RETRY_AFTER)
            }
            StoreError::Refused(_) | StoreError::Unreadable(_) => {
                tracing::error!(%error, "the table is not as it should be");
                Self::new(Code::Internal, "the backend's table is not as it should be")
            }
        }
    }
}

impl From<GameLiftError> for Problem {
    fn from(error: GameLiftError) -> Self {
        match error {
            GameLiftError::Unavailable(_) | GameLiftError::Unclear(_) => {
                tracing::warn!(%error, "GameLift is not available");
                let message = "GameLift does not answer at the moment; try again";
                Self::new(Code::MatchmakerUnavailable, message).retry_after(RETRY_AFTER)
            }
            GameLiftError::Refused(text) => Self::new(Code::BadRequest, format!("GameLift refused: {text}")),
            GameLiftError::NotFound(_) | GameLiftError::Forbidden(_) => {
                tracing::error!(%error, "the backend is set up wrong");
                Self::new(Code::Configuration, "the backend is set up wrong; its log says how")
            }
        }
    }
}
