//! The shop's HTTP API as the tests speak it: every answer is kept as it came, so that all of it can be checked.

use crate::wait::{LOOK_EVERY, PATIENCE, until};
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use std::{
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

/// No answer may take longer; the longest wait that the API offers is 60 s.
const ANSWER_WITHIN: Duration = Duration::from_secs(75);

/// A client of one shop. Clones follow it to its new address after a restart as well.
#[derive(Clone)]
pub struct Client {
    address: Arc<RwLock<Option<String>>>,
    http: reqwest::Client,
}

impl Default for Client {
    fn default() -> Client {
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_WITHIN).build().unwrap();
        Client { address: Arc::default(), http }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body, of an answer with this status.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    /// The body of a refusal, which must be a whole RFC 9457 problem with this status.
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["status"], status, "{self:?}");
        assert!(problem["type"].as_str().unwrap().starts_with("/problems/"), "{self:?}");
        for member in ["title", "detail"] {
            assert!(!problem[member].as_str().unwrap().is_empty(), "{self:?}");
        }
        let retry = matches!(status, 429 | 503);
        assert_eq!(self.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), retry, "{self:?}");
        problem
    }
}

impl Client {
    pub fn moved_to(&self, url: &str) {
        *self.address.write().unwrap() = Some(url.to_owned());
    }

    /// The shop is closed. A freed port may become anybody's, even our own: connecting to a port at which nobody
    /// listens can connect a socket to itself. So nobody asks there any more.
    pub fn moved_away(&self) {
        *self.address.write().unwrap() = None;
    }

    /// Where the shop is, if it is open.
    pub fn address(&self) -> Option<String> {
        self.address.read().unwrap().clone()
    }

    /// A request that can be changed before it is sent.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.address().unwrap()))
    }

    /// Sends a request; an error means that there is no answer.
    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok(Answer { status, headers, body: answer.text().await? })
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_send(request).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// The document at a path that is there.
    pub async fn read(&self, path: &str) -> Value {
        self.get(path).await.expect(200)
    }

    pub async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).json(body);
        self.send(key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key))).await
    }

    pub async fn place(&self, key: &str, body: &Value) -> Answer {
        self.post("/orders", Some(key), body).await
    }

    /// Places an order that is accepted, and gives its id.
    pub async fn placed(&self, key: &str, body: &Value) -> String {
        self.place(key, body).await.expect(202)["order_id"].as_str().unwrap().to_owned()
    }

    /// Sends the same request until the shop has answered it, as a good customer does: over a shop that is busy, that
    /// is closed, that dies before it answers.
    pub async fn insist(&self, path: &str, key: Option<&str>, body: &Value) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.address().is_some() {
                let request = self.request(Method::POST, path).json(body);
                let request = key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key));
                match self.try_send(request).await {
                    Ok(answer) if answer.status != 503 => return answer,
                    Ok(answer) => _ = answer.problem(503),
                    Err(_) => {}
                }
            }
            assert!(Instant::now() < deadline, "nobody answers POST {path}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    pub async fn cancel(&self, id: &str) -> Answer {
        self.post(&format!("/orders/{id}/cancellation"), None, &json!({ "reason": "changed my mind" })).await
    }

    pub async fn order(&self, id: &str) -> Value {
        self.read(&format!("/orders/{id}")).await
    }

    /// The order once `reached` holds of it.
    pub async fn order_when(&self, id: &str, reached: impl Fn(&Value) -> bool) -> Value {
        until(&format!("order {id} gets there"), || async { Some(self.order(id).await).filter(|order| reached(order)) })
            .await
    }

    /// The order once nothing more will happen to it.
    pub async fn settled(&self, id: &str) -> Value {
        let order = self.read(&format!("/orders/{id}?wait=settled&timeout_s=60")).await;
        if order["settled"] == true { order } else { self.order_when(id, |order| order["settled"] == true).await }
    }

    /// The order's events, over all services.
    pub async fn events(&self, id: &str) -> Vec<Value> {
        items(self.read(&format!("/orders/{id}/events")).await, "items")
    }

    /// Waits until a service has said this about an order.
    pub async fn said(&self, id: &str, event: &str) {
        until(&format!("{event} about order {id}"), || async {
            self.events(id).await.iter().any(|said| said["type"] == event).then_some(())
        })
        .await;
    }

    /// Changes how the outside world behaves.
    pub async fn world(&self, patch: &Value) {
        self.send(self.request(Method::PATCH, "/world").json(patch)).await.expect(200);
    }

    /// All pages of a list, whose rows are in `member`.
    pub async fn all(&self, path: &str, member: &str) -> Vec<Value> {
        let (mut rows, mut after) = (vec![], String::new());
        loop {
            let sign = if path.contains('?') { '&' } else { '?' };
            let page = self.read(&format!("{path}{sign}limit=200{after}")).await;
            let next = page["next"].clone();
            rows.extend(items(page, member));
            after = match next {
                Value::Null => return rows,
                Value::String(next) => format!("&after={next}"),
                next => format!("&after={next}"),
            };
        }
    }

    /// What is in the warehouse of one SKU.
    pub async fn stock(&self, sku: &str) -> Value {
        let stock = items(self.read("/stock").await, "items");
        stock.into_iter().find(|row| row["sku"] == sku).unwrap_or_else(|| panic!("no stock of {sku}"))
    }
}

/// The rows of a list.
pub fn items(mut page: Value, member: &str) -> Vec<Value> {
    match page[member].take() {
        Value::Array(rows) => rows,
        other => panic!("{member} is {other}"),
    }
}
