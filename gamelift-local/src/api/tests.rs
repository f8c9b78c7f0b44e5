//! The API through its router, without a port: both protocols, and what bad requests get.

use axum::body::Body;
use ciborium::Value as Cbor;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::{
    Clock,
    clock::RunningClock,
    driver::Driver,
    engine::{Engine, Settings},
};

/// A router with an empty service behind it.
fn api() -> Router {
    let (handle, driver) =
        Driver::new(Engine::new(Settings::default(), 1), RunningClock::start(Clock::Manual));
    tokio::spawn(driver.run());
    router(handle)
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    fn cbor(&self) -> Cbor {
        ciborium::from_reader(self.body.as_slice()).expect("a CBOR body")
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Status and error name, of the body and of the header alike.
    fn error(&self) -> (u16, String) {
        let name = match self.header("content-type") {
            "application/cbor" => {
                let name = field(&self.cbor(), "__type").into_text().unwrap();
                assert!(field(&self.cbor(), "Message").is_text());
                name.strip_prefix("com.amazonaws.gamelift#").expect("an absolute shape id").to_owned()
            }
            _ => {
                assert!(self.json()["Message"].is_string());
                self.json()["__type"].as_str().unwrap().to_owned()
            }
        };
        assert_eq!(self.header("x-amzn-errortype"), name);
        (self.status, name)
    }
}

fn field(map: &Cbor, name: &str) -> Cbor {
    let entries = map.as_map().expect("a map");
    let found = entries.iter().find(|(key, _)| key.as_text() == Some(name));
    found.unwrap_or_else(|| panic!("{name} in {map:?}")).1.clone()
}

async fn send(api: &Router, request: Request) -> Answer {
    let response = api.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

fn json_request(operation: &str, body: impl Into<Body>) -> Request {
    Request::post("/")
        .header("X-Amz-Target", format!("GameLift.{operation}"))
        .header("Content-Type", "application/x-amz-json-1.1")
        .body(body.into())
        .unwrap()
}

fn cbor_request(operation: &str, body: impl Into<Body>) -> Request {
    Request::post(format!("{CBOR_PATH}{operation}"))
        .header("smithy-protocol", "rpc-v2-cbor")
        .header("Content-Type", "application/cbor")
        .body(body.into())
        .unwrap()
}

fn to_cbor(value: Value) -> Vec<u8> {
    let mut body = Vec::new();
    ciborium::into_writer(&value, &mut body).unwrap();
    body
}

async fn ok(api: &Router, operation: &str, body: Value) -> Value {
    let answer = send(api, json_request(operation, body.to_string())).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

async fn fleet(api: &Router) -> String {
    ok(api, "CreateLocation", json!({ "LocationName": "custom-a" })).await;
    let body = json!({ "Name": "f", "ComputeType": "ANYWHERE", "Locations": [{ "Location": "custom-a" }] });
    let fleet = ok(api, "CreateFleet", body).await;
    fleet["FleetAttributes"]["FleetId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn json_answers_have_the_headers_aws_clients_look_for_and_times_as_numbers() {
    let api = api();
    let fleet = fleet(&api).await;
    let answer =
        send(&api, json_request("DescribeFleetAttributes", json!({ "FleetIds": [fleet] }).to_string())).await;
    assert_eq!(answer.header("content-type"), "application/x-amz-json-1.1");
    assert_eq!(answer.header("x-amzn-requestid").len(), 36);
    let fleet = &answer.json()["FleetAttributes"][0];
    assert!(fleet["CreationTime"].is_f64(), "{fleet}");
    assert_eq!(fleet.get("Description"), None, "absent members are left out");
}

#[tokio::test]
async fn cbor_answers_have_times_as_tag_1_around_a_number() {
    let api = api();
    let fleet = fleet(&api).await;
    let answer =
        send(&api, cbor_request("DescribeFleetAttributes", to_cbor(json!({ "FleetIds": [fleet] })))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("smithy-protocol"), "rpc-v2-cbor");
    assert_eq!(answer.header("content-type"), "application/cbor");
    let fleet = field(&answer.cbor(), "FleetAttributes").as_array().unwrap()[0].clone();
    let Cbor::Tag(1, seconds) = field(&fleet, "CreationTime") else { panic!("no tag 1: {fleet:?}") };
    assert!(seconds.is_float());
}

#[tokio::test]
async fn cbor_of_indefinite_length_is_read() {
    // {_ "LocationName": (_ "custom-", "b")}: how streaming encoders write (RFC 8949, section 3.2).
    let mut body = vec![0xbf, 0x6c];
    body.extend_from_slice(b"LocationName");
    body.extend_from_slice(&[0x7f, 0x67]);
    body.extend_from_slice(b"custom-");
    body.extend_from_slice(&[0x61, b'b', 0xff, 0xff]);
    let answer = send(&api(), cbor_request("CreateLocation", body)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(field(&field(&answer.cbor(), "Location"), "LocationName").as_text(), Some("custom-b"));
}

#[tokio::test]
async fn an_empty_answer_is_an_empty_structure() {
    let api = api();
    for location in ["custom-a", "custom-b"] {
        ok(&api, "CreateLocation", json!({ "LocationName": location })).await;
    }
    let body = json!({ "LocationName": "custom-a" });
    assert_eq!(ok(&api, "DeleteLocation", body).await, json!({}));
    let answer =
        send(&api, cbor_request("DeleteLocation", to_cbor(json!({ "LocationName": "custom-b" })))).await;
    assert_eq!(answer.cbor(), Cbor::Map(Vec::new()));
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_serialization_exceptions() {
    let api = api();
    let expected = (400, "SerializationException".to_owned());
    for body in ["not json", "[]", "5", "null", "{", "{} x", "\"text\"", r#"{"LocationName": 5}"#] {
        let answer = send(&api, json_request("CreateLocation", body)).await;
        assert_eq!(answer.error(), expected, "{body}");
    }
    let mut trailing = to_cbor(json!({}));
    trailing.push(0);
    for body in
        [b"{}".to_vec(), vec![0x80], vec![0xa1], vec![0xbf], trailing, to_cbor(json!({ "LocationName": 5 }))]
    {
        let answer = send(&api, cbor_request("CreateLocation", body.clone())).await;
        assert_eq!(answer.error(), expected, "{body:x?}");
    }
    let answer = send(&api, json_request("CreateLocation", vec![b'{', 0xff, b'}'])).await;
    assert_eq!(answer.error(), expected);
}

#[tokio::test]
async fn an_empty_body_is_an_empty_input() {
    let api = api();
    assert_eq!(send(&api, json_request("ListFleets", "")).await.json(), json!({ "FleetIds": [] }));
    assert_eq!(send(&api, cbor_request("ListFleets", "")).await.status, 200);
}

#[tokio::test]
async fn operations_we_lack_are_unknown_never_a_fake_success() {
    let api = api();
    let expected = (404, "UnknownOperationException".to_owned());
    let long = "x".repeat(10_000);
    for name in ["ListBuilds", "", "createLocation", &long] {
        assert_eq!(send(&api, json_request(name, "{}")).await.error(), expected);
    }
    assert_eq!(send(&api, cbor_request("ListBuilds", vec![0xa0])).await.error(), expected);
    for request in [
        Request::post("/").body(Body::from("{}")),
        Request::post("/").header("X-Amz-Target", "DynamoDB_20120810.ListTables").body(Body::from("{}")),
        Request::post("/elsewhere").header("X-Amz-Target", "GameLift.ListFleets").body(Body::from("{}")),
        Request::get("/").body(Body::empty()),
        Request::get("/service/GameLift/operation/ListFleets").body(Body::empty()),
    ] {
        assert_eq!(send(&api, request.unwrap()).await.error(), expected);
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_too_large() {
    let answer = send(&api(), json_request("CreateLocation", vec![b' '; BODY_MAX + 1])).await;
    assert_eq!(answer.error(), (413, "RequestEntityTooLargeException".to_owned()));
}

#[tokio::test]
async fn broken_rules_name_the_field_the_value_and_the_rule() {
    let answer = send(&api(), json_request("CreateLocation", r#"{"LocationName":"laptop-1"}"#)).await;
    assert_eq!(answer.error(), (400, "InvalidRequestException".to_owned()));
    assert_eq!(
        answer.json()["Message"],
        r"1 validation error detected: Value 'laptop-1' at 'locationName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^custom-[A-Za-z0-9\-]+$"
    );
    let answer = send(&api(), json_request("CreateLocation", "{}")).await;
    assert_eq!(
        answer.json()["Message"],
        "1 validation error detected: Value null at 'locationName' failed to satisfy constraint: Member must not be null"
    );
}

#[tokio::test]
async fn both_protocols_name_the_same_errors() {
    let api = api();
    let fleet = fleet(&api).await;
    for (operation, body, name) in [
        ("DescribeCompute", json!({ "FleetId": "fleet-none", "ComputeName": "c" }), "NotFoundException"),
        ("CreateLocation", json!({ "LocationName": "custom-a" }), "ConflictException"),
        (
            "CreateGameSession",
            json!({ "FleetId": fleet, "MaximumPlayerSessionCount": 1, "Location": "custom-a" }),
            "FleetCapacityExceededException",
        ),
        ("ListFleets", json!({ "NextToken": "made-up" }), "InvalidRequestException"),
    ] {
        let expected = (400, name.to_owned());
        assert_eq!(send(&api, json_request(operation, body.to_string())).await.error(), expected);
        assert_eq!(send(&api, cbor_request(operation, to_cbor(body))).await.error(), expected);
    }
}

#[tokio::test]
async fn queues_and_placements_speak_both_protocols() {
    let api = api();
    let fleet = fleet(&api).await;
    let arn = format!("arn:aws:gamelift:us-west-2::fleet/{fleet}");
    let queue = json!({
        "Name": "q", "Destinations": [{ "DestinationArn": arn }],
        "PriorityConfiguration": { "PriorityOrder": ["LOCATION"], "LocationOrder": ["custom-a"] },
    });
    let answer = ok(&api, "CreateGameSessionQueue", queue.clone()).await;
    let mut expected = queue;
    expected["GameSessionQueueArn"] = json!("arn:aws:gamelift:us-west-2:123456789012:gamesessionqueue/q");
    expected["TimeoutInSeconds"] = json!(600);
    expected["PlayerLatencyPolicies"] = json!([]);
    assert_eq!(answer, json!({ "GameSessionQueue": expected }));

    // The Rust SDK writes a Float as a single-precision number.
    let latency = [("PlayerId", "ada".into()), ("RegionIdentifier", "custom-a".into())];
    let latency = latency.map(|(name, value): (&str, Cbor)| (Cbor::from(name), value)).into_iter();
    let latency = Cbor::Map(latency.chain([("LatencyInMilliseconds".into(), Cbor::Float(12.5))]).collect());
    let input = Cbor::Map(vec![
        ("PlacementId".into(), "p".into()),
        ("GameSessionQueueName".into(), "q".into()),
        ("MaximumPlayerSessionCount".into(), 2.into()),
        ("PlayerLatencies".into(), Cbor::Array(vec![latency])),
    ]);
    let mut body = Vec::new();
    ciborium::into_writer(&input, &mut body).unwrap();
    let answer = send(&api, cbor_request("StartGameSessionPlacement", body)).await;
    assert_eq!(answer.status, 200);
    let placement = field(&answer.cbor(), "GameSessionPlacement");
    assert_eq!(field(&placement, "Status").as_text(), Some("PENDING"));
    assert!(matches!(field(&placement, "StartTime"), Cbor::Tag(1, _)));
    let latency = field(&placement, "PlayerLatencies").as_array().unwrap()[0].clone();
    assert_eq!(field(&latency, "LatencyInMilliseconds"), Cbor::Float(12.5));

    let stopped = ok(&api, "StopGameSessionPlacement", json!({ "PlacementId": "p" })).await;
    assert_eq!(stopped["GameSessionPlacement"]["Status"], "CANCELLED");
    assert!(stopped["GameSessionPlacement"]["EndTime"].is_f64());
    let described = ok(&api, "DescribeGameSessionPlacement", json!({ "PlacementId": "p" })).await;
    assert_eq!(described, stopped);
    assert_eq!(ok(&api, "DeleteGameSessionQueue", json!({ "Name": "q" })).await, json!({}));
}

#[tokio::test]
async fn matchmaking_speaks_both_protocols() {
    let api = api();
    let rules = json!({
        "ruleLanguageVersion": "1.0",
        "teams": [{ "name": "all", "minPlayers": 2, "maxPlayers": 2 }],
        "playerAttributes": [
            { "name": "skill", "type": "number" }, { "name": "maps", "type": "string_list" },
            { "name": "name", "type": "string" }, { "name": "taste", "type": "string_number_map" },
        ],
    });
    let body = json!({ "Name": "r", "RuleSetBody": rules.to_string() });
    let created = send(&api, cbor_request("CreateMatchmakingRuleSet", to_cbor(body))).await.cbor();
    assert!(matches!(field(&field(&created, "RuleSet"), "CreationTime"), Cbor::Tag(1, _)));
    let body = json!({
        "Name": "m", "RuleSetName": "r", "RequestTimeoutSeconds": 60, "AcceptanceRequired": false,
        "FlexMatchMode": "STANDALONE",
    });
    let created = ok(&api, "CreateMatchmakingConfiguration", body).await;
    assert_eq!(created["Configuration"]["BackfillMode"], "MANUAL");
    assert_eq!(created["Configuration"]["GameSessionQueueArns"], json!([]));

    let player = json!({
        "PlayerId": "ada", "LatencyInMs": { "us-west-2": 20 }, "PlayerAttributes": {
            "skill": { "N": 7.5 }, "maps": { "SL": ["desert"] }, "name": { "S": "Ada" }, "taste": { "SDM": { "tea": 1.5 } },
        },
    });
    let body = json!({ "TicketId": "t", "ConfigurationName": "m", "Players": [player] });
    let started = send(&api, cbor_request("StartMatchmaking", to_cbor(body))).await;
    assert_eq!(started.status, 200);
    let ticket = field(&started.cbor(), "MatchmakingTicket");
    assert_eq!(field(&ticket, "Status").as_text(), Some("QUEUED"));
    assert!(matches!(field(&ticket, "StartTime"), Cbor::Tag(1, _)));
    let described = ok(&api, "DescribeMatchmaking", json!({ "TicketIds": ["t"] })).await;
    assert_eq!(described["TicketList"][0]["Players"], json!([player]));
    assert_eq!(ok(&api, "StopMatchmaking", json!({ "TicketId": "t" })).await, json!({}));

    for (operation, body, name) in [
        ("ValidateMatchmakingRuleSet", json!({ "RuleSetBody": "{}" }), "InvalidRequestException"),
        ("DescribeMatchmakingRuleSets", json!({ "Names": ["none"] }), "NotFoundException"),
        ("DeleteMatchmakingRuleSet", json!({ "Name": "r" }), "InvalidRequestException"),
        ("UpdateMatchmakingConfiguration", json!({ "Name": "none" }), "NotFoundException"),
        ("StartMatchmaking", json!({ "ConfigurationName": "m" }), "InvalidRequestException"),
        ("StartMatchmaking", json!({ "Players": "ada" }), "SerializationException"),
        ("StopMatchmaking", json!({ "TicketId": "none" }), "NotFoundException"),
        ("AcceptMatch", json!({ "TicketId": "t" }), "InvalidRequestException"),
        ("StartMatchBackfill", json!({ "ConfigurationName": "m", "Players": [] }), "InvalidRequestException"),
        ("StopMatchBackfill", json!({}), "UnknownOperationException"),
    ] {
        let status = if name.starts_with("Unknown") { 404 } else { 400 };
        let expected = (status, name.to_owned());
        assert_eq!(send(&api, json_request(operation, body.to_string())).await.error(), expected);
        assert_eq!(send(&api, cbor_request(operation, to_cbor(body))).await.error(), expected);
    }
    assert_eq!(ok(&api, "DeleteMatchmakingConfiguration", json!({ "Name": "m" })).await, json!({}));
    assert_eq!(ok(&api, "DeleteMatchmakingRuleSet", json!({ "Name": "r" })).await, json!({}));
}

#[tokio::test]
async fn what_a_foreign_page_could_send_without_asking_changes_nothing() {
    let api = api();
    // A "simple request" (Fetch standard): POST, with one of three content types and no header of its own.
    let body = to_cbor(json!({ "LocationName": "custom-a" }));
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        for path in
            ["/", "/service/GameLift/operation/CreateLocation", "/?X-Amz-Target=GameLift.CreateLocation"]
        {
            let request = Request::post(path).header("Content-Type", content_type);
            let answer = send(&api, request.body(Body::from(body.clone())).unwrap()).await;
            assert_eq!(answer.error(), (404, "UnknownOperationException".to_owned()), "{path}");
        }
    }
    // A browser that asks first (preflight) is not told yes.
    for path in ["/", "/service/GameLift/operation/CreateLocation"] {
        let asks = Request::options(path).header("Origin", "http://example.com");
        let asks = asks.header("Access-Control-Request-Method", "POST").body(Body::empty()).unwrap();
        let answer = send(&api, asks).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (404, ""));
    }
    let locations = ok(&api, "ListLocations", json!({ "Filters": ["CUSTOM"] })).await;
    assert_eq!(locations["Locations"], json!([]));
}
