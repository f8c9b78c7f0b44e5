//! The loop: arrivals, answers and placements meet the matchmaker in virtual time.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use super::{
    population::{Population, PopulationError},
    report::{Measured, Report, Wait},
};
use crate::{
    event::MatchmakingEvent,
    expansion::MatchView,
    matchmaker::{AcceptanceType, FlexMatchMode, Matchmaker, Output, Settings},
    player::Player,
    random::Random,
    rule::Numbers,
    rule_set::{ExpansionAgeSelection, RuleSet},
    ticket::{GameSession, MatchId, PlayerId, TicketId, TicketRequest, TicketStatus},
    timestamp::Timestamp,
};

/// Timeouts that are explained. Each costs a search; more would change no percentage that anybody reads.
const EXPLAINED_MAX: usize = 500;

/// Runs a population to its end: every ticket matched, timed out or cancelled.
///
/// `progress` is told the share that is done, about a thousand times.
///
/// # Errors
/// If the population makes no sense for this rule set.
pub fn simulate(
    rules: Arc<RuleSet>,
    population: &Population,
    progress: &mut dyn FnMut(f64),
) -> Result<Report, PopulationError> {
    let mut simulation = Simulation::new(rules, population)?;
    let mut told = 0.0;
    while simulation.step() {
        let done = simulation.done();
        if done - told >= 0.001 {
            told = done;
            progress(done);
        }
    }
    progress(1.0);
    Ok(simulation.into_report())
}

/// A simulation, moment by moment.
#[derive(Debug)]
pub struct Simulation {
    rules: Arc<RuleSet>,
    population: Population,
    random: Random,
    matchmaker: Matchmaker,
    now: Timestamp,
    next_arrival: Option<Timestamp>,
    number: u64,
    answers: VecDeque<Answer>,
    placements: VecDeque<(Timestamp, MatchId)>,
    /// Tickets by the moment they would time out, to ask for the reason just before.
    deadlines: VecDeque<(Timestamp, String)>,
    homes: BTreeMap<String, String>,
    explained: usize,
    measured: Measured,
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
    pub fn new(rules: Arc<RuleSet>, population: &Population) -> Result<Self, PopulationError> {
        population.check(&rules)?;
        let settings = Settings {
            request_timeout_seconds: population.request_timeout_seconds,
            acceptance_required: population.acceptance_required,
            acceptance_timeout_seconds: population.acceptance_timeout_seconds,
            flex_match_mode: FlexMatchMode::WithQueue,
            seed: population.seed,
            ..Settings::default()
        };
        let matchmaker = Matchmaker::new(rules.clone(), settings).map_err(|_| PopulationError::Field {
            field: "requestTimeoutSeconds or acceptanceTimeoutSeconds".to_owned(),
            value: population.request_timeout_seconds as f64,
            expected: "they must be 1 to 43,200 and 1 to 600",
        })?;
        let mut random = Random::new(population.seed);
        let next_arrival = Some(Timestamp::from_millis(population.pause_millis(&mut random)));
        Ok(Self {
            measured: Measured::new(&rules),
            rules,
            population: population.clone(),
            random,
            matchmaker,
            now: Timestamp::default(),
            next_arrival,
            number: 0,
            answers: VecDeque::new(),
            placements: VecDeque::new(),
            deadlines: VecDeque::new(),
            homes: BTreeMap::new(),
            explained: 0,
        })
    }

    /// The share that is done, by the arrivals.
    pub fn done(&self) -> f64 {
        let end = self.population.duration_seconds.max(1) as f64 * 1_000.0;
        (self.now.as_millis() as f64 / end).min(1.0)
    }

