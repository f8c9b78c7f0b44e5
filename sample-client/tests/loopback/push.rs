//! News that comes by itself, by each way, and what becomes of it when that is lost.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use sample_client::backend::{Client, ClientConfig, Milestone, PushBy, SetUpError, Status};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::backend::{find_match, nowhere, seat_at, wish};
use crate::backend_server::{BEARER, Backend, Received, TICKET, placed, refuse, say, ticket, token};
use crate::game_server::{ADA, Server, patient};

const WAYS: [PushBy; 2] = [PushBy::WebSocket, PushBy::Grpc];

/// A ticket that is asked for in twenty seconds only: whoever hears of it sooner was told.
fn slow() -> Value {
    let mut slow = ticket(1, "SEARCHING");
    slow["pollAfterMs"] = json!(20_000);
    slow
}

/// Is true for what opens a push: the WebSocket itself, or the token for a stream.
fn opens(received: &Received) -> bool {
    ["GET /websocket", "POST /auth/token"].contains(&received.line().as_str())
}

/// Lets it be opened.
fn open(received: &Received) -> crate::backend_server::Answer {
    if received.line() == "POST /auth/token" { token(BEARER) } else { say(101, Value::Null) }
}

#[tokio::test]
async fn pushed_news_is_heard_at_once_by_either_way() {
    for by in WAYS {
        let backend = Backend::start(|received| match received.line().as_str() {
            "POST /matchmaking/tickets" => say(202, slow()),
            _ if opens(received) => open(received),
            other => panic!("{other}"),
        })
        .await;
        let mut said = backend.listen();
        let client = backend.client();
        let stop = CancellationToken::new();
        let mut milestones = Vec::new();
        let found = client.find_match(wish(Some(by)), &stop, |it| milestones.push(it));
        let (found, ()) = patient(async {
            tokio::join!(found, async {
                let first = said.recv().await.unwrap();
                // By WebSocket it has to be asked for; a stream begins with it.
                assert!(
                    first == "watch" || first.contains(r#""action":"status""#),
                    "nothing is missed: {first}"
                );
                backend.push(&ticket(2, "PLACING"));
                backend.push(&ticket(1, "SEARCHING"));
                backend.push(&placed(3, &nowhere()));
            })
        })
        .await;
        assert_eq!(found.unwrap().player_session_id, ADA, "{by:?}");
        let changes = [Status::Searching, Status::Placing, Status::Succeeded].map(Milestone::Status);
        let [began, first, pushing, others @ ..] = &milestones[..] else { panic!("{milestones:?}") };
        assert_eq!(*began, Milestone::Ticket { ticket_id: TICKET.to_owned(), resumed: false });
        assert_eq!((first, pushing), (&changes[0], &Milestone::Pushing(by)));
        assert_eq!(others, &changes[1..], "what is old changes nothing");
    }
}

#[tokio::test]
async fn without_push_or_after_its_end_the_ticket_is_asked_for() {
    for by in WAYS {
        for refused in [true, false] {
            let mut polls = 0;
            let backend = Backend::start(move |received| match received.line().as_str() {
                "POST /matchmaking/tickets" => say(202, ticket(1, "SEARCHING")),
                _ if opens(received) && refused => refuse(404, "NOT_FOUND", false),
                _ if opens(received) => open(received),
                _ => {
                    polls += 1;
                    say(200, if polls < 2 { ticket(1, "SEARCHING") } else { placed(2, &nowhere()) })
                }
            })
            .await;
            let mut said = backend.listen();
            let client = backend.client();
            let hang_up = async {
                if !refused {
                    patient(said.recv()).await.unwrap();
                    backend.push(&json!("hang up"));
                }
            };
            let (found, ()) = tokio::join!(find_match(&client, wish(Some(by))), hang_up);
            assert_eq!(found.unwrap().player_session_id, ADA, "{by:?}, refused: {refused}");
        }
    }
}

#[tokio::test]
async fn push_that_is_lost_is_opened_again() {
    for by in WAYS {
        let backend = Backend::start(|received| match received.line().as_str() {
            "POST /matchmaking/tickets" => say(202, slow()),
            _ if opens(received) => open(received),
            other => panic!("{other}"),
        })
        .await;
        let mut said = backend.listen();
        let client = backend.client();
        let (stop, mut milestones) = (CancellationToken::new(), Vec::new());
        let found = client.find_match(wish(Some(by)), &stop, |it| milestones.push(it));
        let (found, ()) = tokio::join!(patient(found), async {
            patient(said.recv()).await.unwrap();
            backend.push(&json!("hang up"));
            patient(said.recv()).await.unwrap();
            backend.push(&placed(2, &nowhere()));
        });
        assert_eq!(found.unwrap().player_session_id, ADA, "{by:?}");
        let opened = [Milestone::Pushing(by), Milestone::PushLost, Milestone::Pushing(by)];
        assert_eq!(milestones[2..5], opened);
        let openings = backend.received().iter().filter(|it| opens(it)).count();
        assert_eq!(openings, 2, "{by:?}: a stream has a fresh token each time");
    }
}

#[tokio::test]
async fn token_that_is_refused_is_told_of_and_not_tried_again() {
    let mut polls = 0;
    let backend = Backend::start(move |received| match received.line().as_str() {
        "POST /matchmaking/tickets" => say(202, ticket(1, "SEARCHING")),
        "POST /auth/token" => token("somebody-elses"),
        _ => {
            polls += 1;
            say(200, if polls < 8 { ticket(1, "SEARCHING") } else { placed(2, &nowhere()) })
        }
    })
    .await;
    let client = backend.client();
    let error = patient(client.push(PushBy::Grpc)).await.unwrap_err();
    assert_eq!(error.error.label(), "GRPC_Unauthenticated");
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("none of ours") && !shown.contains("somebody-elses"), "{shown}");
    assert_eq!(find_match(&client, wish(Some(PushBy::Grpc))).await.unwrap().player_session_id, ADA);
    let watches = backend.lines().iter().filter(|it| it.ends_with("Watch")).count();
    assert_eq!(watches, 2, "once by hand, once for the ticket, which took two seconds");
}

