//! Who the player is: an identity of a Cognito identity pool, and credentials for it.
//!
//! Both calls are unsigned AWS JSON 1.1 (Cognito API reference, GetId and GetCredentialsForIdentity). A guest's identity id
//! is as good as a password: whoever knows it can get credentials for it. It is in no log, and its file is for its owner only.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Method, Request, Uri, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::{CallError, SetUpError};
use super::http::Http;
use super::signature::Credentials;

/// Credentials are renewed this long before they end, so that no request is signed with ones that end on the way.
pub const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// Longest identity file, in bytes; anything longer is another file.
const FILE_LEN_MAX: usize = 1024;

/// Where identities come from.
#[derive(Clone, Debug)]
pub(crate) struct Cognito {
    pub(crate) endpoint: Uri,
    pub(crate) pool: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetId<'a> {
    identity_pool_id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Id {
    identity_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetCredentialsForIdentity<'a> {
    identity_id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ForIdentity {
    credentials: Keys,
}

/// Cognito says SecretKey where all of AWS says SecretAccessKey.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Keys {
    access_key_id: String,
    secret_key: String,
    session_token: String,
    /// Seconds since 1970, with a fraction or in scientific notation.
    expiration: f64,
}

impl Cognito {
    /// A new identity.
    pub(crate) async fn identity(&self, http: &Http) -> Result<String, CallError> {
        let id: Id = self.call(http, "GetId", &GetId { identity_pool_id: &self.pool }).await?;
        Ok(id.identity_id)
    }

    /// Credentials for an identity.
    pub(crate) async fn credentials(&self, http: &Http, identity: &str) -> Result<Credentials, CallError> {
        let request = GetCredentialsForIdentity { identity_id: identity };
        let ForIdentity { credentials: keys } =
            self.call(http, "GetCredentialsForIdentity", &request).await?;
        let expires = Duration::try_from_secs_f64(keys.expiration).unwrap_or_default();
        Ok(Credentials {
            access_key_id: keys.access_key_id,
            secret_key: keys.secret_key,
            session_token: keys.session_token,
            expires: UNIX_EPOCH.checked_add(expires).unwrap_or(UNIX_EPOCH),
        })
    }

    async fn call<T: DeserializeOwned>(
        &self,
        http: &Http,
        operation: &str,
        body: &impl Serialize,
    ) -> Result<T, CallError> {
        let body = serde_json::to_vec(body).map_err(|error| CallError::Unsendable(error.to_string()))?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.endpoint.clone())
            .header(header::CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", format!("AWSCognitoIdentityService.{operation}"))
            .body(Bytes::from(body))
            .map_err(|error| CallError::Unsendable(error.to_string()))?;
        http.send(request).await?.accepted()?.json()
    }
}

/// Whether credentials are good for a request that is made now.
pub(crate) fn are_fresh(credentials: &Credentials, now: SystemTime) -> bool {
    credentials.expires > now + RENEW_BEFORE
}

/// An identity that outlives the process.
#[derive(Clone, Debug)]
pub(crate) struct IdentityFile {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Kept {
    identity_pool_id: String,
    identity_id: String,
}

impl IdentityFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The identity kept for `pool`; `None` without a file. A file for another pool is an error, because the next thing
    /// would be to write over it.
    pub(crate) fn read(&self, pool: &str) -> Result<Option<String>, SetUpError> {
        let unusable = |reason: String| SetUpError::IdentityFile { path: self.path.clone(), reason };
        let file = match fs::File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(error.to_string())),
        };
        let mut text = Vec::new();
        file.take(FILE_LEN_MAX as u64 + 1)
            .read_to_end(&mut text)
            .map_err(|error| unusable(error.to_string()))?;
        if text.len() > FILE_LEN_MAX {
            return Err(unusable("it is too long to be one; name another file".to_owned()));
        }
        let kept: Kept = serde_json::from_slice(&text)
            // Without serde's words: they may repeat what the file says.
            .map_err(|_| unusable("it is not one that this program wrote; name another file".to_owned()))?;
        if kept.identity_pool_id != pool {
            let of = kept.identity_pool_id;
            return Err(unusable(format!(
                "it is for the identity pool {of}, not {pool}; name one file per pool"
            )));
        }
        Ok(Some(kept.identity_id))
    }

    /// Keeps it, for the owner of the file only. Never half a file: it is written beside, then moved.
    pub(crate) fn write(&self, pool: &str, identity: &str) -> io::Result<()> {
        let kept = Kept { identity_pool_id: pool.to_owned(), identity_id: identity.to_owned() };
        let mut beside = self.path.clone().into_os_string();
        beside.push(format!(".{}.new", std::process::id()));
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        let written = serde_json::to_writer(&mut file, &kept)
            .map_err(io::Error::from)
            .and_then(|()| file.flush())
            .and_then(|()| fs::rename(&beside, &self.path));
        if written.is_err() {
            let _ = fs::remove_file(&beside); // The first error is the one to tell.
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> IdentityFile {
        let folder =
            std::env::temp_dir().join(format!("sample-client-identity-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        IdentityFile::new(folder.join("identity.json"))
    }

    #[test]
    fn kept_identity_is_found_again_and_readable_by_its_owner_only() {
        let file = file("kept");
        assert_eq!(file.read("pool-1").unwrap(), None);
        file.write("pool-1", "us-east-1:1").unwrap();
        assert_eq!(file.read("pool-1").unwrap().as_deref(), Some("us-east-1:1"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::remove_dir_all(file.path().parent().unwrap()).unwrap();
    }

    #[test]
    fn file_of_another_pool_or_another_program_is_left_alone() {
        let file = file("foreign");
        file.write("pool-1", "us-east-1:1").unwrap();
        let error = file.read("pool-2").unwrap_err().to_string();
        assert!(
            error.contains("pool-1") && error.contains("pool-2") && !error.contains("us-east-1:1"),
            "{error}"
        );
        fs::write(file.path(), "secret").unwrap();
        let error = file.read("pool-1").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
        fs::remove_dir_all(file.path().parent().unwrap()).unwrap();
    }
}
