//! Players for game sessions that are running.

use std::collections::BTreeMap;

use flexmatch::{
    BackfillRequest, TicketStatus,
    matchmaker::{CancelError, Match},
    ticket::{BACKFILL_PLAYERS_MAX, GameSession},
};
use gamelift_wire::{
    attribute_value::AttributeValue as WireAttribute,
    ids::GameSessionId,
    model::{self as wire, UpdateReason},
    pushes::{Push, UpdateGameSession},
    requests::BackfillPlayer,
};

use super::{
    MatchmakerKey, flexmatch_time,
    placement::PLAYER_GATEWAY,
    ticket::{gone, player_requests, refused},
};
use crate::{
    ApiError, Timestamp,
    engine::Engine,
    model::{self, *},
};

impl Engine {
    /// Asks for players for a running game session. An older ticket for the same game session is cancelled.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, a used id, players without a team, or a game session that matchmaking did not
    /// make or that is not ACTIVE; NotFound for an unknown configuration or game session.
    pub fn start_match_backfill(
        &mut self,
        now: Timestamp,
        input: StartMatchBackfillInput,
    ) -> Result<MatchmakingTicketOutput, ApiError> {
        check::check(&input)?;
        let id = self.backfill(now, input)?;
        self.ticket_output(now, &id)
    }

    /// StartMatchBackfill of either kind. Returns the ticket's id.
    pub(in crate::engine) fn backfill(
        &mut self,
        now: Timestamp,
        input: StartMatchBackfillInput,
    ) -> Result<String, ApiError> {
        let ticket_id = self.new_ticket_id(input.ticket_id)?;
        let name =
            rule::MATCHMAKING_CONFIGURATION_NAME.required("configurationName", &input.configuration_name)?;
        let arn = rule::ARN.optional("gameSessionArn", &input.game_session_arn)?;
        let players = rule::required("players", &input.players)?;
        let players = player_requests(players, BACKFILL_PLAYERS_MAX)?;
        let configuration = self.configuration(name)?;
        let (key, mode) = (configuration.current, configuration.model.flex_match_mode);
        let game_session_arn = match (mode, arn) {
            // A matchmaker without game sessions only compares them.
            (FlexMatchMode::Standalone, arn) => arn.map(str::to_owned),
            (FlexMatchMode::WithQueue, None) => {
                rule::required("gameSessionArn", &input.game_session_arn)?;
                None
            }
            (FlexMatchMode::WithQueue, Some(arn)) => {
                let model = &self.game_session(arn)?.1.model;
                if model.matchmaker_data.is_none() || model.status != GameSessionStatus::Active {
                    return Err(ApiError::invalid(format!(
                        "Game session {arn} is not an ACTIVE one that matchmaking has made; only those can be filled"
                    )));
                }
                Some(model.game_session_id.clone())
            }
        };
        let elsewhere = self.tickets_elsewhere(key, &players)?;
        let Some(running) = self.matchmaking.matchmakers.get_mut(&key) else { return Err(gone()) };
        let request = BackfillRequest { ticket_id, game_session_arn: game_session_arn.clone(), players };
        let submitted = running.matchmaker.backfill(flexmatch_time(now), request);
        if let (Ok(id), Some(arn)) = (&submitted, &game_session_arn) {
            running.backfills.insert(id.to_string(), arn.clone());
        }
        if submitted.is_ok() {
            if let Some(arn) = &game_session_arn {
                self.cancel_backfills(now, arn, Some(key));
            }
            self.cancel_duplicates(now, elsewhere);
        }
        self.settle(now, key);
        Ok(submitted.map_err(refused)?.to_string())
    }

    /// StopMatchBackfill of a server process, for the game session it hosts.
    pub(in crate::engine) fn stop_backfill(
        &mut self,
        now: Timestamp,
        configuration: &str,
        ticket_id: &str,
        hosted: &str,
    ) -> Result<(), ApiError> {
        let name = self.configuration(configuration)?.model.name.clone();
        let unknown = || {
            ApiError::not_found(format!(
                "Matchmaking configuration {name} has no backfill ticket {ticket_id} for this game session"
            ))
        };
        let key = self.matchmaker_of(ticket_id).map_err(|_| unknown())?;
        let Some(running) = self.matchmaking.matchmakers.get_mut(&key) else { return Err(gone()) };
        let ticket = running.matchmaker.ticket(ticket_id).filter(|_| running.configuration == name);
        let session = ticket.and_then(|ticket| ticket.backfill()?.game_session_arn.as_deref());
        if session != Some(hosted) {
            return Err(unknown());
        }
        let stopped = running.matchmaker.stop_backfill(flexmatch_time(now), ticket_id);
        self.settle(now, key);
        stopped.map_err(|error| match error {
            CancelError::NotFound(_) => unknown(),
            error => ApiError::invalid(format!("Matchmaking ticket {ticket_id}: {error}")),
        })
    }

    /// The game session is over, or another matchmaker fills it: nobody is needed there any more.
    pub(in crate::engine) fn cancel_backfills(
        &mut self,
        now: Timestamp,
        arn: &str,
        except: Option<MatchmakerKey>,
    ) {
        let matchmakers = self.matchmaking.matchmakers.iter().filter(|(key, _)| Some(**key) != except);
        let filling = matchmakers.filter(|(_, running)| running.backfills.values().any(|of| of == arn));
        let keys: Vec<_> = filling.map(|(key, _)| *key).collect();
        for key in keys {
            if let Some(matchmaker) = self.matchmaking.matchmaker(key) {
                matchmaker.game_session_ended(flexmatch_time(now), arn);
            }
            self.settle(now, key);
        }
    }