    /// Goes to the next moment at which anything happens. Whether there is one.
    pub fn step(&mut self) -> bool {
        let next = [
            self.next_arrival,
            self.matchmaker.poll_timeout(),
            self.answers.front().map(|answer| answer.at),
            self.placements.front().map(|(at, _)| *at),
        ];
        let Some(next) = next.into_iter().flatten().min() else { return false };
        self.now = self.now.max(next);
        while self.next_arrival.is_some_and(|at| at <= self.now) {
            self.arrive();
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
        self.measured.report(&self.rules)
    }

    fn arrive(&mut self) {
        self.number += 1;
        let size = self.population.party_size(&mut self.random);
        let home = self.population.home(&mut self.random);
        let name = home.map_or("-", |(name, _)| name).to_owned();
        let home = home.map(|(_, home)| home.clone());
        let players = (0..size).map(|member| {
            let id = format!("p{}-{member}", self.number);
            self.population.player(id, home.as_ref(), &self.rules, &mut self.random)
        });
        let players = players.collect();
        let id = format!("t{}", self.number);
        let request = TicketRequest { ticket_id: Some(id.clone()), players };
        if self.matchmaker.submit(self.now, request).is_ok() {
            self.measured.started(size);
            self.deadlines
                .push_back((self.now.plus_seconds(self.population.request_timeout_seconds), id.clone()));
            self.homes.insert(id, name);
        } else {
            self.measured.refused += 1;
        }
        let next =
            Timestamp::from_millis(self.now.as_millis() + self.population.pause_millis(&mut self.random));
        self.next_arrival =
            (next < Timestamp::default().plus_seconds(self.population.duration_seconds)).then_some(next);
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
        while let Some((_, id)) = self.deadlines.pop_front_if(|(at, _)| *at <= self.now) {
            let waits =
                self.matchmaker.ticket(&id).is_some_and(|ticket| ticket.status() == TicketStatus::Searching);
            if waits && self.explained < EXPLAINED_MAX {
                self.explained += 1;
                if let Some(explanation) = self.matchmaker.explain(self.now, &id) {
                    self.measured.suspect(id, explanation.cause());
                }
            }
        }
    }

    fn hear(&mut self, output: Output) {
        match output {
            Output::Place(found) => {
                self.measure(&found);
                self.placements
                    .push_back((self.now.plus_seconds(self.population.placement_seconds), found.id));
            }
            Output::Event(MatchmakingEvent::PotentialMatchCreated(event)) if event.acceptance_required => {
                let at = self.now.plus_seconds(self.population.answer_seconds);
                for ticket in event.tickets {
                    let mut answers = Vec::new();
                    for player in ticket.players {
                        let drawn = self.random.unit();
                        if drawn < self.population.accept {
                            answers.push((player.player_id, AcceptanceType::Accept));
                        } else if drawn < self.population.accept + self.population.reject {
                            answers.push((player.player_id, AcceptanceType::Reject));
                        }
                    }
                    self.answers.push_back(Answer { at, ticket: ticket.ticket_id, players: answers });
                }
            }
            Output::Event(MatchmakingEvent::Succeeded(event)) => {
                for ticket in event.tickets {
                    self.measured.succeeded(ticket.ticket_id.as_str());
                }
            }
            Output::Event(MatchmakingEvent::TimedOut(event)) => {
                for ticket in event.tickets {
                    self.homes.remove(ticket.ticket_id.as_str());
                    self.measured.timed_out(ticket.ticket_id.as_str());
                }
            }
            Output::Event(MatchmakingEvent::Cancelled(event)) => {
                for ticket in event.tickets {
                    self.homes.remove(ticket.ticket_id.as_str());
                    self.measured.cancelled += 1;
                }
            }
            Output::Event(_) => {}
        }
    }

    /// Waits, fill, rules and step of a new match.
    fn measure(&mut self, found: &crate::matchmaker::Match) {
        let ids: BTreeSet<&str> = found.players.iter().map(|player| player.ticket_id.as_str()).collect();
        let tickets: Vec<_> = ids.iter().filter_map(|id| self.matchmaker.ticket(id)).collect();
        let ages = tickets.iter().map(|ticket| self.now.since(ticket.start_time()));
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
            if let Some(value) = measured(outcome.numbers) {
                self.measured.rules[outcome.index].push(value);
            }
        }
        self.measured.matched(effective.from_seconds(), found.players.len(), effective.max_players());
        for ticket in tickets {
            let seconds = self.now.since(ticket.start_time()).as_secs_f64();
            let home = self.homes.remove(ticket.id().as_str()).unwrap_or_else(|| "-".to_owned());
            let first = ticket.party().first();
            let skill = first.and_then(|player| player.number(self.measured.skill?));
            let wait = Wait { seconds, party: ticket.party().len(), home, skill };
            self.measured.waited(ticket.id().as_str().to_owned(), wait);
        }
    }
}

/// The number of a rule that says how good a match is: a distance, a spread, a count, a latency.
fn measured(numbers: Numbers<'_>) -> Option<f64> {
    match numbers {
        Numbers::Number { measured, .. } => Some(measured),
        Numbers::Distance { measured, reference, .. } => Some((measured - reference).abs()),
        Numbers::Count { count, .. } => Some(f64::from(count)),
        Numbers::Latency { worst_ms, .. } => Some(worst_ms),
        Numbers::Spread { min, max, .. } => Some(max - min),
        _ => None,
    }
}
