//! SearchGameSessions: ACTIVE game sessions of one fleet, by an expression.
//!
//! The language is that of the AWS API reference, SearchGameSessions. [`Filter`] and [`Sort`] are its two kinds of
//! expression; they know nothing of fleets and pages.

mod error;
mod eval;
mod lex;
mod parse;

pub use self::{
    error::SearchError,
    parse::{Filter, Sort},
};
use super::{
    Engine,
    game_session::{GameSession, GameSessionKey},
    page::Page,
};
use crate::{ApiError, Timestamp, model::*};

/// Most results per page, whatever the caller asks for (AWS API reference).
const RESULTS_MAX: usize = 20;

impl Engine {
    /// Finds ACTIVE game sessions of a fleet.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, both or neither of fleet and alias, or an expression that cannot be read: the
    /// message names the position and what is expected there. NotFound for an unknown fleet or alias;
    /// TerminalRoutingStrategy for an alias that leads nowhere.
    pub fn search_game_sessions(
        &mut self,
        _now: Timestamp,
        input: SearchGameSessionsInput,
    ) -> Result<DescribeGameSessionsOutput, ApiError> {
        check::check(&input)?;
        let filter = input.filter_expression.as_deref().map(Filter::parse).transpose();
        let filter = filter.map_err(|error| in_expression("FilterExpression", &error))?;
        let sort = input.sort_expression.as_deref().map(Sort::parse).transpose();
        let sort = sort.map_err(|error| in_expression("SortExpression", &error))?;
        let page = Page::new("SearchGameSessions", input.limit, &input.next_token, RESULTS_MAX)?;
        let from = page.after.as_deref().map(Place::read).transpose()?;
        let fleet = self.fleet_of(&input.fleet_id, &input.alias_id)?;
        if let Some(location) = &input.location
            && !fleet.locations.contains_key(location)
        {
            let message = format!("Location {location} is not a location of fleet {}", fleet.id);
            return Err(ApiError::invalid(message));
        }
        let active = fleet.game_sessions.get(&GameSessionStatus::Active).into_iter().flatten();
        let mut found: Vec<(GameSessionKey, &GameSession)> = active
            .filter_map(|key| self.game_sessions.get(*key).map(|session| (*key, session)))
            .filter(|(_, session)| input.location.as_ref().is_none_or(|at| session.model.location == *at))
            .filter(|(_, session)| filter.as_ref().is_none_or(|filter| filter.matches(&session.model)))
            .collect();
        if let Some(sort) = &sort {
            sort.sort(&mut found, |(_, session)| &session.model);
        }
        let start = from.map_or(0, |from| from.next_in(&found));
        let rest = found.iter().enumerate().skip(start);
        let (sessions, next_token) =
            page.take(rest, |(index, (key, _))| Place { after: index + 1, key: *key }.to_string());
        let game_sessions = sessions.into_iter().map(|(_, (_, session))| session.model.clone()).collect();
        Ok(DescribeGameSessionsOutput { game_sessions, next_token })
    }
}

fn in_expression(field: &str, error: &SearchError) -> ApiError {
    ApiError::invalid(format!("{field}, {error}"))
}

/// Where a page ended: behind this game session, or, if it is no longer found, after so many.
struct Place {
    after: usize,
    key: GameSessionKey,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.after, self.key.number())
    }
}

impl Place {
    fn read(text: &str) -> Result<Self, ApiError> {
        let parts = text.split_once(':');
        let place = parts.and_then(|(after, key)| {
            Some(Self { after: after.parse().ok()?, key: GameSessionKey::from_number(key.parse().ok()?) })
        });
        place.ok_or_else(|| ApiError::invalid("NextToken is not one that SearchGameSessions has returned"))
    }

    fn next_in(&self, found: &[(GameSessionKey, &GameSession)]) -> usize {
        found.iter().position(|(key, _)| *key == self.key).map_or(self.after, |index| index + 1)
    }
}
