//! The SDK and the local GameLift in one process, without a socket between them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use gamelift_local::testing::Emulator;
use gamelift_local::{FromService, Local};
use gamelift_server_sdk::DialError;
use gamelift_server_sdk::transport::{Dial, Incoming, Socket, SocketError};
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
            Ok(Socket::from_channels(attached.to_service, attached.from_service, |frame| match frame {
                FromService::Text(text) => Ok(Incoming::Text(text)),
                FromService::Closed(Some(code)) => Ok(Incoming::Close(Some(code))),
                FromService::Closed(None) => Err(SocketError("reset".into())),
            }))
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
    Emulator::in_memory().await.local().clone()
}
