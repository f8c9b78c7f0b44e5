//! An endpoint that is away for good, on virtual time. No byte goes over a socket: connections are refused.

use std::{net::TcpListener, time::Duration};

use tokio::{task::JoinSet, time::timeout};

use super::*;
use crate::{
    Clock, FaultRates,
    clock::RunningClock,
    driver::{Driver, Handle},
    engine::{Engine, SampleRequest, Settings},
    events::{faults::Faults, targets::Targets},
};

/// Longer than all retries, even if each had to wait for its answer.
const LONG: Duration = Duration::from_secs(2 * 60 * 60);

struct Bench {
    handle: Handle,
    outlets: Outlets,
    _targets: Targets,
    _stop: watch::Sender<bool>,
    _tasks: JoinSet<()>,
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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let targets = Targets::new(outlets.clone());
        targets.add(&url).await.unwrap();
        Self { handle, outlets, _targets: targets, _stop: stop, _tasks: tasks }
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
