//! No GameLift at all: a service in memory that starts one game session at once and accepts every player.
//!
//! It speaks the same frames as the real one, so that nothing else of the SDK knows the difference.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{self, BoxFuture};
use futures_util::{FutureExt, StreamExt, sink, stream};
use gamelift_wire::envelope::{ClientFrame, FrameError, error_text, success_text};
use gamelift_wire::ids::{GameSessionId, PlayerSessionId};
use gamelift_wire::model::{PlayerSession, PlayerSessionStatus};
use gamelift_wire::pushes::{CreateGameSession, Push};
use gamelift_wire::requests::{
    BackfillStarted, DescribePlayerSessions, Empty, FleetRoleCredentials, PlayerSessionsPage, Request,
};
use tokio::sync::mpsc;

use crate::error::DialError;
use crate::transport::{Dial, Incoming, Outgoing, Socket, SocketError};
use crate::uplink::CALLS_IN_FLIGHT_MAX;

/// Answers waiting to be read: all that may be asked at once. Beyond it the writer waits for the reader.
const ANSWERS: usize = CALLS_IN_FLIGHT_MAX;

/// The region is one that exists, so that ids pass wherever an ARN is checked.
const GAME_SESSION_ID: &str = "arn:aws:gamelift:us-east-1::gamesession/fleet-offline/gsess-offline";

/// The game session that a process hosts without GameLift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflineSession {
    name: Option<String>,
    max_players: u32,
    properties: BTreeMap<String, String>,
    data: Option<String>,
    matchmaker_data: Option<String>,
}

/// As many players as GameLift allows in one game session (AWS API reference, `MaximumPlayerSessionCount`).
impl Default for OfflineSession {
    fn default() -> Self {
        Self { name: None, max_players: 200, properties: BTreeMap::new(), data: None, matchmaker_data: None }
    }
}

impl OfflineSession {
    /// A label for people.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How many players it says it may hold; 200 unless set. Nobody counts them.
    pub fn max_players(mut self, max: u32) -> Self {
        self.max_players = max;
        self
    }

    /// A game property, such as the map to load.
    pub fn property(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(key.into(), value.into());
        self
    }

    /// `GameSessionData`.
    pub fn data(mut self, data: impl Into<String>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// `MatchmakerData`, as FlexMatch would send it.
    pub fn matchmaker_data(mut self, data: impl Into<String>) -> Self {
        self.matchmaker_data = Some(data.into());
        self
    }
}

/// The network of a process without GameLift.
pub(crate) struct Offline(OfflineSession);

impl Offline {
    pub(crate) fn new(session: &OfflineSession) -> Self {
        Self(session.clone())
    }
}

impl Dial for Offline {
    fn dial(&self, _url: String) -> BoxFuture<'static, Result<Socket, DialError>> {
        let service = Service::new(self.0.clone());
        let (answers, to_read) = mpsc::channel::<String>(ANSWERS);
        let socket = Socket {
            sink: Box::pin(sink::unfold((service, answers), |(mut service, answers), frame| async move {
                if let Outgoing::Text(text) = frame {
                    for answer in service.handle(&text) {
                        answers.send(answer).await.map_err(|_| SocketError("nobody reads".into()))?;
                    }
                }
                Ok((service, answers))
            })),
            stream: Box::pin(
                stream::unfold(to_read, |mut to_read| async move {
                    Some((Ok(Incoming::Text(to_read.recv().await?)), to_read))
                })
                .fuse(),
            ),
        };
        future::ready(Ok(socket)).boxed()
    }
}

/// What answers.
struct Service {
    session: OfflineSession,
    port: Option<u16>,
    started: bool,
    /// Those who are in the game now.
    players: BTreeSet<PlayerSessionId>,
}

impl Service {
    fn new(session: OfflineSession) -> Self {
        Self { session, port: None, started: false, players: BTreeSet::new() }
    }

    /// The answer to a frame, and what comes unasked behind it.
    fn handle(&mut self, text: &str) -> Vec<String> {
        let ClientFrame { request_id: id, request } = match ClientFrame::parse(text) {
            Ok(frame) => frame,
            Err(error) => return refuse(&error),
        };
        let action = request.action();
        let done = success_text(&action, &id, &Empty {});
        match request {
            Request::ActivateServerProcess(ready) => {
                self.port = u16::try_from(ready.port).ok();
                vec![done]
            }
            // As the real one: the session comes once the process has shown that it is alive.
            Request::HeartbeatServerProcess(_) if !self.started => {
                self.started = true;
                vec![done, Push::CreateGameSession(self.create()).to_text()]
            }
            Request::AcceptPlayerSession(player) => {
                self.players.insert(player.player_session_id);
                vec![done]
            }
            Request::RemovePlayerSession(player) => {
                self.players.remove(&player.player_session_id);
                vec![done]
            }
            Request::DescribePlayerSessions(query) => {
                vec![success_text(&action, &id, &self.describe(&query))]
            }
            Request::StartMatchBackfill(start) => {
                // Nobody is found.
                let ticket_id = start.ticket_id.unwrap_or_else(|| "offline-ticket".to_owned());
                vec![success_text(&action, &id, &BackfillStarted { ticket_id })]
            }
            // As on an Anywhere fleet: no role.
            Request::GetFleetRoleCredentials(_) => {
                vec![success_text(&action, &id, &FleetRoleCredentials::default())]
            }
            Request::GetComputeCertificate => {
                vec![error_text(&action, &id, 404, "no certificate: running without GameLift")]
            }
            _ => vec![done],
        }
    }

    fn create(&self) -> CreateGameSession {
        let session = self.session.clone();
        CreateGameSession {
            game_session_id: GameSessionId::new_unchecked(GAME_SESSION_ID),
            game_session_name: session.name,
            game_session_data: session.data,
            matchmaker_data: session.matchmaker_data,
            maximum_player_session_count: Some(session.max_players),
            port: self.port,
            ip_address: Some("127.0.0.1".to_owned()),
            game_properties: session.properties,
            ..CreateGameSession::default()
        }
    }

    /// Whoever is asked for by id exists: nobody else could have reserved a place.
    fn describe(&self, query: &DescribePlayerSessions) -> PlayerSessionsPage {
        let wanted: Vec<&PlayerSessionId> = match &query.player_session_id {
            Some(id) => vec![id],
            None => self.players.iter().collect(),
        };
        let player_sessions = wanted.into_iter().map(|id| self.player_session(id));
        let player_sessions = player_sessions
            .filter(|player| query.player_id.is_none() || player.player_id == query.player_id)
            .filter(|player| {
                query.player_session_status_filter.is_none()
                    || player.status == query.player_session_status_filter
            })
            .collect();
        PlayerSessionsPage { next_token: None, player_sessions }
    }

    fn player_session(&self, id: &PlayerSessionId) -> PlayerSession {
        let accepted = self.players.contains(id);
        let mut player = PlayerSession::default();
        player.player_session_id = id.clone();
        // There is no other name for this player.
        player.player_id = Some(id.as_str().to_owned());
        player.game_session_id = GameSessionId::new_unchecked(GAME_SESSION_ID);
        player.status =
            Some(if accepted { PlayerSessionStatus::Active } else { PlayerSessionStatus::Reserved });
        player
    }
}

/// The SDK sends nothing of the kind; whoever brings a network of their own may.
fn refuse(error: &FrameError) -> Vec<String> {
    let action = gamelift_wire::envelope::Action::from("");
    error.request_id().map(|id| error_text(&action, id, 400, &error.to_string())).into_iter().collect()
}
