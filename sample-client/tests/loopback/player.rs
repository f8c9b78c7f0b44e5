//! A player against a game server.

use std::future::Future;
use std::net::Ipv4Addr;
use std::time::Duration;

use game_proto::server_message::Kind;
use game_proto::{
    Hello, Message, PlayerJoined, RefusalReason, Refused, ServerClosing, ServerMessage, Snapshot, Welcome,
    close, frame,
};
use quinn::ConnectionError;
use sample_client::swarm::{self, SwarmConfig, Target};
use sample_client::{Fingerprint, JoinConfig, JoinError, LeaveReason, Player, PlayerEvent, Trust, play};

use crate::game_server::{ADA, Client, Server, patient};

/// Runs a join against what the server does meanwhile.
async fn join<T>(config: JoinConfig, server: impl Future<Output = T>) -> (Result<Player, JoinError>, T) {
    patient(async { tokio::join!(Player::join(config), server) }).await
}

#[tokio::test]
async fn player_is_in_after_welcome_and_hears_what_the_server_says() {
    let server = Server::start();
    let (player, mut client) = join(server.config(), async {
        let mut client = server.client().await;
        client.welcome().await;
        client
    })
    .await;
    let mut player = player.unwrap();
    assert_eq!(client.hello.player_session_id, ADA);
    assert_eq!(player.welcome().player_number, 3);

    client.say(Kind::PlayerJoined(PlayerJoined { player_number: 4 })).await;
    assert_eq!(patient(player.next()).await, Ok(PlayerEvent::PlayerJoined(4)));
    client.say(Kind::ServerClosing(ServerClosing { notice_seconds: 30 })).await;
    assert_eq!(patient(player.next()).await, Ok(PlayerEvent::ServerClosing(Duration::from_secs(30))));
    let snapshot = Snapshot { tick: 1, ..Snapshot::default() };
    client.show(&snapshot);
    assert_eq!(patient(player.next()).await, Ok(PlayerEvent::Snapshot(snapshot)));
    client.connection.close(close::SERVER_CLOSED.into(), b"");
    assert_eq!(patient(player.next()).await, Err(LeaveReason::ServerClosed));
}

#[tokio::test]
async fn wrong_fingerprint_is_a_typed_error_and_nothing_is_sent() {
    let server = Server::start();
    let config =
        JoinConfig { trust: Trust::Fingerprint(Fingerprint::from_sha256([7; 32])), ..server.config() };
    let (joined, connection) = join(config, server.connection()).await;
    let Err(JoinError::Unverified { presented, .. }) = joined else { panic!("{joined:?}") };
    assert_eq!(presented, Some(server.fingerprint()), "what it showed helps to find a mistake");
    // The server's handshake never finishes, so there is no stream on which an id could have come.
    assert!(connection.is_err());
}

#[tokio::test]
async fn right_certificate_without_its_key_is_not_believed() {
    let server = Server::start();
    let stolen = rcgen::KeyPair::generate().unwrap();
    let impostor = Server::with_key(server.certificate.clone(), server.pem.clone(), &stolen);
    let (joined, connection) = join(impostor.config(), impostor.connection()).await;
    assert!(matches!(joined, Err(JoinError::Unverified { presented: None, .. })), "{joined:?}");
    assert!(connection.is_err());
}

