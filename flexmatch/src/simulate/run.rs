//! The loop: arrivals, answers and placements meet the matchmaker in virtual time.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use super::{
    arrivals::{Arrival, Arrivals, Drawn},
    cause::TimeoutCause,
    measured::{Measured, Outcome},
    population::{Population, PopulationError},
    record::{Players, Recording},
    replay::{Prepared, Replay},
    report::{Input, Report},
};
use crate::{
    compat::Compat,
    event::{Acceptance, EventTicket, MatchmakingEvent},
    expansion::MatchView,
    matchmaker::{AcceptanceType, FlexMatchMode, Match, Matchmaker, Output, Settings},
    player::Player,
    random::Random,
    rule_set::{ExpansionAgeSelection, RuleSet},
    ticket::{GameSession, MatchId, PlayerId, Ticket, TicketId, TicketRequest, TicketStatus},
    timestamp::Timestamp,
};

/// Runs a population to its end: every ticket matched, timed out or cancelled.
///
/// `compat` must be the readings that the rule set was read under. `progress` is told the share that is done, about a
/// thousand times.
///
/// # Errors
/// If the population makes no sense for this rule set.
pub fn simulate(
    rules: Arc<RuleSet>,
    population: &Population,
    compat: &Compat,
    progress: &mut dyn FnMut(f64),
) -> Result<Report, PopulationError> {
    Ok(Simulation::new(rules, population, compat)?.run(progress))
}

/// Replays a recording to its end. Players who are not in `players` are drawn from the population, which also says how
/// long requests wait, and whether players must accept; its arrivals and parties do not count.
///
/// # Errors
/// If the population makes no sense for this rule set.
pub fn replay(
    rules: Arc<RuleSet>,
    population: &Population,
    recording: &Arc<Recording>,
    players: &Players,
    compat: &Compat,
    progress: &mut dyn FnMut(f64),
) -> Result<Report, PopulationError> {
    Ok(Simulation::of_recording(rules, population, recording, players, compat)?.run(progress))
}

/// A simulation, moment by moment.
#[derive(Debug)]
pub struct Simulation {
    rules: Arc<RuleSet>,
    population: Population,
    /// Of the players' answers.
    random: Random,
    matchmaker: Matchmaker,
    now: Timestamp,
    end: Timestamp,
    arrivals: Arrivals,
    answers: VecDeque<Answer>,
    placements: VecDeque<(Timestamp, MatchId)>,
    cancellations: VecDeque<(Timestamp, String)>,
    /// Tickets by the moment they would time out, to ask for the reason just before.
    deadlines: VecDeque<(Timestamp, usize, TicketId)>,
    /// When matches were proposed, which is what their expansion step goes by.
    proposed: BTreeMap<MatchId, Timestamp>,
    /// Tickets by their number in `measured`; in a population only those that have not ended.
    numbers: BTreeMap<String, usize>,
    first_refusal: Option<String>,
    measured: Measured,
    recorded: Option<Recorded>,
}

#[derive(Debug)]
struct Recorded {
    recording: Arc<Recording>,
    replay: Replay,
    /// Matches by their tickets, in alphabetical order.
    made: BTreeSet<Vec<String>>,
}

/// What the players of a ticket will say to a proposed match; the silent are not in it.
#[derive(Debug)]
struct Answer {
    at: Timestamp,
    ticket: TicketId,
    players: Vec<(PlayerId, AcceptanceType)>,
}

impl Simulation {
    /// A simulation at its beginning.
    ///
    /// # Errors
    /// If the population makes no sense for this rule set.
    pub fn new(
        rules: Arc<RuleSet>,
        population: &Population,
        compat: &Compat,
    ) -> Result<Self, PopulationError> {
        population.check(&rules)?;
        let arrivals = Arrivals::Drawn(Drawn::new(population));
        let parties = population.parties.iter().filter(|(_, share)| **share > 0.0);
        let parties = parties.map(|(size, _)| *size as usize).collect();
        let measured = Measured::new(&rules, population.homes.keys().cloned().collect(), parties);
        let end = Timestamp::default().plus_seconds(population.duration_seconds);
        Self::with(rules, population, compat, arrivals, measured, end)
    }

