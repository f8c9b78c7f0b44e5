//! The settings of a matchmaking configuration.

use thiserror::Error;

use crate::compat::Compat;

/// Longest `CustomEventData` (API reference, CreateMatchmakingConfiguration).
pub const CUSTOM_EVENT_DATA_LENGTH_MAX: usize = 256;

/// Longest request timeout in seconds: 12 hours (API reference, CreateMatchmakingConfiguration).
pub const REQUEST_TIMEOUT_SECONDS_MAX: u64 = 43_200;

/// Longest acceptance timeout in seconds (API reference, CreateMatchmakingConfiguration).
pub const ACCEPTANCE_TIMEOUT_SECONDS_MAX: u64 = 600;

/// A matchmaking configuration, without its rule set.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `arn:aws:gamelift:<region>:<account>:matchmakingconfiguration/<name>`.
    pub configuration_arn: String,
    /// Seconds after which a ticket times out, 1 to [`REQUEST_TIMEOUT_SECONDS_MAX`].
    pub request_timeout_seconds: u64,
    /// Whether players must accept a proposed match.
    pub acceptance_required: bool,
    /// Seconds that players have to accept, 1 to [`ACCEPTANCE_TIMEOUT_SECONDS_MAX`].
    pub acceptance_timeout_seconds: u64,
    /// Seats that a new match leaves empty.
    pub additional_player_count: u32,
    /// Whether the matchmaker fills its game sessions by itself.
    pub backfill_mode: BackfillMode,
    /// Whether matches get a game session.
    pub flex_match_mode: FlexMatchMode,
    /// Text that goes into every event.
    pub custom_event_data: Option<String>,
    /// Properties for the game sessions, name and value.
    pub game_properties: Vec<(String, String)>,
    /// Text for the game sessions.
    pub game_session_data: Option<String>,
    /// Seed of everything random: ids, team choice, batches.
    pub seed: u64,
    /// Milliseconds between two searches of the pool; 0 searches whenever something changed. AWS publishes no value;
    /// users see matches after 5 to 10 seconds.
    pub pass_interval_ms: u64,
    /// Tickets of a batch; `None` puts all into one. AWS publishes no value.
    pub batch_size: Option<u32>,
    /// The readings of what AWS leaves open. The rule set must have been read under the same ones.
    pub compat: Compat,
    /// How candidates are judged.
    pub engine: Engine,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            configuration_arn: "arn:aws:gamelift:us-west-2:123456789012:matchmakingconfiguration/default"
                .to_owned(),
            request_timeout_seconds: 120,
            acceptance_required: false,
            acceptance_timeout_seconds: 60,
            additional_player_count: 0,
            backfill_mode: BackfillMode::Manual,
            flex_match_mode: FlexMatchMode::WithQueue,
            custom_event_data: None,
            game_properties: Vec::new(),
            game_session_data: None,
            seed: 0,
            pass_interval_ms: 1_000,
            batch_size: None,
            compat: Compat::default(),
            engine: Engine::default(),
        }
    }
}

/// `BackfillMode`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BackfillMode {
    /// Only on request.
    #[default]
    Manual,
    /// A backfill ticket for every game session that starts with open slots.
    Automatic,
}

/// `FlexMatchMode`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FlexMatchMode {
    /// Matches are placed through a queue.
    #[default]
    WithQueue,
    /// Matches are only announced.
    Standalone,
}

/// How candidates are judged. The result is the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Engine {
    /// With an index over the pool and running aggregates, wherever the rule set allows it.
    #[default]
    Compiled,
    /// Every waiting ticket by full evaluation of every rule. Slow; for comparison.
    Reference,
}

/// Why settings are refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// A number is out of range.
    #[error("{name} is {value}; it must be 1 to {max}")]
    Range {
        /// Which setting.
        name: &'static str,
        /// Its value.
        value: u64,
        /// The largest allowed value.
        max: u64,
    },
    /// `CustomEventData` is too long.
    #[error("CustomEventData has {0} characters; at most {CUSTOM_EVENT_DATA_LENGTH_MAX} are allowed")]
    CustomEventData(usize),
    /// A setting that needs a queue.
    #[error("{0} needs FlexMatchMode WITH_QUEUE: a STANDALONE matchmaker has no game sessions")]
    NeedsQueue(&'static str),
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        let range = |name, value, max| {
            if (1..=max).contains(&value) { Ok(()) } else { Err(SettingsError::Range { name, value, max }) }
        };
        range("RequestTimeoutSeconds", self.request_timeout_seconds, REQUEST_TIMEOUT_SECONDS_MAX)?;
        if self.acceptance_required {
            range(
                "AcceptanceTimeoutSeconds",
                self.acceptance_timeout_seconds,
                ACCEPTANCE_TIMEOUT_SECONDS_MAX,
            )?;
        }
        if let Some(size) = self.batch_size {
            range("batch size", size.into(), u32::MAX.into())?;
        }
        if let Some(length) = self.custom_event_data.as_ref().map(|data| data.chars().count())
            && length > CUSTOM_EVENT_DATA_LENGTH_MAX
        {
            return Err(SettingsError::CustomEventData(length));
        }
        if self.flex_match_mode == FlexMatchMode::Standalone {
            let needs_queue = [
                ("AUTOMATIC backfill", self.backfill_mode == BackfillMode::Automatic),
                ("AdditionalPlayerCount", self.additional_player_count > 0),
                ("GameProperties", !self.game_properties.is_empty()),
                ("GameSessionData", self.game_session_data.is_some()),
            ];
            if let Some((name, _)) = needs_queue.into_iter().find(|(_, set)| *set) {
                return Err(SettingsError::NeedsQueue(name));
            }
        }
        Ok(())
    }
}
