//! Matchmaking tickets, and why they wait: as JSON, or as a table for people with curl.

use std::fmt::Write as _;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};

use super::problem;
use crate::{
    driver::Handle,
    engine::{TicketOverview, TicketsOverview},
};

/// Most players of a ticket that the table names.
const PLAYERS_NAMED_MAX: usize = 3;

pub(super) fn router(handle: Handle) -> Router {
    Router::new().route("/tickets", get(list)).route("/tickets/{id}", get(one)).with_state(handle)
}

#[derive(Deserialize)]
struct Format {
    format: Option<String>,
}

/// Answers as JSON unless asked for text.
fn answer<T: Serialize>(headers: &HeaderMap, format: &Format, body: T, text: fn(&T) -> String) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match format.format.as_deref() {
        Some("text") => text(&body).into_response(),
        Some("json") => Json(body).into_response(),
        Some(_) => problem(StatusCode::BAD_REQUEST, "format must be text or json"),
        None if accept.starts_with("text/plain") => text(&body).into_response(),
        None => Json(body).into_response(),
    }
}

async fn list(State(handle): State<Handle>, headers: HeaderMap, Query(format): Query<Format>) -> Response {
    match handle.run(|engine, now| engine.tickets_overview(now)).await {
        Ok(tickets) => answer(&headers, &format, tickets, table),
        Err(stopped) => problem(StatusCode::SERVICE_UNAVAILABLE, &stopped.to_string()),
    }
}

async fn one(
    State(handle): State<Handle>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Query(format): Query<Format>,
) -> Response {
    match handle.run(move |engine, now| engine.ticket_overview(now, &id)).await {
        Ok(Some(ticket)) => answer(&headers, &format, ticket, details),
        Ok(None) => problem(StatusCode::NOT_FOUND, "no such ticket; GET /tickets lists them"),
        Err(stopped) => problem(StatusCode::SERVICE_UNAVAILABLE, &stopped.to_string()),
    }
}

fn table(tickets: &TicketsOverview) -> String {
    let counts = tickets.counts.iter().map(|(status, count)| format!("{count} {status}"));
    let counts: Vec<_> = counts.collect();
    let mut rows = vec![["TICKET", "CONFIGURATION", "STATUS", "AGE", "PLAYERS", "WHY"].map(str::to_owned)];
    rows.extend(tickets.tickets.iter().map(|ticket| {
        [
            ticket.ticket_id.clone(),
            ticket.configuration.clone(),
            ticket.status.to_owned(),
            format!("{:.0}s", ticket.age_seconds),
            players(&ticket.players),
            why(ticket),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut text = match counts.is_empty() {
        true => "no tickets\n".to_owned(),
        false => format!("{}\n\n", counts.join(", ")),
    };
    if tickets.tickets.is_empty() {
        return text;
    }
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn players(ids: &[String]) -> String {
    let named = ids.iter().take(PLAYERS_NAMED_MAX).cloned().collect::<Vec<_>>().join(",");
    match ids.len().saturating_sub(PLAYERS_NAMED_MAX) {
        0 => named,
        more => format!("{named},+{more}"),
    }
}

/// The reason in a line: what is missing, and the first who is kept apart, by what, until when.
fn why(ticket: &TicketOverview) -> String {
    let Some(explanation) = &ticket.explanation else {
        return ticket.status_reason.unwrap_or_default().to_owned();
    };
    if let Some(never) = &explanation.never {
        return format!("never: {never}");
    }
    let mut text = explanation.cause();
    let numbers = explanation.unmet.first();
    let apart = explanation.apart.first();
    let numbers = numbers.or_else(|| apart.and_then(|apart| apart.unmet.as_ref()));
    // Writing to a string does not fail.
    if let Some(unmet) = numbers {
        let _ = write!(text, ": {}", unmet.numbers);
    }
    if let Some(apart) = apart {
        let _ = write!(text, ", apart from {}", apart.ticket_id);
        let _ = match &apart.free {
            Some(free) => write!(text, " until the step at {} s", free.step_seconds),
            None => write!(text, " for good"),
        };
    }
    text
}

fn details(ticket: &TicketOverview) -> String {
    let TicketOverview { ticket_id, configuration, status, age_seconds, .. } = ticket;
    let mut text = format!(
        "{ticket_id} ({configuration}): {status}, {age_seconds:.0} s, {}\n",
        ticket.players.join(", ")
    );
    match &ticket.explanation {
        Some(explanation) => text.push_str(&explanation.to_string()),
        None => text.extend(ticket.status_reason.map(|reason| format!("{reason}\n"))),
    }
    text
}
