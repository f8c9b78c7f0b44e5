//! Who is calling, as the gateway says.

use std::fmt;
use std::net::IpAddr;

/// A player, by the identity that the gateway has verified: a Cognito identity id, or the subject of a token.
///
/// Whoever knows a guest's Cognito identity id can get credentials for it, so it is a secret: it is in no answer to other
/// players and in no log, and `Debug` shows a part of it only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayerId(String);

impl PlayerId {
    /// What the gateway gave.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// As a key, and as GameLift's `PlayerId`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Characters of an id that a log may show: enough to tell two lines of one player, too few to be anybody.
const SHOWN: usize = 6;

impl fmt::Debug for PlayerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The end: the front is the Region.
        let skip = self.0.chars().count().saturating_sub(SHOWN);
        let end: String = self.0.chars().skip(skip).collect();
        write!(formatter, "PlayerId(..{end})")
    }
}

/// How the gateway came to know the player.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthKind {
    /// A request signed with credentials of a Cognito identity (REST API and HTTP API with AWS_IAM, and the local gateway).
    Iam,
    /// A token that the gateway has verified.
    Jwt,
}

/// Who is calling. It comes from the gateway alone: nothing in a body, a query or a header of the client's own makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The player.
    pub player: PlayerId,
    /// How they are known.
    pub kind: AuthKind,
    /// The address they come from, where the gateway tells.
    pub source_ip: Option<IpAddr>,
}

#[cfg(test)]
mod tests {
    use super::PlayerId;

    #[test]
    fn a_log_shows_the_end_of_an_identity_only() {
        let player = PlayerId::new("us-west-2:6c6a2a0e-aaaa-bbbb-cccc-123456abcdef");
        assert_eq!(format!("{player:?}"), "PlayerId(..abcdef)");
    }
}
