//! A token provider that asks GameLift itself: `GetComputeAuthToken`, before the token expires.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gamelift_wire::ids::AuthToken;
use hyper::Request;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use url::Url;

use crate::credentials::{TokenProvider, WallClock};
use crate::error::{ConfigError, CredentialsError};
use crate::http;
use crate::sigv4::{ALGORITHM, SERVICE, amz_date, signature};
use crate::tls;

/// A token that lasts for less than this is replaced before it is used: an upgrade that is under way may be retried for a
/// while.
const MARGIN: Duration = Duration::from_secs(60);

/// How long the call may take. It is part of an attempt to connect, which has 20 s.
const PATIENCE: Duration = Duration::from_secs(8);

const TARGET: &str = "GameLift.GetComputeAuthToken";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// AWS keys, such as an IAM user's or an assumed role's. Prints without its secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsKeys {
    access_key: String,
    secret_key: String,
    session_token: Option<String>,
}

impl AwsKeys {
    /// Keys; the session token belongs to temporary ones.
    pub fn new(
        access_key: impl Into<String>,
        secret_key: impl Into<String>,
        session_token: Option<String>,
    ) -> Self {
        Self { access_key: access_key.into(), secret_key: secret_key.into(), session_token }
    }
}

impl fmt::Debug for AwsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwsKeys(..)")
    }
}

/// Where AWS keys come from, asked before each call. Keys themselves are one; so is, with feature `aws-credential-types`,
/// every credentials provider of the AWS SDK (`aws-config` has the usual chain).
pub trait AwsKeysProvider: Send + Sync + 'static {
    /// Keys that are good now.
    fn keys(&self) -> BoxFuture<'_, Result<AwsKeys, CredentialsError>>;
}

impl AwsKeysProvider for AwsKeys {
    fn keys(&self) -> BoxFuture<'_, Result<AwsKeys, CredentialsError>> {
        futures_util::future::ready(Ok(self.clone())).boxed()
    }
}

#[cfg(feature = "aws-credential-types")]
impl AwsKeysProvider for aws_credential_types::provider::SharedCredentialsProvider {
    fn keys(&self) -> BoxFuture<'_, Result<AwsKeys, CredentialsError>> {
        use aws_credential_types::provider::ProvideCredentials as _;
        async move {
            let found = self.provide_credentials().await;
            let found =
                found.map_err(|error| CredentialsError::Unavailable(format!("AWS credentials: {error}")))?;
            let session_token = found.session_token().map(str::to_owned);
            Ok(AwsKeys::new(found.access_key_id(), found.secret_access_key(), session_token))
        }
        .boxed()
    }
}

/// A [`TokenProvider`] for an Anywhere compute that asks GameLift for its auth token and remembers it until a minute before
/// it expires. Needs permission for `gamelift:GetComputeAuthToken`. Several processes of one compute may share it.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use gamelift_server_sdk::Config;
/// use gamelift_server_sdk::compute_auth_token::{AwsKeys, ComputeAuthToken};
///
/// let keys = AwsKeys::new("AKIA...", "...", None);
/// let tokens = ComputeAuthToken::new("us-west-2", "fleet-1", "my-laptop", keys)?;
/// let connected = Config::builder()
///     .websocket_url("wss://us-west-2.api.amazongamelift.com")
///     .fleet_id("fleet-1")
///     .host_id("my-laptop")
///     .token_provider(tokens)
///     .build()?
///     .connect()
///     .await?;
/// # drop(connected);
/// # Ok(())
/// # }
/// ```
pub struct ComputeAuthToken {
    endpoint: Url,
    region: String,
    fleet_id: String,
    compute_name: String,
    keys: Arc<dyn AwsKeysProvider>,
    wall_clock: WallClock,
    /// Held across the call: those who ask meanwhile want the same answer.
    current: Mutex<Option<Current>>,
    refused: std::sync::atomic::AtomicBool,
}

struct Current {
    token: AuthToken,
    /// `None` if the service did not say: then it is good for one attempt.
    expires: Option<SystemTime>,
}

impl fmt::Debug for ComputeAuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComputeAuthToken")
            .field("endpoint", &self.endpoint.as_str())
            .field("compute_name", &self.compute_name)
            .finish_non_exhaustive()
    }
}

impl ComputeAuthToken {
    /// For a compute of a fleet, at the region's endpoint.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if the region makes no host name.
    pub fn new(
        region: &str,
        fleet_id: impl Into<String>,
        compute_name: impl Into<String>,
        keys: impl AwsKeysProvider,
    ) -> Result<Self, ConfigError> {
        let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
        let endpoint = format!("https://gamelift.{region}.amazonaws.com{suffix}/");
        Self::at(&endpoint, region, fleet_id, compute_name, keys)
    }

