//! A player who has nothing but the backend's address.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use game_proto::close;
use sample_client::backend::model::{Beacon, Location};
use sample_client::backend::poll::BACKOFF_MIN;
use sample_client::backend::{
    Client, ClientConfig, Connection, Entry, FollowOptions, GameOptions, Milestone, PlayError, PushBy,
    StartRequest, Status, Step, Wish, latency,
};
use serde_json::{Value, json};
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

use crate::backend_server::{Backend, Received, SECRET, TICKET, placed, refuse, say, ticket};
use crate::game_server::{ADA, Server, patient};

pub(crate) fn wish(push: Option<PushBy>) -> Wish {
    let request = StartRequest {
        configuration: Some("ranked".to_owned()),
        latencies: [("custom-a".to_owned(), 20)].into(),
        ..StartRequest::default()
    };
    Wish {
        entry: Entry::Start(request),
        follow: FollowOptions { accept: true, push, wait_max: Duration::from_secs(60) },
    }
}

pub(crate) fn seat_at(server: &Server) -> Value {
    json!({
        "endpoints": [{ "ip": "127.0.0.1", "port": server.address().port() }],
        "playerSessionId": ADA, "gameSessionId": "gsess-1",
        "certificateSha256": server.fingerprint().to_string(),
    })
}

pub(crate) fn nowhere() -> Value {
    json!({ "endpoints": [{ "ip": "127.0.0.1", "port": 1 }], "playerSessionId": ADA, "gameSessionId": "gsess-1" })
}

fn game(play_for: Duration) -> GameOptions {
    GameOptions { play_for, extra_roots: None }
}

fn is_start(it: &Received) -> bool {
    it.line() == "POST /matchmaking/tickets"
}

pub(crate) async fn find_match(client: &Client, wish: Wish) -> Result<Connection, PlayError> {
    patient(client.find_match(wish, &CancellationToken::new(), |_| {})).await
}

#[tokio::test]
async fn player_with_nothing_but_an_address_gets_into_the_game() {
    let server = Server::start();
    let seat = seat_at(&server);
    let mut polls = 0;
    let backend = Backend::start(move |received| match received.line().as_str() {
        "POST /matchmaking/tickets" => say(202, ticket(1, "REQUESTED")),
        "GET /matchmaking/tickets/ticket-1" => {
            polls += 1;
            match polls {
                1 => (200, vec![("etag", "\"2\"".to_owned())], ticket(2, "SEARCHING")),
                2 => say(304, Value::Null),
                _ => say(200, placed(3, &seat)),
            }
        }
        other => panic!("{other}"),
    })
    .await;
    let client = backend.client();
    let stop = CancellationToken::new();
    let mut milestones = Vec::new();
    let found = patient(client.find_match(wish(None), &stop, |it| milestones.push(it))).await.unwrap();
    let options = game(Duration::from_millis(300));
    let playing = client.play(&found, &options, &stop, |it| milestones.push(it));
    let (played, hello) = patient(async {
        tokio::join!(playing, async {
            let mut client = server.client().await;
            client.welcome().await;
            client.play().await;
            client.hello.player_session_id
        })
    })
    .await;
    let played = played.unwrap();
    assert_eq!(hello, ADA);
    assert!(played.stats.snapshots > 0 && played.ended.is_none() && played.returns == 0);
    assert_eq!(
        milestones,
        [
            Milestone::Ticket { ticket_id: TICKET.to_owned(), resumed: false },
            Milestone::Status(Status::Requested),
            Milestone::Status(Status::Searching),
            Milestone::Status(Status::Succeeded),
            Milestone::Joined(3),
        ]
    );
    let poll = "GET /matchmaking/tickets/ticket-1";
    assert_eq!(
        backend.lines(),
        ["GetId", "GetCredentialsForIdentity", "POST /matchmaking/tickets", poll, poll, poll]
    );
    let received = backend.received();
    assert_eq!(received[2].json(), json!({ "configuration": "ranked", "latencies": { "custom-a": 20 } }));
    assert!((8..=64).contains(&received[2].headers["idempotency-key"].len()));
    assert_eq!(received[3].headers.get("if-none-match"), None);
    assert_eq!(received[4].headers["if-none-match"], "\"2\"");
    assert_eq!(received[5].headers["if-none-match"], "\"2\"");
}

