//! The table itself. On AWS the deployment template makes it.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
    TimeToLiveSpecification, TimeToLiveStatus,
};

use super::{Store, StoreError};

/// Looks at a new table until it is ready; stand-ins are at once, DynamoDB takes some seconds.
const LOOKS: u32 = 60;
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

impl Store {
    /// Makes the table unless there is one, with its TTL on `exp`.
    ///
    /// # Errors
    ///
    /// The table did not answer, or is not ready in half a minute.
    ///
    /// # Cancel safety
    ///
    /// It may have been made without TTL; calling again adds it.
    pub async fn create_table_if_absent(&self) -> Result<(), StoreError> {
        let attribute = |name: &str| {
            AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()
        };
        let part = |name: &str, kind: KeyType| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build()
        };
        let request = self
            .client
            .create_table()
            .table_name(&self.table)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(attribute("PK")?)
            .attribute_definitions(attribute("SK")?)
            .key_schema(part("PK", KeyType::Hash)?)
            .key_schema(part("SK", KeyType::Range)?);
        match request.send().await {
            Ok(_) => {}
            Err(SdkError::ServiceError(service))
                if matches!(service.err(), CreateTableError::ResourceInUseException(_)) => {}
            Err(error) => return Err(StoreError::of(&error)),
        }
        self.until_active().await?;
        self.expire().await
    }

    async fn until_active(&self) -> Result<(), StoreError> {
        for _ in 0..LOOKS {
            let described = self.client.describe_table().table_name(&self.table).send().await;
            let described = described.map_err(|error| StoreError::of(&error))?;
            if described.table.and_then(|table| table.table_status) == Some(TableStatus::Active) {
                return Ok(());
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Err(StoreError::Unavailable("the table is not ready yet".to_owned()))
    }

    async fn expire(&self) -> Result<(), StoreError> {
        let described = self.client.describe_time_to_live().table_name(&self.table).send().await;
        let described = described.map_err(|error| StoreError::of(&error))?;
        let status =
            described.time_to_live_description.and_then(|description| description.time_to_live_status);
        if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
            return Ok(());
        }
        let ttl = TimeToLiveSpecification::builder().attribute_name("exp").enabled(true).build()?;
        let request =
            self.client.update_time_to_live().table_name(&self.table).time_to_live_specification(ttl);
        request.send().await.map(drop).map_err(|error| StoreError::of(&error))
    }
}
