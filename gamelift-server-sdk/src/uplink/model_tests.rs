//! Random histories against the invariants in the module's documentation.

use std::collections::{BTreeMap, BTreeSet};

use gamelift_wire::envelope::{ClientFrame, success_text};
use gamelift_wire::ids::RequestId;
use gamelift_wire::requests::{ActivateServerProcess, DescribePlayerSessions, Empty, PlayerSessionRequest};
use proptest::prelude::*;

use super::tests::settings;
use super::*;

#[derive(Clone, Debug)]
enum Op {
    /// Dial, oldest pending first: succeed or fail.
    Dialed(bool),
    /// Some live socket breaks.
    Lost(usize),
    /// The oldest unanswered request is answered, on some live socket.
    Answer(usize),
    Accept,
    Describe,
    Ready,
    End,
    Refresh(usize),
    Terminate(usize),
    Health(bool),
    Nonsense(usize),
    /// Passes this many deadlines.
    Timeouts(u8),
    Close,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => any::<bool>().prop_map(Op::Dialed),
        2 => (0usize..3).prop_map(Op::Lost),
        6 => (0usize..3).prop_map(Op::Answer),
        3 => Just(Op::Accept),
        2 => Just(Op::Describe),
        2 => Just(Op::Ready),
        1 => Just(Op::End),
        2 => (0usize..3).prop_map(Op::Refresh),
        1 => (0usize..3).prop_map(Op::Terminate),
        3 => any::<bool>().prop_map(Op::Health),
        1 => (0usize..3).prop_map(Op::Nonsense),
        5 => (1u8..4).prop_map(Op::Timeouts),
        1 => Just(Op::Close),
    ]
}

