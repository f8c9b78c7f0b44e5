//! A player attribute as `StartMatchBackfill` carries it.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A player attribute: one of the four types of FlexMatch, or nothing.
///
/// Written as Go SDK 5.6.0 does (`AttrType`, then the one value that belongs to it; `N` also when zero).
/// Read from all dialects: `attrType` (C#), `S` absent for an empty string (Go) or present (C++), all four keys at once
/// with `null` in three of them (C#).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AttributeValue {
    /// `NONE`: the attribute is named but has no value.
    None,
    /// `STRING`, up to 100 characters.
    String(String),
    /// `DOUBLE`.
    Double(f64),
    /// `STRING_LIST`, up to 100 strings.
    StringList(Vec<String>),
    /// `STRING_DOUBLE_MAP`, up to 10 pairs.
    StringDoubleMap(BTreeMap<String, f64>),
}

impl AttributeValue {
    /// The word for its type: `STRING`, `DOUBLE`, `STRING_LIST`, `STRING_DOUBLE_MAP` or `NONE`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::String(_) => "STRING",
            Self::Double(_) => "DOUBLE",
            Self::StringList(_) => "STRING_LIST",
            Self::StringDoubleMap(_) => "STRING_DOUBLE_MAP",
        }
    }
}

impl Serialize for AttributeValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("AttrType", self.type_name())?;
        match self {
            Self::None => {}
            Self::String(s) => map.serialize_entry("S", s)?,
            Self::Double(n) => map.serialize_entry("N", n)?,
            Self::StringList(sl) => map.serialize_entry("SL", sl)?,
            Self::StringDoubleMap(sdm) => map.serialize_entry("SDM", sdm)?,
        }
        map.end()
    }
}

/// Every key of every dialect, all optional.
#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "AttrType", alias = "attrType")]
    attr_type: Option<String>,
    #[serde(rename = "S")]
    s: Option<String>,
    #[serde(rename = "N")]
    n: Option<f64>,
    #[serde(rename = "SL")]
    sl: Option<Vec<String>>,
    #[serde(rename = "SDM")]
    sdm: Option<BTreeMap<String, f64>>,
}

impl<'de> Deserialize<'de> for AttributeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        match wire.attr_type.as_deref() {
            Some("STRING") => Ok(Self::String(wire.s.unwrap_or_default())),
            Some("DOUBLE") => Ok(Self::Double(wire.n.unwrap_or_default())),
            Some("STRING_LIST") => Ok(Self::StringList(wire.sl.unwrap_or_default())),
            Some("STRING_DOUBLE_MAP") => Ok(Self::StringDoubleMap(wire.sdm.unwrap_or_default())),
            Some("NONE") | None => Ok(Self::None),
            Some(other) => Err(D::Error::custom(format!(
                "AttrType must be STRING, DOUBLE, STRING_LIST, STRING_DOUBLE_MAP or NONE, not {other:?}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> AttributeValue {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_three_dialects_of_an_empty_string_read_the_same() {
        let expected = AttributeValue::String(String::new());
        assert_eq!(read(r#"{"AttrType":"STRING"}"#), expected, "Go");
        assert_eq!(read(r#"{"AttrType":"STRING","S":""}"#), expected, "C++");
        assert_eq!(read(r#"{"attrType":"STRING","S":"","N":null,"SL":null,"SDM":null}"#), expected, "C#");
    }

    #[test]
    fn zero_is_a_value_and_is_written() {
        let zero = AttributeValue::Double(0.0);
        assert_eq!(serde_json::to_string(&zero).unwrap(), r#"{"AttrType":"DOUBLE","N":0.0}"#);
    }

    #[test]
    fn unknown_type_is_an_error_that_names_the_rule_and_the_value() {
        let error = serde_json::from_str::<AttributeValue>(r#"{"AttrType":"BOOL"}"#).unwrap_err().to_string();
        assert!(error.contains("AttrType") && error.contains("\"BOOL\""), "{error}");
    }
}
