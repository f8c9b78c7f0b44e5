//! Matches on their way to game sessions.

use std::collections::BTreeMap;

use flexmatch::{event::EventTicket, matchmaker::Match, ticket::GameSession};

use super::{MatchmakerKey, Placing, flexmatch_time};
use crate::{
    ApiError, Timestamp,
    engine::{Engine, placement::PlacementRequest},
    model::*,
};

/// Anywhere fleets have no player gateway.
pub(super) const PLAYER_GATEWAY: &str = "DISABLED";

impl Engine {
    /// Gets a game session for a match: by the configuration's queue, or the one that the match fills.
    pub(super) fn place_match(&mut self, now: Timestamp, key: MatchmakerKey, found: Match) {
        let id = found.id.as_str().to_owned();
        if let Some(arn) = found.backfill.clone() {
            match self.fill_game_session(now, &arn, found) {
                Ok(session) => self.match_has_session(now, key, &id, session),
                Err(error) => {
                    tracing::warn!(%error, "a backfill match failed");
                    self.match_failed(now, key, &id);
                }
            }
            return;
        }
        let tickets = found.players.iter().map(|player| player.ticket_id.to_string()).collect();
        let placed = self.placement_of(key, found).and_then(|request| {
            // Before the placement starts, because it may end at once.
            self.matchmaking.placing.insert(id.clone(), Placing { matchmaker: key, tickets });
            self.place(now, request).map(|_| ())
        });
        if let Err(error) = placed {
            tracing::warn!(%error, "a match was refused by its queue");
            self.matchmaking.placing.remove(&id);
            self.match_failed(now, key, &id);
        }
    }

    fn placement_of(&self, key: MatchmakerKey, found: Match) -> Result<PlacementRequest, ApiError> {
        let running = self.matchmaking.matchmakers.get(&key).ok_or_else(super::ticket::gone)?;
        let model = self.configuration(&running.configuration)?.with_queue();
        let queue = model.game_session_queue_arns.first();
        let queue = queue.ok_or_else(|| ApiError::invalid("the configuration has no queue any more"))?;
        // What the rule set allows at most, so that a match with empty seats can be filled later.
        let seats = running.matchmaker.rules().effective(0).max_players();
        let players = u32::try_from(found.players.len()).unwrap_or(u32::MAX);
        let latencies = found.players.iter().flat_map(|player| {
            player.player().latency_ms().iter().map(|(location, milliseconds)| PlayerLatency {
                player_id: Some(player.player_id.to_string()),
                region_identifier: Some(location.clone()),
                latency_in_milliseconds: Some(f64::from(*milliseconds)),
            })
        });
        Ok(PlacementRequest {
            id: found.id.to_string(),
            queue: queue.clone(),
            slots: seats.max(players),
            name: None,
            game_properties: model.game_properties.clone(),
            game_session_data: model.game_session_data.clone(),
            latencies: latencies.collect(),
            players: found.players.iter().map(|player| (player.player_id.to_string(), None)).collect(),
            matchmaker_data: Some(found.matchmaker_data),
            priority_override: None,
        })
    }

    /// The placement of a match is over.
    pub(in crate::engine) fn match_placed(&mut self, now: Timestamp, placement: &GameSessionPlacement) {
        let id = &placement.placement_id;
        let Some(Placing { matchmaker: key, .. }) = self.matchmaking.placing.remove(id) else { return };
        match (placement.status, &placement.game_session_arn) {
            (GameSessionPlacementState::Fulfilled, Some(arn)) => {
                let placed = placement.placed_player_sessions.iter();
                let session = GameSession {
                    game_session_arn: arn.clone(),
                    ip_address: placement.ip_address.clone().unwrap_or_default(),
                    dns_name: placement.dns_name.clone(),
                    port: placement.port.unwrap_or_default(),
                    player_gateway_status: Some(PLAYER_GATEWAY.to_owned()),
                    player_sessions: placed
                        .map(|placed| (placed.player_id.clone(), placed.player_session_id.clone()))
                        .collect::<BTreeMap<_, _>>(),
                };
                self.match_has_session(now, key, id, session);
            }
            (GameSessionPlacementState::TimedOut, _) => {
                let matchmaker = self.matchmaking.matchmaker(key);
                let returned =
                    matchmaker.map(|matchmaker| matchmaker.placement_timed_out(flexmatch_time(now), id));
                self.reported(now, key, returned);
            }
            _ => self.match_failed(now, key, id),
        }
    }

    fn match_has_session(&mut self, now: Timestamp, key: MatchmakerKey, id: &str, session: GameSession) {
        let matchmaker = self.matchmaking.matchmaker(key);
        let arn = session.game_session_arn.clone();
        let done =
            matchmaker.map(|matchmaker| matchmaker.placement_succeeded(flexmatch_time(now), id, session));
        self.note_backfill(key, &arn);
        self.reported(now, key, done);
    }

    fn match_failed(&mut self, now: Timestamp, key: MatchmakerKey, id: &str) {
        let matchmaker = self.matchmaking.matchmaker(key);
        let failed = matchmaker.map(|matchmaker| matchmaker.placement_failed(flexmatch_time(now), id));
        self.reported(now, key, failed);
    }

    fn reported(
        &mut self,
        now: Timestamp,
        key: MatchmakerKey,
        result: Option<Result<(), flexmatch::matchmaker::PlacementError>>,
    ) {
        if let Some(Err(error)) = result {
            tracing::error!(%error, "a placement ended for a match that is not being placed");
        }
        self.settle(now, key);
    }

    /// Tickets of a match in a queue have timed out: nobody of them gets a slot. When all have, nobody waits for the game
    /// session any longer.
    pub(super) fn leave_match(&mut self, now: Timestamp, id: &str, gone: &[EventTicket]) {
        let Some(placing) = self.matchmaking.placing.get_mut(id) else { return };
        for ticket in gone {
            placing.tickets.remove(ticket.ticket_id.as_str());
        }
        if placing.tickets.is_empty() {
            self.cancel_placement(now, id);
        } else {
            let players = gone.iter().flat_map(|ticket| &ticket.players);
            self.leave_placement(id, players.map(|player| player.player_id.as_str()));
        }
    }
}
