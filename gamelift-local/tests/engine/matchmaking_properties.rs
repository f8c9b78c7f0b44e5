//! Random matchmaking, and what must hold: every ticket ends, nobody has two at a time, and nobody has a seat too many.

use std::collections::{BTreeMap, BTreeSet};

use gamelift_local::{engine::ConnectionId, model::*};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    bench::{Bench, input},
    matchmaking::duel,
};

#[derive(Debug, Clone)]
enum Op {
    Match { player: u8, elsewhere: bool },
    Stop { ticket: usize },
    Answer { ticket: usize, accept: bool },
    Backfill { process: usize, ticket: bool },
    Ready,
    Activate { process: usize },
    End { process: usize },
    Queue { timeout: u8 },
    Update { acceptance: bool, timeout: u8 },
    Wait { seconds: u64 },
}

fn op() -> impl Strategy<Value = Op> {
    let index = any::<usize>;
    prop_oneof![
        8 => (0..8_u8, prop::bool::weighted(0.3))
            .prop_map(|(player, elsewhere)| Op::Match { player, elsewhere }),
        1 => index().prop_map(|ticket| Op::Stop { ticket }),
        6 => (index(), prop::bool::weighted(0.8)).prop_map(|(ticket, accept)| Op::Answer { ticket, accept }),
        3 => (index(), any::<bool>()).prop_map(|(process, ticket)| Op::Backfill { process, ticket }),
        3 => Just(Op::Ready),
        6 => index().prop_map(|process| Op::Activate { process }),
        1 => index().prop_map(|process| Op::End { process }),
        1 => (10..60_u8).prop_map(|timeout| Op::Queue { timeout }),
        1 => (any::<bool>(), 5..60_u8).prop_map(|(acceptance, timeout)| Op::Update { acceptance, timeout }),
        8 => (0..8_u64).prop_map(|seconds| Op::Wait { seconds }),
    ]
}

struct World {
    bench: Bench,
    processes: Vec<ConnectionId>,
    /// What each process was last asked to host.
    hosting: Vec<(ConnectionId, String)>,
    tickets: Vec<String>,
    /// Backfill tickets, the matchmaker's own included, and the game sessions they are for. That of a ticket of the
    /// matchmaker's which came and ended while time passed is not known.
    fills: BTreeMap<String, Option<String>>,
    automatic: bool,
    updates: u64,
}

fn pick<T: Clone>(list: &[T], index: usize) -> Option<T> {
    (!list.is_empty()).then(|| list[index % list.len()].clone())
}

impl World {
    fn apply(&mut self, op: Op) {
        match op {
            Op::Match { player, elsewhere } => {
                let id = format!("t{}", self.tickets.len());
                let players = json!([{ "PlayerId": format!("player-{player}") }]);
                // Refused while the player's match is being placed.
                let name = if elsewhere { "n" } else { "m" };
                let body = json!({ "Players": players, "ConfigurationName": name });
                if self.bench.try_match(&id, body).is_ok() {
                    self.tickets.push(id);
                }
            }
            Op::Stop { ticket } => {
                if let Some(id) = pick(&self.tickets, ticket) {
                    let status = self.bench.ticket(&id).status.as_str();
                    let stoppable = ["QUEUED", "SEARCHING", "REQUIRES_ACCEPTANCE"].contains(&status);
                    assert_eq!(self.bench.try_stop_ticket(&id).is_ok(), stoppable, "{status}");
                }
            }
            Op::Answer { ticket, accept } => {
                let Some(id) = pick(&self.tickets, ticket) else { return };
                let ticket = self.bench.ticket(&id);
                let player = ticket.players[0].player_id.clone().unwrap();
                let is_backfill = self.fills.contains_key(&id);
                let answer = if accept { "ACCEPT" } else { "REJECT" };
                // A backfill ticket is not asked.
                let may_answer = ticket.status == MatchmakingTicketStatus::RequiresAcceptance && !is_backfill;
                assert_eq!(self.bench.answer(&id, &player, answer).is_ok(), may_answer);
            }
            Op::Backfill { process, ticket } => {
                let Some((process, arn)) = pick(&self.hosting, process) else { return };
                let id = format!("fill{}", self.tickets.len());
                let body = json!({
                    "GameSessionArn": arn, "TicketId": if ticket { id.as_str() } else { "" },
                    "MatchmakingConfigurationArn": "arn:aws:gamelift:us-west-2:1:matchmakingconfiguration/m",
                    "Players": [{ "PlayerId": "in-game", "Team": "red" }],
                });
                // Refused unless the process hosts the game session and it is ACTIVE.
                let reply = self.bench.ask(process, "StartMatchBackfill", body);
                if reply["StatusCode"] == 200 {
                    let id = reply["TicketId"].as_str().unwrap().to_owned();
                    self.tickets.push(id.clone());
                    self.fills.insert(id, Some(arn));
                }
            }
            Op::Ready => {
                let process = format!("p{}", self.processes.len());
                self.processes.push(self.bench.ready(&process));
            }
            Op::Activate { process } => {
                if let Some((process, arn)) = pick(&self.hosting, process) {
                    // Refused for one that is ACTIVE or over.
                    self.bench.ask(process, "ActivateGameSession", json!({ "GameSessionId": arn }));
                }
            }
            Op::End { process } => {
                if let Some(process) = pick(&self.processes, process) {
                    self.bench.ok(process, "TerminateServerProcess", json!({}));
                }
            }
            Op::Queue { timeout } => {
                let body = json!({ "Name": "q", "TimeoutInSeconds": timeout });
                self.bench.engine.update_game_session_queue(self.bench.now, input(body)).unwrap();
            }
            Op::Update { acceptance, timeout } => {
                self.updates += 1;
                // Beyond, tickets that are checked below would go with their matchmakers.
                if self.updates < 8 {
                    let body = json!({ "Name": "m", "AcceptanceRequired": acceptance, "AcceptanceTimeoutSeconds": timeout });
                    self.bench.engine.update_matchmaking_configuration(self.bench.now, input(body)).unwrap();
                }
            }
            Op::Wait { seconds } => self.bench.wait_s(seconds),
        }
        for (process, push) in self.bench.pushes() {
            if push["Action"] == "CreateGameSession" {
                self.hosting.push((process, push["GameSessionId"].as_str().unwrap().to_owned()));
            }
        }
        self.find_automatic_tickets();
    }

