//! StartMatchmaking and StopMatchmaking.

use std::sync::Arc;

use thiserror::Error;

use super::{Matchmaker, WAITING_TICKETS_MAX};
use crate::{
    player::{Player, PlayerError},
    ticket::{
        Backfill, CancelReason, IdError, MatchId, PlayerId, PlayerRequest, TICKET_PLAYERS_MAX, TeamName,
        Ticket, TicketId, TicketPlayer, TicketRequest, TicketState, TicketStatus,
    },
    timestamp::Timestamp,
};

/// Why a request is refused. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SubmitError {
    /// The number of players is wrong.
    #[error("the request has {given} players; it must have 1 to {max}")]
    PlayerCount {
        /// How many there are.
        given: usize,
        /// How many are allowed.
        max: usize,
    },
    /// An id is no id.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The ticket id is in use.
    #[error("a ticket with the id {0} exists already; choose another id, or none")]
    DuplicateTicket(String),
    /// A player is in the request twice.
    #[error("player {0:?} is in the request twice")]
    RepeatedPlayer(String),
    /// A player does not fit the rule set.
    #[error(transparent)]
    Player(#[from] PlayerError),
    /// A player in backfill has no team.
    #[error("player {0:?} has no Team; every player of a backfill request needs one")]
    NoTeam(String),
    /// A player's other ticket cannot be cancelled now. The text is the service's.
    #[error("Matchmaking ticket is in PLACING status and cannot be canceled.")]
    Placing,
    /// Backfill for a game session needs the session in `WITH_QUEUE` mode.
    #[error("GameSessionArn is missing; only a STANDALONE matchmaker backfills without one")]
    NoGameSession,
    /// The matchmaker holds as many tickets as it can.
    #[error("{WAITING_TICKETS_MAX} tickets are active; try again when some have ended")]
    Full,
}

/// Why a ticket is not cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CancelError {
    /// There is no such ticket, or it ended long ago.
    #[error("there is no ticket {0:?}")]
    NotFound(String),
    /// The ticket has ended.
    #[error("the ticket is {} already", .0.as_str())]
    Ended(TicketStatus),
    /// The match is being placed. The text is the service's.
    #[error("Matchmaking ticket is in PLACING status and cannot be canceled.")]
    Placing,
}

/// A request that has been found valid.
pub(super) struct Checked {
    id: TicketId,
    players: Vec<TicketPlayer>,
    party: Vec<Player>,
}

impl Matchmaker {
    /// StartMatchmaking: puts a ticket in line. Older active tickets of its players are cancelled.
    ///
    /// # Errors
    /// If the request is not valid, or a player's older ticket is being placed.
    pub fn submit(&mut self, now: Timestamp, request: TicketRequest) -> Result<TicketId, SubmitError> {
        self.advance(now);
        let checked = self.check(request.ticket_id, request.players, TICKET_PLAYERS_MAX, None)?;
        self.enter(checked, None)
    }

    /// Checks a request of either kind, without changing anything.
    pub(super) fn check(
        &mut self,
        id: Option<String>,
        players: Vec<PlayerRequest>,
        most: usize,
        backfill: Option<&Backfill>,
    ) -> Result<Checked, SubmitError> {
        if !(1..=most).contains(&players.len()) {
            return Err(SubmitError::PlayerCount { given: players.len(), max: most });
        }
        if self.tickets.active() >= WAITING_TICKETS_MAX {
            return Err(SubmitError::Full);
        }
        let id = match id {
            Some(id) => TicketId::new(&id)?,
            None => TicketId::from_uuid(self.random.uuid()),
        };
        if self.tickets.key(id.as_str()).is_some() {
            return Err(SubmitError::DuplicateTicket(id.as_str().to_owned()));
        }
        let mut checked = Checked {
            id,
            players: Vec::with_capacity(players.len()),
            party: Vec::with_capacity(players.len()),
        };
        for request in players {
            let player_id = PlayerId::new(&request.player_id)?;
            if checked.players.iter().any(|other| other.id == player_id) {
                return Err(SubmitError::RepeatedPlayer(request.player_id));
            }
            if backfill.is_some() && request.team.is_none() {
                return Err(SubmitError::NoTeam(request.player_id));
            }
            // Everybody in a game session counts as a party of one: nobody says how they came.
            let within = if backfill.is_some() { checked.players.len() as u64 } else { 0 };
            let player =
                self.rules.player(request.into(), self.next_party + within, &self.settings.compat)?;
            let team = backfill.and(player.team()).map(TeamName::new);
            checked.players.push(TicketPlayer {
                id: player_id,
                team,
                accepted: None,
                player_session_id: None,
            });
            checked.party.push(player);
        }
        let placing =
            checked.players.iter().filter_map(|player| self.players.get(&player.id)).any(|key| {
                self.tickets.get(*key).is_some_and(|ticket| ticket.status() == TicketStatus::Placing)
            });
        if placing { Err(SubmitError::Placing) } else { Ok(checked) }
    }

