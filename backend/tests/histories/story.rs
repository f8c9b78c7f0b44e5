//! What GameLift does with the tickets of one match, told as the events that it publishes, in the order that it happens.

use backend::ticket::Status;
use fastrand::Rng;
use serde_json::{Value, json};

/// Tickets that end together, or each for itself.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    /// Which of a history's, counted from 0. It is a part of all that must not be mixed up with another's.
    pub(crate) number: u64,
    /// Tells histories apart.
    pub(crate) seed: u64,
    /// Ids, each with its players.
    pub(crate) tickets: Vec<(String, Vec<String>)>,
    pub(crate) is_placement: bool,
}

/// What becomes of it.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) events: Vec<String>,
    /// By ticket; none if it is still open.
    pub(crate) ends: Vec<Option<Status>>,
}

impl Round {
    pub(crate) fn player_session_id(&self, player: &str) -> String {
        format!("psess-{}-{player}", self.number)
    }

    pub(crate) fn ip(&self) -> String {
        format!("10.{}.{}.{}", self.seed / 250, self.seed % 250, self.number)
    }

    pub(crate) fn port(&self) -> u16 {
        u16::try_from(1_024 + 2 * self.seed + self.number).unwrap()
    }

    pub(crate) fn game_session_id(&self) -> String {
        format!(
            "arn:aws:gamelift:us-west-2::gamesession/fleet-1/eu-west-1/gsess-{}-{}",
            self.seed, self.number
        )
    }

    /// Makes up what happens. Only the last round may stay open: nobody starts again before the end.
    pub(crate) fn tell(&self, random: &mut Rng, may_stay_open: bool) -> Story {
        let mut teller = Teller { round: self, events: Vec::new() };
        let ends = if self.is_placement {
            teller.placement(random)
        } else {
            teller.matchmaking(random, may_stay_open)
        };
        Story { events: teller.events, ends }
    }
}

struct Teller<'a> {
    round: &'a Round,
    events: Vec<String>,
}

impl Teller<'_> {
    fn push(&mut self, second: u64, detail: Value) {
        let second = 300 * self.round.number + second;
        let time = format!("2026-11-22T20:{:02}:{:02}Z", second / 60, second % 60);
        // Ids whose order is not that of the events.
        let id = format!("{}-{}-{}", self.events.len() * 7 % 5, self.round.number, self.events.len());
        let event = json!({"id": id, "time": time, "source": "aws.gamelift", "detail": detail});
        self.events.push(event.to_string());
    }

    fn about(&mut self, second: u64, kind: &str, tickets: &[usize], more: Value) {
        let round = self.round;
        let player = |player: &String| {
            let mut seat = json!({"playerId": player, "team": "red"});
            if kind == "MatchmakingSucceeded" {
                seat["playerSessionId"] = json!(round.player_session_id(player));
            }
            if kind == "AcceptMatch" {
                seat["accepted"] = json!(true);
            }
            seat
        };
        let ticket = |index: &usize| {
            let (id, players) = &round.tickets[*index];
            json!({"ticketId": id, "players": players.iter().map(player).collect::<Vec<_>>()})
        };
        let tickets: Vec<Value> = tickets.iter().map(ticket).collect();
        let mut detail = json!({"type": kind, "tickets": tickets});
        if kind == "MatchmakingSucceeded" {
            detail["gameSessionInfo"] = json!({"gameSessionArn": round.game_session_id(), "ipAddress": round.ip(), "port": round.port()});
        }
        if let (Some(detail), Value::Object(more)) = (detail.as_object_mut(), more) {
            detail.extend(more);
        }
        self.push(second, detail);
    }

    fn matchmaking(&mut self, random: &mut Rng, may_stay_open: bool) -> Vec<Option<Status>> {
        let all: Vec<usize> = (0..self.round.tickets.len()).collect();
        let proposal = |asked: bool| json!({"acceptanceRequired": asked, "acceptanceTimeout": 60});
        for ticket in &all {
            self.about(1, "MatchmakingSearching", &[*ticket], json!({"estimatedWaitMillis": "9000"}));
        }
        let asked = random.u8(..3) == 0;
        if asked && random.bool() {
            // A match that falls through.
            self.about(3, "PotentialMatchCreated", &all, proposal(true));
            self.about(4, "AcceptMatch", &all, json!({}));
            self.about(5, "AcceptMatchCompleted", &all, json!({"acceptance": "Rejected"}));
        }
        if random.u8(..3) == 0 {
            // Each ticket for itself.
            let ends = [
                ("MatchmakingTimedOut", Status::TimedOut),
                ("MatchmakingCancelled", Status::Cancelled),
                ("MatchmakingFailed", Status::Failed),
            ];
            return all
                .iter()
                .map(|ticket| {
                    let (kind, status) = ends[random.usize(..ends.len())];
                    self.about(9, kind, &[*ticket], json!({"message": format!("Because of {kind}.")}));
                    Some(status)
                })
                .collect();
        }
        self.about(7, "PotentialMatchCreated", &all, proposal(asked));
        if asked {
            self.about(7, "AcceptMatch", &all, json!({}));
        }
        if may_stay_open && random.u8(..4) == 0 {
            return vec![None; all.len()];
        }
        if asked {
            self.about(7, "AcceptMatchCompleted", &all, json!({"acceptance": "Accepted"}));
        }
        self.about(9, "MatchmakingSucceeded", &all, json!({}));
        if random.u8(..4) == 0 {
            // A cancel that lost the race against the seats.
            self.about(10, "MatchmakingCancelled", &all[..1], json!({}));
        }
        vec![Some(Status::Succeeded); all.len()]
    }

    fn placement(&mut self, random: &mut Rng) -> Vec<Option<Status>> {
        let round = self.round;
        let (id, players) = &round.tickets[0];
        let ends = [
            ("PlacementFulfilled", Status::Succeeded),
            ("PlacementFulfilled", Status::Succeeded),
            ("PlacementTimedOut", Status::TimedOut),
            ("PlacementCancelled", Status::Cancelled),
        ];
        let (kind, status) = ends[random.usize(..ends.len())];
        let mut detail = json!({"type": kind, "placementId": id});
        if status == Status::Succeeded {
            let seat = |player: &String| json!({"playerId": player, "playerSessionId": round.player_session_id(player)});
            detail["placedPlayerSessions"] = players.iter().map(seat).collect();
            detail["gameSessionArn"] = json!(round.game_session_id());
            detail["ipAddress"] = json!(round.ip());
            detail["port"] = json!(round.port().to_string());
        }
        self.push(9, detail);
        vec![Some(status)]
    }
}
