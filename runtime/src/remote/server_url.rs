//! Where a server of the outside world is, as a setting names it.

use reqwest::Url;
use std::fmt;

/// A setting that holds a server's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrlSetting {
    /// The environment variable.
    pub name: &'static str,
    /// The one scheme that is spoken: `http` or `smtp`.
    pub scheme: &'static str,
    /// What to write for example.
    pub example: &'static str,
}

/// A setting that cannot be used. It shows the value, but nothing before an `@`, where a password would be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting} {problem}; write for example {example}")]
pub struct BadSetting {
    setting: &'static str,
    problem: String,
    example: &'static str,
}

impl UrlSetting {
    /// The address that the environment holds.
    ///
    /// # Errors
    /// When it is not set, or no address.
    pub fn from_env(&self) -> Result<ServerUrl, BadSetting> {
        match std::env::var(self.name) {
            Ok(value) => self.parse(&value),
            Err(_) => Err(self.bad("is not set".into())),
        }
    }

    /// The address in `value`.
    ///
    /// # Errors
    /// Names the setting, the value and what is wrong with it.
    pub fn parse(&self, value: &str) -> Result<ServerUrl, BadSetting> {
        let wrong = |why: &str| self.bad(format!("is `{}`, {why}", without_credentials(value)));
        let url = Url::parse(value).map_err(|error| wrong(&format!("which is no URL: {error}")))?;
        if url.scheme() != self.scheme {
            let spoken = format!("but only {}:// is spoken here; TLS is for a proxy or relay beside it", self.scheme);
            return Err(wrong(&spoken));
        }
        match url.host_str() {
            None | Some("") => Err(wrong("which names no host")),
            Some(_) if url.query().is_some() || url.fragment().is_some() => Err(wrong("which has a query or fragment")),
            Some(_) => Ok(ServerUrl(url)),
        }
    }

    /// Says what is wrong with this setting's value.
    #[must_use]
    pub fn bad(&self, problem: String) -> BadSetting {
        BadSetting { setting: self.name, problem, example: self.example }
    }
}

/// The address of a server. Its credentials, if it has any, do not show.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl(Url);

impl ServerUrl {
    /// The address of what is at `path` below this one. Each part is escaped.
    #[must_use]
    pub fn join(&self, path: &[&str]) -> Url {
        let mut url = self.0.clone();
        // An address with a host has a path, so that this never fails.
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        url
    }

    /// The host's name or number, without the brackets of an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }

    /// The port, if it is named.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.0.port()
    }

    /// Whether it names more than a host and a port.
    #[must_use]
    pub fn has_credentials_or_path(&self) -> bool {
        let credentials = !self.0.username().is_empty() || self.0.password().is_some();
        credentials || !matches!(self.0.path(), "" | "/")
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_credentials(self.0.as_str()))
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Also what is no URL may hold a password, so nothing before the last `@` is shown.
fn without_credentials(text: &str) -> String {
    text.rsplit_once('@').map_or_else(|| text.to_owned(), |(_, rest)| format!("…@{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTING: UrlSetting =
        UrlSetting { name: "PAYMENT_GATEWAY_URL", scheme: "http", example: "http://127.0.0.1:8090/gateway" };

    #[test]
    fn each_part_of_a_path_is_escaped() {
        for base in ["http://there:81/gateway", "http://there:81/gateway/"] {
            let url = SETTING.parse(base).unwrap();
            let operation = url.join(&["operations", "payment/charge/o-1"]);
            assert_eq!(operation.as_str(), "http://there:81/gateway/operations/payment%2Fcharge%2Fo-1");
        }
        let url = SETTING.parse("http://[::1]:81").unwrap();
        assert_eq!((url.host(), url.port(), url.join(&["a"]).as_str()), ("::1", Some(81), "http://[::1]:81/a"));
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_setting_the_value_and_an_example() {
        for (value, why) in [
            ("", "no URL"),
            ("there:81", "only http:// is spoken"),
            ("https://there", "only http:// is spoken"),
            ("http://", "no URL"),
            ("http://there?a=b", "query"),
        ] {
            let bad = SETTING.parse(value).unwrap_err().to_string();
            let named = bad.contains("PAYMENT_GATEWAY_URL") && bad.contains(&format!("`{value}`"));
            assert!(named && bad.contains(why) && bad.contains("http://127.0.0.1:8090/gateway"), "{bad}");
        }
    }

    #[test]
    fn a_setting_that_is_not_there_says_so() {
        let missing = UrlSetting { name: "NOBODY_SETS_THIS_URL", ..SETTING }.from_env().unwrap_err().to_string();
        let expected = "NOBODY_SETS_THIS_URL is not set; write for example http://127.0.0.1:8090/gateway";
        assert_eq!(missing, expected);
    }

    #[test]
    fn a_password_never_shows() {
        for value in
            ["http://shop:hunter2@there?x", "http://shop:hunter2@", "shop:hunter2@there", "ftp://hunter2@there"]
        {
            let bad = SETTING.parse(value).unwrap_err();
            assert!(!format!("{bad} {bad:?}").contains("hunter2"), "{bad}");
        }
        let url = SETTING.parse("http://shop:hunter2@there/gateway").unwrap();
        assert_eq!(format!("{url} {url:?}"), "…@there/gateway …@there/gateway");
    }
}
