//! Matchmaking as a backend does it: a ticket per player, and asking until each knows where to play.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use aws_sdk_gamelift::Client;
use aws_sdk_gamelift::types::{
    AttributeValue, GameSessionConnectionInfo, MatchmakingConfigurationStatus, MatchmakingTicket,
    Player as Matched,
};
use tokio::time::{Instant, sleep};

use super::crowd::Member;
use super::{DemoError, Narrator, POLL_INTERVAL, STEP_TIMEOUT, matchmaker, missing};

/// Tickets per DescribeMatchmaking call (AWS API reference).
const TICKETS_PER_CALL: usize = 10;

const START: &str = "step 5 (StartMatchmaking)";
const DESCRIBE: &str = "steps 10-12 (DescribeMatchmaking)";

/// A game session that hosts a match, and who was given a seat in it.
pub(super) struct Hosted {
    pub(super) id: String,
    pub(super) address: SocketAddr,
    pub(super) seats: Vec<Seat>,
}

pub(super) struct Seat {
    pub(super) player_id: String,
    pub(super) player_session_id: String,
    pub(super) team: String,
}

/// A ticket for every player. Its id is the player's.
pub(super) async fn start(aws: &Client, crowd: &[Member]) -> Result<(), DemoError> {
    for member in crowd {
        let skill = AttributeValue::builder().n(member.skill).build();
        let player = Matched::builder()
            .player_id(&member.player_id)
            .player_attributes("skill", skill)
            .set_latency_in_ms(Some(member.latency_ms.clone()))
            .build();
        let started = aws
            .start_matchmaking()
            .configuration_name(matchmaker::NAME)
            .ticket_id(&member.player_id)
            .players(player)
            .send()
            .await;
        started.map_err(|error| DemoError::new(START, error))?;
    }
    Ok(())
}

/// Asks until every ticket is COMPLETED, and gives the game sessions in the order in which they were ready.
pub(super) async fn until_placed(
    aws: &Client,
    crowd: &[Member],
    narrator: &Narrator,
) -> Result<Vec<Hosted>, DemoError> {
    let began = Instant::now();
    let mut waiting: Vec<&str> = crowd.iter().map(|member| member.player_id.as_str()).collect();
    let mut sessions = Sessions::default();
    while !waiting.is_empty() {
        if began.elapsed() > STEP_TIMEOUT {
            let message = format!("{} have no match after {} s", waiting.join(", "), STEP_TIMEOUT.as_secs());
            return Err(DemoError::new(DESCRIBE, message));
        }
        let (tickets, known) = (describe(aws, &waiting).await?, sessions.hosted.len());
        // Whoever was not told of is asked for again.
        let mut still = Vec::new();
        for (id, ticket) in waiting.iter().zip(tickets) {
            if finished(id, &ticket)? {
                sessions.seat(id, ticket)?;
            } else {
                still.push(*id);
            }
        }
        // Those that were known before: all their players have been heard of by now.
        sessions.narrate(known, began, narrator);
        waiting = still;
        sleep(POLL_INTERVAL).await;
    }
    sessions.narrate(sessions.hosted.len(), began, narrator);
    Ok(sessions.hosted)
}

/// The tickets with these ids, in this order.
async fn describe(aws: &Client, ids: &[&str]) -> Result<Vec<MatchmakingTicket>, DemoError> {
    let mut tickets = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(TICKETS_PER_CALL) {
        let chunk = chunk.iter().map(|id| (*id).to_owned()).collect();
        let described = aws.describe_matchmaking().set_ticket_ids(Some(chunk)).send().await;
        let described = described.map_err(|error| DemoError::new(DESCRIBE, error))?;
        tickets.extend(described.ticket_list.unwrap_or_default());
    }
    let found = tickets.iter().filter_map(|ticket| ticket.ticket_id.as_deref());
    if !found.eq(ids.iter().copied()) {
        return Err(DemoError::new(DESCRIBE, "the answer has other tickets than were asked for"));
    }
    Ok(tickets)
}

/// Whether a ticket is COMPLETED; an error if it never will be.
fn finished(id: &str, ticket: &MatchmakingTicket) -> Result<bool, DemoError> {
    use MatchmakingConfigurationStatus as Status;
    match &ticket.status {
        Some(Status::Completed) => Ok(true),
        Some(Status::Queued | Status::Searching | Status::RequiresAcceptance | Status::Placing) => Ok(false),
        other => {
            let status = other.as_ref().map_or("unknown", Status::as_str);
            let why = ticket.status_message.as_deref().unwrap_or("no reason given");
            Err(DemoError::new(DESCRIBE, format!("ticket {id} is {status}: {why}")))
        }
    }
}

/// Game sessions as tickets tell of them.
#[derive(Default)]
struct Sessions {
    hosted: Vec<Hosted>,
    by_id: BTreeMap<String, usize>,
    narrated: usize,
}

impl Sessions {
    fn seat(&mut self, id: &str, ticket: MatchmakingTicket) -> Result<(), DemoError> {
        let connection = ticket
            .game_session_connection_info
            .ok_or_else(|| missing(DESCRIBE, "GameSessionConnectionInfo"))?;
        let player_session_id = connection
            .matched_player_sessions()
            .iter()
            .find(|matched| matched.player_id.as_deref() == Some(id))
            .and_then(|matched| matched.player_session_id.clone())
            .ok_or_else(|| missing(DESCRIBE, "PlayerSessionId"))?;
        let player = ticket.players.unwrap_or_default().into_iter().next();
        let team = player.and_then(|player| player.team).ok_or_else(|| missing(DESCRIBE, "Team"))?;
        let hosted = self.hosted(connection)?;
        hosted.seats.push(Seat { player_id: id.to_owned(), player_session_id, team });
        Ok(())
    }

    fn hosted(&mut self, connection: GameSessionConnectionInfo) -> Result<&mut Hosted, DemoError> {
        let id = connection.game_session_arn.ok_or_else(|| missing(DESCRIBE, "GameSessionArn"))?;
        let (ip, port) = (connection.ip_address.unwrap_or_default(), connection.port.unwrap_or_default());
        let address = format!("{ip}:{port}").parse().map_err(|error| DemoError::new(DESCRIBE, error))?;
        let index = *self.by_id.entry(id.clone()).or_insert(self.hosted.len());
        if index == self.hosted.len() {
            self.hosted.push(Hosted { id, address, seats: Vec::new() });
        }
        Ok(&mut self.hosted[index])
    }

    fn narrate(&mut self, known: usize, began: Instant, narrator: &Narrator) {
        for hosted in &self.hosted[self.narrated..known] {
            let on = |team| {
                let seats = hosted.seats.iter().filter(|seat| seat.team == team);
                let names: Vec<_> = seats.map(|seat| seat.player_id.as_str()).collect();
                if names.is_empty() { "nobody".to_owned() } else { names.join(" ") }
            };
            let after = format!("after {:.1} s", began.elapsed().as_secs_f64());
            narrator.fact(&after, format!("red: {}   blue: {}", on("red"), on("blue")));
        }
        self.narrated = known;
    }
}
