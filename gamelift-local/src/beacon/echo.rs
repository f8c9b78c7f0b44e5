//! What a beacon answers, and when.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::rate::Limiter;

/// Most bytes that are echoed (AWS developer guide, UDP ping beacons).
const PAYLOAD_MAX: usize = 300;
/// Packets per second from one address and port (AWS developer guide, UDP ping beacons).
const SENDER_PER_SECOND: u32 = 3;
/// Packets per second from one address (AWS developer guide, UDP ping beacons).
const ADDRESS_PER_SECOND: u32 = 1000;
/// Most echoes that are held back at a time: about a megabyte. One address alone fills it in four seconds of delay.
const DELAYED_MAX: usize = 4096;

/// What a beacon has done with the packets it received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BeaconCounters {
    /// Sent back.
    pub echoed: u64,
    /// Dropped: empty, or longer than 300 bytes.
    pub wrong_size: u64,
    /// Dropped: more than three in a second from one address and port, or too many senders.
    pub sender_too_fast: u64,
    /// Dropped: more than 1,000 in a second from one address, or too many addresses.
    pub address_too_fast: u64,
    /// Dropped: 4,096 echoes were held back already.
    pub too_many_delayed: u64,
    /// The system refused to send the echo.
    pub send_failed: u64,
}

/// An echo service as a value. Time is an argument, counted from any moment.
#[derive(Debug)]
pub(super) struct Echo {
    latency: Duration,
    jitter: Duration,
    random: fastrand::Rng,
    senders: Limiter<SocketAddr>,
    addresses: Limiter<IpAddr>,
    /// By the moment to send them, then by arrival.
    delayed: BTreeMap<(Duration, u64), (SocketAddr, Vec<u8>)>,
    received: u64,
    counters: BeaconCounters,
}

impl Echo {
    pub(super) fn new(latency: Duration, jitter: Duration, seed: u64) -> Self {
        Self {
            latency,
            jitter,
            random: fastrand::Rng::with_seed(seed),
            senders: Limiter::new(SENDER_PER_SECOND),
            addresses: Limiter::new(ADDRESS_PER_SECOND),
            delayed: BTreeMap::new(),
            received: 0,
            counters: BeaconCounters::default(),
        }
    }

    /// Takes a packet in, or drops and counts it.
    pub(super) fn receive(&mut self, now: Duration, from: SocketAddr, payload: &[u8]) {
        let counters = &mut self.counters;
        if !(1..=PAYLOAD_MAX).contains(&payload.len()) {
            counters.wrong_size += 1;
        } else if !self.senders.take(now, from) {
            counters.sender_too_fast += 1;
        } else if !self.addresses.take(now, from.ip()) {
            counters.address_too_fast += 1;
        } else if self.delayed.len() >= DELAYED_MAX {
            counters.too_many_delayed += 1;
        } else {
            self.received += 1;
            let due = now + self.latency + self.jitter.mul_f64(self.random.f64());
            self.delayed.insert((due, self.received), (from, payload.to_vec()));
        }
    }

