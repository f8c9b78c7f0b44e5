//! What GameLift says and hears, on virtual time: the SDK's scripted service on one side of the lifecycle, the test in
//! the game loop's place on the other.
#![cfg(test)]
#![allow(
    clippy::field_reassign_with_default,
    reason = "the SDK's messages may grow fields: they have no literals"
)]

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gamelift_server_sdk::test_util::{self, ServiceSocket};
use gamelift_server_sdk::wire::envelope::{Action, success_text};
use gamelift_server_sdk::wire::ids::RequestId;
use gamelift_server_sdk::wire::model::{EpochMillis, PlayerSession};
use gamelift_server_sdk::wire::pushes::{CreateGameSession, Push, TerminateProcess};
use gamelift_server_sdk::wire::requests::PlayerSessionsPage;
use gamelift_server_sdk::{
    Config, Events, GameSessionId, PlayerSessionCreationPolicy, PlayerSessionId, PlayerSessionStatus, Ready,
    ServerProcess, wire::requests,
};
use sample_server::directory::{FINDS_MAX, Find, Found};
use sample_server::gate::{AcceptAnswer, Standing};
use sample_server::lifecycle::{self, LifecycleError};
use sample_server::service::{NOTICES_MAX, Notice, REQUESTS_MAX, Request, Seam};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

const GAME_SESSION: &str = "arn:aws:gamelift:us-west-2::gamesession/fleet-1/custom-laptop/gsess-1";
const DRAIN_NOTICE: Duration = Duration::from_secs(30);

/// On a paused clock an hour passes at once when nothing else can happen.
async fn patient<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(3600), future).await.expect("nothing happens any more")
}

fn id(text: &str) -> PlayerSessionId {
    text.parse().unwrap()
}

/// What is left when the lifecycle is over.
struct Hosted {
    outcome: Result<Option<String>, LifecycleError>,
    process: ServerProcess,
    /// Dropping these would take the process off the service.
    _events: Events,
}

struct Bench {
    /// GameLift's end of the socket.
    gamelift: ServiceSocket,
    /// The game loop's ends of the queues; dropping `requests` is the end of the loop.
    requests: mpsc::Sender<Request>,
    notices: mpsc::Receiver<Notice>,
    policy: watch::Sender<PlayerSessionCreationPolicy>,
    finds: mpsc::Sender<Find>,
    shutdown: oneshot::Sender<()>,
    running: JoinHandle<Hosted>,
}

impl Bench {
    /// A process that is ready.
    async fn ready() -> Self {
        // No health checks but the first, so that tests see only what they ask for.
        let config = Config::builder()
            .websocket_url("ws://in.memory")
            .fleet_id("fleet-1")
            .host_id("host-1")
            .process_id("proc-1")
            .auth_token("token")
            .health_check(Duration::from_secs(36_000), Duration::ZERO, Duration::from_secs(50))
            .build()
            .unwrap();
        let (network, mut service) = test_util::network();
        let connect =
            async { network.connect(config).await.unwrap().ready(Ready::on_port(7777)).await.unwrap() };
        let accept = async {
            let mut socket = service.accept().await;
            socket.answer("ActivateServerProcess").await;
            socket
        };
        let ((process, mut events), gamelift) = patient(async { tokio::join!(connect, accept) }).await;
        let (requests, seam_requests) = mpsc::channel(REQUESTS_MAX);
        let (seam_notices, notices) = mpsc::channel(NOTICES_MAX);
        let (policy, seam_policy) = watch::channel(PlayerSessionCreationPolicy::AcceptAll);
        let (finds, seam_finds) = mpsc::channel(FINDS_MAX);
        let (shutdown, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            // Kept alive, so that only dropping a network ends a connection.
            let _service = service;
            let seam = Seam {
                requests: seam_requests,
                notices: seam_notices,
                policy: seam_policy,
                finds: seam_finds,
            };
            let stopped = async {
                if stopped.await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            let outcome = lifecycle::serve(&mut events, seam, DRAIN_NOTICE, Arc::new(|_| {}), stopped).await;
            Hosted { outcome, process, _events: events }
        });
        let mut bench = Self { gamelift, requests, notices, policy, finds, shutdown, running };
        bench.answer_health().await;
        assert!(matches!(bench.health_report().await, Some(true)));
        bench
    }

