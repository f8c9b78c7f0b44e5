//! What server processes ask, and what they are answered.
//!
//! Every request frame with a `RequestId` gets exactly one reply, on the connection it came from. The answers to
//! requests with an effect are remembered, because C++ SDK 5.4.0 sends an unanswered request again.

use gamelift_wire::{
    envelope::{Action, ClientFrame, FrameError, error_text, success_text},
    ids::{GameSessionId, PlayerSessionId, RequestId},
    model::{self as wire, EpochMillis},
    requests::{
        ActivateServerProcess, BackfillStarted, ComputeCertificate, DescribePlayerSessions, Empty,
        PlayerSessionRequest, PlayerSessionsPage, Request, UpdatePlayerSessionCreationPolicy,
    },
};

use super::{
    ConnectionId, Effect, Engine,
    game_session::{GameSession, GameSessionKey},
    matchmaking::backfill_player,
    player_session::PlayerSessionKey,
    process::{Process, ProcessKey, ProcessState},
};
use crate::{ApiError, ErrorKind, Timestamp, model::*};

/// Highest port a game session may have (AWS API reference, PortNumber).
const PORT_MAX: i64 = 60_000;

enum Reply {
    Empty,
    PlayerSessions(PlayerSessionsPage),
    Certificate(ComputeCertificate),
    Backfill(BackfillStarted),
}

impl Reply {
    fn to_text(&self, action: &Action, id: &RequestId) -> String {
        match self {
            Self::Empty => success_text(action, id, &Empty {}),
            Self::PlayerSessions(page) => success_text(action, id, page),
            Self::Certificate(certificate) => success_text(action, id, certificate),
            Self::Backfill(started) => success_text(action, id, started),
        }
    }
}

/// A refusal: `StatusCode` and `ErrorMessage`.
struct Refusal(u16, String);

fn refuse<T>(status: u16, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(status, message.into()))
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let status = match error.kind {
            ErrorKind::NotFound => 404,
            kind => kind.http_status(),
        };
        Self(status, error.message)
    }
}

impl Engine {
    /// A text frame arrived from a server process.
    pub fn sdk_text(&mut self, now: Timestamp, connection: ConnectionId, text: &str) {
        let Some(&key) = self.connections.get(&connection) else {
            self.counters.frames_ignored += 1;
            return;
        };
        match ClientFrame::parse(text) {
            Ok(ClientFrame { request_id, request }) => {
                let action = request.action();
                let answers = self.processes.get(&key).map(|process| &process.answers);
                let text = match answers.and_then(|answers| answers.get(&action, &request_id)) {
                    Some(answer) => answer.to_owned(),
                    None => self.answer(now, key, connection, &action, request_id, request),
                };
                self.effects.push_back(Effect::Send { connection, text, push: false });
            }
            Err(error) => self.refuse_frame(connection, &error),
        }
        self.serve_lines(now);
    }

    /// A frame arrived that is no request. Whoever waits for an answer is told; the rest is counted.
    fn refuse_frame(&mut self, connection: ConnectionId, error: &FrameError) {
        let Some(request_id) = error.request_id() else {
            self.counters.frames_ignored += 1;
            tracing::warn!(?connection, %error, "frame ignored");
            return;
        };
        let action = match error {
            FrameError::UnknownAction { action, .. } => Action::from(action.as_str()),
            FrameError::BadField { action, .. } => action.clone(),
            _ => Action::Other(String::new()),
        };
        let text = error_text(&action, request_id, 400, &error.to_string());
        self.effects.push_back(Effect::Send { connection, text, push: false });
    }

    fn answer(
        &mut self,
        now: Timestamp,
        key: ProcessKey,
        connection: ConnectionId,
        action: &Action,
        request_id: RequestId,
        request: Request,
    ) -> String {
        let repeatable = matches!(
            action,
            Action::DescribePlayerSessions | Action::GetComputeCertificate | Action::GetFleetRoleCredentials
        );
        let text = match self.request(now, key, connection, request) {
            Ok(reply) => reply.to_text(action, &request_id),
            Err(Refusal(status, message)) => error_text(action, &request_id, status, &message),
        };
        // Looking something up twice has no second effect, and its answers may be long.
        if !repeatable && let Some(process) = self.processes.get_mut(&key) {
            process.answers.remember(now, action.clone(), request_id, text.clone());
        }
        text
    }

