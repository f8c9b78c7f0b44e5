//! The EventBridge envelope around an event.

use serde::Serialize;

use super::MatchmakingEvent;
use crate::timestamp::Timestamp;

/// An event as EventBridge and SNS deliver it. SNS puts the JSON of this into its `Message` as a string.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Envelope {
    version: &'static str,
    id: String,
    #[serde(rename = "detail-type")]
    detail_type: &'static str,
    source: &'static str,
    account: String,
    time: Timestamp,
    region: String,
    resources: [String; 1],
    detail: MatchmakingEvent,
}

impl Envelope {
    /// Wraps `detail`, which happened at `time` in the matchmaking configuration `configuration_arn`. The region
    /// and the account are read from the ARN; they are empty if it is none.
    pub fn new(id: String, time: Timestamp, configuration_arn: &str, detail: MatchmakingEvent) -> Self {
        // arn:aws:gamelift:<region>:<account>:matchmakingconfiguration/<name>
        let mut parts = configuration_arn.split(':').skip(3).map(str::to_owned);
        let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        Self {
            version: "0",
            id,
            detail_type: "GameLift Matchmaking Event",
            source: "aws.gamelift",
            account,
            time,
            region,
            resources: [configuration_arn.to_owned()],
            detail,
        }
    }

    /// The event inside.
    pub const fn detail(&self) -> &MatchmakingEvent {
        &self.detail
    }

    /// When it happened.
    pub const fn time(&self) -> Timestamp {
        self.time
    }
}
