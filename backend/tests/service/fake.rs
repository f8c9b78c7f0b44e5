//! A GameLift that does as it is told, and remembers what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use backend::caller::PlayerId;
use backend::game_lift::{GameLift, GameLiftError, MatchRequest, PlacementRequest, Report, Seat, SeatStatus};
use backend::service::{Beacon, Location};
use backend::ticket::Status;
use futures_util::future::{BoxFuture, ready};

#[derive(Default)]
pub(crate) struct State {
    /// Names of operations, in order.
    pub(crate) calls: Vec<&'static str>,
    /// What the next calls of an operation fail with; then they work.
    pub(crate) failures: BTreeMap<&'static str, VecDeque<GameLiftError>>,
    /// Operations that work although they fail.
    pub(crate) works_all_the_same: bool,
    pub(crate) reports: BTreeMap<String, Report>,
    pub(crate) seats: BTreeMap<String, Seat>,
    pub(crate) matches: Vec<MatchRequest>,
    pub(crate) placements: Vec<PlacementRequest>,
    pub(crate) answers: Vec<(String, PlayerId, bool)>,
    /// For seats that are made.
    pub(crate) now: u64,
}

#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<Mutex<State>>);

type Answer<'a, T> = BoxFuture<'a, Result<T, GameLiftError>>;

pub(crate) fn report(status: Status) -> Report {
    let (teams, seats) = (BTreeMap::new(), BTreeMap::new());
    Report { status, estimated_wait_ms: None, reason: None, place: None, teams, seats }
}

impl Fake {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn fail(&self, operation: &'static str, error: GameLiftError) {
        self.state().failures.entry(operation).or_default().push_back(error);
    }

    pub(crate) fn calls(&self, operation: &str) -> usize {
        self.state().calls.iter().filter(|call| **call == operation).count()
    }

    /// What a ticket is when it is asked about.
    pub(crate) fn set(&self, ticket_id: &str, report: Report) {
        self.state().reports.insert(ticket_id.to_owned(), report);
    }

    fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut State) -> Result<T, GameLiftError>,
    ) -> Answer<'static, T> {
        let mut state = self.state();
        state.calls.push(operation);
        let failure = state.failures.get_mut(operation).and_then(VecDeque::pop_front);
        let outcome = match failure {
            Some(error) => {
                if state.works_all_the_same {
                    let _ = work(&mut state);
                }
                Err(error)
            }
            None => work(&mut state),
        };
        Box::pin(ready(outcome))
    }
}

impl State {
    fn start(&mut self, ticket_id: &str, status: Status) -> Result<(), GameLiftError> {
        if self.reports.contains_key(ticket_id) {
            return Err(GameLiftError::Refused("the id is used".to_owned()));
        }
        self.reports.insert(ticket_id.to_owned(), report(status));
        Ok(())
    }

    fn stop(&mut self, ticket_id: &str) -> Result<(), GameLiftError> {
        let report =
            self.reports.get_mut(ticket_id).ok_or_else(|| GameLiftError::NotFound("no ticket".to_owned()))?;
        if report.status.rank() >= Status::Placing.rank() {
            return Err(GameLiftError::Refused("too late".to_owned()));
        }
        report.status = Status::Cancelled;
        Ok(())
    }
}

impl GameLift for Fake {
    fn start_matchmaking(&self, request: MatchRequest) -> Answer<'_, ()> {
        self.run("start_matchmaking", |state| {
            state.start(&request.ticket_id, Status::Searching)?;
            state.matches.push(request);
            Ok(())
        })
    }

    fn describe_matchmaking<'a>(&'a self, ticket_id: &'a str) -> Answer<'a, Option<Report>> {
        self.run("describe_matchmaking", |state| Ok(state.reports.get(ticket_id).cloned()))
    }

    fn stop_matchmaking<'a>(&'a self, ticket_id: &'a str) -> Answer<'a, ()> {
        self.run("stop_matchmaking", |state| state.stop(ticket_id))
    }

    fn accept_match<'a>(&'a self, ticket_id: &'a str, player: &'a PlayerId, accept: bool) -> Answer<'a, ()> {
        self.run("accept_match", |state| {
            state.answers.push((ticket_id.to_owned(), player.clone(), accept));
            Ok(())
        })
    }

    fn start_placement(&self, request: PlacementRequest) -> Answer<'_, ()> {
        self.run("start_placement", |state| {
            state.start(&request.ticket_id, Status::Requested)?;
            state.placements.push(request);
            Ok(())
        })
    }

    fn describe_placement<'a>(&'a self, ticket_id: &'a str) -> Answer<'a, Option<Report>> {
        self.run("describe_placement", |state| Ok(state.reports.get(ticket_id).cloned()))
    }

    fn stop_placement<'a>(&'a self, ticket_id: &'a str) -> Answer<'a, ()> {
        self.run("stop_placement", |state| state.stop(ticket_id))
    }

    fn seat<'a>(&'a self, player_session_id: &'a str) -> Answer<'a, Option<Seat>> {
        self.run("seat", |state| Ok(state.seats.get(player_session_id).cloned()))
    }

    fn take_seat<'a>(&'a self, _: &'a str, player: &'a PlayerId) -> Answer<'a, Seat> {
        self.run("take_seat", |state| {
            let player_session_id = format!("psess-{}-{}", player.as_str(), state.seats.len());
            let seat = Seat { player_session_id, status: SeatStatus::Reserved, created_at: state.now };
            state.seats.insert(seat.player_session_id.clone(), seat.clone());
            Ok(seat)
        })
    }

    fn locations(&self) -> Answer<'_, Vec<Location>> {
        self.run("locations", |_| {
            let beacon = Beacon { domain: "ping.example".to_owned(), port: 7770 };
            Ok(vec![
                Location { location: "eu-west-1".to_owned(), beacon: Some(beacon) },
                Location { location: "custom-home".to_owned(), beacon: None },
            ])
        })
    }
}