#[tokio::test]
async fn signature_is_that_of_the_definition_and_covers_everything() {
    let backend = Backend::start(|received| match received.line().as_str() {
        "GET /websocket" => refuse(404, "NOT_FOUND", false),
        _ => say(202, ticket(1, "SUCCEEDED")),
    })
    .await;
    let region = Some("eu-west-1".to_owned());
    let client = Client::new(ClientConfig { region, ..backend.config() }).unwrap();
    patient(client.start("key-12345", &StartRequest::default())).await.unwrap();
    patient(client.push(PushBy::WebSocket)).await.unwrap_err();
    let received = backend.received();
    let (start, opening) = (&received[2], &received[3]);

    let verified = start.verify(SECRET).unwrap();
    assert_eq!((verified.access_key.as_str(), verified.region.as_str()), ("ASIAEXAMPLE", "eu-west-1"));
    for name in ["host", "content-type", "idempotency-key", "x-amz-date", "x-amz-security-token"] {
        assert!(verified.signed_headers.iter().any(|it| it == name), "{name} is not signed");
    }
    let verified = opening.verify(SECRET).unwrap();
    assert!(verified.presigned);
    assert_eq!(verified.signed_headers, ["host"]);
    assert!(opening.target.contains("X-Amz-Expires=60") && !opening.headers.contains_key("authorization"));

    for it in [start, opening] {
        assert!(it.verify("another secret").is_err());
        assert!(Received { method: "PUT".to_owned(), ..it.clone() }.verify(SECRET).is_err());
        assert!(Received { body: b"{ }".to_vec(), ..it.clone() }.verify(SECRET).is_err());
        let target = it.target.replace("/v1", "/v2");
        assert!(Received { target, ..it.clone() }.verify(SECRET).is_err());
        let mut elsewhere = it.clone();
        elsewhere.headers.insert("host".to_owned(), "elsewhere".to_owned());
        assert!(elsewhere.verify(SECRET).is_err());
    }
}

