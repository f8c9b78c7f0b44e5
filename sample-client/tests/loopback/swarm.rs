//! Many players on the whole way.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sample_client::backend::FollowOptions;
use sample_client::backend::population::Population;
use sample_client::backend::swarm::{self, Progress, SwarmConfig};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::backend_server::{Backend, placed, refuse, say, ticket};
use crate::game_server::{ADA, Server, patient};

fn config(players: usize, party_mix: &str) -> SwarmConfig {
    SwarmConfig {
        players,
        arrival_rate: Some(100.0),
        population: Population {
            party_mix: party_mix.parse().unwrap(),
            locations: Some("custom-a=1,custom-b=1".parse().unwrap()),
            attributes: [("skill".to_owned(), "10..20".parse().unwrap())].into(),
            seed: 3,
        },
        configuration: None,
        follow: FollowOptions { accept: true, push: None, wait_max: Duration::from_secs(60) },
        play_for: Duration::from_millis(200),
        extra_roots: None,
        at_once: 16,
        progress: Arc::new(|_| {}),
    }
}

#[tokio::test]
async fn parties_come_together_and_all_members_play() {
    let server = Server::start();
    let seat = json!({
        "endpoints": [{ "ip": "127.0.0.1", "port": server.address().port() }],
        "playerSessionId": ADA, "gameSessionId": "gsess-1",
        "certificateSha256": server.fingerprint().to_string(),
    });
    let (mut invites, mut started) = (0, 0);
    let backend = Backend::start(move |received| match received.line().as_str() {
        "POST /party/invites" => {
            invites += 1;
            say(200, json!({ "token": format!("token-{invites}"), "expiresAt": 1 }))
        }
        "POST /matchmaking/tickets" => {
            started += 1;
            say(202, ticket(1, "SEARCHING"))
        }
        // Members ask this until the leader has started.
        "GET /matchmaking/tickets/current" if started == 0 => refuse(404, "NOT_FOUND", false),
        _ => say(200, placed(2, &seat)),
    })
    .await;
    let last = Arc::new(Mutex::new(Progress::default()));
    let told = last.clone();
    let mut config = config(6, "3=1");
    config.progress = Arc::new(move |now| *told.lock().unwrap() = *now);
    let serve = async {
        loop {
            let mut client = server.client().await;
            tokio::spawn(async move {
                client.welcome().await;
                client.play().await;
            });
        }
    };
    let (client, stop) = (backend.client(), CancellationToken::new());
    let report = patient(async {
        tokio::select! {
            report = swarm::run(&client, config, &stop) => report,
            () = serve => unreachable!("it serves for ever"),
        }
    })
    .await;
    assert_eq!((report.players, report.parties, report.ticketed), (6, 2, 6), "{report}");
    assert_eq!((report.matched, report.joined, report.played), (6, 6, 6), "{report}");
    assert!(report.failures.is_empty(), "{report}");
    assert!(report.time_to_ticket_ms.p50 > 0.0 && report.time_to_play_ms.max >= report.time_to_match_ms.p50);
    let last = *last.lock().unwrap();
    assert_eq!((last.arrived, last.ticketed, last.done, last.failed), (6, 6, 6, 0));

    let requests = backend.received();
    let starts: Vec<_> = requests.iter().filter(|it| it.line() == "POST /matchmaking/tickets").collect();
    let mut tokens = BTreeSet::new();
    for start in &starts {
        let body = start.json();
        tokens.extend(body["party"].as_array().unwrap().iter().map(ToString::to_string));
        assert!((10.0..=20.0).contains(&body["attributes"]["skill"].as_f64().unwrap()), "{body}");
        assert_eq!(body["latencies"].as_object().unwrap().len(), 2);
    }
    assert_eq!((starts.len(), tokens.len()), (2, 4), "each token is used once");
    let own: BTreeSet<String> = requests
        .iter()
        .filter(|it| it.line() == "POST /party/invites")
        .map(|it| {
            let body = it.json();
            assert!((10.0..=20.0).contains(&body["attributes"]["skill"].as_f64().unwrap()), "{body}");
            assert_eq!(body["latencies"].as_object().unwrap().len(), 2, "{body}");
            body.to_string()
        })
        .collect();
    assert_eq!(own.len(), 4, "each member says what is their own: {own:?}");
    assert_eq!(requests.iter().filter(|it| it.line() == "GetId").count(), 6, "each is a player of their own");
}

#[tokio::test]
async fn failures_are_counted_by_step_and_cause() {
    let mut starts = 0;
    let backend = Backend::start(move |received| match received.line().as_str() {
        "POST /matchmaking/tickets" => {
            starts += 1;
            match starts {
                1 => refuse(409, "FORBIDDEN", false),
                2 => say(202, ticket(2, "TIMED_OUT")),
                _ => say(202, ticket(2, "FAILED")),
            }
        }
        other => panic!("{other}"),
    })
    .await;
    let client = backend.client();
    let report = patient(swarm::run(&client, config(4, "1=1"), &CancellationToken::new())).await;
    assert_eq!((report.players, report.ticketed, report.matched, report.played), (4, 3, 0, 0));
    let failures = [("start: FORBIDDEN", 1), ("ticket: FAILED", 2), ("ticket: TIMED_OUT", 1)];
    assert_eq!(report.failures, failures.map(|(label, count)| (label.to_owned(), count)).into());
    assert!(report.to_string().contains("ticket: TIMED_OUT"), "{report}");
}

#[tokio::test]
async fn members_of_a_leader_who_cannot_start_do_not_wait_for_it() {
    let backend = Backend::start(|received| match received.line().as_str() {
        "POST /party/invites" => say(200, json!({ "token": "token", "expiresAt": 1 })),
        "POST /matchmaking/tickets" => refuse(400, "BAD_REQUEST", false),
        _ => refuse(404, "NOT_FOUND", false),
    })
    .await;
    let client = backend.client();
    let report = patient(swarm::run(&client, config(3, "3=1"), &CancellationToken::new())).await;
    let failures = [("invite: not_invited", 2), ("start: BAD_REQUEST", 1)];
    assert_eq!(report.failures, failures.map(|(label, count)| (label.to_owned(), count)).into());
}

#[tokio::test]
async fn stopped_swarm_takes_its_requests_back() {
    let backend = Backend::start(|received| match received.line().as_str() {
        "POST /matchmaking/tickets" => say(202, ticket(1, "SEARCHING")),
        "DELETE /matchmaking/tickets/ticket-1" => say(200, ticket(2, "CANCELLED")),
        _ => say(304, serde_json::Value::Null),
    })
    .await;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    let mut config = config(20, "1=1");
    config.progress = Arc::new(move |now| {
        if now.ticketed == 3 {
            stopping.cancel();
        }
    });
    let client = backend.client();
    let report = patient(swarm::run(&client, config, &stop)).await;
    let cancelled = report.failures["ticket: CANCELLED"];
    assert_eq!(cancelled, report.ticketed, "{report}");
    assert!((3..20).contains(&cancelled), "nobody comes after that: {report}");
}
