//! Every transition of the uplink, by hand: a clock that is a number, sockets that are numbers.

use gamelift_wire::envelope::{Action, ClientFrame, error_text, success_text};
use gamelift_wire::ids::{AuthToken, RequestId};
use gamelift_wire::pushes::{CreateGameSession, RefreshConnection};
use gamelift_wire::requests::{ActivateServerProcess, DescribePlayerSessions, Empty, PlayerSessionRequest};

use super::*;

/// An uplink and its clock.
pub(super) struct Bench {
    pub(super) uplink: Uplink,
    pub(super) now: Instant,
    pub(super) out: Vec<Output>,
}

pub(super) fn settings(seed: u64) -> Settings {
    Settings {
        url: url::Url::parse("ws://first/").unwrap(),
        credentials: Credentials::Token(AuthToken::new_unchecked("token-1")),
        fleet_id: "fleet-1".into(),
        health: HealthTimes {
            interval: Duration::from_secs(60),
            jitter: Duration::from_secs(10),
            patience: Duration::from_secs(50),
        },
        call_timeout: Duration::from_secs(20),
        connect_patience: Duration::from_secs(60),
        seed,
    }
}

impl Bench {
    fn new() -> Self {
        let now = first_moment();
        let mut bench = Self { uplink: Uplink::new(now, settings(1)), now, out: Vec::new() };
        bench.drain();
        bench
    }

    /// Dialled and connected.
    fn connected() -> (Self, ConnId) {
        let mut bench = Self::new();
        let (conn, _) = bench.dial();
        bench.dialed(conn);
        assert!(matches!(bench.take()[..], [Output::Connected(Ok(()))]));
        (bench, conn)
    }

    /// Ready, with the first heartbeat answered.
    fn ready() -> (Self, ConnId) {
        let (mut bench, conn) = Self::connected();
        let call = bench.call(Request::ActivateServerProcess(ActivateServerProcess::default()));
        let (_, id) = bench.sent(conn);
        bench.succeed(conn, &Action::ActivateServerProcess, &id);
        let out = bench.take();
        let [Output::Reply(replied, Ok(Answer::Done)), Output::Event(UplinkEvent::CheckHealth(check))] =
            &out[..]
        else {
            panic!("{out:?}")
        };
        assert_eq!(*replied, call);
        bench.uplink.handle_health(bench.now, *check, true);
        bench.drain();
        let (_, id) = bench.sent(conn);
        bench.succeed(conn, &Action::HeartbeatServerProcess, &id);
        assert!(bench.take().is_empty());
        (bench, conn)
    }

    fn drain(&mut self) {
        while let Some(output) = self.uplink.poll_output() {
            self.out.push(output);
        }
    }

    fn take(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.out)
    }

    fn dial(&mut self) -> (ConnId, Endpoint) {
        self.out.retain(|output| !matches!(output, Output::Event(UplinkEvent::CheckHealth(_))));
        match self.out.remove(0) {
            Output::Dial(conn, endpoint) => (conn, *endpoint),
            other => panic!("expected a dial, got {other:?}"),
        }
    }

    fn sent(&mut self, to: ConnId) -> (Request, RequestId) {
        match self.out.remove(0) {
            Output::Send(conn, text) => {
                assert_eq!(conn, to);
                let frame = ClientFrame::parse(&text).unwrap();
                (frame.request, frame.request_id)
            }
            other => panic!("expected a frame, got {other:?}"),
        }
    }

    fn call(&mut self, request: Request) -> CallId {
        let id = self.uplink.call(self.now, self.now + Duration::from_secs(20), request);
        self.drain();
        id
    }

    fn dialed(&mut self, conn: ConnId) {
        self.uplink.handle_dialed(self.now, conn);
        self.drain();
    }

    fn dial_failed(&mut self, conn: ConnId, error: DialError) {
        self.uplink.handle_dial_failed(self.now, conn, error);
        self.drain();
    }

    fn lost(&mut self, conn: ConnId) {
        self.uplink.handle_lost(self.now, conn);
        self.drain();
    }

    fn text(&mut self, conn: ConnId, text: &str) {
        self.uplink.handle_text(self.now, conn, text);
        self.drain();
    }

    fn push(&mut self, conn: ConnId, push: Push) {
        self.text(conn, &push.to_text());
    }

    fn succeed(&mut self, conn: ConnId, action: &Action, id: &RequestId) {
        self.text(conn, &success_text(action, id, &Empty {}));
    }

    /// Jumps to the next deadline.
    fn timeout(&mut self) {
        self.now = self.uplink.poll_timeout().expect("nothing is owed");
        self.uplink.handle_timeout(self.now);
        self.drain();
    }

    /// Passes through every deadline on the way.
    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while self.uplink.poll_timeout().is_some_and(|at| at <= until) {
            self.timeout();
        }
        self.now = until;
    }
}

