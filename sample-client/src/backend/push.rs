//! News of the ticket, so that it need not be asked for: over a WebSocket, or by gRPC. Both begin with the ticket as it is, so
//! nothing is missed in between.

mod grpc;
mod web_socket;

use bytes::Bytes;
use http::{Request, Uri};

use self::grpc::Grpc;
use self::web_socket::WebSocket;
use super::error::CallError;
use super::http::Http;
use super::model::Ticket;

pub use self::web_socket::PING_INTERVAL;

/// Longest piece of news, in bytes: API Gateway's limit for one frame of a WebSocket.
pub const MESSAGE_LEN_MAX: usize = 32 * 1024;

/// A way for news to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PushBy {
    /// A WebSocket, opened by a presigned URL. On AWS it is an API of its own.
    WebSocket,
    /// A gRPC stream, opened with a token. API Gateway has none.
    Grpc,
}

/// Something open that news comes from. Dropping it closes it.
#[derive(Debug)]
pub struct Push {
    line: Line,
}

#[derive(Debug)]
enum Line {
    WebSocket(WebSocket),
    Grpc(Box<Grpc>),
}

impl Push {
    /// `request` is a presigned GET of an http or https URL.
    pub(crate) async fn web_socket(http: &Http, request: Request<Bytes>) -> Result<Self, CallError> {
        Ok(Self { line: Line::WebSocket(WebSocket::open(http, request).await?) })
    }

    /// `origin` is where the service is, and what comes before its name in the path.
    pub(crate) async fn grpc(http: &Http, origin: Uri, token: &str) -> Result<Self, CallError> {
        Ok(Self { line: Line::Grpc(Box::new(Grpc::open(http, origin, token).await?)) })
    }

    /// The ticket, each time it has changed. `None` when it is over.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Ticket> {
        match &mut self.line {
            Line::WebSocket(web_socket) => web_socket.next().await,
            Line::Grpc(grpc) => grpc.next().await,
        }
    }
}
