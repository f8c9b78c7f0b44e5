//! Clients of AWS, with credentials from where AWS's own tools take them: the environment, files, the container, the machine.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::ProvideCredentials as _;
use aws_smithy_http_client::{Builder, tls};
use url::Url;

use super::StartError;
use crate::game_lift::{AwsGameLift, timeouts};

/// What all clients share.
#[derive(Debug)]
pub(super) struct Aws(SdkConfig);

impl Aws {
    /// Fails early if there are no credentials: later it would be a failure of each player's request.
    pub(super) async fn find(region: &str) -> Result<Self, StartError> {
        let rustls = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .http_client(Builder::new().tls_provider(rustls).build_https())
            .timeout_config(timeouts())
            .load()
            .await;
        let provider = config.credentials_provider().ok_or(StartError::Credentials(None))?;
        match provider.provide_credentials().await {
            Ok(_) => Ok(Self(config)),
            Err(error) => Err(StartError::Credentials(Some(Box::new(error)))),
        }
    }

    /// GameLift, where it is in the Region or where a URL says.
    pub(super) fn game_lift(&self, endpoint: Option<&Url>) -> AwsGameLift {
        let mut config = aws_sdk_gamelift::config::Builder::from(&self.0);
        if let Some(endpoint) = endpoint {
            config = config.endpoint_url(endpoint.as_str().trim_end_matches('/'));
        }
        AwsGameLift::new(aws_sdk_gamelift::Client::from_conf(config.build()))
    }

    /// DynamoDB, where it is in the Region or where `AWS_ENDPOINT_URL_DYNAMODB` says.
    pub(super) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.0)
    }
}