    fn request(
        &mut self,
        now: Timestamp,
        key: ProcessKey,
        connection: ConnectionId,
        request: Request,
    ) -> Result<Reply, Refusal> {
        if let Request::ActivateServerProcess(request) = request {
            return self.activate_server_process(now, key, connection, &request);
        }
        // Only the execution that became ready asks for anything else.
        if !self.is_proven(key, connection) {
            self.prove(key, connection);
        }
        match request {
            Request::HeartbeatServerProcess(request) => {
                self.check_active(key)?;
                self.heartbeat(now, key, request.health_status);
            }
            Request::TerminateServerProcess => self.process_ending(now, key),
            Request::ActivateGameSession(request) => {
                let (game_session, session) = self.hosted(key, &request.game_session_id)?;
                let status = session.model.status;
                if !self.activate_game_session(now, game_session) {
                    let status = status.as_str();
                    return refuse(
                        409,
                        format!("GameSession has a status of {status} instead of ACTIVATING"),
                    );
                }
            }
            Request::UpdatePlayerSessionCreationPolicy(request) => self.update_policy(key, &request)?,
            Request::AcceptPlayerSession(request) => {
                let player = self.player_in(key, &request, PlayerSessionStatus::Reserved)?;
                self.accept_player_session(player);
            }
            Request::RemovePlayerSession(request) => {
                let player = self.player_in(key, &request, PlayerSessionStatus::Active)?;
                self.end_player_session(now, player);
            }
            Request::DescribePlayerSessions(request) => return self.describe_for_process(now, request),
            Request::StartMatchBackfill(request) => {
                let arn = self.hosted(key, &request.game_session_arn)?.1.model.game_session_id.clone();
                let input = StartMatchBackfillInput {
                    ticket_id: request.ticket_id,
                    configuration_name: Some(request.matchmaking_configuration_arn),
                    game_session_arn: Some(arn),
                    players: Some(request.players.into_iter().map(backfill_player).collect()),
                };
                let ticket_id = self.backfill(now, input)?;
                return Ok(Reply::Backfill(BackfillStarted { ticket_id }));
            }
            Request::StopMatchBackfill(request) => {
                let arn = self.hosted(key, &request.game_session_arn)?.1.model.game_session_id.clone();
                self.stop_backfill(now, &request.matchmaking_configuration_arn, &request.ticket_id, &arn)?;
            }
            Request::GetComputeCertificate => return self.compute_certificate(key),
            // Success without an access key is how the service says "Anywhere fleet" (Go SDK 5.6.0).
            Request::GetFleetRoleCredentials(_) => {}
            other => return refuse(400, format!("{} is not supported by this GameLift", other.action())),
        }
        Ok(Reply::Empty)
    }

    /// ProcessReady.
    fn activate_server_process(
        &mut self,
        now: Timestamp,
        key: ProcessKey,
        connection: ConnectionId,
        request: &ActivateServerProcess,
    ) -> Result<Reply, Refusal> {
        let port = u16::try_from(request.port).ok().filter(|_| (1..=PORT_MAX).contains(&request.port));
        let Some(port) = port else {
            return refuse(400, format!("Port is {}, but must be 1 to {PORT_MAX}", request.port));
        };
        if self.processes.get(&key).is_some_and(|process| process.active().is_some()) {
            if self.is_proven(key, connection) {
                return refuse(
                    409,
                    "this server process is ready already; a process calls ProcessReady once",
                );
            }
            // No connection of the execution that was ready is left, and this one has an idempotency token of its
            // own: the process was started again under the same id. The old execution is gone.
            let what = "was started again without ProcessEnding";
            self.record_process(now, key, EventCode::ServerProcessCrashed, what);
            self.process_ended(now, key);
        }
        let mut sdk = format!("{} {}", request.sdk_language, request.sdk_version);
        if let Some(tool) = &request.sdk_tool_name {
            sdk = format!("{sdk}, {tool} {}", request.sdk_tool_version.as_deref().unwrap_or_default());
        }
        self.process_ready(now, key, port, sdk);
        Ok(Reply::Empty)
    }

    fn check_active(&self, key: ProcessKey) -> Result<(), Refusal> {
        match self.processes.get(&key).map(|process| &process.state) {
            Some(ProcessState::Active(_)) => Ok(()),
            Some(ProcessState::Activating) => {
                refuse(400, "this server process is not ready; call ProcessReady first")
            }
            Some(ProcessState::Terminated) | None => {
                refuse(400, "this server process has ended; call ProcessReady to host game sessions again")
            }
        }
    }

    /// The game session this process hosts, if it is the one the request names.
    fn hosted(
        &self,
        key: ProcessKey,
        named: &GameSessionId,
    ) -> Result<(GameSessionKey, &GameSession), Refusal> {
        self.check_active(key)?;
        if named.is_empty() {
            return refuse(400, "GameSessionId is missing");
        }
        let hosted =
            self.processes.get(&key).and_then(Process::active).and_then(|active| active.game_session);
        let named_key = self.game_session(named.as_str())?.0;
        match hosted.filter(|hosted| *hosted == named_key) {
            Some(hosted) => match self.game_sessions.get(hosted) {
                Some(session) => Ok((hosted, session)),
                None => refuse(500, "the game session is gone"),
            },
            None => refuse(404, format!("GameSession ({named}) is not hosted by this server process")),
        }
    }

