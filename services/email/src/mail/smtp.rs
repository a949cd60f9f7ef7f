//! Messages over the wire: mails by SMTP, text messages by HTTP.
//!
//! SMTP is spoken without TLS: the server is a relay beside the service or in its own network, and the relay speaks TLS
//! to the world. Hence no credentials either, which would cross the network in the clear.

mod dialogue;
mod letter;

use super::{HttpSms, Message, Post, PostError};
use crate::templates::Channel;
use runtime::remote::{BadSetting, ServerUrl, UrlSetting};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::sync::Semaphore;

/// Where the mail server is.
pub const SMTP_URL: UrlSetting = UrlSetting { name: "SMTP_URL", scheme: "smtp", example: "smtp://127.0.0.1:1025" };

/// How long a server may take until it is ready for a mail's data, and once more to take it. RFC 5321 allows minutes;
/// a server that is given up too early takes the same mail again and again.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What a [`super::Mailer`] must allow for one message, so that it never gives up a mail before this does: only here is
/// it known whether the server may have taken it.
pub const TIMEOUT: Duration = Duration::from_secs(45);

/// Mail servers turn away clients that come with too many connections (Postfix: more than 50), and the work runner
/// would open a thousand.
const CONNECTIONS: usize = 32;

/// The port for mail between servers.
const PORT: u16 = 25;

/// Sends mails to an SMTP server, and text messages to an SMS centre.
pub struct SmtpPost {
    server: ServerUrl,
    sms: HttpSms,
    patience: Duration,
    connections: Semaphore,
    /// The last reply said that the shop, rather than a mail, is not welcome.
    turned_away: AtomicBool,
}

impl SmtpPost {
    /// Sends mails to `server`, which may take `patience` until it is ready for the data and once more to take it.
    ///
    /// # Errors
    /// When the address holds more than a host and a port.
    pub fn new(server: ServerUrl, sms: HttpSms, patience: Duration) -> Result<SmtpPost, BadSetting> {
        if server.has_credentials_or_path() {
            let problem = format!("is `{server}`, but must name a host and a port, and nothing else");
            return Err(SMTP_URL.bad(problem));
        }
        let connections = Semaphore::new(CONNECTIONS);
        Ok(SmtpPost { server, sms, patience, connections, turned_away: AtomicBool::new(false) })
    }

    async fn mail(&self, message: &Message) -> Result<(), PostError> {
        let letter = letter::write(message)?;
        let busy = || PostError::NotSent(format!("{CONNECTIONS} mails are being sent already"));
        let waited = tokio::time::timeout(self.patience, self.connections.acquire()).await;
        let _connection = waited.map_err(|_| busy())?.map_err(|_| busy())?;
        let address = (self.server.host(), self.server.port().unwrap_or(PORT));
        let sent = dialogue::send(address, &letter, self.patience).await;
        sent.inspect(|()| self.welcome()).map_err(|ended| self.told(ended))
    }

    fn welcome(&self) {
        if self.turned_away.swap(false, Ordering::Relaxed) {
            tracing::info!(server = "mail server", "takes the shop's mails again");
        }
    }

    /// The port's word for how it ended. That the shop is not welcome is a warning, once for a run of them: it decides
    /// nothing about a mail, and only a person can mend it.
    fn told(&self, ended: dialogue::Ended) -> PostError {
        match ended {
            dialogue::Ended::NotWelcome(why) => {
                if !self.turned_away.swap(true, Ordering::Relaxed) {
                    tracing::warn!(server = "mail server", why, "turns the shop away: check its address and its rules");
                }
                PostError::NotSent(why)
            }
            dialogue::Ended::NotNow(why) => PostError::NotSent(why),
            dialogue::Ended::Unclear(why) => PostError::Unclear(why),
            dialogue::Ended::Refused(why) => PostError::Refused(why),
        }
    }
}

impl Post for SmtpPost {
    async fn send(&self, message: &Message) -> Result<(), PostError> {
        match message.channel {
            Channel::Mail => self.mail(message).await,
            Channel::Sms => self.sms.send(message).await,
        }
    }
}
