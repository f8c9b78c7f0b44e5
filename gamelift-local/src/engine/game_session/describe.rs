//! DescribeGameSessions.

use super::GameSessionKey;
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
    /// InvalidRequest for a bad field or not exactly one of fleet, alias and game session; NotFound for an unknown one.
    pub fn describe_game_sessions(
        &mut self,
        _now: Timestamp,
        input: DescribeGameSessionsInput,
    ) -> Result<DescribeGameSessionsOutput, ApiError> {
        rule::ARN.optional("gameSessionId", &input.game_session_id)?;
        let location = rule::LOCATION.optional("location", &input.location)?;
        let status = rule::NON_ZERO_AND_MAX.optional("statusFilter", &input.status_filter)?;
        let status = status
            .map(|status| {
                rule::one_of("statusFilter", status, GameSessionStatus::NAMES, GameSessionStatus::parse)
            })
            .transpose()?;
        let page = Page::new("DescribeGameSessions", input.limit, &input.next_token, PAGE_SIZE_MAX)?;
        let start = page.after_number()?.map_or(0, |after| after.saturating_add(1));
        if let Some(arn) = &input.game_session_id {
            if input.fleet_id.is_some() || input.alias_id.is_some() {
                return Err(ApiError::invalid("Give only one of FleetId, AliasId and GameSessionId"));
            }
            let session = self.game_session(arn)?.1;
            let wanted = status.is_none_or(|status| session.model.status == status);
            let game_sessions = wanted.then(|| session.model.clone()).into_iter().collect();
            return Ok(DescribeGameSessionsOutput { game_sessions, next_token: None });
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
        let game_sessions = sessions.into_iter().map(|(_, session)| session.model.clone()).collect();
        Ok(DescribeGameSessionsOutput { game_sessions, next_token })
    }
}
