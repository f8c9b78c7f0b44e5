//! DescribeGameSessions and DescribeGameSessionDetails.

use super::{GameSession, GameSessionKey};
use crate::{
    ApiError, Timestamp,
    engine::{
        Engine,
        page::{PAGE_SIZE_MAX, Page},
    },
    model::*,
};

impl Engine {
    /// Describes one game session, or those of a fleet.
    ///
    /// # Errors
    /// InvalidRequest for a bad field or not exactly one of fleet, alias and game session; NotFound for an unknown one;
    /// TerminalRoutingStrategy for an alias that leads nowhere.
    pub fn describe_game_sessions(
        &mut self,
        _now: Timestamp,
        input: DescribeGameSessionsInput,
    ) -> Result<DescribeGameSessionsOutput, ApiError> {
        let (sessions, next_token) = self.selected("DescribeGameSessions", &input)?;
        let game_sessions = sessions.into_iter().map(|session| session.model.clone()).collect();
        Ok(DescribeGameSessionsOutput { game_sessions, next_token })
    }

    /// The same, with what each game session is protected from.
    ///
    /// # Errors
    /// As without.
    pub fn describe_game_session_details(
        &mut self,
        _now: Timestamp,
        input: DescribeGameSessionsInput,
    ) -> Result<DescribeGameSessionDetailsOutput, ApiError> {
        let (sessions, next_token) = self.selected("DescribeGameSessionDetails", &input)?;
        let detail = |session: &GameSession| GameSessionDetail {
            game_session: session.model.clone(),
            protection_policy: session.protection,
        };
        let game_session_details = sessions.into_iter().map(detail).collect();
        Ok(DescribeGameSessionDetailsOutput { game_session_details, next_token })
    }

    /// One page of the game sessions that a request means.
    fn selected(
        &self,
        operation: &'static str,
        input: &DescribeGameSessionsInput,
    ) -> Result<(Vec<&GameSession>, Option<String>), ApiError> {
        check::check(input)?;
        let location = input.location.as_deref();
        let status = input.status_filter.as_deref();
        let status = status
            .map(|status| {
                rule::one_of("statusFilter", status, GameSessionStatus::NAMES, GameSessionStatus::parse)
            })
            .transpose()?;
        let page = Page::new(operation, input.limit, &input.next_token, PAGE_SIZE_MAX)?;
        let start = page.after_number()?.map_or(0, |after| after.saturating_add(1));
        if let Some(arn) = &input.game_session_id {
            if input.fleet_id.is_some() || input.alias_id.is_some() {
                return Err(ApiError::invalid("Give only one of FleetId, AliasId and GameSessionId"));
            }
            let session = self.game_session(arn)?.1;
            let wanted = status.is_none_or(|status| session.model.status == status);
            return Ok((wanted.then_some(session).into_iter().collect(), None));
        }
        let fleet = self.fleet_of(&input.fleet_id, &input.alias_id)?;
        let start = GameSessionKey(start);
        // One page never needs more than itself and one of each status, unless a location sorts some out.
        let most = if location.is_none() { page.size + 1 } else { usize::MAX };
        let mut keys: Vec<GameSessionKey> = fleet
            .game_sessions
            .iter()
            .filter(|(of, _)| status.is_none_or(|status| **of == status))
            .flat_map(|(_, keys)| keys.range(start..).take(most).copied())
            .collect();
        keys.sort_unstable();
        let wanted = keys
            .iter()
            .filter_map(|key| self.game_sessions.get(*key).map(|session| (*key, session)))
            .filter(|(_, session)| location.is_none_or(|location| session.model.location == location));
        let (sessions, next_token) = page.take(wanted, |(key, _)| key.0.to_string());
        Ok((sessions.into_iter().map(|(_, session)| session).collect(), next_token))
    }
}
