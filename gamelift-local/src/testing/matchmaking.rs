//! Tickets, matches and placements.

use std::{collections::BTreeMap, panic::Location};

use serde_json::{Value, json};

use super::{
    Emulator,
    wait::{Seen, fail, first, text, with},
};

/// The ends of a ticket and of a placement.
const OVER: &[&str] = &["COMPLETED", "CANCELLED", "FAILED", "TIMED_OUT", "FULFILLED"];

/// What tickets have become.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Match {
    /// Where they play: the game session's id.
    pub game_session_id: String,
    /// What each player proves itself with to the game server: player session ids by player id.
    pub player_session_ids: BTreeMap<String, String>,
}

impl std::fmt::Debug for Match {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let players: Vec<_> = self.player_session_ids.keys().collect();
        f.debug_struct("Match")
            .field("game_session_id", &self.game_session_id)
            .field("players", &players)
            .finish_non_exhaustive()
    }
}

/// What a ticket or a placement looks like in a message.
fn shown(it: &Value) -> String {
    let mut shown = text(it, "Status").to_owned();
    for member in ["StatusReason", "StatusMessage"] {
        if let Some(more) = it[member].as_str() {
            shown.push_str(", ");
            shown.push_str(more);
        }
    }
    shown
}

impl Emulator {
    /// Asks for a match for one player. The ticket has the player's name; `player` are further members of the player, such as
    /// `json!({ "PlayerAttributes": { "skill": { "N": 20 } } })`. For parties, call StartMatchmaking.
    ///
    /// # Panics
    /// If StartMatchmaking is refused.
    ///
    /// # Cancel safety
    /// The ticket may have been made.
    #[track_caller]
    pub fn start_ticket(
        &self,
        configuration: &str,
        name: &str,
        player: Value,
    ) -> impl Future<Output = ()> + Send {
        let player = with(Location::caller(), json!({ "PlayerId": name }), player);
        let input = json!({ "TicketId": name, "ConfigurationName": configuration, "Players": [player] });
        let made = self.call("StartMatchmaking", input);
        async move {
            made.await;
        }
    }

    /// Answers for a player whether the proposed match is taken.
    ///
    /// # Panics
    /// If AcceptMatch is refused.
    ///
    /// # Cancel safety
    /// The answer may have been given.
    #[track_caller]
    pub fn answer_match(&self, ticket: &str, player: &str, accept: bool) -> impl Future<Output = ()> + Send {
        let answer = if accept { "ACCEPT" } else { "REJECT" };
        let input = json!({ "TicketId": ticket, "PlayerIds": [player], "AcceptanceType": answer });
        let answered = self.call("AcceptMatch", input);
        async move {
            answered.await;
        }
    }

