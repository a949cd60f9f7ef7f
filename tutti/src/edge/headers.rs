//! Which headers pass the edge: all but those that are about one connection.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use std::net::IpAddr;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// They mean the connection they came on (RFC 9110, 7.6.1). `Expect` was answered by the edge already; `Host` names the
/// edge, and the next server has another name.
const NOT_PASSED_ON: [HeaderName; 11] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
    header::HOST,
];

/// Takes off what is about one connection, also what `Connection` says is.
pub(super) fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&NOT_PASSED_ON) {
        headers.remove(name);
    }
}

/// Adds from where the request came, behind what proxies before this one have said.
pub(super) fn add_forwarded_for(headers: &mut HeaderMap, peer: IpAddr) {
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

    fn headers(of: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        of.iter().map(pair).collect()
    }

    #[test]
    fn what_is_about_one_connection_stays_behind() {
        let mut passed = headers(&[
            ("connection", "keep-alive, X-Only-Here"),
            ("keep-alive", "timeout=5"),
            ("x-only-here", "1"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("proxy-authorization", "Basic x"),
            ("host", "shop"),
            ("idempotency-key", "k-1"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("tracestate", "a=b"),
        ]);
        strip(&mut passed);
        let mut names: Vec<&str> = passed.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["idempotency-key", "traceparent", "tracestate"]);
    }

    #[test]
    fn a_client_s_address_is_added_behind_those_of_the_proxies_before() {
        let mut passed = headers(&[("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "192.0.2.2")]);
        add_forwarded_for(&mut passed, "::ffff:10.0.0.7".parse().unwrap());
        let all: Vec<&HeaderValue> = passed.get_all("x-forwarded-for").iter().collect();
        assert_eq!(all, ["192.0.2.1, 192.0.2.2, 10.0.0.7"]);
    }
}
