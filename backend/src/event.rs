//! GameLift's events, as one piece of news per player.
//!
//! Events come twice, late and in any order: SNS delivers at least once and knows no order (SNS developer guide, "Message
//! delivery"). So each becomes [`News`] with an [`Order`], and whoever keeps the latest by that order ends where everybody
//! ends, whatever came first.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod json;

use crate::caller::PlayerId;
use crate::ticket::{Connection, Endpoint, RESERVATION_MS, Status};

use self::json::{Detail, Envelope, Player};

/// Tickets of automatic backfill, which a game session's own matchmaker starts: no player waits for them.
const AUTOMATIC_BACKFILL: &str = "auto-backfill";
/// Characters of an event's id that count. UUIDs have 36; what is longer is not AWS's.
const ID_CHARACTERS: usize = 64;

/// What an event comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// News for players.
    Tickets {
        /// One each.
        updates: Vec<Update>,
        /// Tickets that are nobody's.
        skipped: u32,
    },
    /// A placement has ended without a game session. The event does not say whose it was.
    PlacementEnded {
        /// The placement's id.
        ticket_id: String,
        /// Which news is the later.
        order: Order,
        /// The same for all its players.
        news: Box<News>,
    },
    /// It is of a type that says nothing to players.
    Ignored {
        /// The type.
        kind: String,
    },
}

/// News for one player.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// The player.
    pub player: PlayerId,
    /// The ticket that they are on.
    pub ticket_id: String,
    /// Which news is the later.
    pub order: Order,
    /// What there is to know.
    pub news: News,
}

/// Which of two pieces of news is the later: by time, then by how far along a ticket is, then by how many players have
/// accepted, then by the event's id, so that no two events are equal. Events tell the time to the second only, so the latter
/// matter. As text it sorts the same, which is how the table compares it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order(String);

/// Digits of an order's time.
const TIME_DIGITS: usize = 15;

impl Order {
    fn new(time: u64, step: u8, accepted: u32, id: &str) -> Self {
        let id: String = id.chars().take(ID_CHARACTERS).collect();
        Self(format!("{time:0width$}.{step:03}.{accepted:04}.{id}", width = TIME_DIGITS))
    }

    /// As the table keeps it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The time in an [`Order`] as the table keeps it, in milliseconds since 1970; none if there has been no event.
pub fn time_of(order: &str) -> Option<u64> {
    order.get(..TIME_DIGITS)?.parse().ok()
}

/// A ticket as GameLift tells it, to one of its players. What is not there is not so any more.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// Where the ticket is.
    pub status: Status,
    /// The player's team.
    pub team: Option<String>,
    /// How many have accepted, of how many.
    pub accepted: Option<(u32, u32)>,
    /// Until when to accept, in milliseconds since 1970.
    pub deadline: Option<u64>,
    /// How long it may take.
    pub estimated_wait_ms: Option<u64>,
    /// Why it ended.
    pub reason: Option<String>,
    /// Where to play.
    pub connection: Option<Connection>,
}

impl News {
    /// A status and nothing more.
    pub fn of(status: Status) -> Self {
        Self {
            status,
            team: None,
            accepted: None,
            deadline: None,
            estimated_wait_ms: None,
            reason: None,
            connection: None,
        }
    }
}

/// This is no event of GameLift's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

/// Reads an event: the JSON that GameLift publishes, which is the `Message` in SNS's envelope.
///
/// # Errors
///
/// It is no JSON, or lacks what its type must have.
pub fn parse(text: &str) -> Result<Event, Malformed> {
    // serde_json's message has the place, and the name of a field at most: no ids.
    let envelope: Envelope = serde_json::from_str(text).map_err(|error| Malformed(error.to_string()))?;
    let time = json::millis(&envelope.time).ok_or_else(|| Malformed("time is not RFC 3339".to_owned()))?;
    if envelope.detail.kind.starts_with("Placement") {
        placement(envelope, time)
    } else {
        matchmaking(envelope, time)
    }
}

/// What a type of matchmaking event means (developer guide, "FlexMatch matchmaking events").
struct Meaning {
    status: Status,
    /// Later steps of one second beat earlier ones.
    step: u8,
}

fn meaning(detail: &Detail) -> Option<Meaning> {
    let plain = |status: Status| Some(Meaning { status, step: status.rank() });
    match detail.kind.as_str() {
        "MatchmakingSearching" => plain(Status::Searching),
        "PotentialMatchCreated" if detail.acceptance_required == Some(true) => {
            plain(Status::RequiresAcceptance)
        }
        // Nobody is asked: the queue has it.
        "PotentialMatchCreated" => plain(Status::Placing),
        "AcceptMatch" => plain(Status::RequiresAcceptance),
        "AcceptMatchCompleted" if detail.acceptance.as_deref() == Some("Accepted") => plain(Status::Placing),
        // Whoever accepted goes back to searching, the others are cancelled by an event of their own. It comes in the same
        // second as the last answers and the search that follows, so its step is between those and placing.
        "AcceptMatchCompleted" => {
            Some(Meaning { status: Status::Searching, step: Status::Placing.rank() - 1 })
        }
        "MatchmakingSucceeded" => plain(Status::Succeeded),
        "MatchmakingTimedOut" => plain(Status::TimedOut),
        "MatchmakingCancelled" => plain(Status::Cancelled),
        "MatchmakingFailed" => plain(Status::Failed),
        _ => None,
    }
}

