//! The sockets of a local GameLift: the AWS API, the server-SDK WebSocket with and without TLS, the admin side.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::Router;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use super::{Endpoints, StartError};
use crate::{
    Config, admin, api,
    driver::Handle,
    server_sdk::{self, tls::Certificate},
};

pub(super) struct Listeners {
    api: Listener,
    sdk: Listener,
    sdk_tls: Option<(Listener, Certificate)>,
    admin: Listener,
}

struct Listener {
    socket: TcpListener,
    /// Where to connect.
    address: SocketAddr,
}

impl Listener {
    async fn bind(flag: &'static str, address: SocketAddr) -> Result<Self, StartError> {
        let failed = |source| StartError::Bind { flag, address, source };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        let address = dialable(socket.local_addr().map_err(failed)?);
        Ok(Self { socket, address })
    }
}

/// An address that can be connected to: for a listener on all of them (0.0.0.0), loopback. The admin side answers
/// nobody who calls it by another name, and its links must work.
fn dialable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

impl Listeners {
    pub(super) async fn bind(config: &Config) -> Result<Self, StartError> {
        Ok(Self {
            api: Listener::bind("--api", config.api).await?,
            sdk: Listener::bind("--sdk", config.sdk).await?,
            sdk_tls: match config.sdk_tls {
                Some(address) => {
                    Some((Listener::bind("--sdk-tls", address).await?, Certificate::generate()?))
                }
                None => None,
            },
            admin: Listener::bind("--admin", config.admin).await?,
        })
    }

    pub(super) fn endpoints(&self) -> Endpoints {
        Endpoints {
            api: format!("http://{}", self.api.address),
            sdk: format!("ws://{}", self.sdk.address),
            sdk_tls: self.sdk_tls.as_ref().map(|(listener, _)| format!("wss://{}", listener.address)),
            admin: format!("http://{}", self.admin.address),
            ca_certificate_pem: self.sdk_tls.as_ref().map(|(_, certificate)| certificate.pem.clone()),
        }
    }

    pub(super) fn serve(
        self,
        tasks: &mut JoinSet<()>,
        handle: &Handle,
        clock: crate::Clock,
        out: admin::Out,
        stop: &watch::Receiver<bool>,
    ) {
        let admin = admin::router(handle.clone(), clock, self.admin.address, out, stop.clone());
        tasks.spawn(serve_http(self.api.socket, api::router(handle.clone()), stop.clone()));
        tasks.spawn(serve_http(self.admin.socket, admin, stop.clone()));
        let endpoint = format!("ws://{}", self.sdk.address).into();
        tasks.spawn(server_sdk::listen(self.sdk.socket, None, endpoint, handle.clone(), stop.clone()));
        if let Some((listener, certificate)) = self.sdk_tls {
            let (tls, endpoint) = (Some(certificate.acceptor), format!("wss://{}", listener.address).into());
            tasks.spawn(server_sdk::listen(listener.socket, tls, endpoint, handle.clone(), stop.clone()));
        }
    }
}

async fn serve_http(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let stopped = async move {
        // An error means that `Local` is gone, which is as good a reason.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let served = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
    if let Err(error) = served {
        tracing::error!(%error, "an HTTP listener failed");
    }
}
