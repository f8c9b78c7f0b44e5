//! AcceptMatch, and the end of acceptances.

use thiserror::Error;

use super::Matchmaker;
use crate::{
    compat::{Rejecters, ReturnedAge},
    event::Acceptance,
    ticket::{CancelReason, FailReason, MatchId, PlayerId, Ticket, TicketState, TicketStatus},
    timestamp::Timestamp,
};

/// `AcceptanceType`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptanceType {
    /// `ACCEPT`
    Accept,
    /// `REJECT`
    Reject,
}

/// Why an answer does not count. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AcceptError {
    /// There is no such ticket, or it ended long ago.
    #[error("there is no ticket {0:?}")]
    NotFound(String),
    /// Nobody asked.
    #[error("the ticket is {}; players can only answer while it is REQUIRES_ACCEPTANCE", .0.as_str())]
    NotAsked(TicketStatus),
    /// The list of players is empty.
    #[error("PlayerIds is empty; name the players who answer")]
    NoPlayers,
    /// The player is not on the ticket.
    #[error("player {0:?} is not on the ticket")]
    NotOnTicket(String),
    /// The players of a backfill ticket play already.
    #[error("the ticket is a backfill ticket: only new players are asked")]
    Backfill,
}

impl Matchmaker {
    /// AcceptMatch: players of a ticket accept or reject the proposed match. One rejection ends it at once; the last
    /// acceptance sends it on. An answer can be changed until then.
    ///
    /// # Errors
    /// If there is no such ticket, it is not asked, or a player is not on it.
    pub fn accept(
        &mut self,
        now: Timestamp,
        ticket_id: &str,
        players: &[PlayerId],
        answer: AcceptanceType,
    ) -> Result<(), AcceptError> {
        self.advance(now);
        let not_found = || AcceptError::NotFound(ticket_id.to_owned());
        let key = self.tickets.key(ticket_id).ok_or_else(not_found)?;
        let ticket = self.tickets.get_mut(key).ok_or_else(not_found)?;
        let TicketState::RequiresAcceptance { match_id } = &ticket.state else {
            return Err(AcceptError::NotAsked(ticket.status()));
        };
        let match_id = match_id.clone();
        if ticket.backfill.is_some() {
            return Err(AcceptError::Backfill);
        }
        if players.is_empty() {
            return Err(AcceptError::NoPlayers);
        }
        if let Some(stranger) =
            players.iter().find(|id| ticket.players.iter().all(|player| player.id != **id))
        {
            return Err(AcceptError::NotOnTicket(stranger.as_str().to_owned()));
        }
        let accepted = answer == AcceptanceType::Accept;
        for player in ticket.players.iter_mut().filter(|player| players.contains(&player.id)) {
            player.accepted = Some(accepted);
        }
        self.tell_accept_match(&match_id);
        if accepted {
            if self.unanswered(&match_id).is_empty() {
                self.accepted(&match_id);
            }
        } else {
            self.drop_match(&match_id, Acceptance::Rejected, &[(key, self.refused(FailReason::Rejected))]);
        }
        Ok(())
    }

    fn refused(&self, why: FailReason) -> TicketState {
        match (self.settings.compat.rejecters, why) {
            (Rejecters::Fail, why) => TicketState::Failed { at: self.now, why },
            (Rejecters::Cancel, FailReason::NotAccepted) => {
                TicketState::Cancelled { at: self.now, why: CancelReason::NotAccepted }
            }
            (Rejecters::Cancel, _) => TicketState::Cancelled { at: self.now, why: CancelReason::Rejected },
        }
    }

    /// Tickets of a match with a player who is asked and has not accepted.
    fn unanswered(&self, id: &MatchId) -> Vec<u32> {
        let is_open = |ticket: &Ticket| {
            ticket.backfill.is_none() && ticket.players.iter().any(|player| player.accepted != Some(true))
        };
        let Some(proposal) = self.proposals.get(id) else { return Vec::new() };
        proposal.tickets.iter().copied().filter(|key| self.tickets.get(*key).is_some_and(is_open)).collect()
    }

    /// REQUIRES_ACCEPTANCE -> PLACING. A request timeout that passed meanwhile counts no more.
    fn accepted(&mut self, id: &MatchId) {
        self.tell_accept_match_completed(id, Acceptance::Accepted);
        if let Some(proposal) = self.proposals.get_mut(id) {
            proposal.is_accepting = false;
            for key in &proposal.tickets {
                if let Some(ticket) = self.tickets.get_mut(*key) {
                    ticket.state = TicketState::Placing { match_id: id.clone() };
                }
            }
        }
        self.trim_acceptances();
        self.place(id);
    }

    /// Ends every acceptance whose time is over.
    pub(super) fn end_acceptances(&mut self) {
        while let Some((_, id)) = self.acceptances.pop_over(self.now) {
            if self.is_accepting(&id) {
                let silent: Vec<_> = self
                    .unanswered(&id)
                    .into_iter()
                    .map(|key| (key, self.refused(FailReason::NotAccepted)))
                    .collect();
                self.drop_match(&id, Acceptance::TimedOut, &silent);
            }
        }
    }

    /// REQUIRES_ACCEPTANCE -> SEARCHING, except for the tickets that end.
    pub(super) fn drop_match(&mut self, id: &MatchId, acceptance: Acceptance, ending: &[(u32, TicketState)]) {
        self.tell_accept_match_completed(id, acceptance);
        let Some(proposal) = self.proposals.remove(id) else { return };
        self.trim_acceptances();
        for (key, state) in ending {
            self.end(*key, state.clone());
        }
        for key in proposal.tickets {
            if ending.iter().all(|(ended, _)| *ended != key) {
                self.return_to_pool(key, true);
                self.tell_searching(key);
            }
        }
    }

    /// Back to SEARCHING, with the age it has (but see [`ReturnedAge`]).
    pub(super) fn return_to_pool(&mut self, key: u32, returned: bool) {
        let Some(ticket) = self.tickets.get_mut(key) else { return };
        for player in &mut ticket.players {
            player.accepted = None;
            if ticket.backfill.is_none() {
                player.team = None;
            }
        }
        let deadline = ticket.start.plus_seconds(self.settings.request_timeout_seconds);
        if deadline <= self.now {
            self.deadlines.push_over(deadline, key);
        }
        self.start_searching(key, returned);
        // Whose time passed while they were away are not searched for again: the same match would be found at once, and
        // again each time its game session cannot be placed. The next tick ends them.
        if deadline >= self.now {
            match self.settings.compat.returned_age {
                ReturnedAge::Keep => self.search.resume(key),
                ReturnedAge::Restart => {
                    // Those who were there before it stay before it.
                    self.take_in();
                    self.search.restart(key, self.now);
                }
            }
        }
    }
}
