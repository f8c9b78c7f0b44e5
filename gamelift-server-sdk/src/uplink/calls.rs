//! Calls in flight: each has a deadline and gets exactly one reply.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use gamelift_wire::ids::RequestId;
use gamelift_wire::requests::Request;

/// Names a call towards the driver. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CallId(pub(super) u64);

/// Most calls at once. A full house of 200 players joining in one tick fits five times; beyond it callers wait, never
/// past their deadline.
pub(crate) const CALLS_IN_FLIGHT_MAX: usize = 1_024;

/// Who waits for the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    Application,
    Heartbeat,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) caller: Caller,
    pub(super) request: Box<Request>,
    /// A UUID, as a number: comparing and copying it is free.
    pub(super) request_id: u128,
    pub(super) deadline: Instant,
    /// Whether it went out on some socket. If so, it may have taken effect.
    pub(super) sent: bool,
}

/// Whether the request may go out again, under the same `RequestId`, after a connection was lost.
///
/// Those that only read, and those that set a state: doing them twice is doing them once. Accepting or removing a player
/// is not among them: between two attempts the session may have gone to somebody else's hands. C++ SDK 5.4.0 repeats
/// everything, so the service remembers a `RequestId`; nothing says for how long.
fn may_be_repeated(request: &Request) -> bool {
    matches!(
        request,
        Request::ActivateServerProcess(_)
            | Request::TerminateServerProcess
            | Request::UpdatePlayerSessionCreationPolicy(_)
            | Request::DescribePlayerSessions(_)
            | Request::GetComputeCertificate
            | Request::GetFleetRoleCredentials(_)
    )
}

/// The id as it stands on the wire.
fn text(request_id: u128) -> RequestId {
    RequestId::new_unchecked(uuid::Uuid::from_u128(request_id).to_string())
}

/// The last 62 bits of a UUID, behind its variant.
const TAIL: u128 = (1 << 62) - 1;

/// A request id that names its call: a random UUID whose end is the call's number, so that an answer leads to its call
/// without a second table. 60 random bits are left, a new draw for each request.
pub(super) fn request_id(random: uuid::Uuid, id: CallId) -> u128 {
    random.as_u128() & !TAIL | u128::from(id.0) & TAIL
}

/// The call that a request id of ours names.
fn named_in(request_id: u128) -> CallId {
    CallId(u64::try_from(request_id & TAIL).expect("62 bits are fewer than 64"))
}

/// `None` for an id that cannot be ours.
fn number(request_id: &RequestId) -> Option<u128> {
    uuid::Uuid::try_parse(request_id.as_str()).ok().map(|uuid| uuid.as_u128())
}

/// The table of calls. Does not send; says what to send.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: BTreeMap<CallId, Call>,
    deadlines: BTreeSet<(Instant, CallId)>,
    unsent: VecDeque<CallId>,
    last: u64,
}

impl Calls {
    pub(super) fn next_id(&mut self) -> CallId {
        self.last += 1;
        CallId(self.last)
    }

    pub(super) fn is_full(&self) -> bool {
        self.calls.len() >= CALLS_IN_FLIGHT_MAX
    }

    pub(super) fn insert(&mut self, id: CallId, call: Call) {
        self.deadlines.insert((call.deadline, id));
        self.unsent.push_back(id);
        self.calls.insert(id, call);
    }

    /// Takes out the call that a response names, if somebody waits for it.
    pub(super) fn take_by_request(&mut self, request_id: &RequestId) -> Option<(CallId, Call)> {
        let number = number(request_id)?;
        let id = named_in(number);
        // Somebody else's id may end like one of ours.
        self.calls.get(&id).filter(|call| call.request_id == number)?;
        self.take(id)
    }

    pub(super) fn take(&mut self, id: CallId) -> Option<(CallId, Call)> {
        let call = self.calls.remove(&id)?;
        self.deadlines.remove(&(call.deadline, id));
        if !call.sent {
            self.unsent.retain(|unsent| *unsent != id);
        }
        Some((id, call))
    }

    /// The next call to send, its text made. Expired calls are left for [`Self::take_expired`].
    pub(super) fn send_next(&mut self, now: Instant) -> Option<String> {
        while let Some(id) = self.unsent.pop_front() {
            let Some(call) = self.calls.get_mut(&id) else { continue };
            if call.deadline <= now {
                continue;
            }
            call.sent = true;
            return Some(call.request.to_text(&text(call.request_id)));
        }
        None
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    pub(super) fn take_expired(&mut self, now: Instant) -> Option<(CallId, Call)> {
        let (_, id) = *self.deadlines.first().filter(|(deadline, _)| *deadline <= now)?;
        self.take(id)
    }

    /// A beat that did not get out is stale by the time the next one is due.
    pub(super) fn take_unsent_heartbeats(&mut self) -> Vec<(CallId, Call)> {
        let stale: Vec<CallId> = self
            .calls
            .iter()
            .filter(|(_, call)| call.caller == Caller::Heartbeat && !call.sent)
            .map(|(id, _)| *id)
            .collect();
        stale.into_iter().filter_map(|id| self.take(id)).collect()
    }

    /// No socket is left that could bring an answer: what may be repeated goes back to the queue, the rest comes out.
    pub(super) fn connection_lost(&mut self) -> Vec<(CallId, Call)> {
        let sent: Vec<CallId> = self.calls.iter().filter(|(_, call)| call.sent).map(|(id, _)| *id).collect();
        let (again, lost): (Vec<_>, Vec<_>) = sent
            .into_iter()
            .partition(|id| self.calls.get(id).is_some_and(|call| may_be_repeated(&call.request)));
        for id in again.into_iter().rev() {
            if let Some(call) = self.calls.get_mut(&id) {
                call.sent = false;
                self.unsent.push_front(id);
            }
        }
        lost.into_iter().filter_map(|id| self.take(id)).collect()
    }

    pub(super) fn take_all(&mut self) -> Vec<(CallId, Call)> {
        let all: Vec<CallId> = self.calls.keys().copied().collect();
        all.into_iter().filter_map(|id| self.take(id)).collect()
    }
}
