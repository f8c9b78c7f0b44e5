//! One matchmaking configuration at work: tickets in, events and matches out.

mod acceptance;
mod backfill;
mod deadlines;
mod placement;
mod settings;
mod story;
mod submit;
mod tickets;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use crate::{
    compat::{LastMoment, RequestTimeout, RequestedTeam},
    event::{Acceptance, Envelope, MatchmakingEvent, RuleEvaluationMetrics},
    explain::{Apart, Explanation, Free, NEIGHBOURS_MAX, TeamFill, Unmet},
    matchmaker_data::AttributeOrder,
    player::Player,
    random::Random,
    rule_set::{RuleSet, Team},
    search::{Found, Search, Seats, Waiting},
    ticket::{CancelReason, MatchId, PlayerId, TeamName, Ticket, TicketId, TicketState, TicketStatus},
    timestamp::Timestamp,
};
use deadlines::Deadlines;
use tickets::Tickets;

pub use acceptance::{AcceptError, AcceptanceType};
pub use placement::PlacementError;
pub use settings::{
    ACCEPTANCE_TIMEOUT_SECONDS_MAX, BackfillMode, CUSTOM_EVENT_DATA_LENGTH_MAX, Engine, FlexMatchMode,
    REQUEST_TIMEOUT_SECONDS_MAX, Settings, SettingsError,
};
pub use submit::{CancelError, SubmitError};
pub use tickets::ENDED_TICKETS_MAX;

/// Most tickets that wait at a time. Far above what one configuration sees; it bounds memory to a few gigabytes.
pub const WAITING_TICKETS_MAX: usize = 1_000_000;

/// A matchmaker: rule set, settings, and every ticket with its state.
///
/// It is a value. Time is an argument and never goes back: an earlier `now` than before counts as the latest one
/// seen. After each call, take what happened from [`Matchmaker::poll_output`] until it is empty, and call
/// [`Matchmaker::tick`] when [`Matchmaker::poll_timeout`] says so. The same calls with the same seed give the same
/// outputs, byte for byte.
#[derive(Debug)]
pub struct Matchmaker {
    settings: Settings,
    rules: Arc<RuleSet>,
    attribute_order: AttributeOrder,
    team_names: Vec<TeamName>,
    tickets: Tickets,
    /// The ticket that each player waits or is placed with.
    players: BTreeMap<PlayerId, u32>,
    /// Tickets that are not in the pool yet.
    queued: VecDeque<u32>,
    search: Search,
    proposals: BTreeMap<MatchId, Proposal>,
    /// Request timeouts.
    deadlines: Deadlines<u32>,
    /// Acceptance timeouts.
    acceptances: Deadlines<MatchId>,
    /// The live backfill ticket of each game session.
    sessions: BTreeMap<Arc<str>, u32>,
    outputs: VecDeque<Output>,
    random: Random,
    now: Timestamp,
    last_pass: Option<Timestamp>,
    /// Tickets in SEARCHING and the sum of their start times, for the estimated wait.
    searching: (u64, u128),
    /// Numbers for parties, so that rules know who came together.
    next_party: u64,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Tell the world.
    Event(MatchmakingEvent),
    /// Find a game session, and report with [`Matchmaker::placement_succeeded`],
    /// [`Matchmaker::placement_failed`] or [`Matchmaker::placement_timed_out`].
    Place(Match),
}

/// A match that needs a game session.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// Its id.
    pub id: MatchId,
    /// Its players by team in the rule set's order, those already in the game session included.
    pub players: Vec<MatchedPlayer>,
    /// The text for the game session's `MatchmakerData`.
    pub matchmaker_data: String,
    /// The game session to add the players to, if the match fills one.
    pub backfill: Option<Arc<str>>,
}

/// A player in a match.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchedPlayer {
    /// The player's id.
    pub player_id: PlayerId,
    /// The ticket the player came with.
    pub ticket_id: TicketId,
    /// The player's team.
    pub team: TeamName,
    /// Whether the player is in the game session already.
    pub is_backfilled: bool,
    party: Arc<[Player]>,
    index: usize,
}

impl MatchedPlayer {
    /// Attributes and latencies.
    pub fn player(&self) -> &Player {
        &self.party[self.index]
    }
}

/// A match that is being accepted or placed.
#[derive(Debug)]
struct Proposal {
    /// When it was found.
    since: Timestamp,
    tickets: Vec<u32>,
    is_accepting: bool,
    /// The game session that the match fills.
    session: Option<Arc<str>>,
    auto_backfill: Option<TicketId>,
}

