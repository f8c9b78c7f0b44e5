//! Every message against text: what the official SDKs and the service send reads, and what we send is exactly this.
//!
//! The fixtures are of our own making, after captures of Go SDK 5.6.0 and C++ SDK 5.4.0 and the source of the C# SDK.
#![cfg(test)]

use gamelift_wire::attribute_value::AttributeValue;
use gamelift_wire::envelope::{
    Action, ClientFrame, FrameError, Refusal, RefusalKind, ServiceFrame, error_text, success_text,
};
use gamelift_wire::ids::{GameSessionId, PlayerSessionId, RequestId};
use gamelift_wire::matchmaker_data::MatchmakerData;
use gamelift_wire::model::{EpochMillis, PlayerSession, PlayerSessionStatus};
use gamelift_wire::requests::{
    BackfillStarted, ComputeCertificate, Empty, FleetRoleCredentials, PlayerSessionsPage, Request,
};

/// Name, frame as received, text as we write it.
fn fixtures(file: &str) -> Vec<(String, String, String)> {
    let cases: Vec<serde_json::Value> = serde_json::from_str(file).unwrap();
    cases
        .into_iter()
        .map(|case| {
            let text = |key: &str| case[key].as_str().unwrap().to_owned();
            (text("name"), case["frame"].to_string(), text("ours"))
        })
        .collect()
}

#[test]
fn every_request_of_every_dialect_reads_and_is_written_our_way() {
    for (name, frame, ours) in fixtures(include_str!("golden/requests.json")) {
        let read = ClientFrame::parse(&frame).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read.request.to_text(&read.request_id), ours, "{name}");
        assert_eq!(
            ClientFrame::parse(&ours).as_ref(),
            Ok(&read),
            "{name}: what we write reads back the same"
        );
    }
}

#[test]
fn every_push_reads_and_is_written_our_way() {
    for (name, frame, ours) in fixtures(include_str!("golden/pushes.json")) {
        let push =
            ServiceFrame::parse(&frame).unwrap().push().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(push.to_text(), ours, "{name}");
        assert_eq!(ServiceFrame::parse(&ours).unwrap().push().as_ref(), Ok(&push), "{name}");
    }
}

#[test]
fn the_fixtures_cover_all_sixteen_actions() {
    let mut seen: Vec<String> = [include_str!("golden/requests.json"), include_str!("golden/pushes.json")]
        .iter()
        .flat_map(|file| fixtures(file))
        .map(|(_, frame, _)| {
            let frame: serde_json::Value = serde_json::from_str(&frame).unwrap();
            frame["Action"].as_str().unwrap().to_owned()
        })
        .collect();
    seen.sort();
    seen.dedup();
    let mut known: Vec<String> = Action::KNOWN.iter().map(ToString::to_string).collect();
    known.sort();
    assert_eq!(seen, known);
    assert_eq!(known.len(), 16);
}

fn id() -> RequestId {
    RequestId::new_unchecked("r-1")
}

