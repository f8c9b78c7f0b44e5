//! Clients of AWS.
//!
//! With the credentials that Lambda puts into the environment, and no others: `aws-config` would look for them in places that a function
//! does not have, and bring what it takes to look there.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_apigatewaymanagement::config::interceptors::InterceptorContext;
use aws_sdk_apigatewaymanagement::config::retry::{ClassifyRetry, RetryAction, RetryConfig};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use aws_smithy_http_client::{Builder, tls};
use url::Url;

use super::config::{Access, Aws};
use crate::game_lift::{AwsGameLift, timeouts};
use crate::service::Clock;
use crate::store::Store;

/// What connecting may take, within the Region.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// What one attempt may take. DynamoDB and API Gateway answer in some milliseconds; what is slower is lost.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
/// What a call may take with retries. Two of them fit into the 10 s of a function.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(4);
/// How often a message is posted while API Gateway asks for patience.
const POST_ATTEMPTS: u32 = 4;
/// What is waited between the first two of them at most; then twice as long, each time less a random part.
const POST_BACKOFF: Duration = Duration::from_millis(100);

/// Makes clients that share connections, and the certificates that servers are verified with.
#[derive(Debug)]
pub struct Clients<'a> {
    aws: &'a Aws,
    http: SharedHttpClient,
}

impl<'a> Clients<'a> {
    /// For where AWS is.
    pub fn new(aws: &'a Aws) -> Self {
        let rustls = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        Self { aws, http: Builder::new().tls_provider(rustls).build_https() }
    }

    /// The table of that name.
    pub fn store(&self, table: &str) -> Store {
        let mut config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.aws.region.clone()))
            .credentials_provider(credentials(&self.aws.access))
            .http_client(self.http.clone())
            .timeout_config(brief());
        config.set_endpoint_url(self.aws.dynamodb.as_ref().map(endpoint));
        Store::new(aws_sdk_dynamodb::Client::from_conf(config.build()), table)
    }

    /// GameLift.
    pub fn game_lift(&self) -> Arc<AwsGameLift> {
        let mut config = aws_sdk_gamelift::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.aws.region.clone()))
            .credentials_provider(credentials(&self.aws.access))
            .http_client(self.http.clone())
            .timeout_config(timeouts());
        config.set_endpoint_url(self.aws.game_lift.as_ref().map(endpoint));
        Arc::new(AwsGameLift::new(aws_sdk_gamelift::Client::from_conf(config.build())))
    }

    /// The sockets of a WebSocket API, by the URL of its stage. While API Gateway asks for patience it tries again, a few times.
    pub fn sockets(&self, url: &Url) -> aws_sdk_apigatewaymanagement::Client {
        let config = aws_sdk_apigatewaymanagement::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.aws.region.clone()))
            .credentials_provider(credentials(&self.aws.access))
            .http_client(self.http.clone())
            .timeout_config(brief())
            .endpoint_url(endpoint(url))
            .retry_config(
                RetryConfig::standard().with_max_attempts(POST_ATTEMPTS).with_initial_backoff(POST_BACKOFF),
            )
            .retry_classifier(TooMany);
        aws_sdk_apigatewaymanagement::Client::from_conf(config.build())
    }
}

/// Waits and tries again on any 429. By itself the SDK does so only if the answer names an error that it knows, which API Gateway's
/// own throttling does not.
#[derive(Debug)]
struct TooMany;

impl ClassifyRetry for TooMany {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response() {
            Some(response) if response.status().as_u16() == 429 => RetryAction::throttling_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "429"
    }
}

pub(super) fn clock() -> Clock {
    Arc::new(SystemTime::now)
}

/// Lambda ends the process before they expire.
fn credentials(access: &Access) -> Credentials {
    let Access { key_id, secret, session_token } = access;
    Credentials::new(key_id, secret, session_token.clone(), None, "environment")
}

fn brief() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

/// The SDKs put paths that begin with a slash behind it.
fn endpoint(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}
