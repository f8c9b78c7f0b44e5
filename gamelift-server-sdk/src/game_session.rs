//! The game session that the process hosts, before and after it is active.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{Stream, TryStreamExt, stream};
use gamelift_wire::attribute_value::AttributeValue;
use gamelift_wire::envelope::{Action, FrameError};
use gamelift_wire::ids::{GameSessionId, PlayerSessionId};
use gamelift_wire::model::{
    GameSession as GameSessionModel, PlayerSession, PlayerSessionCreationPolicy, PlayerSessionStatus,
};
use gamelift_wire::requests::{
    ActivateGameSession, BackfillPlayer, DescribePlayerSessions, PlayerSessionRequest, PlayerSessionsPage,
    Request, StartMatchBackfill, StopMatchBackfill, UpdatePlayerSessionCreationPolicy,
};
use tokio::sync::mpsc;

use crate::error::{CallError, CloseReason};
use crate::handle::{Command, Shared, call, unexpected};
use crate::uplink::Answer;

/// The service wants this process to host a game session.
///
/// Load what the session needs, then [`activate`](Self::activate) it: until then players cannot reserve a place, and after
/// 5 minutes (unless the fleet says otherwise) the service gives up on it.
#[derive(Debug)]
#[must_use = "players cannot join until the game session is activated"]
pub struct StartGameSession {
    /// Weak: an event that lies unread must not keep an abandoned process alive.
    commands: mpsc::WeakSender<Box<Command>>,
    shared: Shared,
    session: Arc<GameSessionModel>,
}

impl StartGameSession {
    pub(crate) fn new(
        commands: mpsc::WeakSender<Box<Command>>,
        shared: Shared,
        session: GameSessionModel,
    ) -> Self {
        Self { commands, shared, session: Arc::new(session) }
    }

    /// What the creator asked for: size, name, properties, data.
    pub fn game_session(&self) -> &GameSessionModel {
        &self.session
    }

    /// Tells the service that players may join. Only the value returned can accept them. `ActivateGameSession`.
    ///
    /// # Errors
    /// [`ActivateError`] gives this value back, to try again with.
    ///
    /// # Cancel safety
    ///
    /// Safe for the SDK; but the service may have activated the session, and this value is gone.
    pub async fn activate(self) -> Result<GameSession, ActivateError> {
        let Some(commands) = self.commands.upgrade() else {
            let source = CallError::Closed(CloseReason::HandlesDropped);
            return Err(ActivateError { start: Box::new(self), source });
        };
        let game_session_id = self.session.game_session_id.clone();
        let request = Request::ActivateGameSession(ActivateGameSession { game_session_id });
        match call(&commands, &self.shared, request).await {
            Ok(_) => Ok(GameSession { commands, shared: self.shared, session: self.session }),
            Err(source) => Err(ActivateError { start: Box::new(self), source }),
        }
    }
}

/// The game session is not active, or not known to be.
#[derive(Debug, thiserror::Error)]
#[error("the game session was not activated: {source}")]
pub struct ActivateError {
    start: Box<StartGameSession>,
    /// What went wrong.
    pub source: CallError,
}

impl ActivateError {
    /// The game session, to try again with.
    pub fn into_start(self) -> StartGameSession {
        *self.start
    }
}

/// An active game session: the only thing that can accept players. A cheap clone.
///
/// Every call takes at most the call timeout (20 s unless configured), waiting for a connection included.
#[derive(Clone)]
pub struct GameSession {
    commands: mpsc::Sender<Box<Command>>,
    shared: Shared,
    session: Arc<GameSessionModel>,
}

impl std::fmt::Debug for GameSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GameSession").field("id", self.id()).finish_non_exhaustive()
    }
}

impl GameSession {
    /// Its id, an ARN.
    pub fn id(&self) -> &GameSessionId {
        &self.session.game_session_id
    }

    /// The game session as it was when it started; later changes come as
    /// [`Event::UpdateGameSession`](crate::Event::UpdateGameSession).
    pub fn details(&self) -> &GameSessionModel {
        &self.session
    }

    /// A player connected and showed this id: is it real, of this game session, and still reserved? Let nobody in before
    /// this says yes. `AcceptPlayerSession`.
    ///
    /// # Errors
    /// [`CallError::Refused`] if the id is unknown, another session's, already used, or its 60 s are over. After
    /// [`CallError::OutcomeUnknown`] the player may be accepted: describe the player session to find out.
    ///
    /// # Cancel safety
    ///
    /// Safe for the SDK, but the service may have accepted the player.
    pub async fn accept(&self, player_session_id: &PlayerSessionId) -> Result<(), CallError> {
        self.call(Request::AcceptPlayerSession(self.player(player_session_id))).await.map(|_| ())
    }

