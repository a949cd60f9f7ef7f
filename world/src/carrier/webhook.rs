//! The carrier's reports over HTTP: signed, and sent by the carrier's desk until they are accepted.

use super::{Report, ReportKind};
use reqwest::{Client, Url, header::CONTENT_TYPE};
use runtime::{
    Clock,
    remote::{ServerUrl, UrlSetting, client},
};
use serde::Serialize;
use shipping::signature::{HEADER, WebhookSecret};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Where the shop takes the carrier's reports.
pub const WEBHOOK_URL: UrlSetting =
    UrlSetting { name: "WEBHOOK_URL", scheme: "http", example: "http://127.0.0.1:8080/carrier/reports" };

/// How long the shop may take for one report. It answers once the report is stored, or says that it cannot now.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Sends reports to the shop.
pub struct Webhook {
    url: Url,
    secret: WebhookSecret,
    clock: Arc<dyn Clock>,
    http: Client,
    /// The last report was not accepted.
    failing: AtomicBool,
}

/// A report, as the shop reads it.
#[derive(Serialize)]
struct Body<'a> {
    report_id: &'a str,
    order_id: &'a str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'a str>,
}

impl Webhook {
    /// Sends to `url`, signed with `secret` and the time of `clock`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(url: &ServerUrl, secret: WebhookSecret, clock: Arc<dyn Clock>) -> Result<Webhook, String> {
        Ok(Webhook { url: url.join(&[]), secret, clock, http: client(TIMEOUT)?, failing: AtomicBool::new(false) })
    }

    /// Sends a report once. It is signed anew each time, so that one that waited long is not stale.
    ///
    /// # Errors
    /// When it was not accepted and must come again: anything but a 2xx.
    pub async fn deliver(&self, report: Report) -> Result<(), String> {
        let delivered = self.send(&report).await;
        let failed = delivered.is_err();
        if self.failing.swap(failed, Ordering::Relaxed) != failed {
            match &delivered {
                Err(why) => tracing::warn!(url = %self.url, why, "the shop does not take reports; they come again"),
                Ok(()) => tracing::info!(url = %self.url, "the shop takes reports again"),
            }
        }
        delivered
    }

    async fn send(&self, report: &Report) -> Result<(), String> {
        let body = serde_json::to_vec(&body(report)).map_err(|error| error.to_string())?;
        let signature = self.secret.sign(&body, self.clock.now());
        let request = self.http.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        let reply = request.header(HEADER, signature).body(body).send().await;
        let status = reply.map_err(|error| error.without_url().to_string())?.status();
        if status.is_success() { Ok(()) } else { Err(format!("status {status}")) }
    }
}

fn body(report: &Report) -> Body<'_> {
    let Report { report_id, order_id, kind, label: _ } = report;
    let (kind, place) = match kind {
        ReportKind::Dispatched => ("dispatched", None),
        ReportKind::Tracking { place } => ("tracking", Some(&**place)),
        ReportKind::Delivered => ("delivered", None),
    };
    Body { report_id, order_id, kind, place }
}
