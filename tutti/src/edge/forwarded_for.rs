//! Tells the service from where a request came.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::net::IpAddr;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Adds from where the request came, behind what proxies before this one have said.
pub(super) fn add(headers: &mut HeaderMap, peer: IpAddr) {
    let mut chain: Vec<u8> = vec![];
    for value in headers.get_all(FORWARDED_FOR) {
        chain.extend(value.as_bytes());
        chain.extend(b", ");
    }
    chain.extend(peer.to_canonical().to_string().as_bytes());
    // What came as headers can be one again.
    if let Ok(chain) = HeaderValue::from_bytes(&chain) {
        headers.insert(FORWARDED_FOR, chain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_s_address_is_added_behind_those_of_the_proxies_before() {
        let mut passed: HeaderMap = ["192.0.2.1", "192.0.2.2"]
            .map(|address| (FORWARDED_FOR, HeaderValue::from_static(address)))
            .into_iter()
            .collect();
        add(&mut passed, "::ffff:10.0.0.7".parse().unwrap());
        let all: Vec<&HeaderValue> = passed.get_all("x-forwarded-for").iter().collect();
        assert_eq!(all, ["192.0.2.1, 192.0.2.2, 10.0.0.7"]);
    }
}
