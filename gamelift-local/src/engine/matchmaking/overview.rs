//! Tickets for people: who waits, for how long, and why.

use std::{cmp::Reverse, collections::BTreeMap};

use flexmatch::{Explanation, Ticket, TicketStatus};
use serde::Serialize;

use super::{Running, flexmatch_time};
use crate::{Timestamp, engine::Engine};

/// Most tickets that have not ended in a list; the counts are always complete.
const WAITING_LISTED_MAX: usize = 1000;
/// Most tickets that have ended in a list.
const ENDED_LISTED_MAX: usize = 50;
/// Most tickets that a list explains, the oldest: every explanation is a search, and nothing else happens meanwhile.
const EXPLAINED_MAX: usize = 50;

/// One ticket, for people.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TicketOverview {
    /// Its id.
    pub ticket_id: String,
    /// Its configuration's name.
    pub configuration: String,
    /// Its status, as the API spells it.
    pub status: &'static str,
    /// How long ago it was asked for; for one that has ended, how long it took.
    pub age_seconds: f64,
    /// When it was asked for.
    pub started: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// Whether it looks for players for a running game session.
    pub backfill: bool,
    /// Ids of its players.
    pub players: Vec<String>,
    /// `StatusReason` of the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<&'static str>,
    /// Why it is still SEARCHING: the nearest match, the first rule that keeps others away, with its numbers, and the
    /// expansion step that will let them in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
}

/// Tickets of all configurations.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TicketsOverview {
    /// When.
    pub now: Timestamp,
    /// Those that have not ended, oldest first, up to a thousand, of which the first fifty are explained; then those that
    /// ended last, up to fifty.
    pub tickets: Vec<TicketOverview>,
    /// All tickets that are known, by status.
    pub counts: BTreeMap<&'static str, usize>,
}

impl Engine {
    /// Tickets of all configurations, for people.
    pub fn tickets_overview(&self, now: Timestamp) -> TicketsOverview {
        let mut counts = BTreeMap::new();
        let (mut ended, mut waiting): (Vec<_>, Vec<_>) = self
            .known_tickets()
            .inspect(|(_, ticket)| count(&mut counts, ticket))
            .partition(|(_, ticket)| ticket.status().is_final());
        waiting.sort_by_key(|(_, ticket)| ticket.start_time());
        waiting.truncate(WAITING_LISTED_MAX);
        ended.sort_by_key(|(_, ticket)| Reverse(ticket.end_time()));
        ended.truncate(ENDED_LISTED_MAX);
        let mut left = EXPLAINED_MAX;
        let tickets = waiting.into_iter().chain(ended).map(|(running, ticket)| {
            let explain = left > 0 && ticket.status() == TicketStatus::Searching;
            left -= usize::from(explain);
            overview(now, running, ticket, explain)
        });
        TicketsOverview { now, tickets: tickets.collect(), counts }
    }

    /// One ticket, for people; `None` if it is not known.
    pub fn ticket_overview(&self, now: Timestamp, id: &str) -> Option<TicketOverview> {
        let (key, ticket) = self.matchmaking.ticket(id)?;
        let running = self.matchmaking.matchmakers.get(&key)?;
        Some(overview(now, running, ticket, ticket.status() == TicketStatus::Searching))
    }

    /// How many tickets are known, by status.
    pub(in crate::engine) fn ticket_counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        self.known_tickets().for_each(|(_, ticket)| count(&mut counts, ticket));
        counts
    }

    /// Where events of a configuration go, and what it adds to them; `None` if there is no such configuration.
    pub(in crate::engine) fn targets_of_configuration(
        &self,
        name: &str,
    ) -> Option<(Option<String>, Option<String>)> {
        let model = &self.matchmaking.configurations.get(name)?.model;
        Some((model.notification_target.clone(), model.custom_event_data.clone()))
    }

    fn known_tickets(&self) -> impl Iterator<Item = (&Running, &Ticket)> {
        let matchmakers = self.matchmaking.matchmakers.values();
        matchmakers.flat_map(|running| running.matchmaker.tickets().map(move |ticket| (running, ticket)))
    }
}

fn count(counts: &mut BTreeMap<&'static str, usize>, ticket: &Ticket) {
    *counts.entry(ticket.status().as_str()).or_default() += 1;
}

fn overview(now: Timestamp, running: &Running, ticket: &Ticket, explain: bool) -> TicketOverview {
    let time = |time: flexmatch::Timestamp| Timestamp::from_millis(time.as_millis());
    let (started, ended) = (time(ticket.start_time()), ticket.end_time().map(time));
    let explanation =
        explain.then(|| running.matchmaker.explain(flexmatch_time(now), ticket.id().as_str())).flatten();
    TicketOverview {
        ticket_id: ticket.id().to_string(),
        configuration: running.configuration.clone(),
        status: ticket.status().as_str(),
        age_seconds: ended.unwrap_or(now).since(started).as_secs_f64(),
        started: started.to_iso_millis(),
        ended: ended.map(Timestamp::to_iso_millis),
        backfill: ticket.backfill().is_some(),
        players: ticket.players().iter().map(|player| player.id().to_string()).collect(),
        status_reason: ticket.status_reason(),
        explanation,
    }
}