#[tokio::test]
async fn server_is_verified_by_dns_name_and_authority() {
    let server = Server::start();
    let file =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ca-{}.pem", std::process::id()));
    std::fs::write(&file, &server.pem).unwrap();
    let trust = |name: &str| Trust::DnsName { name: name.to_owned(), extra_roots: Some(file.clone()) };

    let config = JoinConfig { trust: trust("game.example"), ..server.config() };
    let (joined, _client) = join(config, async {
        let mut client = server.client().await;
        client.welcome().await;
        client
    })
    .await;
    joined.unwrap();

    let config = JoinConfig { trust: trust("other.example"), ..server.config() };
    let (joined, connection) = join(config, server.connection()).await;
    assert!(matches!(joined, Err(JoinError::Unverified { .. })), "{joined:?}");
    assert!(connection.is_err());
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn refusal_is_told_by_its_message() {
    let server = Server::start();
    let (joined, _client) = join(server.config(), async {
        let mut client = server.client().await;
        // With what would clear a terminal.
        let refused = Refused { reason: RefusalReason::RoomFull.into(), detail: "\u{1b}full".to_owned() };
        client.say(Kind::Refused(refused)).await;
        client
    })
    .await;
    let error = joined.unwrap_err();
    assert!(
        matches!(&error, JoinError::Refused { reason: RefusalReason::RoomFull, detail } if detail == "full")
    );
    assert_eq!(error.label(), "room_full");
}

#[tokio::test]
async fn refusal_is_told_by_its_close_code_alone() {
    let server = Server::start();
    let (joined, _) = join(server.config(), async {
        let connection = server.connection().await.unwrap();
        connection.close(close::refused(RefusalReason::Draining).into(), b"");
    })
    .await;
    assert_eq!(joined.unwrap_err().label(), "draining");
}

#[tokio::test]
async fn server_that_is_too_busy_to_shake_hands_is_one_to_try_again() {
    let server = Server::start();
    let (joined, _) = join(server.config(), async { server.endpoint.accept().await.unwrap().refuse() }).await;
    assert_eq!(joined.unwrap_err().label(), "too_many_unvalidated");
}

#[tokio::test]
async fn server_that_never_answers_is_a_timeout_that_says_whether_the_id_was_sent() {
    let server = Server::start();
    let config = JoinConfig { timeout: Duration::from_millis(300), ..server.config() };
    let (joined, _client) = join(config.clone(), server.client()).await;
    assert!(matches!(joined, Err(JoinError::Timeout { sent: true, .. })), "{joined:?}");

    let silent = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let config = JoinConfig { address: silent.local_addr().unwrap(), ..config };
    let joined = patient(Player::join(config)).await;
    assert!(matches!(joined, Err(JoinError::Timeout { sent: false, .. })), "{joined:?}");
}

#[tokio::test]
async fn nonsense_from_the_server_ends_the_game() {
    let server = Server::start();
    let (player, client) = join(server.config(), async {
        let mut client = server.client().await;
        client.welcome().await;
        client
    })
    .await;
    client.connection.send_datagram(b"\xff\xff"[..].into()).unwrap();
    assert!(matches!(patient(player.unwrap().next()).await, Err(LeaveReason::Nonsense(_))));
    let ConnectionError::ApplicationClosed(closed) = patient(client.connection.closed()).await else {
        panic!("not closed by the client")
    };
    assert_eq!(closed.error_code.into_inner(), u64::from(close::PROTOCOL_VIOLATION));
}

#[tokio::test]
async fn bot_plays_measures_and_leaves_cleanly() {
    let server = Server::start();
    let (player, mut client) = join(server.config(), async {
        let mut client = server.client().await;
        // Any number is a legal one.
        client.say(Kind::Welcome(Welcome { player_number: u32::MAX, ..Welcome::default() })).await;
        client
    })
    .await;
    client.say(Kind::ServerClosing(ServerClosing { notice_seconds: 1 })).await;
    let bot = play(player.unwrap(), Duration::from_millis(500));
    let (played, close_code) = patient(async { tokio::join!(bot, client.play()) }).await;
    assert_eq!(close_code, u64::from(close::DONE));
    assert!(played.warned);
    assert_eq!(played.ended, None);
    assert!(played.stats.inputs > 0 && played.stats.snapshots > 0);
    assert!(!played.stats.round_trip_micros.is_empty());
}

#[tokio::test]
async fn player_whose_connection_is_lost_comes_back_with_its_token() {
    let server = Server::start();
    let (player, first) = join(server.config(), async {
        let mut client = server.client().await;
        client.welcome_with_token(vec![1; 16]).await;
        client
    })
    .await;
    assert!(first.hello.resume_token.is_empty(), "a newcomer has none");
    let bot = play(player.unwrap(), Duration::from_millis(700));
    let serve = async {
        first.connection.read_datagram().await.unwrap(); // It plays.
        first.connection.close(close::TOO_SLOW.into(), b"too slow");
        let busy = server.client().await;
        busy.connection.close(close::refused(RefusalReason::ServiceUnavailable).into(), b"");
        let mut second = server.client().await;
        assert_eq!(second.hello.player_session_id, ADA);
        assert_eq!(second.hello.resume_token, [1; 16], "tried again, because nobody said no");
        second.welcome_with_token(vec![2; 16]).await;
        second.play().await
    };
    let (played, close_code) = patient(async { tokio::join!(bot, serve) }).await;
    assert_eq!((played.resumes, played.ended), (1, None));
    assert_eq!(close_code, u64::from(close::DONE));
    assert!(!played.stats.round_trip_micros.is_empty(), "it plays on");
}

#[tokio::test]
async fn player_does_not_come_back_where_the_seat_is_gone_or_taken_by_itself() {
    let cases = [
        (close::TOO_SLOW, Some(RefusalReason::ResumeRefused)), // The server says no.
        (close::RESUMED_ELSEWHERE, None),                      // Not even asked.
    ];
    for (code, refusal) in cases {
        let server = Server::start();
        let (player, first) = join(server.config(), async {
            let mut client = server.client().await;
            client.welcome_with_token(vec![1; 16]).await;
            client
        })
        .await;
        let bot = play(player.unwrap(), Duration::from_secs(60));
        let serve = async {
            first.connection.close(code.into(), b"");
            if let Some(refusal) = refusal {
                server.client().await.connection.close(close::refused(refusal).into(), b"");
            }
        };
        let (played, ()) = patient(async { tokio::join!(bot, serve) }).await;
        assert_eq!(played.resumes, 0);
        assert!(matches!(played.ended, Some(LeaveReason::PutOut { code: it, .. }) if it == u64::from(code)));
    }
}

#[tokio::test]
async fn swarm_reports_joins_and_refusals_by_reason() {
    let server = Server::start();
    let target = |player: &str| Target {
        address: server.address(),
        player_session_id: player.to_owned(),
        game_session_id: None,
        fingerprint: server.fingerprint(),
    };
    let stranger = Target { fingerprint: Fingerprint::from_sha256([7; 32]), ..target("psess-3") };
    let targets = vec![target("psess-1"), target("psess-2"), stranger];
    let swarm = swarm::run(SwarmConfig::new(targets, Duration::from_millis(300)));
    let serve = async {
        loop {
            let Ok(connection) = server.connection().await else { continue };
            let (mut send, mut receive) = connection.accept_bi().await.unwrap();
            tokio::spawn(async move {
                let mut hello = [0; 64];
                let len = receive.read(&mut hello).await.unwrap().unwrap();
                let hello = Hello::decode(&hello[frame::PREFIX_LEN..len]).unwrap();
                let kind = if hello.player_session_id == "psess-1" {
                    Kind::Welcome(Welcome::default())
                } else {
                    Kind::Refused(Refused {
                        reason: RefusalReason::RefusedByService.into(),
                        detail: String::new(),
                    })
                };
                send.write_all(&frame::encode(&ServerMessage { kind: Some(kind) }).unwrap()).await.unwrap();
                Client { connection, send, _receive: receive, hello }.play().await;
            });
        }
    };
    let report = patient(async {
        tokio::select! {
            report = swarm => report,
            () = serve => unreachable!("it serves for ever"),
        }
    })
    .await;
    assert_eq!((report.bots, report.joined, report.dropped), (3, 1, 0));
    assert_eq!(report.refusals, [("refused_by_service".to_owned(), 1)].into());
    assert_eq!(report.join_failures, [("unverified".to_owned(), 1)].into());
    assert!(report.snapshots > 0 && report.round_trip_ms.p99 > 0.0 && report.join_ms.p50 > 0.0);
    assert!(report.to_string().contains("refused: refused_by_service"));
}
