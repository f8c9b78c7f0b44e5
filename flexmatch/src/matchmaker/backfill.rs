//! StartMatchBackfill and StopMatchBackfill, and the backfill tickets the matchmaker makes itself.

use std::sync::Arc;

use super::{CancelError, FlexMatchMode, Matchmaker, SubmitError};
use crate::{
    player::Player,
    ticket::{
        BACKFILL_PLAYERS_MAX, Backfill, BackfillRequest, CancelReason, GameSession, Ticket, TicketId,
        TicketPlayer, TicketStatus,
    },
    timestamp::Timestamp,
};

impl Matchmaker {
    /// StartMatchBackfill: asks for players for a running game session. An older request for the same session is
    /// replaced.
    ///
    /// # Errors
    /// If the request is not valid, or an older ticket of the session or of a player is being placed.
    pub fn backfill(&mut self, now: Timestamp, request: BackfillRequest) -> Result<TicketId, SubmitError> {
        self.advance(now);
        let game_session_arn: Option<Arc<str>> = request.game_session_arn.map(Into::into);
        if game_session_arn.is_none() && self.settings.flex_match_mode == FlexMatchMode::WithQueue {
            return Err(SubmitError::NoGameSession);
        }
        let older = game_session_arn.as_ref().and_then(|session| self.sessions.get(session)).copied();
        let older_is_placing = older
            .and_then(|key| self.tickets.get(key))
            .is_some_and(|ticket| ticket.status() == TicketStatus::Placing);
        if older_is_placing {
            return Err(SubmitError::Placing);
        }
        let backfill = Backfill { game_session_arn, automatic: false };
        // Checked first, so that a refused request leaves the older one alone.
        let checked =
            self.check(request.ticket_id, request.players, BACKFILL_PLAYERS_MAX, Some(&backfill))?;
        if let Some(key) = older {
            self.cancel_key(key, CancelReason::Replaced);
        }
        self.enter(checked, Some(backfill))
    }

    /// StopMatchBackfill: as [`Matchmaker::cancel`], for backfill tickets of either kind.
    ///
    /// # Errors
    /// As [`Matchmaker::cancel`]; a ticket that is no backfill ticket counts as not found.
    pub fn stop_backfill(&mut self, now: Timestamp, id: &str) -> Result<(), CancelError> {
        match self.ticket(id) {
            Some(ticket) if ticket.backfill.is_some() => self.cancel(now, id),
            _ => Err(CancelError::NotFound(id.to_owned())),
        }
    }

    /// Everybody in a match, as a backfill ticket lists them.
    pub(super) fn roster(&self, keys: &[u32]) -> (Vec<TicketPlayer>, Arc<[Player]>) {
        let mut players = Vec::new();
        let mut party = Vec::new();
        for ticket in keys.iter().filter_map(|key| self.tickets.get(*key)) {
            for (player, data) in ticket.players.iter().zip(&*ticket.party) {
                let member = TicketPlayer {
                    id: player.id.clone(),
                    team: player.team.clone(),
                    accepted: None,
                    player_session_id: None,
                };
                let team = player.team.as_ref().map(|team| team.as_str().to_owned());
                players.push(member);
                party.push(Player { team, ..data.clone() });
            }
        }
        (players, party.into())
    }

    /// The ticket of `AUTOMATIC` mode, under the id that the session's MatchmakerData announced.
    pub(super) fn backfill_automatically(
        &mut self,
        id: TicketId,
        session: &GameSession,
        players: Vec<TicketPlayer>,
        party: Arc<[Player]>,
    ) {
        let game_session_arn = Some(Arc::from(session.game_session_arn.as_str()));
        let backfill = Backfill { game_session_arn, automatic: true };
        // A player who waits for another match already is not in this game session's future: leave the session be.
        let is_elsewhere = |player: &TicketPlayer| self.players.contains_key(&player.id);
        if players.len() <= BACKFILL_PLAYERS_MAX && !players.iter().any(is_elsewhere) {
            self.insert(id, players, party, Some(backfill));
        }
    }

    /// The active backfill ticket of a game session, whoever asked for it.
    pub fn backfill_of(&self, game_session_arn: &str) -> Option<&Ticket> {
        self.tickets.get(*self.sessions.get(game_session_arn)?)
    }

    /// Cancels the backfill of a game session that ended, if there is any.
    pub fn game_session_ended(&mut self, now: Timestamp, game_session_arn: &str) {
        self.advance(now);
        if let Some(key) = self.sessions.get(game_session_arn).copied()
            && self.tickets.get(key).map(Ticket::status) != Some(TicketStatus::Placing)
        {
            self.cancel_key(key, CancelReason::Requested);
        }
    }
}