    /// Gives the new players of a match slots in the game session, and tells the process who they are.
    pub(super) fn fill_game_session(
        &mut self,
        now: Timestamp,
        arn: &str,
        found: Match,
    ) -> Result<GameSession, ApiError> {
        let newcomers: Vec<_> = found.players.iter().filter(|player| !player.is_backfilled).collect();
        let session = self.open_game_session(arn, newcomers.len())?;
        for player in newcomers {
            self.reserve(now, session, player.player_id.as_str(), None)?;
        }
        let Some(entry) = self.game_sessions.get_mut(session) else { return Err(gone()) };
        entry.model.matchmaker_data = Some(found.matchmaker_data);
        let slots = entry.live_players.iter().filter_map(|key| self.player_sessions.get(*key));
        let player_sessions: BTreeMap<_, _> =
            slots.map(|slot| (slot.model.player_id.clone(), slot.model.player_session_id.clone())).collect();
        let filled = GameSession {
            game_session_arn: entry.model.game_session_id.clone(),
            ip_address: entry.model.ip_address.clone().unwrap_or_default(),
            dns_name: entry.model.dns_name.clone(),
            port: entry.model.port,
            player_gateway_status: Some(PLAYER_GATEWAY.to_owned()),
            player_sessions,
        };
        let ticket = found.players.iter().find(|player| player.is_backfilled);
        let ticket = ticket.map(|player| player.ticket_id.to_string());
        self.push_update(arn, UpdateReason::MatchmakingDataUpdated, ticket);
        Ok(filled)
    }

    fn push_update(&mut self, arn: &str, reason: UpdateReason, ticket: Option<String>) {
        let Ok((_, session)) = self.game_session(arn) else { return };
        let Some(process) = session.process else { return };
        let update = UpdateGameSession {
            update_reason: Some(reason),
            backfill_ticket_id: ticket,
            game_session: game_session_on_the_wire(&session.model),
        };
        self.push(process, &Push::UpdateGameSession(update));
    }

    /// Remembers the backfill ticket that the matchmaker has made itself for a game session, if it has. A game session may
    /// end before the ticket is searched for.
    pub(super) fn note_backfill(&mut self, key: MatchmakerKey, arn: &str) {
        let Some(running) = self.matchmaking.matchmakers.get_mut(&key) else { return };
        if let Some(ticket) = running.matchmaker.backfill_of(arn) {
            running.backfills.insert(ticket.id().to_string(), arn.to_owned());
        }
    }

    /// Tells server processes that their backfill tickets have ended without players. A cancellation because of a
    /// player's newer ticket has no event, so the tickets are asked themselves.
    pub(super) fn tell_ended_backfills(&mut self, key: MatchmakerKey) {
        let Some(running) = self.matchmaking.matchmakers.get_mut(&key) else { return };
        let mut ended = Vec::new();
        let matchmaker = &running.matchmaker;
        running.backfills.retain(|id, arn| {
            let status = matchmaker.ticket(id).map(flexmatch::Ticket::status);
            let live = status.is_some_and(|status| !status.is_final());
            if !live {
                ended.push((id.clone(), arn.clone(), status));
            }
            live
        });
        for (id, arn, status) in ended {
            let reason = match status {
                Some(TicketStatus::Cancelled) => UpdateReason::BackfillCancelled,
                Some(TicketStatus::TimedOut) => UpdateReason::BackfillTimedOut,
                Some(TicketStatus::Failed) => UpdateReason::BackfillFailed,
                // COMPLETED, which the process has heard of.
                _ => continue,
            };
            self.push_update(&arn, reason, Some(id));
        }
    }
}

/// A player of a server process's request, as the API has players.
pub(in crate::engine) fn backfill_player(player: BackfillPlayer) -> Player {
    let attributes = player.player_attributes.into_iter();
    let attributes: BTreeMap<_, _> =
        attributes.filter_map(|(name, value)| Some((name, attribute(value)?))).collect();
    model::Player {
        player_id: Some(player.player_id),
        player_attributes: Some(attributes),
        team: player.team,
        latency_in_ms: Some(player.latency_in_ms),
    }
}

/// `None` for an attribute that is named and has no value.
fn attribute(value: WireAttribute) -> Option<AttributeValue> {
    match value {
        WireAttribute::String(text) => Some(AttributeValue { s: Some(text), ..Default::default() }),
        WireAttribute::Double(number) => Some(AttributeValue { n: Some(number), ..Default::default() }),
        WireAttribute::StringList(texts) => Some(AttributeValue { sl: Some(texts), ..Default::default() }),
        WireAttribute::StringDoubleMap(numbers) => {
            Some(AttributeValue { sdm: Some(numbers), ..Default::default() })
        }
        _ => None,
    }
}

pub(in crate::engine) fn game_session_on_the_wire(session: &model::GameSession) -> wire::GameSession {
    let mut wire = wire::GameSession::default();
    wire.game_session_id = GameSessionId::new_unchecked(session.game_session_id.as_str());
    wire.name = session.name.clone();
    wire.fleet_id = Some(session.fleet_id.clone());
    wire.maximum_player_session_count = Some(session.maximum_player_session_count);
    wire.status = Some(wire::GameSessionStatus::from(session.status.as_str()));
    wire.ip_address = session.ip_address.clone();
    wire.port = Some(session.port);
    wire.dns_name = session.dns_name.clone();
    wire.game_session_data = session.game_session_data.clone();
    wire.matchmaker_data = session.matchmaker_data.clone();
    let properties = session.game_properties.iter();
    wire.game_properties = properties.map(|pair| (pair.key.clone(), pair.value.clone())).collect();
    wire.location = Some(session.location.clone());
    wire
}
