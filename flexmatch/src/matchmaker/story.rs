//! The events that tell what happened to tickets.

use super::{Matchmaker, Output};
use crate::{
    event::{
        AcceptMatch, AcceptMatchCompleted, Acceptance, Ended, EventPlayer, EventTicket, EventType, Failed,
        GameSessionInfo, MatchmakingEvent, PotentialMatchCreated, RuleEvaluationMetrics, Searching,
        Succeeded,
    },
    ticket::{FailReason, GameSession, MatchId, TIMED_OUT_MESSAGE, TicketState},
};

impl Matchmaker {
    fn tell(&mut self, event: MatchmakingEvent) {
        self.outputs.push_back(Output::Event(event));
    }

    /// The tickets as events list them, and all their players.
    fn cast(&self, keys: &[u32]) -> (Vec<EventTicket>, GameSessionInfo) {
        let tickets = keys.iter().filter_map(|key| self.tickets.get(*key));
        let mut all = Vec::with_capacity(tickets.clone().map(|ticket| ticket.players.len()).sum());
        let tickets = tickets.map(|ticket| {
            let players: Vec<_> = ticket
                .players
                .iter()
                .map(|player| EventPlayer {
                    player_id: player.id.clone(),
                    player_session_id: player.player_session_id.as_deref().map(str::to_owned),
                    team: player.team.as_ref().map(|team| team.as_str().to_owned()),
                    accepted: player.accepted,
                })
                .collect();
            all.extend(players.iter().cloned());
            EventTicket { ticket_id: ticket.id.clone(), start_time: ticket.start, players }
        });
        let tickets: Vec<_> = tickets.collect();
        (tickets, GameSessionInfo { players: all, ..GameSessionInfo::default() })
    }

    fn cast_of(&self, id: &MatchId) -> (Vec<EventTicket>, GameSessionInfo) {
        self.proposals.get(id).map_or_else(Default::default, |proposal| self.cast(&proposal.tickets))
    }

    pub(super) fn tell_searching(&mut self, key: u32) {
        let (tickets, game_session_info) = self.cast(&[key]);
        // Only others say something about the wait; a ticket alone has none yet.
        let estimate = (self.searching.0 > 1).then(|| self.estimated_wait_millis()).flatten();
        self.tell(MatchmakingEvent::Searching(Searching {
            tickets,
            estimated_wait_millis: estimate
                .map_or_else(|| "NOT_AVAILABLE".to_owned(), |millis| millis.to_string()),
            event_type: EventType::MatchmakingSearching,
            game_session_info,
            custom_event_data: self.settings.custom_event_data.clone(),
        }));
    }

    pub(super) fn tell_potential_match(
        &mut self,
        match_id: &MatchId,
        keys: &[u32],
        rule_evaluation_metrics: Vec<RuleEvaluationMetrics>,
    ) {
        let (tickets, game_session_info) = self.cast(keys);
        let acceptance_required = self.settings.acceptance_required;
        self.tell(MatchmakingEvent::PotentialMatchCreated(PotentialMatchCreated {
            tickets,
            acceptance_timeout: acceptance_required.then_some(self.settings.acceptance_timeout_seconds),
            rule_evaluation_metrics,
            acceptance_required,
            event_type: EventType::PotentialMatchCreated,
            game_session_info,
            match_id: match_id.clone(),
            custom_event_data: self.settings.custom_event_data.clone(),
        }));
    }

    pub(super) fn tell_accept_match(&mut self, match_id: &MatchId) {
        let (tickets, game_session_info) = self.cast_of(match_id);
        self.tell(MatchmakingEvent::AcceptMatch(AcceptMatch {
            tickets,
            event_type: EventType::AcceptMatch,
            game_session_info,
            match_id: match_id.clone(),
            custom_event_data: self.settings.custom_event_data.clone(),
        }));
    }

