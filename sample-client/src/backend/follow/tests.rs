#![expect(clippy::disallowed_methods, reason = "tests need a first moment; all later ones are sums")]

use super::*;
use crate::backend::error::Refusal;
use crate::backend::model::{Acceptance, Endpoint};
use crate::backend::poll::{FAILURES_MAX, POLL_AFTER_PUSH};

const POLL_AFTER_MS: u32 = 1000;
const OPEN_PUSH: Effect = Effect::OpenPush(PushBy::Grpc);

fn ticket(version: u64, status: Status) -> Ticket {
    let connection = (status == Status::Succeeded).then(|| Connection {
        endpoints: vec![Endpoint { ip: "127.0.0.1".to_owned(), dns_name: None, port: 7777 }],
        player_session_id: "psess-ada".to_owned(),
        game_session_id: "gsess".to_owned(),
        certificate_sha256: None,
        reserve_expires_at: None,
    });
    Ticket {
        ticket_id: "t-1".to_owned(),
        status,
        version,
        estimated_wait_ms: None,
        acceptance: None,
        reason: None,
        connection,
        poll_after_ms: (!status.is_final()).then_some(POLL_AFTER_MS),
    }
}

fn proposed(version: u64, deadline: u64) -> Ticket {
    let acceptance = Some(Acceptance { deadline, accepted: 0, total: 2 });
    Ticket { acceptance, ..ticket(version, Status::RequiresAcceptance) }
}

fn refused(code: &str, retryable: bool) -> CallError {
    CallError::Refused(Box::new(Refusal {
        status: 500,
        code: code.to_owned(),
        message: String::new(),
        retryable,
        retry_after: None,
        details: None,
        request_id: None,
    }))
}

struct Bench {
    follower: Follower,
    start: Instant,
    now: Instant,
}

impl Bench {
    fn new(push: bool) -> Self {
        let push = push.then_some(PushBy::Grpc);
        let options = FollowOptions { accept: true, push, wait_max: Duration::from_secs(100) };
        let now = Instant::now();
        let follower = Follower::new(now, ticket(1, Status::Searching), options, 7);
        let mut bench = Self { follower, start: now, now };
        assert_eq!(bench.effects()[0], Effect::Changed(Status::Searching));
        bench
    }

    fn effects(&mut self) -> Vec<Effect> {
        std::iter::from_fn(|| self.follower.poll_effect()).collect()
    }

    /// To the next deadline.
    fn step(&mut self) -> Vec<Effect> {
        self.now = self.follower.poll_timeout().expect("there is a deadline").max(self.now);
        self.follower.handle_timeout(self.now);
        self.effects()
    }

    fn reply(&mut self, ticket: Ticket) -> Vec<Effect> {
        let etag = Some(format!("\"{}\"", ticket.version));
        self.follower.handle_reply(self.now, Reply::Ticket { ticket: Box::new(ticket), etag });
        self.effects()
    }

    fn fail(&mut self, error: CallError) -> Vec<Effect> {
        self.follower.handle_reply(self.now, Reply::Failed(error));
        self.effects()
    }

    fn push(&mut self, ticket: Ticket) -> Vec<Effect> {
        self.follower.handle_pushed(self.now, ticket);
        self.effects()
    }

    fn seconds(&self) -> f64 {
        (self.now - self.start).as_secs_f64()
    }
}

fn poll(etag: Option<&str>) -> Effect {
    Effect::Send(Request::Poll { etag: etag.map(str::to_owned) })
}

fn done(effects: &[Effect]) -> &Outcome {
    match effects.last() {
        Some(Effect::Done(outcome)) => outcome,
        other => panic!("not over: {other:?}"),
    }
}

#[test]
fn asks_when_the_backend_says_and_sends_the_last_entity_tag() {
    let mut bench = Bench::new(false);
    assert_eq!(bench.step(), [poll(None)]);
    assert_eq!(bench.seconds(), 1.0);
    assert_eq!(bench.reply(ticket(2, Status::Searching)), []);
    assert_eq!(bench.step(), [poll(Some("\"2\""))]);
    bench.follower.handle_reply(bench.now, Reply::NotModified);
    assert_eq!(bench.step(), [poll(Some("\"2\""))]);
    assert_eq!(bench.seconds(), 3.0);
    let effects = bench.reply(ticket(3, Status::Succeeded));
    assert_eq!(effects[0], Effect::Changed(Status::Succeeded));
    assert!(matches!(done(&effects), Outcome::Seat(it) if it.player_session_id == "psess-ada"));
    assert_eq!(bench.follower.poll_timeout(), None);
}