impl Matchmaker {
    /// A matchmaker without tickets.
    ///
    /// # Errors
    /// If a setting is out of range, or one needs a queue and the mode is `STANDALONE`.
    pub fn new(rules: Arc<RuleSet>, settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self {
            attribute_order: AttributeOrder::new(&rules),
            team_names: rules.stages()[0].teams().iter().map(|team| TeamName::new(&team.name)).collect(),
            tickets: Tickets::default(),
            players: BTreeMap::new(),
            queued: VecDeque::new(),
            search: Search::new(rules.clone(), &settings),
            proposals: BTreeMap::new(),
            deadlines: Deadlines::default(),
            acceptances: Deadlines::default(),
            sessions: BTreeMap::new(),
            outputs: VecDeque::new(),
            random: Random::new(settings.seed),
            now: Timestamp::default(),
            last_pass: None,
            searching: (0, 0),
            next_party: 0,
            settings,
            rules,
        })
    }

    /// The settings.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The rule set.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// A ticket by its id: every active one, and the last [`ENDED_TICKETS_MAX`] that ended.
    pub fn ticket(&self, id: &str) -> Option<&Ticket> {
        self.tickets.get(self.tickets.key(id)?)
    }

    pub(crate) fn keyed(&self, id: &str) -> Option<(u32, &Ticket)> {
        let key = self.tickets.key(id)?;
        Some((key, self.tickets.get(key)?))
    }

    /// Fills in what the pool says of a ticket in SEARCHING.
    pub(crate) fn explain_waiting(&self, now: Timestamp, key: u32, explanation: &mut Explanation) {
        let stage = self.search.stage_of(self.search.place(key), now);
        explanation.step_seconds = self.rules.stages()[stage].from_seconds();
        explanation.never = self.search.never(key);
        if explanation.never.is_some() {
            return;
        }
        let reasons = self.search.reasons(key, now);
        let id = |key: u32| self.tickets.get(key).map(|ticket| ticket.id.clone());
        let unmet = |(rule, numbers): (String, String)| Unmet { rule, numbers };
        let stage = &self.rules.stages()[reasons.stage];
        explanation.nearest_match = reasons.members.iter().filter_map(|key| id(*key)).collect();
        let fill = |(team, players): (&Team, &u32)| TeamFill {
            team: team.name.clone(),
            players: *players,
            min_players: team.min_players,
            max_players: team.max_players,
        };
        explanation.teams = stage.teams().iter().zip(&reasons.counts).map(fill).collect();
        explanation.unmet = reasons.unmet.into_iter().map(unmet).collect();
        explanation.more_apart = reasons.apart.len().saturating_sub(NEIGHBOURS_MAX);
        let apart = reasons.apart.into_iter().take(NEIGHBOURS_MAX).filter_map(|apart| {
            Some(Apart {
                ticket_id: id(apart.key)?,
                unmet: apart.unmet.map(unmet),
                only_together_with_others: apart.pair_fits,
                free: apart
                    .free
                    .map(|(stage, at)| Free { step_seconds: self.rules.stages()[stage].from_seconds(), at }),
            })
        });
        explanation.apart = apart.collect();
    }

    /// All tickets that [`Matchmaker::ticket`] knows, in the order of their ids.
    pub fn tickets(&self) -> impl Iterator<Item = &Ticket> {
        self.tickets.iter()
    }

    /// Average wait of the tickets in SEARCHING; `None` if there are none.
    pub fn estimated_wait_millis(&self) -> Option<u64> {
        let (count, starts) = self.searching;
        let average = starts.checked_div(u128::from(count))?;
        Some(self.now.as_millis().saturating_sub(u64::try_from(average).unwrap_or(u64::MAX)))
    }

    /// Takes the next thing that happened.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Matchmaker::tick`] has something to do; `None` if only another call can change anything.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        if !self.queued.is_empty() {
            return Some(self.now);
        }
        let next_pass = self.next_pass();
        let pass = if self.search.is_stale() {
            Some(next_pass)
        } else {
            self.search.next_step().map(|step| step.max(next_pass))
        };
        let request = self.deadlines.iter().find(|(deadline, key)| self.is_due_at(*key, *deadline));
        let acceptance = self.acceptances.iter().find(|(_, id)| self.is_accepting(id));
        [pass, request.map(|(at, _)| *at), acceptance.map(|(at, _)| *at)].into_iter().flatten().min()
    }

    /// Does everything that is due at `now`: ends acceptances, takes new tickets in, searches, and times tickets out,
    /// in this order, so that a ticket that can be matched at the moment of its timeout is (but see
    /// [`Compat::last_moment`](crate::Compat)).
    pub fn tick(&mut self, now: Timestamp) {
        self.advance(now);
        self.end_acceptances();
        self.take_in();
        if self.settings.compat.last_moment == LastMoment::TimeOut {
            self.time_out();
        }
        if self.next_pass() <= self.now || self.deadlines.is_over(self.now) {
            self.search_pool();
        }
        self.time_out();
    }

    /// Wraps an event for EventBridge, with an id of its own.
    pub fn envelope(&mut self, now: Timestamp, event: MatchmakingEvent) -> Envelope {
        let id = self.random.uuid().to_string();
        Envelope::new(id, now, &self.settings.configuration_arn, event)
    }

    fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    fn next_pass(&self) -> Timestamp {
        self.last_pass
            .map_or(self.now, |last| {
                Timestamp::from_millis(last.as_millis().saturating_add(self.settings.pass_interval_ms))
            })
            .max(Timestamp::default())
    }

    fn is_due_at(&self, key: u32, deadline: Timestamp) -> bool {
        let reading = self.settings.compat.request_timeout;
        self.tickets.get(key).is_some_and(|ticket| {
            self.deadline_of(ticket) == deadline
                && match ticket.status() {
                    TicketStatus::Queued | TicketStatus::Searching => true,
                    TicketStatus::Placing => reading != RequestTimeout::WhileSearching,
                    TicketStatus::RequiresAcceptance => reading == RequestTimeout::Always,
                    _ => false,
                }
        })
    }

    fn deadline_of(&self, ticket: &Ticket) -> Timestamp {
        ticket.start.plus_seconds(self.settings.request_timeout_seconds)
    }

    /// QUEUED -> SEARCHING.
    fn take_in(&mut self) {
        while let Some(key) = self.queued.pop_front() {
            let Some(ticket) = self.tickets.get(key) else { continue };
            if ticket.status() != TicketStatus::Queued {
                continue;
            }
            let waiting = Waiting {
                key,
                start: ticket.start,
                party: ticket.party.clone(),
                seats: self.seats(ticket),
                is_backfill: ticket.backfill.is_some(),
            };
            self.search.add(waiting);
            self.start_searching(key, false);
            self.tell_searching(key);
        }
    }

    /// Where the players of a ticket must go, if the request says so.
    fn seats(&self, ticket: &Ticket) -> Option<Seats> {
        let effective = &self.rules.stages()[0];
        let mut teams = ticket.party.iter().map(|player| effective.team_index(player.team()?));
        if ticket.backfill.is_some() {
            return Some(Seats::Each(teams.map(Option::unwrap_or_default).collect()));
        }
        if self.settings.compat.requested_team == RequestedTeam::Ignore {
            return None;
        }
        // A ticket's players share a team; the first one's wish counts.
        teams.find_map(|team| team).map(Seats::Together)
    }

    fn start_searching(&mut self, key: u32, returned: bool) {
        if let Some(ticket) = self.tickets.get_mut(key) {
            ticket.state = TicketState::Searching { returned };
            self.searching.0 += 1;
            self.searching.1 += u128::from(ticket.start.as_millis());
        }
    }

    fn stop_searching(&mut self, start: Timestamp) {
        self.searching.0 -= 1;
        self.searching.1 -= u128::from(start.as_millis());
    }

    fn search_pool(&mut self) {
        let step_due = self.search.next_step().is_some_and(|step| step <= self.now);
        if !self.search.is_stale() && !step_due {
            return;
        }
        self.last_pass = Some(self.now);
        for found in self.search.pass(self.now) {
            self.propose(found);
        }
    }

    /// SEARCHING -> REQUIRES_ACCEPTANCE or PLACING.
    fn propose(&mut self, found: Found) {
        let id = MatchId::from_uuid(self.random.uuid());
        let is_accepting = self.settings.acceptance_required;
        let mut session = None;
        let mut keys = Vec::with_capacity(found.members.len());
        for (key, seats) in found.members {
            let Some(ticket) = self.tickets.get_mut(key) else { continue };
            for (index, player) in ticket.players.iter_mut().enumerate() {
                player.team = self.team_names.get(seats.team_of(index)).cloned();
                player.accepted = None;
            }
            ticket.state = if is_accepting {
                TicketState::RequiresAcceptance { match_id: id.clone() }
            } else {
                TicketState::Placing { match_id: id.clone() }
            };
            if let Some(backfill) = &ticket.backfill {
                session.clone_from(&backfill.game_session_arn);
            }
            let start = ticket.start;
            self.stop_searching(start);
            keys.push(key);
        }
        let metrics = self.named(&found.metrics);
        self.tell_potential_match(&id, &keys, metrics);
        self.proposals.insert(
            id.clone(),
            Proposal { since: self.now, tickets: keys, is_accepting, session, auto_backfill: None },
        );
        if is_accepting {
            let deadline = self.now.plus_seconds(self.settings.acceptance_timeout_seconds);
            self.acceptances.push(deadline, id);
        } else {
            self.place(&id);
        }
    }

    fn named(&self, metrics: &[(u64, u64)]) -> Vec<RuleEvaluationMetrics> {
        let count = |index: usize| metrics.get(index).copied().unwrap_or_default();
        self.rules.stages()[0]
            .rules()
            .enumerate()
            .map(|(index, rule)| RuleEvaluationMetrics {
                rule_name: rule.name.clone(),
                passed_count: count(index).0,
                failed_count: count(index).1,
            })
            .collect()
    }

    /// SEARCHING or PLACING -> TIMED_OUT. A match that is being accepted is left to its own clock (but see
    /// [`RequestTimeout`]), and one that was found at this very moment was found in time.
    fn time_out(&mut self) {
        while let Some((deadline, key)) = self.deadlines.pop_over(self.now) {
            let found_now = self.tickets.get(key).is_some_and(|ticket| self.is_found_now(ticket));
            if self.is_due_at(key, deadline) && !found_now {
                let state = TicketState::TimedOut { at: self.now };
                match self.tickets.get(key).map(Ticket::state) {
                    Some(TicketState::RequiresAcceptance { match_id }) => {
                        let match_id = match_id.clone();
                        self.drop_match(&match_id, Acceptance::TimedOut, &[(key, state)]);
                    }
                    _ => self.end(key, state),
                }
            }
        }
    }

    fn is_found_now(&self, ticket: &Ticket) -> bool {
        match &ticket.state {
            TicketState::Placing { match_id } | TicketState::RequiresAcceptance { match_id } => {
                self.proposals.get(match_id).is_some_and(|proposal| proposal.since == self.now)
            }
            _ => false,
        }
    }

    /// Ends a ticket that is not in a match under acceptance, and tells so.
    fn end(&mut self, key: u32, state: TicketState) {
        let metrics = match self.tickets.get(key).map(Ticket::status) {
            None | Some(TicketStatus::Queued) => Vec::new(),
            Some(_) => self.search.metrics(key).to_vec(),
        };
        let metrics = self.named(&metrics);
        let Some(ticket) = self.tickets.get_mut(key) else { return };
        let before = std::mem::replace(&mut ticket.state, state);
        let start = ticket.start;
        let match_id = match before {
            TicketState::Queued => None,
            TicketState::Searching { .. } => {
                self.stop_searching(start);
                self.search.remove(key);
                None
            }
            TicketState::RequiresAcceptance { match_id } | TicketState::Placing { match_id } => {
                self.search.remove(key);
                if let Some(proposal) = self.proposals.get_mut(&match_id) {
                    proposal.tickets.retain(|other| *other != key);
                }
                Some(match_id)
            }
            _ => return,
        };
        self.release_players(key);
        let is_silent = matches!(
            self.tickets.get(key).map(|ticket| &ticket.state),
            Some(
                TicketState::Cancelled { why: CancelReason::DuplicatePlayer, .. }
                    | TicketState::Completed { .. }
            )
        );
        if !is_silent {
            self.tell_end(key, match_id, metrics);
        }
        self.retire(key);
    }

    /// The last thing that happens to a ticket that has ended.
    fn retire(&mut self, key: u32) {
        self.tickets.retire(key);
        let (tickets, timeout) = (&self.tickets, self.settings.request_timeout_seconds);
        self.deadlines.trim(tickets.active(), |deadline, key| {
            // Another ticket may have its number.
            tickets.get(*key).is_some_and(|ticket| {
                !ticket.status().is_final() && ticket.start.plus_seconds(timeout) == deadline
            })
        });
    }

    /// Forgets the acceptance timeouts of matches that nobody is asked about any more.
    fn trim_acceptances(&mut self) {
        let proposals = &self.proposals;
        self.acceptances
            .trim(proposals.len(), |_, id| proposals.get(id).is_some_and(|proposal| proposal.is_accepting));
    }

    /// The players of an ended ticket are free for another.
    fn release_players(&mut self, key: u32) {
        let Some(ticket) = self.tickets.get(key) else { return };
        for player in &ticket.players {
            if self.players.get(&player.id) == Some(&key) {
                self.players.remove(&player.id);
            }
        }
        if let Some(session) =
            ticket.backfill.as_ref().and_then(|backfill| backfill.game_session_arn.as_ref())
            && self.sessions.get(session) == Some(&key)
        {
            self.sessions.remove(session);
        }
    }

    fn is_accepting(&self, id: &MatchId) -> bool {
        self.proposals.get(id).is_some_and(|proposal| proposal.is_accepting)
    }
}
