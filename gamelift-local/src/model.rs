//! The AWS API's shapes: what operations take and give (AWS API reference, version 2015-10-01).
//!
//! Members of requests are optional here even where AWS requires them, so that a missing one is answered
//! with a validation message instead of a parse error.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod alias;
mod capacity;
pub(crate) mod check;
mod compute;
mod fleet;
mod fleet_event;
mod game_session;
mod location;
mod matchmaking;
mod placement;
mod player_session;
mod queue;
pub(crate) mod rule;
mod tag;

pub use self::{
    alias::*, capacity::*, compute::*, fleet::*, fleet_event::*, game_session::*, location::*,
    matchmaking::*, placement::*, player_session::*, queue::*, tag::*,
};

/// Declares a request: an input with optional members only, each with its rule (see `check`).
macro_rules! request {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty => $kind:ident $rule:expr,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        #[non_exhaustive]
        pub struct $name { $($(#[$field_doc])* pub $field: Option<$type>,)* }
        $crate::model::checked!($name { $($field => $kind $rule,)* });
    };
}
use request;

/// Gives a structure's members their rules.
macro_rules! checked {
    ($name:ident { $($field:ident => $kind:ident $rule:expr,)* }) => {
        impl $crate::model::check::Checked for $name {
            fn check(
                &self,
                at: Option<&$crate::model::check::Path<'_>>,
                broken: &mut $crate::model::check::Broken,
            ) {
                #[allow(unused_imports, reason = "not every structure needs all kinds of rules")]
                use $crate::model::{check::*, rule::*};
                $(
                    let path = Path { parent: at, member: stringify!($field) };
                    member(&path, $crate::model::checked!(@$kind), &$rule, &self.$field, broken);
                )*
            }

            #[cfg(test)]
            fn members() -> Vec<$crate::model::check::Described> {
                #[allow(unused_imports, reason = "not every structure needs all kinds of rules")]
                use $crate::model::{check::*, rule::*};
                fn describe<T, R: Rule<T>>(_: fn(&$name) -> &Option<T>, rule: &R) -> Description {
                    rule.describe()
                }
                vec![$(Described {
                    name: stringify!($field),
                    is_required: $crate::model::checked!(@$kind),
                    rule: describe(|it| &it.$field, &$rule),
                },)*]
            }
        }
    };
    (@required) => { true };
    (@optional) => { false };
}
use checked;

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
    ($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty => $kind:ident $rule:expr,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,)*
        }
        $crate::model::checked!($name { $($field => $kind $rule,)* });
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
