//! What is asked over HTTP: a container's endpoints, and GetComputeAuthToken. Real sockets on loopback.
#![cfg(test)]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gamelift_server_sdk::compute_auth_token::{AwsKeys, ComputeAuthToken};
use gamelift_server_sdk::container::ContainerEndpoints;
use gamelift_server_sdk::test_util::{self, Knock};
use gamelift_server_sdk::wire::connect::{Authorization, ConnectQuery};
use gamelift_server_sdk::{
    Config, ConfigError, ConnectError, CredentialsError, DialError, Ready, TokenProvider,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

async fn patient<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(20), future).await.expect("nothing happened for 20 s")
}

/// Statuses and bodies, in turn.
type Answers = VecDeque<(u16, String)>;

/// Answers each path with what was put there, the last answer again and again.
#[derive(Clone, Default)]
struct Endpoint {
    answers: Arc<Mutex<BTreeMap<String, Answers>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    async fn start(self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let endpoint = self.clone();
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    let mut chunk = [0; 4_096];
                    while !complete(&request) {
                        match stream.read(&mut chunk).await {
                            Ok(0) | Err(_) => return,
                            Ok(read) => request.extend_from_slice(&chunk[..read]),
                        }
                    }
                    let request = String::from_utf8(request).unwrap();
                    let (status, body) = endpoint.answer(request.split(' ').nth(1).unwrap());
                    endpoint.requests.lock().unwrap().push(request);
                    let answer = format!(
                        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        port
    }

    fn put(self, path: &str, answers: &[(u16, &str)]) -> Self {
        let answers = answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        self.answers.lock().unwrap().insert(path.to_owned(), answers);
        self
    }

    fn answer(&self, path: &str) -> (u16, String) {
        let mut answers = self.answers.lock().unwrap();
        let Some(answers) = answers.get_mut(path) else {
            return (404, "nothing there".to_owned());
        };
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

// --- containers ---------------------------------------------------------------------------------------------------------

const KEYS: &str = r#"{"RoleArn":"r","AccessKeyId":"ASIAONE","SecretAccessKey":"one","Token":"t/+=","Expiration":"2030-01-01T00:00:00Z"}"#;
const OTHER_KEYS: &str = r#"{"AccessKeyId":"ASIATWO","SecretAccessKey":"two","Token":"t2"}"#;
const TASK: &str = r#"{"Cluster":"c","TaskARN":"arn:aws:ecs:us-west-2:211125306013:task/HelloWorldCluster/5c1a9b3178434e158ed1f2c16be69d14"}"#;
const TASK_ID: &str = "5c1a9b3178434e158ed1f2c16be69d14";

fn endpoints(port: u16) -> ContainerEndpoints {
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}").parse().unwrap();
    ContainerEndpoints::new(url("/v2/credentials/uuid"), url("/v4/abc"))
}

fn in_container(port: u16) -> Config {
    Config::builder()
        .websocket_url("ws://in.memory")
        .fleet_id("containerfleet-1")
        .process_id("proc-1")
        .region("us-west-2")
        .container(endpoints(port))
        .connect_timeout(Duration::from_secs(15))
        .build()
        .unwrap()
}

fn signed(knock: &Knock) -> (ConnectQuery, String) {
    let query = knock.query();
    match query.authorization.clone() {
        Authorization::SigV4(signature) => {
            (query, signature.credential.split('/').next().unwrap().to_owned())
        }
        other => panic!("not signed: {other:?}"),
    }
}

#[tokio::test]
async fn a_container_connects_as_its_task_with_keys_fetched_anew_at_each_attempt() {
    let endpoint = Endpoint::default()
        .put("/v2/credentials/uuid", &[(200, KEYS), (200, OTHER_KEYS)])
        .put("/v4/abc/task", &[(200, TASK), (500, "gone")]);
    let port = endpoint.clone().start().await;
    patient(async {
        let (network, mut service) = test_util::network();
        let config = in_container(port);
        let shown = config.clone();
        assert_eq!(shown.host_id(), None);
        let connecting = tokio::spawn(async move { network.connect(config).await });
        let knock = service.knock().await;
        let (query, key) = signed(&knock);
        assert_eq!((query.compute_id.as_str(), key.as_str()), (TASK_ID, "ASIAONE"));
        assert!(knock.raw_query().contains("X-Amz-Security-Token=t%2F%2B%3D"), "encoded");
        assert_eq!(shown.host_id(), Some(TASK_ID));
        let mut socket = knock.accept();
        let connected = connecting.await.unwrap().unwrap();
        let (ready, _) =
            tokio::join!(connected.ready(Ready::on_port(7777)), socket.answer("ActivateServerProcess"));
        let _ready = ready.unwrap();
        drop(socket);
        // The metadata fails by now; the task is known.
        let (query, key) = signed(&service.knock().await);
        assert_eq!((query.compute_id.as_str(), key.as_str()), (TASK_ID, "ASIATWO"));
    })
    .await;
}

async fn failure(keys: (u16, &str), task: (u16, &str)) -> (ConnectError, String) {
    let endpoint = Endpoint::default().put("/v2/credentials/uuid", &[keys]).put("/v4/abc/task", &[task]);
    let port = endpoint.start().await;
    let (network, _service) = test_util::network();
    let error = patient(network.connect(in_container(port))).await.unwrap_err();
    let text = error.to_string();
    (error, text)
}

#[tokio::test]
async fn a_container_whose_metadata_is_missing_or_nonsense_is_a_typed_error_and_the_program_lives() {
    for (keys, task, expected) in [
        ((200, KEYS), (404, "no such task"), "HTTP 404: no such task"),
        ((200, KEYS), (200, "{}"), "TaskARN"),
        ((200, KEYS), (200, r#"{"TaskARN":"arn-without-slash"}"#), "arn-without-slash"),
        ((200, KEYS), (200, "<html>"), "line 1, column 1"),
        ((403, "denied"), (200, TASK), "HTTP 403: denied"),
        ((200, "{}"), (200, TASK), "AccessKeyId"),
        ((200, "garbage s3cret"), (200, TASK), "credentials endpoint"),
    ] {
        let (error, text) = failure(keys, task).await;
        assert!(
            matches!(
                &error,
                ConnectError::Unreachable {
                    attempts: 1,
                    last: DialError::Credentials(CredentialsError::Denied(_))
                }
            ),
            "{error}"
        );
        assert!(text.contains(expected), "{text} should name {expected}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[tokio::test]
async fn a_container_endpoint_that_is_busy_is_asked_again() {
    let endpoint = Endpoint::default()
        .put("/v2/credentials/uuid", &[(429, "slow down"), (500, "oops"), (200, KEYS)])
        .put("/v4/abc/task", &[(200, TASK)]);
    let port = endpoint.start().await;
    let (network, mut service) = test_util::network();
    let connecting = tokio::spawn(async move { network.connect(in_container(port)).await });
    patient(async {
        let _socket = service.accept().await;
        drop(connecting.await.unwrap().unwrap());
    })
    .await;
}

#[test]
fn container_endpoints_come_from_the_environment_and_what_is_wrong_is_named() {
    let lookup = |pairs: &'static [(&str, &str)]| {
        move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    };
    const RELATIVE: (&str, &str) = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/uuid");
    const METADATA: (&str, &str) = ("ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/abc");
    ContainerEndpoints::from_lookup(lookup(&[RELATIVE, METADATA])).unwrap();
    for (pairs, name) in [
        (&[METADATA][..], RELATIVE.0),
        (&[RELATIVE], METADATA.0),
        (&[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ".evil.example"), METADATA], RELATIVE.0),
        (&[RELATIVE, ("ECS_CONTAINER_METADATA_URI_V4", "ftp://x")], METADATA.0),
    ] {
        let error: ConfigError = ContainerEndpoints::from_lookup(lookup(pairs)).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[tokio::test]
async fn the_containers_of_an_instance_are_listed_with_their_addresses() {
    let body = r#"[{"containerName":"game-server","containerId":"abc123","ipAddress":"172.17.0.5","containerGroupType":"GAME_SERVER"}]"#;
    let endpoint = Endpoint::default().put("/discovery/v1/", &[(200, body)]);
    let port = endpoint.start().await;
    let discovery = format!("http://127.0.0.1:{port}/discovery").parse().unwrap();
    let found = patient(endpoints(1).with_discovery(discovery).network_info()).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].container_name.as_str(), found[0].ip_address.as_str()),
        ("game-server", "172.17.0.5")
    );
    assert_eq!(
        (found[0].container_id.as_str(), found[0].container_group_type.as_str()),
        ("abc123", "GAME_SERVER")
    );
}

/// Nobody listens on the port that follows from it; the error shows that the right address was asked.
#[tokio::test]
async fn without_a_discovery_endpoint_the_tasks_first_address_leads_to_it() {
    let metadata = r#"{"Networks":[{"NetworkMode":"bridge","IPv4Addresses":["127.0.0.99"]}]}"#;
    let port = Endpoint::default().put("/v4/abc", &[(200, metadata)]).start().await;
    let error = patient(endpoints(port).network_info()).await.unwrap_err();
    assert!(
        matches!(&error, CredentialsError::Unavailable(text) if text.contains("127.0.0.1:4092")),
        "{error}"
    );
    let port = Endpoint::default().put("/v4/abc", &[(200, "{}")]).start().await;
    let error = patient(endpoints(port).network_info()).await.unwrap_err();
    assert!(matches!(&error, CredentialsError::Denied(text) if text.contains("IPv4")), "{error}");
}

// --- GetComputeAuthToken ------------------------------------------------------------------------------------------------

/// 2024-08-05T10:00:00Z.
const NOW: u64 = 1_722_852_000;

struct Clock(Arc<Mutex<u64>>);

impl Clock {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(NOW)))
    }

    fn reader(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static {
        let seconds = self.0.clone();
        move || UNIX_EPOCH + Duration::from_secs(*seconds.lock().unwrap())
    }

    fn set(&self, seconds: u64) {
        *self.0.lock().unwrap() = seconds;
    }
}

fn provider(port: u16, clock: &Clock) -> ComputeAuthToken {
    let keys =
        AwsKeys::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Some("session".to_owned()));
    let endpoint = format!("http://127.0.0.1:{port}/");
    ComputeAuthToken::at(&endpoint, "us-west-2", "fleet-1", "my-laptop", keys)
        .unwrap()
        .wall_clock(clock.reader())
}

fn answer(token: &str, expires: u64) -> String {
    format!(
        r#"{{"FleetId":"fleet-1","ComputeName":"my-laptop","AuthToken":"{token}","ExpirationTimestamp":{expires}.5}}"#
    )
}

#[tokio::test]
async fn a_token_is_asked_for_again_shortly_before_it_expires_and_after_it_was_refused() {
    let (first, second, third) =
        (answer("one", NOW + 900), answer("two", NOW + 1_800), answer("three", NOW + 2_700));
    let endpoint = Endpoint::default().put("/", &[(200, &first), (200, &second), (200, &third)]);
    let port = endpoint.clone().start().await;
    let clock = Clock::new();
    let provider = provider(port, &clock);
    let token = async || patient(provider.token()).await.unwrap().as_str().to_owned();
    assert_eq!((token().await, token().await), ("one".to_owned(), "one".to_owned()));
    clock.set(NOW + 839);
    assert_eq!(token().await, "one", "a minute and more is enough to connect");
    clock.set(NOW + 841);
    assert_eq!(token().await, "two");
    provider.refused();
    assert_eq!(token().await, "three");
    assert_eq!(endpoint.requests().len(), 3);
}

#[tokio::test]
async fn the_call_is_aws_json_and_signed_for_this_moment() {
    let endpoint = Endpoint::default().put("/", &[(200, &answer("one", NOW + 900))]);
    let port = endpoint.clone().start().await;
    patient(provider(port, &Clock::new()).token()).await.unwrap();
    let request = endpoint.requests().remove(0);
    let header = |name: &str| {
        let found = request.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}: ")));
        found.unwrap_or_else(|| panic!("no {name}: {request}")).split_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(header("x-amz-target"), "GameLift.GetComputeAuthToken");
    assert_eq!(header("content-type"), "application/x-amz-json-1.1");
    assert_eq!(header("x-amz-date"), "20240805T100000Z");
    assert_eq!(header("x-amz-security-token"), "session");
    assert_eq!(header("host"), format!("127.0.0.1:{port}"));
    assert!(
        header("authorization").starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240805/us-west-2/gamelift/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature="
        ),
        "{request}"
    );
    assert!(request.ends_with(r#"{"ComputeName":"my-laptop","FleetId":"fleet-1"}"#), "{request}");
}

#[tokio::test]
async fn a_refused_or_odd_answer_is_told_by_whether_asking_again_helps() {
    for (status, body, again) in [
        (400, r#"{"__type":"UnauthorizedException","Message":"no"}"#, false),
        (404, r#"{"__type":"NotFoundException"}"#, false),
        (200, "{}", false),
        (200, "<html>", false),
        (429, "throttled", true),
        (503, "down", true),
    ] {
        let port = Endpoint::default().put("/", &[(status, body)]).start().await;
        let error = patient(provider(port, &Clock::new()).token()).await.unwrap_err();
        assert_eq!(matches!(error, CredentialsError::Unavailable(_)), again, "{status}: {error}");
        assert!(error.to_string().contains("GetComputeAuthToken"), "{error}");
    }
}

#[test]
fn an_endpoint_or_region_that_makes_no_url_is_refused() {
    let keys = || AwsKeys::new("a", "s", None);
    assert!(ComputeAuthToken::new("us-west-2", "f", "c", keys()).is_ok());
    assert!(ComputeAuthToken::new("us west", "f", "c", keys()).is_err());
    assert!(ComputeAuthToken::at("ws://localhost", "us-west-2", "f", "c", keys()).is_err());
}
