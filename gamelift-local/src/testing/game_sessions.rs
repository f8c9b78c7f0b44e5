//! Game sessions and their players.

use std::panic::Location;

use serde_json::{Value, json};

use super::{
    Emulator,
    wait::{Seen, fail, first, text, with},
};
use crate::{ApiError, ErrorKind};

/// What a game session looks like in a message.
fn shown(session: &Value) -> String {
    let status = text(session, "Status");
    match session["StatusReason"].as_str() {
        Some(reason) => format!("{status} because of {reason}"),
        None => status.to_owned(),
    }
}

/// What players look like in a message.
fn listed(players: &[(String, String)]) -> String {
    let mut list: Vec<_> = players.iter().map(|(player, status)| format!("{player} {status}")).collect();
    list.sort();
    match list.is_empty() {
        true => "nobody".to_owned(),
        false => list.join(", "),
    }
}

impl Emulator {
    /// Creates a game session for so many players in the default fleet, as soon as a game server is free, and waits until
    /// it is ACTIVE. Gives its id, which is an ARN.
    ///
    /// # Panics
    /// If no game server is free in time, or it does not activate the game session: with the server processes there are.
    ///
    /// # Cancel safety
    /// The game session may have been created.
    #[track_caller]
    pub fn create_game_session(&self, players: u32) -> impl Future<Output = String> + Send {
        self.create_game_session_with(json!({ "MaximumPlayerSessionCount": players }))
    }

    /// The same with members of your own for CreateGameSession: game properties, another fleet and location.
    ///
    /// # Panics
    /// As [`Emulator::create_game_session`], and if CreateGameSession is refused for another reason than that nobody is
    /// free.
    ///
    /// # Cancel safety
    /// The game session may have been created.
    #[track_caller]
    pub fn create_game_session_with(&self, members: Value) -> impl Future<Output = String> + Send {
        let at = Location::caller();
        async move {
            let defaults = self.local.defaults();
            let input = json!({ "FleetId": defaults.fleet_id, "Location": defaults.location });
            let input = with(at, input, members);
            let id = self.when_somebody_is_free(at, input).await;
            self.game_session_becomes(at, &id, "ACTIVE").await;
            id
        }
    }

    async fn when_somebody_is_free(&self, at: &Location<'_>, input: Value) -> String {
        let begun = tokio::time::Instant::now();
        loop {
            match self.local.call("CreateGameSession", input.clone()).await {
                Ok(output) => return text(&output["GameSession"], "GameSessionId").to_owned(),
                Err(error) if error.kind != ErrorKind::FleetCapacityExceeded => {
                    fail(at, &format!("CreateGameSession {input} fails: {error}"))
                }
                Err(_) if begun.elapsed() >= self.patience => {
                    let seen = self.shown_processes().await;
                    fail(at, &format!("waited {:?} for a free game server, but {seen}", self.patience))
                }
                Err(_) => tokio::time::sleep(self.look).await,
            }
        }
    }

    async fn game_session_becomes(&self, at: &Location<'_>, id: &str, status: &str) -> Value {
        let what = format!("the game session to be {status}");
        let over = |seen: &Value| status != "TERMINATED" && text(seen, "Status") == "TERMINATED";
        let input = json!({ "GameSessionId": id });
        let look = |found| match Result::map(found, |found| first(&found, "GameSessions")) {
            Ok(session) if text(&session, "Status") == status => Seen::It(session),
            Ok(session) if over(&session) => Seen::Never(format!("it is {}", shown(&session))),
            Ok(session) => Seen::NotYet(format!("it is {}", shown(&session))),
            Err(error) => Seen::Never(ApiError::to_string(&error)),
        };
        self.wait(at, &what, ("DescribeGameSessions", input), look).await
    }

