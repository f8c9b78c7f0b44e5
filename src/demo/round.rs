//! One round, step by step, in the words and with the numbers of AWS's reference architecture.
//!
//! Steps 1 to 5 (identity, signed request, matchmaking) and 7 to 9 (events) are not here: the round begins where a match
//! would be placed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use aws_sdk_gamelift::types::{
    GameSession, GameSessionStatus, PlayerSession, PlayerSessionStatus, TerminationMode,
};
use sample_client::swarm::{self, SwarmConfig, SwarmReport, Target};
use sample_client::{JoinConfig, JoinError, Player, RefusalReason, Trust};
use tokio::time::{Instant, sleep, timeout};

use super::stage::{SEATS, Stage, missing};
use super::{DemoError, Narrator, Options, STEP_TIMEOUT};

/// Player sessions per CreatePlayerSessions call (AWS API reference).
const PLAYER_SESSIONS_PER_CALL: usize = 25;

/// How often to ask again for something that takes milliseconds.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// What a round came to. There is none unless everything went right.
#[derive(Clone, Debug)]
pub struct Round {
    /// Players who were placed, validated and played.
    pub players: usize,
    /// Game sessions they were placed in.
    pub game_sessions: usize,
    /// Attempts without a valid player session, all of them refused.
    pub refused: usize,
    /// What the players measured.
    pub swarm: SwarmReport,
}

impl Round {
    /// One line for programs.
    pub fn to_json(&self) -> String {
        let Self { players, game_sessions, refused, swarm } = self;
        serde_json::json!({
            "ok": true, "players": players, "gameSessions": game_sessions, "refused": refused, "swarm": swarm,
        })
        .to_string()
    }
}

/// A game session that hosts, and who will come to it.
struct Hosted {
    id: String,
    address: SocketAddr,
    seats: Vec<Seat>,
}

struct Seat {
    player_session_id: String,
}

pub(super) async fn play(
    stage: &mut Stage,
    options: &Options,
    narrator: &Narrator,
) -> Result<Round, DemoError> {
    let mut hosted = Vec::new();
    let names: Vec<String> = (1..=options.players).map(|number| format!("player-{number}")).collect();
    for (index, group) in names.chunks(SEATS).enumerate() {
        let mut session = place(stage, index, narrator).await?;
        session.seats = reserve(stage, &session.id, group, narrator).await?;
        hosted.push(session);
    }

    narrator
        .step("13", "players connect over QUIC; the server asks GameLift about each before it lets them in");
    let refused = turn_away(stage, &hosted[0], narrator).await?;
    let targets = targets(stage, &hosted);
    let first = targets.first().cloned();
    let swarm = swarm::run(SwarmConfig::new(targets, options.play_for)).await;
    if swarm.joined != options.players || swarm.dropped > 0 {
        let told = swarm.to_string().replace('\n', "; ");
        return Err(DemoError::new("step 13 (joining and playing)", told));
    }
    narrator.fact("validated", format!("{} of {} by AcceptPlayerSession", swarm.joined, options.players));

    if let Some(target) = first {
        expect_refusal(target, "an id that has been used").await?;
        narrator.fact("refused", "a player session id that was used before");
    }
    all_completed(stage, &hosted).await?;
    narrator.fact("left", "every player session is COMPLETED, its place free again");
    for session in &hosted {
        terminate(stage, &session.id).await?;
        narrator.fact("terminated", &session.id);
    }
    Ok(Round { players: options.players, game_sessions: hosted.len(), refused: refused + 1, swarm })
}

/// A game session on an idle process, waited for until it is ACTIVE.
async fn place(stage: &Stage, index: usize, narrator: &Narrator) -> Result<Hosted, DemoError> {
    const STEP: &str = "step 6 (CreateGameSession)";
    narrator.step("6", "a match becomes a game session on an idle server process");
    let created = stage
        .aws
        .create_game_session()
        .fleet_id(&stage.fleet_id)
        .location(&stage.location)
        .maximum_player_session_count(SEATS as i32)
        .name(format!("arena {}", index + 1))
        .send()
        .await
        .map_err(|error| DemoError::new(STEP, error))?;
    let created = created.game_session.ok_or_else(|| missing(STEP, "GameSession"))?;
    let id = created.game_session_id.ok_or_else(|| missing(STEP, "GameSessionId"))?;
    narrator.fact("game session", &id);
    let active = wait_for(STEP, &format!("{id} did not become ACTIVE"), || async {
        let session = describe(stage, &id, STEP).await?;
        Ok((session.status == Some(GameSessionStatus::Active)).then_some(session))
    })
    .await?;
    let (ip, port) = (active.ip_address.unwrap_or_default(), active.port.unwrap_or_default());
    let address = format!("{ip}:{port}").parse().map_err(|error| DemoError::new(STEP, error))?;
    narrator.fact("activated", format!("by the game server, at {address}"));
    Ok(Hosted { id, address, seats: Vec::new() })
}

