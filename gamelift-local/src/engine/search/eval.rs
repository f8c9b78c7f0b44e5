//! What expressions say about game sessions.

use std::cmp::{Ordering, Reverse};

use super::{
    Filter, Sort,
    lex::Comparator,
    parse::{Node, NumberField, Operand, TextField},
};
use crate::model::{GameSession, PlayerSessionCreationPolicy};

impl Filter {
    /// Whether a game session is wanted. A name or property that it does not have is neither equal nor unequal to
    /// anything.
    pub fn matches(&self, session: &GameSession) -> bool {
        self.0.matches(session)
    }
}

impl Node {
    fn matches(&self, session: &GameSession) -> bool {
        match self {
            Self::Any(nodes) => nodes.iter().any(|node| node.matches(session)),
            Self::All(nodes) => nodes.iter().all(|node| node.matches(session)),
            Self::Not(node) => !node.matches(session),
            Self::Text(field, is_equal, value) => {
                field.of(session).is_some_and(|text| (text == value) == *is_equal)
            }
            Self::Number(field, comparator, value) => compare(field.of(session), *comparator, *value),
            Self::HasRoom(wanted) => has_room(session) == *wanted,
        }
    }
}

fn compare(number: f64, comparator: Comparator, value: f64) -> bool {
    match comparator {
        Comparator::Equal => number == value,
        Comparator::NotEqual => number != value,
        Comparator::Less => number < value,
        Comparator::LessOrEqual => number <= value,
        Comparator::Greater => number > value,
        Comparator::GreaterOrEqual => number >= value,
    }
}

impl TextField {
    fn of<'a>(&self, session: &'a GameSession) -> Option<&'a str> {
        match self {
            Self::Id => Some(&session.game_session_id),
            Self::Name => session.name.as_deref(),
            Self::Unsearchable => None,
            Self::Property(key) => {
                let mut properties = session.game_properties.iter();
                properties.find(|property| property.key == *key).map(|property| property.value.as_str())
            }
        }
    }
}

impl NumberField {
    /// For comparison with numbers of all kinds.
    fn of(self, session: &GameSession) -> f64 {
        self.whole(session) as f64
    }

    fn whole(self, session: &GameSession) -> u64 {
        match self {
            Self::MaximumSessions => session.maximum_player_session_count.into(),
            Self::CreationTime => session.creation_time.as_millis(),
            Self::PlayerCount => session.current_player_session_count.into(),
        }
    }
}

/// "Sessions that players can join" (AWS API reference): with a free slot, and open to players.
fn has_room(session: &GameSession) -> bool {
    session.current_player_session_count < session.maximum_player_session_count
        && session.player_session_creation_policy == PlayerSessionCreationPolicy::AcceptAll
}

impl Sort {
    /// Sorts by the operand; what does not have it comes last, whatever the direction (AWS API reference). Equals stay
    /// as they are.
    pub fn sort<'a, T: Copy>(&self, sessions: &mut Vec<T>, model: impl Fn(T) -> &'a GameSession) {
        match &self.by {
            Operand::Text(field) => self.by_key(sessions, |it| field.of(model(it)), |a, b| a.cmp(b)),
            Operand::Number(field) => self.in_place(sessions, |it| field.whole(model(it))),
            Operand::HasRoom => self.in_place(sessions, |it| has_room(model(it))),
        }
    }

    /// For keys that every game session has, and that cost nothing to look up.
    fn in_place<T: Copy, K: Ord>(&self, sessions: &mut [T], key: impl Fn(T) -> K) {
        match self.is_descending {
            true => sessions.sort_by_key(|it| Reverse(key(*it))),
            false => sessions.sort_by_key(|it| key(*it)),
        }
    }

    /// Looks every key up once.
    fn by_key<T: Copy, K>(
        &self,
        sessions: &mut Vec<T>,
        key: impl Fn(T) -> Option<K>,
        order: impl Fn(&K, &K) -> Ordering,
    ) {
        let mut keyed: Vec<(Option<K>, T)> = sessions.drain(..).map(|it| (key(it), it)).collect();
        keyed.sort_by(|(a, _), (b, _)| match (a, b) {
            (Some(a), Some(b)) if self.is_descending => order(b, a),
            (Some(a), Some(b)) => order(a, b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        });
        sessions.extend(keyed.into_iter().map(|(_, it)| it));
    }
}