fn accept() -> Request {
    Request::AcceptPlayerSession(PlayerSessionRequest::default())
}

fn describe() -> Request {
    Request::DescribePlayerSessions(DescribePlayerSessions::default())
}

fn refresh(endpoint: &str) -> Push {
    Push::RefreshConnection(RefreshConnection {
        refresh_connection_endpoint: endpoint.into(),
        auth_token: Some(AuthToken::new_unchecked("token-2")),
    })
}

fn network() -> DialError {
    DialError::Network("refused".into())
}

// --- connecting ---------------------------------------------------------------------------------------------------------

#[test]
fn a_refused_token_ends_the_first_connect_at_once() {
    let mut bench = Bench::new();
    let (conn, _) = bench.dial();
    bench.dial_failed(conn, DialError::Refused { status: 403, body: String::new() });
    let out = bench.take();
    assert!(
        matches!(&out[..], [Output::Connected(Err(ConnectError::Unreachable { attempts: 1, .. }))]),
        "{out:?}"
    );
    assert_eq!(bench.uplink.closed(), Some(&CloseReason::NeverConnected));
    assert_eq!(bench.uplink.poll_timeout(), None);
}

#[test]
fn an_unreachable_service_is_tried_again_until_the_callers_patience_ends() {
    let mut bench = Bench::new();
    let mut attempts = 0;
    let error = loop {
        match bench.out.pop() {
            Some(Output::Dial(conn, _)) => {
                attempts += 1;
                bench.dial_failed(conn, network());
            }
            Some(Output::Connected(Err(error))) => break error,
            None => bench.timeout(),
            other => panic!("{other:?}"),
        }
    };
    assert!(attempts > 3);
    // Not "timed out": what it met says what to do.
    assert!(
        matches!(&error, ConnectError::Unreachable { attempts: told, last: DialError::Network(_) } if *told == attempts),
        "{error}"
    );
}

#[test]
fn a_silent_service_does_not_block_the_first_connect_beyond_its_patience() {
    let mut bench = Bench::new();
    let start = bench.now;
    while bench.uplink.closed().is_none() {
        bench.timeout();
    }
    assert_eq!(bench.now - start, Duration::from_secs(60));
    let dials = bench.out.iter().filter(|output| matches!(output, Output::Dial(..))).count();
    let closes = bench.out.iter().filter(|output| matches!(output, Output::Close(..))).count();
    assert_eq!(dials, closes, "every dial that was given up is called off");
}

// --- losing the connection ----------------------------------------------------------------------------------------------

#[test]
fn a_lost_socket_is_dialled_again_for_ever_with_the_same_idempotency_token() {
    let (mut bench, conn) = Bench::ready();
    bench.lost(conn);
    let mut tokens = Vec::new();
    let start = bench.now;
    while bench.now - start < Duration::from_secs(3_600) {
        bench.timeout();
        for output in bench.take() {
            if let Output::Dial(conn, endpoint) = output {
                tokens.push(endpoint.idempotency_token);
                bench.dial_failed(conn, DialError::Refused { status: 403, body: String::new() });
            }
        }
    }
    assert!(tokens.len() > 100, "{} attempts in an hour", tokens.len());
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    assert_eq!(bench.uplink.closed(), None);
}

#[test]
fn nothing_is_announced_again_after_a_reconnect() {
    let (mut bench, conn) = Bench::ready();
    bench.lost(conn);
    bench.timeout();
    let (next, _) = bench.dial();
    bench.dialed(next);
    assert!(bench.take().is_empty(), "the service knows the process by its ids");
}