#[test]
fn a_bare_success_is_action_request_id_and_200() {
    let text = success_text(&Action::AcceptPlayerSession, &id(), &Empty {});
    assert_eq!(text, r#"{"Action":"AcceptPlayerSession","RequestId":"r-1","StatusCode":200}"#);
    let frame = ServiceFrame::parse(&text).unwrap();
    assert_eq!(frame.request_id, Some(id()));
    assert_eq!(frame.outcome, Ok(()));
}

#[test]
fn a_page_of_player_sessions_reads_back_as_written() {
    let mut session = PlayerSession::default();
    session.player_id = Some("player-1".into());
    session.player_session_id = PlayerSessionId::new_unchecked("psess-1");
    session.game_session_id = GameSessionId::new_unchecked("arn:g");
    session.port = Some(7777);
    session.creation_time = Some(EpochMillis(1_700_000_000_123));
    session.status = Some(PlayerSessionStatus::Active);
    let page = PlayerSessionsPage { next_token: Some("next-1".into()), player_sessions: vec![session] };
    let text = success_text(&Action::DescribePlayerSessions, &id(), &page);
    assert_eq!(
        text,
        r#"{"Action":"DescribePlayerSessions","RequestId":"r-1","StatusCode":200,"NextToken":"next-1","PlayerSessions":[{"PlayerId":"player-1","PlayerSessionId":"psess-1","GameSessionId":"arn:g","Port":7777,"CreationTime":1700000000123,"Status":"ACTIVE"}]}"#
    );
    assert_eq!(ServiceFrame::parse(&text).unwrap().body::<PlayerSessionsPage>().unwrap(), page);
}

#[test]
fn answers_with_null_or_missing_parts_read_as_empty() {
    let text = r#"{"Action":"DescribePlayerSessions","RequestId":"r-1","StatusCode":200,"NextToken":null,"PlayerSessions":null}"#;
    assert_eq!(ServiceFrame::parse(text).unwrap().body(), Ok(PlayerSessionsPage::default()));
    let bare = success_text(&Action::StartMatchBackfill, &id(), &Empty {});
    assert_eq!(ServiceFrame::parse(&bare).unwrap().body(), Ok(BackfillStarted::default()));
    assert_eq!(ServiceFrame::parse(&bare).unwrap().body(), Ok(ComputeCertificate::default()));
    let anywhere: FleetRoleCredentials = ServiceFrame::parse(&bare).unwrap().body().unwrap();
    assert!(anywhere.access_key_id.is_empty());
}

#[test]
fn credentials_read_and_do_not_print_their_secrets() {
    let text = r#"{"StatusCode":200,"AccessKeyId":"AKID","SecretAccessKey":"s3cret","SessionToken":"t0ken","Expiration":1795349089287}"#;
    let credentials: FleetRoleCredentials = ServiceFrame::parse(text).unwrap().body().unwrap();
    assert_eq!(credentials.expiration, Some(EpochMillis(1_795_349_089_287)));
    let printed = format!("{credentials:?}");
    assert!(!printed.contains("s3cret") && !printed.contains("t0ken"), "{printed}");
}

#[test]
fn only_200_is_success_and_the_kinds_follow_the_table() {
    let refusal = |status: &str| {
        let text =
            format!(r#"{{"Action":"AcceptPlayerSession","RequestId":"r-1"{status},"ErrorMessage":"no"}}"#);
        ServiceFrame::parse(&text).unwrap().outcome.map_err(|refusal| refusal.kind())
    };
    assert_eq!(refusal(r#","StatusCode":200"#), Ok(()));
    for (status, kind) in [
        (400, RefusalKind::BadRequest),
        (401, RefusalKind::Unauthorized),
        (403, RefusalKind::Forbidden),
        (404, RefusalKind::NotFound),
        (409, RefusalKind::Conflict),
        (418, RefusalKind::BadRequest),
        (429, RefusalKind::TooManyRequests),
        (500, RefusalKind::InternalService),
        (302, RefusalKind::InternalService),
        (201, RefusalKind::InternalService),
        (0, RefusalKind::InternalService),
    ] {
        assert_eq!(refusal(&format!(r#","StatusCode":{status}"#)), Err(kind), "{status}");
    }
    assert_eq!(refusal(""), Err(RefusalKind::InternalService), "missing");
    assert_eq!(refusal(r#","StatusCode":"200""#), Err(RefusalKind::InternalService), "mistyped");
}

#[test]
fn a_refusal_reads_as_written_and_says_what_it_means() {
    let text = error_text(&Action::AcceptPlayerSession, &id(), 404, "no such player session");
    let refusal = ServiceFrame::parse(&text).unwrap().outcome.unwrap_err();
    assert_eq!(refusal, Refusal { status_code: Some(404), message: "no such player session".into() });
    assert_eq!(refusal.to_string(), "NotFound: no such player session");
    let silent = Refusal { status_code: None, message: String::new() };
    assert_eq!(silent.to_string(), "InternalService");
}

#[test]
fn frames_that_are_no_requests_say_so_and_whom_to_answer() {
    assert!(matches!(ClientFrame::parse("this is not json"), Err(FrameError::NotJson { .. })));
    assert!(matches!(ClientFrame::parse(""), Err(FrameError::NotJson { .. })));
    for text in ["[1,2]", "5", "null", "\"x\"", r#"["AcceptPlayerSession","r-1"]"#] {
        assert_eq!(ClientFrame::parse(text), Err(FrameError::NotAnObject), "{text}");
    }
    let unknown = ClientFrame::parse(r#"{"Action":"Dance","RequestId":"r-1"}"#).unwrap_err();
    assert_eq!(unknown.request_id(), Some(&id()));
    let nameless = ClientFrame::parse(r#"{"RequestId":"r-1"}"#).unwrap_err();
    assert_eq!(nameless, FrameError::NoAction { request_id: Some(id()) });
    let mistyped = ClientFrame::parse(
        r#"{"Action":"AcceptPlayerSession","RequestId":"r-1","GameSessionId":"arn:g","PlayerSessionId":["psess-1"]}"#,
    )
    .unwrap_err();
    assert_eq!(mistyped.request_id(), Some(&id()));
    assert!(!mistyped.to_string().contains("psess-1"), "{mistyped}");
    assert_eq!(
        ClientFrame::parse(r#"{"Action":"GetComputeCertificate"}"#),
        Err(FrameError::NoRequestId { action: Action::GetComputeCertificate })
    );
}

#[test]
fn a_key_that_stands_twice_does_not_lose_the_frame() {
    let text = r#"{"Action":"Dance","Action":"GetComputeCertificate","RequestId":"r-1"}"#;
    assert_eq!(
        ClientFrame::parse(text),
        Ok(ClientFrame { request_id: id(), request: Request::GetComputeCertificate })
    );
}

#[test]
fn frames_of_an_api_gateway_are_no_pushes() {
    let text = r#"{"message":"Internal server error","connectionId":"abc=","requestId":"xyz="}"#;
    let frame = ServiceFrame::parse(text).unwrap();
    assert_eq!(frame.request_id, None);
    assert_eq!(frame.push(), Err(FrameError::NoAction { request_id: None }));
}

#[test]
fn matchmaker_data_is_byte_for_byte_what_game_sessions_carry() {
    let text = include_str!("golden/matchmaker_data.json").trim_end();
    let data = MatchmakerData::parse(text).unwrap();
    assert_eq!(data.to_text(), text);
    let players: Vec<_> = data.players().map(|(team, player)| (team, player.player_id.as_str())).collect();
    assert_eq!(players, [("red", "p1"), ("blue", "p2")]);
    assert_eq!(data.teams[0].players[0].attributes["score"], AttributeValue::Double(5.0));
}

#[test]
fn an_attribute_of_an_unknown_type_does_not_cost_the_match() {
    let text = r#"{"matchId":"m","teams":[{"name":"red","players":[{"playerId":"p1","attributes":{"odd":{"attributeType":"BOOL","valueAttribute":true},"ok":{"attributeType":"DOUBLE","valueAttribute":1}}}]}]}"#;
    let attributes = &MatchmakerData::parse(text).unwrap().teams[0].players[0].attributes;
    assert_eq!(attributes.keys().collect::<Vec<_>>(), ["ok"]);
}
