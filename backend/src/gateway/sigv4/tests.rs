mod published;

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SessionTokenMode, SignableBody, SignableRequest,
    SignatureLocation, SigningSettings, sign as aws_sign,
};
use aws_sigv4::sign::v4::SigningParams;
use axum::http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::refusal::Kind;
use super::*;

const REGION: &str = "us-west-2";
const ACCESS_KEY: &str = "ASIAEXAMPLEEXAMPLE00";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "token/of+the=key";

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// A request on the wire.
#[derive(Clone, Debug, PartialEq)]
struct Wire {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Wire {
    fn new(method: &str, path: &str, query: &str, body: &str) -> Self {
        let headers = [("host", "api.example:9090"), ("content-type", "application/json")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let own = str::to_owned;
        Self { method: own(method), path: own(path), query: own(query), headers, body: body.into() }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn start() -> Self {
        let body = r#"{"latencies":{"eu-west-1":32}}"#;
        Self::new("POST", "/v1/matchmaking/tickets", "", body).with("idempotency-key", "0123456789abcdef")
    }

    fn header(&mut self, name: &str) -> &mut String {
        let found = self.headers.iter_mut().find(|(other, _)| other == name);
        &mut found.unwrap_or_else(|| panic!("no header {name}")).1
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self
    }
}

/// Who signs, and how.
#[derive(Clone)]
struct Signer {
    access_key: &'static str,
    secret: &'static str,
    token: &'static str,
    region: &'static str,
    service: &'static str,
    time: SystemTime,
    presigned: Option<Duration>,
    token_signed: bool,
    payload_header: bool,
}

impl Signer {
    fn header() -> Self {
        Self {
            access_key: ACCESS_KEY,
            secret: SECRET,
            token: TOKEN,
            region: REGION,
            service: "execute-api",
            time: now(),
            presigned: None,
            token_signed: true,
            payload_header: false,
        }
    }

    fn presigned(seconds: u64) -> Self {
        Self { presigned: Some(Duration::from_secs(seconds)), ..Self::header() }
    }

    /// By the crate with which Rust programs sign.
    fn sign(&self, wire: &Wire) -> Wire {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Double;
        if let Some(life) = self.presigned {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(life);
        }
        if !self.token_signed {
            settings.session_token_mode = SessionTokenMode::Exclude;
        }
        if self.payload_header {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let credentials = aws_sigv4_credentials(self);
        let params = SigningParams::builder()
            .identity(&credentials)
            .region(self.region)
            .name(self.service)
            .time(self.time)
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let query = if wire.query.is_empty() { String::new() } else { format!("?{}", wire.query) };
        let url = format!("https://api.example:9090{}{query}", wire.path);
        let headers = wire.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = SignableBody::Bytes(&wire.body);
        let request = SignableRequest::new(&wire.method, &url, headers, body).unwrap();
        let (headers, parameters) = aws_sign(request, &params).unwrap().into_parts().0.into_parts();
        let mut signed = wire.clone();
        for header in headers {
            signed.headers.push((header.name().to_owned(), header.value().to_owned()));
        }
        for (name, value) in parameters {
            let value = utf8(&value);
            let joint = if signed.query.is_empty() { "" } else { "&" };
            signed.query = format!("{}{joint}{name}={value}", signed.query);
        }
        signed
    }
}

fn aws_sigv4_credentials(signer: &Signer) -> aws_smithy_runtime_api::client::identity::Identity {
    let token = Some(signer.token.to_owned());
    aws_credential_types::Credentials::new(signer.access_key, signer.secret, token, None, "test").into()
}

fn utf8(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn verify_at(wire: &Wire, now: SystemTime) -> Result<&'static str, Refusal> {
    let mut headers = HeaderMap::new();
    for (name, value) in &wire.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("the name of a header");
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("the value of a header"));
    }
    let request = Request {
        method: &wire.method,
        path: &wire.path,
        query: &wire.query,
        headers: &headers,
        authority: None,
        body: &wire.body,
    };
    verify(request, REGION, now, |access_key, token| {
        if access_key == ACCESS_KEY && token == Some(TOKEN) {
            Ok(Granted { secret_key: SECRET.to_owned(), owner: "ada" })
        } else {
            Err(Refusal::unrecognized())
        }
    })
}

fn accepted(wire: &Wire) {
    assert_eq!(verify_at(wire, now()), Ok("ada"), "{wire:?}");
}

fn refused(wire: &Wire) -> Kind {
    verify_at(wire, now()).expect_err("it must be refused").kind
}

#[test]
fn a_request_signed_in_the_header_names_its_player() {
    accepted(&Signer::header().sign(&Wire::start()));
    accepted(&Signer::header().sign(&Wire::new("GET", "/v1/matchmaking/tickets/current", "", "")));
    accepted(&Signer { payload_header: true, ..Signer::header() }.sign(&Wire::start()));
}

#[test]
fn a_presigned_url_names_its_player() {
    accepted(&Signer::presigned(60).sign(&Wire::new("GET", "/v1/websocket", "", "").without("content-type")));
    accepted(
        &Signer::presigned(300).sign(&Wire::new("GET", "/v1/websocket", "a=1", "").without("content-type")),
    );
}

#[test]
fn paths_are_encoded_once_more_and_queries_are_encoded_as_rfc_3986_says() {
    for (path, query) in [
        ("/Prod/v1/players/us-west-2%3Aabc", ""),
        ("/v1/a%20b/c%25d/", ""),
        ("/v1/~a/b-c_d.e/caf%C3%A9", ""),
        ("/v1/x", "b=2&a=1&a-b=3&ab=4"),
        ("/v1/x", "empty=&flag&space=a%20b&slash=a%2Fb&plus=a%2Bb&utf=%C3%A9"),
    ] {
        accepted(&Signer::header().sign(&Wire::new("GET", path, query, "")));
    }
}

#[test]
fn the_session_token_may_be_added_after_signing_but_must_be_that_of_the_key() {
    let unsigned = Signer { token_signed: false, ..Signer::header() };
    accepted(&unsigned.sign(&Wire::start()));
    let mut foreign = unsigned.sign(&Wire::start());
    *foreign.header("x-amz-security-token") = "token of another".to_owned();
    assert_eq!(refused(&foreign), Kind::UnrecognizedClient);
    let signed = Signer { token: "token of another", ..Signer::header() }.sign(&Wire::start());
    assert_eq!(refused(&signed), Kind::UnrecognizedClient);
    assert_eq!(
        refused(&unsigned.sign(&Wire::start()).without("x-amz-security-token")),
        Kind::UnrecognizedClient
    );
}

#[test]
fn a_signature_older_or_younger_than_five_minutes_is_refused() {
    let wire = Signer::header().sign(&Wire::start());
    for (seconds, good) in [(0, true), (300, true), (301, false), (360, false)] {
        let away = Duration::from_secs(seconds);
        assert_eq!(verify_at(&wire, now() + away).is_ok(), good, "{seconds} s late");
        assert_eq!(verify_at(&wire, now() - away).is_ok(), good, "{seconds} s early");
    }
}

#[test]
fn a_presigned_url_is_good_until_it_expires_and_never_for_more_than_five_minutes() {
    let open = Wire::new("GET", "/v1/websocket", "", "").without("content-type");
    let wire = Signer::presigned(60).sign(&open);
    assert!(verify_at(&wire, now() + Duration::from_secs(60)).is_ok());
    let late = verify_at(&wire, now() + Duration::from_secs(61)).unwrap_err();
    assert_eq!(late.kind, Kind::InvalidSignature);
    let long = verify_at(&Signer::presigned(301).sign(&open), now()).unwrap_err();
    assert!(long.message.contains("X-Amz-Expires is 301"), "{long}");
}

#[test]
fn another_region_service_secret_or_key_is_refused() {
    let sign = |signer: Signer| refused(&signer.sign(&Wire::start()));
    assert_eq!(sign(Signer { region: "eu-west-1", ..Signer::header() }), Kind::InvalidSignature);
    assert_eq!(sign(Signer { service: "gamelift", ..Signer::header() }), Kind::InvalidSignature);
    assert_eq!(sign(Signer { secret: "another", ..Signer::header() }), Kind::InvalidSignature);
    assert_eq!(sign(Signer { access_key: "ASIAANOTHER", ..Signer::header() }), Kind::UnrecognizedClient);
}

#[test]
fn an_unsigned_request_is_told_that_a_token_is_missing() {
    assert_eq!(refused(&Wire::start()), Kind::MissingAuthenticationToken);
    assert_eq!(refused(&Wire::start().with("authorization", "Bearer abc")), Kind::MissingAuthenticationToken);
}

#[test]
fn the_host_must_be_signed() {
    let mut wire = Signer::header().sign(&Wire::start());
    let authorization = wire.header("authorization");
    *authorization = authorization.replace(";host;", ";");
    let refusal = verify_at(&wire, now()).unwrap_err();
    assert!(refusal.message.contains("'Host' must be"), "{refusal}");
    assert_eq!(refused(&Signer::header().sign(&Wire::start()).without("host")), Kind::InvalidSignature);
}

#[test]
fn an_idempotency_key_and_amz_headers_must_be_signed() {
    let signed = Signer::header().sign(&Wire::new("POST", "/v1/matchmaking/tickets", "", "{}"));
    for name in ["idempotency-key", "x-amz-target"] {
        let refusal = verify_at(&signed.clone().with(name, "added-on-the-way"), now()).unwrap_err();
        assert!(refusal.message.contains("must be signed"), "{refusal}");
    }
}

#[test]
fn an_unsigned_payload_is_refused() {
    for hash in ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", &"0".repeat(64)] {
        let wire = Signer::header().sign(&Wire::start().with("x-amz-content-sha256", hash));
        assert_eq!(refused(&wire), Kind::InvalidSignature, "{hash}");
    }
}

#[test]
fn paths_and_queries_that_can_be_read_in_two_ways_are_refused() {
    for path in
        ["/v1/../v1/x", "/v1/./x", "/v1//x", "//v1/x", "/v1/%2e%2e/x", "/v1/%2E/x", "/v1/%zz", "/v1/%f"]
    {
        let wire =
            Wire { path: path.to_owned(), ..Signer::header().sign(&Wire::new("GET", "/v1/x", "", "")) };
        assert_eq!(refused(&wire), Kind::InvalidSignature, "{path}");
    }
    for query in ["a=1&a=2", "a=1&&b=2", "a=1&", "=1", "a=b+c", "a=%G0", "a=%ff"] {
        let wire =
            Wire { query: query.to_owned(), ..Signer::header().sign(&Wire::new("GET", "/v1/x", "", "")) };
        let refusal = verify_at(&wire, now()).unwrap_err();
        assert_ne!(refusal, Refusal::mismatch(), "{query}");
    }
}

#[test]
fn repeated_headers_and_a_second_signature_are_refused() {
    let wire = Signer::header().sign(&Wire::start());
    for name in ["authorization", "host", "x-amz-date", "x-amz-security-token", "idempotency-key"] {
        let again = wire.clone().header(name).clone();
        assert_eq!(refused(&wire.clone().with(name, &again)), Kind::IncompleteSignature, "{name}");
    }
    let both = Signer::header().sign(&Signer::presigned(60).sign(&Wire::new("GET", "/v1/x", "", "")));
    assert_eq!(refused(&both), Kind::IncompleteSignature);
}

#[test]
fn a_malformed_authorization_says_what_it_lacks() {
    let wire = Signer::header().sign(&Wire::start());
    for (from, to) in [
        ("Credential=", "Crédential="),
        ("Signature=", "Signature"),
        ("SignedHeaders=", "SignedHeaders=Host;"),
        ("SignedHeaders=content-type;host", "SignedHeaders=host;content-type"),
        ("/aws4_request", ""),
        (", Signature", ", Signature=0, Signature"),
    ] {
        let mut wrong = wire.clone();
        *wrong.header("authorization") = wrong.header("authorization").replace(from, to);
        assert_eq!(refused(&wrong), Kind::IncompleteSignature, "{to}");
    }
    for time in
        ["", "20270115", "20270115T080000", "2027-01-15T08:00:00Z", "20271315T080000Z", "20270115T250000Z"]
    {
        let mut wrong = wire.clone();
        *wrong.header("x-amz-date") = time.to_owned();
        assert_eq!(refused(&wrong), Kind::IncompleteSignature, "{time}");
    }
}

/// Changes one letter or digit of a text to another that is more than a change of case.
fn alter(text: &str, at: prop::sample::Index, to: char) -> String {
    let places: Vec<usize> =
        text.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()).map(|(place, _)| place).collect();
    if places.is_empty() {
        return format!("{text}{to}");
    }
    let place = places[at.index(places.len())];
    let old = text[place..].chars().next().expect("a character is there");
    let new = if old.eq_ignore_ascii_case(&to) { '0' } else { to };
    let new = if old == new { '1' } else { new };
    format!("{}{new}{}", &text[..place], &text[place + 1..])
}

