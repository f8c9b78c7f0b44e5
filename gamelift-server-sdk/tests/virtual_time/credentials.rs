//! By what right each attempt is made: signatures, tokens of a provider, tokens of a refresh.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gamelift_server_sdk::test_util::{self, Knock};
use gamelift_server_sdk::wire::connect::{Authorization, SigV4};
use gamelift_server_sdk::wire::pushes::{Push, RefreshConnection};
use gamelift_server_sdk::{
    AuthToken, Config, ConfigBuilder, ConnectError, CredentialsError, DialError, TokenProvider,
};
use tokio::time::Instant;

use crate::stage::{Running, patient, ready_with, refresh};

fn builder() -> ConfigBuilder {
    Config::builder()
        .websocket_url("ws://in.memory")
        .fleet_id("fleet-1")
        .host_id("host-1")
        .process_id("proc-1")
        .seed(7)
}

/// Signs by virtual time: 2024-08-05T10:00:00Z when the test begins.
fn signing() -> Config {
    let begun = Instant::now();
    let clock = move || UNIX_EPOCH + Duration::from_secs(1_722_852_000) + begun.elapsed();
    builder()
        .region("us-west-2")
        .keys("AKID", "secret", Some("session".into()))
        // No heartbeats: nobody answers them here.
        .health_check(Duration::from_secs(86_400), Duration::ZERO, Duration::from_secs(86_400))
        .wall_clock(clock)
        .build()
        .unwrap()
}

fn signature(knock: &Knock) -> SigV4 {
    match knock.query().authorization {
        Authorization::SigV4(signature) => signature,
        other => panic!("not signed: {other:?}"),
    }
}

fn token(knock: &Knock) -> String {
    match knock.query().authorization {
        Authorization::Token(token) => token.as_str().to_owned(),
        other => panic!("no token: {other:?}"),
    }
}

/// Hands out `token-1`, `token-2`, ... a new one only after the last was refused or if told to.
#[derive(Clone, Default)]
struct Numbered(Arc<Counts>);

#[derive(Default)]
struct Counts {
    asked: AtomicU32,
    refused: AtomicU32,
}

impl TokenProvider for Numbered {
    fn token(&self) -> BoxFuture<'_, Result<AuthToken, CredentialsError>> {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        let number = self.0.refused.load(Ordering::Relaxed) + 1;
        std::future::ready(Ok(AuthToken::new_unchecked(format!("token-{number}")))).boxed()
    }

    fn refused(&self) {
        self.0.refused.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_signed_anew_in_utc() {
    let (network, mut service) = test_util::network();
    let connecting = tokio::spawn(async move { network.connect(signing()).await });
    let mut dates = Vec::new();
    let mut signatures = Vec::new();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        let knock = patient(service.knock()).await;
        let SigV4 { date, signature, security_token, credential } = signature(&knock);
        assert_eq!(security_token.as_deref(), Some("session"));
        assert_eq!(credential, "AKID/20240805/us-west-2/gamelift/aws4_request");
        let seconds: u64 =
            date.strip_prefix("20240805T1000").unwrap().strip_suffix('Z').unwrap().parse().unwrap();
        assert_eq!(seconds, began.elapsed().as_secs(), "the moment of this very attempt");
        dates.push(date);
        signatures.push(signature);
        knock.refuse(503);
    }
    assert_eq!(dates[0], "20240805T100000Z");
    dates.dedup();
    signatures.dedup();
    assert!(dates.len() >= 4, "{dates:?}");
    assert_eq!(dates.len(), signatures.len());
    connecting.abort();
}

#[tokio::test(start_paused = true)]
async fn a_reconnect_hours_later_is_signed_anew() {
    let mut running = ready_with(signing()).await;
    tokio::time::sleep(Duration::from_secs(2 * 3_600)).await;
    drop(running.socket);
    let knock = patient(running.service.knock()).await;
    assert!(signature(&knock).date.starts_with("20240805T120"), "{:?}", signature(&knock));
}

