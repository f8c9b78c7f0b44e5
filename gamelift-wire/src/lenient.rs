//! Reading what the official SDKs and the service really send, rather than what a schema would allow.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// `null` reads as the default. The C# SDK sends `null` for everything that is not set.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A field of the wrong type reads as absent, as in the C++ SDK 5.4.0, instead of losing the whole message, as in the
/// Go SDK 5.6.0: a push is never repeated, so one odd field must not cost a game session.
pub(crate) fn mistyped_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + DeserializeOwned,
{
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// `""` and `null` read as absent: Go sends `""` where C++ leaves the key out and C# sends `null`.
pub(crate) fn empty_as_none<'de, D>(deserializer: D) -> Result<Option<String>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}