fn mutate(wire: &Wire, what: usize, at: prop::sample::Index, to: char) -> Wire {
    let mut new = wire.clone();
    match what {
        0 => new.method = if wire.method == "GET" { "DELETE" } else { "PUT" }.to_owned(),
        1 => new.path = alter(&wire.path, at, to),
        2 => new.path.push(to),
        3 => new.body.push(to as u8),
        4 if !wire.body.is_empty() => {
            let place = at.index(wire.body.len());
            new.body[place] ^= 1;
        }
        5 => new.query = alter(&wire.query, at, to),
        6 if wire.query.is_empty() => new.query = format!("{to}=1"),
        6 => new.query = format!("{to}=1&{}", wire.query),
        7 => {
            let place = at.index(wire.headers.len());
            new.headers[place].1 = alter(&wire.headers[place].1, at, to);
        }
        8 => {
            new.headers.remove(at.index(wire.headers.len()));
        }
        _ => {
            let place = at.index(wire.headers.len());
            let again = wire.headers[place].clone();
            new.headers.push(again);
        }
    }
    new
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_signed_request_that_was_changed_is_never_accepted(
        what in 0_usize..10,
        at in any::<prop::sample::Index>(),
        to in proptest::char::range('a', 'z'),
        presigned in any::<bool>(),
        post in any::<bool>(),
    ) {
        let wire = if post { Wire::start() } else { Wire::new("GET", "/v1/players/me", "view=all&page=2", "") };
        let signer = if presigned { Signer::presigned(60) } else { Signer::header() };
        let signed = signer.sign(&wire);
        accepted(&signed);
        let mutated = mutate(&signed, what, at, to);
        if mutated != signed {
            prop_assert!(verify_at(&mutated, now()).is_err(), "{mutated:?}");
        }
    }
}
