//! Names of tickets, players, matches and teams. Clones are cheap: they go into every event.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Serialize, Serializer};
use thiserror::Error;

/// Longest ticket id (API reference, MatchmakingIdStringModel).
pub const TICKET_ID_LENGTH_MAX: usize = 128;

/// Longest player id (API reference, PlayerId).
pub const PLAYER_ID_LENGTH_MAX: usize = 1_024;

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdError {
    /// Its length is wrong.
    #[error("{what} has {length} characters; it must have 1 to {max}")]
    Length {
        /// Which id.
        what: &'static str,
        /// How long it is.
        length: usize,
        /// How long it may be.
        max: usize,
    },
    /// A character is wrong.
    #[error("{what} {id:?} contains {found:?}; only letters, digits, `-` and `.` are allowed")]
    Character {
        /// Which id.
        what: &'static str,
        /// The text.
        id: String,
        /// The first wrong character.
        found: char,
    },
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text!(
    /// A ticket's id: the caller's, or a UUID.
    TicketId
);
text!(
    /// A player's id: the caller's.
    PlayerId
);
text!(
    /// A match's id, a UUID.
    MatchId
);
text!(
    /// A team's name; of a team with a quantity above one, with its number (`red_1`).
    TeamName
);

impl TicketId {
    /// Checks a caller's ticket id.
    ///
    /// # Errors
    /// If it is empty, longer than [`TICKET_ID_LENGTH_MAX`] or has characters besides letters, digits, `-` and `.`.
    pub fn new(id: &str) -> Result<Self, IdError> {
        let length = id.chars().count();
        if !(1..=TICKET_ID_LENGTH_MAX).contains(&length) {
            return Err(IdError::Length { what: "TicketId", length, max: TICKET_ID_LENGTH_MAX });
        }
        match id.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.')) {
            Some(found) => Err(IdError::Character { what: "TicketId", id: id.to_owned(), found }),
            None => Ok(Self(id.into())),
        }
    }

    pub(crate) fn from_uuid(uuid: crate::random::Uuid) -> Self {
        Self(uuid.to_string().into())
    }
}

impl PlayerId {
    /// Checks a player id.
    ///
    /// # Errors
    /// If it is empty or longer than [`PLAYER_ID_LENGTH_MAX`].
    pub fn new(id: &str) -> Result<Self, IdError> {
        // Counting characters is only needed where bytes could exceed the limit.
        let length = if id.len() <= PLAYER_ID_LENGTH_MAX { id.len() } else { id.chars().count() };
        if !(1..=PLAYER_ID_LENGTH_MAX).contains(&length) {
            return Err(IdError::Length { what: "PlayerId", length, max: PLAYER_ID_LENGTH_MAX });
        }
        Ok(Self(id.into()))
    }
}

impl MatchId {
    pub(crate) fn from_uuid(uuid: crate::random::Uuid) -> Self {
        Self(uuid.to_string().into())
    }
}

impl TeamName {
    pub(crate) fn new(name: &str) -> Self {
        Self(name.into())
    }
}
