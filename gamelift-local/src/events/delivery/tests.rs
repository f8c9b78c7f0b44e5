//! An endpoint that is away for good, on virtual time. No byte goes over a socket: connections are refused.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::{net::TcpSocket, task::JoinSet, time::timeout};

use super::*;
use crate::{
    Clock, FaultRates,
    clock::RunningClock,
    driver::{Driver, Handle},
    engine::{Engine, SampleRequest, Settings},
    events::{faults::Faults, outlets::ENDPOINTS_MAX, targets::Targets},
};

/// Longer than all retries, even if each had to wait for its answer.
const LONG: Duration = Duration::from_secs(2 * 60 * 60);

struct Bench {
    handle: Handle,
    outlets: Outlets,
    _targets: Targets,
    _stop: watch::Sender<bool>,
    _tasks: JoinSet<()>,
    /// Bound, so that nobody else gets the port, but not listening: connections are refused.
    _nobody: TcpSocket,
}

impl Bench {
    /// A service with one target, where nobody listens.
    async fn start() -> Self {
        let engine = Engine::new(Settings::default(), 1);
        let (handle, driver) = Driver::new(engine, RunningClock::start(Clock::Manual));
        let (stop, stopped) = watch::channel(false);
        let faults = Faults::new(FaultRates::default(), 1);
        let (outlets, run) = Outlets::new(handle.clone(), None, faults, stopped);
        let mut tasks = JoinSet::new();
        tasks.spawn(driver.run());
        tasks.spawn(run);
        let nobody = TcpSocket::new_v4().unwrap();
        nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let url = format!("http://{}/", nobody.local_addr().unwrap());
        let targets = Targets::new(outlets.clone());
        targets.add(&url).await.unwrap();
        Self { handle, outlets, _targets: targets, _stop: stop, _tasks: tasks, _nobody: nobody }
    }

    async fn publish(&self) {
        let request = SampleRequest { r#type: "PlacementFailed".to_owned(), ..SampleRequest::default() };
        self.handle.run(|engine, now| engine.publish_sample(now, request)).await.unwrap().unwrap();
    }

    async fn dead_letters(&self, count: usize) {
        let enough = async {
            while self.outlets.dead_letters().len() < count {
                sleep(Duration::from_secs(1)).await;
            }
        };
        timeout(LONG, enough).await.expect("in time");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_nobody_takes_is_tried_as_often_as_sns_would_and_is_then_a_dead_letter() {
    let bench = Bench::start().await;
    bench.publish().await;
    bench.dead_letters(1).await;
    let letter = bench.outlets.dead_letters().remove(0);
    assert_eq!(letter.attempts, 1 + retry::RETRIES_MAX);
    assert_eq!(bench.outlets.counts_of(1).failed_attempts, u64::from(letter.attempts));
    assert_eq!(bench.outlets.redrive(|_| true), (1, 0));
    bench.dead_letters(1).await;
    assert_eq!(bench.outlets.counts_of(1).given_up, 2, "a letter that is sent again may come back");
}

#[tokio::test(start_paused = true)]
async fn what_comes_when_too_many_wait_is_a_dead_letter_at_once() {
    let bench = Bench::start().await;
    // One is being tried.
    for _ in 0..WAITING_MAX + 1 + 3 {
        bench.publish().await;
    }
    bench.dead_letters(3).await;
    let letters = bench.outlets.dead_letters();
    assert!(letters.iter().all(|letter| letter.attempts == 0), "{letters:?}");
    assert_eq!(letters.len(), 3);
    assert_eq!(bench.outlets.redrive(|_| true), (0, 3), "there is still no room for them");
}

/// Messages that cannot be made, as when a key does not sign.
struct Unmakeable;

impl Form for Unmakeable {
    fn wants(&self, _event: &Event) -> bool {
        true
    }

    fn event(&self, _event: &Event) -> Result<Post, NotMade> {
        Err(NotMade("no key".to_owned()))
    }

    fn hello(&self, _now: Timestamp) -> Option<Result<Post, NotMade>> {
        None
    }

    fn goodbye(&self, _now: Timestamp) -> Option<Result<Post, NotMade>> {
        None
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_no_message_can_be_made_of_is_a_dead_letter_and_nothing_is_posted() {
    let bench = Bench::start().await;
    let endpoint = bench.outlets.check("http://127.0.0.1:1/").unwrap();
    let (_phase, phases) = watch::channel(Phase::Confirmed);
    let target = bench.outlets.open(None, endpoint, Arc::new(Unmakeable), phases).await.unwrap();
    bench.publish().await;
    bench.dead_letters(1).await;
    let letters = bench.outlets.dead_letters();
    let letter = letters.iter().find(|letter| letter.target == target.number).unwrap();
    assert_eq!((letter.reason.as_str(), letter.attempts), ("the message cannot be made: no key", 0));
    assert_eq!(bench.outlets.counts_of(target.number).failed_attempts, 0);
}

#[tokio::test(start_paused = true)]
async fn targets_added_at_the_same_time_are_not_more_than_allowed() {
    let bench = Bench::start().await;
    // Others keep the outlets so busy that some have to wait in the middle of being added.
    let others: Vec<_> = (0..2).map(|_| Targets::new(bench.outlets.clone())).collect();
    let busy = others.iter().flat_map(|others| (0..ENDPOINTS_MAX).map(|_| others.add("http://127.0.0.1:1/")));
    let targets = Targets::new(bench.outlets.clone());
    let many = (0..ENDPOINTS_MAX + 10).map(|_| targets.add("http://127.0.0.1:1/"));
    let (_, added) = tokio::join!(join_all(busy), join_all(many));
    assert_eq!(added.iter().filter(|added| added.is_ok()).count(), ENDPOINTS_MAX);
}