    /// A player left: their place is free again. `RemovePlayerSession`.
    ///
    /// # Errors
    /// [`CallError`]. After [`CallError::OutcomeUnknown`] it does no harm to call it again: at worst it is refused.
    ///
    /// # Cancel safety
    ///
    /// Safe for the SDK, but the service may have removed the player.
    pub async fn remove(&self, player_session_id: &PlayerSessionId) -> Result<(), CallError> {
        self.call(Request::RemovePlayerSession(self.player(player_session_id))).await.map(|_| ())
    }

    /// Opens or closes the game session for new players. `UpdatePlayerSessionCreationPolicy`.
    ///
    /// After a lost connection the SDK sends it again by itself, under the same request id: setting it twice is setting it
    /// once.
    ///
    /// # Errors
    /// [`CallError`].
    ///
    /// # Cancel safety
    ///
    /// Safe for the SDK, but the service may have changed the policy.
    pub async fn set_creation_policy(&self, policy: PlayerSessionCreationPolicy) -> Result<(), CallError> {
        let game_session_id = self.id().clone();
        let request = UpdatePlayerSessionCreationPolicy { game_session_id, policy };
        self.call(Request::UpdatePlayerSessionCreationPolicy(request)).await.map(|_| ())
    }

    /// Looks players up, one page at a time. `DescribePlayerSessions`.
    ///
    /// After a lost connection the SDK asks again by itself.
    ///
    /// # Errors
    /// [`CallError`].
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn describe_player_sessions(
        &self,
        query: PlayerSessionQuery,
    ) -> Result<PlayerSessionsPage, CallError> {
        let PlayerSessionQuery { by, status, next_token, limit } = query;
        let mut request = DescribePlayerSessions {
            player_session_status_filter: status,
            next_token,
            limit: limit.map(i64::from),
            ..DescribePlayerSessions::default()
        };
        match by {
            By::GameSession => request.game_session_id = Some(self.id().as_str().to_owned()),
            By::OtherGameSession(id) => request.game_session_id = Some(id.as_str().to_owned()),
            By::PlayerSession(id) => request.player_session_id = Some(id),
            By::Player(id) => request.player_id = Some(id),
        }
        match self.call(Request::DescribePlayerSessions(request)).await? {
            Answer::PlayerSessions(page) => Ok(page),
            other => Err(unexpected(&other)),
        }
    }

    /// Looks players up, page after page, each asked for when the one before it has been read. `DescribePlayerSessions`.
    ///
    /// ```
    /// # use futures_util::TryStreamExt;
    /// # use gamelift_server_sdk::{CallError, GameSession, PlayerSessionQuery, PlayerSessionStatus};
    /// # async fn example(session: &GameSession) -> Result<(), CallError> {
    /// let query = PlayerSessionQuery::of_this_game_session().with_status(PlayerSessionStatus::Active);
    /// let mut players = std::pin::pin!(session.player_sessions(query));
    /// while let Some(player) = players.try_next().await? {
    ///     println!("{:?}", player.player_id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// An error is the stream's last item; [`PlayerSessionQuery::limit`] is the size of a page. It starts where
    /// [`PlayerSessionQuery::from_token`] says, if it does.
    pub fn player_sessions(
        &self,
        query: PlayerSessionQuery,
    ) -> impl Stream<Item = Result<PlayerSession, CallError>> + Send + use<> {
        let session = self.clone();
        let pages = stream::try_unfold(Some(query), move |query| {
            let session = session.clone();
            async move {
                let Some(query) = query else { return Ok(None) };
                let asked = query.next_token.clone();
                let page = session.describe_player_sessions(query.clone()).await?;
                let next = match page.next_token {
                    // Otherwise a service that repeats itself would be asked for ever.
                    Some(token) if asked.as_deref() == Some(&token) => {
                        return Err(CallError::Unreadable(FrameError::BadField {
                            action: Action::DescribePlayerSessions,
                            request_id: None,
                            reason: "expected a NextToken other than the one asked with".to_owned(),
                        }));
                    }
                    Some(token) => Some(query.from_token(token)),
                    None => None,
                };
                Ok(Some((stream::iter(page.player_sessions.into_iter().map(Ok)), next)))
            }
        });
        pages.try_flatten()
    }