    pub(super) fn tell_accept_match_completed(&mut self, match_id: &MatchId, acceptance: Acceptance) {
        let (mut tickets, mut game_session_info) = self.cast_of(match_id);
        // The guide's sample shows who was in the match, not who answered what.
        let players = tickets.iter_mut().flat_map(|ticket| &mut ticket.players);
        players.chain(&mut game_session_info.players).for_each(|player| player.accepted = None);
        self.tell(MatchmakingEvent::AcceptMatchCompleted(AcceptMatchCompleted {
            tickets,
            acceptance,
            event_type: EventType::AcceptMatchCompleted,
            game_session_info,
            match_id: match_id.clone(),
            custom_event_data: self.settings.custom_event_data.clone(),
        }));
    }

    pub(super) fn tell_succeeded(&mut self, match_id: &MatchId, keys: &[u32], session: Option<&GameSession>) {
        let (mut tickets, mut game_session_info) = self.cast(keys);
        let players = tickets.iter_mut().flat_map(|ticket| &mut ticket.players);
        players.chain(&mut game_session_info.players).for_each(|player| player.accepted = None);
        if let Some(session) = session {
            game_session_info.game_session_arn = Some(session.game_session_arn.clone());
            game_session_info.ip_address = Some(session.ip_address.clone());
            game_session_info.dns_name.clone_from(&session.dns_name);
            game_session_info.port = Some(session.port);
            game_session_info.player_gateway_status.clone_from(&session.player_gateway_status);
        }
        self.tell(MatchmakingEvent::Succeeded(Succeeded {
            tickets,
            event_type: EventType::MatchmakingSucceeded,
            game_session_info,
            match_id: match_id.clone(),
            custom_event_data: self.settings.custom_event_data.clone(),
        }));
    }

    /// Tells how a single ticket ended: cancelled, timed out or failed, as its state says.
    pub(super) fn tell_end(
        &mut self,
        key: u32,
        match_id: Option<MatchId>,
        rule_evaluation_metrics: Vec<RuleEvaluationMetrics>,
    ) {
        let (mut tickets, mut game_session_info) = self.cast(&[key]);
        let Some(ticket) = self.tickets.get(key) else { return };
        let players = tickets.iter_mut().flat_map(|ticket| &mut ticket.players);
        players.chain(&mut game_session_info.players).for_each(|player| player.accepted = None);
        let ended = |event_type, reason: &str, message: &str| Ended {
            reason: reason.to_owned(),
            tickets,
            rule_evaluation_metrics,
            event_type,
            message: message.to_owned(),
            game_session_info,
            match_id: match_id.clone(),
            custom_event_data: self.settings.custom_event_data.clone(),
        };
        let event = match &ticket.state {
            TicketState::TimedOut { .. } => MatchmakingEvent::TimedOut(ended(
                EventType::MatchmakingTimedOut,
                "TimedOut",
                TIMED_OUT_MESSAGE,
            )),
            TicketState::Cancelled { why, .. } => MatchmakingEvent::Cancelled(ended(
                EventType::MatchmakingCancelled,
                "Cancelled",
                why.message(),
            )),
            TicketState::Failed { why, .. } => {
                let (why, Some(match_id)) = (*why, match_id.clone()) else { return };
                self.tell_failed(&match_id, &[key], why);
                return;
            }
            _ => return,
        };
        self.tell(event);
    }

    pub(super) fn tell_failed(&mut self, match_id: &MatchId, keys: &[u32], why: FailReason) {
        let (mut tickets, mut game_session_info) = self.cast(keys);
        let players = tickets.iter_mut().flat_map(|ticket| &mut ticket.players);
        players.chain(&mut game_session_info.players).for_each(|player| player.accepted = None);
        self.tell(MatchmakingEvent::Failed(Failed {
            tickets,
            custom_event_data: self.settings.custom_event_data.clone(),
            event_type: EventType::MatchmakingFailed,
            reason: why.reason().to_owned(),
            message: why.message().to_owned(),
            game_session_info,
            match_id: match_id.clone(),
        }));
    }
}