#[tokio::test]
async fn proposed_match_is_accepted_or_refused_as_the_player_wants() {
    for accept in [true, false] {
        let answered = Arc::new(Mutex::new(Vec::new()));
        let answers = answered.clone();
        let backend = Backend::start(move |received| match received.line().as_str() {
            "POST /matchmaking/tickets" => {
                let mut proposed = ticket(1, "REQUIRES_ACCEPTANCE");
                proposed["acceptance"] = json!({ "deadline": 1, "accepted": 0, "total": 2 });
                say(202, proposed)
            }
            "POST /matchmaking/tickets/ticket-1/acceptance" => {
                answers.lock().unwrap().push(received.json());
                say(202, if accept { ticket(2, "PLACING") } else { ticket(2, "CANCELLED") })
            }
            _ => say(200, placed(3, &nowhere())),
        })
        .await;
        let mut wish = wish(None);
        wish.follow.accept = accept;
        let found = find_match(&backend.client(), wish).await;
        assert_eq!(*answered.lock().unwrap(), [json!({ "accept": accept })]);
        match found {
            Ok(_) => assert!(accept),
            Err(PlayError::NoMatch { status: Status::Cancelled, .. }) => assert!(!accept),
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn request_is_taken_back_when_the_player_stops() {
    let backend = Backend::start(|received| match received.line().as_str() {
        "POST /matchmaking/tickets" => say(202, ticket(1, "SEARCHING")),
        "DELETE /matchmaking/tickets/ticket-1" => say(202, ticket(2, "CANCELLING")),
        _ => say(200, ticket(3, "CANCELLED")),
    })
    .await;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    let client = backend.client();
    let found = client.find_match(wish(None), &stop, |milestone| {
        if milestone == Milestone::Status(Status::Searching) {
            stopping.cancel();
        }
    });
    let error = patient(found).await.unwrap_err();
    assert!(matches!(error, PlayError::Cancelled { confirmed: true }), "{error}");
    assert!(backend.lines().contains(&"DELETE /matchmaking/tickets/ticket-1".to_owned()));
}

#[tokio::test]
async fn start_that_failed_is_repeated_with_the_same_key() {
    let mut starts = 0;
    let backend = Backend::start(move |received| {
        starts += u32::from(is_start(received));
        match starts {
            1 => refuse(503, "MATCHMAKER_UNAVAILABLE", true),
            _ => say(200, placed(2, &nowhere())),
        }
    })
    .await;
    find_match(&backend.client(), wish(None)).await.unwrap();
    let keys: Vec<String> = backend
        .received()
        .iter()
        .filter(|it| is_start(it))
        .map(|it| it.headers["idempotency-key"].clone())
        .collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
}

#[tokio::test]
async fn ticket_that_is_there_already_is_followed() {
    let backend = Backend::start(|received| match received.line().as_str() {
        "POST /matchmaking/tickets" => refuse(409, "TICKET_ACTIVE", false),
        "GET /matchmaking/tickets/current" => say(200, placed(4, &nowhere())),
        other => panic!("{other}"),
    })
    .await;
    let mut milestones = Vec::new();
    let stop = CancellationToken::new();
    let client = backend.client();
    patient(client.find_match(wish(None), &stop, |it| milestones.push(it))).await.unwrap();
    assert_eq!(milestones[0], Milestone::Ticket { ticket_id: TICKET.to_owned(), resumed: true });
}

#[tokio::test]
async fn member_waits_for_the_leaders_ticket_and_takes_no_earlier_one_for_it() {
    let mut polls = 0;
    let backend = Backend::start(move |received| {
        assert_eq!(received.line(), "GET /matchmaking/tickets/current");
        polls += 1;
        let mut found = placed(4, &nowhere());
        found["ticketId"] = json!(if polls < 3 { "earlier" } else { TICKET });
        say(200, found)
    })
    .await;
    let invited = Wish { entry: Entry::Invited { earlier: Some("earlier".to_owned()) }, ..wish(None) };
    let (mut milestones, stop) = (Vec::new(), CancellationToken::new());
    let client = backend.client();
    patient(client.find_match(invited, &stop, |it| milestones.push(it))).await.unwrap();
    assert_eq!(milestones[0], Milestone::Ticket { ticket_id: TICKET.to_owned(), resumed: false });
    assert_eq!(backend.lines().iter().filter(|it| it.ends_with("/current")).count(), 3);
}

#[tokio::test]
async fn failure_names_its_step_and_cause_and_no_secret() {
    let backend = Backend::start(|_| refuse(422, "LATENCY_LOCATION_UNKNOWN", false)).await;
    let error = find_match(&backend.client(), wish(None)).await.unwrap_err();
    assert_eq!((error.step(), error.label().as_str()), (Step::Start, "start: LATENCY_LOCATION_UNKNOWN"));

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let backend = format!("http://{nobody}");
    let client = Client::new(ClientConfig { backend, ..ClientConfig::default() }).unwrap();
    let error = patient(client.sign_in()).await.unwrap_err();
    assert_eq!(error.label(), "identity: not_sent");
    assert!(error.to_string().contains(&nobody.to_string()), "{error}");

    // Somebody in between who changes what is asked for.
    let proxy = Backend::start(|_| say(200, json!([]))).await;
    let client =
        Client::new(ClientConfig { region: Some("eu-west-1".to_owned()), ..proxy.config() }).unwrap();
    let error = patient(client.locations()).await;
    assert_eq!(error, Ok(Vec::new()));
    let error = patient(client.session()).await.unwrap_err();
    assert!(error.to_string().contains("does not speak this API"), "{error}");
    let shown = format!("{client:?} {error:?}");
    assert!(!shown.contains(SECRET) && !shown.contains("us-west-2:0123"), "{shown}");
}

#[tokio::test]
async fn ended_credentials_are_renewed_once_and_the_request_repeated() {
    let expired = || {
        let headers = vec![("x-amzn-errortype", "ExpiredTokenException".to_owned())];
        (403, headers, json!({ "message": "The security token included in the request is expired" }))
    };
    let mut calls = 0;
    let backend = Backend::start(move |_| {
        calls += 1;
        if calls == 2 { say(200, json!([])) } else { expired() }
    })
    .await;
    let client = backend.client();
    patient(client.locations()).await.unwrap();
    let renewed = [
        "GetId",
        "GetCredentialsForIdentity",
        "GET /locations",
        "GetCredentialsForIdentity",
        "GET /locations",
    ];
    assert_eq!(backend.lines(), renewed);
    let error = patient(client.locations()).await.unwrap_err();
    assert_eq!(error.error.code(), Some("ExpiredTokenException"), "not for ever");
}

#[tokio::test]
async fn requests_at_once_share_one_identity_and_a_file_keeps_it() {
    let backend = Backend::start(|_| say(200, json!([]))).await;
    let folder =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kept-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let config = ClientConfig { identity_file: Some(folder.join("identity.json")), ..backend.config() };
    let client = Client::new(config.clone()).unwrap();
    let (first, second, third) =
        patient(async { tokio::join!(client.locations(), client.locations(), client.locations()) }).await;
    first.and(second).and(third).unwrap();
    let again = Client::new(config).unwrap();
    patient(again.sign_in()).await.unwrap();
    let count = |line: &str| backend.lines().iter().filter(|it| *it == line).count();
    assert_eq!((count("GetId"), count("GetCredentialsForIdentity")), (1, 2));
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn player_who_is_dropped_asks_where_the_game_is_and_goes_back() {
    let server = Server::start();
    let seat = seat_at(&server);
    let sessions = Arc::new(AtomicU32::new(0));
    let asked = sessions.clone();
    let again = seat.clone();
    let backend = Backend::start(move |received| match received.line().as_str() {
        "GET /sessions/current" => match asked.fetch_add(1, Ordering::Relaxed) {
            0 => refuse(503, "MATCHMAKER_UNAVAILABLE", true),
            _ => say(200, again.clone()),
        },
        other => panic!("{other}"),
    })
    .await;
    let client = backend.client();
    let connection: Connection = serde_json::from_value(seat).unwrap();
    let stop = CancellationToken::new();
    let mut milestones = Vec::new();
    let options = game(Duration::from_secs(60));
    let playing = client.play(&connection, &options, &stop, |it| milestones.push(it));
    let (played, ()) = patient(async {
        tokio::join!(playing, async {
            let mut first = server.client().await;
            first.welcome().await;
            first.connection.read_datagram().await.unwrap(); // The player is in.
            first.connection.close(close::TOO_SLOW.into(), b"too slow");
            let mut second = server.client().await;
            second.welcome().await;
            second.connection.read_datagram().await.unwrap();
            stop.cancel();
            second.play().await;
        })
    })
    .await;
    let played = played.unwrap();
    assert_eq!((played.returns, played.ended), (1, None));
    assert_eq!(sessions.load(Ordering::Relaxed), 2);
    assert_eq!(milestones.len(), 3, "{milestones:?}");
    assert!(matches!(milestones[1], Milestone::Dropped(_)));
}

#[tokio::test]
async fn player_who_is_dropped_again_and_again_waits_between() {
    let server = Server::start();
    let again = seat_at(&server);
    let backend = Backend::start(move |_| say(200, again.clone())).await;
    let client = backend.client();
    let connection: Connection = serde_json::from_value(seat_at(&server)).unwrap();
    let (stop, options) = (CancellationToken::new(), game(Duration::from_secs(60)));
    let playing = client.play(&connection, &options, &stop, |_| {});
    let (played, waits) = patient(async {
        tokio::join!(playing, async {
            let mut waits = Vec::new();
            for _ in 0..3 {
                let since = std::time::Instant::now();
                let mut client = server.client().await;
                waits.push(since.elapsed());
                client.welcome().await;
                client.connection.read_datagram().await.unwrap(); // The player is in.
                client.connection.close(close::TOO_SLOW.into(), b"too slow");
            }
            stop.cancel();
            waits
        })
    })
    .await;
    assert_eq!(played.unwrap().returns, 2);
    assert!(waits[2] >= BACKOFF_MIN / 2, "{waits:?}");
}

#[tokio::test]
async fn drop_without_a_way_back_says_why() {
    let server = Server::start();
    let backend = Backend::start(|_| refuse(404, "NO_SESSION", false)).await;
    let client = backend.client();
    let connection: Connection = serde_json::from_value(seat_at(&server)).unwrap();
    let (stop, options) = (CancellationToken::new(), game(Duration::from_secs(60)));
    let playing = client.play(&connection, &options, &stop, |_| {});
    let (played, ()) = patient(async {
        tokio::join!(playing, async {
            let mut first = server.client().await;
            first.welcome().await;
            first.connection.read_datagram().await.unwrap(); // The player is in.
            first.connection.close(close::TOO_SLOW.into(), b"too slow");
        })
    })
    .await;
    let error = played.unwrap_err();
    assert!(
        matches!(&error, PlayError::Lost { attempts: 1, reason, .. } if reason.contains("NO_SESSION")),
        "{error}"
    );
}

#[tokio::test]
async fn server_that_is_not_the_one_is_not_shown_the_seat() {
    let server = Server::start();
    let backend = Backend::start(|_| refuse(404, "NO_SESSION", false)).await;
    let mut seat = seat_at(&server);
    seat["certificateSha256"] = json!("07".repeat(32));
    let connection: Connection = serde_json::from_value(seat).unwrap();
    let client = backend.client();
    let (stop, options) = (CancellationToken::new(), game(Duration::from_secs(60)));
    let (played, handshake) = patient(async {
        tokio::join!(client.play(&connection, &options, &stop, |_| {}), server.connection())
    })
    .await;
    assert_eq!(played.unwrap_err().label(), "join: unverified");
    assert!(handshake.is_err());
}

#[tokio::test]
async fn latency_is_measured_where_a_beacon_answers_and_left_out_where_none_does() {
    let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let location = |name: &str, socket: Option<&UdpSocket>| Location {
        location: name.to_owned(),
        beacon: socket
            .map(|it| Beacon { domain: "127.0.0.1".to_owned(), port: it.local_addr().unwrap().port() }),
    };
    let locations =
        [location("near", Some(&near)), location("silent", Some(&silent)), location("without", None)];
    let mut arrivals = Vec::new();
    let echo = async {
        let mut buffer = [0; 400];
        loop {
            let (len, from) = near.recv_from(&mut buffer).await.unwrap();
            assert!((1..=300).contains(&len));
            arrivals.push(std::time::Instant::now());
            near.send_to(&buffer[..len], from).await.unwrap();
        }
    };
    let latencies = patient(async {
        tokio::select! {
            latencies = latency::measure(&locations) => latencies,
            () = echo => unreachable!("it answers for ever"),
        }
    })
    .await;
    assert_eq!(latencies.keys().collect::<Vec<_>>(), ["near"]);
    assert!(latencies["near"] >= 1);
    // No more than three per second, with some room for a busy machine.
    assert_eq!(arrivals.len(), 5);
    assert!(arrivals[3] - arrivals[0] >= Duration::from_millis(950));
}