    /// The game session, once it has this status: ACTIVATING, ACTIVE, TERMINATING or TERMINATED.
    ///
    /// # Panics
    /// If it does not get it in time, or cannot any more.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn wait_for_game_session(&self, id: &str, status: &str) -> impl Future<Output = Value> + Send {
        let at = Location::caller();
        async move { self.game_session_becomes(at, id, status).await }
    }

    /// The game session as DescribeGameSessions shows it.
    ///
    /// # Panics
    /// If there is none with this id.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn game_session(&self, id: &str) -> impl Future<Output = Value> + Send {
        let found = self.call("DescribeGameSessions", json!({ "GameSessionId": id }));
        async move { first(&found.await, "GameSessions") }
    }

    /// Reserves a slot for each player, and gives their player session ids in the same order: what the players prove
    /// themselves with to the game server.
    ///
    /// # Panics
    /// If one of them gets no slot.
    ///
    /// # Cancel safety
    /// Some slots may have been reserved.
    #[track_caller]
    pub fn reserve_players<const N: usize>(
        &self,
        id: &str,
        players: [&str; N],
    ) -> impl Future<Output = [String; N]> + Send {
        let at = Location::caller();
        async move {
            let mut ids = [const { String::new() }; N];
            for (slot, player) in ids.iter_mut().zip(players) {
                let input = json!({ "GameSessionId": id, "PlayerId": player });
                match self.local.call("CreatePlayerSession", input).await {
                    Ok(made) => *slot = text(&made["PlayerSession"], "PlayerSessionId").to_owned(),
                    Err(error) => fail(at, &format!("{player} gets no slot: {error}")),
                }
            }
            ids
        }
    }

    /// Everybody who has or had a slot, and their status, in the order of the players' names.
    ///
    /// # Panics
    /// If there is no game session with this id.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn players(&self, id: &str) -> impl Future<Output = Vec<(String, String)>> + Send {
        let at = Location::caller();
        async move { self.players_at(at, id).await }
    }

    async fn players_at(&self, at: &Location<'_>, id: &str) -> Vec<(String, String)> {
        let mut players = Vec::new();
        let mut input = json!({ "GameSessionId": id });
        loop {
            let found = match self.local.call("DescribePlayerSessions", input.clone()).await {
                Ok(found) => found,
                Err(error) => fail(at, &format!("DescribePlayerSessions fails: {error}")),
            };
            let page = found["PlayerSessions"].as_array().into_iter().flatten();
            players.extend(page.map(|it| (text(it, "PlayerId").to_owned(), text(it, "Status").to_owned())));
            match &found["NextToken"] {
                Value::Null => break,
                token => input["NextToken"] = token.clone(),
            }
        }
        players.sort();
        players
    }

    /// The game session is ACTIVE now.
    ///
    /// # Panics
    /// If it is not, with what it is.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn assert_active(&self, id: &str) -> impl Future<Output = ()> + Send {
        let (at, session) = (Location::caller(), self.game_session(id));
        async move {
            let session = session.await;
            if text(&session, "Status") != "ACTIVE" {
                fail(at, &format!("expected the game session to be ACTIVE, but it is {}", shown(&session)));
            }
        }
    }

    /// The game session is TERMINATED now, for whatever reason.
    ///
    /// # Panics
    /// If it is not, with what it is.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn assert_terminated(&self, id: &str) -> impl Future<Output = ()> + Send {
        let (at, session) = (Location::caller(), self.game_session(id));
        async move {
            let session = session.await;
            if text(&session, "Status") != "TERMINATED" {
                let seen = shown(&session);
                fail(at, &format!("expected the game session to be TERMINATED, but it is {seen}"));
            }
        }
    }

    /// The game session is TERMINATED now, and this is its `StatusReason`, such as TRIGGERED_ON_PROCESS_TERMINATE. One that
    /// ended by itself, or whose server was lost, has none.
    ///
    /// # Panics
    /// If it is not, or for another reason, with what it is.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn assert_terminated_because(&self, id: &str, reason: &str) -> impl Future<Output = ()> + Send {
        let (at, session) = (Location::caller(), self.game_session(id));
        async move {
            let session = session.await;
            if text(&session, "Status") != "TERMINATED" || session["StatusReason"] != reason {
                let wanted = format!("TERMINATED because of {reason}");
                let seen = shown(&session);
                fail(at, &format!("expected the game session to be {wanted}, but it is {seen}"));
            }
        }
    }

    /// These players have or had slots now, with these statuses (RESERVED, ACTIVE, COMPLETED, TIMEDOUT), and nobody else, in
    /// any order.
    ///
    /// # Panics
    /// If it is not so, with who there is.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn assert_players<const N: usize>(
        &self,
        id: &str,
        expected: [(&str, &str); N],
    ) -> impl Future<Output = ()> + Send {
        let (at, expected) = (Location::caller(), owned(expected));
        async move {
            let seen = self.players_at(at, id).await;
            if seen != expected {
                let (expected, seen) = (listed(&expected), listed(&seen));
                fail(at, &format!("expected these players: {expected}\nbut there are: {seen}"));
            }
        }
    }

    /// The same, once it is so.
    ///
    /// # Panics
    /// If it does not become so in time, with who there is.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn wait_for_players<const N: usize>(
        &self,
        id: &str,
        expected: [(&str, &str); N],
    ) -> impl Future<Output = ()> + Send {
        let (at, expected) = (Location::caller(), owned(expected));
        async move {
            let begun = tokio::time::Instant::now();
            loop {
                let seen = self.players_at(at, id).await;
                if seen == expected {
                    return;
                }
                if begun.elapsed() >= self.patience {
                    let (expected, seen) = (listed(&expected), listed(&seen));
                    let waited = self.patience;
                    fail(
                        at,
                        &format!("waited {waited:?} for these players: {expected}\nbut there are: {seen}"),
                    );
                }
                tokio::time::sleep(self.look).await;
            }
        }
    }
}

/// In the order of [`Emulator::players`].
fn owned<const N: usize>(players: [(&str, &str); N]) -> Vec<(String, String)> {
    let mut players: Vec<_> =
        players.map(|(player, status)| (player.to_owned(), status.to_owned())).into_iter().collect();
    players.sort();
    players
}
