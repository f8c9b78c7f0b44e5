//! Where a request comes from, also behind proxies.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client's address. Each of the trusted proxies has added one to `X-Forwarded-For`, so the last so many are true, and the
/// first of those is the client's. What is before them, or there without proxies, anybody may have written.
///
/// A request with fewer has not come through all of them, and one with nonsense in that place through none that keeps to the
/// custom: then it is the other end of the socket. A request that was never on a socket comes from nowhere.
pub(super) fn of(headers: &HeaderMap, extensions: &Extensions, trusted_proxies: u8) -> IpAddr {
    let info = extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = info.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(address)| address.ip());
    let Some(place) = usize::from(trusted_proxies).checked_sub(1) else {
        return peer;
    };
    // Several headers are one list (RFC 9110, 5.3).
    let values = headers.get_all(FORWARDED_FOR).iter().rev();
    let mut entries = values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    entries.nth(place).and_then(read).unwrap_or(peer)
}

/// An address, with or without a port: some proxies write it.
fn read(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(values: &[&str], trusted_proxies: u8) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 4711))));
        of(&headers, &extensions, trusted_proxies).to_string()
    }

    #[test]
    fn without_proxies_the_header_is_anybodys_word() {
        assert_eq!(from(&["192.0.2.1"], 0), "10.0.0.1");
        assert_eq!(from(&[], 0), "10.0.0.1");
    }

    #[test]
    fn a_proxys_word_counts_and_what_the_client_wrote_before_does_not() {
        assert_eq!(from(&["192.0.2.1"], 1), "192.0.2.1");
        assert_eq!(from(&["6.6.6.6, 192.0.2.1"], 1), "192.0.2.1");
        assert_eq!(from(&["6.6.6.6", "192.0.2.1"], 1), "192.0.2.1");
        assert_eq!(from(&["6.6.6.6, 192.0.2.1,10.1.1.1"], 2), "192.0.2.1");
        assert_eq!(from(&["6.6.6.6,192.0.2.1", "10.1.1.1"], 2), "192.0.2.1");
    }

    #[test]
    fn who_has_not_come_through_all_proxies_is_the_other_end() {
        assert_eq!(from(&["6.6.6.6"], 2), "10.0.0.1");
        assert_eq!(from(&[], 1), "10.0.0.1");
        for nonsense in ["", "unknown", "_hidden", "192.0.2.1;", "192.0.2.1,"] {
            assert_eq!(from(&[nonsense], 1), "10.0.0.1", "{nonsense}");
        }
    }

    #[test]
    fn an_address_may_have_a_port() {
        assert_eq!(from(&["192.0.2.1:80"], 1), "192.0.2.1");
        assert_eq!(from(&["[2001:db8::1]:80"], 1), "2001:db8::1");
        assert_eq!(from(&["[2001:db8::1]"], 1), "2001:db8::1");
        assert_eq!(from(&["2001:db8::1"], 1), "2001:db8::1");
    }
}
