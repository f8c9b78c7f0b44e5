//! Tickets: StartMatchmaking and what can be done with its result.

use std::collections::BTreeMap;

use flexmatch::{
    PlayerRequest, RuleSet, Ticket, TicketRequest, TicketStatus,
    matchmaker::{AcceptError, AcceptanceType, CancelError, SubmitError},
    player::PLAYER_ATTRIBUTES_MAX,
    ticket::{PlayerId, TICKET_PLAYERS_MAX, TicketState},
};

use super::{MatchmakerKey, flexmatch_time};
use crate::{
    ApiError, ErrorKind, Timestamp,
    engine::Engine,
    model::{self, *},
};

/// AWS API reference, DescribeMatchmaking.
const TICKETS_PER_REQUEST_MAX: usize = 10;

impl Engine {
    /// Asks for a match. Older tickets of the same players are cancelled, whatever their configuration.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, a used id, attributes that do not fit the rule set, or a player whose older ticket
    /// is being placed; NotFound for an unknown configuration; Throttling while a million tickets wait.
    pub fn start_matchmaking(
        &mut self,
        now: Timestamp,
        input: StartMatchmakingInput,
    ) -> Result<MatchmakingTicketOutput, ApiError> {
        check::check(&input)?;
        let ticket_id = self.new_ticket_id(input.ticket_id)?;
        let name =
            rule::MATCHMAKING_CONFIGURATION_NAME.required("configurationName", &input.configuration_name)?;
        let players = rule::required("players", &input.players)?;
        let players = player_requests(players, TICKET_PLAYERS_MAX)?;
        let key = self.configuration(name)?.current;
        let elsewhere = self.tickets_elsewhere(key, &players)?;
        let Some(matchmaker) = self.matchmaking.matchmaker(key) else { return Err(gone()) };
        let submitted = matchmaker.submit(flexmatch_time(now), TicketRequest { ticket_id, players });
        if submitted.is_ok() {
            self.cancel_duplicates(now, elsewhere);
        }
        self.settle(now, key);
        self.ticket_output(now, submitted.map_err(refused)?.as_str())
    }

    /// Players of a new ticket who have an active one with another matchmaker: of another configuration, or from before an
    /// update of the same one.
    ///
    /// # Errors
    /// InvalidRequest if such a ticket is being placed.
    pub(super) fn tickets_elsewhere(
        &self,
        key: MatchmakerKey,
        players: &[PlayerRequest],
    ) -> Result<Vec<(MatchmakerKey, String)>, ApiError> {
        let mut found = Vec::new();
        for (other, running) in self.matchmaking.matchmakers.iter().filter(|(other, _)| **other != key) {
            for player in players {
                let Some(ticket) = running.matchmaker.ticket_of(&player.player_id) else { continue };
                if ticket.status() == TicketStatus::Placing {
                    return Err(refused(SubmitError::Placing));
                }
                found.push((*other, player.player_id.clone()));
            }
        }
        Ok(found)
    }

    /// Cancels what [`Engine::tickets_elsewhere`] has found.
    pub(super) fn cancel_duplicates(&mut self, now: Timestamp, found: Vec<(MatchmakerKey, String)>) {
        for (key, player) in found {
            if let Some(matchmaker) = self.matchmaking.matchmaker(key)
                && let Err(error) = matchmaker.cancel_duplicate(flexmatch_time(now), &player)
            {
                tracing::error!(%error, "a ticket began to be placed while it was looked at");
            }
            self.settle(now, key);
        }
    }

    /// Describes tickets.
    ///
    /// # Errors
    /// InvalidRequest for no ids, more than 10, or a bad one. Unknown tickets are left out.
    pub fn describe_matchmaking(
        &mut self,
        now: Timestamp,
        input: DescribeMatchmakingInput,
    ) -> Result<DescribeMatchmakingOutput, ApiError> {
        check::check(&input)?;
        let ids = rule::required("ticketIds", &input.ticket_ids)?;
        rule::size("ticketIds", ids, 1..=TICKETS_PER_REQUEST_MAX)?;
        ids.iter().try_for_each(|id| rule::MATCHMAKING_ID.check("ticketIds", id))?;
        let ticket_list = ids.iter().filter_map(|id| self.ticket_model(now, id)).collect();
        Ok(DescribeMatchmakingOutput { ticket_list })
    }

    /// Cancels a ticket of either kind.
    ///
    /// # Errors
    /// InvalidRequest for a bad id, and for a ticket that is being placed or has ended; NotFound for an unknown one.
    pub fn stop_matchmaking(
        &mut self,
        now: Timestamp,
        input: StopMatchmakingInput,
    ) -> Result<Empty, ApiError> {
        check::check(&input)?;
        let id = rule::MATCHMAKING_ID.required("ticketId", &input.ticket_id)?;
        let key = self.matchmaker_of(id)?;
        let Some(matchmaker) = self.matchmaking.matchmaker(key) else { return Err(gone()) };
        let cancelled = matchmaker.cancel(flexmatch_time(now), id);
        self.settle(now, key);
        match cancelled {
            Ok(()) => Ok(Empty {}),
            Err(CancelError::NotFound(id)) => Err(unknown(&id)),
            Err(CancelError::Placing) => Err(ApiError::invalid(CancelError::Placing.to_string())),
            Err(CancelError::Ended(status)) => {
                let message = format!("Matchmaking ticket {id} is {} already", status.as_str());
                Err(ApiError::invalid(message))
            }
        }
    }

