//! How fast one address may join, so that a flood from one place leaves the door free for everybody else.
//!
//! Two budgets per address. Whoever has only *sent* from an address has proven nothing, because senders can be forged:
//! beyond the first budget QUIC asks for proof (a Retry: one more round trip). Whoever has proven to *receive* there is
//! refused beyond the second. So a flood with somebody else's address costs its owner a round trip, and never the seat.
//!
//! Pure: the time is an argument. Buckets are kept as the time at which they are full again (the generic cell rate
//! algorithm), so an address costs two instants and a pointer.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Joins per second of one address, unless told otherwise. Players of a household, a cafe or a carrier's NAT share one;
/// a script at this rate still costs less than 2 % of a core.
pub const ADDRESS_JOINS_PER_SECOND_DEFAULT: u32 = 50;

/// Joins of one address at once: a full game session of 200 from one school must get in.
pub const ADDRESS_JOINS_BURST: u32 = 250;

/// Strangers (connections without an accepted Hello) of one address at one time: a quarter of
/// [`STRANGERS_MAX`](crate::quic::STRANGERS_MAX), and more than a full game session.
pub const ADDRESS_STRANGERS_MAX: usize = 256;

/// Addresses that are remembered: some 1 MB. When there are more, and none is idle, newcomers pass unmeasured: the bounds
/// on handshakes and strangers still hold, and refusing whoever is new would do the flood's work.
pub const ADDRESSES_MAX: usize = 8_192;

/// What to do with somebody who knocks.
#[derive(Debug)]
pub enum Verdict {
    /// Let them shake hands. Keep the ticket for as long as they are strangers.
    Admit(Ticket),
    /// Let them prove first that they receive at their address.
    Prove,
    /// Turn them away.
    Refuse,
}

/// One stranger of an address. Dropping it says that it is none any more.
#[derive(Debug)]
pub struct Ticket {
    _strangers: Arc<()>,
}

struct Address {
    /// When each budget is whole again.
    unproven: Instant,
    proven: Instant,
    /// One reference is ours, the others are tickets.
    strangers: Arc<()>,
}

/// All addresses that knocked lately.
pub struct AddressLimits {
    per_join: Duration,
    addresses: BTreeMap<IpAddr, Address>,
    next_sweep: Option<Instant>,
}

impl AddressLimits {
    /// Limits of this many joins per second and address; at least one.
    #[must_use]
    pub fn new(joins_per_second: u32) -> Self {
        Self {
            per_join: Duration::from_secs(1) / joins_per_second.max(1),
            addresses: BTreeMap::new(),
            next_sweep: None,
        }
    }

    /// Somebody knocks. `proven` says whether QUIC has validated the address.
    pub fn knock(&mut self, now: Instant, from: IpAddr, proven: bool) -> Verdict {
        self.sweep(now);
        let key = network(from);
        if !self.addresses.contains_key(&key) && self.addresses.len() >= ADDRESSES_MAX {
            return Verdict::Admit(Ticket { _strangers: Arc::new(()) });
        }
        let address = self.addresses.entry(key).or_insert_with(|| Address {
            unproven: now,
            proven: now,
            strangers: Arc::new(()),
        });
        let crowded = Arc::strong_count(&address.strangers) > ADDRESS_STRANGERS_MAX;
        let budget = if proven { &mut address.proven } else { &mut address.unproven };
        let whole = (*budget).max(now);
        if crowded || whole - now > self.per_join * (ADDRESS_JOINS_BURST - 1) {
            return if proven { Verdict::Refuse } else { Verdict::Prove };
        }
        *budget = whole + self.per_join;
        Verdict::Admit(Ticket { _strangers: address.strangers.clone() })
    }

    /// How many addresses are remembered.
    #[must_use]
    pub fn addresses(&self) -> usize {
        self.addresses.len()
    }

    /// Forgets addresses whose budgets are whole, at most once per second, or the sweeping would be the flood.
    fn sweep(&mut self, now: Instant) {
        if self.next_sweep.is_none_or(|at| now >= at) {
            self.next_sweep = Some(now + Duration::from_secs(1));
            self.addresses
                .retain(|_, it| it.unproven > now || it.proven > now || Arc::strong_count(&it.strangers) > 1);
        }
    }
}

/// Whom an address counts as: IPv6 hands out networks of 2^64 addresses to one household (RFC 6177).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}
