//! A ticket as its players see it.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use super::{Settings, millis};
use crate::event::time_of;
use crate::store::Row;
use crate::ticket::{Acceptance, Connection, Status, Ticket};

/// Milliseconds until a client should ask again: soon while something may happen soon, and then less and less often, which keeps
/// a million waiting players from being a million requests a second. Each has the ticket's age up to which it holds.
const POLLS: [(u64, u32); 2] = [(10_000, 1_000), (30_000, 2_000)];
/// For all who wait longer.
const POLL_LATE: u32 = 5_000;
/// A fifth more or less, so that clients that started together do not ask together.
const JITTER: u32 = 5;

pub(super) fn ticket(row: &Row, settings: &Settings, now: u64) -> Ticket {
    let heard = time_of(&row.order).unwrap_or(row.created);
    let acceptance = (row.status == Status::RequiresAcceptance).then_some(()).and(row.agreed.zip(row.asked));
    Ticket {
        ticket_id: row.ticket_id.clone(),
        status: row.status,
        version: row.version,
        created_at: row.created,
        expires_at: row.expires.saturating_mul(1000),
        team: row.team.clone(),
        estimated_wait_ms: row.wait,
        acceptance: acceptance.map(|(accepted, total)| Acceptance {
            // An answer may have come before the proposal that has the deadline: then it is a guess.
            deadline: row
                .deadline
                .filter(|deadline| *deadline >= heard)
                .unwrap_or(heard.saturating_add(millis(settings.acceptance_timeout))),
            accepted,
            total,
        }),
        reason: row.reason.clone(),
        connection: row.connection.clone().map(|connection| certified(connection, settings)),
        poll_after_ms: (!row.status.is_final()).then(|| poll_after(row, now)),
    }
}

/// With the certificate of its fleet.
pub(super) fn certified(mut connection: Connection, settings: &Settings) -> Connection {
    // arn:aws:gamelift:<region>::gamesession/<fleet>/...
    let fleet =
        connection.game_session_id.split_once("gamesession/").and_then(|(_, rest)| rest.split('/').next());
    connection.certificate_sha256 = fleet.and_then(|fleet| settings.certificates.get(fleet)).cloned();
    connection
}

fn poll_after(row: &Row, now: u64) -> u32 {
    let soon = matches!(row.status, Status::RequiresAcceptance | Status::Placing | Status::Cancelling);
    let age = if soon { 0 } else { now.saturating_sub(row.created) };
    let base = POLLS.iter().find(|(until, _)| age < *until).map_or(POLL_LATE, |(_, poll)| *poll);
    // The seed is the ticket and the moment: the same question has the same answer.
    let seed = row.ticket_id.bytes().fold(now, |seed, byte| seed.rotate_left(5) ^ u64::from(byte));
    let spread = base / JITTER;
    fastrand::Rng::with_seed(seed).u32(base - spread..=base + spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Kind;
    use crate::ticket::Endpoint;

    fn row(status: Status) -> Row {
        Row {
            ticket_id: "t-1".to_owned(),
            token: String::new(),
            kind: Kind::Match,
            configuration: String::new(),
            status,
            order: String::new(),
            version: 1,
            created: 1_000_000,
            expires: 5_000,
            heard: 0,
            inquired: None,
            party: Vec::new(),
            team: None,
            wait: None,
            agreed: None,
            asked: None,
            deadline: None,
            reason: None,
            connection: None,
        }
    }

    fn poll(status: Status, age: u64) -> Option<u32> {
        ticket(&row(status), &Settings::default(), 1_000_000 + age).poll_after_ms
    }

    #[test]
    fn clients_ask_less_often_the_longer_they_wait() {
        for (age, wanted) in
            [(0, 800..=1_200), (9_999, 800..=1_200), (10_000, 1_600..=2_400), (30_000, 4_000..=6_000)]
        {
            for moment in 0..100 {
                let poll = poll(Status::Searching, age + moment.min(9_999 - age.min(9_999)));
                assert!(poll.is_some_and(|poll| wanted.contains(&poll)), "{age}: {poll:?}");
            }
        }
        assert!(poll(Status::Placing, 600_000).is_some_and(|poll| poll <= 1_200), "it is about to end");
        assert_eq!(poll(Status::Succeeded, 0), None);
    }

    #[test]
    fn clients_that_ask_at_the_same_time_are_spread() {
        let polls: std::collections::BTreeSet<u32> = (0..50)
            .filter_map(|index| {
                let row = Row { ticket_id: format!("t-{index}"), ..row(Status::Searching) };
                ticket(&row, &Settings::default(), 1_000_000).poll_after_ms
            })
            .collect();
        assert!(polls.len() > 25, "{polls:?}");
        assert_eq!(
            poll(Status::Searching, 5),
            poll(Status::Searching, 5),
            "and the same question has the same answer"
        );
    }

    #[test]
    fn the_certificate_is_that_of_the_games_fleet() {
        let connection = |fleet: &str| Connection {
            endpoints: vec![Endpoint { ip: "10.0.0.1".to_owned(), dns_name: None, port: 1 }],
            player_session_id: "psess-1".to_owned(),
            game_session_id: format!("arn:aws:gamelift:us-west-2::gamesession/{fleet}/us-east-1/gsess-1"),
            certificate_sha256: None,
            reserve_expires_at: None,
        };
        let mut settings = Settings::default();
        settings.certificates.insert("fleet-1".to_owned(), "ab".to_owned());
        let of = |fleet: &str| certified(connection(fleet), &settings).certificate_sha256;
        assert_eq!((of("fleet-1").as_deref(), of("fleet-2")), (Some("ab"), None));
    }

    #[test]
    fn without_the_proposal_the_deadline_is_a_guess() {
        let asked = Row { agreed: Some(1), asked: Some(2), ..row(Status::RequiresAcceptance) };
        let deadline = |row: &Row| ticket(row, &Settings::default(), 0).acceptance.map(|it| it.deadline);
        assert_eq!(deadline(&asked), Some(1_060_000));
        assert_eq!(deadline(&Row { deadline: Some(1_030_000), ..asked.clone() }), Some(1_030_000));
        assert_eq!(
            deadline(&Row { deadline: Some(999_999), ..asked }),
            Some(1_060_000),
            "that was another match's"
        );
    }
}