/// Player sessions: what a player is told in steps 10 to 12.
async fn reserve(
    stage: &Stage,
    game_session_id: &str,
    players: &[String],
    narrator: &Narrator,
) -> Result<Vec<Seat>, DemoError> {
    const STEP: &str = "steps 10-12 (CreatePlayerSessions)";
    narrator.step("10-12", "each player is told address, port and player session id");
    let mut seats = Vec::new();
    for chunk in players.chunks(PLAYER_SESSIONS_PER_CALL) {
        let reserved = stage
            .aws
            .create_player_sessions()
            .game_session_id(game_session_id)
            .set_player_ids(Some(chunk.to_vec()))
            .send()
            .await
            .map_err(|error| DemoError::new(STEP, error))?;
        for session in reserved.player_sessions.unwrap_or_default() {
            let player_session_id =
                session.player_session_id.ok_or_else(|| missing(STEP, "PlayerSessionId"))?;
            seats.push(Seat { player_session_id });
        }
    }
    if seats.len() != players.len() {
        return Err(DemoError::new(STEP, format!("{} places for {} players", seats.len(), players.len())));
    }
    narrator.fact("reserved", format!("{} places for {}", seats.len(), players.join(", ")));
    Ok(seats)
}

fn targets(stage: &Stage, hosted: &[Hosted]) -> Vec<Target> {
    let fingerprint = stage.fingerprint;
    let seats =
        hosted.iter().flat_map(|session| session.seats.iter().map(move |seat| (session.address, seat)));
    seats
        .map(|(address, seat)| {
            let player_session_id = seat.player_session_id.clone();
            Target { address, player_session_id, fingerprint }
        })
        .collect()
}

/// Those who must not get in. Without this, a server that lets everybody in would look just as good.
async fn turn_away(stage: &Stage, hosted: &Hosted, narrator: &Narrator) -> Result<usize, DemoError> {
    let player_session_id = "psess-00000000-0000-4000-8000-000000000000".to_owned();
    let target = Target { address: hosted.address, player_session_id, fingerprint: stage.fingerprint };
    expect_refusal(target, "an id that GameLift never gave out").await?;
    narrator.fact("refused", "a player session id that GameLift never gave out");
    Ok(1)
}

async fn expect_refusal(target: Target, whose: &str) -> Result<(), DemoError> {
    const STEP: &str = "step 13 (refusing)";
    let Target { address, player_session_id, fingerprint } = target;
    let config = JoinConfig::new(address, Trust::Fingerprint(fingerprint), player_session_id);
    match timeout(STEP_TIMEOUT, Player::join(config)).await {
        Ok(Err(JoinError::Refused { reason: RefusalReason::RefusedByService, .. })) => Ok(()),
        Ok(Err(error)) => Err(DemoError::new(STEP, error)),
        Ok(Ok(_)) => Err(DemoError::new(STEP, format!("{whose} was let in"))),
        Err(_) => Err(DemoError::new(STEP, format!("{whose} was not answered in time"))),
    }
}

/// Every player has left, and GameLift knows.
async fn all_completed(stage: &Stage, hosted: &[Hosted]) -> Result<(), DemoError> {
    const STEP: &str = "step 13 (leaving)";
    for session in hosted {
        wait_for(STEP, "not every player session became COMPLETED", || async {
            let described = stage.aws.describe_player_sessions().game_session_id(&session.id);
            let sessions: Vec<PlayerSession> = described
                .into_paginator()
                .items()
                .send()
                .collect::<Result<_, _>>()
                .await
                .map_err(|error| DemoError::new(STEP, error))?;
            let mut by_status = BTreeMap::new();
            for session in &sessions {
                *by_status.entry(session.status.clone()).or_insert(0) += 1;
            }
            let completed = by_status.get(&Some(PlayerSessionStatus::Completed)).copied().unwrap_or(0);
            Ok((completed == session.seats.len() && sessions.len() == session.seats.len()).then_some(()))
        })
        .await?;
    }
    Ok(())
}

/// Asks the server to end the session, and waits until it has drained and said so.
async fn terminate(stage: &Stage, id: &str) -> Result<(), DemoError> {
    const STEP: &str = "TerminateGameSession";
    stage
        .aws
        .terminate_game_session()
        .game_session_id(id)
        .termination_mode(TerminationMode::TriggerOnProcessTerminate)
        .send()
        .await
        .map_err(|error| DemoError::new(STEP, error))?;
    wait_for(STEP, &format!("{id} did not become TERMINATED"), || async {
        let session = describe(stage, id, STEP).await?;
        Ok((session.status == Some(GameSessionStatus::Terminated)).then_some(()))
    })
    .await
}

async fn describe(stage: &Stage, id: &str, step: &'static str) -> Result<GameSession, DemoError> {
    let described = stage.aws.describe_game_sessions().game_session_id(id).send().await;
    let sessions = described.map_err(|error| DemoError::new(step, error))?.game_sessions.unwrap_or_default();
    sessions.into_iter().next().ok_or_else(|| missing(step, "GameSession"))
}

/// Asks until there is an answer, within [`STEP_TIMEOUT`].
async fn wait_for<T, F>(
    step: &'static str,
    otherwise: &str,
    mut ask: impl FnMut() -> F,
) -> Result<T, DemoError>
where
    F: Future<Output = Result<Option<T>, DemoError>>,
{
    let deadline = Instant::now() + STEP_TIMEOUT;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if Instant::now() >= deadline {
            return Err(DemoError::new(step, format!("{otherwise} within {} s", STEP_TIMEOUT.as_secs())));
        }
        sleep(POLL_INTERVAL).await;
    }
}
