//! Matches on their way to a game session.

use std::sync::Arc;

use thiserror::Error;

use super::{BackfillMode, FlexMatchMode, Match, MatchedPlayer, Matchmaker, Output};
use crate::{
    matchmaker_data::{Attributes, MatchedData, MatchmakerData, TeamData},
    ticket::{FailReason, GameSession, MatchId, TicketId, TicketState},
    timestamp::Timestamp,
};

/// Why news of a placement are refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlacementError {
    /// No match with this id is being placed.
    #[error("no match {0:?} is being placed")]
    NotPlacing(String),
}

impl Matchmaker {
    /// Asks for a game session, or completes the match if it needs none.
    pub(super) fn place(&mut self, id: &MatchId) {
        if self.settings.flex_match_mode == FlexMatchMode::Standalone {
            self.complete(id, None);
            return;
        }
        let Some(proposal) = self.proposals.get(id) else { return };
        let keys = proposal.tickets.clone();
        let backfill = proposal.session.clone();
        let mut players: Vec<_> = keys
            .iter()
            .filter_map(|key| self.tickets.get(*key))
            .flat_map(|ticket| {
                ticket.players.iter().enumerate().filter_map(|(index, player)| {
                    Some(MatchedPlayer {
                        player_id: player.id.clone(),
                        ticket_id: ticket.id.clone(),
                        team: player.team.clone()?,
                        is_backfilled: ticket.backfill.is_some(),
                        party: ticket.party.clone(),
                        index,
                    })
                })
            })
            .collect();
        let team_index =
            |player: &MatchedPlayer| self.team_names.iter().position(|team| *team == player.team);
        players.sort_by_key(team_index);
        let is_automatic = self.settings.backfill_mode == BackfillMode::Automatic;
        let has_room = (players.len() as u64) < u64::from(self.rules.stages()[0].max_players());
        let auto_backfill = (is_automatic && has_room).then(|| TicketId::from_uuid(self.random.uuid()));
        let teams = self.team_names.iter().map(|name| TeamData {
            name,
            players: players
                .iter()
                .filter(|player| player.team == *name)
                .map(|player| MatchedData {
                    player_id: &player.player_id,
                    attributes: Attributes { order: &self.attribute_order, player: player.player() },
                })
                .collect(),
        });
        let data = MatchmakerData {
            match_id: id,
            matchmaking_configuration_arn: &self.settings.configuration_arn,
            teams: teams.filter(|team| !team.players.is_empty()).collect(),
            auto_backfill_mode: is_automatic.then_some("AUTOMATIC"),
            auto_backfill_ticket_id: auto_backfill.as_ref().map(TicketId::as_str),
        };
        let matchmaker_data = data.to_json();
        if let Some(proposal) = self.proposals.get_mut(id) {
            proposal.auto_backfill = auto_backfill;
        }
        self.outputs.push_back(Output::Place(Match { id: id.clone(), players, matchmaker_data, backfill }));
    }

    /// The match has its game session: PLACING -> COMPLETED. In `AUTOMATIC` mode a session with room gets its
    /// backfill ticket.
    ///
    /// # Errors
    /// If the match is not being placed (any more).
    pub fn placement_succeeded(
        &mut self,
        now: Timestamp,
        id: &str,
        game_session: GameSession,
    ) -> Result<(), PlacementError> {
        self.advance(now);
        let id = self.placing(id)?;
        self.complete(&id, Some(Arc::new(game_session)));
        Ok(())
    }

    /// The match gets no game session: PLACING -> FAILED.
    ///
    /// # Errors
    /// If the match is not being placed (any more).
    pub fn placement_failed(&mut self, now: Timestamp, id: &str) -> Result<(), PlacementError> {
        self.advance(now);
        let id = self.placing(id)?;
        let keys = self.proposals.get(&id).map(|proposal| proposal.tickets.clone()).unwrap_or_default();
        if !keys.is_empty() {
            self.tell_failed(&id, &keys, FailReason::Placement);
        }
        self.proposals.remove(&id);
        for key in keys {
            self.end_silently(key, TicketState::Failed { at: self.now, why: FailReason::Placement });
        }
        Ok(())
    }

    /// The placement timed out: PLACING -> SEARCHING, without an event, until the request itself times out (AWS staff
    /// on the GameLift forum).
    ///
    /// # Errors
    /// If the match is not being placed (any more).
    pub fn placement_timed_out(&mut self, now: Timestamp, id: &str) -> Result<(), PlacementError> {
        self.advance(now);
        let id = self.placing(id)?;
        if let Some(proposal) = self.proposals.remove(&id) {
            for key in proposal.tickets {
                self.return_to_pool(key, false);
            }
        }
        Ok(())
    }

    fn placing(&self, id: &str) -> Result<MatchId, PlacementError> {
        match self.proposals.get_key_value(id) {
            Some((id, proposal)) if !proposal.is_accepting => Ok(id.clone()),
            _ => Err(PlacementError::NotPlacing(id.to_owned())),
        }
    }

    fn complete(&mut self, id: &MatchId, game_session: Option<Arc<GameSession>>) {
        let Some(proposal) = self.proposals.remove(id) else { return };
        // All may have timed out while the match was being placed.
        if proposal.tickets.is_empty() {
            return;
        }
        for key in &proposal.tickets {
            let Some(ticket) = self.tickets.get_mut(*key) else { continue };
            for player in &mut ticket.players {
                player.player_session_id = game_session
                    .as_ref()
                    .and_then(|session| session.player_sessions.get(player.id.as_str()))
                    .map(|id| id.as_str().into());
            }
        }
        self.tell_succeeded(id, &proposal.tickets, game_session.as_deref());
        let auto_backfill = proposal.auto_backfill.zip(game_session.as_ref());
        let roster = auto_backfill.map(|(id, session)| (id, session.clone(), self.roster(&proposal.tickets)));
        for key in &proposal.tickets {
            let state = TicketState::Completed {
                match_id: id.clone(),
                at: self.now,
                game_session: game_session.clone(),
            };
            self.end_silently(*key, state);
        }
        if let Some((id, session, (players, party))) = roster {
            self.backfill_automatically(id, &session, players, party);
        }
    }

    /// Ends a ticket of a match that is done; the match's event tells of it.
    fn end_silently(&mut self, key: u32, state: TicketState) {
        let Some(ticket) = self.tickets.get_mut(key) else { return };
        ticket.state = state;
        self.search.remove(key);
        self.release_players(key);
        self.retire(key);
    }
}