    /// A process that hosts a game session.
    async fn hosting() -> Self {
        let mut bench = Self::ready().await;
        bench.push_game_session().await;
        patient(bench.gamelift.answer("ActivateGameSession")).await;
        assert!(matches!(bench.notice().await, Notice::GameSessionStarted { seats: 8, .. }));
        bench
    }

    async fn push_game_session(&mut self) {
        let mut push = CreateGameSession::default();
        push.game_session_id = GameSessionId::new_unchecked(GAME_SESSION);
        push.maximum_player_session_count = Some(8);
        self.gamelift.push(&Push::CreateGameSession(push)).await;
    }

    async fn notice(&mut self) -> Notice {
        patient(self.notices.recv()).await.expect("the lifecycle runs")
    }

    async fn ask(&self, request: Request) {
        self.requests.send(request).await.unwrap();
    }

    async fn answer_health(&mut self) {
        let Notice::HealthCheck(alive) = self.notice().await else { panic!("not a health check") };
        alive.send(()).unwrap();
    }

    async fn health_report(&mut self) -> Option<bool> {
        let (request_id, request) = patient(self.gamelift.expect("HeartbeatServerProcess")).await;
        self.gamelift.succeed(&request, &request_id).await;
        match request {
            requests::Request::HeartbeatServerProcess(report) => Some(report.health_status),
            _ => None,
        }
    }

    async fn refuse(&mut self, action: &str, status: u16) {
        let (request_id, request) = patient(self.gamelift.expect(action)).await;
        self.gamelift.refuse(&request.action(), &request_id, status, "for the test").await;
    }

    async fn expect(&mut self, action: &str) -> RequestId {
        patient(self.gamelift.expect(action)).await.0
    }

    /// The game loop ends; returns what the lifecycle says.
    async fn finish(self) -> (Hosted, ServiceSocket) {
        drop((self.requests, self.notices));
        (patient(self.running).await.unwrap(), self.gamelift)
    }
}

#[tokio::test(start_paused = true)]
async fn health_is_reported_only_while_the_game_loop_answers() {
    let mut bench = Bench::ready().await; // It has answered once.
    tokio::time::advance(Duration::from_secs(36_000)).await;
    let hung = bench.notice().await; // Not answered, and not dropped either.
    assert_eq!(bench.health_report().await, Some(false));
    drop(hung);
}

#[tokio::test(start_paused = true)]
async fn game_session_is_announced_to_the_game_only_after_it_is_active() {
    let mut bench = Bench::ready().await;
    bench.push_game_session().await;
    bench.refuse("ActivateGameSession", 429).await;
    patient(bench.gamelift.answer("ActivateGameSession")).await;
    assert!(matches!(bench.notice().await, Notice::GameSessionStarted { seats: 8, .. }));
    let (hosted, _) = bench.finish().await;
    assert_eq!(hosted.outcome.unwrap().as_deref(), Some(GAME_SESSION));
}

#[tokio::test(start_paused = true)]
async fn game_session_that_cannot_be_activated_ends_the_process() {
    let mut bench = Bench::ready().await;
    bench.push_game_session().await;
    bench.refuse("ActivateGameSession", 400).await;
    assert!(matches!(bench.notice().await, Notice::Drain(Duration::ZERO)));
    assert!(matches!(bench.finish().await.0.outcome, Err(LifecycleError::Activate(_))));
}

