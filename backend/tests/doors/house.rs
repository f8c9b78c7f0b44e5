//! The router, and players who sign.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use backend::gateway::identity::ServerSecret;
use backend::gateway::{self, Gateway};
use backend::limits::Rates;
use backend::local::router;
use backend::service::Clock;
use backend::sns::certificate::Origin;
use backend::sns::endpoint::{Endpoint, Trust};
use backend::sns::signature::Signer;
use backend::sns::verify::Policy;
use backend::websocket::Sockets;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::ServiceExt as _;

use crate::bench::{Bench, NOW};

pub(crate) const POOL: &str = "us-west-2:00000000-0000-0000-0000-000000000000";
pub(crate) const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:gamelift-local";
pub(crate) const CERTIFICATE: &str = include_str!("../../src/sns/signature/certificate.pem");
pub(crate) const HOST: &str = "127.0.0.1:9090";

pub(crate) struct House {
    pub(crate) bench: Bench,
    pub(crate) router: Router,
    pub(crate) stop: watch::Sender<bool>,
    clock: Clock,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}")).to_str().unwrap()
    }

    /// The code of an error in our form.
    pub(crate) fn code(&self) -> String {
        let body = self.json();
        assert_eq!(body["requestId"], self.header("x-request-id"));
        assert!(body["error"]["message"].is_string() && body["error"]["retryable"].is_boolean());
        body["error"]["code"].as_str().unwrap().to_owned()
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(&[], trust()).await
    }

    pub(crate) async fn with(cors: &[HeaderValue], trust: Trust) -> Self {
        Self::behind(0, cors, trust).await
    }

    pub(crate) async fn behind(trusted_proxies: u8, cors: &[HeaderValue], trust: Trust) -> Self {
        let bench = Bench::new().await;
        let clock = bench.clock();
        let config = gateway::Config {
            secret: ServerSecret::new([1; 32]),
            region: "us-west-2".to_owned(),
            rates: Rates { identities_per_minute: 100.try_into().unwrap(), ..Rates::default() },
            trusted_proxies,
        };
        let gateway = Gateway::new(config, clock.clone());
        let (stop, stopped) = watch::channel(false);
        let sockets = Sockets::new(bench.backend.clone(), gateway.clone(), stopped);
        let policy = Policy { topics: BTreeSet::from([TOPIC.to_owned()]), version_1: false };
        let events = Endpoint::new(bench.backend.clone(), policy, trust, clock.clone()).unwrap();
        let router = router(&bench.backend, &gateway, sockets, events, cors);
        Self { bench, router, stop, clock }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn cognito(&self, operation: &str, body: Value) -> Answer {
        let request = Request::post("/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("AWSCognitoIdentityService.{operation}"));
        self.send(request.body(body.to_string().into()).unwrap()).await
    }

    /// Step 1 and 2: an identity, and credentials for it.
    pub(crate) async fn player(&self) -> Player {
        let id = self.cognito("GetId", json!({"IdentityPoolId": POOL})).await.json();
        let id = id["IdentityId"].as_str().unwrap().to_owned();
        let answer = self.cognito("GetCredentialsForIdentity", json!({"IdentityId": id})).await.json();
        let text = |name: &str| answer["Credentials"][name].as_str().unwrap().to_owned();
        let credentials = Credentials::new(
            text("AccessKeyId"),
            text("SecretKey"),
            Some(text("SessionToken")),
            None,
            "cognito",
        );
        Player { id, credentials, clock: self.clock.clone() }
    }

    pub(crate) async fn get(&self, player: &Player, path: &str) -> Answer {
        self.send(player.request("GET", path, None, &[])).await
    }

    pub(crate) async fn post(
        &self,
        player: &Player,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.send(player.request("POST", path, Some(body.to_string()), headers)).await
    }

    /// Serves the router on loopback, for what needs a socket.
    pub(crate) async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = self.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    /// A ticket over HTTP.
    pub(crate) async fn start(&self, player: &Player, key: &str) -> Answer {
        let body = json!({"latencies": {"eu-west-1": 32}});
        self.post(player, "/v1/matchmaking/tickets", &body, &[("idempotency-key", key)]).await
    }
}

pub(crate) fn trust() -> Trust {
    let origin = url::Url::parse("http://127.0.0.1:9").unwrap().origin();
    Trust::Pinned(Signer::from_pem(CERTIFICATE.as_bytes()).unwrap(), Origin::Local(origin))
}

/// Headers or parameters.
type Pairs = Vec<(String, String)>;

/// Somebody with credentials.
pub(crate) struct Player {
    pub(crate) id: String,
    pub(crate) credentials: Credentials,
    pub(crate) clock: Clock,
}

impl Player {
    /// Signed in the header.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        body: Option<String>,
        headers: &[(&str, &str)],
    ) -> Request<Body> {
        let mut headers = headers.to_vec();
        headers.push(("host", HOST));
        if body.is_some() && !headers.iter().any(|(name, _)| *name == "content-type") {
            headers.push(("content-type", "application/json"));
        }
        let body = body.unwrap_or_default();
        let (added, _) = self.sign(SigningSettings::default(), method, path, &headers, &body);
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        for (name, value) in added {
            request = request.header(name, value);
        }
        request.body(body.into()).unwrap()
    }

    /// A path whose query is the signature.
    pub(crate) fn presigned(&self, path: &str, host: &str, life: Duration) -> String {
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(life);
        let (_, parameters) = self.sign(settings, "GET", path, &[("host", host)], "");
        let mut url = url::Url::parse("http://unused").unwrap();
        url.query_pairs_mut().extend_pairs(parameters);
        // That writes a space as a plus; there is none.
        format!("{path}?{}", url.query().unwrap())
    }

    fn sign(
        &self,
        settings: SigningSettings,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (Pairs, Pairs) {
        let identity = self.credentials.clone().into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region("us-west-2")
            .name("execute-api")
            .time((self.clock)())
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let host = headers.iter().find(|(name, _)| *name == "host").unwrap().1;
        let url = format!("http://{host}{path}");
        let body = SignableBody::Bytes(body.as_bytes());
        let request = SignableRequest::new(method, &url, headers.iter().copied(), body).unwrap();
        let (headers, parameters) = sign(request, &params).unwrap().into_parts().0.into_parts();
        let headers = headers.iter().map(|header| (header.name().to_owned(), header.value().to_owned()));
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), value.to_string()));
        (headers.collect(), parameters.collect())
    }

    /// The same player with a clock that is off.
    pub(crate) fn with_clock_off_by(&self, seconds: i64) -> Self {
        let base = (self.clock)();
        let off = Duration::from_secs(seconds.unsigned_abs());
        let time: SystemTime = if seconds < 0 { base - off } else { base + off };
        Self { id: self.id.clone(), credentials: self.credentials.clone(), clock: Arc::new(move || time) }
    }
}

#[tokio::test]
async fn the_house_stands_where_the_bench_says() {
    let house = House::new().await;
    assert_eq!((house.clock)(), UNIX_EPOCH + Duration::from_millis(NOW));
}