    /// Players accept or reject a match.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, a ticket that is not REQUIRES_ACCEPTANCE, or a player who is not on it; NotFound
    /// for an unknown ticket.
    pub fn accept_match(&mut self, now: Timestamp, input: AcceptMatchInput) -> Result<Empty, ApiError> {
        check::check(&input)?;
        const TYPES: &[&str] = &["ACCEPT", "REJECT"];
        let id = rule::MATCHMAKING_ID.required("ticketId", &input.ticket_id)?;
        let players = rule::required("playerIds", &input.player_ids)?;
        rule::size("playerIds", players, 1..=TICKET_PLAYERS_MAX)?;
        let players = players
            .iter()
            .map(|player| PlayerId::new(player).map_err(|error| ApiError::invalid(error.to_string())))
            .collect::<Result<Vec<_>, _>>()?;
        let answer = rule::required("acceptanceType", &input.acceptance_type)?;
        let answer = rule::one_of("acceptanceType", answer, TYPES, |answer| match answer {
            "ACCEPT" => Some(AcceptanceType::Accept),
            "REJECT" => Some(AcceptanceType::Reject),
            _ => None,
        })?;
        let key = self.matchmaker_of(id)?;
        let Some(matchmaker) = self.matchmaking.matchmaker(key) else { return Err(gone()) };
        let accepted = matchmaker.accept(flexmatch_time(now), id, &players, answer);
        self.settle(now, key);
        accepted.map(|()| Empty {}).map_err(|error| match error {
            AcceptError::NotFound(id) => unknown(&id),
            error => ApiError::invalid(format!("Matchmaking ticket {id}: {error}")),
        })
    }

    /// Checks the id of a ticket that is yet to be, in all configurations.
    pub(super) fn new_ticket_id(&self, id: Option<String>) -> Result<Option<String>, ApiError> {
        let taken = rule::MATCHMAKING_ID.optional("ticketId", &id)?;
        match taken.and_then(|id| self.matchmaking.ticket(id)) {
            Some((_, ticket)) => {
                Err(ApiError::invalid(format!("TicketId {} has been used before", ticket.id())))
            }
            None => Ok(id),
        }
    }

    pub(super) fn matchmaker_of(&self, ticket_id: &str) -> Result<MatchmakerKey, ApiError> {
        self.matchmaking.ticket(ticket_id).map(|(key, _)| key).ok_or_else(|| unknown(ticket_id))
    }

    pub(super) fn ticket_output(
        &self,
        now: Timestamp,
        id: &str,
    ) -> Result<MatchmakingTicketOutput, ApiError> {
        let matchmaking_ticket = self.ticket_model(now, id).ok_or_else(gone)?;
        Ok(MatchmakingTicketOutput { matchmaking_ticket })
    }

    /// What the API shows of a ticket.
    fn ticket_model(&self, now: Timestamp, id: &str) -> Option<MatchmakingTicket> {
        let (key, ticket) = self.matchmaking.ticket(id)?;
        let running = self.matchmaking.matchmakers.get(&key)?;
        let configuration = &self.matchmaking.configurations.get(&running.configuration)?.model;
        let status = ticket.status();
        let time = |time: flexmatch::Timestamp| Timestamp::from_millis(time.as_millis());
        Some(MatchmakingTicket {
            ticket_id: ticket.id().to_string(),
            configuration_name: configuration.name.clone(),
            configuration_arn: configuration.configuration_arn.clone(),
            status: MatchmakingTicketStatus::parse(status.as_str())?,
            start_time: time(ticket.start_time()),
            players: players(ticket, running.matchmaker.rules()),
            status_reason: ticket.status_reason().map(str::to_owned),
            status_message: ticket.status_message().map(str::to_owned),
            end_time: ticket.end_time().map(time),
            game_session_connection_info: connection_info(ticket),
            estimated_wait_time: running.estimated_wait_s(now).filter(|_| !status.is_final()),
        })
    }
}

fn unknown(ticket_id: &str) -> ApiError {
    ApiError::not_found(format!("Matchmaking ticket {ticket_id} not found"))
}

pub(super) fn gone() -> ApiError {
    ApiError::new(ErrorKind::InternalService, "the matchmaker or its ticket is gone")
}

pub(super) fn refused(error: SubmitError) -> ApiError {
    match error {
        SubmitError::Full => ApiError::new(ErrorKind::Throttling, format!("Rate exceeded: {error}")),
        error => ApiError::invalid(error.to_string()),
    }
}

/// Checks players by the rules of the API; the matchmaker checks them by those of its rule set.
pub(super) fn player_requests(players: &[Player], most: usize) -> Result<Vec<PlayerRequest>, ApiError> {
    rule::size("players", players, 1..=most)?;
    players.iter().map(player_request).collect()
}