#[test]
fn backoff_is_reset_by_a_frame_and_not_by_a_successful_dial() {
    let (mut bench, mut conn) = Bench::ready();
    let mut waits = Vec::new();
    for _ in 0..8 {
        bench.lost(conn);
        let lost_at = bench.now;
        while !bench.out.iter().any(|output| matches!(output, Output::Dial(..))) {
            bench.timeout();
        }
        waits.push(bench.now - lost_at);
        conn = bench.dial().0;
        bench.dialed(conn);
        bench.take();
    }
    assert!(waits[7] >= Duration::from_secs(16), "a peer that accepts and dies is not hammered: {waits:?}");
    bench.text(conn, "{}");
    bench.lost(conn);
    let lost_at = bench.now;
    bench.timeout();
    assert!(bench.now - lost_at <= Duration::from_millis(500));
}

#[test]
fn a_call_in_flight_at_a_drop_fails_at_once_and_says_its_outcome_is_unknown() {
    let (mut bench, conn) = Bench::ready();
    let call = bench.call(accept());
    bench.sent(conn);
    bench.lost(conn);
    let out = bench.take();
    assert!(
        matches!(&out[..], [Output::Reply(id, Err(CallError::OutcomeUnknown))] if *id == call),
        "{out:?}"
    );
}

#[test]
fn a_call_that_only_reads_is_sent_again_under_the_same_request_id() {
    let (mut bench, conn) = Bench::ready();
    bench.call(describe());
    let (_, first) = bench.sent(conn);
    bench.lost(conn);
    bench.timeout();
    let (next, _) = bench.dial();
    bench.dialed(next);
    let (_, second) = bench.sent(next);
    assert_eq!(first, second);
    bench.succeed(next, &Action::DescribePlayerSessions, &second);
    assert!(matches!(bench.take()[..], [Output::Reply(_, Ok(Answer::PlayerSessions(_)))]));
}

#[test]
fn a_call_made_while_disconnected_is_sent_on_the_next_connection() {
    let (mut bench, conn) = Bench::ready();
    bench.lost(conn);
    bench.call(accept());
    assert!(bench.take().is_empty());
    bench.timeout();
    let (next, _) = bench.dial();
    bench.dialed(next);
    let (request, _) = bench.sent(next);
    assert_eq!(request, accept());
}

#[test]
fn a_call_that_never_got_a_connection_says_it_took_no_effect() {
    let (mut bench, conn) = Bench::ready();
    bench.lost(conn);
    let call = bench.call(accept());
    bench.wait(Duration::from_secs(20));
    let replies: Vec<_> =
        bench.take().into_iter().filter(|output| matches!(output, Output::Reply(..))).collect();
    assert!(
        matches!(&replies[..], [Output::Reply(id, Err(CallError::NotSent))] if *id == call),
        "{replies:?}"
    );
}

#[test]
fn no_call_is_sent_at_or_after_its_deadline() {
    let (mut bench, conn) = Bench::ready();
    bench.lost(conn);
    bench.call(accept());
    bench.now += Duration::from_secs(20);
    // The dial comes through at the very moment of the deadline, before the timer has been looked at.
    bench.uplink.handle_timeout(bench.now - Duration::from_secs(1));
    bench.drain();
    let (next, _) = bench.dial();
    bench.dialed(next);
    assert!(bench.take().is_empty());
}

// --- answers ------------------------------------------------------------------------------------------------------------

#[test]
fn answers_in_any_order_find_their_calls_and_strangers_find_none() {
    let (mut bench, conn) = Bench::ready();
    let (first, second) = (bench.call(accept()), bench.call(accept()));
    let ((_, first_id), (_, second_id)) = (bench.sent(conn), bench.sent(conn));
    bench.succeed(conn, &Action::AcceptPlayerSession, &second_id);
    assert!(matches!(bench.take()[..], [Output::Reply(id, Ok(_))] if id == second));
    bench.succeed(conn, &Action::AcceptPlayerSession, &second_id);
    bench.succeed(conn, &Action::AcceptPlayerSession, &RequestId::new_unchecked("stranger"));
    assert!(bench.take().is_empty());
    bench.text(conn, &error_text(&Action::AcceptPlayerSession, &first_id, 404, "no such player session"));
    let out = bench.take();
    assert!(
        matches!(&out[..], [Output::Reply(id, Err(CallError::Refused(refusal)))]
            if *id == first && refusal.message == "no such player session"),
        "{out:?}"
    );
}

