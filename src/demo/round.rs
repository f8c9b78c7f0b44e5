//! One round, step by step, in the words and with the numbers of AWS's reference architecture.
//!
//! The players know the backend's address and nothing else; whatever they learn, they learn from it.

use aws_sdk_gamelift::types::{
    GameSession, GameSessionStatus, PlayerSession, PlayerSessionStatus, TerminationMode,
};
use sample_client::swarm::{self, SwarmConfig, SwarmReport, Target};
use sample_client::{JoinConfig, JoinError, Player, RefusalReason, Trust};
use std::collections::BTreeMap;
use tokio::time::{Instant, sleep, timeout};

use super::crowd::{self, Member};
use super::fleet::LOCATIONS;
use super::players::{self, Heard, Hosted};
use super::stage::Stage;
use super::{DemoError, Narrator, Options, POLL_INTERVAL, STEP_TIMEOUT, missing};

/// What a round came to. There is none unless everything went right.
#[derive(Clone, Debug)]
pub struct Round {
    /// Players who were matched, placed, validated and played.
    pub players: usize,
    /// Game sessions they were placed in, one per match.
    pub game_sessions: usize,
    /// Players by the location that they were placed in.
    pub locations: BTreeMap<String, usize>,
    /// Players by how they heard of their seats.
    pub heard: Heard,
    /// Attempts without a valid player session, all of them refused.
    pub refused: usize,
    /// What the players measured.
    pub swarm: SwarmReport,
}

impl Round {
    /// One line for programs.
    pub fn to_json(&self) -> String {
        let Self { players, game_sessions, locations, heard, refused, swarm } = self;
        let heard = serde_json::json!({
            "asking": heard.asking, "websocket": heard.web_socket, "grpc": heard.grpc,
        });
        serde_json::json!({
            "ok": true, "players": players, "gameSessions": game_sessions, "locations": locations,
            "heard": heard, "refused": refused, "swarm": swarm,
        })
        .to_string()
    }
}

pub(super) async fn play(
    stage: &mut Stage,
    options: &Options,
    narrator: &Narrator,
) -> Result<Round, DemoError> {
    let crowd = crowd::crowd(options.players);
    narrator.step("1-2", "each player gets an identity and credentials, as from Amazon Cognito");
    let players = players::sign_in(stage, &crowd).await?;
    narrator.fact("identities", players.len().to_string());

    narrator.step(
        "3-5",
        "signed requests (SigV4); the backend reads each player's skill and calls StartMatchmaking",
    );
    let (hosted, heard) = players::find_matches(players, options.push, narrator).await?;

    narrator.step("6", "a rule set has decided who plays whom, a queue where");
    let locations = locate(stage, &hosted, &crowd, narrator).await?;

    narrator.step("7-9", "GameLift told SNS, SNS told the backend, which wrote the results to its table");
    let told = told(stage).await?;
    narrator.fact("events", format!("{told} published by GameLift"));

    narrator
        .step("10-12", "each player learns address, port, player session id and the server's fingerprint");
    for (name, count, how) in [
        ("listening", heard.web_socket, " on a WebSocket"),
        ("listening", heard.grpc, " to a gRPC stream"),
        ("asking", heard.asking, ""),
    ] {
        if count > 0 {
            narrator.fact(name, format!("{count} players{how}"));
        }
    }
    for session in &hosted {
        narrator.fact("reserved", format!("{} places at {} in", session.seats.len(), session.address));
        narrator.fact("", &session.id);
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
    }
    narrator.fact("terminated", "every game session: the servers drained and ended");
    let (players, game_sessions) = (options.players, hosted.len());
    Ok(Round { players, game_sessions, locations, heard, refused: refused + 1, swarm })
}

/// Events that GameLift has published.
async fn told(stage: &Stage) -> Result<u64, DemoError> {
    let snapshot = stage.local.snapshot().await;
    let snapshot = snapshot.ok_or_else(|| DemoError::new("steps 7-9 (events)", "GameLift has stopped"))?;
    Ok(snapshot.counters.events_published)
}

/// Looks up where everybody was placed. Near home, or the queue has not listened to their latencies.
async fn locate(
    stage: &Stage,
    hosted: &[Hosted],
    crowd: &[Member],
    narrator: &Narrator,
) -> Result<BTreeMap<String, usize>, DemoError> {
    const STEP: &str = "step 6 (placing by latency)";
    let homes: BTreeMap<&str, &str> =
        crowd.iter().map(|member| (member.name.as_str(), member.home)).collect();
    let mut players: BTreeMap<String, usize> = BTreeMap::new();
    for session in hosted {
        let location = describe(stage, &session.id, STEP).await?.location.unwrap_or_default();
        if let Some(seat) = session.seats.iter().find(|seat| homes[seat.player.as_str()] != location) {
            let home = homes[seat.player.as_str()];
            let message = format!("{} was placed in {location} and is near {home}", seat.player);
            return Err(DemoError::new(STEP, message));
        }
        *players.entry(location).or_default() += session.seats.len();
    }
    for location in LOCATIONS {
        if let Some(count) = players.get(location) {
            let sessions = "game sessions placed by latency";
            narrator.fact(location, format!("{count} players near it, {sessions}"));
        }
    }
    Ok(players)
}

fn targets(stage: &Stage, hosted: &[Hosted]) -> Vec<Target> {
    let fingerprint = stage.fingerprint;
    let seats =
        hosted.iter().flat_map(|session| session.seats.iter().map(move |seat| (session.address, seat)));
    seats
        .map(|(address, seat)| {
            let player_session_id = seat.player_session_id.clone();
            Target { address, player_session_id, fingerprint, game_session_id: None }
        })
        .collect()
}

/// Those who must not get in. Without this, a server that lets everybody in would look just as good.
async fn turn_away(stage: &Stage, hosted: &Hosted, narrator: &Narrator) -> Result<usize, DemoError> {
    let player_session_id = "psess-00000000-0000-4000-8000-000000000000".to_owned();
    let target = Target {
        address: hosted.address,
        player_session_id,
        fingerprint: stage.fingerprint,
        game_session_id: None,
    };
    expect_refusal(target, "an id that GameLift never gave out").await?;
    narrator.fact("refused", "a player session id that GameLift never gave out");
    Ok(1)
}

async fn expect_refusal(target: Target, whose: &str) -> Result<(), DemoError> {
    const STEP: &str = "step 13 (refusing)";
    let Target { address, player_session_id, fingerprint, .. } = target;
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