    /// The replay of a recording at its beginning.
    ///
    /// # Errors
    /// If the population makes no sense for this rule set.
    pub fn of_recording(
        rules: Arc<RuleSet>,
        population: &Population,
        recording: &Arc<Recording>,
        players: &Players,
        compat: &Compat,
    ) -> Result<Self, PopulationError> {
        population.check(&rules)?;
        let Prepared { arrivals, cancellations, homes, replay } =
            Prepared::new(&rules, population, recording, players);
        let parties: BTreeSet<usize> = arrivals.iter().map(|arrival| arrival.players.len()).collect();
        let measured = Measured::new(&rules, homes, parties.into_iter().collect());
        let end = arrivals.back().map_or(Timestamp::default(), |arrival| arrival.at);
        let mut simulation =
            Self::with(rules, population, compat, Arrivals::Recorded(arrivals), measured, end)?;
        simulation.cancellations = cancellations;
        simulation.recorded = Some(Recorded { recording: recording.clone(), replay, made: BTreeSet::new() });
        Ok(simulation)
    }

    fn with(
        rules: Arc<RuleSet>,
        population: &Population,
        compat: &Compat,
        arrivals: Arrivals,
        measured: Measured,
        end: Timestamp,
    ) -> Result<Self, PopulationError> {
        let settings = Settings {
            request_timeout_seconds: population.request_timeout_seconds,
            acceptance_required: population.acceptance_required,
            acceptance_timeout_seconds: population.acceptance_timeout_seconds,
            flex_match_mode: FlexMatchMode::WithQueue,
            seed: population.seed,
            compat: *compat,
            ..Settings::default()
        };
        let matchmaker = Matchmaker::new(rules.clone(), settings)?;
        Ok(Self {
            measured,
            rules,
            population: population.clone(),
            random: Random::new(!population.seed),
            matchmaker,
            now: Timestamp::default(),
            end,
            arrivals,
            answers: VecDeque::new(),
            placements: VecDeque::new(),
            cancellations: VecDeque::new(),
            deadlines: VecDeque::new(),
            proposed: BTreeMap::new(),
            numbers: BTreeMap::new(),
            first_refusal: None,
            recorded: None,
        })
    }

    /// Runs it to its end. `progress` is told the share that is done, about a thousand times.
    pub fn run(mut self, progress: &mut dyn FnMut(f64)) -> Report {
        let mut told = 0.0;
        while self.step() {
            let done = self.done();
            if done - told >= 0.001 {
                told = done;
                progress(done);
            }
        }
        progress(1.0);
        self.into_report()
    }

    /// The share that is done, by the arrivals.
    pub fn done(&self) -> f64 {
        (self.now.as_millis() as f64 / self.end.as_millis().max(1) as f64).min(1.0)
    }

    /// Goes to the next moment at which anything happens. Whether there is one.
    pub fn step(&mut self) -> bool {
        let next = [
            self.arrivals.next_at(),
            self.matchmaker.poll_timeout(),
            self.answers.front().map(|answer| answer.at),
            self.placements.front().map(|(at, _)| *at),
            self.cancellations.front().map(|(at, _)| *at),
        ];
        let Some(next) = next.into_iter().flatten().min() else { return false };
        self.now = self.now.max(next);
        while self.arrivals.next_at().is_some_and(|at| at <= self.now) {
            self.arrive();
        }
        while let Some((_, id)) = self.cancellations.pop_front_if(|(at, _)| *at <= self.now) {
            // The replay may have matched it already.
            let _ = self.matchmaker.cancel(self.now, &id);
        }
        self.answer();
        while let Some((_, id)) = self.placements.pop_front_if(|(at, _)| *at <= self.now) {
            // Its tickets may all have timed out meanwhile; the match is still there to be told.
            let _ = self.matchmaker.placement_succeeded(self.now, id.as_str(), GameSession::default());
        }
        self.explain_timeouts();
        if self.matchmaker.poll_timeout().is_some_and(|at| at <= self.now) {
            self.matchmaker.tick(self.now);
        }
        while let Some(output) = self.matchmaker.poll_output() {
            self.hear(output);
        }
        true
    }

