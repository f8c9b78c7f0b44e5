//! The AWS API's shapes: what operations take and give (AWS API reference, version 2015-10-01).
//!
//! Members of requests are optional here even where AWS requires them, so that a missing one is answered
//! with a validation message instead of a parse error.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod compute;
mod fleet;
mod game_session;
mod location;
mod matchmaking;
mod placement;
mod player_session;
mod queue;
pub(crate) mod rule;

pub use self::{
    compute::*, fleet::*, game_session::*, location::*, matchmaking::*, placement::*, player_session::*,
    queue::*,
};

/// Declares a request: an input with optional members only.
macro_rules! request {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        #[non_exhaustive]
        pub struct $name { $($(#[$field_doc])* pub $field: Option<$type>,)* }
    };
}
use request;

/// Declares an answer, or a structure inside one. AWS leaves absent members out: no nulls.
macro_rules! answer {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
        $(; optional: $($(#[$optional_doc:meta])* $optional:ident: $optional_type:ty,)*)?
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        #[serde(rename_all = "PascalCase")]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            $($(
                $(#[$optional_doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $optional: Option<$optional_type>,
            )*)?
        }
    };
}
use answer;

/// Declares a structure that comes in requests and goes back in answers.
macro_rules! structure {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,)*
        }
    };
}
use structure;

/// Declares an enumeration whose wire names are given.
macro_rules! wire_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $wire:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every value's name on the wire.
            pub const NAMES: &'static [&'static str] = &[$($wire),+];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $wire,)+ }
            }

            /// The value with this name on the wire.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($wire => Some(Self::$variant),)+ _ => None }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
use wire_enum;
