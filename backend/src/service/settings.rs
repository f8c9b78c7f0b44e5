//! What an operator decides.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What an operator decides. The defaults fit a local GameLift as it starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The matchmaking configuration of a request that names none.
    pub configuration: String,
    /// Other matchmaking configurations that a request may name.
    pub configurations: BTreeSet<String>,
    /// The game session queue for private sessions. Without one there are none.
    pub queue: Option<String>,
    /// Players of a private session, unless its request says fewer.
    pub private_players: u16,
    /// Names of player attributes that clients may send. Whatever decides a match fairly, such as `skill`, does not belong
    /// here: it comes from the profile.
    pub attributes: BTreeSet<String>,
    /// The skill of a player who is new.
    pub initial_skill: f64,
    /// How long a ticket may take: what the matchmaking configuration or queue allows, acceptance and placement included.
    pub ticket_timeout: Duration,
    /// How long a game session lasts at most: until then its players can come back to it.
    pub session_length: Duration,
    /// How long players have to accept a match, as in the matchmaking configuration. Only a guess to show: GameLift decides.
    pub acceptance_timeout: Duration,
    /// SHA-256 of the certificates of fleets, in hexadecimal, by fleet id.
    pub certificates: BTreeMap<String, String>,
    /// ARNs of the topics whose events are believed.
    pub topics: BTreeSet<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            configuration: "default".to_owned(),
            configurations: BTreeSet::new(),
            queue: None,
            private_players: 10,
            attributes: BTreeSet::new(),
            // As in AWS's samples.
            initial_skill: 10.0,
            ticket_timeout: Duration::from_secs(10 * 60),
            session_length: Duration::from_secs(60 * 60),
            acceptance_timeout: Duration::from_secs(60),
            certificates: BTreeMap::new(),
            topics: BTreeSet::new(),
        }
    }
}

/// Reads `FLEET=SHA256`: a fleet's id and the fingerprint of its certificate, in hexadecimal digits with or without colons. For
/// [`Settings::certificates`].
///
/// # Errors
///
/// What it must be.
pub fn fleet_certificate(text: &str) -> Result<(String, String), &'static str> {
    let rule = "must be a fleet id, `=` and 64 hexadecimal digits";
    let (fleet, digest) = text.split_once('=').ok_or(rule)?;
    let digest = digest.replace(':', "").to_ascii_lowercase();
    if fleet.is_empty() || digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(rule);
    }
    Ok((fleet.to_owned(), digest))
}