    fn update_policy(
        &mut self,
        key: ProcessKey,
        request: &UpdatePlayerSessionCreationPolicy,
    ) -> Result<(), Refusal> {
        let (game_session, _) = self.hosted(key, &request.game_session_id)?;
        let Some(policy) = PlayerSessionCreationPolicy::parse(request.policy.as_str()) else {
            let given = &request.policy;
            return refuse(
                400,
                format!("PlayerSessionPolicy is {given}, but must be ACCEPT_ALL or DENY_ALL"),
            );
        };
        if let Some(session) = self.game_sessions.get_mut(game_session) {
            session.model.player_session_creation_policy = policy;
        }
        Ok(())
    }

    /// The player session a request names, if it is in the hosted game session and has the right status.
    ///
    /// The refusal of a status is the service's, id included (AWS GameTech forum, "Reconnecting PlayerSessions - Gamelift
    /// Realtime"). The others are ours, and leave the id out.
    fn player_in(
        &self,
        key: ProcessKey,
        request: &PlayerSessionRequest,
        status: PlayerSessionStatus,
    ) -> Result<PlayerSessionKey, Refusal> {
        let (game_session, _) = self.hosted(key, &request.game_session_id)?;
        let id = request.player_session_id.as_str();
        let found = self.player_sessions.key(id).and_then(|key| Some((key, self.player_sessions.get(key)?)));
        match found {
            Some((_, session)) if session.game_session != game_session => {
                refuse(404, "the PlayerSession is not in this game session")
            }
            Some((_, session)) if session.model.status != status => {
                let (is, instead) = (session.model.status.as_str(), status.as_str());
                refuse(400, format!("PlayerSession ({id}) has a status of {is} instead of {instead}"))
            }
            Some((key, _)) => Ok(key),
            None => refuse(404, "PlayerSession not found"),
        }
    }

    fn describe_for_process(
        &mut self,
        now: Timestamp,
        request: DescribePlayerSessions,
    ) -> Result<Reply, Refusal> {
        let text = |id: PlayerSessionId| (!id.is_empty()).then(|| id.as_str().to_owned());
        let input = DescribePlayerSessionsInput {
            game_session_id: request.game_session_id,
            player_id: request.player_id,
            player_session_id: request.player_session_id.and_then(text),
            player_session_status_filter: request
                .player_session_status_filter
                .map(|status| status.as_str().to_owned())
                .filter(|status| !status.is_empty() && status != "NOT_SET"),
            // Go sends what it was given, negative numbers included; 0 leaves it to the service.
            limit: request.limit.filter(|limit| *limit > 0),
            next_token: request.next_token,
        };
        let output = self.describe_player_sessions(now, input)?;
        let player_sessions = output.player_sessions.into_iter().map(on_the_wire).collect();
        Ok(Reply::PlayerSessions(PlayerSessionsPage { next_token: output.next_token, player_sessions }))
    }

    fn compute_certificate(&self, key: ProcessKey) -> Result<Reply, Refusal> {
        let process = self.processes.get(&key);
        let compute =
            process.and_then(|process| self.fleets.get(&process.fleet)?.computes.get(&process.compute));
        match compute.and_then(|compute| Some((compute, compute.certificate_path.clone()?))) {
            Some((compute, certificate_path)) => Ok(Reply::Certificate(ComputeCertificate {
                certificate_path,
                compute_name: compute.name.clone(),
            })),
            None => refuse(404, "this compute was registered without CertificatePath"),
        }
    }
}

fn on_the_wire(session: PlayerSession) -> wire::PlayerSession {
    let millis = |time: Timestamp| EpochMillis(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
    let mut wire = wire::PlayerSession::default();
    wire.player_id = Some(session.player_id);
    wire.player_session_id = PlayerSessionId::new_unchecked(session.player_session_id);
    wire.game_session_id = GameSessionId::new_unchecked(session.game_session_id);
    wire.fleet_id = Some(session.fleet_id);
    wire.player_data = session.player_data;
    wire.ip_address = session.ip_address;
    wire.port = Some(session.port);
    wire.creation_time = Some(millis(session.creation_time));
    wire.termination_time = session.termination_time.map(millis);
    wire.dns_name = session.dns_name;
    wire.status = Some(wire::PlayerSessionStatus::from(session.status.as_str()));
    wire
}
