//! Tickets by gRPC, on the same port: for engines that have it already, and for news without WebSocket.
//!
//! A call carries a token from `POST /v1/auth/token` as a bearer: SigV4 over HTTP/2 frames would have to leave the body unsigned,
//! and a stream outlives any signature. A stream ends with its token.

mod convert;

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::middleware::{Next, from_fn};
use futures_util::{Stream, stream};
use game_proto::matchmaking::{
    AcceptRequest, CancelRequest, GetRequest, Matchmaking, MatchmakingServer, StartRequest, Ticket,
    WatchRequest,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tonic::{Request, Response, Status};

use self::convert::{start_request, status, ticket};
use crate::api::BODY_LEN_MAX;
use crate::api::input::up_to;
use crate::caller::{AuthKind, Caller, PlayerId};
use crate::doors::{Door, Doors};
use crate::gateway::Gateway;
use crate::problem::Code;
use crate::service::{Backend, IdempotencyKey};
use crate::ticket;

/// The longest request, in bytes: more than a message that is taken, so that tonic says what is wrong with one that is not.
const REQUEST_LEN_MAX: usize = 2 * BODY_LEN_MAX;

/// The service.
#[derive(Clone)]
pub struct Service {
    backend: Backend,
    gateway: Gateway,
    doors: Doors,
    stop: watch::Receiver<bool>,
}

impl fmt::Debug for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Service").finish_non_exhaustive()
    }
}

impl Service {
    /// Streams end when `stop` says so.
    pub fn new(backend: Backend, gateway: Gateway, stop: watch::Receiver<bool>) -> Self {
        Self { backend, gateway, doors: Doors::default(), stop }
    }

    /// Its routes. They need no further protection: each call looks at its token.
    pub fn router(self) -> Router {
        let server = MatchmakingServer::new(self).max_decoding_message_size(BODY_LEN_MAX);
        Router::new().route_service("/matchmaking.v1.Matchmaking/{*call}", server).layer(from_fn(whole))
    }

    fn caller<T>(&self, request: &Request<T>) -> Result<(Caller, Duration), Status> {
        let (player, left) = self
            .gateway
            .bearer(request.metadata().as_ref())
            .map_err(|refusal| Status::unauthenticated(refusal.message))?;
        Ok((Caller { player, kind: AuthKind::Jwt, source_ip: None }, left))
    }

    /// Any call but a start.
    fn call<T>(&self, request: &Request<T>) -> Result<(Caller, Duration), Status> {
        let (caller, left) = self.caller(request)?;
        self.gateway.limits().call(&caller.player).map_err(status)?;
        Ok((caller, left))
    }
}

/// Reads a request to its end before anything is done. All of ours are one message, and tonic would wait for it without end.
async fn whole(request: axum::extract::Request, next: Next) -> axum::response::Response {
    let (parts, body) = request.into_parts();
    match up_to(REQUEST_LEN_MAX, body).await {
        Ok(body) => next.run(axum::extract::Request::from_parts(parts, Body::from(body))).await,
        Err(problem) => status(problem).into_http(),
    }
}

type Tickets = Pin<Box<dyn Stream<Item = Result<Ticket, Status>> + Send>>;

#[tonic::async_trait]
impl Matchmaking for Service {
    type WatchStream = Tickets;

    async fn start(&self, request: Request<StartRequest>) -> Result<Response<Ticket>, Status> {
        let (caller, _) = self.caller(&request)?;
        self.gateway.limits().start(&caller.player).map_err(status)?;
        let request = request.into_inner();
        let key: IdempotencyKey = request.idempotency_key.parse().map_err(status)?;
        let started = self.backend.start(&caller, &key, start_request(request).map_err(status)?).await;
        started.map(|started| Response::new(ticket(started.ticket))).map_err(status)
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<Ticket>, Status> {
        let (caller, _) = self.call(&request)?;
        let id = request.into_inner().ticket_id;
        let found = if id.is_empty() {
            self.backend.current(&caller).await
        } else {
            self.backend.ticket(&caller, &id).await
        };
        found.map(|found| Response::new(ticket(found))).map_err(status)
    }

    async fn cancel(&self, request: Request<CancelRequest>) -> Result<Response<Ticket>, Status> {
        let (caller, _) = self.call(&request)?;
        let cancelled = self.backend.cancel(&caller, &request.into_inner().ticket_id).await;
        cancelled.map(|cancelled| Response::new(ticket(cancelled))).map_err(status)
    }

    async fn accept(&self, request: Request<AcceptRequest>) -> Result<Response<Ticket>, Status> {
        let (caller, _) = self.call(&request)?;
        let AcceptRequest { ticket_id, accept } = request.into_inner();
        let answered = self.backend.answer(&caller, &ticket_id, accept).await;
        answered.map(|answered| Response::new(ticket(answered))).map_err(status)
    }

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Tickets>, Status> {
        let (caller, left) = self.call(&request)?;
        // Before the ticket is read, so that nothing falls between the two.
        let news = self.backend.watch(&caller.player);
        let first = match self.backend.current(&caller).await {
            Ok(ticket) => Some(ticket),
            Err(problem) if problem.code == Code::NotFound => None,
            Err(problem) => return Err(status(problem)),
        };
        let watching = Watching {
            door: self.doors.open(&caller.player),
            player: caller.player,
            first,
            news,
            stop: self.stop.clone(),
            until: Instant::now() + left,
        };
        let tickets = stream::unfold(Some(watching), async |watching| watching?.next().await);
        Ok(Response::new(Box::pin(tickets)))
    }
}

/// A stream that is open.
struct Watching {
    door: Door,
    player: PlayerId,
    first: Option<ticket::Ticket>,
    news: watch::Receiver<Option<ticket::Ticket>>,
    stop: watch::Receiver<bool>,
    until: Instant,
}

impl Watching {
    /// The next ticket, or the error that ends the stream.
    async fn next(mut self) -> Option<(Result<Ticket, Status>, Option<Self>)> {
        if let Some(first) = self.first.take() {
            return Some((Ok(ticket(first)), Some(self)));
        }
        loop {
            let end = tokio::select! {
                changed = self.news.changed() => {
                    if changed.is_ok() {
                        let news = self.news.borrow_and_update().clone();
                        let Some(news) = news else { continue };
                        return Some((Ok(ticket(news)), Some(self)));
                    }
                    Status::unavailable("too many watchers: poll, or come again")
                }
                () = self.door.replaced() => {
                    Status::resource_exhausted("too many streams: a newer one is in its place")
                }
                () = stopped(&mut self.stop) => Status::unavailable("the backend restarts"),
                () = sleep_until(self.until) => Status::unauthenticated("the token has expired: get another"),
            };
            tracing::debug!(player = ?self.player, reason = end.message(), "a stream has ended");
            return Some((Err(end), None));
        }
    }
}

/// Ends when the backend does.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A dropped sender means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}