    /// Asks FlexMatch for players to fill open slots; returns the ticket. New players arrive through
    /// [`Event::UpdateGameSession`](crate::Event::UpdateGameSession). `StartMatchBackfill`.
    ///
    /// # Errors
    /// [`CallError`]. After [`CallError::OutcomeUnknown`] a request with the same ticket id may be running.
    ///
    /// # Cancel safety
    ///
    /// Safe for the SDK, but the service may have started looking.
    pub async fn start_backfill(&self, backfill: Backfill) -> Result<String, CallError> {
        let request = Request::StartMatchBackfill(StartMatchBackfill {
            game_session_arn: self.id().clone(),
            matchmaking_configuration_arn: backfill.matchmaking_configuration_arn,
            ticket_id: backfill.ticket_id,
            players: backfill.players,
        });
        match self.call(request).await? {
            Answer::BackfillStarted(started) => Ok(started.ticket_id),
            other => Err(unexpected(&other)),
        }
    }

    /// Stops looking for players. `StopMatchBackfill`.
    ///
    /// # Errors
    /// [`CallError`].
    ///
    /// # Cancel safety
    ///
    /// Safe for the SDK, but the service may have stopped looking.
    pub async fn stop_backfill(
        &self,
        matchmaking_configuration_arn: impl Into<String>,
        ticket_id: impl Into<String>,
    ) -> Result<(), CallError> {
        let request = Request::StopMatchBackfill(StopMatchBackfill {
            game_session_arn: self.id().clone(),
            matchmaking_configuration_arn: matchmaking_configuration_arn.into(),
            ticket_id: ticket_id.into(),
        });
        self.call(request).await.map(|_| ())
    }

    fn player(&self, player_session_id: &PlayerSessionId) -> PlayerSessionRequest {
        PlayerSessionRequest {
            game_session_id: self.id().clone(),
            player_session_id: player_session_id.clone(),
        }
    }

    async fn call(&self, request: Request) -> Result<Answer, CallError> {
        call(&self.commands, &self.shared, request).await
    }
}

/// Which player sessions to look up: by exactly one thing, which the type sees to.
#[derive(Clone, Debug)]
pub struct PlayerSessionQuery {
    by: By,
    status: Option<PlayerSessionStatus>,
    next_token: Option<String>,
    limit: Option<u32>,
}

#[derive(Clone, Debug)]
enum By {
    GameSession,
    OtherGameSession(GameSessionId),
    PlayerSession(PlayerSessionId),
    Player(String),
}

impl PlayerSessionQuery {
    fn by(by: By) -> Self {
        Self { by, status: None, next_token: None, limit: None }
    }

    /// Everybody of this game session.
    pub fn of_this_game_session() -> Self {
        Self::by(By::GameSession)
    }

    /// Everybody of another game session.
    pub fn of_game_session(id: GameSessionId) -> Self {
        Self::by(By::OtherGameSession(id))
    }

    /// One player session.
    pub fn player_session(id: PlayerSessionId) -> Self {
        Self::by(By::PlayerSession(id))
    }

    /// All sessions of one player, by the game's own id.
    pub fn player(id: impl Into<String>) -> Self {
        Self::by(By::Player(id.into()))
    }

    /// Only those in this status; the service heeds it for game sessions only.
    pub fn with_status(mut self, status: PlayerSessionStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// The page after the one that named this token.
    pub fn from_token(mut self, next_token: impl Into<String>) -> Self {
        self.next_token = Some(next_token.into());
        self
    }

    /// Most to return; up to the service unless set.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

/// A request for more players.
#[derive(Clone, Debug)]
pub struct Backfill {
    matchmaking_configuration_arn: String,
    ticket_id: Option<String>,
    players: Vec<BackfillPlayer>,
}

impl Backfill {
    /// For the matchmaker that made the match: `matchmakingConfigurationArn` of the game session's matchmaker data.
    pub fn new(matchmaking_configuration_arn: impl Into<String>) -> Self {
        Self {
            matchmaking_configuration_arn: matchmaking_configuration_arn.into(),
            ticket_id: None,
            players: Vec::new(),
        }
    }

    /// The ticket's id; the service makes one up unless it is set.
    pub fn ticket_id(mut self, id: impl Into<String>) -> Self {
        self.ticket_id = Some(id.into());
        self
    }

    /// Somebody who is in the game now. Latencies are in milliseconds, by location.
    pub fn player(
        mut self,
        player_id: impl Into<String>,
        team: impl Into<String>,
        attributes: BTreeMap<String, AttributeValue>,
        latency_in_ms: BTreeMap<String, i64>,
    ) -> Self {
        self.players.push(BackfillPlayer {
            player_id: player_id.into(),
            team: Some(team.into()),
            player_attributes: attributes,
            latency_in_ms,
        });
        self
    }

    /// Everybody who is in the game now, as the wire has them.
    pub fn players(mut self, players: impl IntoIterator<Item = BackfillPlayer>) -> Self {
        self.players.extend(players);
        self
    }
}
