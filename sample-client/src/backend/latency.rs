//! How far the locations are, by the UDP beacons that GameLift has in each.
//!
//! A beacon answers packets of 1 to 300 bytes, at most three per second from one socket (GameLift developer guide, "UDP ping
//! beacons"). Locations that do not answer are left out, as if there were no way to play there.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio::net::{UdpSocket, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::model::{Beacon, Location};

/// Packets to each beacon. The median of five stands up to two that were held up.
pub const PROBES: u32 = 5;
/// From one packet to the next on one socket: a bit less than three per second.
pub const PROBE_INTERVAL: Duration = Duration::from_millis(350);
/// After which a packet is lost. Players that far away have no game there.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// Lost packets in a row after which a beacon is not asked any more.
pub const LOSSES_MAX: u32 = 2;
/// Locations in a request: the backend takes no more, and GameLift has fewer.
pub const LOCATIONS_MAX: usize = 50;
/// Longest time that the name of a beacon may take to look up.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);
/// Bytes of a probe. The last four are its number, so that a late answer is not taken for the next.
const PAYLOAD_LEN: usize = 12;
const _: () = assert!(PAYLOAD_LEN > 0 && PAYLOAD_LEN <= 300);

/// Measures all locations that have a beacon, at once. Takes about two seconds, silent ones included.
///
/// # Cancel safety
/// Dropping the future ends the measurement.
pub async fn measure(locations: &[Location]) -> BTreeMap<String, u32> {
    let mut probes = JoinSet::new();
    if locations.len() > LOCATIONS_MAX {
        tracing::warn!(known = locations.len(), used = LOCATIONS_MAX, "more locations than a request takes");
    }
    for Location { location, beacon } in locations.iter().take(LOCATIONS_MAX).cloned() {
        if let Some(beacon) = beacon {
            probes.spawn(async move {
                let samples = probe(&beacon).await;
                (location, samples)
            });
        }
    }
    let mut latencies = BTreeMap::new();
    while let Some(probed) = probes.join_next().await {
        let (location, samples) = match probed {
            Ok(probed) => probed,
            Err(error) => {
                tracing::warn!(%error, "a measurement has failed; its location is left out");
                continue;
            }
        };
        match samples.map(median) {
            Ok(Some(latency)) => {
                latencies.insert(location, millis(latency));
            }
            Ok(None) => tracing::info!(location, "no answer from the beacon; the location is left out"),
            Err(error) => {
                tracing::info!(location, %error, "the beacon cannot be asked; the location is left out")
            }
        }
    }
    latencies
}

async fn probe(beacon: &Beacon) -> io::Result<Vec<Duration>> {
    let deadline = Instant::now() + LOOKUP_TIMEOUT;
    let address = timeout_at(deadline, lookup_host((beacon.domain.as_str(), beacon.port)))
        .await??
        .next()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))?;
    let any: std::net::IpAddr = match address {
        std::net::SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        std::net::SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(address).await?;
    let mut samples = Vec::new();
    let mut losses = 0;
    for number in 0..PROBES {
        let sent = Instant::now();
        // A beacon that is not there answers by ICMP, which is an error of the next call: a lost packet like any other.
        if socket.send(&payload(number)).await.is_ok()
            && let Ok(Ok(())) = timeout_at(sent + PROBE_TIMEOUT, answer(&socket, number)).await
        {
            samples.push(sent.elapsed());
            losses = 0;
        } else {
            losses += 1;
            if losses == LOSSES_MAX {
                break;
            }
        }
        sleep_until(sent + PROBE_INTERVAL).await;
    }
    Ok(samples)
}

/// Waits for the answer. The guide does not say what is in one; if it is what was sent, the answer to an earlier probe that
/// came too late is told by that.
async fn answer(socket: &UdpSocket, number: u32) -> io::Result<()> {
    let mut buffer = [0; PAYLOAD_LEN + 1];
    loop {
        let len = socket.recv(&mut buffer).await?;
        if !(0..number).any(|earlier| buffer.get(..len) == Some(&payload(earlier))) {
            return Ok(());
        }
    }
}

fn payload(number: u32) -> [u8; PAYLOAD_LEN] {
    let mut payload = *b"latency.....";
    payload[PAYLOAD_LEN - 4..].copy_from_slice(&number.to_be_bytes());
    payload
}

/// The middle one; of two, the shorter.
fn median(mut samples: Vec<Duration>) -> Option<Duration> {
    samples.sort_unstable();
    samples.get(samples.len().checked_sub(1)? / 2).copied()
}

/// Whole milliseconds, at least one: GameLift refuses zero.
fn millis(latency: Duration) -> u32 {
    u32::try_from((latency.as_micros() + 500) / 1000).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_is_the_median_and_never_zero() {
        let samples = |all: &[u64]| median(all.iter().map(|it| Duration::from_micros(*it)).collect());
        assert_eq!(samples(&[]), None);
        assert_eq!(samples(&[9000, 1000, 2000, 2100, 90_000]).map(millis), Some(2));
        assert_eq!(samples(&[40]).map(millis), Some(1));
        assert_eq!(samples(&[1500, 90_000]).map(millis), Some(2));
    }
}
