//! The addresses that phones send to.

use url::{Host, Url};

/// Whether a phone sends to this address: https, or http to its own machine. The one rule of both
/// sides: headquarters sign no address that a phone would then refuse.
pub fn is_safe_endpoint(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let loopback = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_anywhere_and_http_to_oneself() {
        for safe in [
            "https://example.org",
            "https://192.0.2.1:8470/hq",
            "http://127.0.0.1:8470",
            "http://[::1]:8470",
            "http://localhost",
        ] {
            assert!(is_safe_endpoint(safe), "{safe}");
        }
        for unsafe_one in [
            "",
            "not a url",
            "example.org",
            "http://example.org",
            "http://localhost.example.org",
            "http://192.0.2.1",
            "ftp://127.0.0.1",
            "https://",
        ] {
            assert!(!is_safe_endpoint(unsafe_one), "{unsafe_one}");
        }
    }
}