#[tokio::test(start_paused = true)]
async fn answers_to_accept_say_what_may_be_done_next() {
    let mut bench = Bench::hosting().await;
    for (status, answer) in [
        (200, AcceptAnswer::Yes),
        (400, AcceptAnswer::No),
        (404, AcceptAnswer::No),
        (429, AcceptAnswer::NotNow),
        (500, AcceptAnswer::Unknown),
    ] {
        bench.ask(Request::Accept(id("psess-1"))).await;
        if status == 200 {
            patient(bench.gamelift.answer("AcceptPlayerSession")).await;
        } else {
            bench.refuse("AcceptPlayerSession", status).await;
        }
        let Notice::Accepted(player, got) = bench.notice().await else { panic!("not an answer") };
        assert_eq!((player, got), (id("psess-1"), answer), "{status}");
    }

    bench.ask(Request::Accept(id("psess-1"))).await;
    bench.expect("AcceptPlayerSession").await; // Never answered.
    // While it waits, the SDK may ask for the game's health.
    let notice = loop {
        match bench.notice().await {
            Notice::HealthCheck(_) => {}
            notice => break notice,
        }
    };
    assert!(matches!(notice, Notice::Accepted(_, AcceptAnswer::Unknown)), "{notice:?}");
}

#[tokio::test(start_paused = true)]
async fn player_session_is_looked_up_in_this_game_session() {
    let mut bench = Bench::hosting().await;
    let of = |game_session: &str, status| {
        let mut session = PlayerSession::default();
        session.player_session_id = id("psess-1");
        session.game_session_id = GameSessionId::new_unchecked(game_session);
        session.status = Some(status);
        session
    };
    for (found, standing) in [
        (vec![of(GAME_SESSION, PlayerSessionStatus::Active)], Standing::Active),
        (vec![of(GAME_SESSION, PlayerSessionStatus::Reserved)], Standing::Reserved),
        (vec![of(GAME_SESSION, PlayerSessionStatus::TimedOut)], Standing::Ended),
        (vec![of("arn:another", PlayerSessionStatus::Active)], Standing::Ended),
        (vec![], Standing::Ended),
    ] {
        bench.ask(Request::Describe(id("psess-1"))).await;
        let request_id = bench.expect("DescribePlayerSessions").await;
        let mut page = PlayerSessionsPage::default();
        page.player_sessions = found;
        bench.gamelift.send_text(success_text(&Action::DescribePlayerSessions, &request_id, &page)).await;
        let Notice::Described(_, got) = bench.notice().await else { panic!("not a description") };
        assert_eq!(got, standing);
    }
}

#[tokio::test(start_paused = true)]
async fn removal_is_repeated_until_gamelift_knows_or_it_is_hopeless() {
    let mut bench = Bench::hosting().await;
    bench.ask(Request::Remove(id("psess-1"))).await;
    bench.refuse("RemovePlayerSession", 500).await;
    bench.refuse("RemovePlayerSession", 404).await; // There is nothing to remove: that will do.
    assert!(matches!(bench.notice().await, Notice::Removed(_, true)));

    bench.ask(Request::Remove(id("psess-1"))).await;
    for _ in 0..lifecycle::CALL_ATTEMPTS_MAX {
        bench.refuse("RemovePlayerSession", 500).await;
    }
    assert!(matches!(bench.notice().await, Notice::Removed(_, false)));
}

