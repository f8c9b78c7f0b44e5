//! Cognito's identity API, as far as guests need it: `GetId` and `GetCredentialsForIdentity` in AWS JSON 1.1, unsigned.
//!
//! With Cognito, too, whoever knows a guest's identity id gets credentials for it; the id is the guest's secret.

use std::net::IpAddr;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Value, json};

use super::identity::Pool;

/// The longest body: an identity pool, an identity, and the ten logins that Cognito allows, refused as they are.
pub const BODY_LEN_MAX: usize = 64 * 1024;

const TARGET: &str = "AWSCognitoIdentityService.";

/// A request of somebody who has nothing yet.
#[derive(Debug)]
pub struct Request<'a> {
    /// `X-Amz-Target`.
    pub target: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// Where it comes from.
    pub address: IpAddr,
    /// When it came.
    pub now: SystemTime,
    /// Fresh random bytes, for an identity or an access key.
    pub random: [u8; 10],
}

/// An error as Cognito words it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct Error {
    /// `__type`.
    pub name: &'static str,
    /// For people.
    pub message: String,
    /// Seconds to wait, when there were too many requests.
    pub retry_after: Option<u32>,
}

impl Error {
    fn new(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, message: message.into(), retry_after: None }
    }

    /// The body.
    pub fn body(&self) -> Value {
        json!({"__type": self.name, "message": self.message})
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetId {
    identity_pool_id: Option<String>,
    #[serde(default)]
    logins: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetCredentials {
    identity_id: Option<String>,
    custom_role_arn: Option<String>,
    #[serde(default)]
    logins: serde_json::Map<String, Value>,
}

/// The endpoint.
#[derive(Clone, Debug)]
pub struct Cognito {
    pool: Pool,
    pool_id: String,
}

impl Cognito {
    /// For one identity pool.
    pub fn new(pool: Pool, pool_id: impl Into<String>) -> Self {
        Self { pool, pool_id: pool_id.into() }
    }

    /// Answers one request. `new_identity` says whether the address may have another identity, or in how many seconds.
    ///
    /// # Errors
    ///
    /// [`Error`] by the names of the Cognito API reference.
    pub fn answer(
        &self,
        request: &Request<'_>,
        new_identity: impl FnOnce(IpAddr) -> Result<(), u32>,
    ) -> Result<Value, Error> {
        match request.target.strip_prefix(TARGET) {
            Some("GetId") => self.get_id(request, new_identity),
            Some("GetCredentialsForIdentity") => self.get_credentials(request),
            _ => Err(Error::new(
                "UnknownOperationException",
                format!(
                    "there are {TARGET}GetId and {TARGET}GetCredentialsForIdentity here, not {:.80}",
                    request.target
                ),
            )),
        }
    }

    fn get_id(
        &self,
        request: &Request<'_>,
        new_identity: impl FnOnce(IpAddr) -> Result<(), u32>,
    ) -> Result<Value, Error> {
        let input: GetId = parse(request.body)?;
        let pool = required(input.identity_pool_id, "identityPoolId")?;
        if pool != self.pool_id {
            return Err(Error::new("ResourceNotFoundException", format!("IdentityPool '{pool}' not found.")));
        }
        guests_only(&input.logins)?;
        new_identity(request.address).map_err(|seconds| Error {
            retry_after: Some(seconds),
            ..Error::new(
                "TooManyRequestsException",
                format!(
                    "too many new identities from this address; keep the one you have, or wait {seconds} s"
                ),
            )
        })?;
        let identity = self.pool.new_identity(request.random);
        Ok(json!({"IdentityId": identity.as_str()}))
    }

    fn get_credentials(&self, request: &Request<'_>) -> Result<Value, Error> {
        let input: GetCredentials = parse(request.body)?;
        let id = required(input.identity_id, "identityId")?;
        guests_only(&input.logins)?;
        if input.custom_role_arn.is_some() {
            return Err(Error::new(
                "InvalidParameterException",
                "there are no roles to choose: leave out CustomRoleArn",
            ));
        }
        let identity = self.pool.find(&id);
        let credentials =
            identity.and_then(|identity| self.pool.credentials(&identity, request.now, request.random));
        let credentials = credentials
            .ok_or_else(|| Error::new("ResourceNotFoundException", format!("Identity '{id}' not found.")))?;
        Ok(json!({
            "IdentityId": id,
            "Credentials": {
                "AccessKeyId": credentials.access_key,
                "SecretKey": credentials.secret_key,
                "SessionToken": credentials.session_token,
                "Expiration": credentials.expires_at,
            },
        }))
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Error> {
    // serde would take a list for an object.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(Error::new("SerializationException", "the body is a list; it must be an object"));
    }
    serde_json::from_slice(body).map_err(|error| Error::new("SerializationException", error.to_string()))
}

/// Cognito API reference: `[\w-]+:[0-9a-f-]+`, 1 to 55 characters.
fn required(id: Option<String>, name: &str) -> Result<String, Error> {
    let id = id.ok_or_else(|| {
        Error::new(
            "ValidationException",
            format!("1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"),
        )
    })?;
    let shaped = id.len() <= 55
        && id.split_once(':').is_some_and(|(region, rest)| {
            let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
            let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
            !region.is_empty() && region.bytes().all(word) && !rest.is_empty() && rest.bytes().all(hex)
        });
    if !shaped {
        return Err(Error::new(
            "ValidationException",
            format!(
                "1 validation error detected: Value at '{name}' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w-]+:[0-9a-f-]+ and have at most 55 characters"
            ),
        ));
    }
    Ok(id)
}

fn guests_only(logins: &serde_json::Map<String, Value>) -> Result<(), Error> {
    if logins.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        "NotAuthorizedException",
        "this identity pool is for guests and can verify nobody's login: leave out Logins",
    ))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::{Duration, UNIX_EPOCH};

    use super::super::identity::ServerSecret;
    use super::*;

    const POOL: &str = "us-west-2:00000000-0000-4000-8000-000000000000";

    fn ask(operation: &str, body: &str) -> Result<Value, Error> {
        let pool = Pool::new(ServerSecret::new([1; 32]), "us-west-2");
        let request = Request {
            target: &format!("AWSCognitoIdentityService.{operation}"),
            body: body.as_bytes(),
            address: Ipv4Addr::LOCALHOST.into(),
            now: UNIX_EPOCH + Duration::from_secs(1_800_000_000),
            random: [7; 10],
        };
        Cognito::new(pool, POOL).answer(&request, |_| Ok(()))
    }

    fn error(operation: &str, body: &str) -> &'static str {
        ask(operation, body).expect_err("it must be refused").name
    }

    #[test]
    fn a_guest_gets_an_identity_and_credentials_for_an_hour() {
        let id = ask("GetId", &format!(r#"{{"IdentityPoolId":"{POOL}"}}"#)).unwrap();
        let id = id["IdentityId"].as_str().unwrap();
        let answer = ask("GetCredentialsForIdentity", &json!({"IdentityId": id}).to_string()).unwrap();
        assert_eq!(answer["IdentityId"], id);
        assert_eq!(answer["Credentials"]["Expiration"], 1_800_003_600);
        assert!(answer["Credentials"]["AccessKeyId"].as_str().unwrap().starts_with("ASIA"));
        assert!(
            answer["Credentials"]["SecretKey"].is_string()
                && answer["Credentials"]["SessionToken"].is_string()
        );
    }

    #[test]
    fn what_cannot_be_served_has_cognitos_error() {
        let other = "us-west-2:11111111-0000-4000-8000-000000000000";
        assert_eq!(
            error("GetId", &json!({"IdentityPoolId": other}).to_string()),
            "ResourceNotFoundException"
        );
        assert_eq!(error("GetId", "{}"), "ValidationException");
        assert_eq!(error("GetId", r#"{"IdentityPoolId":"us west"}"#), "ValidationException");
        let login = json!({"IdentityPoolId": POOL, "Logins": {"accounts.google.com": "token"}});
        assert_eq!(error("GetId", &login.to_string()), "NotAuthorizedException");
        assert_eq!(error("GetId", "{"), "SerializationException");
        assert_eq!(error("GetId", &json!([POOL, {}]).to_string()), "SerializationException");
        let unknown = json!({"IdentityId": other}).to_string();
        assert_eq!(error("GetCredentialsForIdentity", &unknown), "ResourceNotFoundException");
        let role = json!({"IdentityId": other, "CustomRoleArn": "arn:aws:iam::1:role/x"}).to_string();
        assert_eq!(error("GetCredentialsForIdentity", &role), "InvalidParameterException");
        assert_eq!(error("DeleteIdentities", "{}"), "UnknownOperationException");
    }

    #[test]
    fn an_address_that_asks_for_too_many_identities_is_told_to_wait() {
        let pool = Pool::new(ServerSecret::new([1; 32]), "us-west-2");
        let body = json!({"IdentityPoolId": POOL}).to_string();
        let request = Request {
            target: "AWSCognitoIdentityService.GetId",
            body: body.as_bytes(),
            address: Ipv4Addr::LOCALHOST.into(),
            now: UNIX_EPOCH,
            random: [7; 10],
        };
        let refused = Cognito::new(pool, POOL).answer(&request, |_| Err(9)).unwrap_err();
        assert_eq!((refused.name, refused.retry_after), ("TooManyRequestsException", Some(9)));
    }
}
