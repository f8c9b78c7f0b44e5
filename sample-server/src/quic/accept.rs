//! The door: who may shake hands, and for how long somebody may stand in it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn::{Connection, Endpoint, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::HANDSHAKES_MAX;
use super::converse::converse;
use crate::address_limits::{AddressLimits, Ticket, Verdict};
use crate::directory::Directory;
use crate::gate::ConnId;
use crate::metrics::{Door, Knock};

/// From this many handshakes on, peers must first prove that they receive at the address they send from (a QUIC
/// Retry, one more round trip), so that forged addresses cannot fill the rest.
pub const HANDSHAKES_WITHOUT_PROOF_MAX: usize = HANDSHAKES_MAX / 2;

/// How long a handshake may take. Three round trips of a bad connection, with repeats.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// Most connections that no process has taken yet: they shake hands, or have not said Hello. Each costs some 30 kB. Four
/// full game sessions may arrive at once; one address may be a quarter of them.
pub const STRANGERS_MAX: usize = 1_024;

/// What a stranger holds until a process takes the connection.
pub(super) struct Stranger {
    _place: OwnedSemaphorePermit,
    _of_address: Ticket,
}

/// Takes connections until the endpoint is closed. Dropping the future drops all connections.
pub(crate) async fn accept_all(
    endpoint: Endpoint,
    directory: Directory,
    mut limits: AddressLimits,
    door: Arc<Door>,
) {
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    let places = Arc::new(Semaphore::new(STRANGERS_MAX));
    let mut connections = JoinSet::new();
    let mut next = 0;
    while let Some(incoming) = endpoint.accept().await {
        while connections.try_join_next().is_some() {} // Forget those that are over.
        let proven = incoming.remote_address_validated();
        let in_progress = HANDSHAKES_MAX - handshakes.available_permits();
        if in_progress >= HANDSHAKES_WITHOUT_PROOF_MAX && !proven {
            ask_for_proof(incoming, &door);
            continue;
        }
        let of_address = match limits.knock(Instant::now(), incoming.remote_address().ip(), proven) {
            Verdict::Admit(ticket) => ticket,
            Verdict::Prove => {
                ask_for_proof(incoming, &door);
                continue;
            }
            Verdict::Refuse => {
                turn_away(incoming, &door, Knock::TooManyOfAddress);
                continue;
            }
        };
        let (Ok(handshake), Ok(place)) =
            (handshakes.clone().try_acquire_owned(), places.clone().try_acquire_owned())
        else {
            turn_away(incoming, &door, Knock::Busy);
            continue;
        };
        let conn = ConnId(next);
        next += 1;
        let stranger = Stranger { _place: place, _of_address: of_address };
        let (directory, door) = (directory.clone(), door.clone());
        connections.spawn(async move {
            if let Some(connection) = shake_hands(incoming, &door).await {
                drop(handshake);
                converse(conn, connection, stranger, &directory, &door).await;
            }
        });
    }
}

fn ask_for_proof(incoming: Incoming, door: &Door) {
    door.knocked(Knock::Retry);
    let _ = incoming.retry(); // Cannot fail: only an address that was validated may not be asked again.
}

/// One packet and no cryptography (CONNECTION_REFUSED). A debug line each: an alarm would be a flood of its own.
fn turn_away(incoming: Incoming, door: &Door, why: Knock) {
    door.knocked(why);
    tracing::debug!(remote = %incoming.remote_address(), why = why.label(), "turned away");
    incoming.refuse();
}

async fn shake_hands(incoming: Incoming, door: &Door) -> Option<Connection> {
    let remote = incoming.remote_address();
    let outcome = match incoming.accept() {
        Ok(connecting) => tokio::time::timeout(HANDSHAKE_TIMEOUT, connecting).await,
        Err(error) => Ok(Err(error)),
    };
    match outcome {
        Ok(Ok(connection)) => {
            door.knocked(Knock::Connected);
            Some(connection)
        }
        // A scanner, another protocol, or a player who distrusts the certificate: worth a line, not an alarm.
        Ok(Err(error)) => {
            door.knocked(Knock::Failed);
            tracing::info!(%remote, %error, "handshake failed");
            None
        }
        Err(_) => {
            door.knocked(Knock::TimedOut);
            tracing::info!(%remote, "handshake took more than {} s", HANDSHAKE_TIMEOUT.as_secs());
            None
        }
    }
}