fn player_request(player: &Player) -> Result<PlayerRequest, ApiError> {
    let player_id = rule::PLAYER_ID.required("players.playerId", &player.player_id)?.to_owned();
    rule::NON_ZERO_AND_MAX.optional("players.team", &player.team)?;
    let mut player_attributes = BTreeMap::new();
    for (name, value) in player.player_attributes.iter().flatten() {
        rule::NON_ZERO_AND_MAX.check("players.playerAttributes", name)?;
        player_attributes.insert(name.clone(), attribute(name, value)?);
    }
    if player_attributes.len() > PLAYER_ATTRIBUTES_MAX {
        return Err(ApiError::invalid(format!(
            "A player has {} attributes; at most {PLAYER_ATTRIBUTES_MAX} are allowed",
            player_attributes.len()
        )));
    }
    let mut latency_in_ms = BTreeMap::new();
    for (location, latency) in player.latency_in_ms.iter().flatten() {
        rule::NON_EMPTY.check("players.latencyInMs", location)?;
        rule::range("players.latencyInMs", Some(*latency), 1..=i64::from(i32::MAX))?;
        latency_in_ms.insert(location.clone(), u32::try_from(*latency).unwrap_or(u32::MAX));
    }
    Ok(PlayerRequest { player_id, player_attributes, latency_in_ms, team: player.team.clone() })
}

fn attribute(name: &str, value: &AttributeValue) -> Result<flexmatch::AttributeValue, ApiError> {
    const FIELD: &str = "players.playerAttributes";
    match value.clone() {
        AttributeValue { s: Some(text), n: None, sl: None, sdm: None } => {
            rule::PLAYER_ATTRIBUTE.check(FIELD, &text)?;
            Ok(flexmatch::AttributeValue::String(text))
        }
        AttributeValue { s: None, n: Some(number), sl: None, sdm: None } => {
            Ok(flexmatch::AttributeValue::Number(number))
        }
        AttributeValue { s: None, n: None, sl: Some(texts), sdm: None } => {
            texts.iter().try_for_each(|text| rule::PLAYER_ATTRIBUTE.check(FIELD, text))?;
            Ok(flexmatch::AttributeValue::StringList(texts))
        }
        AttributeValue { s: None, n: None, sl: None, sdm: Some(numbers) } => {
            numbers.keys().try_for_each(|key| rule::PLAYER_ATTRIBUTE.check(FIELD, key))?;
            Ok(flexmatch::AttributeValue::StringNumberMap(numbers))
        }
        _ => Err(ApiError::invalid(format!("Attribute {name} needs exactly one of S, N, SL and SDM"))),
    }
}

fn attribute_model(value: &flexmatch::AttributeValue) -> AttributeValue {
    match value.clone() {
        flexmatch::AttributeValue::String(text) => AttributeValue { s: Some(text), ..Default::default() },
        flexmatch::AttributeValue::Number(number) => AttributeValue { n: Some(number), ..Default::default() },
        flexmatch::AttributeValue::StringList(texts) => {
            AttributeValue { sl: Some(texts), ..Default::default() }
        }
        flexmatch::AttributeValue::StringNumberMap(numbers) => {
            AttributeValue { sdm: Some(numbers), ..Default::default() }
        }
    }
}

fn players(ticket: &Ticket, rules: &RuleSet) -> Vec<Player> {
    // AWS API reference, MatchmakingTicket: the team is there once the ticket is COMPLETED.
    let with_team = matches!(ticket.state(), TicketState::Completed { .. }) || ticket.backfill().is_some();
    let data = ticket.players().iter().zip(ticket.party());
    data.map(|(player, data)| {
        let declared = rules.attributes().iter().zip(data.attributes());
        let attributes: BTreeMap<_, _> = declared
            .filter_map(|(declared, value)| Some((declared.name.clone(), attribute_model(value.as_ref()?))))
            .collect();
        let latencies: BTreeMap<_, _> =
            data.latency_ms().iter().map(|(location, ms)| (location.clone(), i64::from(*ms))).collect();
        model::Player {
            player_id: Some(player.id().to_string()),
            player_attributes: Some(attributes).filter(|attributes| !attributes.is_empty()),
            team: player.team().filter(|_| with_team).map(ToString::to_string),
            latency_in_ms: Some(latencies).filter(|latencies| !latencies.is_empty()),
        }
    })
    .collect()
}

fn connection_info(ticket: &Ticket) -> Option<GameSessionConnectionInfo> {
    let TicketState::Completed { game_session: Some(session), .. } = ticket.state() else { return None };
    let matched = ticket.players().iter().filter_map(|player| {
        Some(MatchedPlayerSession {
            player_id: player.id().to_string(),
            player_session_id: player.player_session_id()?.to_owned(),
        })
    });
    Some(GameSessionConnectionInfo {
        game_session_arn: session.game_session_arn.clone(),
        ip_address: session.ip_address.clone(),
        port: session.port,
        matched_player_sessions: matched.collect(),
        player_gateway_status: session.player_gateway_status.clone().unwrap_or_default(),
        dns_name: session.dns_name.clone(),
    })
}