    /// What was measured.
    pub fn into_report(self) -> Report {
        let input = match self.recorded {
            None => Input::Population {
                arrivals_per_second: self.population.arrivals_per_second,
                duration_seconds: self.population.duration_seconds,
                seed: self.population.seed,
            },
            Some(Recorded { recording, mut replay, made }) => {
                replay.compare(&recording, &self.measured, &self.numbers, &made);
                Input::Replay(Box::new(replay))
            }
        };
        let compat = self.matchmaker.settings().compat;
        Report { compat, first_refusal: self.first_refusal, ..self.measured.report(&self.rules, input) }
    }

    fn arrive(&mut self) {
        let Some(arrival) = self.arrivals.take(&self.population, &self.rules) else { return };
        let older = self.tickets_of(&arrival);
        let request = TicketRequest { ticket_id: Some(arrival.id), players: arrival.players };
        let id = match self.matchmaker.submit(self.now, request) {
            Ok(id) => id,
            Err(error) => {
                self.measured.refused += 1;
                self.first_refusal.get_or_insert_with(|| error.to_string());
                return;
            }
        };
        for older in older {
            if self.matchmaker.ticket(&older).is_some_and(|ticket| ticket.status().is_final()) {
                self.leaves(&older, Outcome::Cancelled);
            }
        }
        let party = self.matchmaker.ticket(id.as_str()).map(Ticket::party).unwrap_or_default();
        let number = self.measured.started(self.now, party, arrival.home);
        self.numbers.insert(id.as_str().to_owned(), number);
        let deadline = self.now.plus_seconds(self.population.request_timeout_seconds);
        self.deadlines.push_back((deadline, number, id));
    }

    /// Active tickets of the same players: the matchmaker may cancel them for the new one, and no event tells so.
    fn tickets_of(&self, arrival: &Arrival) -> BTreeSet<String> {
        let players = arrival.players.iter();
        let older = players.filter_map(|player| self.matchmaker.ticket_of(&player.player_id));
        older.map(|ticket| ticket.id().to_string()).collect()
    }

    fn answer(&mut self) {
        while let Some(answer) = self.answers.pop_front_if(|answer| answer.at <= self.now) {
            for (player, says) in answer.players {
                // The match may have fallen through by another's rejection.
                let _ = self.matchmaker.accept(self.now, answer.ticket.as_str(), &[player], says);
            }
        }
    }

    fn explain_timeouts(&mut self) {
        while let Some((_, number, id)) = self.deadlines.pop_front_if(|(at, ..)| *at <= self.now) {
            let id = id.as_str();
            let waits =
                self.matchmaker.ticket(id).is_some_and(|ticket| ticket.status() == TicketStatus::Searching);
            if waits
                && self.measured.sample.wants()
                && let Some(cause) = TimeoutCause::of(&self.matchmaker, &self.rules, self.now, id)
            {
                self.measured.suspect(number, cause);
            }
        }
    }