#[test]
fn a_strangers_id_that_ends_like_one_of_ours_answers_nothing() {
    let (mut bench, conn) = Bench::ready();
    let call = bench.call(accept());
    let (_, id) = bench.sent(conn);
    let first = if id.as_str().starts_with('0') { '1' } else { '0' };
    let stranger = format!("{first}{}", &id.as_str()[1..]);
    bench.succeed(conn, &Action::AcceptPlayerSession, &RequestId::new_unchecked(stranger));
    assert!(bench.take().is_empty());
    bench.succeed(conn, &Action::AcceptPlayerSession, &id);
    assert!(matches!(bench.take()[..], [Output::Reply(replied, Ok(_))] if replied == call));
}

#[test]
fn an_answer_that_is_not_understood_says_that_the_call_took_effect() {
    let (mut bench, conn) = Bench::ready();
    bench.call(describe());
    let (_, id) = bench.sent(conn);
    bench.text(
        conn,
        &format!(
            r#"{{"Action":"DescribePlayerSessions","RequestId":"{id}","StatusCode":200,"PlayerSessions":5}}"#
        ),
    );
    assert!(matches!(bench.take()[..], [Output::Reply(_, Err(CallError::Unreadable(_)))]));
}

#[test]
fn two_unanswered_calls_in_a_row_replace_a_socket_that_went_silent() {
    let (mut bench, conn) = Bench::ready();
    bench.call(accept());
    bench.call(accept());
    bench.take();
    bench.wait(Duration::from_secs(20));
    let out = bench.take();
    assert!(
        matches!(out[..], [
            Output::Reply(..),
            Output::Reply(..),
            Output::Close(id, None),
            Output::Event(UplinkEvent::CheckHealth(_)),
        ] if id == conn),
        "{out:?}"
    );
    bench.timeout();
    bench.dial();
}

/// The probe: nobody waits for the next heartbeat by the clock.
#[test]
fn one_unanswered_call_asks_for_a_heartbeat_at_once() {
    let (mut bench, conn) = Bench::ready();
    bench.call(accept());
    bench.sent(conn);
    bench.wait(Duration::from_secs(20));
    let out = bench.take();
    let [Output::Reply(..), Output::Event(UplinkEvent::CheckHealth(check))] = out[..] else {
        panic!("{out:?}")
    };
    bench.uplink.handle_health(bench.now, check, true);
    bench.drain();
    let (_, id) = bench.sent(conn);
    bench.succeed(conn, &Action::HeartbeatServerProcess, &id);
    bench.wait(Duration::from_secs(40));
    assert!(bench.take().is_empty(), "it is answered: alive");
}

