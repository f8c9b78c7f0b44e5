//! From nothing but the backend's address to a seat, for every player at once.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use ::backend::caller::PlayerId;
use sample_client::backend::{
    Client, ClientConfig, Connection, Entry, FollowOptions, Milestone, PlayError, PushBy, StartRequest, Wish,
};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::crowd::Member;
use super::stage::Stage;
use super::{DemoError, Narrator, Push, STEP_TIMEOUT};

const SIGN_IN: &str = "steps 1-2 (identity and credentials)";
const MATCH: &str = "steps 3-12 (asking for a match)";

/// A game session that hosts a match, and who was given a seat in it.
pub(super) struct Hosted {
    pub(super) id: String,
    pub(super) address: SocketAddr,
    pub(super) seats: Vec<Seat>,
}

pub(super) struct Seat {
    pub(super) player: String,
    pub(super) player_session_id: String,
}

/// A player with an identity.
pub(super) struct Known {
    member: Member,
    client: Client,
}

/// Steps 1 and 2: an identity for everybody, and credentials for it. What the table says of them is written by this machine's
/// owner, as no client may.
pub(super) async fn sign_in(stage: &Stage, crowd: &[Member]) -> Result<Vec<Known>, DemoError> {
    let config = ClientConfig { backend: stage.backend.url(), ..ClientConfig::default() };
    let first = Client::new(config).map_err(|error| DemoError::new(SIGN_IN, error))?;
    let mut known = Vec::with_capacity(crowd.len());
    for member in crowd {
        let client = first.another_player();
        client.sign_in().await.map_err(|error| DemoError::new(SIGN_IN, error))?;
        let identity = client.identity_id().await.ok_or_else(|| DemoError::new(SIGN_IN, "no identity"))?;
        let rated = stage.backend.backend().set_skill(&PlayerId::new(identity), member.skill).await;
        rated.map_err(|error| DemoError::new("step 4 (player data)", error))?;
        known.push(Known { member: member.clone(), client });
    }
    Ok(known)
}

/// How many players heard of their seats in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// By asking only.
    pub asking: usize,
    /// While they listened on a WebSocket.
    pub web_socket: usize,
    /// While they listened to a gRPC stream.
    pub grpc: usize,
}

impl Heard {
    fn count(&mut self, by: Option<PushBy>) {
        match by {
            None => self.asking += 1,
            Some(PushBy::WebSocket) => self.web_socket += 1,
            Some(PushBy::Grpc) => self.grpc += 1,
        }
    }
}

/// How the player of that number is to hear.
fn push_by(push: Push, index: usize) -> Option<PushBy> {
    match push {
        Push::Mixed => [Some(PushBy::WebSocket), Some(PushBy::Grpc), None][index % 3],
        Push::WebSocket => Some(PushBy::WebSocket),
        Push::Grpc => Some(PushBy::Grpc),
        Push::Poll => None,
    }
}

/// Steps 3 to 12: everybody asks at once, and waits.
pub(super) async fn find_matches(
    players: Vec<Known>,
    push: Push,
    narrator: &Narrator,
) -> Result<(Vec<Hosted>, Heard), DemoError> {
    let began = Instant::now();
    let mut searching = JoinSet::new();
    let count = players.len();
    for (index, player) in players.into_iter().enumerate() {
        searching.spawn(find_match(player, push_by(push, index)));
    }
    let (mut sessions, mut heard) = (Sessions::default(), Heard::default());
    while let Some((found, member)) = next(&mut searching).await? {
        let (connection, by) = found.map_err(|error| {
            DemoError::new(MATCH, format!("{}: {}", member.name, super::with_causes(&error)))
        })?;
        heard.count(by);
        sessions.seat(member.name, connection, began)?;
    }
    // There is no seat without one.
    narrator.fact("tickets", format!("{count}, each written to the table before GameLift was asked"));
    sessions.narrate(narrator);
    Ok((sessions.hosted, heard))
}

type Found = Result<(Connection, Option<PushBy>), PlayError>;

/// A seat, and what the player listened to when it came, if it could be opened.
async fn find_match(player: Known, push: Option<PushBy>) -> (Found, Member) {
    let Known { member, client } = player;
    let request = StartRequest { latencies: member.latency_ms.clone(), ..StartRequest::default() };
    let follow = FollowOptions { accept: true, push, wait_max: STEP_TIMEOUT };
    let wish = Wish { entry: Entry::Start(request), follow };
    // Nobody changes their mind.
    let stop = CancellationToken::new();
    let mut listening = None;
    let found = client.find_match(wish, &stop, |milestone| match milestone {
        Milestone::Pushing(by) => listening = Some(by),
        Milestone::PushLost => listening = None,
        _ => {}
    });
    let found = found.await;
    (found.map(|connection| (connection, listening)), member)
}

/// The next player who has found a match or given up, in time.
async fn next<T: 'static>(searching: &mut JoinSet<T>) -> Result<Option<T>, DemoError> {
    match timeout(STEP_TIMEOUT, searching.join_next()).await {
        Ok(Some(Ok(found))) => Ok(Some(found)),
        Ok(Some(Err(error))) => Err(DemoError::new(MATCH, error)),
        Ok(None) => Ok(None),
        Err(_) => {
            let message =
                format!("{} players heard nothing in {} s", searching.len(), STEP_TIMEOUT.as_secs());
            Err(DemoError::new(MATCH, message))
        }
    }
}

/// Game sessions as their players hear of them.
#[derive(Default)]
struct Sessions {
    hosted: Vec<Hosted>,
    by_id: BTreeMap<String, usize>,
    seconds: Vec<f64>,
}

impl Sessions {
    fn seat(&mut self, player: String, connection: Connection, began: Instant) -> Result<(), DemoError> {
        let endpoint = connection.endpoints.first();
        let endpoint = endpoint.ok_or_else(|| DemoError::new(MATCH, "the connection has no endpoint"))?;
        let address = format!("{}:{}", endpoint.ip, endpoint.port);
        let address = address.parse().map_err(|error| DemoError::new(MATCH, error))?;
        let id = connection.game_session_id;
        let index = *self.by_id.entry(id.clone()).or_insert(self.hosted.len());
        if index == self.hosted.len() {
            self.hosted.push(Hosted { id, address, seats: Vec::new() });
            self.seconds.push(began.elapsed().as_secs_f64());
        }
        self.hosted[index].seats.push(Seat { player, player_session_id: connection.player_session_id });
        Ok(())
    }

    fn narrate(&self, narrator: &Narrator) {
        for (hosted, seconds) in self.hosted.iter().zip(&self.seconds) {
            let names: Vec<_> = hosted.seats.iter().map(|seat| seat.player.as_str()).collect();
            narrator.fact(&format!("after {seconds:.1} s"), names.join(" "));
        }
    }
}