#[tokio::test]
async fn stream_that_cannot_be_opened_says_whether_anything_was_sent() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let backend = Backend::start(|_| token(BEARER)).await;
    let client = backend.client();
    patient(client.token()).await.unwrap();
    drop(backend);
    // The connection for signed requests may be open still, the stream's own is not.
    let lost = patient(client.push(PushBy::Grpc)).await.unwrap_err();
    assert!(["not_sent", "outcome_unknown"].contains(&lost.error.label()), "{lost}");
    let config = ClientConfig { backend: format!("http://{nobody}"), ..ClientConfig::default() };
    let error = patient(Client::new(config).unwrap().push(PushBy::Grpc)).await.unwrap_err();
    assert_eq!(error.error.label(), "not_sent");
}

#[test]
fn ways_that_there_are_none_of_are_named_before_anything_is_sent() {
    let config = ClientConfig {
        backend: "https://abc.execute-api.eu-west-1.amazonaws.com/prod".to_owned(),
        identity_pool: Some("eu-west-1:1".to_owned()),
        ..ClientConfig::default()
    };
    let client = Client::new(config).unwrap();
    assert!(matches!(client.check_push(PushBy::Grpc), Err(SetUpError::NoGrpc)));
    assert!(matches!(client.check_push(PushBy::WebSocket), Err(SetUpError::NoWebSocket)));
}

/// The command itself, because the authorities it trusts come from its environment.
#[tokio::test]
async fn behind_tls_a_player_gets_everything_and_news_by_http2() {
    let server = Server::start();
    let seat = seat_at(&server);
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(issued.signing_key.serialize_der().into());
    let mut tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key)
        .unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let backend = Backend::start_tls(
        |received| match received.line().as_str() {
            "POST /matchmaking/tickets" => say(202, slow()),
            "POST /auth/token" => token(BEARER),
            other => panic!("{other}"),
        },
        Arc::new(tls),
    )
    .await;
    let authority = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("authority-{}.pem", std::process::id()));
    std::fs::write(&authority, issued.cert.pem()).unwrap();
    let url = format!("https://localhost:{}", backend.address.port());
    let mut said = backend.listen();
    let playing = Command::new(env!("CARGO_BIN_EXE_sample-client"))
        .args([
            "play",
            "--backend",
            &url,
            "--push",
            "grpc",
            "--latency",
            "custom-a=1",
            "--seconds",
            "1",
            "--json",
        ])
        .env("SSL_CERT_FILE", &authority)
        .env_remove("SSL_CERT_DIR")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let (played, ()) = patient(async {
        tokio::join!(playing, async {
            assert_eq!(said.recv().await.unwrap(), "watch");
            backend.push(&placed(2, &seat));
            let mut client = server.client().await;
            client.welcome().await;
            client.play().await;
        })
    })
    .await;
    std::fs::remove_file(authority).unwrap();
    let played = played.unwrap();
    let told = String::from_utf8(played.stderr).unwrap();
    assert!(played.status.success(), "{told}");
    assert!(told.contains("news is pushed by gRPC"), "{told}");
    assert!(!told.contains(ADA) && !told.contains(BEARER), "{told}");
    let report: Value = serde_json::from_slice(&played.stdout).unwrap();
    assert!(report["snapshots"].as_u64().unwrap() > 0, "{report}");
    assert!(report["timeToPlayMs"].as_u64().unwrap() < Duration::from_secs(20).as_millis() as u64);
}
