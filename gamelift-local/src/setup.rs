//! Resources that are there from the start: what a configuration file declares.
//!
//! Every member has the name that the AWS API has for it, in snake case. Where AWS takes an ARN, a name does here.
//! `examples/two-locations.toml` has every one of them.

mod apply;
mod error;
mod read;

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;
use serde_json::Value;

pub(crate) use self::apply::apply;
pub use self::{error::SetupError, read::FILE_MAX};

/// What to make at start, in this order. Made by the API's own operations, so their rules and quotas hold.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Setup {
    /// The file it was read from, for error messages. No member of the file.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// The AWS Region in ARNs: lower-case letters, digits and hyphens.
    pub region: Option<String>,
    /// The AWS account id in ARNs: 12 digits.
    pub account_id: Option<String>,
    /// How long an auth token lives, in seconds.
    pub token_ttl_seconds: Option<u64>,
    /// Whether to make the default resources, too: those that are there without a setup.
    pub default_resources: bool,
    /// Custom locations.
    pub locations: Vec<Location>,
    /// Anywhere fleets.
    pub fleets: Vec<Fleet>,
    /// Game session queues.
    pub queues: Vec<Queue>,
    /// Matchmaking rule sets.
    pub rule_sets: Vec<RuleSet>,
    /// Matchmaking configurations.
    pub matchmaking_configurations: Vec<MatchmakingConfiguration>,
}

/// A custom location.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// 8 to 64 characters, beginning with `custom-`.
    pub name: String,
    /// Its latency beacon. Absent means one that answers at once, on any free port.
    #[serde(default)]
    pub beacon: Beacon,
}

/// The UDP echo service of a location, with which players measure their latency to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Beacon {
    /// Whether the location has none.
    pub disabled: bool,
    /// The port; 0 means any free one.
    pub port: u16,
    /// How long an echo is held back, in milliseconds: what players measure as their round trip. 5,000 at most.
    pub latency_ms: u32,
    /// By how much more at most, different for each echo. 5,000 at most.
    pub jitter_ms: u32,
}

/// An Anywhere fleet.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// What queues call it here. On AWS, names of fleets need not be unique; these must.
    pub name: String,
    /// A fixed id such as `fleet-eu`, so that scripts can name it. Made up when absent.
    pub id: Option<String>,
    /// What the fleet is for.
    pub description: Option<String>,
    /// Names of its locations.
    pub locations: Vec<String>,
    /// What an hour of it costs, as decimal text such as `1.5`, for queues that prefer cheap fleets.
    pub cost: Option<String>,
    /// How long a game session may take to activate, in seconds.
    pub game_session_activation_timeout_seconds: Option<i64>,
    /// Its machines.
    #[serde(default)]
    pub computes: Vec<Compute>,
}

/// A machine of a fleet.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compute {
    /// Its name: letters, digits and hyphens.
    pub name: String,
    /// Which of the fleet's locations it is in.
    pub location: String,
    /// The address that players connect to; 127.0.0.1 if there is no DNS name either.
    pub ip_address: Option<String>,
    /// The name that players connect to.
    pub dns_name: Option<String>,
    /// Where the machine keeps its TLS certificate.
    pub certificate_path: Option<String>,
    /// A fixed auth token, so that scripts can name it. It lives as long as any other. Made up when absent.
    pub auth_token: Option<String>,
}

impl std::fmt::Debug for Compute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compute")
            .field("name", &self.name)
            .field("location", &self.location)
            .field("ip_address", &self.ip_address)
            .field("dns_name", &self.dns_name)
            .field("certificate_path", &self.certificate_path)
            .finish_non_exhaustive()
    }
}

/// A game session queue.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Names of fleets, the preferred one first.
    pub destinations: Vec<String>,
    /// How long a placement may take, in seconds.
    pub timeout_in_seconds: Option<i64>,
    /// Caps on player latency, for some time each.
    #[serde(default)]
    pub player_latency_policies: Vec<PlayerLatencyPolicy>,
    /// Where placements may go.
    pub filter_configuration: Option<FilterConfiguration>,
    /// What makes one place better than another.
    pub priority_configuration: Option<PriorityConfiguration>,
    /// Text that goes with every event.
    pub custom_event_data: Option<String>,
    /// ARN of the SNS topic that events go to.
    pub notification_target: Option<String>,
}

/// A cap on the latency of every single player.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlayerLatencyPolicy {
    /// The cap, in milliseconds.
    pub maximum_individual_player_latency_milliseconds: i64,
    /// How long it holds, in seconds; until the queue's timeout when absent.
    pub policy_duration_seconds: Option<i64>,
}

/// Where placements may go.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterConfiguration {
    /// The only locations that may be used.
    pub allowed_locations: Vec<String>,
}

/// In which order places are tried.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorityConfiguration {
    /// Of `LATENCY`, `COST`, `DESTINATION` and `LOCATION`, the most important first.
    pub priority_order: Option<Vec<String>>,
    /// Locations, the best first.
    pub location_order: Option<Vec<String>>,
}

/// A matchmaking rule set: a body or the path of a file with one.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    /// Its name.
    pub name: String,
    /// A JSON file with the rule set. In a configuration file, a relative path begins at that file's folder.
    pub path: Option<PathBuf>,
    /// The rule set itself: its JSON as text, or as an object.
    pub body: Option<Value>,
}

/// A matchmaking configuration.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchmakingConfiguration {
    /// Its name.
    pub name: String,
    /// A description.
    pub description: Option<String>,
    /// Name of its rule set.
    pub rule_set_name: String,
    /// Name of the queue that places its matches; absent for `STANDALONE`.
    pub game_session_queue: Option<String>,
    /// Seconds after which a ticket times out.
    pub request_timeout_seconds: i64,
    /// Whether players must accept a match; no, when absent.
    #[serde(default)]
    pub acceptance_required: bool,
    /// Seconds that players have to accept a match.
    pub acceptance_timeout_seconds: Option<i64>,
    /// Seats that a new match leaves empty.
    pub additional_player_count: Option<i64>,
    /// Text that goes with every event.
    pub custom_event_data: Option<String>,
    /// Key-value pairs for the game sessions.
    #[serde(default)]
    pub game_properties: BTreeMap<String, String>,
    /// Anything for the game sessions.
    pub game_session_data: Option<String>,
    /// `AUTOMATIC` or `MANUAL`, which is the default.
    pub backfill_mode: Option<String>,
    /// `STANDALONE` or `WITH_QUEUE`, which is the default.
    pub flex_match_mode: Option<String>,
    /// ARN of the SNS topic that events go to.
    pub notification_target: Option<String>,
}