    /// The ticket as DescribeMatchmaking shows it.
    ///
    /// # Panics
    /// If there is none with this id.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn ticket(&self, id: &str) -> impl Future<Output = Value> + Send {
        let (at, id) = (Location::caller(), id.to_owned());
        let found = self.call("DescribeMatchmaking", json!({ "TicketIds": [id] }));
        async move {
            let ticket = first(&found.await, "TicketList");
            if ticket.is_null() {
                fail(at, &format!("there is no ticket {id}"));
            }
            ticket
        }
    }

    /// The ticket has this status now.
    ///
    /// # Panics
    /// If it has not, with what it has.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn assert_ticket(&self, id: &str, status: &str) -> impl Future<Output = ()> + Send {
        let (at, ticket) = (Location::caller(), self.ticket(id));
        async move {
            let ticket = ticket.await;
            if text(&ticket, "Status") != status {
                fail(at, &format!("expected ticket {id} to be {status}, but it is {}", shown(&ticket)));
            }
        }
    }

    /// The ticket, once it has this status.
    ///
    /// # Panics
    /// If it does not get it in time, or cannot any more.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn wait_for_ticket(&self, id: &str, status: &str) -> impl Future<Output = Value> + Send {
        let (at, what) = (Location::caller(), format!("ticket {id} to be {status}"));
        let input = json!({ "TicketIds": [id] });
        async move { self.becomes(at, &what, ("DescribeMatchmaking", input), "/TicketList/0", status).await }
    }

    /// The placement, once it has this status.
    ///
    /// # Panics
    /// If it does not get it in time, or cannot any more.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn wait_for_placement(&self, id: &str, status: &str) -> impl Future<Output = Value> + Send {
        let (at, what) = (Location::caller(), format!("placement {id} to be {status}"));
        let operation = ("DescribeGameSessionPlacement", json!({ "PlacementId": id }));
        async move { self.becomes(at, &what, operation, "/GameSessionPlacement", status).await }
    }

    async fn becomes(
        &self,
        at: &Location<'_>,
        what: &str,
        operation: (&str, Value),
        pointer: &str,
        status: &str,
    ) -> Value {
        self.wait(at, what, operation, |found| {
            let found = match found {
                Ok(found) => found,
                Err(error) => return Seen::Never(error.to_string()),
            };
            match found.pointer(pointer) {
                Some(it) if it["Status"] == status => Seen::It(it.clone()),
                Some(it) if OVER.contains(&text(it, "Status")) => Seen::Never(format!("it is {}", shown(it))),
                Some(it) => Seen::NotYet(format!("it is {}", shown(it))),
                None => Seen::Never("there is none".to_owned()),
            }
        })
        .await
    }

    /// Waits until all these tickets are COMPLETED, and have led to the same game session.
    ///
    /// # Panics
    /// If one of them ends in another way or not in time, or if they are in different game sessions: with the state of
    /// each.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn wait_for_match<const N: usize>(&self, tickets: [&str; N]) -> impl Future<Output = Match> + Send {
        let at = Location::caller();
        async move {
            let what = format!("a match of the tickets {}", tickets.join(", "));
            let input = json!({ "TicketIds": tickets.as_slice() });
            let completed = self.wait(at, &what, ("DescribeMatchmaking", input), |found| match found {
                Ok(mut found) => completed(found["TicketList"].take(), N),
                Err(error) => Seen::Never(error.to_string()),
            });
            matched(at, &completed.await)
        }
    }
}

/// The tickets, if all of them are COMPLETED.
fn completed(tickets: Value, count: usize) -> Seen<Vec<Value>> {
    let Value::Array(tickets) = tickets else { return Seen::Never("there are none".to_owned()) };
    let seen: Vec<_> =
        tickets.iter().map(|ticket| format!("{} is {}", text(ticket, "TicketId"), shown(ticket))).collect();
    let seen = seen.join("; ");
    if tickets.len() < count {
        return Seen::Never(format!("some do not exist; {seen}"));
    }
    let status = |ticket: &Value| text(ticket, "Status").to_owned();
    if tickets.iter().all(|ticket| status(ticket) == "COMPLETED") {
        return Seen::It(tickets);
    }
    let lost = |ticket: &Value| status(ticket) != "COMPLETED" && OVER.contains(&status(ticket).as_str());
    match tickets.iter().any(lost) {
        true => Seen::Never(seen),
        false => Seen::NotYet(seen),
    }
}

fn matched(at: &Location<'_>, tickets: &[Value]) -> Match {
    let mut game_sessions = BTreeMap::new();
    let mut player_session_ids = BTreeMap::new();
    for ticket in tickets {
        let connection = &ticket["GameSessionConnectionInfo"];
        let game_session = text(connection, "GameSessionArn").to_owned();
        game_sessions.entry(game_session).or_insert_with(Vec::new).push(text(ticket, "TicketId"));
        let players = connection["MatchedPlayerSessions"].as_array().into_iter().flatten();
        player_session_ids.extend(
            players.map(|it| (text(it, "PlayerId").to_owned(), text(it, "PlayerSessionId").to_owned())),
        );
    }
    if game_sessions.len() > 1 {
        let parts: Vec<_> = game_sessions.values().map(|tickets| tickets.join(" with ")).collect();
        let parts = parts.join("; ");
        fail(at, &format!("expected one match, but the tickets are in different game sessions: {parts}"));
    }
    let game_session_id = game_sessions.into_keys().next().unwrap_or_default();
    Match { game_session_id, player_session_ids }
}
