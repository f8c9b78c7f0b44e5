//! What a container on a managed fleet can ask the host it runs on: credentials, its task, its neighbours.
//!
//! The endpoints are those of Amazon ECS (task IAM roles; task metadata version 4), plus GameLift's own discovery server.

use std::net::Ipv4Addr;

use serde::Deserialize;
use url::Url;

use crate::error::{ConfigError, CredentialsError};
use crate::http;
use crate::sigv4::Keys;

const RELATIVE_URI: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const METADATA_URI: &str = "ECS_CONTAINER_METADATA_URI_V4";
const DISCOVERY: &str = "GAMELIFT_CONTAINER_DISCOVERY_SERVER_ENDPOINT";

/// Where ECS serves a task's credentials.
const CREDENTIALS_HOST: &str = "http://169.254.170.2";

/// Where the discovery server listens on the task's first network, unless the environment says otherwise (Go SDK 5.6.0).
const DISCOVERY_PORT: u16 = 4092;

/// The endpoints beside a container.
///
/// | endpoint | environment variable |
/// |---|---|
/// | credentials of the task's role | `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`, below `http://169.254.170.2` |
/// | metadata of the task | `ECS_CONTAINER_METADATA_URI_V4` |
/// | who else runs on this instance | `GAMELIFT_CONTAINER_DISCOVERY_SERVER_ENDPOINT`; else `http://<first address of the task, ending in .1>:4092` |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerEndpoints {
    credentials: Url,
    metadata: Url,
    discovery: Option<Url>,
}

/// One container of the instance, as the discovery server lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ContainerNetwork {
    /// Its name in the container group definition.
    pub container_name: String,
    /// Its runtime's id.
    pub container_id: String,
    /// Where it can be reached from this container.
    pub ip_address: String,
    /// `GAME_SERVER` or `PER_INSTANCE`.
    pub container_group_type: String,
}

impl ContainerEndpoints {
    /// The endpoints that the environment names.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable that is missing or wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// The same with an environment of the caller's.
    ///
    /// # Errors
    /// As [`Self::from_env`].
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &'static str| lookup(name).filter(|value| !value.is_empty());
        let need = |what: &'static str, variable: &'static str| {
            get(variable).ok_or(ConfigError::Missing { name: what, variable })
        };
        let relative = need("container credentials URI", RELATIVE_URI)?;
        if !relative.starts_with('/') {
            // Anything else would name another host: `http://169.254.170.2` + `.example.com`.
            return Err(ConfigError::Invalid {
                name: RELATIVE_URI,
                rule: "a path that starts with /",
                value: relative,
            });
        }
        let credentials = http_url(RELATIVE_URI, &format!("{CREDENTIALS_HOST}{relative}"))?;
        let metadata = http_url(METADATA_URI, &need("container metadata URI", METADATA_URI)?)?;
        let discovery = get(DISCOVERY).map(|url| http_url(DISCOVERY, &url)).transpose()?;
        Ok(Self { credentials, metadata, discovery })
    }

    /// Endpoints of the caller's: where credentials are, and the task's metadata without its last `/task`.
    pub fn new(credentials: Url, metadata: Url) -> Self {
        Self { credentials, metadata, discovery: None }
    }

    /// Where the discovery server is, without its last `/v1/`.
    pub fn with_discovery(mut self, discovery: Url) -> Self {
        self.discovery = Some(discovery);
        self
    }

    /// The containers of this instance and where to reach them. `ListContainersNetworkInfo`.
    ///
    /// Asks the discovery server of the instance, not GameLift: it needs no connection.
    ///
    /// # Errors
    /// [`CredentialsError`], by whether another attempt may succeed.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn network_info(&self) -> Result<Vec<ContainerNetwork>, CredentialsError> {
        let base = match &self.discovery {
            Some(base) => base.clone(),
            None => self.default_discovery().await?,
        };
        let whom = "the container discovery server";
        let body = http::get(whom, &below(&base, "v1/")).await?;
        read(whom, &body)
    }

    /// `http://<the task's first IPv4 address, its last number replaced by 1>:4092`
    async fn default_discovery(&self) -> Result<Url, CredentialsError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Metadata {
            #[serde(default)]
            networks: Vec<Network>,
        }
        #[derive(Deserialize)]
        struct Network {
            #[serde(default, rename = "IPv4Addresses")]
            ipv4_addresses: Vec<Ipv4Addr>,
        }
        let whom = "the container metadata endpoint";
        let metadata: Metadata = read(whom, &http::get(whom, &self.metadata).await?)?;
        let first = metadata.networks.iter().flat_map(|network| &network.ipv4_addresses).next();
        let [a, b, c, _] = first
            .ok_or_else(|| {
                CredentialsError::Denied(format!("{whom} names no IPv4 address of this container"))
            })?
            .octets();
        let url = format!("http://{}:{DISCOVERY_PORT}/", Ipv4Addr::new(a, b, c, 1));
        Ok(Url::parse(&url).expect("an IPv4 address and a port make a URL"))
    }

    /// The task's id: what GameLift calls the compute. The last part of the task's ARN.
    pub(crate) async fn task_id(&self) -> Result<String, CredentialsError> {
        #[derive(Deserialize)]
        struct Task {
            #[serde(default, rename = "TaskARN")]
            task_arn: String,
        }
        let whom = "the container metadata endpoint";
        let task: Task = read(whom, &http::get(whom, &below(&self.metadata, "task")).await?)?;
        match task.task_arn.rsplit_once('/') {
            Some((_, id)) if !id.is_empty() => Ok(id.to_owned()),
            _ => Err(CredentialsError::Denied(format!(
                "{whom} must name a TaskARN that ends in /<task id>, not {:?}",
                task.task_arn
            ))),
        }
    }

    /// The keys of the task's role.
    pub(crate) async fn keys(&self, region: &str) -> Result<Keys, CredentialsError> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        struct Role {
            access_key_id: String,
            secret_access_key: String,
            token: String,
        }
        let whom = "the container credentials endpoint";
        let role: Role = read(whom, &http::get(whom, &self.credentials).await?)?;
        if role.access_key_id.is_empty() || role.secret_access_key.is_empty() {
            let text = format!("{whom} must send AccessKeyId and SecretAccessKey; has the task a role?");
            return Err(CredentialsError::Denied(text));
        }
        Ok(Keys {
            region: region.to_owned(),
            access_key: role.access_key_id,
            secret_key: role.secret_access_key,
            session_token: Some(role.token).filter(|token| !token.is_empty()),
        })
    }
}

/// Reads JSON; the error names the place and not the value, which may be a secret.
fn read<T: serde::de::DeserializeOwned>(whom: &str, body: &str) -> Result<T, CredentialsError> {
    serde_json::from_str(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        CredentialsError::Denied(format!(
            "{whom} sent no JSON of the expected shape (line {line}, column {column})"
        ))
    })
}

fn below(base: &Url, last: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{last}", base.path().trim_end_matches('/')));
    url
}

fn http_url(name: &'static str, text: &str) -> Result<Url, ConfigError> {
    let invalid = || ConfigError::Invalid {
        name,
        rule: "a URL that starts with http:// and names a host",
        value: text.to_owned(),
    };
    let url = Url::parse(text).map_err(|_| invalid())?;
    if url.scheme() == "http" && url.has_host() { Ok(url) } else { Err(invalid()) }
}