    /// The data of a game session names the ticket that the matchmaker makes for it once it is ACTIVE.
    fn find_automatic_tickets(&mut self) {
        for (_, arn) in self.hosting.clone() {
            let data = self.bench.session(&arn).matchmaker_data.unwrap();
            let data: Value = serde_json::from_str(&data).unwrap();
            let Some(id) = data["autoBackfillTicketId"].as_str() else { continue };
            let body = input(json!({ "TicketIds": [id] }));
            let made = self.bench.engine.describe_matchmaking(self.bench.now, body).unwrap();
            if !made.ticket_list.is_empty() && !self.fills.contains_key(id) {
                self.tickets.push(id.to_owned());
                self.fills.insert(id.to_owned(), Some(arn));
            }
        }
    }

    fn check(&mut self) {
        let mut waiting = BTreeSet::new();
        for id in self.tickets.clone() {
            let ticket = self.bench.ticket(&id);
            let ended = ["COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT"].contains(&ticket.status.as_str());
            assert_eq!(ticket.end_time.is_some(), ended, "{ticket:?}");
            for player in ticket.players.iter().filter(|_| !ended) {
                let player = player.player_id.clone().unwrap();
                assert!(waiting.insert(player), "somebody has two active tickets: {ticket:?}");
            }
            let completed = ticket.status == MatchmakingTicketStatus::Completed;
            assert_eq!(ticket.game_session_connection_info.is_some(), completed, "{ticket:?}");
        }
        for (_, arn) in self.hosting.clone() {
            let session = self.bench.session(&arn);
            assert!(session.current_player_session_count <= session.maximum_player_session_count);
            assert!(session.matchmaker_data.is_some());
        }
        for (id, arn) in self.fills.clone() {
            let over = arn.map(|arn| self.bench.status(&arn) == GameSessionStatus::Terminated);
            let ticket = self.bench.ticket(&id);
            assert!(over != Some(true) || ticket.end_time.is_some(), "nobody is needed any more: {ticket:?}");
        }
        for event in self.bench.events() {
            let event: Value = serde_json::from_str(&event.json).unwrap();
            if event["detail-type"] == "GameLift Matchmaking Event" {
                let tickets = event["detail"]["tickets"].as_array().unwrap();
                assert!(!tickets.is_empty(), "every event is about somebody");
                for ticket in tickets {
                    let id = ticket["ticketId"].as_str().unwrap();
                    if self.tickets.iter().all(|known| known != id) {
                        assert!(self.automatic, "nobody has asked for {id}");
                        self.tickets.push(id.to_owned());
                        self.fills.insert(id.to_owned(), None);
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_ticket_ends(ops in prop::collection::vec(op(), 0..100), automatic in any::<bool>()) {
        let mut bench = Bench::new();
        let mode = if automatic { "AUTOMATIC" } else { "MANUAL" };
        bench.matchmaker(&duel(2), json!({ "BackfillMode": mode }));
        bench.try_configure("n", json!({ "AcceptanceRequired": true })).unwrap();
        let mut world = World {
            bench,
            processes: Vec::new(),
            hosting: Vec::new(),
            tickets: Vec::new(),
            fills: BTreeMap::new(),
            automatic,
            updates: 0,
        };
        for op in ops {
            world.apply(op);
            world.check();
        }
        world.bench.wait_s(300);
        world.check();
        // With the tickets that the last events were about.
        world.check();
        let ids: BTreeSet<String> = world.tickets.iter().cloned().collect();
        prop_assert_eq!(ids.len(), world.tickets.len(), "every id is used once");
        for id in ids {
            prop_assert!(world.bench.ticket(&id).end_time.is_some(), "{:?}", world.bench.ticket(&id));
        }
        prop_assert_eq!(world.bench.engine.snapshot(world.bench.now).pending_placement_count, 0);
    }
}