#[test]
fn any_frame_at_all_proves_the_socket_alive() {
    let (mut bench, conn) = Bench::ready();
    for _ in 0..5 {
        bench.call(accept());
        bench.wait(Duration::from_secs(10));
        bench.text(conn, r#"{"Action":"SomethingNew"}"#);
        bench.wait(Duration::from_secs(10));
    }
    assert!(!bench.take().iter().any(|output| matches!(output, Output::Close(..))));
}

#[test]
fn nonsense_is_ignored() {
    let (mut bench, conn) = Bench::ready();
    for text in
        ["", "5", "[1,2]", "nonsense", "{}", r#"{"message":"Internal server error"}"#, r#"{"Action":7}"#]
    {
        bench.text(conn, text);
    }
    bench.push(conn, Push::CreateGameSession(CreateGameSession::default()));
    assert!(bench.take().is_empty());
}

#[test]
fn a_frame_of_a_socket_that_is_gone_is_ignored() {
    let (mut bench, conn) = Bench::ready();
    bench.lost(conn);
    bench.push(conn, Push::TerminateProcess(TerminateProcess::default()));
    assert!(bench.take().is_empty());
}

// --- pushes -------------------------------------------------------------------------------------------------------------

#[test]
fn pushes_become_events_in_the_order_the_service_sent_them() {
    let (mut bench, conn) = Bench::ready();
    for number in 0..200 {
        bench.text(
            conn,
            &format!(r#"{{"Action":"UpdateGameSession","BackfillTicketId":"{number}","GameSession":null}}"#),
        );
    }
    let tickets: Vec<String> = bench
        .take()
        .into_iter()
        .map(|output| match output {
            Output::Event(UplinkEvent::UpdateGameSession(update)) => update.backfill_ticket_id.unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(tickets, (0..200).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_push_with_a_request_id_that_nobody_waits_for_is_still_a_push() {
    let (mut bench, conn) = Bench::ready();
    bench.text(conn, r#"{"Action":"TerminateProcess","RequestId":"stray"}"#);
    bench.text(conn, r#"{"Action":"TerminateProcess","RequestId":"9644264b-130f-43e4-8540-899458a77a16","StatusCode":500}"#);
    let out = bench.take();
    assert!(
        matches!(
            out[..],
            [Output::Event(UplinkEvent::Terminate(_)), Output::Event(UplinkEvent::Terminate(_))]
        ),
        "{out:?}"
    );
}

#[test]
fn a_game_session_that_overtakes_the_answer_to_ready_is_kept() {
    let (mut bench, conn) = Bench::connected();
    bench.call(Request::ActivateServerProcess(ActivateServerProcess::default()));
    let (_, id) = bench.sent(conn);
    let game_session_id = gamelift_wire::ids::GameSessionId::new_unchecked("arn:g");
    bench.push(conn, Push::CreateGameSession(CreateGameSession { game_session_id, ..Default::default() }));
    bench.succeed(conn, &Action::ActivateServerProcess, &id);
    let out = bench.take();
    assert!(
        matches!(&out[..], [
            Output::Event(UplinkEvent::StartGameSession(session)),
            Output::Reply(..),
            Output::Event(UplinkEvent::CheckHealth(_)),
        ] if session.fleet_id.as_deref() == Some("fleet-1")),
        "{out:?}"
    );
}

#[test]
fn a_refused_ready_can_be_repeated_and_starts_no_heartbeats() {
    let (mut bench, conn) = Bench::connected();
    bench.call(Request::ActivateServerProcess(ActivateServerProcess::default()));
    let (_, id) = bench.sent(conn);
    bench.text(conn, &error_text(&Action::ActivateServerProcess, &id, 400, "no"));
    assert!(matches!(bench.take()[..], [Output::Reply(_, Err(CallError::Refused(_)))]));
    assert_eq!(bench.uplink.poll_timeout(), None, "no heartbeats");
    bench.call(Request::ActivateServerProcess(ActivateServerProcess::default()));
    bench.sent(conn);
}

// --- refresh ------------------------------------------------------------------------------------------------------------

#[test]
fn a_refresh_opens_the_new_socket_before_it_leaves_the_old_one() {
    let (mut bench, old) = Bench::ready();
    bench.push(old, refresh("wss://second/stage"));
    let (new, endpoint) = bench.dial();
    assert_eq!(endpoint.url.as_str(), "wss://second/stage");
    assert_eq!(endpoint.credentials, Credentials::Token(AuthToken::new_unchecked("token-2")));
    bench.call(accept());
    bench.sent(old);
    bench.dialed(new);
    bench.call(accept());
    let (_, id) = bench.sent(new);
    bench.succeed(old, &Action::AcceptPlayerSession, &id);
    assert!(
        matches!(bench.take()[..], [Output::Reply(..)]),
        "an answer is taken from whichever socket brings it"
    );
    bench.wait(DRAIN);
    assert!(matches!(bench.take()[..], [Output::Close(conn, Some(CLOSE_NORMAL))] if conn == old));
}

#[test]
fn a_refresh_makes_a_new_idempotency_token() {
    let mut bench = Bench::new();
    let (conn, first) = bench.dial();
    bench.dialed(conn);
    bench.take();
    bench.push(conn, refresh("ws://second"));
    let (_, second) = bench.dial();
    assert_ne!(first.idempotency_token, second.idempotency_token);
}

#[test]
fn a_refresh_without_a_token_connects_without_one() {
    let (mut bench, conn) = Bench::ready();
    bench.text(conn, r#"{"Action":"RefreshConnection","RefreshConnectionEndpoint":"ws://second"}"#);
    assert_eq!(bench.dial().1.credentials, Credentials::None);
}

#[test]
fn a_failed_refresh_keeps_the_working_socket_and_is_really_tried_again() {
    let (mut bench, old) = Bench::ready();
    bench.push(old, refresh("ws://second"));
    for _ in 0..3 {
        let (new, endpoint) = bench.dial();
        assert_eq!(endpoint.url.as_str(), "ws://second/");
        bench.dial_failed(new, network());
        bench.call(accept());
        let (_, id) = bench.sent(old);
        bench.succeed(old, &Action::AcceptPlayerSession, &id);
        bench.take();
        bench.timeout();
    }
    let (new, _) = bench.dial();
    bench.dialed(new);
    bench.call(accept());
    bench.sent(new);
}

#[test]
fn of_two_refreshes_the_newest_wins() {
    let (mut bench, old) = Bench::ready();
    bench.push(old, refresh("ws://second"));
    let (second, _) = bench.dial();
    bench.push(old, refresh("ws://third"));
    assert!(matches!(bench.out.remove(0), Output::Close(conn, None) if conn == second));
    let (third, _) = bench.dial();
    bench.dialed(second);
    bench.dialed(third);
    bench.call(accept());
    bench.sent(third);
}

#[test]
fn losing_the_old_socket_during_a_refresh_waits_for_the_successor() {
    let (mut bench, old) = Bench::ready();
    bench.push(old, refresh("ws://second"));
    let (new, _) = bench.dial();
    bench.lost(old);
    assert!(bench.take().is_empty(), "no third dial");
    bench.dialed(new);
    bench.call(accept());
    bench.sent(new);
}

#[test]
fn losing_the_old_socket_while_the_new_endpoint_is_dead_tries_both_in_turn() {
    let (mut bench, old) = Bench::ready();
    bench.push(old, refresh("ws://second"));
    let (new, _) = bench.dial();
    bench.lost(old);
    bench.dial_failed(new, network());
    let mut tried = Vec::new();
    for _ in 0..4 {
        bench.timeout();
        let (conn, endpoint) = bench.dial();
        tried.push(endpoint.url.host_str().unwrap().to_owned());
        bench.dial_failed(conn, network());
    }
    assert_eq!(tried, ["first", "second", "first", "second"]);
}

#[test]
fn a_close_on_the_old_socket_does_not_touch_the_new_one() {
    let (mut bench, old) = Bench::ready();
    bench.push(old, refresh("ws://second"));
    let (new, _) = bench.dial();
    bench.dialed(new);
    bench.lost(old);
    bench.wait(DRAIN);
    assert!(bench.take().is_empty());
    bench.call(accept());
    bench.sent(new);
}

#[test]
fn a_refresh_to_nowhere_is_ignored() {
    let (mut bench, conn) = Bench::ready();
    bench.push(conn, refresh("http://second"));
    bench.push(conn, refresh(""));
    assert!(bench.take().is_empty());
}

// --- heartbeats ---------------------------------------------------------------------------------------------------------

#[test]
fn silence_of_the_application_is_reported_as_unhealthy() {
    let (mut bench, conn) = Bench::ready();
    bench.timeout();
    assert!(matches!(bench.take()[..], [Output::Event(UplinkEvent::CheckHealth(_))]));
    bench.timeout();
    let (request, _) = bench.sent(conn);
    assert_eq!(request, Request::HeartbeatServerProcess(HeartbeatServerProcess { health_status: false }));
}

#[test]
fn a_heartbeat_that_is_refused_changes_nothing() {
    let (mut bench, conn) = Bench::ready();
    bench.timeout();
    let [Output::Event(UplinkEvent::CheckHealth(check))] = bench.take()[..] else { panic!() };
    bench.uplink.handle_health(bench.now, check, true);
    bench.drain();
    let (_, id) = bench.sent(conn);
    bench.text(conn, &error_text(&Action::HeartbeatServerProcess, &id, 500, "no"));
    assert!(bench.take().is_empty());
    assert_eq!(bench.uplink.closed(), None);
}

#[test]
fn one_heartbeat_and_no_more_makes_up_for_those_missed_in_an_outage() {
    let (mut bench, conn) = Bench::ready();
    bench.lost(conn);
    let end = bench.now + Duration::from_secs(600);
    let mut last = None;
    while bench.now < end {
        bench.timeout();
        for output in bench.take() {
            match output {
                Output::Dial(conn, _) if bench.now < end => bench.dial_failed(conn, network()),
                Output::Dial(conn, _) => last = Some(conn),
                Output::Event(UplinkEvent::CheckHealth(check)) => {
                    bench.uplink.handle_health(bench.now, check, true);
                }
                Output::Reply(..) => panic!("heartbeats are nobody's call"),
                _ => {}
            }
        }
    }
    while last.is_none() {
        bench.timeout();
        last = bench.take().iter().find_map(|output| match output {
            Output::Dial(conn, _) => Some(*conn),
            _ => None,
        });
    }
    bench.uplink.handle_dialed(bench.now, last.unwrap());
    bench.uplink.handle_timeout(bench.now);
    bench.drain();
    let checks = bench.out.iter().filter(|o| matches!(o, Output::Event(UplinkEvent::CheckHealth(_)))).count();
    let beats = bench.out.iter().filter(|o| matches!(o, Output::Send(..))).count();
    assert!(checks + beats >= 1 && checks <= 1 && beats <= 1, "{:?}", bench.out);
}

#[test]
fn heartbeats_that_cannot_be_sent_do_not_pile_up() {
    let (mut bench, conn) = Bench::ready();
    // Longer than several beats, so that none of them expires by itself.
    bench.uplink.settings.call_timeout = Duration::from_secs(3_600);
    bench.lost(conn);
    let end = bench.now + Duration::from_secs(600);
    let mut dialing = None;
    while bench.now < end || dialing.is_none() {
        bench.timeout();
        for output in bench.take() {
            match output {
                Output::Dial(conn, _) if bench.now < end => bench.dial_failed(conn, network()),
                Output::Dial(conn, _) => dialing = Some(conn),
                Output::Event(UplinkEvent::CheckHealth(check)) => {
                    bench.uplink.handle_health(bench.now, check, true)
                }
                _ => {}
            }
        }
    }
    bench.dialed(dialing.unwrap());
    let beats = bench.out.iter().filter(|output| matches!(output, Output::Send(..))).count();
    assert_eq!(beats, 1, "{:?}", bench.out);
}

// --- the end ------------------------------------------------------------------------------------------------------------

#[test]
fn ending_answers_the_caller_closes_the_socket_and_stops_the_heartbeats() {
    let (mut bench, conn) = Bench::ready();
    let pending = bench.call(accept());
    bench.sent(conn);
    let end = bench.call(Request::TerminateServerProcess);
    let (_, id) = bench.sent(conn);
    bench.succeed(conn, &Action::TerminateServerProcess, &id);
    let out = bench.take();
    assert!(
        matches!(&out[..], [
            Output::Reply(first, Ok(_)),
            Output::Reply(second, Err(CallError::Closed(CloseReason::Ended))),
            Output::Close(closed, Some(CLOSE_NORMAL)),
        ] if *first == end && *second == pending && *closed == conn),
        "{out:?}"
    );
    assert_eq!(bench.uplink.poll_timeout(), None);
}

#[test]
fn a_refused_end_leaves_the_process_ready() {
    let (mut bench, conn) = Bench::ready();
    bench.call(Request::TerminateServerProcess);
    let (_, id) = bench.sent(conn);
    bench.text(conn, &error_text(&Action::TerminateServerProcess, &id, 500, "no"));
    assert!(matches!(bench.take()[..], [Output::Reply(_, Err(CallError::Refused(_)))]));
    assert!(bench.uplink.poll_timeout().is_some(), "heartbeats go on");
}

#[test]
fn closing_during_backoff_leaves_no_zombie_that_reconnects_later() {
    let (mut bench, conn) = Bench::ready();
    bench.lost(conn);
    bench.uplink.close(CloseReason::HandlesDropped);
    bench.drain();
    assert!(bench.take().is_empty());
    assert_eq!(bench.uplink.poll_timeout(), None);
    bench.call(accept());
    assert!(matches!(
        bench.take()[..],
        [Output::Reply(_, Err(CallError::Closed(CloseReason::HandlesDropped)))]
    ));
}
