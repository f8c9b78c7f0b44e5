//! Whatever arrives, parsing answers with a value or an error.
#![cfg(test)]

use gamelift_wire::envelope::{Action, ClientFrame, ServiceFrame};
use gamelift_wire::matchmaker_data::MatchmakerData;
use gamelift_wire::requests::{FleetRoleCredentials, PlayerSessionsPage};
use proptest::prelude::*;

fn read_every_way(text: &str) {
    let _ = ClientFrame::parse(text);
    let _ = MatchmakerData::parse(text);
    if let Ok(frame) = ServiceFrame::parse(text) {
        let _ = frame.push();
        let _ = frame.body::<PlayerSessionsPage>();
        let _ = frame.body::<FleetRoleCredentials>();
    }
}

/// Any JSON value, a few levels deep.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::Array),
            prop::collection::btree_map(".{0,8}", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

const KEYS: &[&str] = &[
    "RequestId",
    "StatusCode",
    "ErrorMessage",
    "GameSessionId",
    "GameSession",
    "GameProperties",
    "Port",
    "Players",
    "PlayerSessions",
    "TerminationTime",
    "UpdateReason",
    "HealthStatus",
    "LogPaths",
    "PlayerSessionPolicy",
    "AuthToken",
    "teams",
    "Limit",
    "Expiration",
];

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_every_way(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_values_under_the_right_keys_make_a_parser_panic(
        action in 0..Action::KNOWN.len(),
        fields in prop::collection::vec((0..KEYS.len(), json()), 0..6),
    ) {
        let mut object = serde_json::Map::new();
        object.insert("Action".into(), Action::KNOWN[action].as_str().into());
        for (key, value) in fields {
            object.insert(KEYS[key].into(), value);
        }
        read_every_way(&serde_json::Value::Object(object).to_string());
    }

    #[test]
    fn a_truncated_frame_is_an_error_and_nothing_else(cut in 0usize..120) {
        let whole = r#"{"Action":"AcceptPlayerSession","RequestId":"r-1","GameSessionId":"arn:g","PlayerSessionId":"psess-1"}"#;
        let cut = cut.min(whole.len() - 1);
        prop_assert!(ClientFrame::parse(&whole[..cut]).is_err());
    }
}