#[tokio::test(start_paused = true)]
async fn a_token_provider_is_asked_before_each_attempt() {
    let provider = Numbered::default();
    let mut running = ready_with(builder().token_provider(provider.clone()).build().unwrap()).await;
    assert_eq!(provider.0.asked.load(Ordering::Relaxed), 1);
    drop(running.socket);
    for attempt in 2..=4 {
        let knock = patient(running.service.knock()).await;
        assert_eq!(provider.0.asked.load(Ordering::Relaxed), attempt);
        assert_eq!(token(&knock), "token-1");
        knock.refuse(503);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_at_once_if_the_provider_has_another() {
    let (network, mut service) = test_util::network();
    let config = builder().token_provider(Numbered::default()).build().unwrap();
    let connecting = tokio::spawn(async move { network.connect(config).await });
    let began = Instant::now();
    let first = patient(service.knock()).await;
    assert_eq!(token(&first), "token-1");
    first.refuse(403);
    let second = patient(service.knock()).await;
    assert_eq!(token(&second), "token-2");
    assert_eq!(began.elapsed(), Duration::ZERO);
    let _socket = second.accept();
    drop(connecting.await.unwrap().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_provider_with_one_token_only_is_told_of_its_refusal_once() {
    let (network, mut service) = test_util::network();
    let config = builder().token_provider(|| async { Ok(AuthToken::new_unchecked("only")) }).build().unwrap();
    let connecting = tokio::spawn(async move { network.connect(config).await });
    patient(service.knock()).await.refuse(403);
    let error = patient(connecting).await.unwrap().unwrap_err();
    assert!(
        matches!(
            error,
            ConnectError::Unreachable { attempts: 1, last: DialError::Refused { status: 403, .. } }
        ),
        "{error}"
    );
    assert!(!error.to_string().contains("only"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_has_no_token_now_is_asked_again_and_one_that_never_will_ends_the_first_connect() {
    let asked = Arc::new(AtomicU32::new(0));
    let counter = asked.clone();
    let later = move || {
        let count = counter.fetch_add(1, Ordering::Relaxed);
        std::future::ready(match count {
            0 | 1 => Err(CredentialsError::Unavailable("throttled".into())),
            _ => Ok(AuthToken::new_unchecked("good")),
        })
    };
    let (network, mut service) = test_util::network();
    let config = builder().token_provider(later).build().unwrap();
    let connecting = tokio::spawn(async move { network.connect(config).await });
    let knock = patient(service.knock()).await;
    assert_eq!(token(&knock), "good");
    let _socket = knock.accept();
    drop(connecting.await.unwrap().unwrap());
    assert_eq!(asked.load(Ordering::Relaxed), 3);

    let never = || async { Err(CredentialsError::Denied("no permission".into())) };
    let (network, _service) = test_util::network();
    let config = builder().token_provider(never).build().unwrap();
    let error = patient(network.connect(config)).await.unwrap_err();
    assert!(
        matches!(&error, ConnectError::Unreachable { attempts: 1, last: DialError::Credentials(_) }),
        "{error}"
    );
    assert!(error.to_string().contains("no permission"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_is_given_up_with_its_attempt() {
    let (network, _service) = test_util::network();
    let config = builder()
        .token_provider(std::future::pending::<Result<AuthToken, CredentialsError>>)
        .connect_timeout(Duration::from_secs(30))
        .build()
        .unwrap();
    let began = Instant::now();
    let error = patient(network.connect(config)).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { attempts: 2, last: DialError::TimedOut }), "{error}");
    assert_eq!(began.elapsed(), Duration::from_secs(30));
}

/// The token that came with a refresh is used for as long as it works; then the process's own means count again.
#[tokio::test(start_paused = true)]
async fn a_refreshed_token_that_grew_old_gives_way_to_what_can_be_renewed() {
    let mut running = ready_with(signing()).await;
    running.socket.push(&refresh("ws://second", "pushed")).await;
    let knock = patient(running.service.knock()).await;
    assert_eq!(token(&knock), "pushed");
    let socket = knock.accept();
    tokio::time::sleep(Duration::from_secs(6)).await;
    drop(socket);
    let knock = patient(running.service.knock()).await;
    assert_eq!((token(&knock).as_str(), knock.endpoint()), ("pushed", "ws://second/"));
    knock.refuse(403);
    let knock = patient(running.service.knock()).await;
    assert_eq!(knock.endpoint(), "ws://second/");
    signature(&knock);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_without_a_token_falls_back_to_what_can_be_renewed() {
    let mut running = ready_with(signing()).await;
    let refresh_connection_endpoint = "ws://second".into();
    let push = RefreshConnection { refresh_connection_endpoint, auth_token: None };
    running.socket.push(&Push::RefreshConnection(push)).await;
    signature(&patient(running.service.knock()).await);
}

/// A static token that expired: the process cannot help itself, but its calls say so and nothing hangs or panics.
#[tokio::test(start_paused = true)]
async fn an_expired_token_ends_in_calls_that_were_not_sent_and_never_in_silence() {
    let config = builder().auth_token("stale").build().unwrap();
    let Running { mut service, socket, process, events: _events } = ready_with(config).await;
    drop(socket);
    tokio::time::sleep(Duration::from_millis(1)).await;
    let caller = process.clone();
    let call = tokio::spawn(async move { caller.compute_certificate().await });
    while !call.is_finished() {
        tokio::select! {
            biased;
            knock = service.knock() => { assert_eq!(token(&knock), "stale"); knock.refuse(403); }
            () = tokio::time::sleep(Duration::from_secs(60)) => {}
        }
    }
    assert_eq!(call.await.unwrap(), Err(gamelift_server_sdk::CallError::NotSent));
}
