//! Serves the routes on a listener, within bounds: `axum::serve` has none.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tower::Service as _;

use super::connection::Connection;

/// Connections that may be open, WebSockets among them, unless the operator says otherwise. Each has some 30 KB, so this is
/// 300 MB; the system's limit of open files (`ulimit -n`) has to be above it.
pub const CONNECTIONS_MAX: NonZeroUsize = NonZeroUsize::new(10_000).expect("the number is not zero");
/// What a request line and headers may take to come, and so what a connection may be open without a request. Clients ask every
/// six seconds at the latest while they wait for a match.
pub const HEAD_WAIT: Duration = Duration::from_secs(30);
/// The longest request line with headers, in bytes. API Gateway takes 10,240 (quotas of HTTP APIs).
pub const HEAD_LEN_MAX: usize = 16 * 1024;
/// Requests and streams at once on one connection of HTTP/2. A client of ours has a call and a stream; somebody may serve several.
pub const STREAMS_MAX: u32 = 128;
/// A peer that is there answers a ping. One that has gone without a word is noticed after both.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_WAIT: Duration = Duration::from_secs(20);
/// Before the next try when the system has no more files to give: trying at once would be all that is done.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// What somebody is told for whom there is no room.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How many may be open.
    pub connections: NonZeroUsize,
    /// How long one may be open without a request.
    pub head_wait: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { connections: CONNECTIONS_MAX, head_wait: HEAD_WAIT }
    }
}

/// Serves until `stop` says so, and then until the last request under way has been answered. Dropped, it cuts all connections but
/// those that have left HTTP behind.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    mut stop: watch::Receiver<bool>,
) {
    let most = bounds.connections.get();
    let room = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
    let (builder, graceful) = (builder(bounds.head_wait), GracefulShutdown::new());
    let mut open = JoinSet::new();
    // How many since there has been no room. Told once, not per connection: a flood must not fill the log.
    let mut turned_away = 0_u64;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // One has ended: it leaves the set.
            Some(_) = open.join_next() => continue,
            // A dropped sender means the same.
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                refused(&error).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
            if turned_away == 0 {
                tracing::warn!(most, "too many connections are open: more are turned away");
            }
            turned_away += 1;
            turn_away(&stream);
            continue;
        };
        if turned_away > 0 {
            tracing::warn!(turned_away, "there is room for connections again");
            turned_away = 0;
        }
        // Answers are small and waited for.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection has ended before it began");
            continue;
        }
        let router = router.clone();
        let service = service_fn(move |request| answer(router.clone(), request, peer));
        let connection = TokioIo::new(Connection::new(stream, permit, bounds.head_wait));
        let connection = builder.serve_connection_with_upgrades(connection, service).into_owned();
        let connection = graceful.watch(connection);
        open.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error, "a connection has broken off");
            }
        });
    }
    // Whoever comes now is refused by the system.
    drop(listener);
    graceful.shutdown().await;
}

fn builder(head_wait: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head_wait)
        .max_buf_size(HEAD_LEN_MAX)
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_LEN_MAX as u32)
        .max_concurrent_streams(STREAMS_MAX)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_WAIT);
    builder
}

async fn answer(
    mut router: Router,
    mut request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Response, Infallible> {
    request.extensions_mut().insert(ConnectInfo(peer));
    router.call(request).await
}

async fn refused(error: &io::Error) {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    // The other end's doing, and no reason to wait.
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "no connection can be accepted");
        sleep(ACCEPT_PAUSE).await;
    }
}

/// With a word if there is room for it in the socket, which there is in a new one.
fn turn_away(stream: &TcpStream) {
    if let Err(error) = stream.try_write(FULL) {
        tracing::debug!(%error, "somebody is turned away without a word");
    }
}
