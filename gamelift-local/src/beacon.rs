//! UDP latency beacons: echo services, one for each location, with which players measure their latency.
//!
//! The AWS developer guide ("UDP ping beacons") has the rules: whatever is not empty and has at most 300 bytes comes
//! back unchanged, as long as nobody sends too often. On one machine every location is equally near, so an echo can be
//! held back. Beacons tell the time by the wall: a measured latency is that of the network, whatever the service's clock
//! says.

mod echo;
mod rate;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::{
    net::UdpSocket,
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

pub use self::echo::BeaconCounters;
use self::echo::Echo;
use crate::setup;

/// Nothing that UDP carries is longer: what does not fit would look shorter than it is.
const DATAGRAM_MAX: usize = 65_535;
/// How long to wait after a failure to receive, which the next attempt would probably meet again.
const PAUSE: Duration = Duration::from_millis(50);
/// How long to sleep when nothing is held back: as good as for ever.
const IDLE: Duration = Duration::from_secs(24 * 60 * 60);

/// A location's latency beacon: where it is and what it has done.
#[derive(Debug, Clone)]
pub struct Beacon {
    location: String,
    endpoint: SocketAddr,
    counters: watch::Receiver<BeaconCounters>,
}

impl Beacon {
    /// Name of the location.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Where it listens.
    pub const fn endpoint(&self) -> SocketAddr {
        self.endpoint
    }

    /// What it has done so far.
    pub fn counters(&self) -> BeaconCounters {
        *self.counters.borrow()
    }
}

/// A beacon that is about to work.
#[derive(Debug)]
pub(crate) struct Service {
    socket: UdpSocket,
    echo: Echo,
    counters: watch::Sender<BeaconCounters>,
}

/// Opens the socket of a beacon.
pub(crate) async fn bind(
    address: IpAddr,
    location: String,
    beacon: &setup::Beacon,
    seed: u64,
) -> io::Result<(Beacon, Service)> {
    let socket = UdpSocket::bind(SocketAddr::new(address, beacon.port)).await?;
    let endpoint = socket.local_addr()?;
    let milliseconds = |count: u32| Duration::from_millis(count.into());
    let echo = Echo::new(milliseconds(beacon.latency_ms), milliseconds(beacon.jitter_ms), seed);
    let (sender, counters) = watch::channel(BeaconCounters::default());
    Ok((Beacon { location, endpoint, counters }, Service { socket, echo, counters: sender }))
}

impl Service {
    /// Echoes until told to stop.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            // An error means that `Local` is gone, which is as good a reason.
            _ = stop.wait_for(|stop| *stop) => {}
            () = self.serve() => {}
        }
    }

    async fn serve(mut self) {
        let started = Instant::now();
        let mut buffer = vec![0; DATAGRAM_MAX];
        loop {
            let wake = started + self.echo.poll_timeout().unwrap_or_else(|| started.elapsed() + IDLE);
            tokio::select! {
                received = self.socket.recv_from(&mut buffer) => match received {
                    Ok((length, from)) => self.echo.receive(started.elapsed(), from, &buffer[..length]),
                    Err(error) => {
                        tracing::warn!(%error, "a latency beacon cannot receive");
                        sleep(PAUSE).await;
                    }
                },
                () = sleep_until(wake) => {}
            }
            while let Some((to, payload)) = self.echo.poll_send(started.elapsed()) {
                if let Err(error) = self.socket.send_to(&payload, to).await {
                    tracing::debug!(%error, %to, "an echo was not sent");
                    self.echo.send_failed();
                }
            }
            self.counters.send_replace(self.echo.counters());
        }
    }
}