fn matchmaking(envelope: Envelope, time: u64) -> Result<Event, Malformed> {
    let detail = envelope.detail;
    let Some(Meaning { status, step }) = meaning(&detail) else {
        return Ok(Event::Ignored { kind: detail.kind });
    };
    let players = || detail.tickets.iter().flat_map(|ticket| &ticket.players);
    let total = u32::try_from(players().count()).unwrap_or(u32::MAX);
    let yes = players().filter(|player| player.accepted == Some(true)).count();
    let yes = u32::try_from(yes).unwrap_or(u32::MAX);
    let asked = status == Status::RequiresAcceptance;
    let deadline = detail
        .acceptance_timeout
        .filter(|_| asked)
        .map(|seconds| time.saturating_add(seconds.saturating_mul(1000)));
    let order = Order::new(time, step, yes, &envelope.id);
    let news = |player: &Player| News {
        status,
        team: player.team.clone(),
        accepted: asked.then_some((yes, total)),
        deadline,
        estimated_wait_ms: detail.estimated_wait_millis.filter(|_| status == Status::Searching),
        reason: ended(status, detail.message.as_deref().or(detail.reason.as_deref())),
        connection: (status == Status::Succeeded).then(|| detail.connection(player, time)).flatten(),
    };
    let (ours, others): (Vec<_>, Vec<_>) =
        detail.tickets.iter().partition(|ticket| !ticket.ticket_id.starts_with(AUTOMATIC_BACKFILL));
    let update = |ticket_id: &String, player: &Player| Update {
        player: PlayerId::new(&player.player_id),
        ticket_id: ticket_id.clone(),
        order: order.clone(),
        news: news(player),
    };
    let updates = ours
        .iter()
        .flat_map(|ticket| ticket.players.iter().map(|player| update(&ticket.ticket_id, player)))
        .collect();
    Ok(Event::Tickets { updates, skipped: u32::try_from(others.len()).unwrap_or(u32::MAX) })
}

/// Why a ticket ended without a seat: GameLift's words where it has some.
fn ended(status: Status, words: Option<&str>) -> Option<String> {
    let is_end = status.is_final() && status != Status::Succeeded;
    is_end.then(|| words.unwrap_or("GameLift gave no reason").to_owned())
}

fn placement(envelope: Envelope, time: u64) -> Result<Event, Malformed> {
    let detail = envelope.detail;
    let status = match detail.kind.as_str() {
        "PlacementFulfilled" => Status::Succeeded,
        "PlacementCancelled" => Status::Cancelled,
        "PlacementTimedOut" => Status::TimedOut,
        "PlacementFailed" => Status::Failed,
        _ => return Ok(Event::Ignored { kind: detail.kind }),
    };
    let ticket_id =
        detail.placement_id.clone().ok_or_else(|| Malformed("detail has no placementId".to_owned()))?;
    let order = Order::new(time, status.rank(), 0, &envelope.id);
    let news = Box::new(News { reason: ended(status, Some(&detail.kind)), ..News::of(status) });
    if status != Status::Succeeded {
        return Ok(Event::PlacementEnded { ticket_id, order, news });
    }
    let updates = detail.placed_player_sessions.iter().map(|player| Update {
        player: PlayerId::new(&player.player_id),
        ticket_id: ticket_id.clone(),
        order: order.clone(),
        news: News { connection: detail.connection(player, time), ..News::clone(&news) },
    });
    Ok(Event::Tickets { updates: updates.collect(), skipped: 0 })
}

impl Detail {
    /// The way to the game for one player. A matchmaker without a queue of its own (`STANDALONE`) tells of none.
    fn connection(&self, player: &Player, time: u64) -> Option<Connection> {
        // A matchmaking event keeps it in gameSessionInfo, a placement event in itself.
        let place = self.game_session_info.as_ref().unwrap_or(&self.place);
        Some(Connection {
            endpoints: vec![Endpoint {
                ip: place.ip_address.clone()?,
                dns_name: place.dns_name.clone().filter(|name| !name.is_empty()),
                port: place.port?,
            }],
            player_session_id: player.player_session_id.clone()?,
            game_session_id: place.game_session_arn.clone()?,
            certificate_sha256: None,
            reserve_expires_at: Some(time.saturating_add(RESERVATION_MS)),
        })
    }
}

#[cfg(test)]
mod tests;