#[test]
fn one_request_is_under_way_at_a_time() {
    let mut bench = Bench::new(false);
    assert_eq!(bench.step(), [poll(None)]);
    bench.now += Duration::from_secs(5);
    bench.follower.handle_timeout(bench.now);
    bench.follower.cancel(bench.now);
    assert_eq!(bench.effects(), [], "the poll has no answer yet");
    assert_eq!(bench.reply(ticket(1, Status::Searching)), [Effect::Send(Request::Cancel)]);
}

#[test]
fn proposed_match_is_answered_once_and_the_next_one_again() {
    let mut bench = Bench::new(false);
    bench.step();
    let answer = Effect::Send(Request::Answer(true));
    let effects = bench.reply(proposed(2, 50));
    assert_eq!(effects, [Effect::Changed(Status::RequiresAcceptance), answer.clone()]);
    assert_eq!(bench.reply(proposed(3, 50)), []);
    assert_eq!(bench.step(), [poll(Some("\"3\""))]);
    assert_eq!(bench.reply(proposed(4, 50)), [], "somebody else has accepted");
    bench.step();
    assert_eq!(bench.reply(proposed(5, 99)), std::slice::from_ref(&answer), "another match");
    bench.reply(proposed(5, 99));
    bench.step();
    assert_eq!(bench.reply(ticket(6, Status::Searching)), [Effect::Changed(Status::Searching)]);
    bench.step();
    assert_eq!(bench.reply(proposed(7, 99)), [Effect::Changed(Status::RequiresAcceptance), answer]);
}

#[test]
fn answer_that_comes_too_late_is_no_failure() {
    let mut bench = Bench::new(false);
    bench.step();
    bench.reply(proposed(2, 50));
    assert_eq!(bench.fail(refused("NOT_IN_ACCEPTANCE", false)), [poll(None)]);
}

#[test]
fn failures_are_waited_out_and_then_given_up() {
    let mut bench = Bench::new(false);
    for _ in 1..FAILURES_MAX {
        assert_eq!(bench.step(), [poll(None)]);
        assert_eq!(bench.fail(refused("STORE_UNAVAILABLE", true)), []);
    }
    assert_eq!(bench.step(), [poll(None)]);
    let effects = bench.fail(refused("STORE_UNAVAILABLE", true));
    assert!(matches!(done(&effects), Outcome::Failed { request: Request::Poll { .. }, .. }));
    assert!(bench.seconds() > 10.0, "{}", bench.seconds());
}

#[test]
fn refusal_for_good_ends_it_at_once() {
    let mut bench = Bench::new(false);
    bench.step();
    assert!(matches!(done(&bench.fail(refused("NOT_FOUND", false))), Outcome::Failed { .. }));
}

#[test]
fn cancelled_ticket_is_followed_until_that_is_confirmed() {
    let mut bench = Bench::new(false);
    bench.follower.cancel(bench.now);
    assert_eq!(bench.effects(), [Effect::Send(Request::Cancel)]);
    assert_eq!(bench.reply(ticket(2, Status::Cancelling)), [Effect::Changed(Status::Cancelling)]);
    bench.step();
    let effects = bench.reply(ticket(3, Status::Cancelled));
    assert_eq!(*done(&effects), Outcome::Cancelled { why: Why::Asked, confirmed: true });
}

#[test]
fn seat_that_was_quicker_than_the_cancel_is_told() {
    let mut bench = Bench::new(false);
    bench.follower.cancel(bench.now);
    bench.effects();
    assert_eq!(bench.fail(refused("TICKET_PLACED", false)), [poll(None)]);
    assert!(matches!(done(&bench.reply(ticket(9, Status::Succeeded))), Outcome::Seat(_)));
}

