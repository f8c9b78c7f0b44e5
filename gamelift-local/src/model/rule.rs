//! The constraints of texts, and the messages AWS answers with when one is broken.
//!
//! Inputs name them where they are declared, and `check` applies them. For what is checked elsewhere:
//! `let fleet = rule::FLEET_ID_OR_ARN.required("fleetId", &input.fleet_id)?;`

use std::{ops::RangeInclusive, sync::LazyLock};

use regex::bytes::{Regex, RegexBuilder};

use super::check::{sentence, violation};
use crate::ApiError;

/// A constraint on text: length in characters, then a pattern (AWS API reference, data types).
pub(crate) struct Text {
    length: RangeInclusive<usize>,
    pattern: Option<(&'static str, LazyLock<Regex>)>,
    /// Whether a value that breaks the rule is kept out of the message: it proves something.
    secret: bool,
}

macro_rules! text_rules {
    ($($name:ident = $length:expr $(, $pattern:literal $(, $secret:ident)?)?;)+) => {
        $(pub(crate) static $name: Text = Text {
            length: $length,
            pattern: text_rules!(@ $($pattern)?),
            secret: text_rules!(# $($($secret)?)?),
        };)+
    };
    (# secret) => { true };
    (#) => { false };
    (@ $pattern:literal) => {
        Some(($pattern, LazyLock::new(|| {
            RegexBuilder::new($pattern).unicode(false).build().expect("the pattern is a constant that compiles")
        })))
    };
    (@) => { None };
}

text_rules! {
    ALIAS_ID_OR_ARN = 1..=512, r"^(alias-\S+|arn:.*:alias\/alias-\S+)$";
    ALIAS_NAME = 1..=1024, r"^.*\S.*$";
    ARN = 1..=512, r"^[a-zA-Z0-9:/-]+$";
    BUILD_ID_OR_ARN = 1..=512, r"^(build-\S+|arn:.*:build\/build-\S+)$";
    COMPUTE_NAME = 1..=128, r"^[a-zA-Z0-9\-]+(\/[a-zA-Z0-9\-]+)?$";
    COMPUTE_NAME_OR_ARN = 1..=1024, r"^([a-zA-Z0-9\-]+(\/[a-zA-Z0-9\-]+)?|arn:.*:compute\/[a-zA-Z0-9\-]+(\/[a-zA-Z0-9\-]+)?)$";
    COST = 1..=11, r"^\d{1,5}(?:\.\d{1,5})?$";
    CUSTOM_LOCATION = 8..=64, r"^custom-[A-Za-z0-9\-]+$";
    CUSTOM_LOCATION_OR_ARN = 1..=128, r"^(custom-[A-Za-z0-9\-]+|arn:.*:location\/custom-\S+)$";
    DNS_NAME = 1..=256, r"^[0-9a-zA-Z_\-\.]+$";
    FLEET_ID = 1..=128, r"^[a-z]*fleet-[a-zA-Z0-9\-]+$";
    FLEET_ID_OR_ARN = 1..=512, r"^[a-z]*fleet-[a-zA-Z0-9\-]+$|^arn:.*:[a-z]*fleet\/[a-z]*fleet-[a-zA-Z0-9\-]+$";
    GAME_PROPERTY_KEY = 0..=32;
    GAME_PROPERTY_VALUE = 0..=96;
    GAME_SESSION_DATA = 1..=262_144;
    ID_STRING = 1..=48, r"^[a-zA-Z0-9-]+$";
    IP_ADDRESS = 1..=128, r"^[0-9A-Fa-f\:\.]+$";
    IP_RANGE = 1..=128, r"^[^\s]+$";
    LAUNCH_PARAMETERS = 1..=1024, r#"^[A-Za-z0-9_:.+\/\\\- =@;{},?'\[\]"]+$"#;
    LAUNCH_PATH = 1..=1024, r"^[A-Za-z0-9_:.+\/\\\- ]+$";
    LOCATION = 1..=64, r"^[A-Za-z0-9\-]+$";
    MATCHED_GAME_SESSION_DATA = 1..=4096;
    MATCHMAKING_CONFIGURATION_NAME = 1..=256, r"^([a-zA-Z0-9-\.]*|arn:.*:matchmakingconfiguration\/[a-zA-Z0-9-\.]*)$";
    MATCHMAKING_CUSTOM_EVENT_DATA = 0..=256;
    MATCHMAKING_ID = 1..=128, r"^[a-zA-Z0-9-\.]*$";
    MATCHMAKING_RULE_SET_NAME = 1..=256, r"^([a-zA-Z0-9-\.]*|arn:.*:matchmakingruleset\/[a-zA-Z0-9-\.]*)$";
    METRIC_GROUP = 1..=255;
    NON_ZERO_AND_MAX = 1..=1024;
    NON_EMPTY = 1..=usize::MAX;
    PLAYER_ATTRIBUTE = 1..=100;
    PLAYER_DATA = 1..=2048;
    PLAYER_ID = 1..=1024;
    PLAYER_SESSION_ID = 1..=128, r"^psess-\S+$", secret;
    QUEUE_CUSTOM_EVENT_DATA = 0..=256;
    QUEUE_NAME = 1..=128, r"^[a-zA-Z0-9-]+$";
    QUEUE_NAME_OR_ARN = 1..=256, r"^([a-zA-Z0-9-]+|arn:.*:gamesessionqueue\/[a-zA-Z0-9-]+)$";
    QUEUE_SNS_ARN = 0..=300, r"^[a-zA-Z0-9:_-]*(\.fifo)?$";
    RULE_SET_BODY = 1..=65_535;
    RESOURCE_ARN = 1..=1011;
    SCRIPT_ID_OR_ARN = 1..=512, r"^(script-\S+|arn:.*:script\/script-\S+)$";
    SNS_ARN = 0..=300, r"^[a-zA-Z0-9:_/-]*(\.fifo)?$";
    TAG_KEY = 1..=128;
    TAG_VALUE = 0..=256;
}

impl Text {
    /// Checks a member that must be there, and gives its value.
    pub(crate) fn required<'a>(&self, field: &str, value: &'a Option<String>) -> Result<&'a str, ApiError> {
        let value = required(field, value)?;
        self.check(field, value)?;
        Ok(value)
    }

    /// Checks a member if it is there.
    pub(crate) fn optional<'a>(
        &self,
        field: &str,
        value: &'a Option<String>,
    ) -> Result<Option<&'a str>, ApiError> {
        let value = value.as_deref();
        value.map_or(Ok(()), |value| self.check(field, value))?;
        Ok(value)
    }