    /// The same at an endpoint of the caller's, `http://` or `https://`: `gamelift-local`, a VPC endpoint.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if it is no such URL, or the region is not `[a-z0-9-]`.
    pub fn at(
        endpoint: &str,
        region: &str,
        fleet_id: impl Into<String>,
        compute_name: impl Into<String>,
        keys: impl AwsKeysProvider,
    ) -> Result<Self, ConfigError> {
        let invalid = |name, rule, value: &str| ConfigError::Invalid { name, rule, value: value.to_owned() };
        if region.is_empty()
            || !region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            return Err(invalid("region", "a region's name, such as us-west-2", region));
        }
        let rule = "a URL that starts with http:// or https:// and names a host";
        let url = Url::parse(endpoint)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        Ok(Self {
            endpoint: url.ok_or_else(|| invalid("GameLift endpoint", rule, endpoint))?,
            region: region.to_owned(),
            fleet_id: fleet_id.into(),
            compute_name: compute_name.into(),
            keys: Arc::new(keys),
            wall_clock: WallClock::default(),
            current: Mutex::new(None),
            refused: false.into(),
        })
    }

    /// What expiry and signatures go by, for tests. The system's clock unless set.
    #[cfg(feature = "test-util")]
    pub fn wall_clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.wall_clock = WallClock(Arc::new(now));
        self
    }

    async fn current(&self) -> Result<AuthToken, CredentialsError> {
        let mut current = self.current.lock().await;
        if self.refused.swap(false, std::sync::atomic::Ordering::Relaxed) {
            *current = None;
        }
        let now = self.wall_clock.now();
        if let Some(Current { token, expires: Some(expires) }) = &*current
            && now + MARGIN < *expires
        {
            return Ok(token.clone());
        }
        let new = self.ask(now).await?;
        Ok(current.insert(new).token.clone())
    }

    async fn ask(&self, now: SystemTime) -> Result<Current, CredentialsError> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        struct Answer {
            auth_token: String,
            expiration_timestamp: Option<f64>,
        }
        let whom = "GameLift (GetComputeAuthToken)";
        let keys = self.keys.keys().await?;
        let tls = match self.endpoint.scheme() {
            "https" => {
                Some(tls::shared(&[]).await.map_err(|error| CredentialsError::Denied(error.to_string()))?)
            }
            _ => None,
        };
        let body =
            serde_json::json!({ "FleetId": self.fleet_id, "ComputeName": self.compute_name }).to_string();
        let request = self.sign(now, &keys, body)?;
        let answer = http::send(whom, &self.endpoint, request, tls, PATIENCE).await?.success(whom)?;
        let answer: Answer = serde_json::from_str(&answer).unwrap_or_default();
        if answer.auth_token.is_empty() {
            return Err(CredentialsError::Denied(format!("{whom} answered without an AuthToken")));
        }
        let expires = answer
            .expiration_timestamp
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .and_then(|since| UNIX_EPOCH.checked_add(since));
        Ok(Current { token: AuthToken::new_unchecked(answer.auth_token), expires })
    }

    /// Signature Version 4 of an AWS JSON 1.1 request (AWS General Reference, "Create a signed AWS API request").
    fn sign(
        &self,
        now: SystemTime,
        keys: &AwsKeys,
        body: String,
    ) -> Result<Request<Bytes>, CredentialsError> {
        let time = amz_date(now);
        let date = &time[..8];
        let mut headers =
            vec![("content-type", CONTENT_TYPE), ("host", self.endpoint.authority()), ("x-amz-date", &time)];
        if let Some(token) = &keys.session_token {
            headers.push(("x-amz-security-token", token));
        }
        headers.push(("x-amz-target", TARGET));
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let (path, hash) = (self.endpoint.path(), hex::encode(Sha256::digest(body.as_bytes())));
        let canonical = format!("POST\n{path}\n\n{lines}\n{names}\n{hash}");
        let scope = format!("{date}/{}/{SERVICE}/aws4_request", self.region);
        let hash = hex::encode(Sha256::digest(canonical.as_bytes()));
        let string_to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{hash}");
        let signature = signature(&keys.secret_key, date, &self.region, &string_to_sign);
        let credential = format!("{}/{scope}", keys.access_key);
        let authorization =
            format!("{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}");
        let mut request = Request::post(path).header("authorization", authorization);
        for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
            request = request.header(*name, *value);
        }
        // The error would name a header; its value may be a secret, so only that much is said.
        request.body(Bytes::from(body)).map_err(|_| {
            CredentialsError::Denied("the AWS keys hold a character that no HTTP header takes".into())
        })
    }
}

impl TokenProvider for ComputeAuthToken {
    fn token(&self) -> BoxFuture<'_, Result<AuthToken, CredentialsError>> {
        self.current().boxed()
    }

    fn refused(&self) {
        self.refused.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What botocore's `SigV4Auth` computes for the same request.
    #[test]
    fn the_signature_is_the_one_that_botocore_makes() {
        let body = r#"{"ComputeName":"my-laptop","FleetId":"fleet-1"}"#;
        let now = UNIX_EPOCH + Duration::from_secs(1_722_852_000);
        for (session_token, expected) in [
            (Some("session"), "6c06515f64c0cfa8f24e6755370aeeeeb08cf5af44d8c30d48cc034fb7f1a073"),
            (None, "4f4bc82765c4cf052e14fb053beb2fba7aff8be9fda65ea5a30cc7277510574c"),
        ] {
            let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
            let keys = AwsKeys::new("AKIDEXAMPLE", secret, session_token.map(str::to_owned));
            let provider = ComputeAuthToken::new("us-west-2", "fleet-1", "my-laptop", keys.clone()).unwrap();
            let request = provider.sign(now, &keys, body.to_owned()).unwrap();
            let authorization = request.headers()["authorization"].to_str().unwrap();
            assert!(authorization.ends_with(&format!("Signature={expected}")), "{authorization}");
        }
    }

    #[test]
    fn keys_that_no_header_takes_are_an_error_that_does_not_repeat_them() {
        let keys = AwsKeys::new("a\nb", "s", None);
        let provider = ComputeAuthToken::new("us-west-2", "f", "c", keys.clone()).unwrap();
        let error = provider.sign(UNIX_EPOCH, &keys, String::new()).unwrap_err().to_string();
        assert!(!error.contains("a\nb"), "{error}");
    }
}
