//! The settings of a process: environment variables alone, each named in what is said when it cannot be used. An empty
//! one counts as not set.

use super::StartError;
use crate::remote::{ServerUrl, UrlSetting};
use std::{net::SocketAddr, time::Duration};

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Where settings are looked up.
pub struct Env(Box<Lookup>);

impl Env {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Env {
        Env::of(|name| std::env::var(name).ok())
    }

    /// Settings from elsewhere.
    #[must_use]
    pub fn of(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Env {
        Env(Box::new(lookup))
    }

    /// A setting that may be left out.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// A setting that must be there. Neither this nor any other method shows the value of one that may be secret.
    ///
    /// # Errors
    /// When it is not set; `example` says what to write.
    pub fn text(&self, name: &str, example: &str) -> Result<String, StartError> {
        let missing = || StartError::setting(format!("{name} is not set; write for example {example}"));
        self.optional(name).ok_or_else(missing)
    }

    /// The address of somebody else's server.
    ///
    /// # Errors
    /// When it is not set, or no such address.
    pub fn url(&self, setting: &UrlSetting) -> Result<ServerUrl, StartError> {
        let value = self.optional(setting.name).ok_or_else(|| setting.bad("is not set".into()));
        value.and_then(|value| setting.parse(&value)).map_err(StartError::setting)
    }

    /// A time in whole seconds, at least one.
    ///
    /// # Errors
    /// When it is something else.
    pub fn seconds(&self, name: &str, usually: Duration) -> Result<Duration, StartError> {
        let Some(text) = self.optional(name) else { return Ok(usually) };
        let seconds = text.parse().ok().filter(|seconds| (1..=MOST_SECONDS).contains(seconds));
        seconds.map(Duration::from_secs).ok_or_else(|| {
            let usually = usually.as_secs();
            StartError::setting(format!(
                "{name} is `{text}`; write whole seconds from 1 to {MOST_SECONDS}, as {usually}"
            ))
        })
    }

    /// Where to listen.
    ///
    /// # Errors
    /// When it is no address and port.
    pub fn listen(&self, name: &str, usually: &str) -> Result<SocketAddr, StartError> {
        let text = self.optional(name).unwrap_or_else(|| usually.to_owned());
        text.parse().map_err(|_| {
            let say = format!("{name} is `{text}`; write an address of this machine and a port, as {usually}");
            StartError::setting(say)
        })
    }
}

/// A year: longer is a mistake.
const MOST_SECONDS: u64 = 366 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    const GATEWAY: UrlSetting = UrlSetting { name: "GATEWAY", scheme: "http", example: "http://127.0.0.1:1" };

    fn env(name: &'static str, value: &'static str) -> Env {
        Env::of(move |asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn what_is_set_is_taken_and_what_is_not_has_its_usual_value() {
        assert_eq!(env("A", "a").text("A", "x").unwrap(), "a");
        assert_eq!(env("A", "7").seconds("A", Duration::from_secs(1)).unwrap().as_secs(), 7);
        assert_eq!(env("A", "").seconds("A", Duration::from_secs(1)).unwrap().as_secs(), 1);
        assert_eq!(env("", "").listen("A", "0.0.0.0:8080").unwrap().port(), 8080);
        assert!(env("GATEWAY", "http://there").url(&GATEWAY).is_ok());
    }

    #[test]
    fn what_cannot_be_used_is_named_with_what_to_write() {
        let said = |error: StartError| error.to_string();
        assert_eq!(said(env("A", "").text("A", "x").unwrap_err()), "A is not set; write for example x");
        for text in ["0", "-1", "1.5", "15m", "99999999999"] {
            let wrong = said(env("A", text).seconds("A", Duration::from_secs(900)).unwrap_err());
            assert!(wrong.starts_with(&format!("A is `{text}`; write whole seconds")), "{wrong}");
        }
        let wrong = said(env("A", "8080").listen("A", "0.0.0.0:8080").unwrap_err());
        assert!(wrong.starts_with("A is `8080`; write an address") && wrong.ends_with("as 0.0.0.0:8080"), "{wrong}");
        let wrong = said(env("GATEWAY", "http://shop:hunter2@").url(&GATEWAY).unwrap_err());
        assert!(wrong.starts_with("GATEWAY is `…@`") && !wrong.contains("hunter2"), "{wrong}");
        let missing = said(env("", "").url(&GATEWAY).unwrap_err());
        assert!(missing.starts_with("GATEWAY is not set"), "{missing}");
    }
}