    /// Checks one value.
    pub(crate) fn check(&self, field: &str, value: &str) -> Result<(), ApiError> {
        self.broken_by(value).map_or(Ok(()), |rule| Err(broken(field, self.shown(value), &rule)))
    }

    /// The rule that a value breaks.
    pub(super) fn broken_by(&self, value: &str) -> Option<String> {
        // Bytes are an upper bound of characters: most values need no counting.
        if value.len() < *self.length.start() || value.len() > *self.length.end() {
            let characters = value.chars().count();
            if characters < *self.length.start() {
                return Some(format!(
                    "Member must have length greater than or equal to {}",
                    self.length.start()
                ));
            }
            if characters > *self.length.end() {
                return Some(format!("Member must have length less than or equal to {}", self.length.end()));
            }
        }
        let (pattern, regex) = self.pattern.as_ref()?;
        let rule = || format!("Member must satisfy regular expression pattern: {pattern}");
        (!regex.is_match(value.as_bytes())).then(rule)
    }

    #[cfg(test)]
    pub(super) fn describe(&self) -> super::check::Description {
        let (low, high) = (*self.length.start(), *self.length.end());
        let mut bad = Vec::new();
        if low > 0 {
            bad.push("".into());
        }
        let mut text = match high {
            usize::MAX => format!("{low} and more characters"),
            high => {
                bad.push("x".repeat(high + 1).into());
                format!("{low}..{high} characters")
            }
        };
        if let Some((pattern, regex)) = &self.pattern {
            let odd = ["a b", " ", "\u{e9}!", "_!\n"].into_iter().find(|odd| !regex.is_match(odd.as_bytes()));
            bad.extend(odd.map(Into::into));
            text += &format!(", `{}`", pattern.replace('|', "\\|"));
        }
        super::check::Description { text, bad, ..Default::default() }
    }

    /// What a message repeats of a value.
    pub(super) fn shown<'a>(&self, value: &'a str) -> &'a str {
        if self.secret { "(redacted)" } else { value }
    }
}

/// Gives the value of a member that must be there.
pub(crate) fn required<'a, T>(field: &str, value: &'a Option<T>) -> Result<&'a T, ApiError> {
    value
        .as_ref()
        .ok_or_else(|| ApiError::invalid(sentence(1, &[violation(field, None, "Member must not be null")])))
}

/// Checks a number if it is there.
pub(crate) fn range(field: &str, value: Option<i64>, range: RangeInclusive<i64>) -> Result<(), ApiError> {
    match value {
        Some(value) if value < *range.start() => Err(broken(
            field,
            &value.to_string(),
            &format!("Member must have value greater than or equal to {}", range.start()),
        )),
        Some(value) if value > *range.end() => Err(broken(
            field,
            &value.to_string(),
            &format!("Member must have value less than or equal to {}", range.end()),
        )),
        _ => Ok(()),
    }
}

/// Checks the number of a list's elements.
pub(crate) fn size<T>(field: &str, list: &[T], size: RangeInclusive<usize>) -> Result<(), ApiError> {
    let count = list.len();
    if count < *size.start() {
        let rule = format!("Member must have length greater than or equal to {}", size.start());
        return Err(broken(field, &format!("{count} elements"), &rule));
    }
    if count > *size.end() {
        let rule = format!("Member must have length less than or equal to {}", size.end());
        return Err(broken(field, &format!("{count} elements"), &rule));
    }
    Ok(())
}

/// Checks that a value is one of an enumeration's, and gives what it means.
pub(crate) fn one_of<T>(
    field: &str,
    value: &str,
    names: &[&str],
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, ApiError> {
    parse(value).ok_or_else(|| {
        broken(field, value, &format!("Member must satisfy enum value set: [{}]", names.join(", ")))
    })
}

fn broken(field: &str, value: &str, rule: &str) -> ApiError {
    ApiError::invalid(sentence(1, &[violation(field, Some(value), rule)]))
}
