//! What nobody may read in a log: tokens, credentials, and player session ids, which are proofs.

use serde_json::Value;

/// Instead of a secret.
const HIDDEN: &str = "(hidden)";
/// Members with secrets in frames of the server SDK.
const SECRETS: &[&str] =
    &["AuthToken", "PlayerSessionId", "AccessKeyId", "SecretAccessKey", "SessionToken", "playerSessionId"];
/// In messages, what follows is a player session id up to the closing bracket: as the service words its refusals.
const IN_BRACKETS: &str = "PlayerSession (";
/// Our own ids of player sessions.
const PLAYER_SESSION: &str = "psess-";

/// Hides every secret in a frame.
pub(super) fn frame(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let set = value.as_str().is_none_or(|text| !text.is_empty());
                if SECRETS.contains(&name.as_str()) && !value.is_null() && set {
                    *value = HIDDEN.into();
                } else {
                    frame(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(frame),
        Value::String(text) => {
            if let Some(hidden) = text_without(text) {
                *text = hidden;
            }
        }
        _ => {}
    }
}

fn text_without(text: &str) -> Option<String> {
    if let Some((before, after)) = text.split_once(IN_BRACKETS) {
        let rest = after.rsplit_once(')').map_or("", |(_, rest)| rest);
        return Some(format!("{before}{IN_BRACKETS}{HIDDEN}){rest}"));
    }
    if !text.contains(PLAYER_SESSION) {
        return None;
    }
    let mut pieces = text.split(PLAYER_SESSION);
    let mut hidden = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(piece.len());
        hidden.push_str(HIDDEN);
        hidden.push_str(&piece[end..]);
    }
    Some(hidden)
}
