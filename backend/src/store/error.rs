//! Why the table did not do as asked.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// The table did not do as asked. No variant tells of keys: they have identities in them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached or asks for patience. It may have done it; all that is written here may be written again.
    #[error("the table cannot be reached or asks for patience ({0}): try again")]
    Unavailable(String),
    /// It refused: the table or the permissions are not as they should be.
    #[error("the table refused ({0}): check that it exists and that the backend may use it")]
    Refused(String),
    /// An item is not as this version of the backend writes them.
    #[error("an item of the table cannot be read: {0}")]
    Unreadable(String),
}

/// What DynamoDB wants tried again (developer guide, "Error messages and codes").
const PATIENCE: &[&str] = &[
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

impl StoreError {
    pub(super) fn of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Self {
        let service = match error {
            SdkError::ServiceError(service) => service.err(),
            SdkError::TimeoutError(_) => return Self::Unavailable("timeout".to_owned()),
            SdkError::DispatchFailure(_) => return Self::Unavailable("no connection".to_owned()),
            SdkError::ResponseError(_) => return Self::Unavailable("no answer that can be read".to_owned()),
            _ => return Self::Refused("the request cannot be made".to_owned()),
        };
        let code = service.code().unwrap_or("no code");
        if PATIENCE.contains(&code) {
            return Self::Unavailable(code.to_owned());
        }
        Self::Refused(format!("{code}: {}", service.message().unwrap_or("no message")))
    }
}

impl From<serde_dynamo::Error> for StoreError {
    fn from(error: serde_dynamo::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<aws_sdk_dynamodb::error::BuildError> for StoreError {
    fn from(error: aws_sdk_dynamodb::error::BuildError) -> Self {
        Self::Refused(error.to_string())
    }
}