    /// Cancels older tickets of the same players and puts the ticket in line.
    pub(super) fn enter(
        &mut self,
        checked: Checked,
        backfill: Option<Backfill>,
    ) -> Result<TicketId, SubmitError> {
        self.next_party += checked.players.len() as u64;
        let mut older: Vec<u32> =
            checked.players.iter().filter_map(|player| self.players.get(&player.id)).copied().collect();
        older.dedup();
        for key in older {
            // Two players may have come with the same ticket.
            if self.tickets.get(key).is_some_and(|ticket| !ticket.status().is_final()) {
                self.cancel_key(key, CancelReason::DuplicatePlayer);
            }
        }
        let id = checked.id.clone();
        self.insert(checked.id, checked.players, checked.party.into(), backfill);
        Ok(id)
    }

    /// Puts a ticket in line.
    pub(super) fn insert(
        &mut self,
        id: TicketId,
        players: Vec<TicketPlayer>,
        party: Arc<[Player]>,
        backfill: Option<Backfill>,
    ) {
        let ids: Vec<PlayerId> = players.iter().map(|player| player.id.clone()).collect();
        let session = backfill.as_ref().and_then(|backfill| backfill.game_session_arn.clone());
        let ticket = Ticket { id, start: self.now, players, party, state: TicketState::Queued, backfill };
        let deadline = self.deadline_of(&ticket);
        let key = self.tickets.insert(ticket);
        for player in ids {
            self.players.insert(player, key);
        }
        if let Some(session) = session {
            self.sessions.insert(session, key);
        }
        self.deadlines.push(deadline, key);
        self.queued.push_back(key);
    }

    /// StopMatchmaking: cancels a ticket. A match that was being accepted falls through; its other tickets go back to
    /// the pool.
    ///
    /// # Errors
    /// If there is no such ticket, it has ended, or its match is being placed.
    pub fn cancel(&mut self, now: Timestamp, id: &str) -> Result<(), CancelError> {
        self.advance(now);
        let key = self.tickets.key(id).ok_or_else(|| CancelError::NotFound(id.to_owned()))?;
        match self.tickets.get(key).map(Ticket::status) {
            Some(TicketStatus::Placing) => Err(CancelError::Placing),
            Some(status) if status.is_final() => Err(CancelError::Ended(status)),
            _ => {
                self.cancel_key(key, CancelReason::Requested);
                Ok(())
            }
        }
    }

    /// The active ticket that a player waits, or is placed, with.
    pub fn ticket_of(&self, player: &str) -> Option<&Ticket> {
        self.tickets.get(*self.players.get(player)?)
    }

    /// Cancels the active ticket of a player who has a newer one with another matchmaker, as [`Matchmaker::submit`] does
    /// for a newer one with this: without an event. Nothing happens if there is none.
    ///
    /// # Errors
    /// [`CancelError::Placing`] if its match is being placed.
    pub fn cancel_duplicate(&mut self, now: Timestamp, player: &str) -> Result<(), CancelError> {
        self.advance(now);
        let Some(key) = self.players.get(player).copied() else { return Ok(()) };
        match self.tickets.get(key).map(Ticket::status) {
            Some(TicketStatus::Placing) => Err(CancelError::Placing),
            Some(status) if !status.is_final() => {
                self.cancel_key(key, CancelReason::DuplicatePlayer);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Cancels an active ticket that is not being placed.
    pub(super) fn cancel_key(&mut self, key: u32, why: CancelReason) {
        let in_match: Option<MatchId> = match self.tickets.get(key).map(Ticket::state) {
            Some(TicketState::RequiresAcceptance { match_id }) => Some(match_id.clone()),
            _ => None,
        };
        let state = TicketState::Cancelled { at: self.now, why };
        match in_match {
            Some(id) => self.drop_match(&id, crate::event::Acceptance::Rejected, &[(key, state)]),
            None => self.end(key, state),
        }
    }
}
