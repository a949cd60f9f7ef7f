//! Mails that went over SMTP, read from the mail catcher's API (Mailpit).

mod seen;

use super::{Channel, Message};
use crate::NoAnswer;
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::Client;
use runtime::{
    Micros,
    remote::{ServerUrl, UrlSetting, client},
};
use seen::{Seen, Summary};
use serde::{Deserialize, de::DeserializeOwned};
use std::{collections::HashMap, time::Duration};
use tokio::sync::Mutex;

/// Where the mail catcher's API is.
pub const MAIL_API_URL: UrlSetting =
    UrlSetting { name: "MAIL_API_URL", scheme: "http", example: "http://127.0.0.1:8025" };

/// How long the mail catcher may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes: a thousand summaries are some 600 kB.
const ANSWER_LIMIT: usize = 16 << 20;
/// Mails read at a time.
const AT_ONCE: usize = 8;
/// How often a page is asked for again because mails came in between.
const TRIES: usize = 20;
/// How many mails are listed at once.
const LISTED: usize = 1_000;

/// A mail catcher. It must keep every mail (`--max 0`): how many were read is where the next page begins.
pub struct Mailpit {
    base: ServerUrl,
    http: Client,
    seen: Mutex<Seen>,
}

/// A mail that was received.
pub(super) struct Mail {
    /// When.
    pub(super) at: Micros,
    /// What the mailbox shows of it; nothing of a copy, or of a mail that is not the shop's.
    pub(super) shown: Option<Message>,
}

#[derive(Deserialize)]
struct List {
    messages_count: i64,
    messages: Vec<Summary>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    to: Vec<Address>,
    subject: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Address {
    address: String,
}

impl Mailpit {
    /// The mail catcher whose API is at `base`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(base: ServerUrl) -> Result<Mailpit, String> {
        Ok(Mailpit { base, http: client(TIMEOUT)?, seen: Mutex::default() })
    }

    /// The mails after the first `skip`, oldest first, at most `limit`: all, or those that may be about one order.
    pub(super) async fn mails(&self, order_id: Option<&str>, skip: i64, limit: usize) -> Result<Vec<Mail>, NoAnswer> {
        let skip = usize::try_from(skip).unwrap_or(0);
        let page = match order_id.map(search_for) {
            Some(None) => vec![], // no order has such an id
            Some(Some(search)) => {
                let mut seen = Seen::default();
                self.catch_up(&mut seen, Some(&search)).await?;
                seen.page(skip, limit)
            }
            None => {
                let mut seen = self.seen.lock().await;
                self.catch_up(&mut seen, None).await?;
                seen.page(skip, limit)
            }
        };
        let mails = stream::iter(page).map(|(summary, copies)| self.mail(summary, copies, order_id));
        let read = mails.buffered(AT_ONCE).try_collect().await;
        if read.is_err() {
            // Perhaps the catcher was emptied, and has other mails since.
            *self.seen.lock().await = Seen::default();
        }
        read
    }

    /// Lists what came since; everything, where the catcher has fewer than there were: it was emptied.
    async fn catch_up(&self, seen: &mut Seen, search: Option<&str>) -> Result<(), NoAnswer> {
        let count = self.list(search, 0, 1).await?.messages_count;
        if count < i64::try_from(seen.len()).unwrap_or(i64::MAX) {
            *seen = Seen::default();
        }
        loop {
            let skip = i64::try_from(seen.len()).unwrap_or(i64::MAX);
            let came = self.oldest(search, skip, LISTED).await?;
            let all = came.len() < LISTED;
            seen.extend(came);
            if all {
                return Ok(());
            }
        }
    }

    /// The catcher counts from the newest, so that each mail that comes meanwhile shifts the page: ask until none did.
    async fn oldest(&self, search: Option<&str>, skip: i64, limit: usize) -> Result<Vec<Summary>, NoAnswer> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut count = self.list(search, 0, 1).await?.messages_count;
        for _ in 0..TRIES {
            let wanted = limit.min(count - skip);
            if wanted <= 0 {
                return Ok(vec![]);
            }
            let page = self.list(search, count - skip - wanted, wanted).await?;
            if page.messages_count == count {
                return Ok(page.messages.into_iter().rev().collect());
            }
            count = page.messages_count;
        }
        Err(NoAnswer::Broken("mails come too fast to be listed".into()))
    }

    async fn list(&self, search: Option<&str>, start: i64, limit: i64) -> Result<List, NoAnswer> {
        let mut query = vec![("start", start.to_string()), ("limit", limit.to_string())];
        query.extend(search.map(|search| ("query", search.to_owned())));
        let path = if search.is_some() { "search" } else { "messages" };
        self.get(&["api", "v1", path], &query).await
    }

    async fn mail(&self, summary: Summary, copies: Option<i64>, order_id: Option<&str>) -> Result<Mail, NoAnswer> {
        let at = summary.created.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_microsecond);
        let at =
            at.map_err(|error| NoAnswer::Broken(format!("the mail catcher's time {}: {error}", summary.created)))?;
        let Some(copies) = copies else { return Ok(Mail { at, shown: None }) };
        let headers: HashMap<String, Vec<String>> =
            self.get(&["api", "v1", "message", &summary.id, "headers"], &[]).await?;
        let header = |name| headers.get(name).and_then(|values| values.first()).cloned();
        let (Some(order), Some(template)) = (header("X-Tutti-Order"), header("X-Tutti-Template")) else {
            return Ok(Mail { at, shown: None });
        };
        if order_id.is_some_and(|asked| asked != order) {
            return Ok(Mail { at, shown: None });
        }
        let Content { to, subject, text } = self.get(&["api", "v1", "message", &summary.id], &[]).await?;
        let to = to.into_iter().map(|to| to.address).collect::<Vec<_>>().join(", ");
        let (channel, body, message_id) = (Channel::Mail, text.replace("\r\n", "\n"), summary.message_id);
        let shown = Message { id: 0, order_id: order, channel, template, to, subject, body, message_id, copies, at };
        Ok(Mail { at, shown: Some(shown) })
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, String)]) -> Result<T, NoAnswer> {
        let away = |why: String| NoAnswer::Broken(format!("the mail catcher at {} {why}", self.base));
        let lost = |error: reqwest::Error| away(format!("gives no answer: {}", error.without_url()));
        let mut reply = self.http.get(self.base.join(path)).query(query).send().await.map_err(lost)?;
        let (status, mut body) = (reply.status(), vec![]);
        while let Some(chunk) = reply.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > ANSWER_LIMIT {
                return Err(away(format!("answers more than {ANSWER_LIMIT} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            return Err(away(format!("answers with status {status}")));
        }
        serde_json::from_slice(&body).map_err(|error| away(format!("answers something unknown: {error}")))
    }
}

/// Message-IDs name their order. What would mean something else in a search is no order's id.
fn search_for(order_id: &str) -> Option<String> {
    let plain = !order_id.is_empty() && order_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    plain.then(|| format!("message-id:\"{order_id}\""))
}
