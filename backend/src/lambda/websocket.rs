//! `lambda-websocket`: sockets that API Gateway holds open.
//!
//! What the function returns is the reply. It posts nothing: during `$connect` there is no socket yet, and news is the business of
//! [`super::events`].

use std::fmt;
use std::time::UNIX_EPOCH;

use lambda_http::aws_lambda_events::apigw::{
    ApiGatewayWebsocketProxyRequest, ApiGatewayWebsocketProxyRequestContext,
};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;

use super::caller;
use super::clients::{Clients, clock};
use super::config::Config;
use super::limits::Limits;
use super::{Failure, Lookup};
use crate::caller::{AuthKind, Caller};
use crate::limits::Cost;
use crate::message::{self, Action, MESSAGE_LEN_MAX, Request, act, reply};
use crate::problem::{Code, Problem};
use crate::service::{Backend, Clock};
use crate::store::Store;
use crate::ticket::Ticket;

/// What API Gateway is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// 200, or the connection is refused.
    pub status_code: u16,
    /// The reply to a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl Answer {
    fn status(status_code: u16) -> Self {
        Self { status_code, body: None }
    }
}

/// The function was called with something that is none of the three events. Its door is set up wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no event of a WebSocket API: eventType is {event_type:?}, and connectionId {}", if *.has_connection { "there" } else { "missing" })]
pub struct NoSocket {
    event_type: Option<String>,
    has_connection: bool,
}

impl From<NoSocket> for Diagnostic {
    fn from(error: NoSocket) -> Self {
        Self { error_type: "NoSocket".to_owned(), error_message: error.to_string() }
    }
}

/// The door. Clones are one and the same.
#[derive(Clone)]
pub struct Door {
    backend: Backend,
    store: Store,
    limits: Limits,
    clock: Clock,
}

impl fmt::Debug for Door {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Door").finish_non_exhaustive()
    }
}

impl Door {
    /// To a backend, with the table that it uses.
    pub fn new(backend: Backend, store: Store, clock: Clock) -> Self {
        let limits = Limits::new(store.clone(), clock.clone());
        Self { backend, store, limits, clock }
    }

    /// Handles an event of a socket.
    ///
    /// # Errors
    ///
    /// [`NoSocket`]. Whatever else is wrong, the client is told.
    ///
    /// # Cancel safety
    ///
    /// What a message asks for may have been done.
    pub async fn handle(&self, event: ApiGatewayWebsocketProxyRequest) -> Result<Answer, NoSocket> {
        let context = &event.request_context;
        let connection = context.connection_id.as_deref();
        match (context.event_type.as_deref(), connection) {
            (Some("CONNECT"), Some(connection)) => Ok(self.connect(context, connection).await),
            (Some("DISCONNECT"), Some(connection)) => Ok(self.disconnect(connection).await),
            (Some("MESSAGE"), Some(connection)) => {
                let body = event.body.as_deref().unwrap_or_default();
                let reply = self.message(connection, body, event.is_base64_encoded).await;
                Ok(Answer { body: Some(reply), ..Answer::status(200) })
            }
            (event_type, connection) => Err(NoSocket {
                event_type: event_type.map(str::to_owned),
                has_connection: connection.is_some(),
            }),
        }
    }

    /// Anything but 200 keeps the socket from being opened.
    async fn connect(&self, context: &ApiGatewayWebsocketProxyRequestContext, connection: &str) -> Answer {
        let Some(caller) = caller::of_identity(&context.identity) else {
            tracing::warn!(
                "a socket without an identity is refused: set AuthorizationType of $connect to AWS_IAM"
            );
            return Answer::status(401);
        };
        match self.store.connect(&caller.player, connection, self.now()).await {
            Ok(()) => Answer::status(200),
            Err(error) => {
                tracing::error!(%error, "a socket is refused");
                Answer::status(Code::StoreUnavailable.status())
            }
        }
    }

    async fn disconnect(&self, connection: &str) -> Answer {
        if let Err(error) = self.store.disconnect(connection, self.now()).await {
            tracing::warn!(%error, "a socket is not forgotten: it expires");
        }
        // Nobody reads it.
        Answer::status(200)
    }

    async fn message(&self, connection: &str, text: &str, is_binary: bool) -> String {
        let request: Result<Request, Problem> = if is_binary {
            Err(Problem::new(Code::BadRequest, "messages are text"))
        } else if text.len() > MESSAGE_LEN_MAX {
            let rule = format!("the message has more than {MESSAGE_LEN_MAX} bytes");
            Err(Problem::new(Code::TooLarge, rule))
        } else {
            serde_json::from_str(text).map_err(|error| Problem::new(Code::BadRequest, error.to_string()))
        };
        match request {
            Ok(Request { request_id, action }) => {
                let outcome = match self.caller(connection).await {
                    Ok(caller) => self.act(&caller, action).await,
                    Err(problem) => Err(problem),
                };
                if let Err(problem) = &outcome
                    && problem.code.status() >= 500
                {
                    tracing::error!(code = ?problem.code, %problem, "a message failed");
                }
                reply(&request_id, outcome)
            }
            Err(problem) if problem.code == Code::TooLarge => reply("", Err(problem)),
            Err(problem) => reply(&message::request_id(text), Err(problem)),
        }
    }

    async fn act(&self, caller: &Caller, action: Action) -> Result<Option<Ticket>, Problem> {
        let cost = match action {
            Action::Start { .. } => Cost::Start,
            Action::Cancel { .. } | Action::Accept { .. } => Cost::Act,
            Action::Status { .. } | Action::Ping {} => Cost::Look,
        };
        self.limits.admit(&caller.player, cost).await?;
        act(&self.backend, caller, action).await
    }

    /// Whoever opened it.
    async fn caller(&self, connection: &str) -> Result<Caller, Problem> {
        let player = self.store.connected(connection, self.now()).await?;
        player.map(|player| Caller { player, kind: AuthKind::Iam, source_ip: None }).ok_or_else(|| {
            let message =
                "this socket is not known any more, as it is old or too many are open: open another";
            Problem::new(Code::Unauthenticated, message)
        })
    }

    fn now(&self) -> u64 {
        let since = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Runs the function.
///
/// # Errors
///
/// A variable is wrong, or Lambda cannot be reached.
///
/// # Cancel safety
///
/// The call under way is lost.
pub async fn serve(environment: Lookup<'_>) -> Result<(), Failure> {
    let Config { aws, table, settings } = Config::calls(environment)?;
    let clients = Clients::new(&aws);
    let store = clients.store(&table);
    let backend = Backend::new(settings, store.clone(), clients.game_lift(), clock());
    let door = Door::new(backend, store, clock());
    // Boxed: the compiler gives up on a type as deep as all that is inside.
    let handle = |event: LambdaEvent<ApiGatewayWebsocketProxyRequest>| Box::pin(door.handle(event.payload));
    lambda_runtime::run(service_fn(handle)).await
}
