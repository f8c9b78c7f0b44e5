//! The SDK and the local GameLift in one process, without a socket between them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, sink, stream};
use gamelift_local::{Clock, FromService, Local};
use gamelift_server_sdk::DialError;
use gamelift_server_sdk::transport::{Dial, Incoming, Outgoing, Socket, SocketError};
use tokio::time::{sleep, timeout};

/// The SDK's network is the local GameLift itself.
pub(crate) struct InProcess(pub(crate) Arc<Local>);

impl Dial for InProcess {
    fn dial(&self, url: String) -> BoxFuture<'static, Result<Socket, DialError>> {
        let local = self.0.clone();
        Box::pin(async move {
            let query = url.split_once('?').map_or("", |(_, query)| query);
            let attached = local.attach(query).await;
            let attached = attached
                .map_err(|refused| DialError::Refused { status: refused.status, body: refused.message })?;
            Ok(Socket {
                sink: Box::pin(sink::unfold(Some(attached.to_service), |to_service, frame| async move {
                    match (to_service, frame) {
                        (Some(to_service), Outgoing::Text(text)) => match to_service.send(text).await {
                            Ok(()) => Ok(Some(to_service)),
                            Err(_) => Err(SocketError("closed".into())),
                        },
                        // Dropping the sender is the goodbye.
                        (_, Outgoing::Close(_)) => Ok(None),
                        (None, Outgoing::Text(_)) => Err(SocketError("closed".into())),
                    }
                })),
                stream: Box::pin(
                    stream::unfold(attached.from_service, |mut from_service| async move {
                        let frame = match from_service.recv().await? {
                            FromService::Text(text) => Ok(Incoming::Text(text)),
                            FromService::Closed(Some(code)) => Ok(Incoming::Close(Some(code))),
                            FromService::Closed(None) => Err(SocketError("reset".into())),
                        };
                        Some((frame, from_service))
                    })
                    .fuse(),
                ),
            })
        })
    }
}

/// Hours of virtual time pass in no time at all when nothing happens.
pub(crate) async fn patient<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(6 * 3_600), future).await.expect("nothing happened for six hours")
}

/// On a paused clock this ends when every task has nothing left to do.
pub(crate) async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

pub(crate) async fn start() -> Arc<Local> {
    let mut config = gamelift_local::Config::in_memory();
    // Driven by tokio's clock, which stands still while anybody has something to do.
    config.clock = Clock::Wall;
    Arc::new(Local::start(config).await.unwrap())
}