#[test]
fn cancel_that_is_never_confirmed_ends_all_the_same() {
    let mut bench = Bench::new(false);
    bench.follower.cancel(bench.now);
    bench.effects();
    bench.reply(ticket(2, Status::Cancelling));
    let effects = loop {
        let effects = bench.step();
        if !effects.contains(&poll(Some("\"2\""))) {
            break effects;
        }
        bench.follower.handle_reply(bench.now, Reply::NotModified);
    };
    assert_eq!(*done(&effects), Outcome::Cancelled { why: Why::Asked, confirmed: false });
    assert_eq!(bench.seconds(), CANCEL_PATIENCE.as_secs_f64());
}

#[test]
fn after_the_longest_wait_the_ticket_is_cancelled() {
    let mut bench = Bench::new(false);
    let cancel = Effect::Send(Request::Cancel);
    while bench.step() != [cancel.clone()] {
        bench.follower.handle_reply(bench.now, Reply::NotModified);
    }
    assert!((100.0..101.0).contains(&bench.seconds()));
    let effects = bench.reply(ticket(2, Status::Cancelled));
    assert_eq!(*done(&effects), Outcome::Cancelled { why: Why::GaveUp, confirmed: true });
}

#[test]
fn pushed_news_counts_and_old_or_foreign_news_does_not() {
    let mut bench = Bench::new(true);
    bench.follower.handle_push_opened(bench.now);
    assert_eq!(bench.push(ticket(5, Status::Placing)), [Effect::Changed(Status::Placing)]);
    assert_eq!(bench.push(ticket(4, Status::Searching)), []);
    let foreign = Ticket { ticket_id: "t-0".to_owned(), ..ticket(9, Status::Failed) };
    assert_eq!(bench.push(foreign), []);
    assert!(matches!(done(&bench.push(ticket(6, Status::Succeeded))), Outcome::Seat(_)));
}

#[test]
fn while_news_is_pushed_asking_goes_on_slowly_and_without_push_as_before() {
    let mut bench = Bench::new(true);
    bench.follower.handle_push_opened(bench.now);
    assert_eq!(bench.step(), [poll(None)]);
    assert_eq!(bench.seconds(), 1.0, "the first as planned");
    bench.reply(ticket(1, Status::Searching));
    assert_eq!(bench.step(), [poll(Some("\"1\""))]);
    assert!(bench.seconds() >= 1.0 + POLL_AFTER_PUSH.as_secs_f64() / 2.0);
    bench.reply(ticket(1, Status::Searching));

    let lost = bench.now;
    bench.follower.handle_push_lost(bench.now, None);
    let mut effects = Vec::new();
    while !effects.contains(&poll(Some("\"1\""))) {
        effects.extend(bench.step());
    }
    assert!(effects.contains(&OPEN_PUSH), "it is tried again");
    assert!(bench.now - lost <= Duration::from_millis(POLL_AFTER_MS.into()));
}

#[test]
fn push_that_comes_and_goes_does_not_put_off_asking() {
    let mut bench = Bench::new(true);
    for _ in 0..3 {
        bench.follower.handle_push_opened(bench.now);
        bench.now += Duration::from_millis(300);
        bench.follower.handle_push_lost(bench.now, None);
        bench.follower.push = Push::Opening;
    }
    assert_eq!(bench.step(), [poll(None)]);
    assert_eq!(bench.seconds(), 1.0);
}

#[test]
fn push_that_is_refused_for_good_is_not_tried_again() {
    let mut bench = Bench::new(true);
    bench.follower.handle_push_lost(bench.now, Some(&refused("NOT_FOUND", false)));
    for _ in 0..20 {
        assert_eq!(bench.step(), [poll(None)]);
        bench.follower.handle_reply(bench.now, Reply::NotModified);
    }
}

