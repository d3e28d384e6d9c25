//! For whom passkeys are made: the origin of the page, and the domain they are bound to.

use std::net::IpAddr;
use toji_core::{Error, Place, Result};

/// The relying party: passkeys are bound to its domain, and count on pages of its origin alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    domain: String,
    origin: String,
}

impl Party {
    /// Of an origin such as `https://toji.example`. Browsers make passkeys for names, and on `https` or `localhost` alone.
    ///
    /// # Errors
    /// `E-PASSKEY-001`: it is no origin that passkeys can be made for.
    pub fn of_origin(text: &str) -> Result<Self> {
        read(text.trim()).ok_or_else(|| {
            Error::input(
                "E-PASSKEY-001",
                format!("「{text}」はパスキーに使えるオリジンではありません"),
                format!("\"{text}\" is no origin that passkeys can be made for"),
            )
            .at(Place::field("origin"))
            .hint(
                "https://名前 の形で、パスを付けずに指定してください。IP アドレスは使えません。http は localhost だけです",
                "give https://name without a path; an IP address cannot be used, and http is for localhost alone",
            )
        })
    }
    /// Of a server that this machine alone reaches.
    #[must_use]
    pub fn on_this_machine(port: u16) -> Self {
        let origin = if port == 80 { "http://localhost".to_owned() } else { format!("http://localhost:{port}") };
        Self { domain: "localhost".into(), origin }
    }
    /// The identifier of the relying party.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }
    /// As browsers write it.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

fn read(text: &str) -> Option<Party> {
    let lower = text.to_ascii_lowercase();
    let (scheme, rest) = lower.split_once("://")?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.split_once(':') {
        Some((host, port)) => (host, Some(port.parse::<u16>().ok().filter(|port| *port != 0)?)),
        None => (rest, None),
    };
    let local = host == "localhost" || host.ends_with(".localhost");
    let usual = match scheme {
        "https" => 443,
        "http" if local => 80,
        _ => return None,
    };
    let label = |label: &str| {
        let plain = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        plain && !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    };
    let number = host.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    if host.len() > 253 || !host.split('.').all(label) || number || host.parse::<IpAddr>().is_ok() {
        return None;
    }
    let port = port.filter(|port| *port != usual).map(|port| format!(":{port}")).unwrap_or_default();
    Some(Party { domain: host.to_owned(), origin: format!("{scheme}://{host}{port}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_name_that_browsers_take() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let party = Party::of_origin(text).ok();
            assert_eq!(party.as_ref().map(|party| (party.domain(), party.origin())), expected, "{text}");
        };
        check("https://toji.example", Some(("toji.example", "https://toji.example")));
        check("HTTPS://Toji.Example/", Some(("toji.example", "https://toji.example")));
        check("https://toji.example:443", Some(("toji.example", "https://toji.example")));
        check("https://xn--jp8h.example:8443", Some(("xn--jp8h.example", "https://xn--jp8h.example:8443")));
        check("http://localhost:8080", Some(("localhost", "http://localhost:8080")));
        check("http://lab.localhost", Some(("lab.localhost", "http://lab.localhost")));
        for text in [
            "",
            "toji.example",
            "http://toji.example",
            "http://localhost.example",
            "http://127.0.0.1:8080",
            "https://192.0.2.1",
            "https://[::1]",
            "https://1.2.3",
            "https://toji.example/path",
            "https://user@toji.example",
            "https://toji.example:0",
            "https://toji.example:99999",
            "https://toji..example",
            "https://.example",
            "https://-x.example",
            "https://杜氏.example",
            "ftp://toji.example",
        ] {
            check(text, None);
        }
        assert_eq!(Party::on_this_machine(8080), Party::of_origin("http://localhost:8080").unwrap());
        assert_eq!(Party::on_this_machine(80), Party::of_origin("http://localhost").unwrap());
    }
}
