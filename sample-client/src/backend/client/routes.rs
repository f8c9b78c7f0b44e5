//! What a player can ask for: a method per route.

use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use serde::{Deserialize, Serialize};

use super::Client;
use super::call::{Call, read};
use crate::backend::error::{CallError, SetUpError, Step, StepError};
use crate::backend::model::{Connection, Invite, InviteRequest, Location, Profile, StartRequest, Ticket};
use crate::backend::push::{Push, PushBy};
use crate::backend::signature::presign;

/// An answer to [`Client::start`].
#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    /// As it is now.
    pub ticket: Ticket,
    /// Whether it was there already: the key had been used.
    pub replayed: bool,
}

/// An answer to [`Client::ticket`].
#[derive(Clone, Debug, PartialEq)]
pub enum TicketNews {
    /// It is still the version of the entity tag.
    NotModified,
    /// The ticket.
    Ticket {
        /// As it is now.
        ticket: Box<Ticket>,
        /// For the next time.
        etag: Option<String>,
    },
}

/// A stand-in for signatures, for a while: for gRPC. Who has it can act as the player.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// For `authorization: Bearer`.
    pub token: String,
    /// When it is worth nothing, in milliseconds since 1970.
    pub expires_at: u64,
}

/// Without the token.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl Client {
    /// Asks for a match. `key` is 8 to 64 characters; the same key never makes a second ticket, so a request whose outcome is
    /// unknown is repeated with it.
    ///
    /// # Errors
    /// `TICKET_ACTIVE` if the player has a ticket already: see [`current`](Self::current).
    ///
    /// # Cancel safety
    /// Dropping the future leaves a ticket that may have been made.
    pub async fn start(&self, key: &str, request: &StartRequest) -> Result<Started, StepError> {
        let request =
            Call { headers: &[("idempotency-key", key)], ..Call::json(Step::Start, TICKETS, request)? };
        let answer = self.call(request).await?;
        // 200 repeats what was said before; 202 is a new ticket.
        Ok(Started { ticket: read(Step::Start, &answer)?, replayed: answer.status == StatusCode::OK })
    }

    /// The ticket, unless it is still the version of `etag`.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none, or it is somebody else's.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn ticket(&self, ticket_id: &str, etag: Option<&str>) -> Result<TicketNews, StepError> {
        let path = ticket_path(Step::Ticket, ticket_id)?;
        let headers: Vec<(&str, &str)> = etag.map(|etag| ("if-none-match", etag)).into_iter().collect();
        let answer = self.call(Call { headers: &headers, ..Call::get(Step::Ticket, &path) }).await?;
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(TicketNews::NotModified);
        }
        Ok(TicketNews::Ticket { ticket: read(Step::Ticket, &answer)?, etag: answer.etag() })
    }

    /// The player's newest ticket: after a crash, or for the member of a party.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn current(&self) -> Result<Ticket, StepError> {
        let answer = self.call(Call::get(Step::Ticket, &format!("{TICKETS}/current"))).await?;
        read(Step::Ticket, &answer)
    }

    /// Takes the request back. A ticket that is over stays as it is.
    ///
    /// # Errors
    /// `TICKET_PLACED` if there is a seat already.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the ticket cancelled.
    pub async fn cancel(&self, ticket_id: &str) -> Result<Ticket, StepError> {
        let path = ticket_path(Step::Cancel, ticket_id)?;
        let answer = self.call(Call { method: Method::DELETE, ..Call::get(Step::Cancel, &path) }).await?;
        read(Step::Cancel, &answer)
    }

    /// Accepts or refuses the proposed match.
    ///
    /// # Errors
    /// `NOT_IN_ACCEPTANCE` if there is none, or not any more.
    ///
    /// # Cancel safety
    /// Dropping the future may leave it answered.
    pub async fn answer(&self, ticket_id: &str, accept: bool) -> Result<Ticket, StepError> {
        #[derive(Serialize)]
        struct Body {
            accept: bool,
        }
        let path = format!("{}/acceptance", ticket_path(Step::Acceptance, ticket_id)?);
        let answer = self.call(Call::json(Step::Acceptance, &path, &Body { accept })?).await?;
        read(Step::Acceptance, &answer)
    }

    /// Where the running game is, to come back to it.
    ///
    /// # Errors
    /// `NO_SESSION` if there is none.
    ///
    /// # Cancel safety
    /// Dropping the future may leave another seat reserved, which lapses by itself.
    pub async fn session(&self) -> Result<Connection, StepError> {
        read(Step::Session, &self.call(Call::get(Step::Session, "/v1/sessions/current")).await?)
    }

    /// Consents to being taken into the ticket of whoever is given the token, with what is the player's own.
    ///
    /// # Errors
    /// `LATENCY_LOCATION_UNKNOWN`; see [`CallError`].
    ///
    /// # Cancel safety
    /// Dropping the future may leave a token that nobody knows; it lapses by itself.
    pub async fn invite(&self, request: &InviteRequest) -> Result<Invite, StepError> {
        let call = Call::json(Step::Invite, "/v1/party/invites", request)?;
        read(Step::Invite, &self.call(call).await?)
    }

    /// Where games can be played. For [`latency::measure`](crate::backend::latency::measure).
    ///
    /// # Errors
    /// See [`CallError`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn locations(&self) -> Result<Vec<Location>, StepError> {
        read(Step::Locations, &self.call(Call::get(Step::Locations, "/v1/locations")).await?)
    }

    /// What the backend keeps about the player.
    ///
    /// # Errors
    /// See [`CallError`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn profile(&self) -> Result<Profile, StepError> {
        read(Step::Profile, &self.call(Call::get(Step::Profile, "/v1/players/me")).await?)
    }

    /// A token for gRPC, which has no signatures.
    ///
    /// # Errors
    /// `NOT_FOUND` where there is no gRPC; see [`CallError`].
    ///
    /// # Cancel safety
    /// Dropping the future may leave a token that nobody knows; it lapses by itself.
    pub async fn token(&self) -> Result<Token, StepError> {
        let call = Call { method: Method::POST, ..Call::get(Step::Push, "/v1/auth/token") };
        read(Step::Push, &self.call(call).await?)
    }

    /// Listens for news of the player's ticket.
    ///
    /// # Errors
    /// When the WebSocket or the stream cannot be opened. Asking works without it.
    ///
    /// # Cancel safety
    /// Dropping the future closes what was opened.
    pub async fn push(&self, by: PushBy) -> Result<Push, StepError> {
        let at_push = |error| StepError { step: Step::Push, error };
        let missing = |error: SetUpError| at_push(CallError::Unsendable(error.to_string()));
        let settings = &self.shared.settings;
        let opened = match by {
            PushBy::WebSocket => {
                let uri = settings.web_socket.clone().ok_or_else(|| missing(SetUpError::NoWebSocket))?;
                Push::web_socket(&settings.http, self.presigned(uri).await?).await
            }
            PushBy::Grpc => {
                let origin = settings.grpc.clone().ok_or_else(|| missing(SetUpError::NoGrpc))?;
                Push::grpc(&settings.http, origin, &self.token().await?.token).await
            }
        };
        opened.map_err(at_push)
    }

    /// A WebSocket's opening.
    async fn presigned(&self, uri: Uri) -> Result<Request<Bytes>, StepError> {
        let credentials = self.fresh().await?;
        let region = &self.shared.settings.region;
        Request::builder()
            .uri(uri)
            .body(Bytes::new())
            .map_err(|error| error.to_string())
            .and_then(|request| presign(request, &credentials, region, SystemTime::now()))
            .map_err(|reason| StepError { step: Step::Push, error: CallError::Unsendable(reason) })
    }
}

const TICKETS: &str = "/v1/matchmaking/tickets";

/// GameLift's ticket ids have 1 to 128 of these (API reference, StartMatchmaking). Nothing else becomes part of a path.
fn ticket_path(step: Step, ticket_id: &str) -> Result<String, StepError> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    if (1..=128).contains(&ticket_id.len())
        && ticket_id.bytes().all(legal)
        && !ticket_id.bytes().all(|b| b == b'.')
    {
        return Ok(format!("{TICKETS}/{ticket_id}"));
    }
    let what = format!("the ticket id {ticket_id:?} is not 1 to 128 letters, digits, hyphens and dots");
    Err(StepError { step, error: CallError::Unsendable(what) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_ticket_id_becomes_part_of_a_path() {
        for bad in ["", "a/b", "..", "a?b", "a b", "%2e", &"a".repeat(129)] {
            assert!(ticket_path(Step::Ticket, bad).is_err(), "{bad}");
        }
        assert_eq!(ticket_path(Step::Ticket, "t-1.x").unwrap(), "/v1/matchmaking/tickets/t-1.x");
    }
}