    fn hear(&mut self, output: Output) {
        let event = match output {
            Output::Place(found) => {
                self.measure(&found);
                self.placements
                    .push_back((self.now.plus_seconds(self.population.placement_seconds), found.id));
                return;
            }
            Output::Event(event) => event,
        };
        match event {
            MatchmakingEvent::PotentialMatchCreated(event) => {
                self.proposed.insert(event.match_id, self.now);
                if event.acceptance_required {
                    event.tickets.into_iter().for_each(|ticket| self.ask(ticket));
                }
            }
            MatchmakingEvent::AcceptMatchCompleted(event) if event.acceptance != Acceptance::Accepted => {
                self.proposed.remove(&event.match_id);
                self.not_accepted(&event.tickets);
            }
            MatchmakingEvent::Succeeded(event) => {
                if let Some(recorded) = &mut self.recorded {
                    let mut tickets: Vec<String> =
                        event.tickets.iter().map(|ticket| ticket.ticket_id.to_string()).collect();
                    tickets.sort_unstable();
                    recorded.made.insert(tickets);
                }
                self.ended(&event.tickets, Outcome::Matched);
            }
            MatchmakingEvent::TimedOut(event) => self.ended(&event.tickets, Outcome::TimedOut),
            MatchmakingEvent::Cancelled(event) => self.ended(&event.tickets, Outcome::Cancelled),
            // Those who did not accept, under the reading `rejecters: fail`: every match here gets its game session.
            MatchmakingEvent::Failed(event) => self.ended(&event.tickets, Outcome::Cancelled),
            _ => {}
        }
    }

    /// Draws what the players of a ticket will say to a proposed match.
    fn ask(&mut self, ticket: EventTicket) {
        let at = self.now.plus_seconds(self.population.answer_seconds);
        let mut players = Vec::new();
        for player in ticket.players {
            let drawn = self.random.unit();
            if drawn < self.population.accept {
                players.push((player.player_id, AcceptanceType::Accept));
            } else if drawn < self.population.accept + self.population.reject {
                players.push((player.player_id, AcceptanceType::Reject));
            }
        }
        self.answers.push_back(Answer { at, ticket: ticket.ticket_id, players });
    }

    /// Of those whose time was over while they were asked, the acceptance is to blame.
    fn not_accepted(&mut self, tickets: &[EventTicket]) {
        for ticket in tickets {
            let deadline = ticket.start_time.plus_seconds(self.population.request_timeout_seconds);
            if deadline <= self.now
                && let Some(number) = self.numbers.get(ticket.ticket_id.as_str())
            {
                self.measured.suspect(*number, TimeoutCause::Acceptance);
            }
        }
    }

    fn ended(&mut self, tickets: &[EventTicket], outcome: Outcome) {
        for ticket in tickets {
            self.leaves(ticket.ticket_id.as_str(), outcome);
        }
    }

    fn leaves(&mut self, id: &str, outcome: Outcome) {
        let number = match &self.recorded {
            Some(_) => self.numbers.get(id).copied(),
            None => self.numbers.remove(id),
        };
        if let Some(number) = number {
            self.measured.ended(number, self.now, outcome);
        }
    }

    /// Waits, fill, rules and step of a new match.
    fn measure(&mut self, found: &Match) {
        let ids: BTreeSet<&str> = found.players.iter().map(|player| player.ticket_id.as_str()).collect();
        let proposed = self.proposed.remove(&found.id).unwrap_or(self.now);
        let tickets = ids.iter().filter_map(|id| self.matchmaker.ticket(id));
        let ages = tickets.map(|ticket| proposed.since(ticket.start_time()));
        let age = match self.rules.algorithm().expansion_age_selection {
            ExpansionAgeSelection::Newest => ages.min(),
            ExpansionAgeSelection::Oldest => ages.max(),
        };
        let effective = self.rules.effective(age.unwrap_or_default().as_secs());
        let mut teams: Vec<Vec<&Player>> = vec![Vec::new(); effective.teams().len()];
        for player in &found.players {
            if let Some(team) = effective.team_index(player.team.as_str()) {
                teams[team].push(player.player());
            }
        }
        let view = MatchView { teams: &teams, complete: true };
        for outcome in effective.evaluate(&view, &self.matchmaker.settings().compat) {
            self.measured.rule(outcome.index, outcome.numbers);
        }
        self.measured.matched(effective.from_seconds(), found.players.len(), effective.max_players());
        for id in ids {
            if let Some(number) = self.numbers.get(id) {
                self.measured.placing(*number, proposed, self.now);
            }
        }
    }
}
