//! Identifiers as types, so that they cannot be mixed up, and secrets that cannot be printed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest player session id that server SDK 5.6.0 lets through (its client-side validation).
pub const PLAYER_SESSION_ID_LENGTH_MAX: usize = 256;

macro_rules! text_newtype {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is. Nothing is checked: use this for what the other side said.
            pub fn new_unchecked(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text as it stands on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether there is no text at all.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }
    };
}

impl From<&str> for RequestId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

macro_rules! printable {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), self.0)
            }
        }
    };
}

macro_rules! secret {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}(..)", stringify!($name))
            }
        }
    };
}

text_newtype! {
    /// Names one request; the response repeats it byte for byte. UUID from Go and C#, 32 alphanumerics from C++:
    /// opaque to the service.
    RequestId
}
printable!(RequestId);

text_newtype! {
    /// A game session's id, which is its ARN:
    /// `arn:aws:gamelift:<region>::gamesession/<fleet>[/<location>]/<id>` (AWS API reference, `GameSession`).
    GameSessionId
}
printable!(GameSessionId);

text_newtype! {
    /// Proof that a player reserved a slot, `psess-<uuid>` from the service.
    ///
    /// Whoever knows it may take the slot, so it prints as `PlayerSessionId(..)`; [`as_str`](Self::as_str) shows it.
    /// `parse()` checks it by the rule of server SDK 5.6.0.
    PlayerSessionId
}
secret!(PlayerSessionId);

text_newtype! {
    /// A compute's auth token. It goes into the upgrade query and nowhere else, and prints as `AuthToken(..)`.
    AuthToken
}
secret!(AuthToken);

/// Why a text is no player session id. The text itself is not repeated: it may be somebody's secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPlayerSessionId {
    /// Empty, or longer than [`PLAYER_SESSION_ID_LENGTH_MAX`].
    #[error(
        "player session id must have 1 to {PLAYER_SESSION_ID_LENGTH_MAX} characters, this one has {length}"
    )]
    Length {
        /// Its length in bytes.
        length: usize,
    },
    /// A character outside `[A-Za-z0-9.-]`.
    #[error(
        "player session id may hold only letters, digits, '.' and '-'; the character at byte {position} is {found:?}"
    )]
    Character {
        /// Where it stands, in bytes from the start.
        position: usize,
        /// The character.
        found: char,
    },
}

impl FromStr for PlayerSessionId {
    type Err = InvalidPlayerSessionId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let length = text.len();
        if !(1..=PLAYER_SESSION_ID_LENGTH_MAX).contains(&length) {
            return Err(InvalidPlayerSessionId::Length { length });
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        match text.char_indices().find(|&(_, c)| !allowed(c)) {
            Some((position, found)) => Err(InvalidPlayerSessionId::Character { position, found }),
            None => Ok(Self(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn player_session_id_with_a_control_character_is_refused_and_the_error_names_the_place() {
        let error = "psess-1\u{7}".parse::<PlayerSessionId>().unwrap_err();
        assert_eq!(error, InvalidPlayerSessionId::Character { position: 7, found: '\u{7}' });
        assert!(!error.to_string().contains("psess-1"));
    }

    #[test]
    fn player_session_id_length_is_bounded_at_both_ends() {
        assert_eq!("".parse::<PlayerSessionId>(), Err(InvalidPlayerSessionId::Length { length: 0 }));
        assert!("p".repeat(256).parse::<PlayerSessionId>().is_ok());
        assert_eq!(
            "p".repeat(257).parse::<PlayerSessionId>(),
            Err(InvalidPlayerSessionId::Length { length: 257 })
        );
    }

    #[test]
    fn secrets_do_not_print() {
        assert_eq!(format!("{:?}", PlayerSessionId::new_unchecked("psess-1")), "PlayerSessionId(..)");
        assert_eq!(format!("{:?}", AuthToken::new_unchecked("t0ken")), "AuthToken(..)");
    }
}
