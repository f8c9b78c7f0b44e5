//! How fast one address may join.
#![cfg(test)]

use std::net::IpAddr;
use std::time::{Duration, Instant};

use sample_server::address_limits::{
    ADDRESS_JOINS_BURST, ADDRESS_STRANGERS_MAX, ADDRESSES_MAX, AddressLimits, Ticket, Verdict,
};

const ADA: &str = "192.0.2.1";
const BOB: &str = "192.0.2.2";

struct Bench {
    limits: AddressLimits,
    now: Instant,
}

impl Bench {
    fn new(per_second: u32) -> Self {
        Self { limits: AddressLimits::new(per_second), now: Instant::now() }
    }

    fn knock(&mut self, from: &str, proven: bool) -> Verdict {
        self.limits.knock(self.now, from.parse().unwrap(), proven)
    }

    /// How many of these get in, one after the other and gone at once.
    fn admitted(&mut self, from: &str, proven: bool, knocks: u32) -> u32 {
        (0..knocks).filter(|_| matches!(self.knock(from, proven), Verdict::Admit(_))).count() as u32
    }

    fn tickets(&mut self, from: &str, count: usize) -> Vec<Ticket> {
        (0..count)
            .map(|_| match self.knock(from, true) {
                Verdict::Admit(ticket) => ticket,
                other => panic!("{other:?}"),
            })
            .collect()
    }
}

#[test]
fn burst_gets_in_and_then_as_many_per_second_as_allowed() {
    let mut bench = Bench::new(10);
    assert_eq!(bench.admitted(ADA, true, ADDRESS_JOINS_BURST + 5), ADDRESS_JOINS_BURST);
    assert!(matches!(bench.knock(ADA, true), Verdict::Refuse));
    bench.now += Duration::from_secs(1);
    assert_eq!(bench.admitted(ADA, true, 100), 10);
    assert_eq!(bench.admitted(BOB, true, 5), 5, "somebody else is not affected");
}

#[test]
fn forged_packets_cost_their_victim_a_round_trip_and_not_the_seat() {
    let mut bench = Bench::new(10);
    bench.admitted(ADA, false, 10_000);
    assert!(matches!(bench.knock(ADA, false), Verdict::Prove));
    assert!(matches!(bench.knock(ADA, true), Verdict::Admit(_)));
}

#[test]
fn strangers_of_one_address_are_bounded_until_they_are_strangers_no_more() {
    let mut bench = Bench::new(1_000_000);
    let mut tickets = Vec::new();
    while tickets.len() < ADDRESS_STRANGERS_MAX {
        tickets.extend(bench.tickets(ADA, 64));
        bench.now += Duration::from_secs(1);
    }
    assert!(matches!(bench.knock(ADA, true), Verdict::Refuse));
    assert!(matches!(bench.knock(BOB, true), Verdict::Admit(_)));
    tickets.pop();
    assert!(matches!(bench.knock(ADA, true), Verdict::Admit(_)));
}

#[test]
fn household_with_ipv6_is_one_address() {
    let mut bench = Bench::new(1);
    let (first, second) = ("2001:db8::1", "2001:db8::dead:beef");
    assert_eq!(bench.admitted(first, true, ADDRESS_JOINS_BURST), ADDRESS_JOINS_BURST);
    assert!(matches!(bench.knock(second, true), Verdict::Refuse));
    assert!(matches!(bench.knock("2001:db8:0:1::1", true), Verdict::Admit(_)), "the neighbour is not");
    let mut bench = Bench::new(1);
    bench.admitted(ADA, true, ADDRESS_JOINS_BURST);
    assert!(matches!(bench.knock("::ffff:192.0.2.1", true), Verdict::Refuse), "the same in other words");
}

#[test]
fn addresses_are_forgotten_when_idle_and_never_more_than_the_bound() {
    let mut bench = Bench::new(10);
    for number in 0..ADDRESSES_MAX as u32 + 100 {
        let from = IpAddr::from(number.to_be_bytes());
        assert!(matches!(bench.limits.knock(bench.now, from, true), Verdict::Admit(_)));
    }
    assert_eq!(bench.limits.addresses(), ADDRESSES_MAX);
    bench.now += Duration::from_secs(2);
    bench.admitted(ADA, true, 1);
    assert_eq!(bench.limits.addresses(), 1);
}