/// The world around an uplink, which checks as it goes.
struct World {
    uplink: Uplink,
    now: Instant,
    dialing: Vec<ConnId>,
    live: Vec<ConnId>,
    asked: Vec<(RequestId, gamelift_wire::envelope::Action)>,
    open_calls: BTreeMap<CallId, Instant>,
    deadlines: BTreeMap<RequestId, Instant>,
    replied: BTreeSet<CallId>,
    check: Option<CheckId>,
    connected: u32,
    quiet: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        let now = first_moment();
        let mut world = Self {
            uplink: Uplink::new(now, settings(seed)),
            now,
            dialing: Vec::new(),
            live: Vec::new(),
            asked: Vec::new(),
            open_calls: BTreeMap::new(),
            deadlines: BTreeMap::new(),
            replied: BTreeSet::new(),
            check: None,
            connected: 0,
            quiet: false,
        };
        world.drain(None);
        world
    }

    fn drain(&mut self, calling: Option<(CallId, Instant)>) {
        if let Some((call, deadline)) = calling {
            self.open_calls.insert(call, deadline);
        }
        let was_closed = self.quiet;
        while let Some(output) = self.uplink.poll_output() {
            assert!(
                !was_closed || matches!(output, Output::Reply(_, Err(CallError::Closed(_)))),
                "invariant 6: {output:?}"
            );
            match output {
                Output::Dial(conn, _) => self.dialing.push(conn),
                Output::Send(conn, text) => {
                    assert!(self.live.contains(&conn), "invariant 2: frame for a socket that is not there");
                    let frame = ClientFrame::parse(&text).unwrap();
                    if let Some(deadline) = self.deadlines.get(&frame.request_id) {
                        assert!(self.now < *deadline, "invariant 3: sent at or after its deadline");
                    } else if let Some((_, deadline)) = calling {
                        self.deadlines.insert(frame.request_id.clone(), deadline);
                    }
                    self.asked.push((frame.request_id, frame.request.action()));
                }
                Output::Close(conn, _) => {
                    let known = self.live.len() + self.dialing.len();
                    self.live.retain(|live| *live != conn);
                    self.dialing.retain(|dialing| *dialing != conn);
                    assert_eq!(
                        self.live.len() + self.dialing.len() + 1,
                        known,
                        "invariant 2: closed twice or never there"
                    );
                }
                Output::Connected(_) => {
                    self.connected += 1;
                    assert_eq!(self.connected, 1, "connected is said once");
                }
                Output::Reply(call, _) => {
                    assert!(self.replied.insert(call), "invariant 1: two replies");
                    assert!(self.open_calls.remove(&call).is_some(), "invariant 1: a reply nobody asked for");
                }
                Output::Event(UplinkEvent::CheckHealth(check)) => self.check = Some(check),
                Output::Event(_) => {}
            }
        }
        self.quiet = self.uplink.closed().is_some();
        assert!(self.live.len() + self.dialing.len() <= 3, "invariant 5: {:?} {:?}", self.live, self.dialing);
        if !self.open_calls.is_empty() {
            assert!(self.uplink.poll_timeout().is_some(), "invariant 4: a call is owed a reply");
        }
        if !self.quiet && self.live.is_empty() {
            assert!(
                !self.dialing.is_empty() || self.uplink.poll_timeout().is_some(),
                "invariant 4: nobody dials"
            );
        }
        if self.quiet {
            assert!(
                self.open_calls.is_empty() && self.live.is_empty() && self.dialing.is_empty(),
                "invariant 6"
            );
            assert_eq!(self.uplink.poll_timeout(), None, "invariant 6");
        }
    }

    fn call(&mut self, request: Request) {
        if self.uplink.takes_calls() || self.quiet {
            let deadline = self.now + Duration::from_secs(20);
            let call = self.uplink.call(self.now, deadline, request);
            self.drain(Some((call, deadline)));
        }
    }

    fn some_live(&self, pick: usize) -> Option<ConnId> {
        self.live.get(pick % self.live.len().max(1)).copied()
    }

    fn text(&mut self, pick: usize, text: &str) {
        if let Some(conn) = self.some_live(pick) {
            self.uplink.handle_text(self.now, conn, text);
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Dialed(success) if !self.dialing.is_empty() => {
                let conn = self.dialing.remove(0);
                if success {
                    self.live.push(conn);
                    self.uplink.handle_dialed(self.now, conn);
                } else {
                    self.uplink.handle_dial_failed(self.now, conn, DialError::TimedOut);
                }
            }
            Op::Dialed(_) => {}
            Op::Lost(pick) => {
                if let Some(conn) = self.some_live(pick) {
                    self.live.retain(|live| *live != conn);
                    self.uplink.handle_lost(self.now, conn);
                }
            }
            Op::Answer(pick) => {
                if !self.asked.is_empty() && !self.live.is_empty() {
                    let (id, action) = self.asked.remove(0);
                    self.text(pick, &success_text(&action, &id, &Empty {}));
                }
            }
            Op::Accept => self.call(Request::AcceptPlayerSession(PlayerSessionRequest::default())),
            Op::Describe => self.call(Request::DescribePlayerSessions(DescribePlayerSessions::default())),
            Op::Ready => self.call(Request::ActivateServerProcess(ActivateServerProcess::default())),
            Op::End => self.call(Request::TerminateServerProcess),
            Op::Refresh(pick) => {
                self.text(pick, r#"{"Action":"RefreshConnection","RefreshConnectionEndpoint":"ws://next","AuthToken":"t"}"#);
            }
            Op::Terminate(pick) => self.text(pick, r#"{"Action":"TerminateProcess"}"#),
            Op::Health(healthy) => {
                if let Some(check) = self.check.take() {
                    self.uplink.handle_health(self.now, check, healthy);
                }
            }
            Op::Nonsense(pick) => self.text(pick, "nonsense"),
            Op::Timeouts(count) => {
                for _ in 0..count {
                    if let Some(at) = self.uplink.poll_timeout() {
                        self.now = self.now.max(at);
                        let before = self.uplink.poll_timeout();
                        self.uplink.handle_timeout(self.now);
                        self.drain(None);
                        assert!(
                            self.uplink.poll_timeout() != before
                                || self.uplink.poll_timeout() > Some(self.now),
                            "a deadline that is due was left standing"
                        );
                    }
                }
            }
            Op::Close => self.uplink.close(CloseReason::HandlesDropped),
        }
        self.drain(None);
    }

    /// Time passes with nobody answering: everything owed is paid.
    fn settle(&mut self) {
        let end = self.now + Duration::from_secs(60);
        while let Some(at) = self.uplink.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.uplink.handle_timeout(self.now);
            self.drain(None);
        }
        assert!(self.open_calls.is_empty(), "invariant 1: a call without a reply");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn the_invariants_hold_through_any_history(seed in any::<u64>(), ops in prop::collection::vec(op(), 0..80)) {
        let mut world = World::new(seed);
        for op in ops {
            world.apply(op);
        }
        world.settle();
    }
}