#[test]
fn push_that_always_dies_is_tried_a_few_times_only() {
    let mut bench = Bench::new(true);
    let mut opened = 1;
    bench.follower.handle_push_lost(bench.now, None);
    while bench.seconds() < 90.0 {
        for effect in bench.step() {
            match effect {
                OPEN_PUSH => {
                    opened += 1;
                    // It opens, repeats what is known, and dies.
                    bench.follower.handle_push_opened(bench.now);
                    assert_eq!(bench.push(ticket(1, Status::Searching)), []);
                    bench.follower.handle_push_lost(bench.now, None);
                }
                Effect::Send(_) => bench.follower.handle_reply(bench.now, Reply::NotModified),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(opened, FAILURES_MAX);
}

#[test]
fn push_that_held_for_long_or_brought_news_is_opened_again_for_ever() {
    for held in [PUSH_HELD_MIN, Duration::from_millis(1)] {
        let mut bench = Bench::new(true);
        for version in 2..3 * u64::from(FAILURES_MAX) {
            bench.follower.handle_push_opened(bench.now);
            bench.now += held;
            if held < PUSH_HELD_MIN {
                bench.push(ticket(version, Status::Searching));
            }
            bench.follower.handle_push_lost(bench.now, None);
            let Push::Closed { reopen_at } = bench.follower.push else { panic!("{:?}", bench.follower.push) };
            assert!(reopen_at - bench.now <= crate::backend::poll::BACKOFF_MIN);
            bench.follower.push = Push::Opening;
        }
    }
}

#[test]
fn push_that_says_when_to_come_again_is_opened_then() {
    let mut bench = Bench::new(true);
    let after = Duration::from_secs(9);
    let CallError::Refused(busy) = refused("RATE_LIMITED", true) else { unreachable!() };
    let busy = CallError::Refused(Box::new(Refusal { retry_after: Some(after), ..*busy }));
    bench.follower.handle_push_lost(bench.now, Some(&busy));
    let Push::Closed { reopen_at } = bench.follower.push else { panic!("{:?}", bench.follower.push) };
    assert!(reopen_at >= bench.now + after);
}

#[test]
fn push_that_comes_and_goes_forgives_no_failures_to_ask() {
    let mut bench = Bench::new(true);
    let mut failures = 0;
    let effects = loop {
        let mut effects = bench.step();
        if effects.contains(&poll(None)) {
            failures += 1;
            effects = bench.fail(refused("STORE_UNAVAILABLE", true));
            bench.follower.push = Push::Open { since: bench.now };
            bench.follower.handle_push_lost(bench.now, None);
        }
        if let Some(Effect::Done(_)) = effects.last() {
            break effects;
        }
    };
    assert!(matches!(done(&effects), Outcome::Failed { request: Request::Poll { .. }, .. }), "{effects:?}");
    assert_eq!(failures, FAILURES_MAX);
}

#[test]
fn refusal_that_fits_another_request_does_not_ask_again_at_once() {
    let mut bench = Bench::new(false);
    bench.step();
    assert!(matches!(done(&bench.fail(refused("TICKET_PLACED", false))), Outcome::Failed { .. }));
}

#[test]
fn every_history_ends_once_with_one_request_at_a_time() {
    for seed in 0..2000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bench = Bench::new(random.bool());
        let (mut version, mut under_way, mut ends, mut steps) = (1, false, 0, 0);
        while ends == 0 {
            steps += 1;
            assert!(steps < 5000, "seed {seed} does not end");
            let statuses = [Status::Searching, Status::RequiresAcceptance, Status::Placing, Status::Unknown];
            let effects = match random.u32(0..20) {
                0 => {
                    version += 1;
                    bench.push(ticket(version - random.u64(0..2), statuses[random.usize(0..4)]))
                }
                1 if under_way => {
                    under_way = false;
                    bench.fail(refused("INTERNAL", random.u32(0..50) > 0))
                }
                2..=9 if under_way => {
                    under_way = false;
                    version += random.u64(0..2);
                    bench.reply(proposed(version, random.u64(0..5)))
                }
                10 => {
                    let error = random.bool().then(|| refused("INTERNAL", random.bool()));
                    bench.follower.handle_push_lost(bench.now, error.as_ref());
                    bench.effects()
                }
                11 if random.u32(0..20) == 0 => {
                    bench.follower.cancel(bench.now);
                    bench.effects()
                }
                _ => {
                    assert!(bench.follower.poll_timeout().is_some(), "seed {seed} would wait for ever");
                    bench.step()
                }
            };
            for effect in effects {
                assert_eq!(ends, 0, "seed {seed}: nothing comes after the end");
                match effect {
                    Effect::Send(_) => {
                        assert!(!under_way, "seed {seed}: two requests");
                        under_way = true;
                    }
                    Effect::Done(_) => ends += 1,
                    Effect::OpenPush(_) | Effect::Changed(_) => {}
                }
            }
        }
    }
}