/// The policy that GameLift is told next, and how it answers.
async fn policy_call(bench: &mut Bench, status: u16) -> PlayerSessionCreationPolicy {
    let (request_id, request) = patient(bench.gamelift.expect("UpdatePlayerSessionCreationPolicy")).await;
    match status {
        200 => bench.gamelift.succeed(&request, &request_id).await,
        _ => bench.gamelift.refuse(&request.action(), &request_id, status, "for the test").await,
    }
    match request {
        requests::Request::UpdatePlayerSessionCreationPolicy(it) => it.policy,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn newest_policy_is_told_one_at_a_time_and_until_it_is_known() {
    use PlayerSessionCreationPolicy::{AcceptAll, DenyAll};
    let mut bench = Bench::hosting().await;
    bench.policy.send_replace(DenyAll);
    assert_eq!(policy_call(&mut bench, 500).await, DenyAll);
    // A seat is free, taken and free again while GameLift is still being told.
    for policy in [AcceptAll, DenyAll, AcceptAll] {
        bench.policy.send_replace(policy);
    }
    assert_eq!(
        policy_call(&mut bench, 200).await,
        DenyAll,
        "told again, because it may not have taken effect"
    );
    assert_eq!(policy_call(&mut bench, 200).await, AcceptAll);
    // Nothing new: the next thing GameLift hears is this.
    bench.policy.send_replace(AcceptAll);
    bench.ask(Request::Remove(id("psess-1"))).await;
    patient(bench.gamelift.answer("RemovePlayerSession")).await;
}

#[tokio::test(start_paused = true)]
async fn policy_of_a_game_that_ends_at_once_is_still_told() {
    let mut bench = Bench::hosting().await;
    bench.policy.send_replace(PlayerSessionCreationPolicy::DenyAll);
    drop((bench.requests, bench.notices, bench.policy));
    let told = patient(bench.gamelift.answer("UpdatePlayerSessionCreationPolicy"));
    let (_, hosted) = tokio::join!(told, patient(bench.running));
    assert!(hosted.unwrap().outcome.is_ok());
}

#[tokio::test(start_paused = true)]
async fn seat_is_found_in_whichever_game_session_it_is() {
    let mut bench = Bench::hosting().await;
    for elsewhere in [Some("arn:another"), None] {
        let (answer, found) = oneshot::channel();
        bench.finds.send(Find { id: id("psess-1"), answer }).await.unwrap();
        let request_id = bench.expect("DescribePlayerSessions").await;
        let mut page = PlayerSessionsPage::default();
        page.player_sessions.extend(elsewhere.map(|game_session| {
            let mut session = PlayerSession::default();
            session.player_session_id = id("psess-1");
            session.game_session_id = GameSessionId::new_unchecked(game_session);
            session
        }));
        bench.gamelift.send_text(success_text(&Action::DescribePlayerSessions, &request_id, &page)).await;
        let expected = elsewhere.map_or(Found::Nowhere, |it| Found::In(it.to_owned()));
        assert_eq!(patient(found).await, Ok(expected));
    }
    // Neither yes nor no: the player is told to try again.
    let (answer, found) = oneshot::channel();
    bench.finds.send(Find { id: id("psess-1"), answer }).await.unwrap();
    bench.refuse("DescribePlayerSessions", 500).await;
    assert!(patient(found).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn termination_drains_until_the_deadline_minus_the_margin() {
    let mut bench = Bench::hosting().await;
    let deadline = SystemTime::now() + Duration::from_secs(300);
    let millis = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64;
    let mut push = TerminateProcess::default();
    push.termination_time = Some(EpochMillis(millis));
    bench.gamelift.push(&Push::TerminateProcess(push)).await;
    let Notice::Drain(notice) = bench.notice().await else { panic!("not a drain") };
    let longest = Duration::from_secs(300) - lifecycle::TERMINATE_MARGIN;
    // The wall clock is not paused; a minute is more than any machine needs to get here.
    assert!(notice <= longest && notice > longest - Duration::from_secs(60), "{notice:?}");
}

#[tokio::test(start_paused = true)]
async fn shutdown_drains_and_the_process_ends_only_when_the_game_has() {
    let mut bench = Bench::hosting().await;
    let (shutdown, _) = oneshot::channel();
    std::mem::replace(&mut bench.shutdown, shutdown).send(()).unwrap();
    assert!(matches!(bench.notice().await, Notice::Drain(DRAIN_NOTICE)));
    bench.ask(Request::Remove(id("psess-1"))).await;
    patient(bench.gamelift.answer("RemovePlayerSession")).await;
    assert!(matches!(bench.notice().await, Notice::Removed(_, true)));

    let (hosted, mut gamelift) = bench.finish().await;
    assert_eq!(hosted.outcome.unwrap().as_deref(), Some(GAME_SESSION));
    let (ended, _) = patient(async {
        tokio::join!(lifecycle::end(hosted.process), gamelift.answer("TerminateServerProcess"))
    })
    .await;
    assert_eq!(ended, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn second_game_session_is_not_activated() {
    let mut bench = Bench::hosting().await;
    bench.push_game_session().await;
    bench.ask(Request::Remove(id("psess-1"))).await;
    // The next thing GameLift hears is this, and not another activation.
    patient(bench.gamelift.answer("RemovePlayerSession")).await;
}