    /// When there is something to send.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.delayed.first_key_value().map(|((due, _), _)| *due)
    }

    /// The next packet that is to be sent by now.
    pub(super) fn poll_send(&mut self, now: Duration) -> Option<(SocketAddr, Vec<u8>)> {
        let first = self.delayed.first_entry().filter(|first| first.key().0 <= now)?;
        self.counters.echoed += 1;
        Some(first.remove())
    }

    /// The packet just taken could not be sent.
    pub(super) const fn send_failed(&mut self) {
        self.counters.echoed -= 1;
        self.counters.send_failed += 1;
    }

    pub(super) const fn counters(&self) -> BeaconCounters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn sender(number: usize) -> SocketAddr {
        let [high, low, port_high, port_low] = u32::try_from(number).unwrap().to_be_bytes();
        SocketAddr::from(([10, 0, high, low], u16::from_be_bytes([port_high, port_low])))
    }

    fn everything(echo: &mut Echo, now: Duration) -> Vec<(SocketAddr, Vec<u8>)> {
        std::iter::from_fn(|| echo.poll_send(now)).collect()
    }

    #[test]
    fn one_to_three_hundred_bytes_come_back_unchanged_and_nothing_else_does() {
        for (length, echoed) in [(0, 0), (1, 1), (300, 1), (301, 0), (65_507, 0)] {
            let mut echo = Echo::new(ms(0), ms(0), 0);
            let payload: Vec<u8> = (0..length).map(|index| index as u8).collect();
            echo.receive(ms(5), sender(1), &payload);
            let sent = everything(&mut echo, ms(5));
            assert_eq!(sent.len(), echoed, "{length}");
            assert!(sent.iter().all(|(to, sent)| (*to, sent) == (sender(1), &payload)));
            let counted = BeaconCounters {
                echoed: echoed as u64,
                wrong_size: 1 - echoed as u64,
                ..BeaconCounters::default()
            };
            assert_eq!(echo.counters(), counted);
        }
    }

    #[test]
    fn an_echo_is_held_back_for_the_latency() {
        let mut echo = Echo::new(ms(50), ms(0), 0);
        echo.receive(ms(0), sender(1), b"a");
        echo.receive(ms(10), sender(2), b"b");
        assert_eq!(echo.poll_timeout(), Some(ms(50)));
        assert_eq!(everything(&mut echo, ms(49)), []);
        assert_eq!(everything(&mut echo, ms(50)), [(sender(1), b"a".to_vec())]);
        assert_eq!(echo.poll_timeout(), Some(ms(60)));
        assert_eq!(everything(&mut echo, ms(1000)), [(sender(2), b"b".to_vec())]);
        assert_eq!(echo.poll_timeout(), None);
    }

    #[test]
    fn jitter_adds_up_to_its_measure_differs_and_repeats_with_the_seed() {
        let delays = |seed| -> Vec<Duration> {
            let mut echo = Echo::new(ms(100), ms(20), seed);
            let delay = |index: usize| {
                let now = ms(1000 * index as u64);
                echo.receive(now, sender(1), b"x");
                let due = echo.poll_timeout().unwrap();
                assert_eq!(everything(&mut echo, due).len(), 1);
                due - now
            };
            (0..50).map(delay).collect()
        };
        assert!(delays(1).iter().all(|delay| (ms(100)..=ms(120)).contains(delay)));
        let (least, most) = (delays(1).into_iter().min().unwrap(), delays(1).into_iter().max().unwrap());
        assert!(most - least > ms(10), "{least:?} to {most:?}");
        assert_eq!(delays(1), delays(1));
        assert_ne!(delays(1), delays(2));
    }

    #[test]
    fn a_sender_has_three_a_second_and_an_address_a_thousand() {
        let mut echo = Echo::new(ms(0), ms(0), 0);
        for _ in 0..5 {
            echo.receive(ms(0), sender(1), b"x");
        }
        assert_eq!((everything(&mut echo, ms(0)).len(), echo.counters().sender_too_fast), (3, 2));
        let mut echo = Echo::new(ms(0), ms(0), 0);
        for port in 0..1100 {
            echo.receive(ms(0), sender(port), b"x");
        }
        assert_eq!((everything(&mut echo, ms(0)).len(), echo.counters().address_too_fast), (1000, 100));
    }

    #[test]
    fn what_is_held_back_is_bounded_and_what_does_not_fit_is_counted() {
        let mut echo = Echo::new(ms(5000), ms(0), 0);
        let mut number = 0;
        // From several addresses, and slowly enough that the other bounds do not matter.
        for second in 0..5 {
            for index in 0..900 {
                number += 1;
                echo.receive(ms(1000 * second), sender((index % 3) << 16 | number), b"x");
            }
        }
        assert_eq!(echo.counters().too_many_delayed, 4500 - DELAYED_MAX as u64);
        assert_eq!(everything(&mut echo, ms(60_000)).len(), DELAYED_MAX);
    }
}
