//! The backend's one table, through the DynamoDB API.

/// The table. Clones are one and the same.
#[derive(Clone, Debug)]
pub struct Store {
    _client: aws_sdk_dynamodb::Client,
    _table: String,
}

impl Store {
    /// A table by its name.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self { _client: client, _table: table.into() }
    }
}

/// The table did not do as asked.
#[derive(Debug, thiserror::Error)]
#[error("the table did not answer: {0}")]
pub struct StoreError(String);
