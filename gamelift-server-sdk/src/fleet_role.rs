//! The fleet role's credentials, remembered until they are about to expire.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use gamelift_wire::requests::FleetRoleCredentials;

/// Credentials that expire sooner are fetched anew. The official SDKs' figure.
const MARGIN: Duration = Duration::from_secs(15 * 60);

/// Most roles remembered; a fleet has one. Beyond it, calls are not remembered.
const ROLES_MAX: usize = 16;

/// A role and the name of its session.
type Key = (String, String);

/// Empty until first asked for; locked while somebody asks, so that ten callers make one call.
pub(crate) type Slot = Arc<tokio::sync::Mutex<Option<FleetRoleCredentials>>>;

/// One per process; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remembered(Arc<Mutex<BTreeMap<Key, Slot>>>);

impl Remembered {
    /// Where the credentials of this role are, or will be.
    pub(crate) fn slot(&self, role_arn: &str, role_session_name: &str) -> Slot {
        let key = (role_arn.to_owned(), role_session_name.to_owned());
        // A panic of somebody else leaves at worst a missing entry.
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= ROLES_MAX && !slots.contains_key(&key) {
            return Slot::default();
        }
        slots.entry(key).or_default().clone()
    }
}

/// Whether they are good for a while. Those that do not say when they expire are good once.
pub(crate) fn is_fresh(credentials: &FleetRoleCredentials, now: SystemTime) -> bool {
    credentials.expiration.is_some_and(|expiration| now + MARGIN < expiration.to_system_time())
}

#[cfg(feature = "aws-credential-types")]
pub use self::provider::FleetRole;

#[cfg(feature = "aws-credential-types")]
mod provider {
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::error::CredentialsError;
    use aws_credential_types::provider::{ProvideCredentials, Result, future};

    use crate::process::{ServerProcess, WeakServerProcess};

    /// The fleet's role as a credentials provider for the AWS SDK: `aws_config::from_env().credentials_provider(role)`.
    ///
    /// It does not keep the process alive: once every [`ServerProcess`] is dropped, it has no credentials to give.
    #[derive(Clone, Debug)]
    pub struct FleetRole {
        process: WeakServerProcess,
        role_arn: String,
        role_session_name: Option<String>,
    }

    impl ServerProcess {
        /// Credentials of an IAM role that the fleet may take on, for clients of the AWS SDK; fetched when needed, anew 15
        /// minutes before they expire. See [`fleet_role_credentials`](Self::fleet_role_credentials).
        pub fn fleet_role(
            &self,
            role_arn: impl Into<String>,
            role_session_name: Option<String>,
        ) -> FleetRole {
            FleetRole { process: self.downgrade(), role_arn: role_arn.into(), role_session_name }
        }
    }

    impl FleetRole {
        async fn credentials(&self) -> Result {
            let Some(process) = self.process.upgrade() else {
                return Err(CredentialsError::provider_error("the server process is over"));
            };
            let role = process.fleet_role_credentials(&self.role_arn, self.role_session_name.clone());
            match role.await.map_err(CredentialsError::provider_error)? {
                Some(found) => Ok(Credentials::new(
                    found.access_key_id,
                    found.secret_access_key,
                    Some(found.session_token).filter(|token| !token.is_empty()),
                    found.expiration.map(gamelift_wire::model::EpochMillis::to_system_time),
                    "GameLiftFleetRole",
                )),
                None => Err(CredentialsError::not_loaded("an Anywhere fleet has no role")),
            }
        }
    }

    impl ProvideCredentials for FleetRole {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::new(self.credentials())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use gamelift_wire::model::EpochMillis;

    use super::*;

    #[test]
    fn credentials_are_fresh_until_15_minutes_before_they_expire() {
        let credentials = FleetRoleCredentials {
            expiration: Some(EpochMillis(3_600_000)),
            ..FleetRoleCredentials::default()
        };
        assert!(is_fresh(&credentials, UNIX_EPOCH + Duration::from_secs(44 * 60)));
        assert!(!is_fresh(&credentials, UNIX_EPOCH + Duration::from_secs(45 * 60)));
        assert!(!is_fresh(&FleetRoleCredentials::default(), UNIX_EPOCH));
    }

    #[test]
    fn more_roles_than_a_fleet_could_have_are_not_remembered() {
        let remembered = Remembered::default();
        for role in 0..ROLES_MAX {
            remembered.slot(&role.to_string(), "name");
        }
        let same = |role: &str| Arc::ptr_eq(&remembered.slot(role, "name"), &remembered.slot(role, "name"));
        assert!(same("0"));
        assert!(!same("one too many"));
    }
}
